"""Findings on regimes: where the predictions of yuan2025, section 4.3, hold, and why."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...judging.prediction import Numbers, Rule
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces, regime_numbers

if TYPE_CHECKING:
    from ..questions.regimes import Regime

_DECIDED = 2.0  # standard errors


def _each(pieces: Pieces) -> Iterator[tuple[Any, Numbers]]:
    for piece, arrays in pieces.items():
        for rule in range(len(piece.rules)):
            yield piece, regime_numbers(arrays, rule)


def _moved(numbers: Numbers) -> int:
    """1 where the chosen surely rose, -1 where it surely fell, else 0."""
    change = numbers["change of the chosen"]
    if abs(change) <= _DECIDED * numbers["standard error"]:
        return 0
    return 1 if change > 0 else -1


def _direction(style: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        moved = [_moved(n) for piece, n in _each(pieces) if piece.style == style]
        if not moved:
            return {}
        names = {1: "regimes where it rises", -1: "where it falls", 0: "undecided"}
        return {name: float(moved.count(sign)) for sign, name in names.items()}

    return numbers


def _explained(pieces: Pieces) -> Numbers:
    agree = [
        (n["cosine half-way"] > 0) == (_moved(n) < 0) for _, n in _each(pieces) if _moved(n) != 0
    ]
    if not agree:
        return {}
    return {"share that the cosine's sign decides": sum(agree) / len(agree), "runs": len(agree)}


def _promised(pieces: Pieces) -> Numbers:
    fell = [n["own condition at the start"] for _, n in _each(pieces) if _moved(n) < 0]
    if not fell:
        return {}
    return {"lowest share of pairs promised a rise": min(fell), "runs that fall": len(fell)}


def _saturation(pieces: Pieces) -> Numbers:
    taught = {
        piece.supervision.steps: regime_numbers(arrays, 0)
        for piece, arrays in pieces.items()
        if (piece.style, piece.supervision.shown) == ("long suffix", "both labels")
    }
    if len(taught) < 2:
        return {}
    return {
        f"{name} after {steps} steps": numbers[name]
        for steps, numbers in sorted(taught.items())
        for name in ("cosine at the start", "suffix log-probability at the start")
    }


def _falls_with_teaching(numbers: Numbers) -> bool:
    cosines = [v for name, v in numbers.items() if name.startswith("cosine")]
    return all(later < earlier for earlier, later in pairwise(cosines))


_EVERYWHERE = (
    "in every regime (amount and kind of supervised fine-tuning, optimizer, learning rate) the "
    f"mean held-out change exceeds {_DECIDED:g} standard errors that way"
)

RULES: tuple[Rule[Pieces], ...] = (
    Rule(
        name="single-rises-everywhere",
        says="single token: the chosen rises in every regime.",
        criterion=_EVERYWHERE,
        numbers=_direction("single token"),
        holds=lambda n: not n["where it falls"] and not n["undecided"],
    ),
    Rule(
        name="long-falls-everywhere",
        says="long suffix: the chosen falls in every regime.",
        criterion=_EVERYWHERE,
        numbers=_direction("long suffix"),
        holds=lambda n: not n["regimes where it rises"] and not n["undecided"],
    ),
    Rule(
        name="cosine-decides",
        says="Whether the chosen falls is told by the sign of the cosine of the two scores "
        "half-way.",
        criterion=f"of all runs whose change exceeds {_DECIDED:g} standard errors, the chosen "
        "falls where the mean cosine half-way is positive and rises where it is not, in at least "
        "80 %",
        numbers=_explained,
        holds=lambda n: n["share that the cosine's sign decides"] >= 0.8,
    ),
    Rule(
        name="own-gram-blind",
        says="Where the chosen falls, the pairs' own Grams at the start had promised a rise.",
        criterion=f"in every run whose chosen falls by more than {_DECIDED:g} standard errors at "
        "least 75 % of the held-out pairs meet their own condition at the start (written after "
        "seeds 10 and 11)",
        numbers=_promised,
        holds=lambda n: n["lowest share of pairs promised a rise"] >= 0.75,
    ),
    Rule(
        name="teaching-lowers-cosine",
        says="long suffix: the longer the supervised fine-tuning, the lower the cosine it starts "
        "from.",
        criterion="over the amounts of fine-tuning on both labels the mean cosine at the start "
        "falls each time",
        numbers=_saturation,
        holds=_falls_with_teaching,
    ),
)


def _rows(piece: "Regime", arrays: Arrays) -> list[Row]:
    taught = piece.supervision
    settings = {"style": piece.style, "shown": taught.shown, "sft steps": taught.steps}
    return [
        {**settings, "optimizer": rule.kind, "rate": rule.rate, **regime_numbers(arrays, i)}
        for i, rule in enumerate(piece.rules)
    ]


QUESTION = Question(
    name="regimes",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="regimes",
            caption="Change of the chosen by fine-tuning, optimizer and learning rate, per "
            "response style",
            drawing="gpt2.comparisons:regimes_picture",
        ),
    ),
)
