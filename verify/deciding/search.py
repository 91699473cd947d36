"""Exact points: the smallest one where a statement is true, and what is true at a point."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Derivative, Expr, Indexed, Integer, Rational, lambdify
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import And, Boolean

from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.symbols import A, B, X

from .logic import Comparison, fold

DIGITS = 60
GRID = 300_000
TRIES = 60
SLACK = 1e-9

_COUNTS = (1, 2, 3, 4, 5)
_POSITIVE = tuple(Rational(n) for n in ("1", "2", "1/2", "3", "1/3", "4", "1/4", "10"))
_SIGNED = tuple(
    Rational(n) for n in ("0", "1", "-1", "2", "-2", "1/2", "-1/2", "3", "-3", "5", "-5")
)

Truth = bool | None


def truth(statement: Boolean, point: Mapping[Expr, Expr]) -> Truth:
    r"""Return whether ``statement`` is true at an exact ``point``; ``None`` if undefined there.

    Comparisons of rationals are exact; those of constants such as :math:`\sigma(1)` are decided
    by their first 60 digits, and equality of such constants is never assumed.
    """

    def atom(gap: Expr, how: Comparison) -> Truth:
        sign = _sign(value_at(gap, point))
        if sign is None:
            return None
        return {">=": sign >= 0, ">": sign > 0, "==": sign == 0, "!=": sign != 0}[how]

    return fold(statement, atom, _all, _any, lambda t: None if t is None else not t)


def value_at(expr: Expr, point: Mapping[Expr, Expr]) -> Expr:
    """Return the exact value of ``expr`` at ``point``."""
    return expr.subs(dict(point), simultaneous=True).rewrite("exp")


def _sign(value: Expr) -> int | None:
    if value.is_Rational:
        return int(value.p > 0) - int(value.p < 0)
    if not value.is_number or not value.is_finite or not value.is_real:
        return None
    digits = value.evalf(DIGITS)
    if not digits.is_Float or abs(digits) < Rational(1, 10 ** (DIGITS - 20)):
        return None
    return 1 if digits > 0 else -1


def _all(parts: list[Truth]) -> Truth:
    return None if None in parts else all(parts)


def _any(parts: list[Truth]) -> Truth:
    return None if None in parts else any(parts)


def has_values(statement: Boolean) -> bool:
    """Whether a point gives ``statement`` a value: it speaks of no function left open."""
    return not statement.has(AppliedUndef, Derivative)


def is_legal(point: Mapping[Expr, Expr]) -> bool:
    """Whether a point is exact, keeps every declared sign and can be realised by vectors."""
    facts = ("is_positive", "is_nonnegative", "is_negative", "is_integer", "is_nonpositive")
    exact = all(v.is_Rational for v in point.values())
    signs = all(getattr(v, f) for s, v in point.items() for f in facts if getattr(s, f))
    if not exact or not signs or X not in point:
        return exact and signs
    return {A, B} <= set(point) and bool(point[X] ** 2 <= point[A] * point[B])


def smallest_point(statements: Sequence[Boolean]) -> dict[Expr, Expr] | None:
    """Return the simplest point of a grid of small rationals where all ``statements`` are true.

    Candidates are screened in floating point, simplest first, and accepted exactly.
    """
    statement = And(*statements, evaluate=False)
    unknowns = sorted(unknowns_of(statements), key=str)
    if not unknowns:
        return {} if truth(statement, {}) else None
    candidates = [_candidates(u) for u in unknowns]
    depth = max(2, int(GRID ** (1 / len(unknowns))))
    candidates = [c[:depth] for c in candidates]
    for ranks in _screened(statement, unknowns, candidates):
        point = {u: c[i] for u, c, i in zip(unknowns, candidates, ranks, strict=True)}
        if is_legal(point) and truth(statement, point):
            return point
    return None


def unknowns_of(statements: Sequence[Boolean]) -> set[Expr]:
    """Return the symbols and entries that a point for ``statements`` must give values to."""
    indexed: set[Expr] = set().union(*(s.atoms(Indexed) for s in statements))
    bases = {symbol for entry in indexed for symbol in entry.base.free_symbols}
    free = set().union(*(s.free_symbols for s in statements)) - bases
    return free | indexed | ({A, B} if X in free else set())


def _candidates(unknown: Expr) -> tuple[Expr, ...]:
    if unknown.is_integer and unknown.is_positive:
        return tuple(Integer(n) for n in _COUNTS)
    if unknown.is_integer and unknown.is_nonnegative:
        return tuple(Integer(n) for n in (0, *_COUNTS))
    if unknown.is_positive:
        return _POSITIVE
    if unknown.is_nonnegative:
        return (Integer(0), *_POSITIVE)
    if unknown.is_negative:
        return tuple(-v for v in _POSITIVE)
    return _SIGNED


def _screened(
    statement: Boolean, unknowns: Sequence[Expr], candidates: Sequence[Sequence[Expr]]
) -> Iterator[tuple[int, ...]]:
    shape = tuple(len(c) for c in candidates)
    if np.prod(shape, dtype=float) > 20 * GRID:
        return
    ranks = np.indices(shape).reshape(len(shape), -1)
    ranks = ranks[:, np.argsort(ranks.sum(0), kind="stable")]
    values = [np.array([float(v) for v in c])[r] for c, r in zip(candidates, ranks, strict=True)]
    likely = screen(statement, unknowns, values)
    yield from (tuple(int(i) for i in ranks[:, j]) for j in np.flatnonzero(likely)[:TRIES])


def screen(
    statement: Boolean, unknowns: Sequence[Expr], values: Sequence[NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Whether ``statement`` seems true at each of many points, in floating point.

    Points that no vectors realise are left out. ``values`` holds one array for each unknown.
    """
    table = {p.__name__: p.numpy for p in PRIMITIVES}
    size = values[0].shape

    def atom(gap: Expr, how: Comparison) -> NDArray[np.bool_]:
        gap_of = lambdify(list(unknowns), gap.doit(), modules=[table, "numpy"])
        with np.errstate(all="ignore"):
            gaps: Any = np.broadcast_to(gap_of(*values), size)
        holds = {
            ">=": gaps >= -SLACK,
            ">": gaps > SLACK,
            "==": np.abs(gaps) <= SLACK,
            "!=": np.abs(gaps) > SLACK,
        }
        return np.asarray(holds[how])

    everywhere = np.ones(size, bool)

    def both(parts: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        return np.asarray(np.logical_and.reduce([everywhere, *parts]))

    def either(parts: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        return np.asarray(np.logical_or.reduce([~everywhere, *parts]))

    true = np.asarray(fold(statement, atom, both, either, np.logical_not))
    named = dict(zip(unknowns, values, strict=True))
    if not {A, B, X} <= set(named):
        return true
    with np.errstate(all="ignore"):
        return np.asarray(true & (named[X] ** 2 <= named[A] * named[B] + SLACK))
