"""The decided ledger as plain data: what the report, the documents and the command line show."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sympy import Basic, Expr, latex

from disband.theory.symbols import LATEX

from .claim import Claim, Decision, Kind, Point, Prediction, Verdict
from .confirmed import confirmation
from .decide import decide, idle, judge, worked

Entry = dict[str, Any]
Outcomes = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]


def entries(
    ledger: Sequence[Claim | Prediction],
    outcomes: Outcomes,
    decided: Mapping[str, Entry] = MappingProxyType({}),
) -> list[Entry]:
    """Decide every claim of ``ledger`` and return one plain record for each, in its order.

    ``outcomes`` maps an experiment's name to what :func:`disband.verify.deciding.decide.judge`
    reads. What is ``decided`` already, by id, is taken as it is.
    """
    repaired = {c.repairs: c.id for c in ledger if isinstance(c, Claim) and c.repairs}
    found = []
    for claim in ledger:
        if isinstance(claim, Claim):
            record = decided.get(claim.id) or entry(claim)
            record = {**record, "confirmed": confirmation(claim, record)}
        else:
            record = decision_record(claim, judge(claim, outcomes.get(claim.experiment)))
            record["command"] = claim.command
        found.append({**record, "repaired": repaired.get(claim.id)})
    return found


def entry(claim: Claim, decision: Decision | None = None) -> Entry:
    """Return the record of one claim, decided here unless a ``decision`` is given.

    Without one it depends on nothing but the claim's declaration.
    """
    record = decision_record(claim, decision or decide(claim)) | _statement(claim)
    if record["verdict"] == Verdict.PROVED and not claim.exists:
        record["idle"] = [formula(g) for g in idle(claim)]
    return record


def formula(expression: Basic) -> str:
    """Return ``expression`` in LaTeX, with the symbols of :mod:`disband.theory.symbols`."""
    return str(latex(expression, symbol_names=LATEX))


def decision_record(claim: Claim | Prediction, decision: Decision) -> Entry:
    """Return what was decided of a claim, without its statement in formulas."""
    return {
        "id": claim.id,
        "paper": claim.paper,
        "kind": claim.kind.value,
        "printed": claim.kind is Kind.PRINTED,
        "locator": claim.locator,
        "says": claim.says,
        "quote": claim.quote,
        "standing": list(claim.standing),
        "given": [],
        "holds": "",
        "exists": False,
        "idle": [],
        "verdict": decision.verdict.value,
        "decided_by": decision.decided_by,
        "seconds": round(decision.seconds, 3),
        "example": _plain(decision.example),
        "counterexample": None
        if decision.counterexample is None
        else _plain(decision.counterexample),
        "worked": _worked(claim, decision),
        "confirmed": {},
        "grade": None,
        "why": "",
        "where": [],
        "cases": {},
        "repairs": None,
        "repaired": None,
        "command": None,
        "note": claim.note,
        "numbers": None if decision.numbers is None else dict(decision.numbers),
    }


def _statement(claim: Claim) -> Entry:
    return {
        "given": [formula(g) for g in claim.given],
        "holds": formula(claim.holds),
        "exists": claim.exists,
        "grade": claim.grade and claim.grade.value,
        "why": claim.why,
        "where": [
            {
                "name": quantity.name,
                "value": formula(quantity.value),
                "means": quantity.means,
                "short": "" if quantity.short is None else formula(quantity.short),
            }
            for quantity in claim.where
        ],
        "cases": {name: formula(case) for name, case in claim.cases.items()},
        "repairs": claim.repairs,
    }


def _worked(claim: Claim | Prediction, decision: Decision) -> list[Entry]:
    """Return every comparison of a refuted claim with what its sides come to."""
    if decision.counterexample is None or not isinstance(claim, Claim):
        return []
    return [
        {"comparison": formula(relation), "left": _value(left), "right": _value(right)}
        for relation, left, right in worked(claim, decision.counterexample)
    ]


def _value(value: Expr) -> str:
    return str(value) if value.is_Rational else f"{value.evalf(6)}"


def _plain(point: Point) -> dict[str, str]:
    return {str(symbol): str(point[symbol]) for symbol in sorted(point, key=str)}
