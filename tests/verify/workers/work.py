"""What tests have done by workers; a module of its own, for workers import it."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from disband.verify.workers.away import written
from disband.verify.workers.tasks import SHARED

ALWAYS = "always"


@dataclass(frozen=True)
class Sum:
    """Numbers to add in an order that rounding can see."""

    number: int
    numbers: np.ndarray = field(metadata=SHARED)
    seconds: float = 0.0
    leaves: str = ""
    dies: str = ""
    meets: str = ""


def _met(folder):
    """Wait in a folder until another process has come there as well."""
    (folder / str(os.getpid())).touch()
    deadline = time.monotonic() + 240
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("nobody else has come")
        time.sleep(0.05)


def summed(task, report):
    """Add, wait, and die on the way if that is asked and no file says that it was done."""
    random = np.random.default_rng(task.number)
    total = np.cumsum(random.permutation(task.numbers) * random.normal(size=len(task.numbers)))
    for tenth in range(10):
        time.sleep(task.seconds / 10)
        report(tenth / 10)
    if task.meets:
        _met(Path(task.meets))
    if task.dies == ALWAYS:
        os.kill(os.getpid(), signal.SIGKILL)
    if task.dies and not Path(task.dies).exists():
        Path(task.dies).write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    folder = written(Path(task.leaves))
    if task.leaves:
        folder.mkdir()
        (folder / "process.txt").write_text(str(os.getpid()))
    return {"total": total, "process": np.array(os.getpid()), "folder": np.array(str(folder))}


def failing(task, _):
    raise LookupError(f"no such thing as {task.number}")
