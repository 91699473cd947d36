"""One limit on the time that algebra may take, in whatever thread it runs."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 10.0
_AGAIN = 0.05  # an exception that some handler swallowed is raised once more


class _Late(BaseException):
    """Raised in the thread that works; no ``except Exception`` of a library takes it.

    Every limit has a subclass of its own, so that one within another does not take its end.
    """


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """End the block after ``seconds``, :data:`SECONDS` unless given.

    A second thread raises an exception in the one that works, at its next step of Python: so the
    limit holds in any thread and on every system, and within another limit, but not within one
    operation of C, such as a power with a million digits. CPython only; elsewhere nothing is
    ended.

    Raises:
        TimeoutError: The block took longer.
    """
    worker, ended = threading.get_ident(), threading.Event()
    limit = SECONDS if seconds is None else seconds
    lock = threading.Lock()
    late: type[BaseException] = type("_Late", (_Late,), {})

    def watch() -> None:
        wait = limit
        while not ended.wait(wait):
            wait = _AGAIN
            with lock:
                if not ended.is_set():
                    _raise_in(worker, late)

    def stop() -> None:
        with lock:
            ended.set()
        _raise_in(worker, None)  # what was raised and has not arrived is taken back

    watcher = threading.Thread(target=watch, daemon=True)
    try:
        watcher.start()
        try:
            yield
        finally:
            stop()
    except late:
        raise TimeoutError(
            f"algebra on a formula takes at most {limit:g} seconds: got more; write a simpler one"
        ) from None
    finally:
        if not ended.is_set():  # another limit's end came just before
            stop()


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    if not hasattr(ctypes, "pythonapi"):
        return
    raised = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
