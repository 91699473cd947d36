"""Findings on one update: what predicts the change of a response, and how far."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from ...judging.prediction import Numbers, Rule
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces, step_scores

if TYPE_CHECKING:
    from ..questions.steps import Steps

MANY = 8
# Of the rates of each optimizer, in rising order: those at which a step is small.
SMALL = 2
LARGE = 0.1


def _scores(pieces: Pieces) -> Iterator[tuple[Any, int, dict[str, float]]]:
    for piece, arrays in pieces.items():
        for rate in range(len(piece.rates)):
            yield piece, rate, step_scores(arrays, rate)


def _first_order(pieces: Pieces) -> Numbers:
    rows = [scores for _, rate, scores in _scores(pieces) if rate < SMALL]
    if not rows:
        return {}
    return {
        "lowest share of signs": min(s["first order, signs"] for s in rows),
        "largest size error": max(s["first order, size error"] for s in rows),
        "runs": float(len(rows)),
    }


def _breaks(pieces: Pieces) -> Numbers:
    errors: dict[int, list[float]] = {}
    for piece, rate, scores in _scores(pieces):
        if piece.batch >= MANY:
            errors.setdefault(rate, []).append(scores["first order, size error"])
    if len(errors) < SMALL + 2:
        return {}
    return {
        f"{which} size error at rate {rate + 1}": pick(values)
        for rate, values in sorted(errors.items())
        for which, pick in (("least", min), ("largest", max))
    }


def _growth(pieces: Pieces) -> Numbers:
    factors: list[float] = []
    limits: dict[str, list[float]] = {}
    for piece, arrays in pieces.items():
        if len(piece.rates) < SMALL:
            continue
        first, second = (
            step_scores(arrays, rate)["first order, size error"] for rate in range(SMALL)
        )
        factors.append(second / first)
        limits.setdefault(piece.kind, []).append(piece.rates[0] * LARGE / first)
    if not factors:
        return {}
    return {
        "lowest factor": min(factors),
        "highest factor": max(factors),
        **{f"{kind}: rate of a 10 % error": median(rates) for kind, rates in limits.items()},
    }


def _own_pair(pieces: Pieces) -> Numbers:
    return _extremes(
        [s["own pair, signs"] for p, rate, s in _scores(pieces) if p.batch >= MANY and rate < SMALL]
    )


def _majority(pieces: Pieces) -> Numbers:
    return _extremes(
        [
            s["majority, signs"]
            for p, rate, s in _scores(pieces)
            if (p.kind, p.mix) == ("sgd", "drawn") and p.batch >= MANY and rate < SMALL
            if "majority, signs" in s
        ]
    )


def _extremes(shares: Sequence[float]) -> Numbers:
    if not shares:
        return {}
    return {"lowest share of signs": min(shares), "highest share of signs": max(shares)}


_RATES = (
    "of the four learning rates of each optimizer (SGD 1e-4 to 1e-1, momentum 1e-5 to 1e-2, Adam "
    "and AdamW 1e-7 to 1e-4)"
)

RULES: tuple[Rule[Pieces], ...] = (
    Rule(
        name="first-order",
        says="The batch Gram in the optimizer's metric, with its memory and decay, predicts the "
        "change of every response in a batch of any size under SGD, momentum, Adam and AdamW.",
        criterion=f"at every batch size and the {SMALL} smaller {_RATES}, at least 99 % of the "
        "signs and an error in size of at most 2 %",
        numbers=_first_order,
        holds=lambda n: n["lowest share of signs"] >= 0.99 and n["largest size error"] <= 0.02,
    ),
    Rule(
        name="first-order-breaks",
        says="The first-order law breaks as the learning rate grows.",
        criterion=f"in batches of {MANY} and more its error in size exceeds 10 % at the largest "
        f"{_RATES}, "
        "under each of them, and stays below 15 % at the second largest",
        numbers=_breaks,
        holds=lambda n: (
            n["least size error at rate 4"] > 0.1 and n["largest size error at rate 3"] < 0.15
        ),
    ),
    Rule(
        name="first-order-error",
        says="The size error of the first-order law grows in proportion to the learning rate, so "
        "where it breaks can be read off a small step.",
        criterion="from the smallest rate to one ten times as large the error grows by a factor "
        "of 8 to 12.5 under every optimizer and batch size (written after seeds 10 and 11); the "
        "rate of a 10 % error extends that line, median over the batch sizes",
        numbers=_growth,
        holds=lambda n: n["lowest factor"] >= 8 and n["highest factor"] <= 12.5,
    ),
    Rule(
        name="own-pair",
        says="The condition on a pair's own Gram does not predict what a step on a batch does to "
        "it.",
        criterion=f"in batches of {MANY} and more, at some setting with one of the {SMALL} "
        "smaller rates, it gets fewer than 80 % of the signs",
        numbers=_own_pair,
        holds=lambda n: n["lowest share of signs"] < 0.8,
    ),
    Rule(
        name="majority",
        says="Under SGD the chosen rises if its label has the majority in the batch, and else "
        "falls.",
        criterion=f"in drawn batches of {MANY} and more, for at least 95 % of the chosen, at the "
        f"{SMALL} "
        "smaller rates",
        numbers=_majority,
        holds=lambda n: n["lowest share of signs"] >= 0.95,
    ),
)


def _rows(piece: "Steps", arrays: Arrays) -> list[Row]:
    settings = {"style": piece.style, "optimizer": piece.kind, "batch": piece.batch}
    return [
        {**settings, "rate": rate, **step_scores(arrays, i)} for i, rate in enumerate(piece.rates)
    ]


QUESTION = Question(
    name="steps",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="one-step",
            caption="What predicts one update: the batch Gram in the optimizer's metric, and what "
            "does not",
            drawing="gpt2.steps:steps_picture",
        ),
    ),
)
