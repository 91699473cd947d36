"""What the runs on GPT-2 say, judged seed by seed by criteria fixed before the runs."""

from collections.abc import Mapping
from typing import Any

from verify.experiments.findings import courses, mass, methods, objectives, regimes, steps, targets
from verify.experiments.findings.rule import Arrays, Rule
from verify.experiments.sentiment_predictions import Prediction

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
    return tuple(prediction for prediction in judged if prediction)
