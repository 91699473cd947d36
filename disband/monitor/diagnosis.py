r"""What a run's log says: what happened to chosen and rejected, when, why, and what to do.

Everything is read from the numbers that were logged, by the rules below, and each sentence names
the numbers that it rests on.
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
from .motion import ENOUGH, Motion, label_smoothing, motion, smoothed
from .numbers import CASES, NAMES, PAIRS, PREFIX

Array = npt.NDArray[np.float64]

MOST = 0.5  # what share counts as most of the pairs
ALIKE = 0.95  # the cosine above which pairs are almost the same to the model
MISFIT = 0.5  # how far from the measured changes predictions may be and still describe them
SMOOTH = 5  # lines that a phase is smoothed over


MARGIN = 20.0  # in rewards: the pull that the sigmoid leaves beyond it is below 1e-8
REFERENCE = 0.02  # a first reward beyond this tells of another reference than the start
ALREADY = 1.0  # a first reward beyond this, at a later step, does so or had moved by then
_PROPORTION = 0.01  # how far rewards may be from one multiple of log-probabilities to be that


class State(StrEnum):
    """What can be said of a run at all, the gravest first."""

    BROKEN = "the numbers were not finite from the first line on"
    BROKE = "the numbers stopped being finite"
    GAPS = "some lines have no finite number of a side, and later ones have it again"
    UNTRAINED = "every log-probability is exactly 0: no token of a response is trained on"
    MOTIONLESS = "nothing moved: chosen and rejected stayed exactly where they began"
    NO_SIDES = "the log has neither rewards nor log-probabilities of chosen and rejected"
    SHORT = "too few lines for a verdict"
    EXPLODED = "the margin ran away"
    HELD_OUT = "the chosen falls on held-out pairs although it rises in training"
    TOLD = "the sides moved as is said below"


class Cause(StrEnum):
    """Why the chosen fell, as far as the log tells."""

    NONE = "the chosen did not fall"
    OWN = "the pairs themselves, whose ratio of incentives lies below the band"
    TURNED = "the objective itself, whose incentives on most pairs are not positive"
    STEP = "the rest of the same steps, other pairs and the optimizer's memory"
    LATER = "other steps, which undo what a step does to its own pairs"
    UNKNOWN = "the log does not tell, as no monitor watched"


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
        state: What can be said at all.
        held_out: How the sides moved in evaluation.
        smoothing: The label smoothing whose floor the loss rests on; NaN if on none.
        first_reward: The chosen's reward where training began, or on the first line if it was
            further from 0 then than any two lines are from each other later; else NaN.
        began: The step of that line.
        free: The β of an objective without a reference, whose rewards are β times the
            log-probabilities; NaN if they are not.
        remarks: What is odd about the log itself.
        unit: What the steps named here are: steps, or lines of a log that has no steps.
        epochs: Of the lines that are named, if the log has no steps but epochs.
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
    state: State = State.TOLD
    held_out: Mapping[str, Motion] = field(default_factory=dict)
    smoothing: float = math.nan
    first_reward: float = math.nan
    began: int = 0
    free: float = math.nan
    remarks: tuple[str, ...] = ()
    unit: str = "step"
    epochs: Mapping[int, float] = field(default_factory=dict)

    def mean(self, name: str) -> float:
        """Mean of a metric of the monitor; NaN if it was not logged."""
        return self.means.get(PREFIX + name, math.nan)


def of_pairs(run: Run) -> Run:
    """The lines that tell of chosen and rejected: of evaluation, where they alone do."""
    if run.held_out is None or _has_sides(run) or not (_has_sides(run.held_out) or not run.steps):
        return run
    remark = "chosen and rejected were logged in evaluation alone: these are held-out pairs"
    remarks = (*run.remarks, remark) if _has_sides(run.held_out) else run.remarks
    return replace(run.held_out, planned=run.planned, remarks=remarks)


def diagnose(run: Run) -> Diagnosis:
    """Say what happened in a run; where evaluation alone tells of the sides, in evaluation."""
    run = of_pairs(run)
    means = _means(run)
    free = _free_of_reference(run)
    began, first_reward = _first_reward(run) if math.isnan(free) else (0, math.nan)
    loss, margin, right = (
        run.column(name)[1] for name in ("loss", "rewards/margins", "rewards/accuracies")
    )
    plain = Diagnosis(
        motions=_motions(run),
        means=means,
        phases=_phases(run),
        looks=len(run.column(PAIRS)[0]),
        last={name: float(run.column(name)[1][-1]) for name in means},
        misfit=_misfit(run),
        reached=run.steps[-1] if run.steps else 0,
        planned=run.planned,
        broken=run.broken,
        held_out={} if run.held_out is None else _motions(run.held_out),
        smoothing=label_smoothing(loss, margin, right),
        first_reward=first_reward,
        began=began,
        free=free,
        remarks=run.remarks,
        unit="line" if run.counted else "step",
    )
    return replace(plain, state=_state(run, plain), cause=_cause(plain), epochs=_epochs(run, plain))


def _free_of_reference(run: Run) -> float:
    """The β of rewards that are β times the log-probabilities, on both sides; else NaN."""
    ratios = [
        line[f"rewards/{side}"] / line[f"logps/{side}"]
        for line in run.lines
        for side in ("chosen", "rejected")
        if line.get(f"logps/{side}") and f"rewards/{side}" in line
    ]
    if len(ratios) < 4:
        return math.nan
    beta = float(np.median(ratios))
    alike = beta > 0 and np.allclose(ratios, beta, rtol=_PROPORTION, atol=0)
    return beta if alike else math.nan


def _first_reward(run: Run) -> tuple[int, float]:
    """Where the log begins, and the chosen's reward there if it tells of the reference."""
    steps, values = run.column("rewards/chosen")
    if not len(values):
        return 0, math.nan
    at_start = steps[0] <= 1 and not run.counted
    far = len(values) >= 3 and abs(values[0]) > max(ALREADY, np.abs(np.diff(values)).max())
    return int(steps[0]), float(values[0]) if at_start or far else math.nan


