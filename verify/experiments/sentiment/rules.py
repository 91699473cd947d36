"""The predictions of yuan2025, section 4.3, judged on what the sentiment study measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.theory.gram import Gram

Array = npt.NDArray[Any]
Results = Mapping[tuple[int, str], Mapping[str, Array]]
Numbers = dict[str, float]

BEFORE, AFTER = 0, -1
# A mean change below so many standard errors over the pairs decides nothing.
NOISE = 2


@dataclass(frozen=True)
class Outcome:
    """Whether a prediction held on one seed (``None``: within noise), and what decides it."""

    seed: int
    holds: bool | None
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Prediction:
    """One prediction and its outcome on every seed.

    Args:
        name: Stable identifier.
        says: The prediction in one English sentence.
        criterion: When it counts as holding on a seed. Only signs and orders are judged: the
            sizes vary widely between seeds.
        outcomes: One for each seed.
    """

    name: str
    says: str
    criterion: str
    outcomes: tuple[Outcome, ...]

    @property
    def count(self) -> int:
        """Number of seeds on which it held."""
        return sum(outcome.holds is True for outcome in self.outcomes)


def predictions(results: Results) -> tuple[Prediction, ...]:
    """Judge every prediction on every seed of ``results``, which maps ``(seed, style)``.

    Raises:
        ValueError: A seed lacks a style.
    """
    seeds = sorted({seed for seed, _ in results})
    styles = {style for rule in _RULES for style in rule.styles}
    if missing := [(s, style) for s in seeds for style in styles if (s, style) not in results]:
        raise ValueError(
            f"the predictions compare all styles of a seed: missing {sorted(missing)}; "
            "run the study on every style"
        )
    return tuple(
        Prediction(
            rule.name,
            rule.says,
            rule.criterion,
            tuple(rule.judge(seed, results) for seed in seeds),
        )
        for rule in _RULES
    )


@dataclass(frozen=True)
class _Rule:
    """A prediction before it meets data."""

    name: str
    says: str
    criterion: str
    styles: tuple[str, ...]
    numbers: Callable[..., Numbers]
    holds: Callable[[Numbers], bool | None]

    def judge(self, seed: int, results: Results) -> Outcome:
        numbers = self.numbers(*(results[seed, style] for style in self.styles))
        return Outcome(seed, self.holds(numbers), numbers)


def change(run: Mapping[str, Array], side: str = "logp_w") -> Array:
    """Change of each pair's log-probability over DPO, ``(eval_pairs,)``, nats."""
    difference: Array = run[side][AFTER] - run[side][BEFORE]
    return difference


def mean_cosines(run: Mapping[str, Array]) -> Array:
    """Cosine of chosen and rejected score at each measurement, mean over pairs, ``(G,)``."""
    cosine: Array = Gram(run["sq_w"], run["sq_l"], run["dot"]).cosine.mean(1)
    return cosine


def position_cosines(run: Mapping[str, Array]) -> tuple[Array, int]:
    """Cosine of the scores of the two tokens at each position, and where the tokens differ.

    Returns:
        ``(2, length)``, before and after DPO, mean over pairs; and the differing position.

    Raises:
        ValueError: The two responses do not differ in exactly one token.
    """
    tokens = run["tokens"]
    length = len(tokens) // 2
    differing = np.flatnonzero(tokens[:length] != tokens[length:])
    if len(tokens) % 2 or len(differing) != 1:
        raise ValueError(
            "the responses must have equal lengths and differ in one token: "
            f"got {' '.join(tokens)}; use a style whose labels are single tokens"
        )
    gram = run["token_gram"]
    squares = np.diagonal(gram, axis1=-2, axis2=-1)
    across = np.diagonal(gram[..., :length, length:], axis1=-2, axis2=-1)
    cosine = Gram(squares[..., :length], squares[..., length:], across).cosine
    return cosine.mean(1), int(differing[0])


def _change(run: Mapping[str, Array], side: str = "logp_w") -> Numbers:
    changes = change(run, side)
    error = changes.std(ddof=1) / np.sqrt(len(changes))
    return {"change": float(changes.mean()), "standard error": float(error)}


def _rises(n: Numbers) -> bool | None:
    return None if abs(n["change"]) <= NOISE * n["standard error"] else n["change"] > 0


