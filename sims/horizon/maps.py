"""The band over time: which case each ratio of incentives makes of a toy after so many steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disband.theory.band import case_of
from disband.theory.horizon.band import HorizonBand, horizon_band
from disband.theory.horizon.suffix import SharedSuffix

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RatioMap:
    """Cases over ratio and time, the update held.

    Args:
        times: Steps times step size times d_l, ``(k,)``, rising.
        ratios: d_w/d_l, ``(m,)``, rising.
        case: :class:`disband.theory.band.Case` of the exact changes, ``(m, k)``.
        second: Edges of the band of second order at each time, ``(k,)`` each.
        lasting: The least ratio at which the chosen never turns.
    """

    times: Array
    ratios: Array
    case: NDArray[np.int8]
    second: HorizonBand
    lasting: float


def ratio_map(toy: SharedSuffix, times: ArrayLike, ratios: ArrayLike) -> RatioMap:
    """Return the map of the toy with a shared suffix.

    Args:
        toy: The toy, of plain numbers.
        times: Steps times step size times d_l, positive, rising, ``(k,)``.
        ratios: d_w/d_l, positive, rising, ``(m,)``.
    """
    t, r = np.asarray(times, float), np.asarray(ratios, float)
    both = [[ray.change(t) for ray in toy.rays(ratio, 1.0)] for ratio in r]
    chosen, rejected = (np.stack(side) for side in zip(*both, strict=True))
    return RatioMap(
        times=t,
        ratios=r,
        case=case_of(chosen, rejected),
        second=horizon_band(toy.gram, toy.curvatures, t),
        lasting=float(toy.lasting_ratio),
    )
