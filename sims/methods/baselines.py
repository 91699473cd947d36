r"""What others do to the incentives, for comparison: none of it looks at the scores.

Each fails wherever the band of the pair is elsewhere, and says where that is.
"""

from typing import Any

import numpy as np

from disband.theory.objectives import DPOP

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


def dpo_positive(
    logp_w: Any, logp_l: Any, ref_w: Any, ref_l: Any, *, beta: float = 0.1, lam: float = 50.0
) -> Incentives:
    r"""Return the incentives of DPO-Positive.

    :math:`r = 1 + \lambda 1[\log\pi_w < \log\pi_{ref,w}]`. For comparison; it knows no norms.
    Fails: it is DPO, falling where DPO falls, until the chosen has fallen below the reference; then
    the ratio is above the band wherever :math:`1 + \lambda > r^*/\rho`, and the rejected rises too.

    Source: Pal et al. 2024, DPO-Positive.
    """
    data = (logp_w, logp_l, ref_w, ref_l, 1, 1)
    d_w, d_l = (DPOP.kernel(d, "numpy", beta=beta, lam=lam) for d in ("d_w", "d_l"))
    return Incentives(d_w(*data), d_l(*data))


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
