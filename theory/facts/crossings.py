"""Where a function of one number changes sign, between bounds that intervals certify."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from mpmath import iv
from sympy import Expr, Rational, Symbol, exp, log

from ..kernels.lowering import compile_kernel

_FAR, _FINE, _HALVINGS = 400, 50, 40


@dataclass(frozen=True)
class Crossing:
    """A change of sign.

    Args:
        low: Here the sign is surely ``before``.
        high: Here it is surely the opposite.
        before: 1 or -1.
    """

    low: Rational
    high: Rational
    before: int


def crossings(expr: Expr, x: Symbol, values: Mapping[Symbol, float]) -> tuple[Crossing, ...]:
    """Return the sign changes of ``expr`` that floats on a grid over [-400, 400] see.

    The function must be continuous, for then it is zero within each bracket.

    Args:
        expr: A function of ``x`` alone but for the symbols in ``values``.
        x: The variable.
        values: Numbers for all other symbols, each read as the decimal it prints as.

    Raises:
        ValueError: ``expr`` holds a function that has no interval form.
    """
    decimal = expr.subs({s: Rational(str(v)) for s, v in values.items()})
    exact = decimal.rewrite(exp)
    grid = np.arange(-_FAR * _FINE, _FAR * _FINE + 1) / _FINE + 1 / 3
    with np.errstate(all="ignore"):
        seen = np.sign(compile_kernel(decimal, (x,))(grid))
    told = np.flatnonzero(np.isin(seen, (-1, 1)))
    turns = [(i, j) for i, j in pairwise(told) if seen[i] != seen[j]]
    places = []
    for i, j in turns:
        low, high, before = Rational(grid[i]), Rational(grid[j]), int(seen[i])
        if (_sign(exact, x, low), _sign(exact, x, high)) == (before, -before):
            places.append(_narrow(exact, x, low, high, before))
    return tuple(places)


def _narrow(f: Expr, x: Symbol, low: Rational, high: Rational, before: int) -> Crossing:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        sign = _sign(f, x, middle)
        if not sign or high - low < Rational(1, 10**6):
            break
        low, high = (middle, high) if sign == before else (low, middle)
    return Crossing(low, high, before)


def _sign(f: Expr, x: Symbol, at: Rational) -> int:
    """Return the certain sign of f at a point; 0 if the interval does not tell."""
    value = _interval(f, x, at)
    return 1 if value.a > 0 else -1 if value.b < 0 else 0


def _interval(f: Expr, x: Symbol, at: Rational) -> Any:
    if f == x:
        return _interval(at, x, at)
    if f.is_Rational:
        return iv.mpf(int(f.p)) / int(f.q)
    parts = [_interval(part, x, at) for part in f.args]
    if f.is_Add:
        return sum(parts, iv.mpf(0))
    if f.is_Mul:
        whole = iv.mpf(1)
        for part in parts:
            whole *= part
        return whole
    if f.is_Pow and f.exp.is_Integer:
        return parts[0] ** int(f.exp)
    if f.func in (exp, log):
        return (iv.exp if f.func is exp else iv.log)(parts[0])
    raise ValueError(f"an interval form is known of +, *, powers, exp and log: got {f.func}")
