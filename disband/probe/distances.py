"""How far apart the two responses of a pair are, in tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from disband.lm.data.tokenize import TokenPair

from .records import Quantiles, TokenCounts

Array = npt.NDArray[np.float64]

# Responses that differ by so small a share of the longer one's tokens …
NEAR = 0.1
# … or by one token, where that is no more than this share: single words have little in common.
NEAR_ONE = 0.25


class Distances(NamedTuple):
    """Each pair's responses beside each other, arrays of shape ``(pairs,)``.

    Args:
        len_w: Tokens of the chosen response.
        len_l: Tokens of the rejected one.
        edits: Fewest tokens to insert, delete or replace to turn one into the other.
        prefix: Tokens that both begin with.
        suffix: Tokens that both end with, beyond the common beginning.
        cut: Whether a response was cut to what the model may read.
    """

    len_w: Array
    len_l: Array
    edits: Array
    prefix: Array
    suffix: Array
    cut: npt.NDArray[np.bool_]

    @property
    def share(self) -> Array:
        """Edits as a share of the longer response."""
        return np.asarray(self.edits / np.maximum(self.len_w, self.len_l))

    @property
    def identical(self) -> npt.NDArray[np.bool_]:
        """Whether both responses are the same tokens, as the model reads them."""
        return np.asarray(self.edits == 0)

    @property
    def near(self) -> npt.NDArray[np.bool_]:
        """Whether responses differ, but by one token of four or more, or at most ``NEAR``."""
        one = (self.edits <= 1) & (self.share <= NEAR_ONE)
        return ~self.identical & (one | (self.share <= NEAR))


def distances(pairs: Sequence[TokenPair]) -> Distances:
    """What sets the two responses of each pair apart."""
    rows = [
        (
            len(pair.chosen),
            len(pair.rejected),
            edit_distance(pair.chosen, pair.rejected),
            *_common_ends(pair.chosen, pair.rejected),
        )
        for pair in pairs
    ]
    len_w, len_l, edits, prefix, suffix = np.array(rows, float).reshape(len(rows), 5).T
    cut = np.array([any(pair.cut) for pair in pairs], bool)
    return Distances(len_w, len_l, edits, prefix, suffix, cut)


def edit_distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Levenshtein distance of two rows of tokens, a whole line of the table at a time."""
    start, end = _common_ends(one, other)
    one, other = (row[start : len(row) - end] for row in (one, other))
    if not one or not other:
        return len(one) + len(other)
    across = np.asarray(other)
    places = np.arange(len(other) + 1)
    line = places.copy()
    for token in one:
        kept = np.minimum(line[1:] + 1, line[:-1] + (across != token))
        fresh = np.concatenate([[line[0] + 1], kept])
        # Insertions run along the line: each entry is at most its left neighbour and one more.
        line = np.minimum.accumulate(fresh - places) + places
    return int(line[-1])


def statistics(pairs: Sequence[TokenPair], apart: Distances) -> TokenCounts:
    """Counts and quantiles of the sample; pairs that are left out and score gaps come later."""
    differ = ~apart.identical
    shorter = np.minimum(apart.len_w, apart.len_l)
    return {
        "pairs": len(pairs),
        "filled": 0,
        "identical": int(apart.identical.sum()),
        "identical_once_cut": int((apart.identical & apart.cut).sum()),
        "near": int(apart.near.sum()),
        "cut": int(apart.cut.sum()),
        "started_twice": sum(pair.started_twice for pair in pairs),
        "ended_twice": sum(pair.ended_twice for pair in pairs),
        "parts_as_code": sum(pair.parts_as_code for pair in pairs),
        "merged": sum(pair.merged > 0 for pair in pairs),
        "chosen_length": quantiles(apart.len_w),
        "rejected_length": quantiles(apart.len_l),
        "length_ratio": quantiles(apart.len_w / apart.len_l),
        "edit_distance": quantiles(apart.edits),
        "edits_of_longer": quantiles(apart.share),
        "first_difference": quantiles(apart.prefix[differ] + 1),
        "first_difference_of_shorter": quantiles((apart.prefix / np.maximum(shorter, 1))[differ]),
        "common_suffix": quantiles(apart.suffix[differ]),
        "score_gap": None,
    }


def quantiles(values: npt.ArrayLike) -> Quantiles | None:
    """The 10th, 50th and 90th percentile of the finite values, None where there are none."""
    numbers = np.asarray(values, float)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return None
    low, middle, high = np.quantile(numbers, (0.1, 0.5, 0.9))
    return {"p10": float(low), "median": float(middle), "p90": float(high)}


def rank_correlation(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Spearman's correlation where both are finite; NaN where either does not vary."""
    both = np.array([one, other], float)
    both = both[:, np.isfinite(both).all(0)]
    if both.shape[1] < 2 or (np.ptp(both, axis=1) == 0).any():
        return float("nan")
    return float(spearmanr(*both).statistic)


def _common_ends(one: Sequence[int], other: Sequence[int]) -> tuple[int, int]:
    """How many tokens both begin with, and of the rest how many both end with."""
    shorter = min(len(one), len(other))
    prefix = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    rest = shorter - prefix
    suffix = next((i for i in range(rest) if one[-1 - i] != other[-1 - i]), rest)
    return prefix, suffix
