"""Formulas with as many digits as one likes, and how far rounding alone can move them."""

from dataclasses import dataclass, replace

import mpmath
import sympy
from mpmath import mp

# The largest and the smallest double with all its digits.
LARGEST, SMALLEST = mpmath.mpf("1.7976931348623157e308"), mpmath.mpf("2.2250738585072014e-308")
# Many digits, for 1 - e^-700 is to differ from 1.
DIGITS = 330

ONE = mpmath.mpf(1)
TANGENT = ONE / 10**6


def _exp(x):
    """The exponential, of what is beyond all doubles a number that is too."""
    return mp.exp(max(min(x, mpmath.mpf(10) ** 6), -(mpmath.mpf(10) ** 6)))


def _sigmoid(x):
    return 1 / (1 + _exp(-x))


def _logsigmoid(x):
    return min(x, 0) - mp.log1p(_exp(-abs(x)))


# Each function of formulas: its value, and the size of its derivative.
FUNCTIONS = {
    "exp": (_exp, _exp),
    "log": (mp.log, lambda x: 1 / x),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "logsigmoid": (_logsigmoid, lambda x: _sigmoid(-x)),
    "relu": (lambda x: max(mpmath.mpf(0), x), lambda x: ONE * (x > 0)),
    "step": (lambda x: ONE * (x > 0), lambda _: 0 * ONE),
    "expm1": (lambda x: mp.expm1(x) if abs(x) < 1 else _exp(x) - 1, _exp),
    "logodds": (lambda x: x - mp.log(-mp.expm1(x)), lambda x: -1 / mp.expm1(x)),
    "linlog": (
        lambda x: mp.log(x) if x > TANGENT else mp.log(TANGENT) + x / TANGENT - 1,
        lambda x: 1 / max(x, TANGENT),
    ),
}


@dataclass(frozen=True)
class Exact:
    """A value, and what it may be off by.

    Args:
        value: The value.
        reach: By how much it changes, to first order, if every occurrence of every argument
            changes by the share one in the worst direction. A share of an ulp of each is what
            rounding the arguments alone does, so no program of doubles can promise less.
        overflows: Something on the way is beyond the doubles.
        edge: How near its jump the nearest step is, in units of what moves it there.
        terms: The size of terms that cancel, where a test makes an exception of that.
    """

    value: mpmath.mpf
    reach: mpmath.mpf
    overflows: bool = False
    edge: float = float("inf")
    terms: float = 0.0


def exactly(expr, values):
    """Return the value of ``expr`` at ``values``, symbols to numbers, as it is written.

    The formula is a tree, so the reach of a sum is the sum of its terms' reaches, and so on.
    """
    known = {}

    def visit(node):
        if node not in known:
            known[node] = compute(node)
            if abs(known[node].value) > LARGEST:
                known[node] = replace(known[node], overflows=True)
        return known[node]

    def compute(node):
        if node.is_Symbol:
            value = mpmath.mpf(values[node])
            return Exact(value, abs(value))
        if node.is_Number or node.is_NumberSymbol:
            return Exact(mpmath.mpf(node.p) / node.q if node.is_Rational else node.evalf(DIGITS), 0)
        parts = [visit(part) for part in node.args]
        over, edge = any(p.overflows for p in parts), min(p.edge for p in parts)
        if node.is_Add:
            return Exact(sum(p.value for p in parts), sum(p.reach for p in parts), over, edge)
        if node.is_Mul:
            value = mp.fprod(p.value for p in parts)
            others = [mp.fprod(q.value for q in parts if q is not p) for p in parts]
            reach = sum(p.reach * abs(o) for p, o in zip(parts, others, strict=True))
            return Exact(value, reach, over, edge)
        if node.is_Pow:
            base, exponent = parts
            value = base.value**exponent.value
            slope = exponent.value * base.value ** (exponent.value - 1)
            return Exact(value, abs(slope) * base.reach, over, edge)
        (x,) = parts
        function, slope = FUNCTIONS[node.func.__name__]
        if node.func.__name__ in {"step", "relu"}:
            edge = min(edge, float(abs(x.value) / x.reach) if x.reach else float("inf"))
        return Exact(function(x.value), abs(slope(x.value)) * x.reach, over, edge)

    with mpmath.workdps(DIGITS):
        return visit(sympy.sympify(expr))
