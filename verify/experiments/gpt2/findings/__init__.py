"""What the runs on GPT-2 say, judged seed by seed by criteria fixed before the runs."""

from collections.abc import Mapping
from typing import Any

from ...judging.prediction import Prediction, criteria, judge
from ..question import Question, Row
from ..readings import Arrays
from . import courses, horizon, learnt, mass, methods, objectives, regimes, runs, steps, targets

QUESTIONS: tuple[Question, ...] = tuple(
    module.QUESTION
    for module in (
        steps,
        courses,
        objectives,
        regimes,
        runs,
        targets,
        mass,
        methods,
        learnt,
        horizon,
    )
)
RULES = tuple(rule for question in QUESTIONS for rule in question.rules)
CRITERIA = criteria(RULES)

Results = Mapping[tuple[str, int, Any], Arrays]


def findings(results: Results) -> tuple[Prediction, ...]:
    """Judge every finding that ``results`` has data for."""
    judged: list[Prediction] = []
    for question in QUESTIONS:
        by_seed: dict[int, dict[Any, Arrays]] = {}
        for (name, seed, piece), arrays in sorted(results.items(), key=lambda item: item[0][1]):
            if name == question.name:
                by_seed.setdefault(seed, {})[piece] = arrays
        judged += judge(question.rules, by_seed)
    return tuple(judged)


def tables(results: Results) -> dict[str, list[Row]]:
    """Rows of each question, with the seed and the settings that distinguish them."""
    by_question: dict[str, list[Row]] = {}
    for (name, seed, piece), arrays in results.items():
        rows = _named(name).rows(piece, arrays)
        by_question.setdefault(name, []).extend({"seed": seed, **row} for row in rows)
    return by_question


def curves(results: Results) -> list[Row]:
    """Rows of courses, each with its ``question`` and ``seed``."""
    return [
        {"question": name, "seed": seed, **row}
        for (name, seed, piece), arrays in results.items()
        if (curve := _named(name).curve) is not None
        for row in curve(piece, arrays)
    ]


def _named(name: str) -> Question:
    return next(question for question in QUESTIONS if question.name == name)
