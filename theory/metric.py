r"""Bands of an optimizer with a metric and a memory.

A preconditioned step moves along :math:`P(d_wa - d_lb)`. All that the band says holds of it with
every product :math:`\langle x,y\rangle` replaced by :math:`\langle x,Py\rangle`: build the Gram
with :func:`metric_gram` and use :mod:`disband.theory.band` as it stands. With momentum the step
also moves along the memory of past gradients, and the band in :math:`\delta` changes its ends.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .band import calibration
from .gram import Gram

Array = NDArray[np.float64]


def metric_gram(a: Any, b: Any, metric: Any) -> Gram:
    r"""Gram of two scores in a diagonal metric, :math:`\langle x,Py\rangle = \sum_i p_ix_iy_i`.

    Args:
        a: Chosen scores, ``(..., parameters)``.
        b: Rejected scores, the same shape.
        metric: The diagonal of P, positive, ``(parameters,)``; of Adam,
            :math:`1/(\sqrt{\hat v} + \epsilon)` as the step finds it.
    """
    return Gram((metric * a * a).sum(-1), (metric * b * b).sum(-1), (metric * a * b).sum(-1))


class Forbidden(NamedTuple):
    """The open intervals of the factor δ > 0 in which one response goes the wrong way.

    Args:
        falls_from: The chosen falls for factors above this …
        falls_to: … and below this, shape ``(...)``; it never falls where both are equal.
        rises_from: The rejected rises for factors above this …
        rises_to: … and below this; it never rises where both are equal.
    """

    falls_from: Array
    falls_to: Array
    rises_from: Array
    rises_to: Array

    def allows(self, factor: Any) -> NDArray[np.bool_]:
        """Whether at this factor neither does: never at one that is NaN, zero or infinite."""
        fall = (factor > self.falls_from) & (factor < self.falls_to)
        rise = (factor > self.rises_from) & (factor < self.rises_to)
        unknown = np.isnan(self.falls_from) | np.isnan(self.rises_from)
        return np.asarray(~fall & ~rise & ~unknown & (factor > 0) & (factor < np.inf))


def momentum_band(d_w: Any, d_l: Any, gram: Gram, memory_w: Any, memory_l: Any) -> Forbidden:
    r"""Return which calibration factors a step with memory forbids.

    The step :math:`P(\delta d_wa - d_lb/\delta + \mu m)` changes the pair by

    .. math:: \delta d_wA - d_lX/\delta + M_w, \qquad \delta d_wX - d_lB/\delta + M_l

    For :math:`X > 0` the chosen falls below
    :math:`\frac{-M_w+\sqrt{M_w^2+4d_wd_lAX}}{2d_wA}` and the rejected rises above
    :math:`\frac{-M_l+\sqrt{M_l^2+4d_wd_lXB}}{2d_wX}`: what is left between is one interval, empty
    where the first exceeds the second. For :math:`X \le 0` each forbids one interval, possibly
    none: what is left may be in three pieces.

    Args:
        d_w: Incentive on the chosen response, positive.
        d_l: Incentive on the rejected one, positive.
        gram: A, B, X in the optimizer's metric.
        memory_w: :math:`M_w = \mu\langle a,Pm\rangle`, where the step adds :math:`\mu m`; in
            units of the gradient, :math:`\mu = \beta_1/(1-\beta_1)` for an average
            :math:`m \leftarrow \beta_1 m + (1-\beta_1)g`.
        memory_l: :math:`M_l = \mu\langle b,Pm\rangle`.

    All broadcast. NaN where an incentive is not positive.

    Source: this project, ``disband.momentum.chosen`` and ``disband.momentum.rejected``.
    """
    values = (d_w, d_l, gram.sq_w, gram.sq_l, gram.dot, memory_w, memory_l)
    d_w, d_l, sq_w, sq_l, dot, m_w, m_l = np.broadcast_arrays(
        *(np.asarray(v, float) for v in values)
    )
    falls_from, falls_to = _negative(d_w * sq_w, m_w, d_l * dot)
    # In ε = 1/δ the rejected's condition has the chosen's form, with the memory turned around.
    other_from, other_to = _negative(d_l * sq_l, -m_l, d_w * dot)
    with np.errstate(divide="ignore"):
        rises_from, rises_to = 1 / other_to, 1 / other_from
    known = (d_w > 0) & (d_l > 0)
    return Forbidden(
        *(np.where(known, v, np.nan) for v in (falls_from, falls_to, rises_from, rises_to))
    )


def momentum_factor(d_w: Any, d_l: Any, gram: Gram, memory_w: Any, memory_l: Any) -> Array:
    r"""Return the allowed factor that is nearest, in logs, to the centre of the metric.

    NaN where no factor is allowed, an incentive is not positive, or a norm is zero. Arguments as
    in :func:`momentum_band`.
    """
    forbidden = momentum_band(d_w, d_l, gram, memory_w, memory_l)
    centre = np.broadcast_to(calibration(d_w, d_l, gram), forbidden.falls_from.shape)
    nearest, distance = np.full(centre.shape, np.nan), np.full(centre.shape, np.inf)
    for factor in (centre, *forbidden):
        fine = forbidden.allows(factor) & (centre > 0)
        ratio = np.divide(factor, centre, out=np.ones_like(centre), where=fine)
        away = np.where(fine, np.abs(np.log(ratio)), np.inf)
        nearest = np.where(fine & (away < distance), factor, nearest)
        distance = np.minimum(away, distance)
    return nearest


def _negative(square: Array, linear: Array, constant: Array) -> tuple[Array, Array]:
    r"""Return where :math:`qx^2 + Mx - c < 0` for x > 0, with q ≥ 0, as an open interval.

    The two roots come from the sum that does not cancel. Where there is none, [1, 1].
    """
    with np.errstate(all="ignore"):
        discriminant = linear**2 + 4 * square * constant
        root = np.sqrt(np.maximum(discriminant, 0.0))
        down = np.where(linear >= 0, 2 * constant / (linear + root), (root - linear) / (2 * square))
        # For c ≤ 0 both roots have one sign, and M < 0 makes it the positive one.
        near = 2 * np.abs(constant) / (root + np.abs(linear))
    straight = square == 0
    one_sided, two_sided = constant > 0, (linear < 0) & (discriminant > 0)
    start = np.select([one_sided, two_sided], [0.0, near], 1.0)
    end = np.select(
        [one_sided & ~(straight & (linear <= 0)), one_sided, two_sided & ~straight, two_sided],
        [down, np.inf, down, np.inf],
        1.0,
    )
    unknown = np.isnan(square) | np.isnan(linear) | np.isnan(constant)
    return np.where(unknown, np.nan, start), np.where(unknown, np.nan, end)
