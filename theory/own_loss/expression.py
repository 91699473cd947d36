"""Builds the expression that a syntax tree says: a white list of forms, each of bounded size."""

import ast
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fractions import Fraction

from sympy import (
    Abs,
    Add,
    Expr,
    Ge,
    Gt,
    I,
    Integer,
    Lt,
    Max,
    Min,
    Mul,
    Ne,
    Pow,
    Rational,
    Symbol,
    exp,
    false,
    log,
    nan,
    oo,
    sqrt,
    true,
    zoo,
)
from sympy.logic.boolalg import Boolean

from ..kernels.primitives import PRIMITIVES
from .constants import LARGE, constant
from .typed import Typed

MAX_DEPTH = 40
MAX_PARTS = 250
MAX_EXPONENT = 8
MAX_POWER = 64
MAX_ROOT = 16
MAX_CHARACTERS = 30
MAX_ARGUMENTS = 6
MAX_EXTREMES = 12
MAX_EXPONENTIAL = 200
MAX_INTEGER = 10**200

Functions = Mapping[str, Callable[..., Expr]]

FUNCTIONS: Functions = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "abs": Abs,
    **{primitive.__name__: primitive for primitive in PRIMITIVES},
}
EXTREMES: Functions = {"min": Min, "max": Max}
_DOMAINS: Mapping[str, tuple[Callable[..., Boolean], str]] = {
    "sqrt": (Ge, "a root is of a number that is not negative"),
    "log": (Gt, "a logarithm is of a positive number"),
    "logodds": (Lt, "log-odds are of a negative number, a log-probability"),
}
_EXPONENTIALS = frozenset(("exp", "expm1", "logodds"))
_LOGISTIC = frozenset(("sigmoid", "logsigmoid"))
_SLOW = frozenset(("abs", "min", "max"))
_NO_VALUES = frozenset((nan, zoo, oo, -oo, I))
_NUMBER_RULE = "a number lies between 1e-100 and 1e100"
_NUMBER_REMEDY = "scale the formula"
_REAL_RULE, _REAL_REMEDY = "a formula has a real value", "write what has one"


