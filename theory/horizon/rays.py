r"""Log-linear models exactly: one response along an update that is made again and again.

Where every logit moves linearly a response is a list of softmax rows. Row :math:`s` emits token j,
its logits move by :math:`u` a step, and after t steps its log-probability has changed by

.. math:: f(t) = t u_j - \log\sum_k s_k e^{tu_k}

Its curvature is minus the variance of u under the row as it then is: f is concave, for every
update, in every metric. It ends rising only if no token moves more than the one emitted.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..band import Band
from ..models.toys import row_change, row_slope

Array = NDArray[np.float64]
_SMALL = 1e-2  # below, the closed form of the remainder cancels
_DOUBLINGS, _HALVINGS = 1000, 120


class Bounds(NamedTuple):
    """Between which two numbers something lies, ``(...)`` each."""

    low: Array
    high: Array


class Ray(NamedTuple):
    """What one response goes through, step after step; ``...`` is any batch shape.

    Args:
        rows: The softmax row of each token that it emits, at the start, ``(..., n, V)``.
        moves: How the row's logits move in one step, the same shape.
        tokens: What is emitted, ``(..., n)``.
    """

    rows: Any
    moves: Any
    tokens: Any

    @property
    def slope(self) -> Any:
        """First-order change in one step, ``(...)`` nats; of any numbers."""
        return row_slope(self.rows, self.moves, self.tokens).sum(-1)

    @property
    def curvature(self) -> Any:
        r"""Second derivative at the start, :math:`-\sum\mathrm{Var}_s(u)`, ``(...)``."""
        rows, moves = np.broadcast_arrays(self.rows, self.moves)
        mean = (rows * moves).sum(-1)[..., None]
        return -(rows * (moves - mean) ** 2).sum(-1).sum(-1)

    @property
    def spread(self) -> Array:
        """The widest range of one row's moves, over tokens that are possible, ``(...)``."""
        rows, moves = np.broadcast_arrays(self.rows, np.asarray(self.moves, float))
        most, least = (
            np.where(rows > 0, moves, worst).max(-1) if worst < 0
            else np.where(rows > 0, moves, worst).min(-1)
            for worst in (-np.inf, np.inf)
        )  # fmt: skip
        return np.asarray((most - least).max(-1))

    @property
    def final_slope(self) -> Array:
        r"""Change in one step after ever so many, :math:`\sum(u_j - \max_k u_k)`; at most zero."""
        rows, moves = np.broadcast_arrays(self.rows, np.asarray(self.moves, float))
        most = np.where(rows > 0, moves, -np.inf).max(-1)
        token = np.broadcast_to(np.asarray(self.tokens), most.shape)[..., None]
        return np.asarray((np.take_along_axis(moves, token, -1)[..., 0] - most).sum(-1))

    def change(self, t: Any) -> Array:
        """Exact change after t steps, nats; t broadcasts with ``(...)``."""
        return np.asarray(row_change(np.asarray(t, float)[..., None], *self).sum(-1))

    def bounds(self, t: Any) -> Bounds:
        r"""Return between what the exact change lies, of slope, curvature and spread alone.

        With :math:`V` the variance at the start and :math:`R` the spread,

        .. math:: tD - V\frac{e^{Rt}-1-Rt}{R^2} \le f(t) \le tD - V\frac{e^{-Rt}-1+Rt}{R^2}

        Source: this project, ``disband.horizon.third-moment``: the variance changes by a share
        of at most R a step.
        """
        t = np.asarray(t, float)
        x, bend = self.spread * t, self.curvature * t**2
        return Bounds(t * self.slope + bend * _rest(x), t * self.slope + bend * _rest(-x))

    def turning_time(self) -> Array:
        """Return until when the exact change is positive: 0 if never, infinite if for ever.

        Concave and zero at zero, it is positive before and negative after.
        """
        slope, last = np.asarray(self.slope, float), self.final_slope
        with np.errstate(all="ignore"):
            high = np.where(slope > 0, -2 * slope / self.curvature, 1.0)
            high = np.where(np.isfinite(high) & (high > 0), high, 1.0)
            turns = (slope > 0) & (last < 0)
            for _ in range(_DOUBLINGS):
                rising = turns & (self.change(high) > 0)
                if not rising.any():
                    break
                high = np.where(rising, 2 * high, high)
            low = np.zeros_like(high)
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                up = self.change(middle) > 0
                low, high = np.where(up, middle, low), np.where(up, high, middle)
        return np.where(slope > 0, np.where(last < 0, (low + high) / 2, np.inf), 0.0)


