r"""Whether one step suits every pair of a batch, decided from the score products alone.

A step g raises every chosen and lowers every rejected log-probability, to first order, iff
:math:`\langle v_i,g\rangle > 0` for the 2n vectors :math:`v = (a_1,…,a_n,-b_1,…,-b_n)`. Either
there is one, or :math:`0` is a convex combination of the :math:`v_i`, and never both (Gordan). The
answer comes with the one or with the other, so that anybody can check it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE = 1e-9


class CommonStep(NamedTuple):
    r"""What a batch admits, and the certificate for it.

    Args:
        exists: Whether some step raises every chosen and lowers every rejected response.
        d_w: Weights on the :math:`a_i`, non-negative, ``(n,)``.
        d_l: Weights on the :math:`-b_j`, non-negative, ``(n,)``.

    If it exists, :math:`g = \sum_i d_{w,i}a_i - \sum_j d_{l,j}b_j` is such a step: the weights are
    incentives, and a trainer can use them as they are. If not, they sum to one and give
    :math:`g = 0`.
    """

    exists: bool
    d_w: Array
    d_l: Array


def common_step(products: Any, tolerance: float = TOLERANCE) -> CommonStep:
    r"""Decide whether some step suits every pair, and return the step or the obstacle.

    The point of least norm in the convex hull of the :math:`v_i/\|v_i\|` is the step whose least
    cosine with a :math:`v_i` is greatest; it is zero iff no step suits. It is found by one
    non-negative least-squares problem over a root of the products.

    Args:
        products: K, ``(2n, 2n)``, chosen scores first, in any metric.
        tolerance: Least cosine that counts as positive: below it the two answers cannot be told
            apart in floating point, and the batch counts as one that no step suits.

    Raises:
        ValueError: The products are no finite square of even size, or no Gram matrix: one
            eigenvalue, of the products of unit scores, is negative beyond rounding.

    Source: this project, ``disband.batch.common-step`` and ``disband.batch.no-common-step``.
    """
    from scipy.optimize import nnls

    turned = _turned(products)
    norms = np.sqrt(np.diag(turned))
    n = len(turned) // 2
    if not norms.all():  # a zero score is a convex combination by itself
        alone = np.where(np.arange(2 * n) == np.argmin(norms), 1.0, 0.0)
        return CommonStep(exists=False, d_w=alone[:n], d_l=alone[n:])
    unit = turned / np.outer(norms, norms)
    values, vectors = np.linalg.eigh(unit)
    if values[0] < -1e-6 * values[-1]:
        raise ValueError(
            f"score products have no negative eigenvalue: got {values[0]:.2g} against "
            f"{values[-1]:.2g}; give all products of one set of scores"
        )
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    # The least of ‖Σx_iv_i‖² + (Σx_i − 1)² over x ≥ 0 lies along the point of least norm.
    x, _ = nnls(np.vstack([root, np.ones(2 * n)]), np.append(np.zeros(2 * n), 1.0))
    share = x / x.sum()
    exists = bool((unit @ share).min() > tolerance * np.sqrt(max(share @ unit @ share, 0.0)))
    exists = exists and bool((unit @ share).min() > tolerance**2)
    weights = share / norms
    if not exists:
        weights = weights / weights.sum()
    return CommonStep(exists=exists, d_w=weights[:n], d_l=weights[n:])


def _signed(products: Any) -> Any:
    products = np.asarray(products)
    signs = np.where(np.arange(len(products)) < len(products) // 2, 1, -1)
    return products * np.outer(signs, signs)


def _turned(products: Any) -> Array:
    values = np.asarray(products, float)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) % 2 or not len(values):
        raise ValueError(
            "a batch of n pairs has 2n × 2n score products: got an array of shape "
            f"{values.shape}; give those of the n chosen scores and then the n rejected ones"
        )
    if not np.isfinite(values).all():
        raise ValueError("score products are finite: got NaN or infinity; leave out such pairs")
    return np.asarray(_signed(values), float)
