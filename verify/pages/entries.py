"""The parts of a report that are not claims, as plain records."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from disband.sims.pairs.studies import Study
from disband.theory.facts import facts
from disband.theory.facts.sentences import Words
from disband.theory.objective import Objective
from disband.theory.signs import Signs
from disband.theory.symbols import kl, len_l, len_w, omega, ref_l, ref_w

from ..deciding.records import formula
from .objectives import first_sentence, typeset

Record = dict[str, Any]

# Log-probabilities in nats, references and lengths: at the reference, and where the rejected
# response has fallen by 8 nats since.
STATES: Mapping[str, tuple[float, ...]] = {
    "start": (-10.0, -10.0, -10.0, -10.0, 10, 10),
    "later": (-10.0, -18.0, -10.0, -10.0, 10, 10),
}
_NEEDS = (
    ("a reference model", {ref_w, ref_l}),
    ("lengths", {len_w, len_l}),
    ("a batch estimate", {kl}),
    ("a weight", {omega}),
)


def objective_entry(objective: Objective) -> Record:
    """Return an objective: its formulas in LaTeX, whole and in short names, and what follows."""
    known = facts(objective)
    short, words = known.chart.short, Words(known, typeset)
    protects = words.protection()
    formulas = {"d_w": objective.d_w, "d_l": objective.d_l}
    if objective.d_l != 0:
        formulas["ratio"] = known.ratio
    return {
        "name": objective.name,
        "source": objective.source,
        "note": objective.note,
        "short": {name: typeset(short(made)) for name, made in formulas.items()},
        "meanings": {typeset(name): typeset(made) for name, made in known.chart.meanings.items()},
        "protects": first_sentence(protects, objective.name),
        "protection": protects,
        "needs": [word for word, symbols in _NEEDS if symbols & objective.loss.free_symbols],
        # Of pairs without score gaps.
        "at": {}
        if "gap" in objective.arguments
        else {name: _incentives(objective, state) for name, state in STATES.items()},
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


def _incentives(objective: Objective, state: Sequence[float]) -> list[float]:
    return [float(value) for value in objective.kernel("incentives")(*state)]


def measured(experiments: Iterable[Record]) -> dict[str, Record]:
    """What runs on language models showed of each objective alone, at equal margin.

    By objective: means over seeds of the change of chosen and rejected in nats, their number, the
    record they are from. Of several records the one with most seeds counts.
    """
    shown: dict[str, Record] = {}
    for experiment in experiments:
        rows = (experiment.get("tables") or {}).get("objectives", [])
        for name in dict.fromkeys(row["objective"] for row in rows):
            its = [row for row in rows if row["objective"] == name]
            chosen, rejected = (
                [row[side] for row in its if row[side] is not None]
                for side in ("chosen", "rejected")
            )
            if chosen and len(chosen) > shown.get(name, {}).get("seeds", 0):
                shown[name] = {
                    "chosen": float(np.mean(chosen)),
                    "rejected": float(np.mean(rejected)),
                    "fell": sum(change < 0 for change in chosen),
                    "seeds": len(chosen),
                    "where": experiment.get("where", ""),
                }
    return shown


def _signs(signs: Signs) -> dict[str, str]:
    return {name: formula(where) for name, where in vars(signs).items()}


def _per_seed(prediction: Any) -> list[Record]:
    return [
        {"seed": one.seed, "holds": one.holds, "numbers": dict(one.numbers)}
        for one in prediction.outcomes
    ]
