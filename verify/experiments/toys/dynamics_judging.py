"""A statement about toy courses, judged by intervals over worlds.

A rule reads one number off each world, a difference that the statement says is positive. On a
replicate it holds if the 95 % interval of the mean lies above zero in each of its toys, fails if
it lies below zero in any, and is undecided otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disband.sims.worlds.target_study import Course

from ..sentiment.rules import Outcome, Prediction
from .dynamics import (
    LINEAR,
    REPLICATES,
    RESPONSES,
    TOKENS,
    WORLDS_EACH,
    Courses,
)
from .dynamics_readings import interval

Array = NDArray[np.float64]
By = Mapping[str, Course]

ALL = (RESPONSES, LINEAR, TOKENS)


@dataclass(frozen=True)
class Rule:
    """A statement before it meets data.

    Args:
        name: Of the outcome.
        says: The statement in one sentence.
        criterion: What is measured, in words.
        measure: Reads a number off each world, which is to be positive.
        toys: Where it is to hold.
    """

    name: str
    says: str
    criterion: str
    measure: Callable[[By], Array]
    toys: tuple[str, ...] = ALL

    def judge(self, courses: Courses) -> Prediction:
        """The statement on every replicate."""
        by_toy = {
            toy: self.measure({method: c for (world, method), c in courses.items() if world == toy})
            for toy in self.toys
        }
        outcomes = []
        for replicate in range(REPLICATES):
            worlds = slice(replicate * WORLDS_EACH, (replicate + 1) * WORLDS_EACH)
            ranges = {toy: interval(values[worlds]) for toy, values in by_toy.items()}
            numbers = {
                f"{toy}, {name}": value
                for toy, three in ranges.items()
                for name, value in zip(("mean", "low", "high"), three, strict=True)
            }
            outcomes.append(Outcome(replicate, _holds(list(ranges.values())), numbers))
        return Prediction(self.name, self.says, self.criterion, tuple(outcomes))


def _holds(ranges: list[tuple[float, float, float]]) -> bool | None:
    if all(low > 0 for _, low, _ in ranges):
        return True
    return False if any(high < 0 for *_, high in ranges) else None
