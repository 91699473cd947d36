r"""Batches: what one common step does to many pairs, read off their score products alone.

A batch of n pairs has 2n scores :math:`a_1,…,a_n,b_1,…,b_n` and their products
:math:`K_{ij} = \langle s_i,s_j\rangle`, shape ``(..., 2n, 2n)``, chosen scores first. In another
metric the products are :math:`\langle s_i,Ps_j\rangle`, and nothing else changes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .band import Band

Array = NDArray[np.float64]


class MeanProducts(NamedTuple):
    r"""What the mean scores feel of the two halves of a step :math:`\delta G_w - G_l/\delta`.

    With :math:`G_w = \sum_i\omega_i d_{w,i}a_i`, :math:`G_l = \sum_i\omega_i d_{l,i}b_i` and the
    mean scores :math:`\bar a, \bar b`, shape ``(...)`` each; of any sign.

    Args:
        w_pull: :math:`\langle\bar a,G_w\rangle`.
        w_push: :math:`\langle\bar a,G_l\rangle`.
        l_pull: :math:`\langle\bar b,G_w\rangle`.
        l_push: :math:`\langle\bar b,G_l\rangle`.
    """

    w_pull: Any
    w_push: Any
    l_pull: Any
    l_push: Any

    def changes(self, factor: Any = 1) -> tuple[Any, Any]:
        r"""First-order changes of both mean log-probabilities, per unit of step size.

        .. math:: \delta\langle\bar a,G_w\rangle - \langle\bar a,G_l\rangle/\delta, \qquad
            \delta\langle\bar b,G_w\rangle - \langle\bar b,G_l\rangle/\delta
        """
        return (
            factor * self.w_pull - self.w_push / factor,
            factor * self.l_pull - self.l_push / factor,
        )


def mean_products(products: Any, d_w: Any, d_l: Any, weights: Any = None) -> MeanProducts:
    r"""Return the four products of mean scores and pulls.

    Args:
        products: K, ``(..., 2n, 2n)``, of floats or of exact numbers.
        d_w: Incentives on the chosen responses, ``(..., n)``.
        d_l: Incentives on the rejected ones, ``(..., n)``.
        weights: :math:`\omega_i`, ``(..., n)``; one n-th each if not given.

    Raises:
        ValueError: The products are no square of even size, or the incentives are not n.
    """
    products, d_w, d_l = np.asarray(products), np.asarray(d_w), np.asarray(d_l)
    n = _pairs(products, d_w, d_l)
    weights = np.full(n, 1 / n) if weights is None else np.asarray(weights)
    pull, push = weights * d_w, weights * d_l

    def mean(rows: slice, columns: slice, push: Any) -> Any:
        felt = (products[..., rows, columns] * push[..., None, :]).sum(-1)
        return (weights * felt).sum(-1)

    chosen, rejected = slice(n), slice(n, None)
    return MeanProducts(
        w_pull=mean(chosen, chosen, pull),
        w_push=mean(chosen, rejected, push),
        l_pull=mean(rejected, chosen, pull),
        l_push=mean(rejected, rejected, push),
    )


def pair_changes(products: Any, d_w: Any, d_l: Any, weights: Any = None) -> tuple[Any, Any]:
    r"""Return every pair's own first-order changes by the batch's step, per unit of step size.

    .. math:: \langle a_i, G_w - G_l\rangle, \qquad \langle b_i, G_w - G_l\rangle

    Arguments and errors as in :func:`mean_products`; shape ``(..., n)`` each.
    """
    products, d_w, d_l = np.asarray(products), np.asarray(d_w), np.asarray(d_l)
    n = _pairs(products, d_w, d_l)
    weights = np.full(n, 1 / n) if weights is None else np.asarray(weights)
    pull, push = np.broadcast_arrays(weights * d_w, weights * d_l)
    step = np.concatenate([pull, -push], -1)
    change = (products * step[..., None, :]).sum(-1)
    return change[..., :n], change[..., n:]


def batch_band(mean: MeanProducts) -> Band:
    r"""Return the interval of :math:`\delta^2` where the mean chosen and rejected both go right.

    The mean chosen does not fall iff :math:`\delta^2\langle\bar a,G_w\rangle \ge
    \langle\bar a,G_l\rangle`, the mean rejected does not rise iff
    :math:`\delta^2\langle\bar b,G_w\rangle \le \langle\bar b,G_l\rangle`. Where all four are
    positive:

    .. math:: \frac{\langle\bar a,G_l\rangle}{\langle\bar a,G_w\rangle} \le \delta^2
        \le \frac{\langle\bar b,G_l\rangle}{\langle\bar b,G_w\rangle}

    A product of another sign turns its bound around, or makes it void or impossible; what remains
    is always one interval, within :math:`[0, \infty]`. It is empty iff ``low > high``, or if it
    holds no positive finite number: see :func:`is_empty`. NaN where a product is.
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, float) for v in mean))
    w_pull, w_push, l_pull, l_push = arrays
    low_w, high_w = _half_line(w_pull, w_push)
    low_l, high_l = _half_line(-l_pull, -l_push)
    return Band(np.maximum(low_w, low_l), np.minimum(high_w, high_l))


def is_empty(interval: Band) -> NDArray[np.bool_]:
    """Whether no positive finite factor lies in an interval of :func:`batch_band`."""
    low, high = interval
    return np.asarray(~((low <= high) & (high > 0) & (low < np.inf)))


def batch_factor(mean: MeanProducts) -> Array:
    r"""Return the factor :math:`\delta` that the batch band recommends, NaN where it is empty.

    The centre :math:`\delta = (\mathrm{low}\cdot\mathrm{high})^{1/4}` of a band with two positive
    finite ends, where both log-distances to failure are equal; of any other band the factor
    nearest to one.
    """
    low, high = band = batch_band(mean)
    two_ends = ~is_empty(band) & (low > 0) & (high < np.inf)
    square = np.clip(1.0, low, np.maximum(low, high))
    inner = np.sqrt(np.where(two_ends, low, 1.0)) * np.sqrt(np.where(two_ends, high, 1.0))
    square = np.where(two_ends, inner, square)
    # Of a band [0, high] or [low, ∞] the nearest factor is positive and finite, for 1 is between.
    return np.asarray(np.where(is_empty(band), np.nan, np.sqrt(square)))


def _half_line(slope: Array, bound: Array) -> tuple[Array, Array]:
    """Where ``t·slope ≥ bound`` for t ≥ 0, as an interval; an impossible one is [∞, 0]."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        edge = bound / slope
    void, never = (slope == 0) & (bound <= 0), (slope == 0) & (bound > 0)
    low = np.select([void, never, slope > 0], [0.0, np.inf, np.maximum(edge, 0.0)], 0.0)
    high = np.select([void, never, slope < 0], [np.inf, 0.0, edge], np.inf)
    unknown = np.isnan(slope) | np.isnan(bound)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _pairs(products: Any, d_w: Any, d_l: Any) -> int:
    rows, columns = products.shape[-2:] if products.ndim > 1 else (0, 0)
    if rows != columns or rows % 2 or not rows:
        raise ValueError(
            "a batch of n pairs has 2n × 2n score products: got an array of shape "
            f"{products.shape}; give those of the n chosen scores and then the n rejected ones"
        )
    for name, d in (("d_w", d_w), ("d_l", d_l)):
        if d.ndim and d.shape[-1] not in {1, rows // 2}:
            raise ValueError(
                f"{rows // 2} pairs have as many incentives: got {name} of shape {d.shape}; give "
                "one for each pair"
            )
    return int(rows // 2)
