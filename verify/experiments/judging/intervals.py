"""The 95 % interval of a mean, and the criteria that ask where it lies."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .prediction import Numbers

Array = NDArray[Any]

LEVEL = 0.95
# Of fewer values a mean has no interval here: nothing is decided by them.
FEWEST = 5


def interval(values: Array) -> Array:
    """Mean of the finite values on the last axis and the ends of its 95 % interval, ``(3, ...)``.

    By Student's t; NaN of fewer than ``FEWEST`` finite values.
    """
    known = np.ma.masked_invalid(values)
    count = known.count(-1)
    mean, spread = (np.ma.filled(x, np.nan) for x in (known.mean(-1), known.std(-1, ddof=1)))
    three = around(mean, spread / np.sqrt(np.maximum(count, 1)), count - 1)
    return np.where(count >= FEWEST, three, np.nan)


def around(mean: Array | float, error: Array | float, freedom: Array | float) -> Array:
    """A mean and the ends of its 95 % interval, from its standard error and its freedom."""
    from scipy.stats import t as student  # half a second, which a claim does not wait for

    half = student.ppf((1 + LEVEL) / 2, freedom) * error
    return np.stack([mean, mean - half, mean + half])


def difference(first: Array, second: Array) -> Array:
    """Mean of one sample less that of another, and the ends of its 95 % interval, by Welch.

    NaN where either has fewer than ``FEWEST`` values.
    """
    if min(len(first), len(second)) < FEWEST:
        return np.full(3, np.nan)
    # Satterthwaite's freedom, which two constant samples have none of.
    parts = np.array([np.var(sample, ddof=1) / len(sample) for sample in (first, second)])
    spread = float((parts**2 / [len(first) - 1, len(second) - 1]).sum())
    freedom = parts.sum() ** 2 / spread if spread else 1
    return around(float(np.mean(first) - np.mean(second)), np.sqrt(parts.sum()), freedom)


def named(name: str, three: Array) -> Numbers:
    """A mean and the ends of its interval, by name."""
    ends = zip(("mean", "low", "high"), three, strict=True)
    return {f"{name}, {end}": float(value) for end, value in ends}


def above(level: float) -> Callable[[Numbers], bool | None]:
    """Whether every interval lies above a level: no if one lies below, else undecided."""

    def holds(numbers: Numbers) -> bool | None:
        if any(high < level for high in _ends(numbers, "high")):
            return False
        low = _ends(numbers, "low")
        return True if low and all(end > level for end in low) else None

    return holds


def below(level: float) -> Callable[[Numbers], bool | None]:
    """Whether every interval lies below a level: no if one lies above, else undecided."""

    def holds(numbers: Numbers) -> bool | None:
        if any(low > level for low in _ends(numbers, "low")):
            return False
        high = _ends(numbers, "high")
        return True if high and all(end < level for end in high) else None

    return holds


def _ends(numbers: Numbers, end: str) -> list[float]:
    return [value for name, value in numbers.items() if name.endswith(f", {end}")]
