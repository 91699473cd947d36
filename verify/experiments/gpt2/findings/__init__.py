"""What the runs on GPT-2 say, judged seed by seed by criteria fixed before the runs."""

from collections.abc import Mapping
from typing import Any

from disband.lm.data.styles import STYLES

from ...judging.prediction import Prediction, criteria, judge
from ...sentiment.rules import predictions
from ..readings import Arrays
from . import courses, mass, methods, objectives, regimes, steps, targets

BY_QUESTION = {
    "steps": steps.RULES,
    "courses": courses.RULES,
    "objectives": objectives.RULES,
    "regimes": regimes.RULES,
    targets.QUESTION: targets.RULES,
    mass.QUESTION: mass.RULES,
    methods.QUESTION: methods.RULES,
}
RULES = tuple(rule for rules in BY_QUESTION.values() for rule in rules)
CRITERIA = criteria(RULES)


def findings(results: Mapping[tuple[str, int, Any], Arrays]) -> tuple[Prediction, ...]:
    """Judge every finding that ``results`` has data for."""
    judged: list[Prediction] = []
    for question, rules in BY_QUESTION.items():
        by_seed: dict[int, dict[Any, Arrays]] = {}
        for (name, seed, piece), arrays in sorted(results.items(), key=lambda item: item[0][1]):
            if name == question:
                by_seed.setdefault(seed, {})[piece] = arrays
        judged += judge(rules, by_seed)
    return (*judged, *section_4_3(results))


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
