"""A statement before it meets data, and what became of it, seed by seed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Numbers = dict[str, float]
Results = TypeVar("Results")


@dataclass(frozen=True, kw_only=True)
class Rule(Generic[Results]):
    """A statement before it meets data.

    Args:
        name: Stable identifier.
        says: The statement in one English sentence.
        criterion: When it counts as holding on a seed, in words.
        numbers: Reads from the results of one seed what decides; empty where what it needs was
            not run.
        holds: Decides by these numbers; ``None`` where they decide nothing.
    """

    name: str
    says: str
    criterion: str
    numbers: Callable[[Results], Numbers]
    holds: Callable[[Numbers], bool | None]


@dataclass(frozen=True)
class Outcome:
    """Whether a statement held on one seed (``None``: undecided), and what decides it."""

    seed: int
    holds: bool | None
    numbers: Numbers


@dataclass(frozen=True)
class Prediction:
    """A statement and its outcome on every seed that had what it needs.

    Args:
        name, says, criterion: As its rule's.
        outcomes: One for each such seed.
    """

    name: str
    says: str
    criterion: str
    outcomes: tuple[Outcome, ...]

    @property
    def count(self) -> int:
        """Number of seeds on which it held."""
        return sum(outcome.holds is True for outcome in self.outcomes)


def judge(rules: Iterable[Rule[Results]], by_seed: Mapping[int, Results]) -> tuple[Prediction, ...]:
    """Every statement on every seed; one that no seed has the numbers for is left out."""
    judged = []
    for rule in rules:
        numbers = {seed: rule.numbers(results) for seed, results in by_seed.items()}
        outcomes = tuple(Outcome(seed, rule.holds(n), n) for seed, n in numbers.items() if n)
        if outcomes:
            judged.append(Prediction(rule.name, rule.says, rule.criterion, outcomes))
    return tuple(judged)


def criteria(rules: Iterable[Rule[Results]]) -> dict[str, str]:
    """The criterion of each rule by its name."""
    return {rule.name: rule.criterion for rule in rules}