def _falls(n: Numbers) -> bool | None:
    return None if (rises := _rises(n)) is None else not rises


def _two_changes(short: Mapping[str, Array], long: Mapping[str, Array]) -> Numbers:
    return {"short": float(change(short).mean()), "long": float(change(long).mean())}


def _cosine_range(run: Mapping[str, Array]) -> Numbers:
    cosines = mean_cosines(run)
    return {
        "start": float(cosines[BEFORE]),
        "lowest": float(cosines.min()),
        "highest": float(cosines.max()),
        "mean while training": float(cosines[1:].mean()),
        "end": float(cosines[AFTER]),
    }


def _two_cosines(short: Mapping[str, Array], long: Mapping[str, Array]) -> Numbers:
    return {
        name: float(mean_cosines(run)[1:].mean())
        for name, run in (("short", short), ("long", long))
    }


def _token_rule(when: str, at: int, *, differing: bool) -> _Rule:
    def numbers(run: Mapping[str, Array]) -> Numbers:
        cosines, position = position_cosines(run)
        if differing:
            return {"cosine": float(cosines[at, position])}
        # Before the differing token the contexts are the same, so equal tokens have one score.
        return {"lowest cosine": float(cosines[at, position + 1 :].min())}

    if differing:
        return _Rule(
            f"token-differing-{when}",
            f"{when} DPO, the scores of the differing tokens have a negative product",
            "their cosine, mean over pairs, is below 0",
            ("prefix+suffix",),
            numbers,
            lambda n: n["cosine"] < 0,
        )
    return _Rule(
        f"token-identical-{when}",
        f"{when} DPO, the scores of identical tokens after the differing one "
        "have positive products",
        "at every such position the cosine, mean over pairs, is above 0",
        ("prefix+suffix",),
        numbers,
        lambda n: n["lowest cosine"] > 0,
    )


_OVER_DPO = "its mean over the held-out pairs is {} after DPO than before, by two standard errors"

_SHORT = {"short suffix": "short", "long suffix": "long", "prefix+suffix": "prefix"}

_RULES = (
    _Rule(
        "chosen-single-rises",
        "single token: DPO raises the chosen log-probability",
        _OVER_DPO.format("higher"),
        ("single token",),
        _change,
        _rises,
    ),
    _Rule(
        "rejected-single-falls",
        "single token: DPO lowers the rejected log-probability",
        _OVER_DPO.format("lower"),
        ("single token",),
        lambda run: _change(run, "logp_l"),
        _falls,
    ),
    *(
        _Rule(
            f"chosen-{_SHORT[style]}-falls",
            f"{style}: DPO lowers the chosen log-probability",
            _OVER_DPO.format("lower"),
            (style,),
            _change,
            _falls,
        )
        for style in ("short suffix", "long suffix", "prefix+suffix")
    ),
    _Rule(
        "chosen-long-falls-more",
        "the chosen log-probability falls more for the long suffix than for the short one",
        "the mean change over DPO is lower for the long suffix",
        ("short suffix", "long suffix"),
        _two_changes,
        lambda n: n["long"] < n["short"],
    ),
    _Rule(
        "cosine-single-negative",
        "single token: the cosine of the chosen and the rejected score stays negative",
        "its mean over pairs is below 0 at every measurement",
        ("single token",),
        _cosine_range,
        lambda n: n["highest"] < 0,
    ),
    *(
        _Rule(
            f"cosine-{style.split()[0]}-positive",
            f"{style}: the cosine of the chosen and the rejected score is positive in training",
            "its mean over pairs and over the measurements after the first update is above 0",
            (style,),
            _cosine_range,
            lambda n: n["mean while training"] > 0,
        )
        for style in ("short suffix", "long suffix")
    ),
    _Rule(
        "cosine-long-higher",
        "the cosine is higher for the long suffix than for the short one",
        "its mean over pairs and over the measurements after the first update is higher",
        ("short suffix", "long suffix"),
        _two_cosines,
        lambda n: n["long"] > n["short"],
    ),
    *(
        _token_rule(when, at, differing=differing)
        for differing in (True, False)
        for when, at in (("before", BEFORE), ("after", AFTER))
    ),
)

CRITERIA = {rule.name: rule.criterion for rule in _RULES}
