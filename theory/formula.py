r"""Reads formulas that people type: a loss, or a statement about symbols. Nothing is evaluated.

The text is parsed by Python's own parser and only these forms are built:

* numbers (read exactly: ``0.1`` is 1/10), the names that the caller allows;
* ``+ - * / **`` (powers with small integer exponents), parentheses;
* ``exp log sqrt sigmoid logsigmoid relu step abs min max``;
* in statements ``< <= > >= == !=`` (chained as in mathematics), ``and or not``,
  ``implies(p, q)`` and ``iff(p, q)``.

Length, depth and exponents are bounded, so time and memory are too.
"""

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from operator import add, mul, sub, truediv

from sympy import (
    Abs,
    And,
    Eq,
    Equivalent,
    Expr,
    Ge,
    Gt,
    Implies,
    Integer,
    Le,
    Lt,
    Max,
    Min,
    Ne,
    Not,
    Or,
    Pow,
    Rational,
    Symbol,
    exp,
    false,
    log,
    sqrt,
    true,
)
from sympy.logic.boolalg import Boolean

from theory.primitives import logsigmoid, relu, sigmoid, step

MAX_LENGTH = 1000
MAX_DEPTH = 60
MAX_EXPONENT = 8
MAX_POWER = 64
MAX_DIGITS = 30

FUNCTIONS: Mapping[str, Callable[..., Expr]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "sigmoid": sigmoid,
    "logsigmoid": logsigmoid,
    "relu": relu,
    "step": step,
    "abs": Abs,
}
EXTREMES: Mapping[str, Callable[..., Expr]] = {"min": Min, "max": Max}
CONNECTIVES: Mapping[str, Callable[..., Boolean]] = {"implies": Implies, "iff": Equivalent}
_ARITHMETIC = {ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv}
_DOMAINS = {"sqrt": Ge, "log": Gt}
_COMPARISONS = {
    ast.Lt: Lt,
    ast.LtE: Le,
    ast.Gt: Gt,
    ast.GtE: Ge,
    ast.Eq: Eq,
    ast.NotEq: Ne,
}


class FormulaError(ValueError):
    """A text that is no formula; the message says where and why."""


def read_expression(text: str, names: Mapping[str, Symbol]) -> Expr:
    """Return the expression that ``text`` writes, over the symbols of ``names``.

    Raises:
        FormulaError: The text is no expression of the grammar, or too long or deep.
    """
    return _Reader(text, names).expression(_parse(text), 0)


def read_statement(text: str, names: Mapping[str, Symbol]) -> Boolean:
    """Return the statement that ``text`` writes, over the symbols of ``names``.

    Raises:
        FormulaError: The text is no statement of the grammar, or too long or deep.
    """
    return _Reader(text, names).statement(_parse(text), 0)


def read_claim(text: str, names: Mapping[str, Symbol]) -> tuple[Boolean, tuple[Boolean, ...]]:
    """Return the statement that ``text`` writes, and where all of its formulas are defined.

    Sympy cancels :math:`A/A` as it is written; the conditions keep what that forgets.

    Raises:
        FormulaError: As :func:`read_statement`.
    """
    reader = _Reader(text, names)
    return reader.statement(_parse(text), 0), tuple(reader.defined)


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"a formula has at most {MAX_LENGTH} characters: got {len(text)}; shorten it"
        )
    if not text.isascii():
        column = next(i for i, c in enumerate(text) if not c.isascii())
        raise FormulaError(_at(text, column, "a formula is plain ASCII", text[column]))
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 1) - 1
        raise FormulaError(_at(text.strip(), column, "this is no formula", error.msg)) from None
    except (MemoryError, RecursionError, ValueError):
        raise FormulaError("a formula nests less deeply: got one too deep; simplify it") from None


def _at(text: str, column: int, rule: str, came: str) -> str:
    return f"{rule}: got {came!r} at column {column + 1} of {text!r}; write it with the grammar"


