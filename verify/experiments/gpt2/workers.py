"""Independent tasks in processes of their own, which stop at once when they are told to."""

import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[float], None]
# multiprocessing types its connections differently on each platform.
Channel = Any


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
    waiting = deque(tasks)
    if not waiting:
        return
    running: dict[Channel, Task] = {}
    with _processes(work, workers) as processes:
        idle = list(processes)
        while waiting or running:
            while waiting and idle:
                channel = idle.pop()
                running[channel] = waiting.popleft()
                channel.send(running[channel])
            for channel in connection.wait(list(running)):
                kind, value = _receive(channel, processes[channel])
                if kind == "share":
                    progressed(running[channel], value)
                else:
                    idle.append(channel)
                    waiting.extend(finished(running.pop(channel), value))


def _receive(channel: Channel, process: BaseProcess) -> tuple[str, Any]:
    try:
        kind, value = channel.recv()
    except (EOFError, ConnectionResetError) as error:
        process.join()
        raise WorkerLostError(
            f"a worker process must live until its task is done, but one ended with exit code "
            f"{process.exitcode} (-9 is what a lack of memory looks like); run again: "
            "finished pieces are kept"
        ) from error
    if kind == "failed":
        raise RuntimeError(f"a task failed in a worker process:\n{value}")
    return kind, value


@contextmanager
def _processes(work: Callable[..., Any], count: int) -> Iterator[dict[Channel, BaseProcess]]:
    context = get_context("spawn")
    processes: dict[Channel, BaseProcess] = {}
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process: BaseProcess = context.Process(target=_serve, args=(theirs, work), daemon=True)
            with _uninterrupted():
                process.start()
            # Only the worker may hold its end, or its death would not be noticed.
            theirs.close()
            processes[ours] = process
        yield processes
    finally:
        for process in processes.values():
            process.kill()
        for channel, process in processes.items():
            process.join()
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


def _end_with_parent() -> None:
    """Leave when the process that started this one is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _serve(channel: Channel, work: Callable[[Any, Report], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The next report would notice too, but a task may work for minutes between two.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            task = channel.recv()
            try:
                answer = ("done", work(task, lambda share: channel.send(("share", share))))
            except BrokenPipeError:
                raise
            except Exception:  # noqa: BLE001 (whatever it is, the other side must hear of it)
                answer = ("failed", traceback.format_exc())
            channel.send(answer)
    except (EOFError, OSError):
        # The process that started this one is gone: nobody waits for a result.
        return
