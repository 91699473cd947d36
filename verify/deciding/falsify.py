"""Trying to break a statement: many random points, an exact check of each hit, then shrinking."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from sympy import And, Eq, Expr, Integer, Not, Rational, lambdify
from sympy.logic.boolalg import Boolean

from disband.theory.models.vocabulary import V

from .claim import Claim, Point
from .decide import SIZES, check, instance, speaks_of_tokens
from .search import has_values, screen, unknowns_of

BATCH = 20_000
HITS = 4
LARGEST = 40


@dataclass(frozen=True)
class Attempt:
    """What a search for a counterexample came to.

    Args:
        tried: How many points met the assumptions.
        counterexample: A shrunk exact point where the statement fails, if one was found.
    """

    tried: int
    counterexample: Point | None


def falsify(
    claim: Claim,
    seconds: float,
    seed: int = 0,
    turns: int | None = None,
    on_progress: Callable[[float, int], None] = lambda _share, _tried: None,
) -> Attempt:
    """Search for a counterexample to ``claim`` for about ``seconds``; shrink what is found.

    Points are random rationals of growing size, ``BATCH`` of them a turn, screened in floating
    point; a hit counts only once it has been checked exactly. That nothing is found proves
    nothing. Of a statement that something can happen, or about functions left open, no point is
    tried. With ``turns`` the search also ends after so many turns.

    Raises:
        ValueError: ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"a search takes a positive time: got {seconds} s; give it a few seconds")
    if claim.exists or not has_values(claim.holds):
        return Attempt(0, None)
    if not unknowns_of([*claim.given, claim.holds]):
        return Attempt(1, {} if check(claim, {}) else None)
    start, tried = monotonic(), 0
    rng = np.random.default_rng(seed)
    samplers = _samplers(claim)
    for turn in count() if turns is None else range(turns):
        sampler = samplers[turn % len(samplers)]
        met, hits = sampler.draw(rng, largest=min(2 + turn, LARGEST))
        tried += met
        for point in hits:
            if check(claim, point):
                return Attempt(tried, shrink(claim, point, seconds))
        if (spent := monotonic() - start) > seconds:
            break
        on_progress(spent / seconds, tried)
    return Attempt(tried, None)


def shrink(claim: Claim, point: Point, seconds: float = inf) -> dict[Expr, Expr]:
    """Return a simpler counterexample: each number as small as can be, one after another.

    It is the simplest that is met in about so many ``seconds``.
    """
    start, best, improved = monotonic(), dict(point), True
    while improved:
        improved = False
        for unknown in sorted(set(best) - {V}, key=str):
            for value in _simpler(best[unknown]):
                if monotonic() - start > seconds:
                    return best
                candidate = {**best, unknown: value}
                if check(claim, candidate):
                    best, improved = candidate, True
                    break
    return best


@dataclass(frozen=True)
class _Sampler:
    """Draws points for one vocabulary size: free unknowns at random, the others by equalities."""

    given: Sequence[Boolean]
    holds: Boolean
    size: Expr | None
    free: Sequence[Expr]
    solved: Sequence[tuple[Expr, Expr]]

    def draw(self, rng: np.random.Generator, largest: int) -> tuple[int, list[dict[Expr, Expr]]]:
        """Return how many points met the assumptions, and those that seem to break the claim."""
        tops, bottoms = zip(*(_ratios(u, rng, largest) for u in self.free), strict=True)
        values = [t / b for t, b in zip(tops, bottoms, strict=True)]
        known = list(self.free)
        for unknown, expr in self.solved:
            with np.errstate(all="ignore"):
                value = lambdify(known, expr, modules="numpy")(*values)
            known.append(unknown)
            values.append(np.broadcast_to(np.asarray(value, float), values[0].shape))
        meets = screen(And(*self.given, evaluate=False), known, values)
        breaks = meets & screen(Not(self.holds), known, values)
        hits = [self._exact(i, tops, bottoms) for i in np.flatnonzero(breaks)[:HITS]]
        return int(meets.sum()), hits

    def _exact(
        self, i: int, tops: Sequence[NDArray[np.int64]], bottoms: Sequence[NDArray[np.int64]]
    ) -> dict[Expr, Expr]:
        pairs = zip(self.free, tops, bottoms, strict=True)
        point: dict[Expr, Expr] = {u: Rational(int(t[i]), int(b[i])) for u, t, b in pairs}
        for unknown, expr in self.solved:
            point[unknown] = expr.subs(point, simultaneous=True)
        return {**point, **({V: self.size} if self.size else {})}


def _samplers(claim: Claim) -> list[_Sampler]:
    sized = any(speaks_of_tokens(s) for s in (*claim.given, claim.holds))
    return [
        _sampler(*instance([*claim.given, claim.holds], size), size=size)
        for size in ([Integer(n) for n in SIZES] if sized else [None])
    ]


def _sampler(*statements: Boolean, size: Expr | None) -> _Sampler:
    *given, holds = statements
    free = sorted(unknowns_of(statements) - ({V} if size else set()), key=str)
    solved: list[tuple[Expr, Expr]] = []
    for statement in given:
        if isinstance(statement, Eq):
            gap = (statement.lhs - statement.rhs).subs(solved[::-1]).expand()
            for unknown in reversed(free):
                slope = gap.coeff(unknown, 1)
                rest = (gap - slope * unknown).expand()
                if slope != 0 and not slope.has(unknown) and not rest.has(unknown):
                    free.remove(unknown)
                    solved.insert(0, (unknown, -rest / slope))
                    break
    return _Sampler(given, holds, size, free, solved)


def _ratios(
    unknown: Expr, rng: np.random.Generator, largest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numerators and denominators; half of the values lie between zero and one."""
    top = rng.integers(1, largest, BATCH, endpoint=True)
    if unknown.is_integer:
        return top, np.ones_like(top)
    bottom = rng.integers(1, largest, BATCH, endpoint=True)
    bottom = np.where(rng.random(BATCH) < 0.5, top + bottom, bottom)
    if not unknown.is_positive and not unknown.is_negative:
        top = np.where(rng.random(BATCH) < 0.1, 0, top)
    if unknown.is_negative:
        return -top, bottom
    if not unknown.is_nonnegative:
        top = np.where(rng.random(BATCH) < 0.5, -top, top)
    return top, bottom


def _simpler(value: Expr) -> Iterator[Expr]:
    height = abs(value.p) + value.q
    for total in range(1, min(height, LARGEST)):
        for bottom in range(1, total + 1):
            for top in (total - bottom, bottom - total):
                candidate = Rational(top, bottom)
                if abs(candidate.p) + candidate.q == total:
                    yield candidate
