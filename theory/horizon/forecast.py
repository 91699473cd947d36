r"""What a run will do to every log-probability, from scores measured along a few other runs.

The weights' displacement :math:`\theta` is followed in the coordinates that a
:class:`~disband.theory.horizon.path.Path` keeps, update by update, by the optimizer's own rule.
With the anchors' displacements :math:`\theta_c`, log-probabilities :math:`z_c` and scores
:math:`J_c`,

.. math::
    z(\theta) = \sum_c w_c \left[z_c + \tfrac12 (J_c + \bar J)(\theta - \theta_c)\right], \qquad
    \bar J = \sum_c w_c J_c, \qquad w_c \propto \|\theta - \theta_c\|^{-4},

which is exact where log-probabilities are quadratic and the anchors' scores are those at
:math:`\theta`, and the first-order law where there is one anchor. Incentives are those of the
forecast log-probabilities.

Source: modified Shepard interpolation, as used for potential surfaces (Collins 2002).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from .path import Array, Order, Path, in_epochs, incentives

if TYPE_CHECKING:
    from ..objective import Objective

Vector = npt.NDArray[np.float32]

POWER = 4
LEAST = 1e-3  # weight of an anchor whose scores count in a gradient
DISAGREE = 0.5  # of a forecast by all anchors and one by every second, beside the larger change
FAR = 0.9  # of the displacement from the start: no nearer to any anchor


@dataclass(frozen=True)
class Trust:
    """How far a forecast can be trusted.

    Args:
        anchors: Difference between the mean change of the chosen by all anchors and by every
            second one, beside the larger of both.
        agree: Whether both have one sign.
        distance: How far the run ends from the nearest anchor, beside how far from the start.
    """

    anchors: float
    agree: bool
    distance: float


@dataclass(frozen=True, eq=False)
class Forecast:
    """A run as it was forecast.

    Args:
        logps: ``(steps + 1, responses)``, nats, responses as the path has them.
        frozen: The same by the scores of the start alone, which is first order.
        pairs: Trained pairs.
        trust: How far to trust it.
    """

    logps: Array
    frozen: Array
    pairs: int
    trust: Trust

    @property
    def chosen(self) -> Array:
        """Mean change of the trained chosen responses, ``(steps + 1,)``."""
        return self._mean(0)

    @property
    def rejected(self) -> Array:
        """Mean change of the trained rejected responses."""
        return self._mean(1)

    @property
    def held_chosen(self) -> Array | None:
        """Mean change of the held-out chosen responses, if there are some."""
        return self._mean(2) if self._held else None

    @property
    def held_rejected(self) -> Array | None:
        """Mean change of the held-out rejected responses, if there are some."""
        return self._mean(3) if self._held else None

    @cached_property
    def turning(self) -> tuple[int | None, int | None]:
        """The update after which the mean chosen falls, and that from which it is below its start.

        None for one that does not come within the forecast.
        """
        course = self.chosen
        top = int(np.argmax(course))
        above = np.flatnonzero(course >= 0)
        below = int(above[-1]) + 1
        last = len(course) - 1
        return (top if top < last else None), (below if below <= last else None)

    @property
    def advice(self) -> Literal["forecast", "run"]:
        """``run`` where this forecast is not to be relied on."""
        trust = self.trust
        poor = not trust.agree or trust.anchors > DISAGREE or trust.distance > FAR
        return "run" if poor else "forecast"

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        trust = self.trust
        said = (
            f"all anchors and every second one differ by {trust.anchors:.0%} in the mean change of "
            f"the chosen, and the run ends at {trust.distance:.0%} of its way from the nearest "
            "anchor"
        )
        if self.advice == "run":
            return f"{said}: run it (disband.lm.horizon.run.follow)"
        return said

    @property
    def _held(self) -> int:
        return int(self.logps.shape[1] // 2 - self.pairs)

    def _mean(self, part: int) -> Array:
        n, held = self.pairs, self._held
        ends = np.cumsum([0, n, n, held, held])
        change = (
            self.logps[:, ends[part] : ends[part + 1]] - self.logps[0, ends[part] : ends[part + 1]]
        )
        mean: Array = change.mean(1)
        return mean


def forecast(
    path: Path,
    objective: "Objective",
    *,
    rate: float | None = None,
    steps: int | None = None,
    order: Order | None = None,
    seed: int = 0,
    **hyper: float,
) -> Forecast:
    """Forecast a run of any objective, rate and order from the model's measured path.

    Args:
        path: From ``disband.lm.horizon.path.measure_path``.
        objective: What the run would minimise.
        rate: Learning rate; the path's, if not given.
        steps: Updates; the path's, if not given.
        order: The pairs of every update; shuffled epochs, if not given.
        seed: Of these.
        hyper: Hyperparameters of the objective that differ from its defaults.

    Raises:
        ValueError: For a rate or a number of steps that is not positive, and for an order that has
            fewer updates than that, or pairs that the path has not measured.
    """
    steps = int(path.setting.updates) if steps is None else steps
    rate = path.setting.rate if rate is None else rate
    if steps < 1 or not 0 < rate < float("inf"):
        raise ValueError(
            f"steps and rate must be positive and finite, and are {steps} and {rate:g}: give those "
            "of the run"
        )
    if order is None:
        order = in_epochs(path.pairs, int(path.setting.batch), steps, seed)
    elif len(order) < steps:
        raise ValueError(
            f"an order must have the pairs of every update, and has {len(order)} of {steps}: give "
            f"them all, or steps={len(order)}"
        )
    if any(np.size(rows) == 0 or np.min(rows) < 0 or np.max(rows) >= path.pairs for rows in order):
        raise ValueError(
            f"an update must have pairs from 0 to {path.pairs - 1}, the trained ones of the path: "
            "measure a path on the pairs of the run"
        )

    def run(keep: npt.NDArray[np.bool_]) -> tuple[Array, float]:
        return _simulated(path.thinned(keep), objective, rate, order[:steps], hyper)

    everywhere = np.ones(len(path.steps), bool)
    logps, distance = run(everywhere)
    fewer = run(_every_second(path.branches))[0]
    frozen = run(~everywhere)[0]
    ends = [float((one[-1] - one[0])[: path.pairs].mean()) for one in (logps, fewer)]
    largest = max(map(abs, ends))
    apart = abs(ends[0] - ends[1]) / largest if largest else 0.0
    trust = Trust(apart, ends[0] * ends[1] >= 0, distance)
    return Forecast(logps, frozen, path.pairs, trust)


def _every_second(branches: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Every second anchor of each branch, its last one included."""
    keep = np.zeros(len(branches), bool)
    for branch in np.unique(branches):
        own = np.flatnonzero(branches == branch)
        keep[own[::-1][::2]] = True
    return keep


