"""A finding before it meets data: what it says, and the criterion that decides it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...sentiment.rules import Outcome, Prediction

Arrays = Mapping[str, Any]
# What one question found on one seed, piece by piece.
Found = Mapping[Any, Arrays]
Numbers = dict[str, float]


@dataclass(frozen=True)
class Rule:
    """A finding before it meets data; see :class:`Prediction` for the words.

    Args:
        name, says, criterion: As a prediction's.
        question: Whose results decide it.
        numbers: Reads from one seed what decides; empty where what it needs was not run.
        holds: Decides by these numbers; ``None`` where they decide nothing.
    """

    name: str
    question: str
    says: str
    criterion: str
    numbers: Callable[[Found], Numbers]
    holds: Callable[[Numbers], bool | None]

    def judge(self, results: Mapping[tuple[str, int, Any], Arrays]) -> Prediction | None:
        """The finding on every seed that has data for it; ``None`` without any."""
        seeds = sorted({seed for name, seed, _ in results if name == self.question})
        outcomes = []
        for seed in seeds:
            found = {p: a for (n, s, p), a in results.items() if (n, s) == (self.question, seed)}
            if numbers := self.numbers(found):
                outcomes.append(Outcome(seed, self.holds(numbers), numbers))
        if not outcomes:
            return None
        return Prediction(self.name, self.says, self.criterion, tuple(outcomes))
