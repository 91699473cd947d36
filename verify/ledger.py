"""The decided ledger as plain data: what the report, the documents and the command line show."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sympy import Basic, latex

from theory.symbols import LATEX
from verify.claim import Claim, Decision, Point, Prediction
from verify.decide import decide, judge

Entry = dict[str, Any]
Outcomes = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]


def entries(
    ledger: Sequence[Claim | Prediction],
    outcomes: Outcomes,
    on_done: Callable[[Entry], None] = lambda _: None,
) -> list[Entry]:
    """Decide every claim of ``ledger`` and return one plain record for each, in its order.

    ``outcomes`` maps an experiment's name to what :func:`verify.decide.judge` reads;
    ``on_done`` hears of each record as it is ready.
    """
    repaired = {c.repairs: c.id for c in ledger if isinstance(c, Claim) and c.repairs}
    records = []
    for claim in ledger:
        if isinstance(claim, Claim):
            record = _record(claim, decide(claim))
            record["given"] = [formula(g) for g in claim.given]
            record["holds"] = formula(claim.holds)
            record["repairs"] = claim.repairs
        else:
            record = _record(claim, judge(claim, outcomes.get(claim.experiment)))
        record["repaired"] = repaired.get(claim.id)
        on_done(record)
        records.append(record)
    return records


def formula(expression: Basic) -> str:
    """Return ``expression`` in LaTeX, with the symbols of :mod:`theory.symbols`."""
    return str(latex(expression, symbol_names=LATEX))


def _record(claim: Claim | Prediction, decision: Decision) -> Entry:
    return {
        "id": claim.id,
        "paper": claim.paper,
        "locator": claim.locator,
        "says": claim.says,
        "given": [],
        "holds": "",
        "verdict": decision.verdict.value,
        "decided_by": decision.decided_by,
        "seconds": round(decision.seconds, 3),
        "example": _plain(decision.example),
        "counterexample": None
        if decision.counterexample is None
        else _plain(decision.counterexample),
        "repairs": None,
        "repaired": None,
        "note": claim.note,
        "numbers": None if decision.numbers is None else dict(decision.numbers),
    }


def _plain(point: Point) -> dict[str, str]:
    return {str(symbol): str(point[symbol]) for symbol in sorted(point, key=str)}
