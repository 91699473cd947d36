r"""Sparsity-regularised token masks: a loss that contrasts significant tokens only.

With token log-ratios :math:`t^i = \log(\pi_\theta/\pi_{ref})` of both responses, shape ``(..., L)``
each (the lengths may differ; pad with mask zero), and masks m in [0, 1]:

.. math::
    \ell = -\log\sigma\Bigl(\beta\sum_i m_w^it_w^i - \beta\sum_j m_l^jt_l^j\Bigr)
        + \eta\,(\|m_w\|_1 + \|m_l\|_1)

As published, :math:`m^i = 1[u^i \ge r]` with learnable u, and :math:`\beta = 1`: the print has no
:math:`\beta`. That has a zero gradient wherever it has one, so nothing learns u; its relaxation
:math:`\sigma(k(u^i - r))` closes at the reference, and a closed mask does not open again. Here m is
:func:`best_masks`: the exact minimiser of the loss over all masks in [0, 1], with nothing to learn.

What works in the edit-one toy is :mod:`disband.sims.pairs.masked`: two steps with every token kept,
then :func:`best_masks`; at a fitting price the masks are then the differing token's, and the suffix
stays.

Where it fails:

* at the reference every log-ratio is zero, so no token is significant: :func:`best_masks` is empty
  and stays so, whatever :math:`\eta`, until some steps were taken without it;
* a token is kept for what it adds to the margin, so a rejected token that fell along with the
  chosen ones is: at a low price the rejected suffix is kept without the chosen one, and the
  chosen falls more than under DPO. A mask changes which score products matter; it does not
  calibrate them.

Source: yuan2025, section 5.2.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disband.theory.kernels.primitives import logsigmoid, sigmoid

Array = NDArray[np.float64]


class Masks(NamedTuple):
    """One mask for each token of the chosen and of the rejected response, ``(..., L)`` each."""

    mask_w: Array
    mask_l: Array


class TokenIncentives(NamedTuple):
    """The pull on each chosen token and the push on each rejected one, ``(..., L)`` each."""

    d_w: Array
    d_l: Array


def masked_loss(
    ratios_w: Any, ratios_l: Any, masks: Masks, *, beta: float = 1.0, eta: float = 0.0
) -> Array:
    r"""Return the loss of a pair under its masks, ``(...)`` nats.

    Args:
        ratios_w: :math:`t_w`, log-ratios of the chosen tokens to the reference, ``(..., L)``.
        ratios_l: :math:`t_l`, of the rejected tokens, each in the contexts of its own response.
        masks: m, in [0, 1].
        beta: :math:`\beta`; 1 as published.
        eta: Weight of the regularizer, at least zero.
    """
    size = np.abs(masks.mask_w).sum(-1) + np.abs(masks.mask_l).sum(-1)
    return np.asarray(eta * size - logsigmoid.numpy(_margin(ratios_w, ratios_l, masks, beta)))


def masked_incentives(
    ratios_w: Any, ratios_l: Any, masks: Masks, *, beta: float = 1.0
) -> TokenIncentives:
    r"""Return the incentives of every token's log-probability.

    .. math:: d_w^i = \beta\,\sigma(-z)\,m_w^i, \qquad d_l^j = \beta\,\sigma(-z)\,m_l^j

    with z the masked margin. The step is along :math:`\sum_i d_w^ia_i - \sum_j d_l^jb_j` with the
    tokens' own scores. Masks are held fixed.
    """
    pull = beta * sigmoid.numpy(-_margin(ratios_w, ratios_l, masks, beta))[..., None]
    return TokenIncentives(pull * masks.mask_w, pull * masks.mask_l)


def best_masks(ratios_w: Any, ratios_l: Any, *, beta: float = 1.0, eta: float = 0.0) -> Masks:
    r"""Return the masks in [0, 1] that minimise the loss, exactly.

    The loss is convex in the masks. With the gains :math:`g = (t_w, -t_l)` and the masked margin z
    of the optimum, a token is kept where :math:`\beta\sigma(-z)g > \eta` and dropped where it is
    less; where it is equal the first tokens in order are: at most one token is kept in part.

    With :math:`\eta = 0` every token of positive gain is kept. Where
    :math:`\max g \le 2\eta/\beta`, at the reference above all, none is: the masks are empty, and
    so is the step.

    Raises:
        ValueError: A log-ratio that is not finite, or a weight out of its range.
    """
    ratios_w, ratios_l = np.asarray(ratios_w, float), np.asarray(ratios_l, float)
    if not (0 < beta < np.inf and 0 <= eta < np.inf):
        raise ValueError(
            f"beta is positive and a token's price at least zero: got beta {beta} and price {eta}; "
            "set the price to a hundredth, say"
        )
    if not (np.isfinite(ratios_w).all() and np.isfinite(ratios_l).all()):
        raise ValueError(
            "masks weigh finite log-ratios: got NaN or infinity; pad responses with zeros"
        )
    batch = np.broadcast_shapes(ratios_w.shape[:-1], ratios_l.shape[:-1])
    sides = [np.broadcast_to(t, (*batch, t.shape[-1])) for t in (ratios_w, -ratios_l)]
    gains = np.concatenate(sides, -1)
    order = np.argsort(-gains, -1, kind="stable")
    sorted_gains = np.take_along_axis(gains, order, -1)
    useful = np.maximum(sorted_gains, 0.0)
    before = beta * (np.cumsum(useful, -1) - useful)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The margin at which one more bit of this token is worth its price: βσ(-z)g = η.
        price = eta / (beta * useful)
        target = np.where(price < 1, np.log1p(-np.minimum(price, 1)) - np.log(price), -np.inf)
        share = np.where(useful > 0, (target - before) / (beta * useful), 0.0)
    kept = np.clip(share, 0.0, 1.0)
    masks = np.empty_like(gains)
    np.put_along_axis(masks, order, kept, -1)
    split = ratios_w.shape[-1]
    return Masks(masks[..., :split], masks[..., split:])


def _margin(ratios_w: Any, ratios_l: Any, masks: Masks, beta: float) -> Array:
    return np.asarray(
        beta
        * ((masks.mask_w * ratios_w).sum(-1) - (masks.mask_l * np.asarray(ratios_l, float)).sum(-1))
    )
