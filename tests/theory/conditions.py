"""Conditions as boolean arrays: an evaluator of its own, beside the one that states them."""

import numpy as np
import sympy
from sympy.core.relational import Relational

from disband.theory.kernels.lowering import compile_kernel


def holds(condition, values):
    """Evaluate a condition on arrays by symbol; floats, so not for equations."""
    if condition in (sympy.true, sympy.false):
        return np.full(np.shape(next(iter(values.values()))), condition == sympy.true)
    if isinstance(condition, sympy.And):
        return np.logical_and.reduce([holds(part, values) for part in condition.args])
    if isinstance(condition, sympy.Or):
        return np.logical_or.reduce([holds(part, values) for part in condition.args])
    if isinstance(condition, sympy.Not):
        return ~holds(condition.args[0], values)
    if isinstance(condition, Relational):
        gap = number(condition.lhs - condition.rhs, values)
        compare = {
            ">": gap > 0, ">=": gap >= 0, "<": gap < 0, "<=": gap <= 0, "==": gap == 0,
            "!=": gap != 0,
        }  # fmt: skip
        return compare[condition.rel_op]
    raise TypeError(condition)


def number(expr, values):
    """Evaluate an expression on arrays by symbol."""
    if isinstance(expr, sympy.Min):
        return np.minimum.reduce([number(part, values) for part in expr.args])
    used = sorted(expr.free_symbols, key=str)
    any_array = next(iter(values.values()))
    if not used:
        return np.full(np.shape(any_array), float(expr.rewrite(sympy.exp)))
    with np.errstate(all="ignore"):
        return compile_kernel(expr, used)(*(np.asarray(values[s], float) for s in used))
