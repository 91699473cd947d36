"""A quantity over a clock, once for each seed: its mean, its span, its line and its rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .style import Array, Look, draw, spread

SHADE = "Thick lines: means over {seeds} seeds; thin lines: single seeds; shades span them."
SINGLE = "One seed alone: no line says how sure it is."


@dataclass(frozen=True)
class Series:
    """One quantity.

    Args:
        clock: Steps or updates, ``(T,)``.
        each: Its values, ``(seeds, T)``.
    """

    clock: ArrayLike
    each: Array

    @property
    def mean(self) -> Array:
        """The mean over seeds, ``(T,)``."""
        return np.asarray(self.each.mean(0))

    def draw(self, axes: Axes, look: Look, label: str) -> None:
        """Draw the mean over the seeds, and each of them over the band that they span."""
        spread(axes, self.clock, self.each, look)
        draw(axes, self.clock, self.mean, look, label)

    def rows(self, **names: Any) -> Iterator[dict[str, Any]]:
        """Yield a row a point of the clock: mean, least and most over the seeds."""
        for at, mean, each in zip(np.asarray(self.clock), self.mean, self.each.T, strict=True):
            yield {**names, "at": int(at), "mean": float(mean), "least": float(each.min()),
                   "most": float(each.max()), "seeds": len(each)}  # fmt: skip


def basis(seeds: int) -> str:
    """Return on how many seeds lines stand, and what shades and thin lines mean."""
    return SHADE.format(seeds=seeds) if seeds > 1 else SINGLE
