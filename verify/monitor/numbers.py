"""What is logged of the pairs looked at: sums that processes add up, then one number a name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.band import Case, band, calibration, case
from theory.gram import Gram

Array = npt.NDArray[np.float64]

PREFIX = "dynamics/"
CASES = {case: f"{PREFIX}{case.name.lower()}" for case in Case}
NAMES = tuple(
    PREFIX + name
    for name in (
        "incentive_chosen", "incentive_rejected", "incentive_ratio", "cosine", "norm_ratio",
        "in_band", "ideal", "both_fall", "both_rise", "reversed", "factor", "factor_wanted",
        "predicted_chosen", "predicted_rejected", "measured_chosen", "measured_rejected",
        "chosen_fell", "rejected_rose", "pairs",
    )
)  # fmt: skip
# Means of these are means of their logarithms.
_GEOMETRIC = frozenset(PREFIX + n for n in ("incentive_ratio", "norm_ratio", "factor_wanted"))
_SUMMED = PREFIX + "pairs"


@dataclass(frozen=True, eq=False)
class Looked:
    """The pairs of one step on one process, ``(pairs,)`` or ``(2, pairs)``, chosen first.

    Args:
        d_w: Incentives of the objective on the chosen.
        d_l: Incentives of the objective on the rejected.
        gram: Score products.
        factor: What the step multiplied d_w by and divided d_l by; 1 without calibration.
        predicted: Changes of the log-probabilities to first order, nats; None if not known.
        measured: Changes of the log-probabilities by the step, nats.
    """

    d_w: Array
    d_l: Array
    gram: Gram
    factor: float
    predicted: Array | None
    measured: Array

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which pairs have finite incentives and products: only these have a case."""
        values = (self.d_w, self.d_l, self.gram.sq_w, self.gram.sq_l, self.gram.dot)
        return np.asarray(np.isfinite(np.stack(values)).all(0))


def sums(looked: Looked) -> Array:
    """Sums and counts of what is logged, ``(2, names)``, to be added up over processes."""
    found: dict[str, npt.NDArray[Any]] = dict.fromkeys(NAMES, np.zeros(0))
    known = looked.known
    d_w, d_l = looked.d_w[known] * looked.factor, looked.d_l[known] / looked.factor
    gram = Gram(*(part[known] for part in (looked.gram.sq_w, looked.gram.sq_l, looked.gram.dot)))
    positive = (d_w > 0) & (d_l > 0)
    ratio = d_w[positive] / d_l[positive]
    low, high = (end[positive] for end in band(gram))
    moving = (gram.sq_w > 0) & (gram.sq_l > 0)
    wanted = looked.factor * calibration(d_w, d_l, gram)
    found |= {
        PREFIX + "incentive_chosen": looked.d_w[known],
        PREFIX + "incentive_rejected": looked.d_l[known],
        PREFIX + "incentive_ratio": np.log(ratio),
        PREFIX + "cosine": gram.cosine,
        PREFIX + "norm_ratio": np.log(gram.norm_ratio[moving]),
        PREFIX + "in_band": (ratio >= low) & (ratio <= high),
        PREFIX + "factor": np.full(len(d_w), looked.factor),
        PREFIX + "factor_wanted": np.log(wanted[wanted > 0]),
        PREFIX + "measured_chosen": looked.measured[0],
        PREFIX + "measured_rejected": looked.measured[1],
        PREFIX + "chosen_fell": looked.measured[0] < 0,
        PREFIX + "rejected_rose": looked.measured[1] > 0,
        PREFIX + "pairs": np.ones(len(looked.d_w)),
    }
    codes = case(d_w, d_l, gram)
    found |= {name: codes == which for which, name in CASES.items()}
    if looked.predicted is not None:
        found[PREFIX + "predicted_chosen"], found[PREFIX + "predicted_rejected"] = looked.predicted
    finite = [np.asarray(v, float)[np.isfinite(v)] for v in (found[name] for name in NAMES)]
    return np.array([[v.sum() for v in finite], [len(v) for v in finite]])


def metrics(added: Array) -> Mapping[str, float]:
    """One number for each name that any pair had one for."""
    found = {}
    for name, total, count in zip(NAMES, *added, strict=True):
        if count:
            mean = total if name == _SUMMED else total / count
            found[name] = float(math.exp(mean) if name in _GEOMETRIC else mean)
    return found
