r"""Phase portraits on the simplex of three responses: chosen, rejected, and one in no pair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram
from disband.theory.models.bilevel import metric
from disband.theory.models.evolution import basin_edge, flow

from ..methods.calibrate import METHODS
from .evolution import tabular
from .misallocation import (
    CALIBRATED,
    EXACT,
    PLAIN,
    REFERENCE_FREE,
    RUNNERS,
    TARGET,
    RunSettings,
)

Array = NDArray[np.float64]

STARTS = np.array(
    [
        [0.01, 0.90, 0.09],
        [0.02, 0.78, 0.20],
        [0.02, 0.95, 0.03],
        [0.05, 0.55, 0.40],
        [0.25, 0.52, 0.23],
        [0.03, 0.30, 0.67],
        [0.30, 0.35, 0.35],
        [0.15, 0.10, 0.75],
        [0.02, 0.06, 0.92],
        [0.50, 0.20, 0.30],
    ]
)
# Small steps: a path is then the curve of the flow, to the eye.
COURSE = RunSettings(lr=4.0, steps=100)
# A ratio of incentives below one half, where an irrelevant response has a basin of its own.
LOW_RATIO = 0.25
_FINE = 60


@dataclass(frozen=True, eq=False)
class Portrait:
    """What one method does to rows of three responses.

    Args:
        name: The method.
        paths: Probabilities along training from each start, ``(T + 1, starts, 3)``.
        rows: A grid over the simplex, ``(points, 3)``.
        gain: Velocity of the irrelevant response at the start of training there, ``(points,)``.
        separatrix: The edge between two basins, ``(points, 3)``; empty where there is one basin.
    """

    name: str
    paths: Array
    rows: Array
    gain: Array
    separatrix: Array


def portraits() -> list[Portrait]:
    """Return the portraits of DPO, IPO, SimPO, calibrated DPO and SPO, and of a low ratio."""
    names = (PLAIN, TARGET, REFERENCE_FREE, CALIBRATED, EXACT)
    return [*(_trained(name) for name in names), constant_ratio(LOW_RATIO)]


def grid(fine: int = _FINE) -> Array:
    """Rows of three probabilities, none of them zero, ``(points, 3)``."""
    i, j = np.mgrid[1:fine, 1:fine]
    inside = i + j < fine
    return np.stack([i[inside], j[inside], (fine - i - j)[inside]], -1) / fine


def _trained(name: str) -> Portrait:
    world = tabular(STARTS[:, None, :])
    paths = np.exp(RUNNERS[name](world, COURSE))[:, :, 0]
    rows = grid()
    return Portrait(name, paths, rows, _gain(name, rows), np.empty((0, 3)))


def _gain(name: str, rows: Array) -> Array:
    """Velocity of the irrelevant response at the reference, per unit of DPO's incentive."""
    up, down = np.eye(3)[0] - rows, np.eye(3)[1] - rows
    equal = np.ones(len(rows))
    if name == CALIBRATED:
        d_w, d_l = METHODS["reward calibration"](equal, equal, Gram.of_scores(up, down))
        return flow(rows, d_w, d_l)[:, 2]
    if name != EXACT:
        return flow(rows, 1.0, 1.0)[:, 2]
    hessian = np.apply_along_axis(np.diag, 1, rows) - rows[:, :, None] * rows[:, None, :]
    pull = 1 + COURSE.weight / (COURSE.beta / 2)
    logits = metric(hessian, COURSE.strength) @ (pull * up - down)[..., None]
    moved = logits[..., 0]
    return np.asarray(rows[:, 2] * (moved[:, 2] - (rows * moved).sum(-1)))


def constant_ratio(ratio: float, *, step: float = 0.05, steps: int = 1200) -> Portrait:
    r"""Return the portrait of incentives with a constant ratio, :math:`d_l = 1`.

    For a ratio below one half its separatrix is the stable curve of the fixed point on the edge
    where the rejected is gone, followed backwards.

    Raises:
        ValueError: A ratio outside (0, 1/2).
    """
    if not 0 < ratio < 0.5:
        raise ValueError(
            f"two basins need a ratio of incentives between 0 and 1/2: got {ratio}; set 0.25, say"
        )
    paths = [STARTS]
    for _ in range(steps):
        paths.append(stepped(paths[-1], ratio, step))
    share = float(basin_edge(ratio))
    small = 1e-6
    back = [np.array([[1 - share, small, share - small]])]
    for _ in range(steps):
        back.append(stepped(back[-1], ratio, -step))
    rows = grid()
    return Portrait(
        f"ratio {ratio:g}",
        np.stack(paths),
        rows,
        flow(rows, ratio, 1.0)[:, 2],
        np.stack(back)[:, 0],
    )


def stepped(rows: Array, ratio: float, step: float) -> Array:
    """One step of Heun's method along the flow, in logits, so that no row leaves the simplex."""

    def slope(p: Array) -> Array:
        return flow(p, ratio, 1.0) / p

    def moved(by: Array) -> Array:
        raised = rows * np.exp(by - by.max(-1, keepdims=True))
        return np.asarray(np.maximum(raised / raised.sum(-1, keepdims=True), 1e-12))

    first = slope(rows)
    return moved(step / 2 * (first + slope(moved(step * first))))
