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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..first_order import first_order
from ..gram import Gram
from ..objectives import RPO

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
