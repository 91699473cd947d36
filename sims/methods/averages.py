r"""Moving averages for reward calibration: a state that is a value, and the logs that feed it.

The published method keeps :math:`\log d_w, \log d_l, \log\|a\|, \log\|b\|` in exponential moving
averages and calibrates a whole batch with the one factor that they give. Here the averages are
sums and a count, both decayed alike, so that

* a pair without a logarithm (a zero or negative incentive, a zero norm) is left out, whole, rather
  than clamped: :math:`\log 10^{-8}` would sit in an average with :math:`\beta = 0.98` for hundreds
  of steps;
* a batch without any usable pair changes no mean, be it the first one;
* what several processes saw is added (:class:`LogSums` add up exactly);
* the state is four sums and a count: a plain dictionary, to be saved with every checkpoint.

A single factor for a batch puts the geometric mean of the pairs' errors on the centre. It need not
put any pair into its band, nor the mean.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from disband.theory.gram import Gram

BETA = 0.98
LEAST_COUNT = 1e-290


@dataclass(frozen=True)
class LogSums:
    r"""Sums over usable pairs of the four logarithms, and how many pairs they are.

    Args:
        d_w: :math:`\sum\log d_w`.
        d_l: :math:`\sum\log d_l`.
        norm_w: :math:`\sum\log\|a\|`.
        norm_l: :math:`\sum\log\|b\|`.
        count: How many pairs; not whole once decayed.
    """

    d_w: float = 0.0
    d_l: float = 0.0
    norm_w: float = 0.0
    norm_l: float = 0.0
    count: float = 0.0

    def __add__(self, other: "LogSums") -> "LogSums":
        return LogSums(*(x + y for x, y in zip(self.values, other.values, strict=True)))

    def __mul__(self, weight: float) -> "LogSums":
        return LogSums(*(weight * x for x in self.values))

    @property
    def values(self) -> tuple[float, ...]:
        """The five numbers in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))

    @property
    def factor(self) -> float:
        r"""The factor :math:`\delta` that these logs recommend; NaN where there are none.

        .. math:: \log\delta = \tfrac12\,\overline{\log\|b\| - \log\|a\| - \log d_w + \log d_l}
        """
        if self.count < LEAST_COUNT:
            return math.nan
        total = self.norm_l - self.norm_w - self.d_w + self.d_l
        return math.exp(total / self.count / 2)


def log_sums(d_w: Any, d_l: Any, gram: Gram) -> LogSums:
    """Return the logs of a batch, over the pairs whose incentives and norms are all positive.

    Args:
        d_w: Incentives on the chosen responses, ``(...)``.
        d_l: Incentives on the rejected ones, ``(...)``.
        gram: Score products, ``(...)``, in whatever parameters and metric one measures: logs of
            the head's scores alone calibrate the head alone.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    values = np.broadcast_arrays(*(np.asarray(v, float) for v in (d_w, d_l, gram.sq_w, gram.sq_l)))
    table = np.reshape(np.stack(values), (4, -1))
    if bad := int(np.sum(~np.isfinite(table))):
        raise ValueError(
            f"averages take finite numbers: {bad} of the incentives and squared norms are NaN or "
            "infinite; leave out the pairs that they belong to"
        )
    usable = table[:, (table > 0).all(0)]
    d_w_sum, d_l_sum, sq_w_sum, sq_l_sum = (float(v) for v in np.log(usable).sum(1))
    return LogSums(d_w_sum, d_l_sum, sq_w_sum / 2, sq_l_sum / 2, float(usable.shape[1]))


@dataclass(frozen=True)
class Averages:
    r"""Exponential moving averages of the four logarithms, as a value.

    .. math:: S \leftarrow \beta S + s, \qquad \text{mean} = S/\text{count}(S)

    A pair seen t updates ago counts :math:`\beta^t`. The first usable batch counts
    ``first_weight`` times: 1 is the unbiased average; :math:`1/(1-\beta)`, as published, stands
    for an endless past of equal batches and makes every mean
    :math:`v \leftarrow \beta v + (1-\beta)x` with :math:`v_0 = x_0`.

    Where the logs drift by :math:`\kappa` a step, the mean lags them by
    :math:`\kappa\beta/(1-\beta)` in the end: the band of a pair tolerates it iff that is at most
    :math:`-\log\rho` (``disband.tolerance`` and ``disband.ema-lag``).

    Args:
        beta: :math:`\beta`, at least 0 and below 1; 0 forgets all but the last batch.
        sums: The decayed sums.
        first_weight: How many times the first usable batch counts, positive.

    Raises:
        ValueError: A number out of its range.

    Source: chen2026, official implementation (β = 0.98); the sums and their count are this
    project's.
    """

    beta: float = BETA
    sums: LogSums = LogSums()
    first_weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(
                f"the factor of a moving average is at least 0 and below 1: got {self.beta}; set "
                f"beta to {BETA}, say"
            )
        if not 0 < self.first_weight < math.inf:
            raise ValueError(
                f"the first batch counts positively: got first_weight {self.first_weight}; set it "
                "to 1, or to 1 / (1 - beta) for the published start"
            )

    @staticmethod
    def as_published(beta: float = BETA) -> "Averages":
        """Return the empty state that starts at the first usable batch, as published."""
        return Averages(beta, first_weight=1 / (1 - beta) if beta < 1 else math.nan)

    def update(self, batch: LogSums) -> "Averages":
        """Return the state after one more batch; of several processes, give the sum of theirs."""
        weight = self.first_weight if self.sums.count == 0 else 1.0
        return Averages(self.beta, self.sums * self.beta + batch * weight, self.first_weight)

    @property
    def factor(self) -> float:
        r"""The factor :math:`\delta` for the next batch; NaN before the first usable pair."""
        return self.sums.factor

    def to_dict(self) -> dict[str, float]:
        """Return the state as plain numbers, for a checkpoint."""
        return {"beta": self.beta, "first_weight": self.first_weight, **asdict(self.sums)}

    @staticmethod
    def from_dict(saved: Mapping[str, float]) -> "Averages":
        """Return the state that :meth:`to_dict` saved.

        Raises:
            ValueError: A number is missing, unknown or not finite.
        """
        names = {"beta", "first_weight", *(f.name for f in fields(LogSums))}
        if set(saved) != names:
            raise ValueError(
                f"saved averages hold {', '.join(sorted(names))}: got {', '.join(sorted(saved))}; "
                "load what to_dict saved"
            )
        if not all(math.isfinite(v) for v in saved.values()) or saved["count"] < 0:
            raise ValueError(
                f"saved averages are finite and count at least zero pairs: got {dict(saved)}; "
                "start anew with Averages()"
            )
        sums = LogSums(**{f.name: float(saved[f.name]) for f in fields(LogSums)})
        return Averages(float(saved["beta"]), sums, float(saved["first_weight"]))
