"""What tasks are handed to: an executor, what its workers report and what comes back from them."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from typing import Any

# Metadata of a field of a task: large, and the same object in many tasks.
SHARED: Mapping[str, bool] = {"shared": True}


@dataclass(frozen=True)
class Crew:
    """Workers.

    Args:
        executor: Takes the tasks.
        reports: Called now and then; returns what came in since, a task's number and its share
            done, and raises where the workers are gone.
        received: Makes the result of work of what a future holds.
        broken: What futures raise when it is not the work that failed.
    """

    executor: Executor
    reports: Callable[[], Iterable[tuple[int, float]]] = tuple
    received: Callable[[Any], Any] = lambda value: value
    broken: tuple[type[Exception], ...] = (BrokenExecutor,)
