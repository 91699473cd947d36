"""What is logged of the pairs looked at: sums that processes add up, then one number a name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.theory.band import band, calibration
from disband.theory.gram import Gram
from disband.theory.horizon.band import turning_time
from disband.theory.outcome import Outcome, own_outcomes

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

PREFIX = "dynamics/"
CASES = {o: f"{PREFIX}{o.name.lower()}" for o in Outcome if o is not Outcome.UNKNOWN}
PAIRS = PREFIX + "pairs"
# Logged where a monitor is set to measure them.
BENDS = tuple(
    PREFIX + name
    for name in ("curvature_chosen", "curvature_rejected", "turning_chosen", "turning_rejected")
)
NAMES = tuple(
    PREFIX + name
    for name in (
        "incentive_chosen", "incentive_rejected", "incentive_ratio", "cosine", "norm_ratio",
        "in_band", "ideal", "both_fall", "both_rise", "reversed", "still", "factor",
        "factor_wanted", "uncalibrated", "predicted_chosen", "predicted_rejected",
        "measured_chosen", "measured_rejected", "chosen_fell", "rejected_rose", "pairs",
    )
)  # fmt: skip
_ADDED = (*NAMES, *BENDS[:2])
# Means of these are means of their logarithms.
_GEOMETRIC = frozenset(
    PREFIX + name for name in ("incentive_ratio", "norm_ratio", "factor", "factor_wanted")
)


@dataclass(frozen=True, eq=False)
class Looked:
    """The pairs of one step on one process, ``(pairs,)`` or ``(2, pairs)``, chosen first.

    Args:
        d_w: Incentives of the objective on the chosen.
        d_l: Incentives of the objective on the rejected.
        gram: Score products.
        factor: What the step multiplied d_w by and divided d_l by; 1 without calibration.
        identical: Whether both rows are the same tokens.
        predicted: Changes of the log-probabilities to first order, nats; None if not known.
        measured: Changes of the log-probabilities by the step, nats.
        bends: Second derivatives along the step, nats; None if not measured.
    """

    d_w: Array
    d_l: Array
    gram: Gram
    factor: Array
    identical: Mask
    predicted: Array | None
    measured: Array
    bends: Array | None = None

    @property
    def known(self) -> Mask:
        """Which pairs have finite incentives and products: only these have a case."""
        values = (self.d_w, self.d_l, self.gram.sq_w, self.gram.sq_l, self.gram.dot)
        return np.asarray(np.isfinite(np.stack(values)).all(0))


def sums(looked: Looked, passed: npt.ArrayLike = (0, 0)) -> Array:
    """Sums and counts of what is added up, ``(2, names)``, to be added up over processes.

    Args:
        looked: The pairs looked at.
        passed: How many pairs were trained on since the last look, and how many without a factor.
    """
    found: dict[str, npt.NDArray[Any]] = dict.fromkeys(_ADDED, np.zeros(0))
    known = looked.known
    own_w, own_l, factor = looked.d_w[known], looked.d_l[known], looked.factor[known]
    gram = Gram(*(part[known] for part in (looked.gram.sq_w, looked.gram.sq_l, looked.gram.dot)))
    d_w, d_l = own_w * factor, own_l / factor
    positive = (d_w > 0) & (d_l > 0)
    ratio = d_w[positive] / d_l[positive]
    low, high = (end[positive] for end in band(gram))
    moving = (gram.sq_w > 0) & (gram.sq_l > 0)
    wanted = calibration(own_w, own_l, gram)
    measured_w, measured_l = (side[np.isfinite(side)] for side in looked.measured)
    found |= {
        PREFIX + "incentive_chosen": own_w,
        PREFIX + "incentive_rejected": own_l,
        PREFIX + "incentive_ratio": np.log(own_w[positive] / own_l[positive]),
        PREFIX + "cosine": gram.cosine,
        PREFIX + "norm_ratio": np.log(gram.sq_l[moving] / gram.sq_w[moving]) / 2,
        PREFIX + "in_band": (ratio >= low) & (ratio <= high),
        PREFIX + "factor": np.log(factor),
        PREFIX + "factor_wanted": np.log(wanted[wanted > 0]),
        PREFIX + "measured_chosen": measured_w,
        PREFIX + "measured_rejected": measured_l,
        PREFIX + "chosen_fell": measured_w < 0,
        PREFIX + "rejected_rose": measured_l > 0,
        PAIRS: np.ones(len(looked.d_w)),
    }
    codes = own_outcomes(d_w, d_l, gram, looked.identical[known])
    found |= {name: codes == which for which, name in CASES.items()}
    if looked.predicted is not None:
        found[PREFIX + "predicted_chosen"], found[PREFIX + "predicted_rejected"] = looked.predicted
    if looked.bends is not None:
        found[BENDS[0]], found[BENDS[1]] = looked.bends
    finite = [np.asarray(v, float)[np.isfinite(v)] for v in (found[name] for name in _ADDED)]
    added = np.array([[v.sum() for v in finite], [len(v) for v in finite]])
    count, without = np.asarray(passed, float)
    added[:, NAMES.index(PREFIX + "uncalibrated")] = without, count
    return added


def metrics(added: Array) -> Mapping[str, float]:
    """One number for each name that any pair had one for.

    A mean turns where, the step being made again and again, it is back where it was.
    """
    found = {}
    for name, total, count in zip(_ADDED, *added, strict=True):
        if count:
            mean = total if name == PAIRS else total / count
            found[name] = float(math.exp(mean) if name in _GEOMETRIC else mean)
    for side in ("chosen", "rejected"):
        slope, bend = (found.get(f"{PREFIX}{what}_{side}") for what in ("predicted", "curvature"))
        if slope is not None and bend is not None:
            turning = float(turning_time(slope, bend))
            if math.isfinite(turning):
                found[f"{PREFIX}turning_{side}"] = turning
    return found
