"""A mean with its 95 % interval, and what it takes for a criterion to hold on one seed."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = dict[str, float]

# Half-width of a 95 % interval in standard errors.
WIDE = 1.96


def interval(name: str, values: NDArray[np.float64]) -> Numbers:
    """Mean of the finite values and its 95 % interval, by name; nothing of fewer than two."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return {}
    return around(name, float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known))))


def around(name: str, mean: float, error: float) -> Numbers:
    """A mean and its 95 % interval, from its standard error."""
    half = WIDE * error
    return {f"{name}, mean": mean, f"{name}, low": mean - half, f"{name}, high": mean + half}


def above(level: float) -> Callable[[Mapping[str, float]], bool | None]:
    """Whether every interval lies above a level: no if one lies below, else undecided."""

    def holds(numbers: Mapping[str, float]) -> bool | None:
        low, high = _ends(numbers)
        if not low:
            return None
        return True if min(low) > level else False if min(high) < level else None

    return holds


def below(level: float) -> Callable[[Mapping[str, float]], bool | None]:
    """Whether every interval lies below a level: no if one lies above, else undecided."""

    def holds(numbers: Mapping[str, float]) -> bool | None:
        low, high = _ends(numbers)
        if not low:
            return None
        return True if max(high) < level else False if max(low) > level else None

    return holds


def _ends(numbers: Mapping[str, float]) -> tuple[list[float], list[float]]:
    low, high = ([v for n, v in numbers.items() if n.endswith(end)] for end in (", low", ", high"))
    return low, high
