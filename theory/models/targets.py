r"""What an update does for the responses that training ends with, and which of its parts does it.

Every preference objective moves the parameters along a sum of scores with a sign and a weight,
:math:`-\nabla L = \frac1m\sum_j \epsilon_j w_j s_j`. Its service to the target is

.. math:: G = \langle\bar s, -\nabla L\rangle, \qquad
    \bar s = \mathbb E_{y'}\nabla\log\pi(y' \mid x'; \theta_t)

with :math:`y'` the responses of the final policy. With the mean weight :math:`\bar w` it is
exactly the sum of three parts,

.. math:: G = \bar w\,\tfrac1m\sum_{\epsilon_j>0}h_j - \bar w\,\tfrac1m\sum_{\epsilon_j<0}h_j
    + \tfrac1m\sum_j(w_j-\bar w)\,\epsilon_j h_j, \qquad h_j = \langle\bar s, s_j\rangle

positive learning, negative learning and loss reweighting. The last is the covariance of the
weights with what each sample does, :math:`\epsilon_j h_j`.

Source: wang2025 for G and the three components; that the weights are compared with their mean is
this project's.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
PARTS = ("positive", "negative", "reweighting")


@dataclass(frozen=True)
class Control:
    """How much of each component an update keeps.

    Args:
        positive: Factor on every sample with a positive sign.
        negative: Factor on every sample with a negative sign.
        reweighting: 1 keeps the weights, 0 gives every sample the mean weight.

    Raises:
        ValueError: A factor below zero, or a reweighting above one, which would turn signs.
    """

    positive: float = 1.0
    negative: float = 1.0
    reweighting: float = 1.0

    def __post_init__(self) -> None:
        factors = (self.positive, self.negative, self.reweighting)
        if not (all(0 <= f < np.inf for f in factors) and self.reweighting <= 1):
            raise ValueError(
                "a component is kept by a factor of at least zero, reweighting by at most one: got "
                f"{self}; set a factor to 0 to drop its component"
            )


WHOLE = Control()


def coefficients(sign: Any, weight: Any, control: Control = WHOLE, often: Any = 1.0) -> Array:
    r"""Return what multiplies every score in each of the three parts.

    Args:
        sign: :math:`\epsilon_j`: 1, -1, or 0 where a sample says nothing, ``(..., m)``.
        weight: :math:`w_j \ge 0`, ``(..., m)``.
        control: What is kept of each component. A sample's factor applies to its reweighting
            too, so that a dropped component leaves nothing behind.
        often: How often each sample counts in the mean weight, ``(..., m)``.

    Returns:
        ``(3, ..., m)`` in the order of ``PARTS``; with the whole control their sum is
        :math:`\epsilon_j w_j`.
    """
    sign, weight = np.broadcast_arrays(np.asarray(sign, float), np.asarray(weight, float))
    often = np.broadcast_to(often, weight.shape)
    mean = (often * weight).sum(-1, keepdims=True) / often.sum(-1, keepdims=True)
    factor = np.where(sign > 0, control.positive, control.negative) * sign
    return np.stack(
        [
            np.where(sign > 0, factor * mean, 0.0),
            np.where(sign < 0, factor * mean, 0.0),
            control.reweighting * factor * (weight - mean),
        ]
    )


def service(alignment: Any, sign: Any, weight: Any, control: Control = WHOLE) -> Array:
    r"""Return the three parts of :math:`G` from the alignments :math:`h_j`.

    Args:
        alignment: :math:`h_j = \langle\bar s, s_j\rangle`, ``(..., m)``: with the batch's score
            products this needs no score.
        sign: As of :func:`coefficients`.
        weight: Likewise.
        control: Likewise.

    Returns:
        ``(3, ...)`` in the order of ``PARTS``; their sum is :math:`G`.
    """
    return np.asarray((coefficients(sign, weight, control) * np.asarray(alignment)).mean(-1))


def one_pair_service(p_w: Any, p_l: Any, growth: Any) -> Any:
    r"""Return :math:`G/d` of DPO on one pair of whole responses to one prompt.

    Its logits move along :math:`e_w - e_l` at every update, so if they have yet to move by
    :math:`\pm\log E`, the final probabilities are :math:`\pi_wE/Z` and :math:`\pi_l/(EZ)` with
    :math:`Z = 1 + \pi_w(E-1) + \pi_l(1/E-1)`, and

    .. math:: G = d\left[(\pi_wE/Z - \pi_w) - (\pi_l/(EZ) - \pi_l)\right]

    Args:
        p_w: :math:`\pi_w`, any shape or a symbol.
        p_l: :math:`\pi_l`, likewise.
        growth: :math:`E`, likewise.
    """
    total = 1 + p_w * (growth - 1) + p_l * (1 / growth - 1)
    return (p_w * growth / total - p_w) - (p_l / (growth * total) - p_l)
