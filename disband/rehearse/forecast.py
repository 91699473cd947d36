"""What is forecast of the arms before any of them is trained, to stand beside what they did."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from disband.lm.horizon.path import measure_path
from disband.theory.horizon.forecast import Forecast, forecast
from disband.theory.horizon.path import Path
from disband.verify.kept.codec import decode, encode

from ..probe.inputs import Objectives
from .arms import LIKELIHOOD, Arm, objective_of
from .inputs import Rehearsal
from .training import Array, Arrays, Report, Task, on_device, order_of, read_same

POINTS = 24  # of a course, beside its start


class Foretold(TypedDict):
    """What is forecast of an arm's held-out pairs: mean changes in nats.

    Keys:
        chosen: At the end.
        first_order: The same with the scores of the start.
        trusted: Whether the forecast is to be leaned on …
        reason: … and why.
        curve: Updates, chosen and rejected, and both to first order.
    """

    chosen: float
    first_order: float
    trusted: bool
    reason: str
    curve: list[tuple[int, float, float, float, float]]


def is_forecast(asked: Rehearsal) -> bool:
    """Whether a rehearsal's updates are such as can be forecast: of one rate, and whole."""
    return asked.foretell and not asked.warmup and asked.schedule == "constant" and not asked.clip


def measured_path(task: Task, report: Report) -> Arrays:
    """The path that all arms are forecast from, as arrays."""
    probe = task.asked.probe
    loaded = read_same(task)
    sides = [on_device(loaded.model, loaded.tokenizer, p) for p in (task.training, task.held_out)]
    path = measure_path(
        loaded.model, *sides[0], held_out=sides[1], rule=task.asked.rule, steps=task.asked.steps,
        batch_size=probe.batch, seed=probe.seed, report=report,
    )  # fmt: skip
    return encode(path)


def forecasts(
    arrays: Arrays, arms: Sequence[Arm], named: Objectives, asked: Rehearsal
) -> Mapping[Arm, Foretold]:
    """The forecast of each arm that is an objective's own; scores decide the others' incentives."""
    path = decode(Path, arrays)
    order = [*order_of(path.pairs, asked.probe.batch, asked.steps, asked.probe.seed)]
    told = {}
    for arm in arms:
        if arm.remedy in ("", LIKELIHOOD):
            objective: Any
            settings: Any
            objective, settings = objective_of(arm, named)
            # A forecast of a run that runs away is not finite, and says not to lean on it.
            with np.errstate(over="ignore", invalid="ignore"):
                told[arm] = _foretold(forecast(path, objective, order=order, **settings))
    return told


def _foretold(of: Forecast) -> Foretold:
    frozen = of.frozen[:, 2 * of.pairs :] - of.frozen[0, 2 * of.pairs :]
    first_w, first_l = (side.mean(1) for side in np.split(frozen, 2, axis=1))
    chosen, rejected = _known(of.held_chosen), _known(of.held_rejected)
    last = len(chosen) - 1
    at = sorted({round(last * i / POINTS) for i in range(POINTS + 1)})
    courses = (chosen, rejected, first_w, first_l)
    return {
        "chosen": float(chosen[-1]),
        "first_order": float(first_w[-1]),
        "trusted": of.advice == "forecast",
        "reason": of.reason,
        "curve": [(i, *(float(course[i]) for course in courses)) for i in at],  # type: ignore[misc]
    }


def _known(course: Array | None) -> Array:
    if course is None:
        raise ValueError("a rehearsal holds pairs out: got a path without; measure it with them")
    return course
