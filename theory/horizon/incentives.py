r"""Scores frozen, incentives alive: the path of one pair as an ordinary differential equation.

.. math:: \dot z_w = d_wA - d_lX, \qquad \dot z_l = d_wX - d_lB

with z the log-probabilities over the reference and t steps times step size. Frozen scores never
bend anything; what turns a response here are its incentives. :math:`Q = \|a-b\|^2 = A - 2X + B` is
the speed of the margin per unit of incentive.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..gram import Gram

Array = NDArray[np.float64]


class Rest(NamedTuple):
    """Where a pair comes to rest, ``(...)`` each; NaN where it does not.

    Args:
        level: The log-ratio that stands still at the end: of CPO the margin, of DDRO the rejected.
        speed: What moves on for ever, per unit of t: of CPO both responses, of DDRO the chosen.
    """

    level: Array
    speed: Array


def distance(gram: Gram) -> Any:
    r"""Return :math:`Q = \|a-b\|^2`."""
    return gram.sq_w - 2 * gram.dot + gram.sq_l


def dpo_margin(t: Any, gram: Gram, beta: float) -> Array:
    r"""Return DPO's reward margin over β after t, from zero: :math:`m = z_w - z_l`, nats.

    :math:`e^{\beta m} + \beta m = 1 + \beta^2Qt`. The chosen has changed by
    :math:`m(A-X)/Q`, the rejected by :math:`m(X-B)/Q`: neither ever turns.

    Source: this project, ``disband.horizon.incentives.dpo``.
    """
    from scipy.special import wrightomega

    power = 1 + beta**2 * np.asarray(distance(gram), float) * np.asarray(t, float)
    return np.asarray((power - wrightomega(power)) / beta)


def ipo_margin(t: Any, gram: Gram, beta: float) -> Array:
    r"""Return IPO's margin after t, from zero: :math:`\frac{1}{2\beta}(1 - e^{-2Qt})`, nats.

    It ends at :math:`1/2\beta`, the chosen at :math:`(A-X)/(2\beta Q)`.

    Source: this project, ``disband.horizon.incentives.ipo``.
    """
    return np.asarray(-np.expm1(-2 * np.asarray(distance(gram), float) * t) / (2 * beta))


def ipo_rest(products: Any, beta: float) -> Array:
    r"""Return where IPO brings the 2n log-probabilities of a batch, chosen first, ``(..., 2n)``.

    All n margins end at :math:`1/2\beta`: with :math:`D = (I, -I)` and K the products the end is
    :math:`KD^\top(DKD^\top)^{-1}\mathbf 1/2\beta`. A chosen may end below its start although every
    chosen rises at first.

    Args:
        products: K, ``(..., 2n, 2n)``, chosen scores first.
        beta: IPO's, its τ.

    Raises:
        ValueError: The margins depend on one another, so that not all can be reached.

    Source: this project, ``disband.horizon.incentives.batch-ends-below``.
    """
    products = np.asarray(products, float)
    n = products.shape[-1] // 2
    apart = products[..., :n] - products[..., n:]
    margins = apart[..., :n, :] - apart[..., n:, :]
    if np.any(np.linalg.matrix_rank(margins, hermitian=True) < n):
        raise ValueError(
            f"{n} margins all reach their target where the differences a − b are independent: got "
            "products of dependent ones; leave out a pair"
        )
    pushes = np.linalg.solve(margins, np.full((*margins.shape[:-1], 1), 1 / (2 * beta)))
    return np.asarray((apart @ pushes)[..., 0])


def cpo_rest(gram: Gram, beta: float, lam: float) -> Rest:
    r"""Return CPO's margin at rest, and how fast both log-probabilities then rise together.

    :math:`\sigma(-\beta m) = \lambda(X-A)/(\beta Q)` where that lies between 0 and 1, which takes
    :math:`X > A`; both then move at :math:`\lambda(AB-X^2)/Q \ge 0`. NaN where the margin grows
    for ever.

    Source: this project, ``disband.horizon.incentives.cpo``.
    """
    sq_w, sq_l, dot = (np.asarray(v, float) for v in (gram.sq_w, gram.sq_l, gram.dot))
    gap = distance(gram)
    share = lam * (dot - sq_w) / (beta * gap)
    rests = (share > 0) & (share < 1)
    share = np.where(rests, share, 0.5)
    level, speed = (np.log1p(-share) - np.log(share)) / beta, lam * (sq_w * sq_l - dot**2) / gap
    return Rest(np.where(rests, level, np.nan), np.where(rests, speed, np.nan))


def ddro_rest(gram: Gram) -> Rest:
    r"""Return where DDRO's rejected comes to rest, and how fast the chosen then rises.

    :math:`d_l = X/B`, so the rejected rests at :math:`\log\frac{2X}{B+X}` over its reference for
    :math:`X > 0`, and the chosen rises at :math:`(AB-X^2)/B \ge 0`, however it began.

    Source: this project, ``disband.horizon.incentives.ddro``.
    """
    sq_w, sq_l, dot = (np.asarray(v, float) for v in (gram.sq_w, gram.sq_l, gram.dot))
    rests = dot > 0
    dot = np.where(rests, dot, 1.0)
    level, speed = np.log(2 * dot / (sq_l + dot)), sq_w - dot**2 / sq_l
    return Rest(np.where(rests, level, np.nan), np.where(rests, speed, np.nan))


def bce_floor(gram: Gram) -> Array:
    r"""Return how far BCE's chosen can fall below its reference, at most zero, nats.

    While the rejected is below its reference too, the chosen no longer falls once
    :math:`\sigma(-z_w) \ge X/2A`: at :math:`-\log\frac{X}{2A-X}` for :math:`A < X < 2A`. Zero
    for :math:`X \le A`, minus infinity for :math:`X \ge 2A`.

    Source: this project, ``disband.horizon.incentives.bce``.
    """
    sq_w, dot = np.asarray(gram.sq_w, float), np.asarray(gram.dot, float)
    with np.errstate(divide="ignore"):
        floor = np.log(np.maximum(2 * sq_w - dot, 0.0)) - np.log(np.maximum(dot, sq_w))
    return np.asarray(np.minimum(floor, 0.0))
