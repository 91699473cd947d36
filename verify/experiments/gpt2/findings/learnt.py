"""Findings on the small GPT-2 once it knows its task: section 4.3 and first order, again."""

from dataclasses import replace

import numpy as np

from disband.lm.data.styles import STYLES

from ...judging.prediction import Numbers, Rule
from ..question import Question
from ..readings import Pieces
from . import runs

# Half are right by chance, and a linear reader of words gets 87 %. On seed 100 it was 75 to 86 %.
KNOWN = 0.7


def _right(pieces: Pieces) -> Numbers:
    """Share of held-out pairs whose right response is the likelier one after fine-tuning."""
    found = {
        piece.style: float(np.greater(*arrays["reference"]).mean())
        for piece, arrays in pieces.items()
    }
    return found if found.keys() >= set(STYLES) else {}


KNOWS: Rule[Pieces] = Rule(
    name="learnt-labels",
    says="After fine-tuning the small GPT-2 gives the right response the higher probability.",
    criterion=f"in every style for at least {KNOWN:.0%} of the held-out pairs",
    numbers=_right,
    holds=lambda n: min(n.values()) >= KNOWN,
)

QUESTION = Question(
    name="learnt",
    rows=runs.run_rows,
    curve=runs.run_curve,
    rules=(
        KNOWS,
        *(
            replace(rule, name=f"learnt-{rule.name}", says=f"Once it knows its task: {rule.says}")
            for rule in (*runs.SECTION_43, *runs.FOLLOWED)
        ),
    ),
    pictures=tuple(
        replace(
            picture,
            name=f"learnt-{picture.name}",
            caption=picture.caption.replace("this model", "a small GPT-2 that knows its task"),
        )
        for picture in runs.QUESTION.pictures
        if picture.rows in (runs.styled, runs.heat)
    ),
)
