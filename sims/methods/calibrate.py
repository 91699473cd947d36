r"""What can be done to the incentives of a pair, each a small pure function.

Every method returns new :class:`Incentives` of the same pairs; a trainer multiplies the gradient
of the chosen log-probability by the first and that of the rejected one by the second. All inputs
broadcast, shape ``(...)``.

Unless said otherwise a method scales :math:`d_w` by a factor :math:`\delta` and :math:`d_l` by
:math:`1/\delta`, which keeps :math:`d_wd_l` and leaves the signs as they are. So where an
incentive is zero (an inactive hinge) or negative, or a norm is zero, no factor helps, and the
pair is returned unchanged. With one norm zero, or at :math:`\rho \le 0`, any positive incentives
are good anyway.

A Gram in the optimizer's own metric (:func:`disband.theory.metric.metric_gram`) calibrates in that
metric; nothing here knows the difference. A Gram of some parameters alone calibrates these alone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disband.theory.band import calibration
from disband.theory.batch import batch_factor, mean_products
from disband.theory.gram import Gram
from disband.theory.metric import momentum_factor

from .averages import log_sums

Array = NDArray[np.float64]


class Incentives(NamedTuple):
    """The pull on the chosen response and the push on the rejected one, ``(...)`` each."""

    d_w: Array
    d_l: Array


def rescaled(d_w: Any, d_l: Any, factor: Any) -> Incentives:
    r"""Return :math:`\delta d_w` and :math:`d_l/\delta`; unchanged where the factor is NaN.

    Raises:
        ValueError: A factor is zero, negative or infinite.
    """
    d_w, d_l, factor = np.broadcast_arrays(*(np.asarray(v, float) for v in (d_w, d_l, factor)))
    if np.any((factor <= 0) | np.isinf(factor)):
        raise ValueError(
            f"a calibration factor is positive and finite, or NaN for none: got {factor}; take it "
            "from calibration, batch_factor or Averages.factor"
        )
    known = np.where(np.isnan(factor), 1.0, factor)
    return Incentives(d_w * known, d_l / known)


def reward_calibrated(d_w: Any, d_l: Any, gram: Gram) -> Incentives:
    r"""Reward calibration, exact for every pair: the ratio lands on the centre of its band.

    .. math:: \delta = \sqrt{r^*/r}, \qquad \delta^2 r = r^* = \|b\|/\|a\|

    Both responses then move by equal amounts per norm,
    :math:`\sqrt{d_wd_l\|a\|\|b\|}\,(1-\rho)`. Fails to help: pairs returned unchanged (above); and
    at :math:`\rho = 1` nothing moves.

    Raises:
        ValueError: An incentive or a product is NaN or infinite.

    Source: chen2026, abstract and official implementation (there with moving averages: see
    :mod:`disband.sims.methods.averages`); the exact form is this project's.
    """
    _require_finite(d_w, d_l, gram)
    return rescaled(d_w, d_l, calibration(d_w, d_l, gram))


def batch_calibrated(d_w: Any, d_l: Any, gram: Gram) -> Incentives:
    r"""Reward calibration with one factor for the batch, from the means of the logs.

    .. math:: \log\delta = \tfrac12\,\mathrm{mean}_i\,\log(r^*_i/r_i)

    The published method is this with moving averages: ``rescaled(d_w, d_l, averages.factor)``.
    Fails where pairs differ: no pair need land in its band, nor the mean in the batch's.

    Raises:
        ValueError: An incentive or a product is NaN or infinite.

    Source: chen2026, official implementation, without the moving averages.
    """
    _require_finite(d_w, d_l, gram)
    factor = log_sums(d_w, d_l, gram).factor
    return rescaled(d_w, d_l, np.full(np.shape(gram.sq_w), factor))


def moved_into_band(d_w: Any, d_l: Any, gram: Gram, inset: Any = 0.0) -> Incentives:
    r"""The least change of the ratio, in logs, that puts it into the band of its pair.

    .. math:: |\log r' - \log r^*| \le (1 - \text{inset})\,(-\log\rho)

    A pair in its band keeps its incentives. With ``inset`` 0 a pair from outside lands on the very
    edge, where one response stands still: rounding decides its sign, and at the lower edge any
    step of finite size lowers the chosen, for :math:`\log\pi` is concave in a log-linear model;
    1 is reward calibration of the pairs with :math:`\rho > 0`.

    Raises:
        ValueError: An inset outside [0, 1]; an incentive or a product is NaN or infinite.

    Source: this project.
    """
    _require_finite(d_w, d_l, gram)
    if not np.all((np.asarray(inset) >= 0) & (np.asarray(inset) <= 1)):
        raise ValueError(f"an inset lies in [0, 1]: got {inset}; set it to 0.1, say")
    error = 2 * np.log(calibration(d_w, d_l, gram))  # log r* - log r, NaN where there is none
    cosine = np.broadcast_to(np.asarray(gram.cosine, float), error.shape)
    entangled = cosine > 0
    width = np.where(entangled, -np.log(np.where(entangled, np.minimum(cosine, 1), 1)), np.inf)
    allowed = np.where(entangled, (1 - np.asarray(inset)) * width, np.inf)
    beyond = np.sign(error) * np.maximum(np.abs(error) - allowed, 0)
    return rescaled(d_w, d_l, np.exp(beyond / 2))


def equal_and_opposite(d_w: Any, d_l: Any, gram: Gram) -> Incentives:
    r"""The in-band choice that moves both log-probabilities by equal and opposite amounts.

    .. math:: r = \frac{\|b\|^2 + \langle a,b\rangle}{\|a\|^2 + \langle a,b\rangle}, \qquad
        D_w = -D_l \ge 0

    No positive ratio does where :math:`\langle a,b\rangle \le -\min(\|a\|^2,\|b\|^2)`: such pairs,
    all of them disentangled, are returned unchanged.

    Raises:
        ValueError: An incentive or a product is NaN or infinite.

    Source: this project, ``disband.even.opposite`` and ``disband.even.positive.repaired``.
    """
    _require_finite(d_w, d_l, gram)
    d_w, d_l, up, down = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (d_w, d_l, gram.sq_l + gram.dot, gram.sq_w + gram.dot))
    )
    exists = (d_w > 0) & (d_l > 0) & (up > 0) & (down > 0)
    ratio = np.divide(d_l, d_w, out=np.full(exists.shape, np.nan), where=exists)
    wanted = np.divide(up, down, out=np.full(exists.shape, np.nan), where=exists)
    return rescaled(d_w, d_l, np.sqrt(wanted) * np.sqrt(ratio))


def normalised(size: Any, gram: Gram) -> Incentives:
    r"""Pairwise normalised gradients: both scores to length one, whatever the incentives were.

    .. math:: d_w' = C/\|a\|, \qquad d_l' = C/\|b\|

    The ratio is that of reward calibration; only the length of the step is another. For
    :math:`C > 0` the chosen does not fall and the rejected does not rise. The paper prints
    descent along the gradient :math:`+C(\ldots)`, which needs :math:`C \le 0`; here C is positive.
    Fails: the step keeps its length :math:`C\sqrt{2-2\rho}` however small the scores become, so
    it does not settle unless C does; a zero score gets a zero incentive (it has no direction, and
    no step along it); at :math:`\rho = 1` nothing moves.

    Args:
        size: C, the loss's own quantity: of DPO (DPO*, yuan2025's second display) its
            :math:`d_w = d_l`; of another loss :math:`\sqrt{d_wd_l}`, say.
        gram: Score products.

    Raises:
        ValueError: A number is NaN or infinite.

    Source: yuan2025, section 5.1, first display (with its sign mended).
    """
    _require_finite(size, size, gram)
    size, sq_w, sq_l = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (size, gram.sq_w, gram.sq_l))
    )
    return Incentives(
        *(
            np.divide(size, np.sqrt(sq), out=np.zeros(size.shape), where=sq > 0)
            for sq in (sq_w, sq_l)
        )
    )


def batch_band_calibrated(d_w: Any, d_l: Any, products: Any, weights: Any = None) -> Incentives:
    r"""One factor for the batch from its own band: the mean of each side goes the right way.

    :math:`\delta` is the centre of the batch band where that has two ends, else the factor in it
    that is nearest to one. Fails: the band can be empty, and then the incentives are unchanged
    (:func:`disband.theory.batch.is_empty` tells); single pairs may still go wrong, and where they
    do, :func:`disband.theory.models.common_step.common_step` tells whether any step suits them all.

    Args:
        d_w: Incentives on the chosen responses, ``(..., n)``.
        d_l: Incentives on the rejected ones, ``(..., n)``.
        products: All score products, ``(..., 2n, 2n)``, chosen first.
        weights: Of the pairs in the step, ``(..., n)``; one n-th each if not given.

    Raises:
        ValueError: A number is NaN or infinite, or the shapes disagree.

    Source: this project, ``disband.batch.band``.
    """
    if not all(np.all(np.isfinite(np.asarray(v, float))) for v in (d_w, d_l, products)):
        raise _not_finite()
    factor = batch_factor(mean_products(products, d_w, d_l, weights))
    return rescaled(d_w, d_l, factor[..., None])


def momentum_calibrated(d_w: Any, d_l: Any, gram: Gram, memory_w: Any, memory_l: Any) -> Incentives:
    r"""Calibration of a step with momentum: the nearest factor to the centre that it allows.

    :math:`M_w = \mu\langle a,Pm\rangle` and :math:`M_l = \mu\langle b,Pm\rangle` are what the
    memory does to each log-probability. Fails: a memory may forbid every factor, and then the
    incentives are unchanged (:func:`disband.theory.metric.momentum_factor` is NaN).

    Raises:
        ValueError: A number is NaN or infinite.

    Source: this project, ``disband.momentum.chosen`` and ``disband.momentum.rejected``.
    """
    _require_finite(d_w, d_l, gram)
    _require_finite(memory_w, memory_l, gram)
    return rescaled(d_w, d_l, momentum_factor(d_w, d_l, gram, memory_w, memory_l))


def _as_it_is(d_w: Any, d_l: Any, gram: Gram) -> Incentives:
    """No method."""
    return rescaled(d_w, d_l, np.full(np.shape(gram.sq_w), np.nan))


def _normalised_alike(d_w: Any, d_l: Any, gram: Gram) -> Incentives:
    r"""Pairwise normalised gradients with :math:`C = \sqrt{d_wd_l}`, which is DPO's own for DPO."""
    return normalised(np.sqrt(d_w) * np.sqrt(d_l), gram)


METHODS: Mapping[str, Callable[[Any, Any, Gram], Incentives]] = MappingProxyType(
    {
        "none": _as_it_is,
        "reward calibration": reward_calibrated,
        "reward calibration, batch": batch_calibrated,
        "nearest in band": moved_into_band,
        "equal and opposite": equal_and_opposite,
        "normalised gradients": _normalised_alike,
    }
)


def _require_finite(d_w: Any, d_l: Any, gram: Gram) -> None:
    values = (d_w, d_l, gram.sq_w, gram.sq_l, gram.dot)
    if not all(np.all(np.isfinite(np.asarray(v, float))) for v in values):
        raise _not_finite()


def _not_finite() -> ValueError:
    return ValueError(
        "calibration takes finite incentives and score products: got NaN or infinity; leave out "
        "the pairs that they belong to"
    )
