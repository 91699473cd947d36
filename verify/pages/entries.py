"""The parts of a report that are not claims, as plain records."""

from collections.abc import Iterable, Mapping
from typing import Any

from disband.sims.pairs.studies import Study
from disband.theory.objective import Objective
from disband.theory.signs import Signs

from ..deciding.records import formula

Record = dict[str, Any]


def objective_entry(objective: Objective) -> Record:
    """Return the formulas of an objective in LaTeX."""
    return {
        "name": objective.name,
        "source": objective.source,
        "loss": formula(objective.loss),
        "d_w": formula(objective.d_w),
        "d_l": formula(objective.d_l),
        "ratio": formula(objective.ratio),
        "signs_w": _signs(objective.signs_w),
        "signs_l": _signs(objective.signs_l),
        "low": r"\frac{\langle a,b\rangle}{\|a\|^2}",
        "high": r"\frac{\|b\|^2}{\langle a,b\rangle}",
        "conditions": [formula(condition) for condition in objective.conditions],
        "defaults": {formula(symbol): value for symbol, value in objective.defaults.items()},
    }


def simulation_entry(study: Study) -> Record:
    """Return a toy run in a few numbers."""
    summary = study.summary()
    return {
        "name": summary.pop("toy"),
        "objective": summary.pop("objective"),
        "parameters": dict(study.parameters),
        "summary": summary,
    }


def experiment_entry(name: str, settings: Record, predictions: Iterable[Any]) -> Record:
    """Return an experiment with its settings and its predictions, seed by seed."""
    return {
        "name": name,
        "settings": settings,
        "predictions": [
            {
                "name": prediction.name,
                "says": prediction.says,
                "criterion": prediction.criterion,
                "per_seed": _per_seed(prediction),
            }
            for prediction in predictions
        ],
    }


def outcomes(experiment: Record) -> Mapping[str, list[Record]]:
    """Return each prediction's outcomes by its name, as the ledger's records read them."""
    return {p["name"]: p["per_seed"] for p in experiment["predictions"]}


def merged(experiments: Iterable[Record]) -> dict[str, dict[str, list[Record]]]:
    """What the ledger's records read: by experiment and prediction, the first of each."""
    by_experiment: dict[str, dict[str, list[Record]]] = {}
    for experiment in experiments:
        known = by_experiment.setdefault(experiment["name"], {})
        for name, seeds in outcomes(experiment).items():
            known.setdefault(name, seeds)
    return by_experiment


def _signs(signs: Signs) -> dict[str, str]:
    return {name: formula(where) for name, where in vars(signs).items()}


def _per_seed(prediction: Any) -> list[Record]:
    return [
        {"seed": one.seed, "holds": one.holds, "numbers": dict(one.numbers)}
        for one in prediction.outcomes
    ]
