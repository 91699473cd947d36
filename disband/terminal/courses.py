"""``disband simulate --horizon``: the first update held for many steps, as lines of text."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from disband.sims.horizon.courses import Course
from disband.sims.horizon.labels import Promise
from disband.verify.pages.tables import number

_COLUMNS = ("first order", "second order", "exact", "the run")


def record(courses: Mapping[str, Course]) -> dict[str, Any]:
    """Return the courses of chosen and rejected in a few numbers; infinity is ``None``."""
    return {
        "steps": len(next(iter(courses.values())).run) - 1,
        **{
            name: {
                **dict(zip(_COLUMNS, _ends(its), strict=True)),
                "turns": _finite(its.turns) if its.rises else 0.0,
                "turns_second_order": _finite(its.turns_second),
                "surely_from": _finite(float(its.surely.low)),
                "surely_to": _finite(float(its.surely.high)),
                "run_turns": its.run_turns,
            }
            for name, its in courses.items()
        },
    }


def lines(courses: Mapping[str, Course]) -> list[str]:
    """Return the courses as lines of plain text, the turning steps in words."""
    steps = len(next(iter(courses.values())).run) - 1
    return [
        f"the first update held for {steps} steps, beside the run of as many",
        f"{'change of log π, nats':22}" + "".join(f"{name:>14}" for name in _COLUMNS),
        *(
            f"  {name:20}" + "".join(f"{number(end):>14}" for end in _ends(its))
            for name, its in courses.items()
        ),
        "",
        *(f"the {name} {said}" for name, its in courses.items() for said in _turns(its, steps)),
    ]


def promised(promise: Promise) -> list[str]:
    """Return what score products say of the first step as lines of plain text."""
    rows = {
        "each pair's own": promise.own,
        "the batch's": promise.batch,
        "of it the suffix": promise.suffix,
    }
    return [
        f"{'promised for one step':22}{'chosen':>14}{'rejected':>14}",
        *(f"  {name:20}{number(up):>14}{number(down):>14}" for name, (up, down) in rows.items()),
    ]


def _turns(its: Course, steps: int) -> list[str]:
    if not its.rises:
        return ["falls from the first step on, and for ever under the update that is held"]
    held = (
        f"is back at its start after {number(its.turns)} steps"
        if its.turns < np.inf
        else "never turns"
    )
    back = (
        f"of the run falls below its start in step {its.run_turns}"
        if its.run_turns is not None
        else f"of the run is above its start in all {steps} steps"
        if (its.run[1:] > 0).all()
        else "of the run was never above its start"
    )
    low, high = (float(end) for end in its.surely)
    sure = f"not before {number(low)}"
    if high < np.inf:
        sure = f"between {number(low)} and {number(high)}"
    return [
        f"{held} under the update that is held",
        f"is back after {number(its.turns_second)} to second order; surely {sure}",
        back,
    ]


def _ends(its: Course) -> tuple[float, float, float, float]:
    first, second, exact, run = (
        float(part[-1]) for part in (its.first, its.second, its.exact, its.run)
    )
    return first, second, exact, run


def _finite(value: float) -> float | None:
    return value if value < np.inf else None
