r"""Maps of outcomes: what training made of toy problems over where they start and how they step.

Two of the four axes at a time: the cosine of the scores with their norm ratio, with the step size,
or with the horizon, how many steps are made; the rest is fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.kernels.compiled import HasKernels

from .entry import Start
from .outcomes import outcomes
from .two_tokens import one_pair

Array = NDArray[np.float64]

NORM_RATIO, STEP_SIZE, HORIZON = "norm ratio", "step size", "horizon"
STEPS = 20
LR = 10.0


@dataclass(frozen=True)
class OutcomeMap:
    """Outcomes over two axes.

    Args:
        cosine: Values of the cosine at the start, ``(m,)``, rising.
        other: Values of the other axis, ``(k,)``, rising: norm ratios, step sizes, steps made.
        case: Case of each whole run, or ``sims.surveys.outcomes.LOST``, ``(k, m)``.
        wrong: Share of each run's steps in which the chosen fell or the rejected rose, counted
            apart and added, ``(k, m)``.
        margin: Margin gained, nats, ``(k, m)``.
        inside: Whether the first step is in the band, ``(k, m)``.
    """

    cosine: Array
    other: Array
    case: NDArray[np.int8]
    wrong: Array
    margin: Array
    inside: NDArray[np.bool_]


def outcome_map(
    objective: HasKernels,
    method: str,
    axis: str,
    *,
    points: int = 121,
    norm_ratio: float = 1.6,
    margin: float = 0.0,
    lr: float = LR,
    steps: int = STEPS,
    hyper: Mapping[str, float] | None = None,
) -> OutcomeMap:
    """Return the map of an objective with a method, over cosines and another axis.

    Args:
        objective: The objective.
        method: What is done to the incentives, by its name in ``sims.methods.treatments``.
        axis: ``norm ratio``, ``step size`` or ``horizon``.
        points: Values on each axis.
        norm_ratio: Where the axis is another.
        margin: At the start, nats; the reference has none.
        lr: Step size where the axis is another.
        steps: Steps of each run; over the horizon from one to thirty times as many.
        hyper: Hyperparameters by name.

    Raises:
        ValueError: There is no such axis or method.
    """
    cosine = np.linspace(-0.2, 1.0, points)
    if axis == NORM_RATIO:
        other: Any = np.exp(np.linspace(-1.75, 1.75, points))
        start, rate = Start(margin, other[:, None], cosine), np.asarray(lr)
    elif axis == STEP_SIZE:
        other = np.geomspace(lr / 30, lr * 30, points)
        start, rate = Start(margin, np.full((points, 1), norm_ratio), cosine), other[:, None]
    elif axis == HORIZON:
        counts = np.unique(np.geomspace(1, 30 * steps, points).round().astype(int))
        start, rate = Start(margin, np.full(points, norm_ratio), cosine), np.asarray(lr)
        runs = [_whole(objective, start, rate, int(n), method, hyper) for n in counts]
        parts = (np.stack(part) for part in zip(*runs, strict=True))
        return OutcomeMap(cosine, counts.astype(float), *parts)
    else:
        raise ValueError(
            f"an axis is {NORM_RATIO}, {STEP_SIZE} or {HORIZON}: got {axis!r}; choose one"
        )
    return OutcomeMap(cosine, other, *_whole(objective, start, rate, steps, method, hyper))


def _whole(
    objective: HasKernels,
    start: Start,
    rate: Array,
    steps: int,
    method: str,
    hyper: Mapping[str, float] | None,
) -> tuple[NDArray[np.int8], Array, Array, NDArray[np.bool_]]:
    """Return case, share of wrong steps, margin and whether the first step is in the band."""
    surveyed = outcomes(
        objective, one_pair(start), lr=rate, steps=steps, method=method, hyper=hyper
    )
    pair = surveyed.at(0)
    return pair.case, pair.fell + pair.rose, pair.margin, pair.inside_first