class _Surface:
    """Log-probabilities and scores as functions of the displacement, by the path's anchors."""

    def __init__(self, path: Path) -> None:
        self._path = path
        anchors, responses, size = path.scores.shape
        self._flat = path.scores.reshape(-1, size)
        self._shape = (anchors, responses)
        moved = self._flat @ (path.weights * path.moves).T
        self._moved = moved.reshape(anchors, responses, anchors).astype(float)
        self._own = np.stack([self._moved[c, :, c] for c in range(anchors)])
        self.near = np.zeros(anchors)
        self.distance = 0.0

    def at(self, move: Vector) -> Array:
        """Log-probabilities at a displacement, ``(responses,)``; its weights stay in ``near``."""
        path = self._path
        apart = (move - path.moves) ** 2 @ path.weights
        closest = float(apart.min())
        self.distance = float(np.sqrt(closest / max(apart[0], 1e-30)))
        near = (max(closest, 1e-30) / np.maximum(apart, 1e-30)) ** (POWER / 2)
        self.near = near / near.sum()
        slopes = (self._flat @ (path.weights * move)).reshape(self._shape).astype(float)
        from_anchor = slopes - self._own
        mean_slope = self.near @ slopes
        mean_moved = np.tensordot(self.near, self._moved, 1)
        across = mean_slope[:, None] - mean_moved
        value: Array = self.near @ (path.logps + from_anchor / 2) + across @ self.near / 2
        return value

    def gradient(self, rows: npt.NDArray[np.int64], push: Array) -> Vector:
        """The sum of the rows' scores times their push, at the last displacement."""
        used = np.flatnonzero(self.near > LEAST)
        share = (self.near[used] / self.near[used].sum()).astype(np.float32)
        pushed = push.astype(np.float32)
        total: Vector = sum(
            s * (pushed @ self._path.scores[c][rows]) for s, c in zip(share, used, strict=True)
        )
        return total


def _simulated(
    path: Path, objective: "Objective", rate: float, order: Order, hyper: dict[str, float]
) -> tuple[Array, float]:
    """Log-probabilities after every update, and how far from the anchors the last one is."""
    surface = _Surface(path)
    start, pairs = path.logps[0], path.pairs
    move = np.zeros_like(path.weights)
    optimizer = _Optimizer(path, rate)
    course = [surface.at(move)]
    for rows in order:
        now = course[-1][: 2 * pairs]
        d_w, d_l = incentives(objective, now, start[: 2 * pairs], path.lengths, rows, **hyper)
        push = np.concatenate([d_w, -d_l]) / len(rows)
        ascent = surface.gradient(np.concatenate([rows, pairs + rows]), push)
        move = move + optimizer.step(ascent)
        course.append(surface.at(move))
    return np.stack(course), surface.distance


class _Optimizer:
    """The optimizer's rule, on the coordinates that are kept."""

    def __init__(self, path: Path, rate: float) -> None:
        self._adaptive = path.optimizer in ("adam", "adamw")
        used = path.setting
        self._betas, self._epsilon = (used.first_beta, used.second_beta), used.epsilon
        self._rate = rate
        self._keep = used.momentum if path.optimizer == "momentum" else 0.0
        self._memory = np.zeros_like(path.weights)
        self._squares = np.zeros_like(path.weights)
        self._done = 0

    def step(self, ascent: Vector) -> Vector:
        """What is added to the weights for an ascent direction of the objective."""
        self._done += 1
        if not self._adaptive:
            self._memory = np.float32(self._keep) * self._memory + ascent
            heavy: Vector = np.float32(self._rate) * self._memory
            return heavy
        first, second = self._betas
        self._memory = np.float32(first) * self._memory + np.float32(1 - first) * ascent
        self._squares = np.float32(second) * self._squares + np.float32(1 - second) * ascent**2
        root = np.sqrt(self._squares / np.float32(1 - second**self._done))
        scale = np.float32(self._rate / (1 - first**self._done))
        adapted: Vector = scale * self._memory / (root + np.float32(self._epsilon))
        return adapted
