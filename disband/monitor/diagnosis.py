r"""What a run's log says: what happened to chosen and rejected, when, why, and what to do.

Everything is read from the numbers that were logged, by the rules below, and each sentence names
the numbers that it rests on. A side moved if its mean over the last tenth of the log differs from
that over the first tenth by more than two standard errors of the lines.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby

import numpy as np
import numpy.typing as npt

from disband.theory.outcome import Outcome

from .logs import Run
from .numbers import CASES, NAMES, PAIRS, PREFIX

Array = npt.NDArray[np.float64]

MOST = 0.5  # what share counts as most of the pairs
END = 0.1  # which part of the log counts as its start, and as its end
ERRORS = 2.0  # standard errors
ALIKE = 0.95  # the cosine above which pairs are almost the same to the model
MISFIT = 0.5  # how far from the measured changes predictions may be and still describe them
SMOOTH = 5  # lines that a phase is smoothed over


class Cause(StrEnum):
    """Why the chosen fell, as far as the log tells."""

    NONE = "the chosen did not fall"
    OWN = "the pairs themselves, whose ratio of incentives lies below the band"
    TURNED = "the objective itself, whose incentives on most pairs are not positive"
    STEP = "the rest of the same steps, other pairs and the optimizer's memory"
    LATER = "other steps, which undo what a step does to its own pairs"
    UNKNOWN = "the log does not tell, as no monitor watched"


@dataclass(frozen=True)
class Motion:
    """How one side moved over the run.

    Args:
        metric: What was logged of it.
        start: Mean over the first tenth of the lines.
        end: Mean over the last tenth.
        error: Standard error of the difference; NaN with too few lines.
        halfway: The first logged step at which half of the change was made; None if it did not
            move.
    """

    metric: str
    start: float
    end: float
    error: float
    halfway: int | None

    @property
    def change(self) -> float:
        """End minus start."""
        return self.end - self.start

    @property
    def direction(self) -> int:
        """1 if it rose, -1 if it fell, 0 if neither beyond its noise."""
        noise = 0.0 if math.isnan(self.error) else ERRORS * self.error
        return 0 if abs(self.change) <= noise else int(np.sign(self.change))


@dataclass(frozen=True)
class Phase:
    """A stretch of the run in which one case had the greatest share.

    Args:
        first: The first step looked at in it.
        last: The last one.
        case: The case, or that most pairs do not move.
        means: Means of the monitor's metrics over the stretch.
    """

    first: int
    last: int
    case: Outcome
    means: Mapping[str, float]


@dataclass(frozen=True)
class Diagnosis:
    """What a run's log says.

    Args:
        motions: How the sides and the margin moved, by name; a side that was not logged is
            missing.
        means: Means of the monitor's metrics over the run; empty if no monitor watched.
        phases: In order.
        cause: Why the chosen fell.
        looks: How many lines hold what a monitor saw.
        last: The monitor's metrics where they were logged last.
        misfit: How far predicted changes were from measured ones: the sum of their differences
            over that of the measured, signs apart; NaN without predictions.
        reached: The last step that was logged.
        planned: How many steps training was to have; None if the log does not say.
        broken: Metrics that were once logged as no finite number, with the first such step.
    """

    motions: Mapping[str, Motion]
    means: Mapping[str, float]
    phases: tuple[Phase, ...] = ()
    cause: Cause = Cause.NONE
    looks: int = 0
    last: Mapping[str, float] = field(default_factory=dict)
    misfit: float = math.nan
    reached: int = 0
    planned: int | None = None
    broken: Mapping[str, int] = field(default_factory=dict)

    def mean(self, name: str) -> float:
        """Mean of a metric of the monitor; NaN if it was not logged."""
        return self.means.get(PREFIX + name, math.nan)


def diagnose(run: Run) -> Diagnosis:
    """Say what happened in a run."""
    motions = {}
    for side, metrics in {
        "chosen": ("rewards/chosen", "logps/chosen"),
        "rejected": ("rewards/rejected", "logps/rejected"),
        "margin": ("rewards/margins",),
    }.items():
        logged = [m for m in metrics if len(run.column(m)[0])]
        if logged:
            motions[side] = motion(logged[0], *run.column(logged[0]))
    means = _means(run)
    looks = len(run.column(PAIRS)[0])
    last = {name: float(run.column(name)[1][-1]) for name in means}
    found = Diagnosis(
        motions, means, _phases(run), Cause.NONE, looks, last, _misfit(run),
        run.steps[-1], run.planned, run.broken,
    )  # fmt: skip
    return replace(found, cause=_cause(found))


def motion(metric: str, steps: Array, values: Array) -> Motion:
    """How a metric moved from the start of its log to the end."""
    size = max(1, math.ceil(END * len(values)))
    first, last = values[:size], values[-size:]
    start, end = float(first.mean()), float(last.mean())
    error = math.nan
    if size > 1:
        error = math.sqrt((first.var(ddof=1) + last.var(ddof=1)) / size)
    found = Motion(metric, start, end, error, None)
    if found.direction == 0:
        return found
    smooth = _smoothed(values, size)
    beyond = np.flatnonzero((smooth - start) * found.direction >= abs(found.change) / 2)
    return Motion(metric, start, end, error, int(steps[beyond[0]]) if len(beyond) else None)


def _cause(found: Diagnosis) -> Cause:
    moved = found.motions.get("chosen")
    fell_per_step = found.mean("measured_chosen") < 0
    if not (fell_per_step if moved is None else moved.direction < 0):
        return Cause.NONE
    if not found.looks:
        return Cause.UNKNOWN
    if found.mean("both_fall") + found.mean("reversed") >= MOST:
        # With positive incentives no pair is reversed, for ⟨a,b⟩ is at most ‖a‖‖b‖.
        turned = found.mean("reversed") > found.mean("both_fall")
        return Cause.TURNED if turned else Cause.OWN
    if found.mean("chosen_fell") >= MOST or fell_per_step:
        return Cause.STEP
    return Cause.LATER


def _misfit(run: Run) -> float:
    pairs = [
        (line[f"{PREFIX}predicted_{side}"], line[f"{PREFIX}measured_{side}"])
        for line in run.lines
        for side in ("chosen", "rejected")
        if f"{PREFIX}predicted_{side}" in line
    ]
    predicted, measured = np.array(pairs, float).reshape(-1, 2).T
    size = np.abs(measured).sum()
    return float(np.abs(predicted - measured).sum() / size) if size > 0 else math.nan


def _means(run: Run, first: float = -math.inf, last: float = math.inf) -> dict[str, float]:
    """Means of the monitor's metrics from one step to another."""
    found = {}
    for name in NAMES:
        steps, values = run.column(name)
        values = values[(steps >= first) & (steps <= last)]
        if len(values):
            found[name] = float(values.mean())
    return found


def _phases(run: Run) -> tuple[Phase, ...]:
    columns = {case: run.column(name) for case, name in CASES.items()}
    steps = columns[Outcome.IDEAL][0]
    if not len(columns[Outcome.STILL][0]):
        # Earlier monitors did not tell pairs that do not move.
        columns[Outcome.STILL] = steps, np.zeros(len(steps))
    if not len(steps) or any(len(column[0]) != len(steps) for column in columns.values()):
        return ()
    cases = list(columns)
    shares = np.stack([_smoothed(columns[case][1], SMOOTH) for case in cases])
    greatest = [cases[i] for i in shares.argmax(0)]
    found, at = [], 0
    for which, group in groupby(greatest):
        size = len(list(group))
        first, last = int(steps[at]), int(steps[at + size - 1])
        found.append(Phase(first, last, which, _means(run, first, last)))
        at += size
    return tuple(found)


def _smoothed(values: Array, size: int) -> Array:
    """Means over ``size`` neighbours, fewer at the ends."""
    before, after = size // 2, size - size // 2
    return np.array([
        values[max(0, i - before) : i + after].mean() for i in range(len(values))
    ])  # fmt: skip
