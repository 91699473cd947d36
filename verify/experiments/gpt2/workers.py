"""Independent tasks on any executor; on processes of their own, which end when they are told to."""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[float], None]

# Seconds between two looks at what workers have reported.
PAUSE = 0.1
# In a worker process: where its reports go.
_channel: Any = None


class WorkerLostError(RuntimeError):
    """A worker process ended before its task did."""


def run_tasks(
    work: Callable[[Task, Report], Result],
    tasks: Iterable[Task],
    *,
    finished: Callable[[Task, Result], Iterable[Task]],
    progressed: Callable[[Task, float], None],
    workers: int,
) -> None:
    """Call ``work(task, report)`` on every task, ``workers`` of them at a time.

    The processes are spawned, and end with this call however it ends: an interrupt in the
    terminal is this process's alone to answer, and it takes the workers down with it.

    Args:
        work: A function of a module; calls ``report`` with the share of the task that is done.
        tasks: What to begin with. Tasks and results must be picklable.
        finished: Called in this process with each result; returns the tasks that can now begin.
        progressed: Called in this process with what ``work`` reported.
        workers: Number of processes.

    Raises:
        WorkerLostError: A process died.
        RuntimeError: A task failed.
    """
    with _processes(workers) as (executor, reports):
        run_on(executor, work, tasks, finished=finished, progressed=progressed, reports=reports)


def run_on(
    executor: Executor,
    work: Callable[[Task, Report], Result],
    tasks: Iterable[Task],
    *,
    finished: Callable[[Task, Result], Iterable[Task]],
    progressed: Callable[[Task, float], None],
    reports: Callable[[], Iterable[tuple[int, float]]] = tuple,
) -> None:
    """The same on any executor; ``reports`` says what came in since, by a task's number.

    Raises:
        BrokenExecutor: The executor lost a worker.
        RuntimeError: A task failed.
    """
    begun: list[Task] = []
    running: dict[Future[Result], Task] = {}

    def begin(more: Iterable[Task]) -> None:
        for task in more:
            running[executor.submit(_work, work, task, len(begun))] = task
            begun.append(task)

    begin(tasks)
    while running:
        done, _ = wait(running, PAUSE, FIRST_COMPLETED)
        for number, share in reports():
            progressed(begun[number], share)
        for future in done:
            begin(finished(running.pop(future), _result(future)))


def _work(work: Callable[[Task, Report], Result], task: Task, number: int) -> Result:
    def report(share: float) -> None:
        if _channel is not None:
            _channel.put((number, share))

    return work(task, report)


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        told = "".join(traceback.format_exception(error))
        raise RuntimeError(f"a task failed in a worker process:\n{told}") from error


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
def _processes(count: int) -> Iterator[tuple[Executor, Callable[[], Iterator[tuple[int, float]]]]]:
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
        yield executor, reports
    except BrokenExecutor as error:
        gone = connection.wait([worker.sentinel for worker in context.workers], timeout=10)
        lost = [worker for worker in context.workers if worker.sentinel in gone]
        for worker in lost:
            worker.join()
        # The pool ends those that are left with SIGTERM.
        codes = {int(worker.exitcode or 0) for worker in lost} - {-signal.SIGTERM}
        raise WorkerLostError(
            "a worker process must live until its task is done, but one ended with exit code "
            f"{min(codes, default=-15)} (-9 is what a lack of memory looks like); run again: "
            "finished pieces are kept"
        ) from error
    finally:
        for worker in context.workers:
            worker.kill()
        executor.shutdown(cancel_futures=True)
        channel.close()


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
