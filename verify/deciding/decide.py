"""Deciding a claim: a proof and a refutation both start from the one formula it states."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from sympy import Derivative, Expr, Float, IndexedBase, Integer, Not, Sum, expand, simplify
from sympy.core.relational import Eq
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue

from disband.theory.models.vocabulary import V, k

from .claim import Claim, Decision, LedgerError, Point, Prediction, Verdict
from .logic import canonical, strictly
from .search import has_values, is_legal, smallest_point, truth, unknowns_of
from .smt import TIMEOUT_MS, Problem

SIZES = range(2, 7)
BRIEFLY_MS = 1_000
FEWEST_SEEDS = 2
# What is built of other formulas may come to the right side as soon as it is written.
COMPUTED = "computation: written out, both sides are one expression"


def decide(claim: Claim) -> Decision:
    """Prove ``claim``, refute it by an exact point, or say that it is open.

    Raises:
        LedgerError: The claim has evaluated away, holds a float, or nothing meets its assumptions.
    """
    start = perf_counter()
    _require_exact(claim)
    if claim.given and Problem(claim.given).check()[0] == "unsat":
        raise LedgerError(f"{claim.id} is vacuous: nothing meets its assumptions")
    verdict, by, witness = (_witness if claim.exists else _prove_or_refute)(claim)
    return Decision(
        verdict=verdict,
        decided_by=by,
        seconds=perf_counter() - start,
        example=_example(claim, verdict) if verdict is Verdict.REFUTED or not witness else witness,
        counterexample=witness if verdict is Verdict.REFUTED else None,
    )


def _example(claim: Claim, verdict: Verdict) -> Point:
    """Return a point that meets the assumptions; of a proved claim, one where it has a value."""
    wanted = list(claim.given)
    if verdict is Verdict.PROVED and has_values(claim.holds):
        wanted.append(claim.holds)
    if (point := find(wanted) if wanted else {}) is not None:
        return point
    raise LedgerError(
        f"{claim.id}: no exact point was found that meets its assumptions and gives it a value; "
        "state it where it is defined, with assumptions that rational numbers can meet"
    )


def idle(claim: Claim) -> tuple[Boolean, ...]:
    """Return the assumptions of a proved ``claim`` without any one of which it is proved still."""
    return tuple(
        given
        for i, given in enumerate(claim.given)
        if prove(replace(claim, given=claim.given[:i] + claim.given[i + 1 :]), BRIEFLY_MS)
    )


def judge(
    prediction: Prediction, outcomes: Mapping[str, Sequence[Mapping[str, Any]]] | None
) -> Decision:
    """Read the verdict on ``prediction`` off what its experiment measured for each seed.

    Supported if it held for every seed, contradicted if for none; open if only for some, if there
    was one seed alone, or if the experiment was not run. ``outcomes`` maps a prediction's name
    to one entry a seed with ``seed``, ``holds`` and ``numbers``.
    """
    if not outcomes or not outcomes.get(prediction.outcome):
        return Decision(Verdict.OPEN, f"the experiment {prediction.experiment} was not run")
    runs = outcomes[prediction.outcome]
    held, failed = (sum(run["holds"] is answer for run in runs) for answer in (True, False))
    verdict = Verdict.OPEN
    if len(runs) >= FEWEST_SEEDS:
        verdict = {held: Verdict.SUPPORTED, failed: Verdict.CONTRADICTED}.get(len(runs), verdict)
    return Decision(
        verdict,
        f"experiment {prediction.experiment}: held for {held} of {len(runs)} seeds",
        numbers={f"seed {run['seed']}": run["numbers"] for run in runs},
    )


def check(claim: Claim, point: Point) -> bool:
    """Whether ``point`` is an exact counterexample: legal, meets ``given``, breaks ``holds``."""
    *given, holds = instance([*claim.given, claim.holds], point.get(V))
    return is_legal(point) and all(truth(g, point) for g in given) and truth(holds, point) is False


def find(statements: Sequence[Boolean]) -> dict[Expr, Expr] | None:
    """Return an exact point where all ``statements`` are true, the simplest that is found.

    Statements about every vocabulary size are tried at each size from 2 to 6, smallest first.
    """
    if not any(speaks_of_tokens(s) for s in statements):
        points = [_find(group) for group in apart(statements)]
        return (
            None
            if None in points
            else {s: v for point in points if point for s, v in point.items()}
        )
    for size in SIZES:
        if (point := _find(instance(statements, Integer(size)))) is not None:
            return {V: Integer(size), **point}
    return None


def apart(statements: Sequence[Boolean]) -> list[list[Boolean]]:
    """Return ``statements`` in groups that share no unknown: each can be met by itself."""
    groups: list[tuple[set[Expr], list[Boolean]]] = []
    for part in (p for s in statements for p in conjuncts(s)):
        unknowns, parts = unknowns_of([part]), [part]
        for group in [g for g in groups if g[0] & unknowns]:
            groups.remove(group)
            unknowns, parts = unknowns | group[0], group[1] + parts
        groups.append((unknowns, parts))
    return [parts for _, parts in groups] if len(groups) > 1 else [list(statements)]


def _find(statements: Sequence[Boolean]) -> dict[Expr, Expr] | None:
    if (point := smallest_point(statements)) is not None:
        return point
    point = Problem(statements).check()[1]
    whole = And(*statements, evaluate=False)
    return point if point is not None and is_legal(point) and truth(whole, point) else None


def instance(statements: Sequence[Boolean], size: Expr | None) -> list[Boolean]:
    """Write ``statements`` out for one vocabulary size: sums expanded, each token in turn."""
    if size is None:
        return list(statements)
    last = {
        base: int(total.limits[0][2].subs(V, size))
        for statement in statements
        for total in statement.atoms(Sum)
        for base in total.atoms(IndexedBase)
    }
    written: list[Boolean] = []
    for statement in statements:
        at_size = statement.subs(V, size).doit()
        if k not in at_size.free_symbols:
            written.append(at_size)
            continue
        count = min(last.get(base, int(size)) for base in at_size.atoms(IndexedBase))
        written += [at_size.subs(k, token) for token in range(1, count + 1)]
    return written


def speaks_of_tokens(statement: Boolean) -> bool:
    """Whether ``statement`` is about every token, or sums over them."""
    return bool(statement.atoms(Sum)) or k in statement.free_symbols


def _require_exact(claim: Claim) -> None:
    for statement in (claim.holds, *claim.given):
        if isinstance(statement, BooleanTrue | BooleanFalse):
            raise LedgerError(
                f"{claim.id}: sympy evaluated a statement to {statement} when it was written; "
                "write it with equal, iff, implies or evaluate=False"
            )
        if statement.has(Float):
            raise LedgerError(f"{claim.id}: a statement holds a float; write it as a Rational")
    if k in claim.holds.free_symbols:
        raise LedgerError(
            f"{claim.id}: a conclusion speaks of named tokens and of sums: got one about the "
            "generic token; name a token"
        )


def prove(claim: Claim, timeout_ms: int = TIMEOUT_MS) -> str:
    """Return the name of the procedure that proves ``claim``, or an empty string."""
    parts = conjuncts(claim.holds)
    rest = [part for part in parts if not is_identity(part)]
    if all(isinstance(part, Eq) and part.lhs == part.rhs for part in parts):
        return COMPUTED
    if not rest:
        return "identity (sympy)"
    if all(Problem([*claim.given, Not(part)]).check(timeout_ms)[0] == "unsat" for part in rest):
        sums = any(s.has(Sum) for s in (claim.holds, *claim.given))
        return "SMT, every vocabulary size, term by term" if sums else "SMT: negation unsatisfiable"
    return ""


def conjuncts(statement: Boolean) -> tuple[Boolean, ...]:
    """Return what a conjunction says, part by part, however it is nested."""
    if not isinstance(statement, And):
        return (statement,)
    return tuple(part for argument in statement.args for part in conjuncts(argument))


def is_identity(statement: Boolean) -> bool:
    """Whether both sides of an equation expand to the same."""
    return isinstance(statement, Eq) and bool(difference(statement) == 0)


def difference(statement: Eq) -> Expr:
    """Return the expanded difference of an equation's sides."""
    gap = statement.lhs - statement.rhs
    done = gap.replace(Derivative, lambda *args: Derivative(*args).doit())
    return expand(canonical(done))


