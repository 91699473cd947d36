"""What the runs on GPT-2 say of where probability goes: jian2025's sentences on a real model."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.theory.models.evolution import after

from ...judging.intervals import above, below, interval
from ..readings import GAINED
from .rule import Arrays, Found, Numbers, Rule

Array = npt.NDArray[Any]

QUESTION = "mass"
DPO, TERM, SPO = "DPO", "DPO with the term", "SPO, one step"
# A change of probability below this is nobody's.
NOTHING = 1e-3
_FOLLOWED = ("label_w", "label_l", "neither", "logp_w", "logp_l")


def at_margin(found: Arrays, margin: float = GAINED) -> dict[str, Array] | None:
    """What was followed, where the mean margin of whole responses has grown by so much.

    Linear between measurements; ``(pairs,)`` each, or ``None`` where it never has.
    """
    growth = found["logp_w"].mean(1) - found["logp_l"].mean(1)
    growth = growth - growth[0]
    reached = np.flatnonzero(growth >= margin)
    if not len(reached):
        return None
    last = int(reached[0])
    share = (margin - growth[last - 1]) / (growth[last] - growth[last - 1])
    return {
        name: found[name][last - 1] + share * (found[name][last] - found[name][last - 1])
        for name in _FOLLOWED
    }


def mass_numbers(found: Arrays) -> Numbers:
    """One run in a few numbers: probabilities and changes, means over held-out pairs."""
    there = at_margin(found)
    numbers = {
        "neither, before": float(found["neither"][0].mean()),
        "neither, most": float(found["neither"].mean(1).max()),
        "neither, after": float(found["neither"][-1].mean()),
        "chosen label, before": float(np.exp(found["label_w"][0]).mean()),
        "chosen label, after": float(np.exp(found["label_w"][-1]).mean()),
        "change of the chosen": float((found["logp_w"][-1] - found["logp_w"][0]).mean()),
        "change of the rejected": float((found["logp_l"][-1] - found["logp_l"][0]).mean()),
    }
    nan = float("nan")
    return numbers | {
        f"{name}, at the margin": nan
        if there is None
        else float((there[key] - found[key][0]).mean())
        for name, key in (("chosen", "logp_w"), ("rejected", "logp_l"), ("neither", "neither"))
    }


def mass_course(found: Arrays) -> dict[str, list[float]]:
    """Mean probabilities over held-out pairs at every measurement, for figures."""
    return {
        "updates": found["steps"].tolist(),
        "chosen label": np.exp(found["label_w"]).mean(1).tolist(),
        "rejected label": np.exp(found["label_l"]).mean(1).tolist(),
        "neither label": found["neither"].mean(1).tolist(),
    }


def law_of_one_context(found: Arrays) -> tuple[Array, Array]:
    r"""Change of the mass on neither label, as one context's softmax would have it, and measured.

    Predicted from both labels' probabilities at the start and the growth of their log-odds
    :math:`2C` alone; ``(pairs,)`` each.
    """
    p_w, p_l = (np.exp(found[name][0]) for name in ("label_w", "label_l"))
    odds = found["label_w"] - found["label_l"]
    *_, total = after(p_w, p_l, np.exp((odds[-1] - odds[0]) / 2))
    others = 1 - p_w - p_l
    return others / total - others, found["neither"][-1] - found["neither"][0]


def _run(found: Found, name: str, style: str) -> Mapping[str, Any] | None:
    return next((a for p, a in found.items() if (p.name, p.style) == (name, style)), None)


def _shift(style: str) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        run = _run(found, DPO, style)
        if run is None:
            return {}
        before, end = run["neither"][0], run["neither"][-1]
        return {"before": float(before.mean()), **interval("change", end - before)}

    return numbers


def _law(style: str) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        run = _run(found, DPO, style)
        if run is None:
            return {}
        predicted, measured = law_of_one_context(run)
        return {
            "share of signs": float((np.sign(predicted) == np.sign(measured)).mean()),
            "predicted": float(predicted.mean()),
            "measured": float(measured.mean()),
        }

    return numbers


def _compared(one: str, other: str, key: str, style: str) -> Callable[[Found], Numbers]:
    """Of one method minus another, pair by pair, where both have gained the margin."""

    def numbers(found: Found) -> Numbers:
        runs = [_run(found, name, style) for name in (one, other)]
        there = [None if run is None else at_margin(run) for run in runs]
        changes = [
            at[key] - run[key][0]
            for at, run in zip(there, runs, strict=True)
            if at is not None and run is not None
        ]
        return interval("difference", changes[0] - changes[1]) if len(changes) == 2 else {}

    return numbers


def _ends(*names: str, key: str, style: str) -> Callable[[Found], Numbers]:
    """The change from start to end under one method, or of one minus another, pair by pair."""

    def numbers(found: Found) -> Numbers:
        runs = [run for name in names if (run := _run(found, name, style)) is not None]
        if len(runs) < len(names):
            return {}
        changes = [run[key][-1] - run[key][0] for run in map(_with_margin, runs)]
        return interval("change", changes[0] - sum(changes[1:]))

    return numbers


def _with_margin(run: Mapping[str, Any]) -> dict[str, Array]:
    return {**run, "margin": run["logp_w"] - run["logp_l"]}


def _preserved(style: str) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        run = _run(found, SPO, style)
        there = None if run is None else at_margin(run)
        if run is None or there is None:
            return {}
        return interval("change", there["logp_w"] - run["logp_w"][0])

    return numbers


_SINGLE, _SHORT = "single token", "short suffix"
_AT = f"where the held-out margin has grown by {GAINED} nat, "
_INTERVAL = "the 95 % interval over held-out pairs "
_LATE = " (written after seeds 10 to 12)"

RULES: tuple[Rule, ...] = (
    *(
        Rule(
            f"mass-shifts-{style.split()[0]}",
            QUESTION,
            f"{style}: DPO shifts probability toward tokens that are neither label.",
            f"{_INTERVAL}of the change of their mass, from start to end, lies above {NOTHING}",
            _shift(style),
            above(NOTHING),
        )
        for style in (_SINGLE, _SHORT)
    ),
    Rule(
        "mass-law",
        QUESTION,
        "single token: whether it does is what one context's softmax says of the two labels' "
        "probabilities at the start.",
        "the sign of the change of the mass on neither label is the predicted one for at least "
        "80 % of the held-out pairs",
        _law(_SINGLE),
        lambda n: n["share of signs"] >= 0.8,
    ),
    Rule(
        "mass-spo-chosen",
        QUESTION,
        "short suffix: stable preference optimization improves the chosen absolutely: it rises.",
        f"{_AT}{_INTERVAL}of the change of the chosen lies above zero",
        _preserved(_SHORT),
        above(0.0),
    ),
    Rule(
        "mass-spo-more",
        QUESTION,
        "short suffix: stable preference optimization raises the chosen more than DPO does.",
        f"{_AT}{_INTERVAL}of the difference lies above zero",
        _compared(SPO, DPO, "logp_w", _SHORT),
        above(0.0),
    ),
    Rule(
        "mass-spo-keeps",
        QUESTION,
        "short suffix: stable preference optimization leaves less probability on neither label "
        "than DPO does.",
        f"{_AT}{_INTERVAL}of the difference lies below zero",
        _compared(SPO, DPO, "neither", _SHORT),
        below(0.0),
    ),
    Rule(
        "mass-spo-lower-level",
        QUESTION,
        "short suffix: it is the lower level that raises the chosen, not the upper level's term "
        "alone.",
        f"{_AT}{_INTERVAL}of the difference from the upper level alone lies above 0.05 nat",
        _compared(SPO, TERM, "logp_w", _SHORT),
        above(0.05),
    ),
    Rule(
        "mass-spo-raises",
        QUESTION,
        "short suffix: stable preference optimization raises the chosen in as many updates as "
        "lower it under DPO.",
        f"{_INTERVAL}of the change of the chosen, from start to end, lies above zero{_LATE}",
        _ends(SPO, key="logp_w", style=_SHORT),
        above(0.0),
    ),
    Rule(
        "mass-spo-less",
        QUESTION,
        "short suffix: in as many updates stable preference optimization moves less probability to "
        "neither label than DPO does.",
        f"{_INTERVAL}of the difference of the two changes, from start to end, lies below zero"
        f"{_LATE}",
        _ends(SPO, DPO, key="neither", style=_SHORT),
        below(0.0),
    ),
    Rule(
        "mass-spo-price",
        QUESTION,
        "short suffix: the price is the margin: in as many updates it gains less than under DPO.",
        f"{_INTERVAL}of the difference of the two gains, from start to end, lies below zero{_LATE}",
        _ends(SPO, DPO, key="margin", style=_SHORT),
        below(0.0),
    ),
)
