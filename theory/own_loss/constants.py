"""The values of expressions without symbols, in doubles: sympy's own could take any time."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Symbol, exp, log

from ..kernels.primitives import Primitive
from ..kernels.stable import functions

LARGE = 1e100

_VALUES: dict[type[Expr], Callable[..., np.float64]] = {
    Add: lambda *terms: np.float64(sum(terms)),
    Mul: lambda *factors: np.prod(factors),
    Pow: np.power,
    exp: np.exp,
    log: np.log,
    Abs: np.abs,
    Max: lambda *values: np.max(values),
    Min: lambda *values: np.min(values),
}


def constant(expr: Expr, values: Mapping[Symbol, float] | None = None) -> float:
    """Return about the value of an expression of numbers and of the symbols in ``values``.

    Infinite or NaN if it has none.

    Raises:
        TypeError: It has other symbols, or functions that no formula has.
    """
    with np.errstate(all="ignore"):
        return float(_value(expr, values or {}))


def _value(expr: Expr, values: Mapping[Symbol, float]) -> np.float64:
    if expr in values:
        return np.float64(values[expr])
    if expr.is_Rational:
        return _quotient(expr.p, expr.q)
    if expr.is_Float or expr.is_NumberSymbol:
        return np.float64(expr)
    arguments = [_value(argument, values) for argument in expr.args]
    if isinstance(expr, Primitive):
        return np.float64(functions("numpy")[type(expr).__name__](arguments[0]))
    if expr.func not in _VALUES:
        raise TypeError(f"a constant is made of numbers and functions: got {expr}")
    return _VALUES[expr.func](*arguments)


def _quotient(p: int, q: int) -> np.float64:
    try:
        return np.float64(p / q)
    except OverflowError:
        return np.float64(math.copysign(math.inf, p))
