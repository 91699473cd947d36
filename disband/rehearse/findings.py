"""What trained copies came to: changes of held-out pairs, cases, turns, cost, and a verdict."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from disband.theory.outcome import outcomes
from disband.verify.experiments.judging.intervals import interval
from disband.verify.pages.tables import number

from ..probe.records import Outcomes
from ..probe.shares import table
from .arms import Arm

if TYPE_CHECKING:
    from .forecast import Foretold

Array = npt.NDArray[np.float64]


class Mean(TypedDict):
    """A mean over held-out pairs with its 95 % interval (Student's t), nats."""

    mean: float
    low: float
    high: float


class Turn(TypedDict):
    """Where a mean was highest of all looks, and how high above the start."""

    step: int
    change: float


class ArmReport(TypedDict):
    """What became of one copy.

    Keys:
        arm, objective, remedy: Its name, and what it is made of.
        steps: Updates made; fewer than asked where it ended early.
        finite: Whether its numbers stayed finite; where not, the changes are those of the last
            look at which they were.
        chosen, rejected, margin: Mean changes of the held-out pairs.
        above_first: What the chosen gained beyond the first arm's, pair by pair; None for that
            arm itself, and where either is not finite.
        trained: Mean change of the chosen responses trained on; None where not finite.
        cases: What happened to the held-out pairs, in shares.
        turn: Where the mean chosen was highest.
        at_equal_margin: The mean chosen's change where the margin had first grown as much as
            that of the arm whose margin grew least; None where one did not grow.
        seconds: CPU time of an update, its median.
        forecast: What was forecast of the held-out pairs; None where nothing was.
        curve: For each look the number of updates and the mean changes of chosen and rejected.
    """

    arm: str
    objective: str
    remedy: str
    steps: int
    finite: bool
    chosen: Mean
    rejected: Mean
    margin: Mean
    above_first: Mean | None
    trained: float | None
    cases: Outcomes
    turn: Turn
    at_equal_margin: float | None
    seconds: float
    forecast: "Foretold | None"
    curve: list[tuple[int, float, float]]


def reports(
    arms: Sequence[Arm],
    trained: Mapping[Arm | None, Mapping[str, npt.NDArray[Any]]],
    told: "Mapping[Arm, Foretold]",
) -> list[ArmReport]:
    """What became of each copy, in order."""
    each = [_report(arm, trained[arm]) | {"forecast": told.get(arm)} for arm in arms]
    first = _gained(trained[arms[0]])
    for arm, report in zip(arms[1:], each[1:], strict=True):
        if report["finite"] and each[0]["finite"]:
            report["above_first"] = _mean(_gained(trained[arm]) - first)
    finite = [report for report in each if report["finite"]]
    least = min((report["margin"]["mean"] for report in finite), default=0.0)
    for report in finite:
        report["at_equal_margin"] = at_margin(report["curve"], least)
    return each


def _report(arm: Arm, arrays: Mapping[str, npt.NDArray[Any]]) -> ArmReport:
    logp_w, logp_l = arrays["logp_w"], arrays["logp_l"]
    steps = arrays["steps"]
    known = np.isfinite(logp_w).all(1) & np.isfinite(logp_l).all(1)
    finite = bool(known.all())
    last = int(np.flatnonzero(known)[-1]) if known.any() else 0
    change_w, change_l = logp_w[: last + 1] - logp_w[0], logp_l[: last + 1] - logp_l[0]
    highest = int(np.argmax(change_w.mean(1)))
    gained = float((arrays["trained_w"][1] - arrays["trained_w"][0]).mean())
    return {
        "arm": str(arm),
        "objective": arm.name,
        "remedy": arm.remedy,
        "steps": int(steps[-1]),
        "finite": finite,
        "chosen": _mean(change_w[-1]),
        "rejected": _mean(change_l[-1]),
        "margin": _mean(change_w[-1] - change_l[-1]),
        "above_first": None,
        "trained": gained if np.isfinite(gained) else None,
        "cases": table(outcomes(change_w[-1], change_l[-1])),
        "turn": {"step": int(steps[highest]), "change": float(change_w[highest].mean())},
        "at_equal_margin": None,
        "seconds": float(np.median(arrays["seconds"])),
        "forecast": None,
        "curve": [
            (int(step), float(w.mean()), float(l.mean()))
            for step, w, l in zip(steps, change_w, change_l, strict=False)  # noqa: E741
        ],
    }


def _gained(arrays: Mapping[str, npt.NDArray[Any]]) -> Array:
    """What each held-out chosen response gained, nats."""
    return np.asarray(arrays["logp_w"][-1] - arrays["logp_w"][0])


def at_margin(curve: Sequence[tuple[int, float, float]], margin: float) -> float | None:
    """The chosen's change where the margin had first grown by so much, between looks linearly."""
    if not margin > 0:
        return None
    grown = np.array([w - l for _, w, l in curve])  # noqa: E741
    chosen = np.array([w for _, w, _ in curve])
    reached = np.flatnonzero(grown >= margin)
    if not len(reached):
        return None
    after = int(reached[0])
    return float(np.interp(margin, grown[after - 1 : after + 1], chosen[after - 1 : after + 1]))


def _mean(values: Array) -> Mean:
    mean, low, high = (float(value) for value in interval(values))
    return {"mean": float(values.mean()) if np.isnan(mean) else mean, "low": low, "high": high}


def verdict(each: Sequence[ArmReport], steps: int) -> str:
    """What happened to the chosen under the first arm, and which arms kept it, in two sentences."""
    first, *others = each
    if not first["finite"]:
        return (
            f"Under {first['arm']} the copy's numbers stopped being finite after {first['steps']} "
            "updates: lower the rate."
        )
    said = (
        f"Under {first['arm']} the held-out chosen {_way(first['chosen'])} by "
        f"{short(abs(first['chosen']['mean']))} nats in {steps} updates{_ends(first['chosen'])}."
    )
    if first["chosen"]["mean"] >= 0 or not others:
        return said
    better = [r["arm"] for r in others if r["above_first"] and r["above_first"]["low"] > 0]
    if not better:
        return f"{said} No other arm keeps it surely higher."
    return f"{said} It stays higher, pair by pair, under {'; '.join(better)}."


def short(value: float) -> str:
    """A number with three digits, as a reader would write it."""
    return number(float(f"{value:.3g}"))


def _way(mean: Mean) -> str:
    return "falls" if mean["mean"] < 0 else "rises"


def _ends(mean: Mean) -> str:
    if np.isnan(mean["low"]):
        return " (of too few pairs for an interval)"
    undecided = mean["low"] < 0 < mean["high"]
    ends = f" (95 %: {short(mean['low'])} to {short(mean['high'])}"
    return ends + ("; it may be either way)" if undecided else ")")
