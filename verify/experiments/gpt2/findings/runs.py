"""Findings on followed runs: the predictions of yuan2025, section 4.3, on another model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from disband.lm.data.styles import STYLES
from disband.theory.gram import Gram

from ...judging.intervals import interval
from ...judging.prediction import Numbers, Rule
from ...sentiment import rules
from ...sentiment.rules import Styles
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces, run_numbers

if TYPE_CHECKING:
    from ..pretrained import Followed
    from ..questions.runs import Run

    Piece = Run | Followed

Array = npt.NDArray[Any]

# Of yuan2025's figures, 1, 2 and 5 show both log-probabilities under many objectives, 6 cosines.
_EXTREMES = ("RRHF", "DPO")


def _of_dpo(numbers: Callable[[Styles], Numbers]) -> Callable[[Pieces], Numbers]:
    """Of the seeds on which DPO was followed on all four styles, token by token too."""

    def of_styles(pieces: Pieces) -> Numbers:
        runs = {piece.style: a for piece, a in pieces.items() if piece.trained_by == "DPO"}
        whole = runs.keys() >= set(STYLES) and "token_gram" in runs["prefix+suffix"]
        return numbers(runs) if whole else {}

    return of_styles


def run_rows(piece: "Piece", arrays: Arrays) -> list[Row]:
    row = {"objective": piece.trained_by, "style": piece.style, **run_numbers(arrays)}
    if "untaught" in arrays:
        row |= _learnt(arrays) | _promises(arrays)
    return [row]


def _learnt(arrays: Arrays) -> Row:
    """Whether the model can do the task: share of held-out pairs whose chosen is the likelier.

    And how far the run went, with the 95 % intervals of both changes over the held-out pairs.
    """
    states = {
        "before fine-tuning": arrays["untaught"],
        "after it": arrays["reference"],
        "at the end": (arrays["logp_w"][-1], arrays["logp_l"][-1]),
    }
    ends = {
        f"interval of change of the {side}": interval(arrays[name][-1] - arrays[name][0])[
            1:
        ].tolist()
        for side, name in (("chosen", "logp_w"), ("rejected", "logp_l"))
    }
    right = {f"right {when}": float(np.greater(*sides).mean()) for when, sides in states.items()}
    margin = np.subtract(arrays["logp_w"], arrays["logp_l"]).mean(1)
    return {
        **right,
        **ends,
        **_parted(arrays),
        "updates": float(arrays["steps"][-1]),
        "margin at the start": float(margin[0]),
        "margin gained": float(margin[-1] - margin[0]),
    }


def _parted(arrays: Arrays) -> Numbers:
    """Change of the chosen where it was the likelier after fine-tuning, and where it was not."""
    change = arrays["logp_w"][-1] - arrays["logp_w"][0]
    right = np.greater(*arrays["reference"])
    parts = {"right": change[right], "wrong": change[~right]}
    return {
        f"{name} where {which}": float(value)
        for which, part in parts.items()
        if len(part) > 1
        for name, value in (
            ("change of the chosen", part.mean()),
            ("its standard error", part.std(ddof=1) / np.sqrt(len(part))),
        )
    }


def _promises(arrays: Arrays) -> Numbers:
    """What first order says of the chosen: of single updates, and at the start of the whole run.

    ``promise kept`` is the share of signs, over the followed updates and pairs; ``own promise``
    is that of a pair's own Gram at the start, whose sign is compared with the run's change. The
    sum takes each followed update's promise for all updates until the next that was followed.
    """
    promised, kept = (arrays[name][:, 0] for name in ("promised", "kept"))
    own = arrays["d_w"][0] * arrays["sq_w"][0] - arrays["d_l"][0] * arrays["dot"][0]
    change = (arrays["logp_w"][-1] - arrays["logp_w"][0])[: len(own)]
    total = np.diff(arrays["steps"]) @ promised

    def same(one: Array, other: Array) -> float:
        return float((np.sign(one) == np.sign(other)).mean())

    return {
        "promise kept by updates": same(promised, kept),
        "size error of updates": float(np.abs(promised - kept).mean() / np.abs(kept).mean()),
        "own promise at the start": float((own > 0).mean()),
        "own promise kept by the run": same(own, change),
        "first update's promise kept by the run": same(promised[0], change),
        "sum of promises kept by the run": same(total, change),
    }


def run_curve(piece: "Piece", arrays: Arrays) -> list[Row]:
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


def styled(rows: Sequence[Row]) -> list[Row]:
    """Runs of DPO on the response styles of section 4.3, where there are some to compare."""
    found = [row for row in rows if row["objective"] == "DPO" and row["style"] in STYLES]
    return found if len({row["style"] for row in found}) > 1 else []


def _objectives(rows: Sequence[Row]) -> list[Row]:
    """The runs that are not there to compare styles."""
    apart = styled(rows)
    return [row for row in rows if row not in apart]


def _extremes(rows: Sequence[Row]) -> list[Row]:
    return [row for row in _objectives(rows) if row["objective"] in _EXTREMES]


def heat(rows: Sequence[Row]) -> list[Row]:
    """The first run whose token Gram is known, of the style that section 4.3 shows it of."""
    known = [row for row in styled(rows) if "token_gram" in row]
    return [row for row in known if row["style"] == "prefix+suffix"][:1]


def _of_followed(*names: str) -> Callable[[Pieces], Numbers]:
    """Numbers of every followed run of DPO on a response style."""

    def numbers(pieces: Pieces) -> Numbers:
        runs = {
            piece.style: _promises(arrays) | _parted(arrays)
            for piece, arrays in pieces.items()
            if piece.trained_by == "DPO" and piece.style in STYLES and "promised" in arrays
        }
        whole = runs.keys() >= set(STYLES) and all(n in runs[s] for s in STYLES for n in names)
        return {f"{style}, {n}": runs[style][n] for style in STYLES for n in names if whole}

    return numbers


def _named(numbers: Numbers, name: str) -> list[float]:
    return [number for key, number in numbers.items() if key.endswith(f", {name}")]


def _spared(pieces: Pieces) -> Numbers:
    """How much more of the chosen calibration leaves, by style, nats."""
    changes = {
        (piece.trained_by, piece.style): float((a["logp_w"][-1] - a["logp_w"][0]).mean())
        for piece, a in pieces.items()
        if "promised" in a
    }
    return {
        style: changes["DPO, calibrated", style] - change
        for (by, style), change in changes.items()
        if by == "DPO" and ("DPO, calibrated", style) in changes
    }


def _parts_part(numbers: Numbers) -> bool | None:
    """Whether one part rises and the other falls; None where one may do either."""
    signed = [
        (sign * change, rules.NOISE * error)
        for sign, change_of, error_of in ((1, _RIGHT, _ERRORS[0]), (-1, _WRONG, _ERRORS[1]))
        for change, error in zip(_named(numbers, change_of), _named(numbers, error_of), strict=True)
    ]
    if any(change < -noise for change, noise in signed):
        return False
    return True if all(change > noise for change, noise in signed) else None


_KEPT, _ERROR = "promise kept by updates", "size error of updates"
_SUM, _FIRST = "sum of promises kept by the run", "first update's promise kept by the run"
_OWN = "own promise kept by the run"
_RIGHT, _WRONG = (f"change of the chosen where {which}" for which in ("right", "wrong"))
_ERRORS = tuple(f"its standard error where {which}" for which in ("right", "wrong"))
FOLLOWED: tuple[Rule[Pieces], ...] = (
    Rule(
        name="updates-first-order",
        says="Each update moves the chosen as first order says of that update.",
        criterion="in every style at least 95 % of the signs, over updates and held-out pairs, and "
        "an error in size of at most 10 % (written after seed 0 of the pretrained model)",
        numbers=_of_followed(_KEPT, _ERROR),
        holds=lambda n: min(_named(n, _KEPT)) >= 0.95 and max(_named(n, _ERROR)) <= 0.1,
    ),
    Rule(
        name="run-is-sum",
        says="A whole run moves the chosen as the first-order promises of its updates add up.",
        criterion="in every style the sum has the sign of the run's change for at least 90 % of "
        "the held-out pairs (written after seed 0 of the pretrained model)",
        numbers=_of_followed(_SUM),
        holds=lambda n: min(_named(n, _SUM)) >= 0.9,
    ),
    Rule(
        name="start-does-not-tell",
        says="What the chosen does over a run is not told at its start, by a pair's own Gram or by "
        "the first update of the batch.",
        criterion="either gives the right sign for at least a tenth fewer of the held-out pairs "
        "than the sum over the updates, mean over the styles (written after seed 0 of the "
        "pretrained model)",
        numbers=_of_followed(_SUM, _FIRST, _OWN),
        holds=lambda n: (
            max(fmean(_named(n, _FIRST)), fmean(_named(n, _OWN))) <= fmean(_named(n, _SUM)) - 0.1
        ),
    ),
    Rule(
        name="known-rise",
        says="The chosen rises where the right response was the likelier one before the preference "
        "training, and falls where it was not.",
        criterion="in every style, by two standard errors over the held-out pairs of either kind; "
        "a mean within two of none decides nothing (written after all three seeds of the "
        "pretrained model)",
        numbers=_of_followed(_RIGHT, _ERRORS[0], _WRONG, _ERRORS[1]),
        holds=_parts_part,
    ),
)
SPARED: Rule[Pieces] = Rule(
    name="followed-calibrated",
    says="DPO with calibrated batches leaves the chosen higher than DPO, where either ends once "
    "the margin has grown.",
    criterion="the change of the chosen, mean over the held-out pairs, is higher in every style "
    "on which both ran",
    numbers=_spared,
    holds=lambda n: min(n.values()) > 0,
)
SECTION_43 = tuple(replace(rule, numbers=_of_dpo(rule.numbers)) for rule in rules.RULES)

QUESTION = Question(
    name="runs",
    rows=run_rows,
    curve=run_curve,
    rules=(*SECTION_43, *FOLLOWED, SPARED),
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
            rows=styled,
            drawing="gpt2.runs:runs_picture",
        ),
        Picture(
            name="figure-4a",
            caption="Figure 4a of yuan2025 on this model: cosine of the two scores, by response "
            "style",
            rows=styled,
            drawing="gpt2.runs:cosine_picture",
        ),
        Picture(
            name="figure-4b",
            caption="Figure 4b of yuan2025 on this model: cosines of the token scores of one pair",
            rows=heat,
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
