"""``disband claim`` and ``disband falsify``: single statements of the ledger, or one's own."""

from collections.abc import Sequence
from difflib import get_close_matches

from sympy import Basic, Expr, Symbol
from sympy.logic.boolalg import BooleanAtom

from disband.theory import symbols
from disband.theory.own_loss.formula import read_claim
from disband.theory.own_loss.source_text import FormulaError
from disband.theory.symbols import PLAIN
from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim, Decision, Point, Prediction, Verdict
from disband.verify.deciding.decide import decide, idle, worked
from disband.verify.deciding.falsify import Attempt

from .formula import entry, plain

NAMES = {s.name: s for s in vars(symbols).values() if isinstance(s, Symbol)}


def find_claim(identifier: str) -> Claim | Prediction:
    """Return the claim of the ledger with this id.

    Raises:
        ValueError: There is none.
    """
    by_id = {claim.id: claim for claim in LEDGER}
    if identifier in by_id:
        return by_id[identifier]
    near = get_close_matches(identifier, by_id, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "docs/claims.md lists them"
    raise ValueError(f"a claim is named by its id in the ledger: got {identifier!r}; {hint}")


def own_claim(statement: str, given: Sequence[str]) -> Claim:
    """Return a claim that somebody typed, over the symbols of :mod:`disband.theory.symbols`.

    Raises:
        ValueError: A text is no statement of the grammar of :mod:`disband.theory.own_loss.formula`.
    """
    holds, defined = read_claim(statement, NAMES)
    if isinstance(holds, BooleanAtom):
        raise FormulaError(
            f"a statement can be true here and false there: {statement!r} is always "
            f"{str(holds).lower()}; compare quantities that vary"
        )
    assumptions = [read_claim(text, NAMES) for text in given]
    return Claim(
        id="own",
        locator="typed here",
        says=statement,
        holds=holds,
        given=(*defined, *(part for text, where in assumptions for part in (*where, text))),
    )


def claim_text(claim: Claim | Prediction) -> str:
    """Return one claim whole: statement, assumptions, decision, counterexample, repair."""
    lines = [claim.id, f"{claim.paper}, {claim.locator}", "", _entry("says", claim.says)]
    if isinstance(claim, Prediction):
        lines += [_entry("decided by", f"the experiment {claim.experiment}; see {claim.command}")]
    else:
        lines += _decided(claim)
    if claim.note:
        lines.append(_entry("note", claim.note))
    return "\n".join(lines)


def falsify_text(claim: Claim, decision: Decision, attempt: Attempt, seconds: float) -> str:
    """Return what proof and random search found about a claim."""
    searched = f"{attempt.tried} points that meet the assumptions, {seconds:.1f} s"
    lines = [claim.id, _entry("verdict", f"{decision.verdict}, {decision.decided_by}")]
    point = attempt.counterexample or decision.counterexample
    if claim.exists:
        lines.append(_entry("witness", _point(decision.example)))
    elif point is None:
        lines.append(_entry("random search", f"no counterexample among {searched}"))
    else:
        lines += [_entry("counterexample", _point(point)), *_worked(claim, point)]
    return "\n".join(lines)


def _decided(claim: Claim) -> list[str]:
    decision = decide(claim)
    lines = [_entry("assuming" if i == 0 else "", plain(g)) for i, g in enumerate(claim.given)]
    lines.append(_entry("it can be that" if claim.exists else "it holds that", plain(claim.holds)))
    lines += ["", _entry("verdict", f"{decision.verdict}, {decision.decided_by}")]
    if decision.example:
        lines.append(_entry("for example at", _point(decision.example)))
    if decision.counterexample is not None:
        lines.append(_entry("it fails at", _point(decision.counterexample)))
        lines += _worked(claim, decision.counterexample)
    if decision.verdict is Verdict.PROVED and not claim.exists:
        lines += [_entry("not needed", plain(g)) for g in idle(claim)]
    mended = f"{claim.id}.repaired"
    if any(other.id == mended for other in LEDGER):
        lines.append(_entry("mended as", f"{mended}: {find_claim(mended).says}"))
    return lines


def _worked(claim: Claim, point: Point) -> list[str]:
    sides = worked(claim, point)
    return [
        _entry("" if i else "where", f"{plain(r)}   reads   {_value(left)} and {_value(right)}")
        for i, (r, left, right) in enumerate(sides)
    ]


def _point(point: Point) -> str:
    ordered = sorted(point, key=str)
    return ", ".join(f"{PLAIN.get(symbol, str(symbol))} = {point[symbol]}" for symbol in ordered)


def _value(value: Basic) -> str:
    exact = isinstance(value, Expr) and value.is_Rational
    return str(value if exact else value.evalf(6))


def _entry(name: str, text: str) -> str:
    return entry(name, text, margin=16)
