r"""Reads formulas that people type: a loss, or a statement about symbols. Nothing is evaluated.

The text is parsed by Python's own parser and only these forms are built:

* numbers (read exactly: ``0.1`` is 1/10), the names that the caller allows;
* ``+ - * / **`` (powers with small integer exponents), parentheses;
* ``exp log sqrt abs min max`` and the functions of :mod:`disband.theory.kernels.primitives`, such
  as ``sigmoid logsigmoid relu step``; in losses ``stop``, whose argument counts as constant;
* in statements ``< <= > >= == !=`` (chained as in mathematics), ``and or not``,
  ``implies(p, q)`` and ``iff(p, q)``.

The length of the text, its exponents, the size of its numbers and the time are bounded.
Expressions are read in :mod:`disband.theory.own_loss.expression`, losses in
:mod:`disband.theory.own_loss.declare`.
"""

import ast
from collections.abc import Callable, Mapping
from itertools import pairwise

from sympy import And, Eq, Equivalent, Ge, Gt, Implies, Le, Lt, Ne, Not, Or, Symbol
from sympy.logic.boolalg import Boolean

from .expression import Reader
from .source_text import SourceText, reading

CONNECTIVES: Mapping[str, Callable[..., Boolean]] = {"implies": Implies, "iff": Equivalent}
_COMPARISONS = {
    ast.Lt: Lt,
    ast.LtE: Le,
    ast.Gt: Gt,
    ast.GtE: Ge,
    ast.Eq: Eq,
    ast.NotEq: Ne,
}


def read_claim(text: str, names: Mapping[str, Symbol]) -> tuple[Boolean, tuple[Boolean, ...]]:
    """Return the statement that ``text`` writes, and where all of its formulas are defined.

    Sympy cancels :math:`A/A` as it is written; the conditions keep what that forgets.

    Raises:
        FormulaError: The text is no statement of the grammar, or too long, slow or extreme.
    """
    with reading():
        source = SourceText(text)
        reader = Reader(source, names)
        return _statement(reader, source.tree), tuple(reader.defined)


def _statement(reader: Reader, node: ast.expr) -> Boolean:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _comparison(reader, node, [left, *rest], ops)
        case ast.BoolOp(op=op, values=values):
            parts = [_statement(reader, value) for value in values]
            return (And if isinstance(op, ast.And) else Or)(*parts, evaluate=False)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_statement(reader, operand))
        case ast.Call(func=ast.Name(id=name), args=[left, right], keywords=[]) if (
            name in CONNECTIVES
        ):
            both = [_statement(reader, side) for side in (left, right)]
            return CONNECTIVES[name](*both, evaluate=False)
    raise reader.source.refuse(
        node, "a statement is made of comparisons, and, or, not, implies, iff", "compare two sides"
    )


def _comparison(
    reader: Reader, node: ast.AST, sides: list[ast.expr], ops: list[ast.cmpop]
) -> Boolean:
    if any(type(op) not in _COMPARISONS for op in ops):
        raise reader.source.refuse(node, "a comparison is one of < <= > >= == !=", "use these")
    values = [reader.expression(side) for side in sides]
    parts = [
        _COMPARISONS[type(op)](left, right, evaluate=False)
        for op, (left, right) in zip(ops, pairwise(values), strict=True)
    ]
    return parts[0] if len(parts) == 1 else And(*parts, evaluate=False)