def _prove_or_refute(claim: Claim) -> tuple[Verdict, str, Point | None]:
    if by := prove(claim):
        return Verdict.PROVED, by, None
    if has_values(claim.holds):
        for more, by in _preferred(claim):
            point = find([*claim.given, Not(claim.holds), *more])
            if point is not None and check(claim, point):
                return Verdict.REFUTED, by, point
    # Last, for it is slow and seldom needed: sympy's own simplification.
    parts = conjuncts(claim.holds)
    if all(isinstance(part, Eq) and simplify(difference(part)) == 0 for part in parts):
        return Verdict.PROVED, "identity (sympy)", None
    return Verdict.OPEN, "neither proof nor counterexample found", None


def _preferred(claim: Claim) -> list[tuple[tuple[Boolean, ...], str]]:
    """Return what a counterexample should meet besides, the best first, and what it then is."""
    strict, by = (strictly(Not(claim.holds)),), "exact counterexample, checked by substitution"
    edge = f"{by}; at equality only"
    regimes = (claim.regime, ()) if claim.regime else ((),)
    return [
        ((*more, *regime), how) for more, how in ((strict, by), ((), edge)) for regime in regimes
    ]


def _witness(claim: Claim) -> tuple[Verdict, str, Point | None]:
    if (point := find([*claim.given, claim.holds])) is not None:
        return Verdict.PROVED, "exact witness, checked by substitution", point
    if Problem([*claim.given, claim.holds]).check()[0] == "unsat":
        return Verdict.REFUTED, "SMT: no such case", None
    return Verdict.OPEN, "neither a witness nor a proof that there is none", None