class Reader:
    """Builds what a syntax tree says, from the symbols of ``names`` and the given functions.

    Args:
        typed: The text, for messages.
        names: What each name stands for.
        functions: The functions of one argument.
        extremes: The functions of two and more.
        rule: Which names there are, in words.

    Attributes:
        defined: The conditions, met so far, under which the formula has a value.
    """

    def __init__(
        self,
        typed: Typed,
        names: Mapping[str, Symbol],
        functions: Functions = FUNCTIONS,
        extremes: Functions = EXTREMES,
        rule: str = "",
    ) -> None:
        self.typed, self.names = typed, names
        self.functions, self.extremes = functions, extremes
        self.rule = rule or f"a name is one of {', '.join(names)}"
        self.defined: list[Boolean] = []
        self._parts = self._extremes = 0

    def expression(self, node: ast.expr, depth: int = 0, power: int = 1) -> Expr:
        """Return the expression that ``node`` writes.

        Args:
            node: A part of the syntax tree.
            depth: How deep the part lies.
            power: The product of the exponents around it.

        Raises:
            FormulaError: It is none, or too large, deep or extreme.
        """
        self.count(node, depth)
        return self._tame(node, self._build(node, depth + 1, power))

    def count(self, node: ast.AST, depth: int) -> None:
        """Count one part more.

        Raises:
            FormulaError: These are too many, or it lies too deep.
        """
        self._parts += 1
        if depth > MAX_DEPTH:
            raise self.typed.refuse(node, f"a formula nests at most {MAX_DEPTH} deep", "shorten it")
        if self._parts > MAX_PARTS:
            raise self.typed.refuse(
                node, f"a formula has at most {MAX_PARTS} parts", "write a shorter one"
            )

    def _build(self, node: ast.expr, depth: int, power: int) -> Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.expression(operand, depth, power)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand, depth, power)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                terms = _chain(node, ast.Add, ast.Sub)
                return Add(*(sign * self.expression(t, depth, power) for sign, t in terms))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                factors = _chain(node, ast.Mult, ast.Div)
                return Mul(*(self._factor(f, sign, depth, power) for sign, f in factors))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(node, left, self._exponent(right), depth, power)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                function = self._function(node, name, len(args))
                values = [self.expression(arg, depth, power) for arg in args]
                return self._call(node, name, function, values)
        raise self.typed.refuse(
            node,
            "an expression is made of numbers, names, + - * / **, brackets and functions",
            "use only these",
        )

    def _factor(self, node: ast.expr, sign: int, depth: int, power: int) -> Expr:
        value = self.expression(node, depth, power)
        if sign < 0:
            self._require(node, Ne(value, 0), "a denominator is not zero")
        return Pow(value, sign)

    def _power(self, node: ast.expr, base: ast.expr, exponent: int, depth: int, power: int) -> Expr:
        power *= max(1, abs(exponent))
        if power > MAX_POWER:
            raise self.typed.refuse(
                node, f"powers of powers multiply to at most {MAX_POWER}", "take smaller ones"
            )
        value = self.expression(base, depth, power)
        if exponent < 0:
            self._require(base, Ne(value, 0), "a denominator is not zero")
        return Pow(value, exponent)

    def _call(
        self, node: ast.Call, name: str, function: Callable[..., Expr], values: list[Expr]
    ) -> Expr:
        if name in _DOMAINS:
            relation, rule = _DOMAINS[name]
            self._require(node.args[0], relation(values[0], 0), rule)
        if name in _SLOW:
            self._extremes += len(values)
            if self._extremes > MAX_EXTREMES:
                raise self.typed.refuse(
                    node,
                    f"abs, min and max have at most {MAX_EXTREMES} arguments together",
                    "use fewer of them",
                )
        if name in self.functions and values[0].is_number and not values[0].is_Rational:
            # sympy would compare relu(log(logsigmoid(1e3))) with zero, digit by digit without end
            raise self.typed.refuse(
                node.args[0], "a function of a constant is of a plain number", "work it out"
            )
        if name in self.extremes:  # sympy must find their order: relu(2) - 2 is zero to it, perhaps
            for part, value in zip(node.args, values, strict=True):
                if value.is_number and not value.is_comparable:
                    raise self.typed.refuse(
                        part, "min and max are of numbers that can be told from zero", "round it"
                    )
        # sympy turns exp(n·log 2) into the integer 2ⁿ, and finds all digits of 1 + exp(-1e9)
        if name in _EXPONENTIALS or (name in _LOGISTIC and values[0].is_Rational):
            terms = [t for t in Add.make_args(values[0]) if not t.free_symbols]
            if any(abs(constant(t)) > MAX_EXPONENTIAL for t in terms):
                raise self.typed.refuse(
                    node, f"an exponential is of numbers up to {MAX_EXPONENTIAL}", "scale it"
                )
        return function(*values)

    def _require(self, node: ast.AST, condition: Boolean, rule: str) -> None:
        """Note what must hold for the formula to have a value."""
        if condition == false:
            raise self.typed.refuse(node, rule, "write what has a value")
        if condition != true:
            self.defined.append(condition)

    def _number(self, node: ast.Constant) -> Expr:
        written = self.typed.part(node)
        if len(written) > MAX_CHARACTERS or not set(written) <= set("0123456789.eE+-"):
            raise self.typed.refuse(
                node,
                f"a number is a decimal of at most {MAX_CHARACTERS} characters",
                "write it as 12, 0.5 or 1e-3",
            )
        # First, for as a fraction 1e999999999, 1e-999999999 or 0e999999999 would fill the memory.
        if not set("123456789") & set(written.lower().partition("e")[0]):
            return Integer(0)
        if not 1 / LARGE <= float(written) <= LARGE:
            raise self.typed.refuse(node, _NUMBER_RULE, _NUMBER_REMEDY)
        exact = Fraction(written)
        return Rational(exact.numerator, exact.denominator)

    def _name(self, node: ast.AST, name: str) -> Expr:
        if name in self.names:
            return self.names[name]
        if name in self.functions or name in self.extremes:
            raise self.typed.refuse(
                node, "a function has its arguments in brackets", f"write {name}(...)"
            )
        raise self.typed.refuse(node, self.rule, "use one of these")

    def _exponent(self, node: ast.expr) -> int:
        sign, number = 1, node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, number = -1, node.operand
        if not (isinstance(number, ast.Constant) and type(number.value) is int):
            raise self.typed.refuse(
                node, "an exponent is a whole number", "write x**y as exp(y*log(x))"
            )
        exponent = sign * number.value
        if abs(exponent) > MAX_EXPONENT:
            raise self.typed.refuse(
                node, f"an exponent is at most {MAX_EXPONENT}", "take a smaller one"
            )
        return exponent

    def _function(self, node: ast.Call, name: str, arguments: int) -> Callable[..., Expr]:
        if name in self.extremes and 2 <= arguments <= MAX_ARGUMENTS:
            return self.extremes[name]
        if name in self.functions and arguments == 1:
            return self.functions[name]
        if name in self.functions or name in self.extremes:
            count = "one argument" if name in self.functions else f"2 to {MAX_ARGUMENTS} arguments"
            raise self.typed.refuse(node, f"{name} is of {count}", f"not {arguments}")
        known = [*self.functions, *self.extremes]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write a product with *"
        raise self.typed.refuse(node, f"a function is one of {', '.join(known)}", hint)

    def _tame(self, node: ast.AST, value: Expr) -> Expr:
        """Return ``value`` unless its numbers are extreme; what lies deeper was seen before."""
        near = [value, *value.args, *(deeper for arg in value.args for deeper in arg.args)]
        if any(part in _NO_VALUES for part in near):
            raise self.typed.refuse(node, _REAL_RULE, _REAL_REMEDY)
        for part in near:
            if part.is_Rational and max(abs(part.p), part.q) > MAX_INTEGER:
                raise self.typed.refuse(node, _NUMBER_RULE, _NUMBER_REMEDY)
            if part.is_Pow and not _small(part.exp):
                raise self.typed.refuse(
                    node,
                    f"powers multiply to at most {MAX_POWER}, roots to at most {MAX_ROOT}",
                    "take smaller ones",
                )
        if any(not part.free_symbols and not abs(constant(part)) <= LARGE for part in near):
            raise self.typed.refuse(node, _NUMBER_RULE, _NUMBER_REMEDY)
        if any(part.is_extended_real is False for part in near):
            raise self.typed.refuse(node, _REAL_RULE, _REAL_REMEDY)
        return value


def _chain(
    node: ast.expr, plain: type[ast.operator], inverse: type[ast.operator]
) -> list[tuple[int, ast.expr]]:
    """Return the terms of ``a - b + c`` (or factors of ``a / b * c``) with the signs ±1."""
    parts: list[tuple[int, ast.expr]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, plain | inverse):
        parts.append((-1 if isinstance(node.op, inverse) else 1, node.right))
        node = node.left
    return [(1, node), *reversed(parts)]


def _small(exponent: Expr) -> bool:
    return bool(exponent.is_Rational and abs(exponent.p) <= MAX_POWER and exponent.q <= MAX_ROOT)
