"""What a step does to a pair: one of the four cases, or nothing, or not a number."""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from .band import Case, case_codes
from .first_order import first_order
from .gram import Gram

Codes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

# Incentives of a pair that differ by less, relatively, differ by rounding: a trainer's are float32.
EVEN = 1e-5


class Outcome(IntEnum):
    """What a step does to a pair: one of the four cases, or nothing, or not a number."""

    IDEAL = Case.IDEAL
    BOTH_FALL = Case.BOTH_FALL
    BOTH_RISE = Case.BOTH_RISE
    REVERSED = Case.REVERSED
    STILL = 4
    UNKNOWN = 5

    @property
    def words(self) -> str:
        """The outcome as a reader would say it."""
        if self is Outcome.STILL:
            return "neither moves"
        return "not a number" if self is Outcome.UNKNOWN else Case(self).words


def outcomes(change_w: Any, change_l: Any, still: Any = False) -> Codes:  # noqa: FBT002 (a mask)
    """The :class:`Outcome` of each first-order change of both log-probabilities; of any shape."""
    w, l, at_rest = np.broadcast_arrays(change_w, change_l, still)  # noqa: E741
    codes = np.where(at_rest | ((w == 0) & (l == 0)), Outcome.STILL, case_codes(w, l))
    known = np.isfinite(w) & np.isfinite(l)
    return np.asarray(np.where(known, codes, Outcome.UNKNOWN), np.int8)


def own_outcomes(d_w: Any, d_l: Any, gram: Gram, identical: Any) -> Codes:
    r"""The outcome of each pair if a step is made on it alone.

    Of identical responses both scores are one, up to rounding, and both log-probabilities change
    by :math:`(d_w - d_l)\|a\|^2`: not at all where the incentives are even.

    Args:
        d_w: Incentives on the chosen responses, ``(pairs,)``.
        d_l: Incentives on the rejected ones.
        gram: Score products.
        identical: Whether both responses are the same tokens.
    """
    square = (np.asarray(gram.sq_w) + np.asarray(gram.sq_l)) / 2
    equalized = Gram(
        *(np.where(identical, square, part) for part in (gram.sq_w, gram.sq_l, gram.dot))
    )
    even = np.abs(np.subtract(d_w, d_l)) <= EVEN * np.maximum(np.abs(d_w), np.abs(d_l))
    return outcomes(*first_order(d_w, d_l, equalized), identical & even)
