"""What the runs on GPT-2 say of where probability goes: jian2025's sentences on a real model."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from disband.theory.models.evolution import after

from ...judging.intervals import above, below, interval, named
from ...judging.prediction import Numbers, Rule
from ..arms import DPO, SPO, TERM
from ..question import Picture, Question, Row
from ..readings import GAINED, Arrays, Pieces

if TYPE_CHECKING:
    from ..questions.mass import Mass

Array = npt.NDArray[Any]

# A change of probability below this is nobody's.
NOTHING = 1e-3
_FOLLOWED = ("label_w", "label_l", "neither", "logp_w", "logp_l")


def at_margin(arrays: Arrays, margin: float = GAINED) -> dict[str, Array] | None:
    """What was followed, where the mean margin of whole responses has grown by so much.

    Linear between measurements; ``(pairs,)`` each, or ``None`` where it never has.
    """
    growth = arrays["logp_w"].mean(1) - arrays["logp_l"].mean(1)
    growth = growth - growth[0]
    reached = np.flatnonzero(growth >= margin)
    if not len(reached):
        return None
    last = int(reached[0])
    share = (margin - growth[last - 1]) / (growth[last] - growth[last - 1])
    return {
        name: arrays[name][last - 1] + share * (arrays[name][last] - arrays[name][last - 1])
        for name in _FOLLOWED
    }


def mass_numbers(arrays: Arrays) -> Numbers:
    """One run in a few numbers: probabilities and changes, means over held-out pairs."""
    there = at_margin(arrays)
    numbers = {
        "neither, before": float(arrays["neither"][0].mean()),
        "neither, most": float(arrays["neither"].mean(1).max()),
        "neither, after": float(arrays["neither"][-1].mean()),
        "chosen label, before": float(np.exp(arrays["label_w"][0]).mean()),
        "chosen label, after": float(np.exp(arrays["label_w"][-1]).mean()),
        "change of the chosen": float((arrays["logp_w"][-1] - arrays["logp_w"][0]).mean()),
        "change of the rejected": float((arrays["logp_l"][-1] - arrays["logp_l"][0]).mean()),
    }
    nan = float("nan")
    return numbers | {
        f"{name}, at the margin": nan
        if there is None
        else float((there[key] - arrays[key][0]).mean())
        for name, key in (("chosen", "logp_w"), ("rejected", "logp_l"), ("neither", "neither"))
    }


def mass_course(arrays: Arrays) -> dict[str, list[float]]:
    """Mean probabilities over held-out pairs at every measurement, for figures."""
    return {
        "updates": arrays["steps"].tolist(),
        "chosen label": np.exp(arrays["label_w"]).mean(1).tolist(),
        "rejected label": np.exp(arrays["label_l"]).mean(1).tolist(),
        "neither label": arrays["neither"].mean(1).tolist(),
    }


def law_of_one_context(arrays: Arrays) -> tuple[Array, Array]:
    r"""Change of the mass on neither label, as one context's softmax would have it, and measured.

    Predicted from both labels' probabilities at the start and the growth of their log-odds
    :math:`2C` alone; ``(pairs,)`` each.
    """
    p_w, p_l = (np.exp(arrays[name][0]) for name in ("label_w", "label_l"))
    odds = arrays["label_w"] - arrays["label_l"]
    *_, total = after(p_w, p_l, np.exp((odds[-1] - odds[0]) / 2))
    others = 1 - p_w - p_l
    return others / total - others, arrays["neither"][-1] - arrays["neither"][0]


def _run(pieces: Pieces, name: str, style: str) -> Mapping[str, Any] | None:
    return next((a for p, a in pieces.items() if (p.name, p.style) == (name, style)), None)


def _shift(style: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        run = _run(pieces, DPO, style)
        if run is None:
            return {}
        before, end = run["neither"][0], run["neither"][-1]
        return {"before": float(before.mean()), **named("change", interval(end - before))}

    return numbers


def _law(style: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        run = _run(pieces, DPO, style)
        if run is None:
            return {}
        predicted, measured = law_of_one_context(run)
        return {
            "share of signs": float((np.sign(predicted) == np.sign(measured)).mean()),
            "predicted": float(predicted.mean()),
            "measured": float(measured.mean()),
        }

    return numbers


def _compared(one: str, other: str, key: str, style: str) -> Callable[[Pieces], Numbers]:
    """Of one method minus another, pair by pair, where both have gained the margin."""

    def numbers(pieces: Pieces) -> Numbers:
        runs = [_run(pieces, name, style) for name in (one, other)]
        there = [None if run is None else at_margin(run) for run in runs]
        changes = [
            at[key] - run[key][0]
            for at, run in zip(there, runs, strict=True)
            if at is not None and run is not None
        ]
        return named("difference", interval(changes[0] - changes[1])) if len(changes) == 2 else {}

    return numbers


def _ends(*names: str, key: str, style: str) -> Callable[[Pieces], Numbers]:
    """The change from start to end under one method, or of one minus another, pair by pair."""

    def numbers(pieces: Pieces) -> Numbers:
        runs = [run for name in names if (run := _run(pieces, name, style)) is not None]
        if len(runs) < len(names):
            return {}
        changes = [run[key][-1] - run[key][0] for run in map(_with_margin, runs)]
        return named("change", interval(changes[0] - sum(changes[1:])))

    return numbers


def _with_margin(run: Mapping[str, Any]) -> dict[str, Array]:
    return {**run, "margin": run["logp_w"] - run["logp_l"]}


def _preserved(style: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        run = _run(pieces, SPO, style)
        there = None if run is None else at_margin(run)
        if run is None or there is None:
            return {}
        return named("change", interval(there["logp_w"] - run["logp_w"][0]))

    return numbers


_SINGLE, _SHORT = "single token", "short suffix"
_AT = f"where the held-out margin has grown by {GAINED} nat, "
_INTERVAL = "the 95 % interval over held-out pairs "
_LATE = " (written after seeds 10 to 12)"

RULES: tuple[Rule[Pieces], ...] = (
    *(
        Rule(
            name=f"mass-shifts-{style.split()[0]}",
            says=f"{style}: DPO shifts probability toward tokens that are neither label.",
            criterion=f"{_INTERVAL}of the change of their mass, from start to end, lies above "
            f"{NOTHING}",
            numbers=_shift(style),
            holds=above(NOTHING),
        )
        for style in (_SINGLE, _SHORT)
    ),
    Rule(
        name="mass-law",
        says="single token: whether it does is what one context's softmax says of the two labels' "
        "probabilities at the start.",
        criterion="the sign of the change of the mass on neither label is the predicted one for "
        "at least 80 % of the held-out pairs",
        numbers=_law(_SINGLE),
        holds=lambda n: n["share of signs"] >= 0.8,
    ),
    Rule(
        name="mass-spo-chosen",
        says="short suffix: stable preference optimization improves the chosen absolutely: it "
        "rises.",
        criterion=f"{_AT}{_INTERVAL}of the change of the chosen lies above zero",
        numbers=_preserved(_SHORT),
        holds=above(0.0),
    ),
    Rule(
        name="mass-spo-more",
        says="short suffix: stable preference optimization raises the chosen more than DPO does.",
        criterion=f"{_AT}{_INTERVAL}of the difference lies above zero",
        numbers=_compared(SPO, DPO, "logp_w", _SHORT),
        holds=above(0.0),
    ),
    Rule(
        name="mass-spo-keeps",
        says="short suffix: stable preference optimization leaves less probability on neither "
        "label than DPO does.",
        criterion=f"{_AT}{_INTERVAL}of the difference lies below zero",
        numbers=_compared(SPO, DPO, "neither", _SHORT),
        holds=below(0.0),
    ),
    Rule(
        name="mass-spo-lower-level",
        says="short suffix: it is the lower level that raises the chosen, not the upper level's "
        "term alone.",
        criterion=f"{_AT}{_INTERVAL}of the difference from the upper level alone lies above 0.05 "
        "nat",
        numbers=_compared(SPO, TERM, "logp_w", _SHORT),
        holds=above(0.05),
    ),
    Rule(
        name="mass-spo-raises",
        says="short suffix: stable preference optimization raises the chosen in as many updates as "
        "lower it under DPO.",
        criterion=f"{_INTERVAL}of the change of the chosen, from start to end, lies above "
        f"zero{_LATE}",
        numbers=_ends(SPO, key="logp_w", style=_SHORT),
        holds=above(0.0),
    ),
    Rule(
        name="mass-spo-less",
        says="short suffix: in as many updates stable preference optimization moves less "
        "probability to neither label than DPO does.",
        criterion=f"{_INTERVAL}of the difference of the two changes, from start to end, lies "
        "below zero"
        f"{_LATE}",
        numbers=_ends(SPO, DPO, key="neither", style=_SHORT),
        holds=below(0.0),
    ),
    Rule(
        name="mass-spo-price",
        says="short suffix: the price is the margin: in as many updates it gains less than under "
        "DPO.",
        criterion=f"{_INTERVAL}of the difference of the two gains, from start to end, lies below "
        f"zero{_LATE}",
        numbers=_ends(SPO, DPO, key="margin", style=_SHORT),
        holds=below(0.0),
    ),
)


def _rows(piece: "Mass", arrays: Arrays) -> list[Row]:
    gained = zip(
        *(arrays[name] for name in ("gainers", "gainers_before", "gainers_after")), strict=True
    )
    return [
        {
            "method": piece.name,
            "style": piece.style,
            "strength": piece.strength,
            **mass_numbers(arrays),
            "gainers": [f"{token}: {before:.3g} to {after:.3g}" for token, before, after in gained],
            **mass_course(arrays),
        }
    ]


QUESTION = Question(
    name="mass",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="label-mass",
            caption="Probability of both labels and of all other tokens, DPO beside jian2025's "
            "method",
            drawing="jian2025:label_mass_picture",
        ),
    ),
)
