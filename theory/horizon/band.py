r"""The band after many steps: second order in their number, for any model and any metric.

An update :math:`v` is made t times. A log-probability with score s then changes by

.. math:: t\langle s,v\rangle + \tfrac12t^2\,v^\top\nabla^2\log\pi\,v + \dots

so its slope decides at first and its curvature in the end. Where they differ in sign the change is
back at zero at :math:`t^* = 2|\text{slope}|/|\text{curvature}|`, after a peak at half of it.
For :math:`t\to0` this is the disentanglement band.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..first_order import first_order
from ..gram import Gram

Array = NDArray[np.float64]


class Curvatures(NamedTuple):
    r"""Second derivatives of both log-probabilities along both scores, ``(...)`` each.

    Args:
        w_ww: :math:`a^\top\nabla^2\log\pi_w\,a`.
        w_wl: :math:`a^\top\nabla^2\log\pi_w\,b`.
        w_ll: :math:`b^\top\nabla^2\log\pi_w\,b`.
        l_ww: :math:`a^\top\nabla^2\log\pi_l\,a`.
        l_wl: :math:`a^\top\nabla^2\log\pi_l\,b`.
        l_ll: :math:`b^\top\nabla^2\log\pi_l\,b`.

    In another metric a stands for Pa and b for Pb. Numbers, arrays or sympy expressions.
    """

    w_ww: Any
    w_wl: Any
    w_ll: Any
    l_ww: Any
    l_wl: Any
    l_ll: Any

    def along(self, d_w: Any, d_l: Any) -> tuple[Any, Any]:
        r"""Return both curvatures along :math:`d_wa - d_lb`."""
        return (
            d_w**2 * self.w_ww - 2 * d_w * d_l * self.w_wl + d_l**2 * self.w_ll,
            d_w**2 * self.l_ww - 2 * d_w * d_l * self.l_wl + d_l**2 * self.l_ll,
        )


class HorizonBand(NamedTuple):
    """The ratios ``d_w / d_l`` that do well after many steps, ``(...)`` each.

    Args:
        up_from: The chosen is not down for ratios from this …
        up_to: … to this; for none where it is the smaller one.
        rises_from: The rejected is up for ratios above this …
        rises_to: … and below this; for none where it is not the larger one.
    """

    up_from: Array
    up_to: Array
    rises_from: Array
    rises_to: Array

    def allows(self, ratio: Any) -> NDArray[np.bool_]:
        """Whether at this ratio the chosen is not down and the rejected not up; never at NaN."""
        up = (ratio >= self.up_from) & (ratio <= self.up_to)
        rises = (ratio > self.rises_from) & (ratio < self.rises_to)
        unknown = np.isnan(self.up_from) | np.isnan(self.rises_from)
        return np.asarray(up & ~rises & ~unknown & (ratio > 0) & (ratio < np.inf))


def change(slope: Any, curvature: Any, t: Any) -> Any:
    r"""Return the change after t steps to second order, :math:`tD + \frac12t^2\kappa`, nats.

    Works on numbers, arrays, tensors and symbols; shapes broadcast.
    """
    return t * slope + t**2 * curvature / 2


def turning_time(slope: Any, curvature: Any) -> Array:
    r"""Return how long a change keeps its first sign, to second order.

    :math:`t^* = 2|D|/|\kappa|` where slope and curvature differ in sign: there the change is back
    at zero, after a peak of :math:`D^2/2|\kappa|` at half of it. Infinite where both go one way,
    zero where only the curvature is not. Shapes broadcast; NaN where one is.

    Source: this project, ``disband.horizon.chosen``.
    """
    slope, curvature = np.broadcast_arrays(np.asarray(slope, float), np.asarray(curvature, float))
    turns = (np.sign(slope) != np.sign(curvature)) & (curvature != 0)
    with np.errstate(over="ignore"):
        time = np.divide(
            2 * np.abs(slope), np.abs(curvature), out=np.full(slope.shape, np.inf), where=turns
        )
    return np.where(np.isnan(slope) | np.isnan(curvature), np.nan, time)


def horizon_changes(
    d_w: Any, d_l: Any, gram: Gram, curvatures: Curvatures, t: Any
) -> tuple[Any, Any]:
    r"""Return both changes after t steps along :math:`d_wa - d_lb`, to second order.

    Args:
        d_w: Incentive on the chosen response, of any sign.
        d_l: Incentive on the rejected one.
        gram: Score products, in the metric of the step.
        curvatures: Of both responses, in the same metric.
        t: Steps times step size.

    Shapes broadcast; numbers, arrays or symbols. :func:`disband.theory.band.case_of` says which
    case it is.
    """
    slopes = first_order(d_w, d_l, gram)
    bends = curvatures.along(d_w, d_l)
    change_w, change_l = (change(*both, t) for both in zip(slopes, bends, strict=True))
    return change_w, change_l


def horizon_band(gram: Gram, curvatures: Curvatures, t: Any) -> HorizonBand:
    r"""Return which ratios of incentives still do well after t steps, to second order.

    With :math:`r = d_w/d_l` and t counted in units of :math:`1/(\eta d_l)` the chosen is not down
    and the rejected not up iff

    .. math::
        (rA - X) + \tfrac t2(r^2W_{ww} - 2rW_{wl} + W_{ll}) \ge 0, \qquad
        (rX - B) + \tfrac t2(r^2L_{ww} - 2rL_{wl} + L_{ll}) \le 0

    Where curvatures are not positive, as in every log-linear model, the first is one interval
    that shrinks with t, and the second leaves one out that shrinks as well.

    Args:
        gram: A, B, X, ``(...)`` each.
        curvatures: W and L, ``(...)`` each; the squares, ``ww`` and ``ll``, at most zero.
        t: :math:`T\eta d_l` for T steps, at least zero, ``(...)``.

    Raises:
        ValueError: t is negative or NaN, or a curvature along one score is positive.

    Source: this project, ``disband.horizon.interval`` and ``disband.horizon.nested``.
    """
    t = np.asarray(t, float)
    if not np.all((t >= 0) & (t < np.inf)):
        raise ValueError(
            f"a horizon is finite and at least zero: got {t}; give steps × step size × d_l"
        )
    half = Curvatures(*(t * np.asarray(part, float) / 2 for part in curvatures))
    if np.any(np.stack(np.broadcast_arrays(half.w_ww, half.w_ll, half.l_ww, half.l_ll)) > 0):
        raise ValueError(
            "the ratios that do well are an interval where the curvature along each score is at "
            "most zero: got a positive one; use horizon_changes at the ratios you have"
        )
    up = _where_positive(half.w_ww, gram.sq_w - 2 * half.w_wl, half.w_ll - gram.dot)
    rises = _where_positive(half.l_ww, gram.dot - 2 * half.l_wl, half.l_ll - gram.sq_l)
    return HorizonBand(*up, *rises)


def _where_positive(square: Any, linear: Any, constant: Any) -> tuple[Array, Array]:
    r"""Return between which r ≥ 0 :math:`qr^2 + mr + c \ge 0` for q ≤ 0; from ∞ to 0 if nowhere."""
    q, m, c = np.broadcast_arrays(*(np.asarray(v, float) for v in (square, linear, constant)))
    with np.errstate(all="ignore"):
        root = np.sqrt(m**2 - 4 * q * c)  # NaN: nowhere
        far = -(m + np.where(m >= 0, root, -root)) / 2
        one, other = far / q, c / far
        one, other = np.where(far == 0, 0.0, one), np.where(far == 0, 0.0, other)
        low = np.where(q < 0, np.minimum(one, other), np.where(m > 0, -c / m, -np.inf))
        high = np.where(q < 0, np.maximum(one, other), np.where(m < 0, -c / m, np.inf))
    nowhere = (high < 0) | np.where(q < 0, np.isnan(root), (m == 0) & (c < 0))
    low, high = np.where(nowhere, np.inf, np.maximum(low, 0.0)), np.where(nowhere, 0.0, high)
    unknown = np.isnan(q) | np.isnan(m) | np.isnan(c)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