def turning_bounds(slope: Any, curvature: Any, spread: Any) -> Bounds:
    r"""Return the earliest and the latest step at which a rise is surely undone.

    They are where the two bounds of :meth:`Ray.bounds` are zero: with :math:`c = DR/V` and
    :math:`y = Rt`, :math:`(1+c)y = e^y - 1` and :math:`(1-c)y = 1 - e^{-y}`. Where
    :math:`DR \ge V` nothing is sure: the latest is infinite. Both are zero where the slope is not
    positive. Shapes broadcast.

    Args:
        slope: D, of a log-linear model.
        curvature: Minus V, at most zero.
        spread: R, at least zero.

    Raises:
        ValueError: A curvature above zero or a spread below it.
    """
    slope, curvature, spread = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (slope, curvature, spread))
    )
    if np.any(curvature > 0) or np.any(spread < 0):
        raise ValueError(
            "a log-linear model has curvatures of at most zero and spreads of at least zero: got "
            f"{curvature} and {spread}; give those of a Ray"
        )
    up, bends = slope > 0, curvature < 0
    with np.errstate(all="ignore"):
        c = np.where(up & bends, slope * spread / -curvature, 0.0)
        sure = c < 1
        early = _root(c, 0 * c, 2 * c, 1)
        late = _root(c, 2 * c, np.where(c < 0.5, 4 * c, 1 / (1 - np.where(sure, c, 0.0))), -1)
        low, high = early / spread, np.where(sure, late / spread, np.inf)
    low, high = (np.where(bends, end, np.inf) for end in (low, high))
    return Bounds(np.where(up, low, 0.0), np.where(up, high, 0.0))


def _root(c: Array, low: Array, high: Array, sign: int) -> Array:
    """Return y between ``low`` and ``high`` with y·rest(±y) = c, which rises in y."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = middle * _rest(sign * middle) < c
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def lasting_band(moves_w: Any, moves_l: Any, tokens: Any, possible: Any = True) -> Band:  # noqa: FBT002
    r"""Return the ratios of incentives at which one response never turns down, however long.

    Along :math:`ra - b` the logits move by :math:`r\alpha - \beta`; the response rises for ever
    iff in each row the emitted token moves most, :math:`r(\alpha_j-\alpha_k) \ge
    \beta_j-\beta_k`: one interval of r, from infinity to zero where there is none. Of the
    rejected, it is where it does *not* end falling.

    Args:
        moves_w: :math:`\alpha`, moves of each row's logits along a, ``(..., n, V)``.
        moves_l: :math:`\beta`, the same along b.
        tokens: What is emitted, ``(..., n)``.
        possible: Which tokens have a probability, ``(..., n, V)``; all by default.

    Source: this project, ``disband.horizon.lasting`` and ``disband.horizon.outrun``.
    """
    alpha, beta, possible = np.broadcast_arrays(
        np.asarray(moves_w, float), np.asarray(moves_l, float), possible
    )
    index = np.broadcast_to(np.asarray(tokens)[..., None], (*alpha.shape[:-1], 1))
    pull, push = (np.take_along_axis(moves, index, -1) - moves for moves in (alpha, beta))
    with np.errstate(all="ignore"):
        edge = push / pull
    low = np.where(possible & (pull > 0), edge, 0.0).max((-1, -2))
    high = np.where(possible & (pull < 0), edge, np.inf).min((-1, -2))
    never = (possible & (pull == 0) & (push > 0)).any((-1, -2)) | (high < 0) | (low > high)
    return Band(
        np.asarray(np.where(never, np.inf, np.maximum(low, 0.0))),
        np.asarray(np.where(never, 0.0, high)),
    )


def _rest(x: Array) -> Array:
    r"""Return :math:`(e^x - 1 - x)/x^2`, which is a half at zero."""
    small = np.abs(x) < _SMALL
    wide = np.where(small, 1.0, x)
    series = 0.5 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x / 720)))
    with np.errstate(over="ignore"):
        return np.where(small, series, (np.expm1(wide) - wide) / wide**2)
