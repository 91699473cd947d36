"""Processes of this machine that do tasks, and end when they are told to."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from time import monotonic, sleep
from typing import Any

from .away import WorkersError
from .crew import Crew

# In a worker process: where its reports go.
_channel: Any = None


def call(work: Callable[..., Any], task: Any, number: int) -> Any:
    """In a worker: do a task, and report under its number."""

    def report(share: float) -> None:
        if _channel is not None:
            _channel.put((number, share))

    return work(task, report)


class _Worker(SpawnProcess):
    """A process that ignores interrupts from its first instruction."""

    def start(self) -> None:
        with _uninterrupted():
            super().start()


class _Context(SpawnContext):
    """Keeps the processes that it makes, which the pool does not show."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[_Worker] = []

    def Process(self, *args: Any, **settings: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        self.workers.append(_Worker(*args, **settings))
        return self.workers[-1]


@contextmanager
def processes(count: int) -> Iterator[Crew]:
    """So many processes, which end with the block however it ends.

    An interrupt in the terminal is this process's alone to answer, and it takes them down with it.

    Raises:
        WorkersError: One died.
    """
    context = _Context()
    channel = context.SimpleQueue()

    def reports() -> Iterator[tuple[int, float]]:
        while not channel.empty():
            yield channel.get()
        # The pool does not see one end that it started while it was waiting for the others.
        if any(worker.exitcode for worker in context.workers):
            raise BrokenExecutor

    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(channel,))
    try:
        yield Crew(executor, reports)
    except BrokenExecutor as error:
        gone = connection.wait([worker.sentinel for worker in context.workers], timeout=10)
        ended = {_exit_code(worker) for worker in context.workers if worker.sentinel in gone}
        # The pool ends those that are left with SIGTERM.
        codes = [code for code in ended if code not in (None, -signal.SIGTERM)]
        raise WorkersError(
            "a worker process must live until its task is done, but one ended with exit code "
            f"{min(codes, default=-15)} (-9 is what a lack of memory looks like); run again: "
            "finished pieces are kept"
        ) from error
    finally:
        for worker in context.workers:
            worker.kill()
        executor.shutdown(cancel_futures=True)
        channel.close()


def _exit_code(worker: SpawnProcess) -> int | None:
    """The code of one that has ended: where the pool's thread was told it first, a moment later."""
    deadline = monotonic() + 10
    while (code := worker.exitcode) is None and monotonic() < deadline:
        sleep(0.001)
    return code


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore interrupts, so that a process started here ignores them from its first instruction."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(channel: Any) -> None:
    """In a worker: report there, leave interrupts to the parent, and end when it is gone."""
    global _channel  # noqa: PLW0603 (a worker has one, from its start)
    _channel = channel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The next report would notice too, but a task may work for minutes between two.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the process that started this one is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
