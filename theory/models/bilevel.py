r"""Stable preference optimization as incentives in a metric.

The lower level is supervised fine-tuning held near the upper level's variable :math:`\varphi`,
the upper level DPO with a reward for the chosen's own log-probability:

.. math::
    \theta^*(\varphi) = \arg\min_\theta\; L_{SFT}(\theta) + \tfrac{\mu}{2}\|\theta - \varphi\|^2,
    \qquad
    \min_\varphi\; F(\theta^*(\varphi)), \quad
    F = -\log\sigma(\beta\tilde m) - \lambda\log\pi_w

The implicit gradient is :math:`(I + H/\mu)^{-1}\nabla F` with the Hessian :math:`H` of
:math:`L_{SFT}` at :math:`\theta^*`, and moving :math:`\varphi` by it moves the model that is
deployed, :math:`\theta^*`, by

.. math:: \dot\theta^* = P\,(d_wa - d_lb), \qquad P = (I + H/\mu)^{-2}, \quad
    d_w = d + \lambda, \quad d_l = d = \beta\sigma(-\beta\tilde m)

So the bilevel solution is an incentive ratio :math:`1 + \lambda/d` in a metric of its own. The
paper's abstract leaves the levels open: both are this project's plainest reading.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..gram import Gram
from ..objectives import RPO
from ..step import first_order

Array = NDArray[np.float64]

# DPO and a likelihood term, per token of the chosen: a toy's responses are one token long.
UPPER = RPO


def metric(hessian: Any, strength: float) -> Array:
    r"""Return :math:`P = (I + H/\mu)^{-2}`.

    Args:
        hessian: :math:`H`, symmetric and positive semidefinite, ``(..., d, d)``.
        strength: :math:`\mu > 0`: how strongly the lower level is held; infinity is none of it.

    Raises:
        ValueError: A strength that is not positive.
    """
    require_strength(strength)
    half = np.linalg.inv(np.eye(hessian.shape[-1]) + np.asarray(hessian, float) / strength)
    return np.asarray(half @ half)


def require_strength(strength: float) -> None:
    """Refuse a lower level that is not held.

    Raises:
        ValueError: A strength that is not positive.
    """
    if not strength > 0:
        raise ValueError(
            f"the lower level is held by a positive strength: got {strength}; set it to 1, say"
        )


def gram_in(matrix: Any, a: Any, b: Any) -> Gram:
    r"""Gram of two scores in a full metric, :math:`\langle x,Py\rangle`.

    Args:
        matrix: :math:`P`, symmetric, ``(..., d, d)``.
        a: Chosen scores, ``(..., d)``.
        b: Rejected scores, ``(..., d)``.
    """
    a, b, matrix = (np.asarray(v, float) for v in (a, b, matrix))
    p_a, p_b = ((matrix @ v[..., None])[..., 0] for v in (a, b))
    return Gram((a * p_a).sum(-1), (b * p_b).sum(-1), (a * p_b).sum(-1))


class Weights(NamedTuple):
    """The closed interval of good weights λ of the chosen's own term."""

    low: Any
    high: Any


def good_weights(d: Any, gram: Gram) -> Weights:
    r"""Return the weights λ at which the chosen does not fall and the rejected does not rise.

    .. math:: d\,(X_P/A_P - 1) \le \lambda \le d\,(B_P/X_P - 1)

    for :math:`X_P > 0`; there is no upper end where :math:`X_P \le 0`. As the margin grows, d
    falls to zero and both ends with it: a constant λ > 0 leaves the interval above.

    Args:
        d: DPO's incentive, positive, ``(...)``.
        gram: Score products in the metric of the lower level, ``(...)``.
    """
    d, sq_w, sq_l, dot = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (d, gram.sq_w, gram.sq_l, gram.dot))
    )
    entangled = dot > 0
    low = np.divide(dot, sq_w, out=np.full(d.shape, -np.inf), where=sq_w > 0)
    high = np.divide(sq_l, dot, out=np.full(d.shape, np.inf), where=entangled)
    return Weights(d * (low - 1), d * (high - 1))


def effective_incentives(d_w: Any, d_l: Any, gram: Gram, inner: Gram) -> tuple[Any, Any]:
    r"""Return the incentives that, in the plain metric, move the pair as these do in another.

    .. math::
        e_w = \frac{B D_w - X D_l}{AB - X^2}, \qquad e_l = \frac{X D_w - A D_l}{AB - X^2}

    with the changes :math:`D_w = d_wA_P - d_lX_P` and :math:`D_l = d_wX_P - d_lB_P`.

    Args:
        d_w: Incentive on the chosen response in the other metric.
        d_l: Incentive on the rejected one there.
        gram: A, B, X, the plain products; the scores are not parallel.
        inner: The products in the other metric.

    Works on numbers, arrays and symbols.
    """
    change_w, change_l = first_order(d_w, d_l, inner)
    area = gram.sq_w * gram.sq_l - gram.dot**2
    return (
        (gram.sq_l * change_w - gram.dot * change_l) / area,
        (gram.dot * change_w - gram.sq_w * change_l) / area,
    )