class _Reader:
    def __init__(self, text: str, names: Mapping[str, Symbol]) -> None:
        self.text, self.names = text.strip(), names
        self.defined: list[Boolean] = []

    def refuse(self, node: ast.AST, rule: str) -> FormulaError:
        column = getattr(node, "col_offset", 0)
        came = ast.get_source_segment(self.text, node) or type(node).__name__
        return FormulaError(_at(self.text, column, rule, came[:40]))

    def expression(self, node: ast.AST, depth: int, power: int = 1) -> Expr:
        if depth > MAX_DEPTH:
            raise self.refuse(node, f"a formula nests at most {MAX_DEPTH} deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.number(node)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.expression(operand, depth + 1, power)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand, depth + 1, power)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                exponent = self.exponent(right)
                power *= max(1, abs(int(exponent)))
                if power > MAX_POWER:
                    raise self.refuse(node, f"powers of powers multiply to at most {MAX_POWER}")
                base = self.expression(left, depth + 1, power)
                if exponent < 0:
                    self.require(left, base, Ne)
                return Pow(base, exponent)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                one, other = (self.expression(side, depth + 1, power) for side in (left, right))
                if isinstance(op, ast.Div):
                    self.require(right, other, Ne)
                return _ARITHMETIC[type(op)](one, other)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                function = self.function(node, name, len(args))
                values = [self.expression(arg, depth + 1, power) for arg in args]
                if name in _DOMAINS:
                    self.require(args[0], values[0], _DOMAINS[name])
                return function(*values)
        raise self.refuse(node, "an expression is made of numbers, names, + - * / ** and functions")

    def require(self, node: ast.AST, value: Expr, relation: Callable[..., Boolean]) -> None:
        """Note that ``value`` must stand in ``relation`` to zero for the formula to have one."""
        condition = relation(value, 0)
        if condition == false:
            raise self.refuse(node, "a formula has a value: this denominator, root or logarithm")
        if condition != true:
            self.defined.append(condition)

    def number(self, node: ast.Constant) -> Expr:
        written = ast.get_source_segment(self.text, node) or ""
        if len(written) > MAX_DIGITS or not set(written) <= set("0123456789.eE+-"):
            raise self.refuse(node, f"a number is a decimal of at most {MAX_DIGITS} characters")
        if abs(float(written)) > 1e100 or 0 < abs(float(written)) < 1e-100:
            raise self.refuse(node, "a number lies between 1e-100 and 1e100")
        exact = Fraction(written)
        return Rational(exact.numerator, exact.denominator)

    def name(self, node: ast.AST, name: str) -> Expr:
        if name in self.names:
            return self.names[name]
        raise self.refuse(node, f"a name is one of {', '.join(self.names)}")

    def exponent(self, node: ast.expr) -> Expr:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
                power = -value
            case ast.Constant(value=int() as value):
                power = value
            case _:
                raise self.refuse(node, "an exponent is a whole number")
        if abs(power) > MAX_EXPONENT:
            raise self.refuse(node, f"an exponent is at most {MAX_EXPONENT}")
        return Integer(power)

    def function(self, node: ast.AST, name: str, arguments: int) -> Callable[..., Expr]:
        if name in EXTREMES and arguments >= 2:
            return EXTREMES[name]
        if name in FUNCTIONS and arguments == 1:
            return FUNCTIONS[name]
        known = ", ".join([*FUNCTIONS, *EXTREMES])
        raise self.refuse(node, f"a function is one of {known}, of one argument (min, max: more)")

    def statement(self, node: ast.AST, depth: int) -> Boolean:
        if depth > MAX_DEPTH:
            raise self.refuse(node, f"a formula nests at most {MAX_DEPTH} deep")
        match node:
            case ast.Compare(left=left, ops=ops, comparators=rest):
                return self.comparison(node, [left, *rest], ops, depth)
            case ast.BoolOp(op=op, values=values):
                parts = [self.statement(value, depth + 1) for value in values]
                return (And if isinstance(op, ast.And) else Or)(*parts, evaluate=False)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.statement(operand, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=[one, other], keywords=[]) if (
                name in CONNECTIVES
            ):
                both = [self.statement(side, depth + 1) for side in (one, other)]
                return CONNECTIVES[name](*both, evaluate=False)
        raise self.refuse(node, "a statement is made of comparisons, and, or, not, implies, iff")

    def comparison(
        self, node: ast.AST, sides: list[ast.expr], ops: list[ast.cmpop], depth: int
    ) -> Boolean:
        if any(type(op) not in _COMPARISONS for op in ops):
            raise self.refuse(node, "a comparison is one of < <= > >= == !=")
        values = [self.expression(side, depth + 1) for side in sides]
        parts = [
            _COMPARISONS[type(op)](one, other, evaluate=False)
            for op, (one, other) in zip(ops, pairwise(values), strict=True)
        ]
        return parts[0] if len(parts) == 1 else And(*parts, evaluate=False)
