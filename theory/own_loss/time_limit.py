"""One limit on the time that algebra may take, in whatever thread it runs."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 10.0
_AGAIN = 0.05  # an exception that some handler swallowed is raised once more


class _Late(BaseException):
    """Raised in the thread that works; no ``except Exception`` of a library takes it."""


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """End the block after ``seconds``, :data:`SECONDS` unless given.

    A second thread raises an exception in the one that works, at its next step of Python: so the
    limit holds in any thread and on every system, but not within one operation of C, such as a
    power with a million digits. CPython only.

    Raises:
        TimeoutError: The block took longer.
    """
    worker, ended = threading.get_ident(), threading.Event()
    limit = SECONDS if seconds is None else seconds
    lock = threading.Lock()

    def watch() -> None:
        wait = limit
        while not ended.wait(wait):
            wait = _AGAIN
            with lock:
                if not ended.is_set():
                    _raise_in(worker, _Late)

    watcher = threading.Thread(target=watch, daemon=True)
    try:
        watcher.start()
        try:
            yield
        finally:
            with lock:
                ended.set()
            _raise_in(worker, None)  # what was raised and has not arrived is taken back
    except _Late:
        ended.set()
        raise TimeoutError(
            f"algebra on a formula takes at most {limit:g} seconds: got more; write a simpler one"
        ) from None


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    raised = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
