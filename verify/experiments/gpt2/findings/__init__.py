"""What the runs on GPT-2 say, judged seed by seed by criteria fixed before the runs."""

from collections.abc import Mapping
from typing import Any

from disband.lm.data.styles import STYLES

from ...sentiment.rules import Prediction, predictions
from . import (
    courses,
    mass,
    methods,
    objectives,
    regimes,
    steps,
    targets,
)
from .rule import Arrays, Rule

RULES: tuple[Rule, ...] = (
    *steps.RULES,
    *courses.RULES,
    *objectives.RULES,
    *regimes.RULES,
    *targets.RULES,
    *mass.RULES,
    *methods.RULES,
)

CRITERIA = {rule.name: rule.criterion for rule in RULES}


def findings(results: Mapping[tuple[str, int, Any], Arrays]) -> tuple[Prediction, ...]:
    """Judge every finding that ``results`` has data for."""
    judged = (rule.judge(results) for rule in RULES)
    return (*(prediction for prediction in judged if prediction), *section_4_3(results))


def section_4_3(results: Mapping[tuple[str, int, Any], Arrays]) -> tuple[Prediction, ...]:
    """The predictions of yuan2025, section 4.3, where DPO was followed on all four styles.

    The seeds are those on which it was, token by token too.
    """
    runs = {
        (seed, piece.style): arrays
        for (question, seed, piece), arrays in results.items()
        if question == "runs" and piece.objective == "DPO"
    }
    whole = [
        seed
        for seed in dict.fromkeys(seed for seed, _ in runs)
        if all((seed, style) in runs for style in STYLES)
        if "token_gram" in runs[seed, "prefix+suffix"]
    ]
    found = {key: run for key, run in runs.items() if key[0] in whole}
    return predictions(found) if found else ()
