r"""Reads formulas that people type: a loss, or a statement about symbols. Nothing is evaluated.

The text is parsed by Python's own parser and only these forms are built:

* numbers (read exactly: ``0.1`` is 1/10), the names that the caller allows;
* ``+ - * / **`` (powers with small integer exponents), parentheses;
* ``exp log sqrt abs min max`` and the functions of :mod:`disband.theory.kernels.primitives`, such
  as ``sigmoid logsigmoid relu step``;
* in statements ``< <= > >= == !=`` (chained as in mathematics), ``and or not``,
  ``implies(p, q)`` and ``iff(p, q)``.

Length, depth, parts, numbers and exponents are bounded, so time and memory are too. Expressions
are read in :mod:`disband.theory.own_loss.expression`, losses in :mod:`disband.theory.own_loss.own`.
"""

import ast
from collections.abc import Callable, Mapping
from itertools import pairwise

from sympy import And, Eq, Equivalent, Expr, Ge, Gt, Implies, Le, Lt, Ne, Not, Or, Symbol
from sympy.logic.boolalg import Boolean

from .expression import EXTREMES, FUNCTIONS, Reader
from .typed import FormulaError, Typed

__all__ = ["EXTREMES", "FUNCTIONS", "FormulaError", "read_claim", "read_expression"]
__all__ += ["read_statement"]

CONNECTIVES: Mapping[str, Callable[..., Boolean]] = {"implies": Implies, "iff": Equivalent}
_COMPARISONS = {
    ast.Lt: Lt,
    ast.LtE: Le,
    ast.Gt: Gt,
    ast.GtE: Ge,
    ast.Eq: Eq,
    ast.NotEq: Ne,
}


def read_expression(text: str, names: Mapping[str, Symbol]) -> Expr:
    """Return the expression that ``text`` writes, over the symbols of ``names``.

    Raises:
        FormulaError: The text is no expression of the grammar, or too large, deep or extreme.
    """
    typed = Typed(text)
    return Reader(typed, names).expression(typed.tree)


def read_statement(text: str, names: Mapping[str, Symbol]) -> Boolean:
    """Return the statement that ``text`` writes, over the symbols of ``names``.

    Raises:
        FormulaError: The text is no statement of the grammar, or too large, deep or extreme.
    """
    return read_claim(text, names)[0]


def read_claim(text: str, names: Mapping[str, Symbol]) -> tuple[Boolean, tuple[Boolean, ...]]:
    """Return the statement that ``text`` writes, and where all of its formulas are defined.

    Sympy cancels :math:`A/A` as it is written; the conditions keep what that forgets.

    Raises:
        FormulaError: As :func:`read_statement`.
    """
    typed = Typed(text)
    reader = Reader(typed, names)
    return _statement(reader, typed.tree, 0), tuple(reader.defined)


def _statement(reader: Reader, node: ast.expr, depth: int) -> Boolean:
    reader.count(node, depth)
    match node:
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _comparison(reader, node, [left, *rest], ops, depth)
        case ast.BoolOp(op=op, values=values):
            parts = [_statement(reader, value, depth + 1) for value in values]
            return (And if isinstance(op, ast.And) else Or)(*parts, evaluate=False)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_statement(reader, operand, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=[one, other], keywords=[]) if (
            name in CONNECTIVES
        ):
            both = [_statement(reader, side, depth + 1) for side in (one, other)]
            return CONNECTIVES[name](*both, evaluate=False)
    raise reader.typed.refuse(
        node, "a statement is made of comparisons, and, or, not, implies, iff", "compare two sides"
    )


def _comparison(
    reader: Reader, node: ast.AST, sides: list[ast.expr], ops: list[ast.cmpop], depth: int
) -> Boolean:
    if any(type(op) not in _COMPARISONS for op in ops):
        raise reader.typed.refuse(node, "a comparison is one of < <= > >= == !=", "use these")
    values = [reader.expression(side, depth + 1) for side in sides]
    parts = [
        _COMPARISONS[type(op)](one, other, evaluate=False)
        for op, (one, other) in zip(ops, pairwise(values), strict=True)
    ]
    return parts[0] if len(parts) == 1 else And(*parts, evaluate=False)
