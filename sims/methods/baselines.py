r"""What others do to the incentives, for comparison: none of it looks at the scores.

Each fails wherever the band of the pair is elsewhere, and says where that is.
"""

from typing import Any

import numpy as np

from .calibrate import Incentives, rescaled


def with_nll(d_w: Any, d_l: Any, weight: Any, length: Any = 1) -> Incentives:
    r"""Return the incentives of a loss with :math:`-\lambda\log\pi_w/|y_w|` added.

    .. math:: d_w' = d_w + \lambda/|y_w|

    For comparison; it knows no norms. Fails on both sides: too small a term leaves the ratio below
    the band; any term drives it above the band, where the rejected rises too, once
    :math:`d_l < \lambda\langle a,b\rangle/\|b\|^2`, which a growing margin brings about.
    """
    d_w, d_l = np.broadcast_arrays(np.asarray(d_w, float) + weight / length, d_l)
    return Incentives(d_w, np.asarray(d_l, float))


def ratio_clipped(d_w: Any, d_l: Any, low: float, high: float) -> Incentives:
    r"""Clip the ratio of incentives to fixed bounds; the product stays.

    For comparison; it knows no scores: wherever :math:`[\text{low}, \text{high}]` misses the band,
    the result does. Incentives that are not both positive are unchanged.

    Raises:
        ValueError: Bounds that are not positive, finite and in order.
    """
    if not 0 < low <= high < np.inf:
        raise ValueError(
            f"a ratio is clipped to 0 < low <= high < ∞: got {low} and {high}; set 0.5 and 2, say"
        )
    d_w, d_l = np.broadcast_arrays(np.asarray(d_w, float), np.asarray(d_l, float))
    both = (d_w > 0) & (d_l > 0)
    ratio = np.divide(d_w, d_l, out=np.ones(both.shape), where=both)
    square = np.where(both, np.clip(ratio, low, high) / ratio, np.nan)
    return rescaled(d_w, d_l, np.sqrt(square))
