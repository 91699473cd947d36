"""A statement of a paper written down a second time, and what it says at exact points.

The writer has read the paper and the alphabet of ``disband.theory.symbols``, not the first
formalisation: where the two differ, the words of the paper are open or one of them is wrong.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from operator import itemgetter

import sympy
from sympy import Basic, Eq, Expr, Symbol
from sympy.logic.boolalg import Boolean

from disband.theory.symbols import PLAIN

# Whole numbers stay integers, with which Python is quick.
Number = int | Fraction
Point = Mapping[Symbol, Number]

MEANING: dict[Symbol, str] = {}


def named(name: str, meaning: str, **assumptions: bool) -> Symbol:
    """A symbol of this formalisation and what it means in words."""
    symbol = Symbol(name, **assumptions or {"real": True})
    if name in {str(other) for other in (*MEANING, *PLAIN)}:
        raise ValueError(f"one symbol has one meaning: {name} has one already; take another name")
    MEANING[symbol] = meaning
    return symbol


def same(left: Expr, right: Expr) -> Eq:
    """An equation that is kept as written, even where both sides are seen to agree."""
    return Eq(left, right, evaluate=False)


def sigma(z: Expr) -> Expr:
    return 1 / (1 + sympy.exp(-z))


@dataclass(frozen=True, eq=False)
class Second:
    """A statement as one reader understands the words.

    Args:
        key: The paper and its number for the statement.
        where: The section.
        words: What is printed, shortened by an ellipsis.
        given: What is assumed there. An equation with a bare symbol on its left defines it.
        states: What is said, all of it.
        remark: What the words leave open, and misprints.
        reading: Which of several readings this is; empty if there is one.
        exists: The words hedge (can, may, likely): there is such a point.
        fails_at: Values of the symbols that are not defined by ``given`` at which the assumptions
            hold and the statement does not; none where it held wherever it was evaluated.
    """

    key: str
    where: str
    words: str
    given: tuple[Boolean, ...]
    states: tuple[Boolean, ...]
    remark: str = ""
    reading: str = ""
    exists: bool = False
    fails_at: Point | None = None

    @property
    def name(self) -> str:
        return f"{self.key}, read {self.reading}" if self.reading else self.key

    @property
    def symbols(self) -> list[Symbol]:
        used = set().union(*(part.free_symbols for part in self.given + self.states))
        return sorted(used, key=str)

    @property
    def defined(self) -> set[Symbol]:
        return {part.lhs for part in self.given if defines(part)}

    @property
    def where_symbols(self) -> dict[Symbol, str]:
        """Every symbol of the statement in words."""
        return {s: MEANING[s] if s in MEANING else PLAIN[s] for s in self.symbols}

    def met(self, free: Point) -> Point | None:
        """The point with what ``given`` defines, in its order; None where it does not hold."""
        point = dict(free)
        for part in self.given:
            if defines(part):
                point[part.lhs] = value(part.rhs, point)
            elif not value(part, point):
                return None
        return point

    def filled(self, free: Point) -> dict[Symbol, Number]:
        """The point with what ``given`` defines, whether or not the rest of it holds there."""
        point = dict(free)
        for part in self.given:
            if defines(part):
                point[part.lhs] = value(part.rhs, point)
        return point

    def assumed(self, point: Point) -> bool:
        return all(value(part, point) for part in self.given if not defines(part))

    def holds(self, point: Point) -> bool:
        return all(value(part, point) for part in self.states)

    def points(self, count: int, tries: int = 40_000) -> Iterator[Point]:
        """Up to ``count`` random points at which the assumptions hold."""
        draws = random.Random(self.name)
        free = [symbol for symbol in self.symbols if symbol not in self.defined]
        whole = any(part.has(sympy.exp) for part in self.given + self.states)
        accepted = 0
        for _ in range(tries):
            point = self.met({s: drawn(draws, s, whole=whole) for s in free})
            if point is not None:
                yield point
                accepted += 1
            if accepted == count:
                return


def defines(part: Boolean) -> bool:
    return isinstance(part, Eq) and isinstance(part.lhs, Symbol)


WHOLE = [1, 1, 2, 3, 4]
BROKEN = [Fraction(1, 2), Fraction(1, 3), Fraction(3, 4), Fraction(5, 2), Fraction(1, 12)]


def drawn(draws: random.Random, symbol: Symbol, *, whole: bool) -> Number:
    size = draws.choice(WHOLE if whole or symbol.is_integer else WHOLE + BROKEN)
    if symbol.is_positive:
        return size
    if symbol.is_negative:
        return -size
    signs = (0, 1, 1, 1) if symbol.is_nonnegative else (0, 1, 1, -1, -1)
    return size * draws.choice(signs)


def value(part: Basic, point: Point) -> Number | bool:
    """The value of an expression or of a relation at a point, exactly.

    The exponential of n/12 is read as 2^n. What is equal for the exponential is a rational
    function of the number e^(1/12) that vanishes, and that number is transcendental: it vanishes
    at 2 too. So an equation that fails here fails; one that holds at many points is likely true.
    An order is stated of exponentials only where it holds of any positive numbers, or of none.

    Raises:
        ValueError: An exponent that is not whole, a step at its jump, or an unknown function.
        ZeroDivisionError: The expression is undefined at the point.
    """
    return evaluator(part)(point)


@cache
def evaluator(part: Basic) -> Callable[[Point], Number | bool]:
    if isinstance(part, Symbol | sympy.Indexed):
        return itemgetter(part)
    if isinstance(part, sympy.Rational):
        number = Fraction(part.p, part.q) if part.q != 1 else int(part)
        return lambda _: number
    if part in (sympy.true, sympy.false):
        return lambda _: bool(part)
    if isinstance(part, sympy.Piecewise):
        cases = [(evaluator(expr), evaluator(condition)) for expr, condition in part.args]
        return lambda point: next(expr(point) for expr, condition in cases if condition(point))
    parts = [evaluator(argument) for argument in part.args]
    for kind, rule in RULES.items():
        if isinstance(part, kind):
            return lambda point: rule([of(point) for of in parts])
    raise ValueError(f"only rational functions and relations are evaluated: got {part.func}")


def _power(base: Number, exponent: Number) -> Number:
    if exponent.denominator != 1:
        raise ValueError(f"an exponent must be whole to be exact: got {exponent}")
    return base ** int(exponent) if exponent >= 0 else Fraction(1) / base ** int(-exponent)


class JumpError(ValueError):
    """A step is asked for its value where it jumps."""


def _step(argument: Number) -> int:
    if argument == 0:
        raise JumpError("a step has no value at its jump: leave that point out by an assumption")
    return int(argument > 0)


RULES = {
    sympy.exp: lambda one: _power(2, 12 * one[0]),
    sympy.Pow: lambda two: _power(*two),
    sympy.Heaviside: lambda args: _step(args[0]),
    sympy.Add: sum,
    sympy.Mul: prod,
    sympy.Min: min,
    sympy.Max: max,
    sympy.Eq: lambda two: two[0] == two[1],
    sympy.Ne: lambda two: two[0] != two[1],
    sympy.Le: lambda two: two[0] <= two[1],
    sympy.Lt: lambda two: two[0] < two[1],
    sympy.Ge: lambda two: two[0] >= two[1],
    sympy.Gt: lambda two: two[0] > two[1],
    sympy.And: all,
    sympy.Or: any,
    sympy.Not: lambda one: not one[0],
    sympy.Xor: lambda parts: sum(parts) % 2 == 1,
    sympy.Implies: lambda two: two[1] or not two[0],
    sympy.Equivalent: lambda parts: len(set(parts)) == 1,
}
