"""Independent tasks on any executor: on processes of this machine, or the workers of a cluster."""

import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from .away import WorkersError
from .cluster import cluster_of
from .crew import SHARED, Crew
from .processes import call, processes

__all__ = ["SHARED", "WorkersError", "executor", "run_on", "run_tasks"]

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[float], None]

# Seconds between two looks at what workers have reported.
PAUSE = 0.1


def run_tasks(
    work: Callable[[Task, Report], Result],
    tasks: Iterable[Task],
    *,
    finished: Callable[[Task, Result], Iterable[Task]],
    progressed: Callable[[Task, float], None],
    workers: int,
    cluster: str | None = None,
) -> None:
    """Call ``work(task, report)`` on every task, ``workers`` of them at a time.

    Args:
        work: A function of a module; calls ``report`` with the share of the task that is done.
        tasks: What to begin with. Tasks and results must be picklable; a field of a task that is
            marked with ``metadata=SHARED`` is sent to a cluster once for all tasks that have it.
        finished: Called in this process with each result; returns the tasks that can now begin.
        progressed: Called in this process with what ``work`` reported.
        workers: Number of processes, if no cluster does the work.
        cluster: Address of a Dask scheduler, whose workers then do it, all there are.

    Raises:
        WorkersError: A process died, or the cluster cannot be used, or is gone.
        RuntimeError: A task failed.
    """
    if begun := list(tasks):
        with executor(cluster, workers) as crew:
            run_on(crew, work, begun, finished=finished, progressed=progressed)


def executor(address: str | None, workers: int) -> AbstractContextManager[Crew]:
    """So many processes of this machine, or all workers of the cluster at this address.

    Raises:
        WorkersError: On entering, the cluster cannot be used; on leaving, workers were lost.
    """
    return processes(workers) if address is None else cluster_of(address)


def run_on(
    crew: Crew,
    work: Callable[[Task, Report], Result],
    tasks: Iterable[Task],
    *,
    finished: Callable[[Task, Result], Iterable[Task]],
    progressed: Callable[[Task, float], None],
) -> None:
    """The same as :func:`run_tasks` on any executor.

    Raises:
        RuntimeError: A task failed.
    """
    begun: list[Task] = []
    running: dict[Future[Any], Task] = {}

    def begin(more: Iterable[Task]) -> None:
        for task in more:
            running[crew.executor.submit(call, work, task, len(begun))] = task
            begun.append(task)

    begin(tasks)
    while running:
        done, _ = wait(running, PAUSE, FIRST_COMPLETED)
        for number, share in crew.reports():
            progressed(begun[number], share)
        # In the order in which they began: a set of those done at one time has none.
        for future in [each for each in running if each in done]:
            begin(finished(running.pop(future), _result(future, crew)))


def _result(future: Future[Any], crew: Crew) -> Any:
    try:
        value = future.result()
    except crew.broken:
        raise
    except WorkersError:
        raise
    except Exception as error:
        told = "".join(traceback.format_exception(error))
        raise RuntimeError(f"a task failed in a worker process:\n{told}") from error
    return crew.received(value)
