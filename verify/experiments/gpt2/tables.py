"""The numbers of every run on GPT-2, one row a run, for figures and reports."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .findings.mass import mass_course, mass_numbers
from .findings.methods import method_numbers
from .findings.targets import target_numbers
from .readings import (
    course_shares,
    race_outcome,
    regime_numbers,
    run_numbers,
    step_scores,
)

if TYPE_CHECKING:
    from .questions.equal_margin import Race
    from .questions.followed import Run
    from .questions.label_mass import Mass
    from .questions.many_steps import Course
    from .questions.methods import Trial
    from .questions.regimes import Regime
    from .questions.steps import Steps
    from .questions.target_course import Target

Arrays = Mapping[str, Any]
Row = dict[str, Any]
Rows = Callable[[Any, Arrays], list[Row]]


def tables(results: Mapping[tuple[str, int, Any], Arrays]) -> dict[str, list[Row]]:
    """Rows of each question, with the seed and the settings that distinguish them."""
    found: dict[str, list[Row]] = {}
    for (question, seed, piece), arrays in results.items():
        rows = _ROWS[question](piece, arrays)
        found.setdefault(question, []).extend({"seed": seed, **row} for row in rows)
    return found


def _steps(piece: "Steps", arrays: Arrays) -> list[Row]:
    settings = {"style": piece.style, "optimizer": piece.kind, "batch": piece.batch}
    return [
        {**settings, "rate": rate, **step_scores(arrays, i)} for i, rate in enumerate(piece.rates)
    ]


def _courses(piece: "Course", arrays: Arrays) -> list[Row]:
    settings = {
        "style": piece.style,
        "optimizer": piece.rule.kind,
        "rate": piece.rule.rate,
        "labels": piece.labels,
        "mix": piece.mix,
        "batch": piece.batch,
    }
    return [
        {**settings, "response": name, **course_shares(arrays, side)}
        for side, name in enumerate(("chosen", "rejected"))
    ]


def _objectives(piece: "Race", arrays: Arrays) -> list[Row]:
    return [{"objective": piece.objective, "style": piece.style, **race_outcome(arrays)}]


def _regimes(piece: "Regime", arrays: Arrays) -> list[Row]:
    taught = piece.supervision
    settings = {"style": piece.style, "shown": taught.shown, "sft steps": taught.steps}
    return [
        {**settings, "optimizer": rule.kind, "rate": rule.rate, **regime_numbers(arrays, i)}
        for i, rule in enumerate(piece.rules)
    ]


def _runs(piece: "Run", arrays: Arrays) -> list[Row]:
    return [{"objective": piece.objective, "style": piece.style, **run_numbers(arrays)}]


def _targets(piece: "Target", arrays: Arrays) -> list[Row]:
    settings = {
        "style": piece.style,
        "optimizer": piece.rule.kind,
        "rate": piece.rule.rate,
        "batch": piece.batch,
    }
    said = ("answered the chosen", "answered the rejected", "answered neither")
    counts = dict(zip(said, map(int, arrays["answers"]), strict=True))
    return [
        {**settings, "metric": name, **target_numbers(arrays, i), **counts}
        for i, name in enumerate(("plain", "optimizer"))
    ]


def _methods(piece: "Trial", arrays: Arrays) -> list[Row]:
    numbers = {method: method_numbers(arrays, method) for method in piece.methods}
    plain = numbers[piece.methods[0]]
    return [
        {
            "objective": piece.objective,
            "data": piece.data,
            "method": method,
            **its,
            "margin speed": its["margin per update"] / plain["margin per update"],
            "relative updates": its["updates to the margin"] / plain["updates to the margin"],
            "relative cost": its["cost"] / plain["cost"],
        }
        for method, its in numbers.items()
    ]


def _mass(piece: "Mass", arrays: Arrays) -> list[Row]:
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


_ROWS: Mapping[str, Rows] = {
    "steps": _steps,
    "courses": _courses,
    "objectives": _objectives,
    "regimes": _regimes,
    "runs": _runs,
    "targets": _targets,
    "mass": _mass,
    "methods": _methods,
}
