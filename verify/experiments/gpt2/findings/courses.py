"""Findings on a whole run: how much of the fall is first order, where it sits, what removes it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...judging.prediction import Numbers, Rule
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces, course_shares

if TYPE_CHECKING:
    from ..questions.courses import Course


def _course(pieces: Pieces, **wanted: Any) -> Numbers:
    for piece, arrays in pieces.items():
        if all(getattr(piece, name) == value for name, value in wanted.items()):
            return course_shares(arrays)
    return {}


def _fall(style: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        shares = _course(pieces, style=style, labels="true", mix="balanced", batch=32)
        if not shares:
            return {}
        return {
            "change of the chosen": shares["measured"],
            "first order": shares["first order"],
            "curvature": shares["curvature"],
            "in the suffix": shares["suffix, measured"],
            "in the label": shares["label, measured"],
        }

    return numbers


def _controls(pieces: Pieces) -> Numbers:
    style = "long suffix"
    true = _course(pieces, style=style, labels="true", mix="balanced", batch=32)
    shuffled = _course(pieces, style=style, labels="shuffled", mix="balanced", batch=32)
    if not (true and shuffled):
        return {}
    return {"true labels": true["measured"], "shuffled labels": shuffled["measured"]}


RULES: tuple[Rule[Pieces], ...] = (
    *(
        Rule(
            name=f"{style.split()[0]}-fall-first-order",
            says=f"{style}: the fall of the chosen under DPO with Adam is first order.",
            criterion="the chosen falls, and what the updates do to first order, added up, is "
            "between 80 % and 125 % of the fall",
            numbers=_fall(style),
            holds=lambda n: (
                None
                if n["change of the chosen"] >= 0
                else 0.8 <= n["first order"] / n["change of the chosen"] <= 1.25
            ),
        )
        for style in ("short suffix", "long suffix")
    ),
    Rule(
        name="fall-in-suffix",
        says="long suffix: the fall of the chosen sits in the tokens that both responses share.",
        criterion="the chosen falls, and more than half of the fall is in the suffix",
        numbers=_fall("long suffix"),
        holds=lambda n: (
            None
            if n["change of the chosen"] >= 0
            else n["in the suffix"] < n["change of the chosen"] / 2
        ),
    ),
    Rule(
        name="labels-matter",
        says="long suffix: with labels that say nothing of the tweets the chosen does not fall.",
        criterion="the chosen falls with true labels, and with shuffled ones by less than a "
        "quarter of that",
        numbers=_controls,
        holds=lambda n: (
            None if n["true labels"] >= 0 else n["shuffled labels"] > n["true labels"] / 4
        ),
    ),
)


def _rows(piece: "Course", arrays: Arrays) -> list[Row]:
    settings = {
        "style": piece.style,
        "optimizer": piece.rule.kind,
        "rate": piece.rule.rate,
        "labels": piece.labels,
        "mix": piece.mix,
        "batch": piece.batch,
    }
    return [
        {**settings, "response": name, **course_shares(arrays, side)}
        for side, name in enumerate(("chosen", "rejected"))
    ]


QUESTION = Question(
    name="courses",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="many-steps",
            caption="What the change of the chosen over a run is made of, and which tokens carry "
            "it",
            drawing="gpt2.steps:courses_picture",
        ),
    ),
)