def _epochs(run: Run, plain: Diagnosis) -> dict[int, float]:
    """The epochs of the lines that are named, of training and of evaluation."""
    if not run.counted:
        return {}
    moved = [*plain.motions.values(), *plain.held_out.values()]
    named = {plain.reached, plain.began, *plain.broken.values()}
    named |= {m.halfway for m in moved if m.halfway} | {m.turn.step for m in moved if m.turn}
    both = (run, run.held_out) if run.held_out is not None else (run,)
    lines = [pair for each in both for pair in zip(each.steps, each.lines, strict=True)]
    return {step: line["epoch"] for step, line in lines if step in named and "epoch" in line}


def _has_sides(run: Run) -> bool:
    return any(len(run.column(name)[0]) for name in ("rewards/chosen", "logps/chosen"))


def _motions(run: Run) -> dict[str, Motion]:
    moved = {}
    for side, metrics in {
        "chosen": ("rewards/chosen", "logps/chosen"),
        "rejected": ("rewards/rejected", "logps/rejected"),
        "margin": ("rewards/margins",),
    }.items():
        logged = [m for m in metrics if len(run.column(m)[0])]
        if logged:
            moved[side] = motion(logged[0], *run.column(logged[0]))
    return moved


def _state(run: Run, plain: Diagnosis) -> State:
    chosen, margin = plain.motions.get("chosen"), plain.motions.get("margin")
    sides = ("rewards/chosen", "logps/chosen", "rewards/rejected", "logps/rejected")
    if run.always_broken & {*sides, "loss"}:
        return State.BROKEN
    broken = {name: (step, run.column(name)[0]) for name, step in run.broken.items()}
    gaps = [
        len(finite) > 1 and finite[-1] > step
        for name, (step, finite) in broken.items()
        if name in sides
    ]
    if gaps and all(gaps):
        return State.GAPS
    if gaps or "loss" in run.broken:
        return State.BROKE
    if chosen is None:
        return State.NO_SIDES
    columns = {name: run.column(name)[1] for name in sides}
    logged = {name: values for name, values in columns.items() if len(values) >= 3}
    logps = [logged[name] for name in sides if name.startswith("logps") and name in logged]
    if len(logps) == 2 and not any(values.any() for values in logps):
        return State.UNTRAINED
    if logged and _motionless(logged):
        return State.MOTIONLESS
    if margin is not None and margin.end > MARGIN:
        return State.EXPLODED
    held_out = plain.held_out.get("chosen")
    falls = held_out is not None and held_out.lines > 1 and held_out.direction < 0
    if falls and chosen.lines > 1 and chosen.direction >= 0:
        return State.HELD_OUT
    return State.SHORT if chosen.lines < ENOUGH else State.TOLD


def _motionless(logged: Mapping[str, Array]) -> bool:
    """Whether rewards stayed where they began, exactly; without rewards, log-probabilities."""
    rewards = [values for name, values in logged.items() if name.startswith("rewards")]
    return all(np.ptp(values) == 0 for values in rewards or logged.values())


def _cause(found: Diagnosis) -> Cause:
    moved = found.motions.get("chosen")
    if moved is not None and moved.lines < ENOUGH and not found.looks:
        return Cause.NONE
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
    shares = np.stack([smoothed(columns[case][1], SMOOTH) for case in cases])
    greatest = [cases[i] for i in shares.argmax(0)]
    found, at = [], 0
    for which, group in groupby(greatest):
        size = len(list(group))
        first, last = int(steps[at]), int(steps[at + size - 1])
        found.append(Phase(first, last, which, _means(run, first, last)))
        at += size
    return tuple(found)
