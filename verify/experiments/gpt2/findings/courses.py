"""Findings on a whole run: how much of the fall is first order, where it sits, what removes it."""

from collections.abc import Callable
from typing import Any

from ..readings import course_shares
from .rule import Found, Numbers, Rule


def _course(found: Found, **wanted: Any) -> Numbers:
    for piece, arrays in found.items():
        if all(getattr(piece, name) == value for name, value in wanted.items()):
            return course_shares(arrays)
    return {}


def _fall(style: str) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        shares = _course(found, style=style, labels="true", mix="balanced", batch=32)
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


def _controls(found: Found) -> Numbers:
    style = "long suffix"
    true = _course(found, style=style, labels="true", mix="balanced", batch=32)
    shuffled = _course(found, style=style, labels="shuffled", mix="balanced", batch=32)
    if not (true and shuffled):
        return {}
    return {"true labels": true["measured"], "shuffled labels": shuffled["measured"]}


RULES: tuple[Rule, ...] = (
    *(
        Rule(
            f"{style.split()[0]}-fall-first-order",
            "courses",
            f"{style}: the fall of the chosen under DPO with Adam is first order.",
            "the chosen falls, and what the updates do to first order, added up, is between "
            "80 % and 125 % of the fall",
            _fall(style),
            lambda n: (
                None
                if n["change of the chosen"] >= 0
                else 0.8 <= n["first order"] / n["change of the chosen"] <= 1.25
            ),
        )
        for style in ("short suffix", "long suffix")
    ),
    Rule(
        "fall-in-suffix",
        "courses",
        "long suffix: the fall of the chosen sits in the tokens that both responses share.",
        "the chosen falls, and more than half of the fall is in the suffix",
        _fall("long suffix"),
        lambda n: (
            None
            if n["change of the chosen"] >= 0
            else n["in the suffix"] < n["change of the chosen"] / 2
        ),
    ),
    Rule(
        "labels-matter",
        "courses",
        "long suffix: with labels that say nothing of the tweets the chosen does not fall.",
        "the chosen falls with true labels, and with shuffled ones by less than a quarter of that",
        _controls,
        lambda n: None if n["true labels"] >= 0 else n["shuffled labels"] > n["true labels"] / 4,
    ),
)
