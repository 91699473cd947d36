"""The ratio of incentives along one common toy run of every objective, and its band."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disband.theory.band import band

from .studies import Study

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    r"""One objective's :math:`\log r` along a run.

    Args:
        log_ratio: :math:`\log(d_w/d_l)`, ``(T + 1,)``; NaN where an incentive is not positive.
        low: The lower edge of the run's own band in logs, :math:`\log r^* + \log\rho`.
        high: The upper one, :math:`\log r^* - \log\rho`; infinite where :math:`\rho \le 0`.
    """

    log_ratio: Array
    low: Array
    high: Array

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Where the ratio lies in the band."""
        return (self.low <= self.log_ratio) & (self.log_ratio <= self.high)

    @property
    def place(self) -> Array:
        r"""Where the ratio lies in the band: 0 at its centre, -1 and 1 at its edges, ``(T + 1,)``.

        Zero where :math:`\rho \le 0`, for there every ratio is in the band.
        """
        bounded = np.isfinite(self.high) & np.isfinite(self.low)
        low, high = (np.where(bounded, edge, at) for edge, at in ((self.low, -1), (self.high, 1)))
        place = (2 * self.log_ratio - low - high) / (high - low)
        return np.where(bounded | np.isnan(self.log_ratio), place, 0.0)


def lines(studies: Iterable[Study]) -> dict[str, Line]:
    """Return the line of each run, by its objective."""
    return {study.objective: _line(study) for study in studies}


def _line(study: Study) -> Line:
    run = study.trajectory
    positive = (run.d_w > 0) & (run.d_l > 0)
    logs = [np.log(np.where(positive, d, np.nan)) for d in (run.d_w, run.d_l)]
    with np.errstate(divide="ignore"):
        low, high = (np.log(edge) for edge in band(run.gram))
    return Line(logs[0] - logs[1], low, high)
