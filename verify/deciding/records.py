"""The decided ledger as plain data: what the report, the documents and the command line show."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sympy import Basic, Expr, Symbol, latex

from disband.theory.symbols import LATEX

from .claim import Claim, Decision, Kind, Point, Prediction, Quantity, Verdict
from .confirmed import confirmation
from .decide import decide, idle, judge
from .readings import fold, name_latex, names, readings

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


def formula(expression: Basic, more: Mapping[Symbol, str] = MappingProxyType({})) -> str:
    """Return ``expression`` in LaTeX, with the symbols of :mod:`disband.theory.symbols`.

    ``more`` has what further symbols are in LaTeX.
    """
    return str(latex(expression, symbol_names={**LATEX, **more}))


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
        "folded": "",
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
        "folded": formula(fold(claim.holds, claim.where), names(claim.where)),
        "exists": claim.exists,
        "grade": claim.grade and claim.grade.value,
        "why": claim.why,
        "where": [_named(quantity, claim.where) for quantity in claim.where],
        "cases": {name: formula(case) for name, case in claim.cases.items()},
        "repairs": claim.repairs,
    }


def _named(quantity: Quantity, where: Sequence[Quantity]) -> Entry:
    """Return a named quantity: what it is in LaTeX, whole, and in terms of the others."""
    others = [other for other in where if other is not quantity]
    short = quantity.short if quantity.short is not None else fold(quantity.value, others)
    return {
        "name": quantity.name,
        "latex": name_latex(quantity.name),
        "value": formula(quantity.value),
        "means": quantity.means,
        "short": "" if short.is_Symbol else formula(short, names(where)),
    }


def _worked(claim: Claim | Prediction, decision: Decision) -> list[Entry]:
    """Return every comparison of a refuted claim at its point: those that fail come first."""
    if decision.counterexample is None or not isinstance(claim, Claim):
        return []
    return [
        {
            "comparison": formula(reading.relation, names(claim.where)),
            "left": _value(reading.left),
            "right": _value(reading.right),
            "holds": reading.holds,
        }
        for reading in readings(claim, decision.counterexample)
    ]


def _value(value: Expr) -> str:
    return str(value) if value.is_Rational else f"{value.evalf(6)}"


def _plain(point: Point) -> dict[str, str]:
    return {str(symbol): str(point[symbol]) for symbol in sorted(point, key=str)}
