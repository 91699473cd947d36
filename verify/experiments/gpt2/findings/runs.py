"""Findings on followed runs: the predictions of yuan2025, section 4.3, on another model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from disband.lm.data.styles import STYLES
from disband.theory.gram import Gram

from ...judging.prediction import Numbers
from ...sentiment import rules
from ...sentiment.rules import Styles
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces, run_numbers

if TYPE_CHECKING:
    from ..pretrained import Followed
    from ..questions.runs import Run

    Piece = Run | Followed

# Of yuan2025's figures, 1, 2 and 5 show both log-probabilities under many objectives, 6 cosines.
_EXTREMES = ("RRHF", "DPO")


def _of_dpo(numbers: Callable[[Styles], Numbers]) -> Callable[[Pieces], Numbers]:
    """Of the seeds on which DPO was followed on all four styles, token by token too."""

    def of_styles(pieces: Pieces) -> Numbers:
        runs = {piece.style: a for piece, a in pieces.items() if piece.trained_by == "DPO"}
        whole = runs.keys() >= set(STYLES) and "token_gram" in runs["prefix+suffix"]
        return numbers(runs) if whole else {}

    return of_styles


def _rows(piece: "Piece", arrays: Arrays) -> list[Row]:
    row = {"objective": piece.trained_by, "style": piece.style, **run_numbers(arrays)}
    if "untaught" in arrays:
        row |= _learnt(arrays) | _promises(arrays)
    return [row]


def _learnt(arrays: Arrays) -> Numbers:
    """Whether the model can do the task: share of held-out pairs whose chosen is the likelier."""
    states = {
        "before fine-tuning": arrays["untaught"],
        "after it": arrays["reference"],
        "at the end": (arrays["logp_w"][-1], arrays["logp_l"][-1]),
    }
    right = {f"right {when}": float(np.greater(*sides).mean()) for when, sides in states.items()}
    margin = np.subtract(arrays["logp_w"], arrays["logp_l"]).mean(1)
    return {
        **right,
        "updates": float(arrays["steps"][-1]),
        "margin at the start": float(margin[0]),
        "margin gained": float(margin[-1] - margin[0]),
    }


def _promises(arrays: Arrays) -> Numbers:
    """What first order says of the chosen: of single updates, and at the start of the whole run.

    ``promise kept`` is the share of signs, over the followed updates and pairs; ``own promise``
    is that of a pair's own Gram at the start, whose sign is compared with the run's change.
    """
    promised, kept = (arrays[name][:, 0] for name in ("promised", "kept"))
    own = arrays["d_w"][0] * arrays["sq_w"][0] - arrays["d_l"][0] * arrays["dot"][0]
    change = (arrays["logp_w"][-1] - arrays["logp_w"][0])[: len(own)]
    return {
        "promise kept by updates": float((np.sign(promised) == np.sign(kept)).mean()),
        "own promise at the start": float((own > 0).mean()),
        "own promise kept by the run": float((np.sign(own) == np.sign(change)).mean()),
        "first update's promise kept by the run": float(
            (np.sign(promised[0]) == np.sign(change)).mean()
        ),
    }


def _curve(piece: "Piece", arrays: Arrays) -> list[Row]:
    """Means over pairs.

    ``chosen`` and ``rejected`` are of whole responses, ``chosen per token`` and ``rejected per
    token`` of their tokens, all in nats; cosines and shares in the band; where they were taken,
    the words and the token Gram of the first pair, before and after.
    """
    cosine = Gram(*(arrays[part] for part in ("sq_w", "sq_l", "dot"))).cosine
    sides = zip(("chosen", "rejected"), ("logp_w", "logp_l"), arrays["lengths"], strict=True)
    row: Row = {
        "objective": piece.trained_by,
        "style": piece.style,
        "steps": arrays["steps"].tolist(),
        "gram steps": arrays["gram_steps"].tolist(),
        "cosine": np.nanmean(cosine, 1).tolist(),
        "in the band": arrays["in_band"].mean(1).tolist(),
    }
    for side, name, lengths in sides:
        row[side] = arrays[name].mean(1).tolist()
        row[f"{side} per token"] = (arrays[name] / lengths).mean(1).tolist()
    if "token_gram" in arrays:
        row["tokens"] = arrays["tokens"].tolist()
        row["token_gram"] = arrays["token_gram"][:, :1].tolist()
    return [row]


def _styles(rows: Sequence[Row]) -> list[Row]:
    """Runs of DPO on the response styles of section 4.3, where there are some to compare."""
    styled = [row for row in rows if row["objective"] == "DPO" and row["style"] in STYLES]
    return styled if len({row["style"] for row in styled}) > 1 else []


def _objectives(rows: Sequence[Row]) -> list[Row]:
    """The runs that are not there to compare styles."""
    apart = _styles(rows)
    return [row for row in rows if row not in apart]


def _extremes(rows: Sequence[Row]) -> list[Row]:
    return [row for row in _objectives(rows) if row["objective"] in _EXTREMES]


def _heat(rows: Sequence[Row]) -> list[Row]:
    """The first run whose token Gram is known, of the style that section 4.3 shows it of."""
    known = [row for row in _styles(rows) if "token_gram" in row]
    return [row for row in known if row["style"] == "prefix+suffix"][:1]


QUESTION = Question(
    name="runs",
    rows=_rows,
    curve=_curve,
    rules=tuple(replace(rule, numbers=_of_dpo(rule.numbers)) for rule in rules.RULES),
    pictures=(
        Picture(
            name="figure-1",
            caption="Figure 1 of yuan2025 on this task: both log-probabilities rise or fall "
            "together",
            rows=_extremes,
            drawing="gpt2.runs:runs_picture",
        ),
        Picture(
            name="figure-2",
            caption="Figures 2 and 5 of yuan2025 on this task: log-probabilities under many "
            "objectives",
            rows=_objectives,
            drawing="gpt2.runs:runs_picture",
        ),
        Picture(
            name="figure-3",
            caption="Figure 3 of yuan2025 on this model: DPO on the four response styles",
            rows=_styles,
            drawing="gpt2.runs:runs_picture",
        ),
        Picture(
            name="figure-4a",
            caption="Figure 4a of yuan2025 on this model: cosine of the two scores, by response "
            "style",
            rows=_styles,
            drawing="gpt2.runs:cosine_picture",
        ),
        Picture(
            name="figure-4b",
            caption="Figure 4b of yuan2025 on this model: cosines of the token scores of one pair",
            rows=_heat,
            drawing="gpt2.runs:token_picture",
        ),
        Picture(
            name="figure-6",
            caption="Figure 6 of yuan2025 on this task: cosine of the two scores under many "
            "objectives",
            rows=_objectives,
            drawing="gpt2.runs:cosine_picture",
        ),
    ),
)
