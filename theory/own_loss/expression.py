"""Builds the expression that a syntax tree says: a white list of forms, numbers of bounded size."""

import ast
import math
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
from .source_text import FormulaError, SourceText

MAX_EXPONENT = 64
MAX_INTEGER = 10**200

FUNCTIONS: Mapping[str, Callable[..., Expr]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "abs": Abs,
    **{primitive.__name__: primitive for primitive in PRIMITIVES},
}
EXTREMES: Mapping[str, Callable[..., Expr]] = {"min": Min, "max": Max}
DOMAINS: Mapping[str, tuple[Callable[..., Boolean], str]] = {
    "sqrt": (Ge, "a root is of a number that is not negative"),
    "log": (Gt, "a logarithm is of a positive number"),
    "logodds": (Lt, "log-odds are of a negative number, a log-probability"),
}
EXPONENTIALS = frozenset(("exp", "expm1", "logodds", "sigmoid", "logsigmoid"))
_NO_VALUES = frozenset((nan, zoo, oo, -oo, I))
# What people write who mean something that is there by another name.
OTHER_FUNCTIONS = {
    "log1p": "write log(1 + x)",
    "ln": "write log(x)",
    **dict.fromkeys(("detach", "sg", "stop_gradient", "stopgrad"), "in a loss write stop(x)"),
    "tanh": "write 2*sigmoid(2*x) - 1",
}
OTHER_NAMES = {"eta": "the step size is no part of a loss; call a hyperparameter otherwise"}
# What sympy raises of constants whose value it cannot find.
BEYOND_ALGEBRA = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
BEYOND_RULE = "a part of a formula is one whose value algebra can find"
NUMBER_RULE = "a number lies between 1e-100 and 1e100"
NUMBER_REMEDY = "scale the formula"
REAL_RULE, REAL_REMEDY = "a formula has a real value", "write what has one"
EXPRESSION_RULE = "an expression is made of numbers, names, + - * / **, brackets and functions"
EXPONENT_RULE = f"an exponent is at most {MAX_EXPONENT}"


class Reader:
    """Builds what a syntax tree says, from the symbols of ``names`` and the given functions.

    Args:
        source: The text, for messages.
        names: What each name stands for.
        rule: Which names there are, in words.
        functions: Those of one argument, by name.

    Attributes:
        defined: The conditions, met so far, under which the formula has a value.
    """

    def __init__(
        self,
        source: SourceText,
        names: Mapping[str, Symbol],
        rule: str = "",
        functions: Mapping[str, Callable[..., Expr]] = FUNCTIONS,
    ) -> None:
        self.source, self.names, self.functions = source, names, functions
        self.rule = rule or f"a name is one of {', '.join(names)}"
        self.defined: list[Boolean] = []

    def expression(self, node: ast.expr) -> Expr:
        """Return the expression that ``node``, a part of the syntax tree, writes.

        Raises:
            FormulaError: It is none, or a number in it is extreme.
        """
        try:
            return self._tame(node, self._build(node))
        except FormulaError:
            raise
        except BEYOND_ALGEBRA:  # such as Max(x, relu(2) - 2), or a logarithm of step(-1)
            raise self.source.refuse(node, BEYOND_RULE, "simplify it") from None

    def _build(self, node: ast.expr) -> Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.expression(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                terms = _chain(node, ast.Add, ast.Sub)
                return Add(*(sign * self.expression(term) for sign, term in terms))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                factors = _chain(node, ast.Mult, ast.Div)
                return Mul(*(self._power(factor, sign) for sign, factor in factors))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, self._exponent(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                function = self._function(node, name, len(args))
                return self._call(node, name, function, [self.expression(arg) for arg in args])
        raise self.source.refuse(
            node,
            EXPRESSION_RULE,
            "use only these",
        )

    def _power(self, base: ast.expr, exponent: int) -> Expr:
        value = self.expression(base)
        if exponent < 0:
            self._require(base, Ne(value, 0), "a denominator is not zero")
        return Pow(value, exponent)

    def _call(
        self, node: ast.Call, name: str, function: Callable[..., Expr], values: list[Expr]
    ) -> Expr:
        if name in DOMAINS:
            relation, rule = DOMAINS[name]
            self._require(node.args[0], relation(values[0], 0), rule)
        if name in EXPONENTIALS:
            # Beforehand: sympy turns exp(n·log 2) into the integer 2ⁿ, exp(n·log(2x)) into 2ⁿxⁿ.
            for term in Add.make_args(values[0]):
                if not term.free_symbols and abs(constant(term)) > math.log(LARGE):
                    raise self.source.refuse(node, NUMBER_RULE, NUMBER_REMEDY)
                if term.has(log) and abs(term.as_coeff_Mul()[0]) > MAX_EXPONENT:
                    raise self.source.refuse(node, EXPONENT_RULE, "take a smaller one")
        return function(*values)

    def _require(self, node: ast.AST, condition: Boolean, rule: str) -> None:
        """Note what must hold for the formula to have a value."""
        if condition == false:
            raise self.source.refuse(node, rule, "write what has a value")
        if condition != true:
            self.defined.append(condition)

    def _number(self, node: ast.Constant) -> Expr:
        text = self.source.part(node)
        if not set(text) <= set("0123456789.eE+-"):
            raise self.source.refuse(node, "a number is a decimal", "write it as 12, 0.5 or 1e-3")
        # First, for as a fraction 1e999999999, 1e-999999999 or 0e999999999 would fill the memory.
        if not set("123456789") & set(text.lower().partition("e")[0]):
            return Integer(0)
        if not 1 / LARGE <= float(text) <= LARGE:
            raise self.source.refuse(node, NUMBER_RULE, NUMBER_REMEDY)
        return Rational(*Fraction(text).as_integer_ratio())

    def _name(self, node: ast.AST, name: str) -> Expr:
        if name in self.names:
            return self.names[name]
        if name in self.functions or name in EXTREMES:
            raise self.source.refuse(
                node, "a function has its arguments in brackets", f"write {name}(...)"
            )
        raise self.source.refuse(node, self.rule, OTHER_NAMES.get(name, "use one of these"))

    def _exponent(self, node: ast.expr) -> int:
        sign, number = 1, node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, number = -1, node.operand
        if not (isinstance(number, ast.Constant) and type(number.value) is int):
            raise self.source.refuse(
                node, "an exponent is a whole number", "write x**y as exp(y*log(x))"
            )
        if number.value > MAX_EXPONENT:
            raise self.source.refuse(node, EXPONENT_RULE, "take a smaller one")
        return sign * number.value

    def _function(self, node: ast.Call, name: str, arguments: int) -> Callable[..., Expr]:
        if name in EXTREMES and arguments >= 2:
            return EXTREMES[name]
        if name in self.functions and arguments == 1:
            return self.functions[name]
        if name in self.functions or name in EXTREMES:
            count = "one argument" if name in self.functions else "two or more arguments"
            raise self.source.refuse(node, f"{name} is of {count}", f"not {arguments}")
        known = [*self.functions, *EXTREMES]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write a product with *"
        hint = OTHER_FUNCTIONS.get(name, hint)
        raise self.source.refuse(node, f"a function is one of {', '.join(known)}", hint)

    def _tame(self, node: ast.AST, value: Expr) -> Expr:
        """Return ``value`` unless its numbers are extreme; what lies deeper was seen before."""
        near = [value, *value.args, *(deeper for arg in value.args for deeper in arg.args)]
        if any(part in _NO_VALUES for part in near):
            raise self.source.refuse(node, REAL_RULE, REAL_REMEDY)
        for part in near:
            if part.is_Rational and max(abs(part.p), part.q) > MAX_INTEGER:
                raise self.source.refuse(node, NUMBER_RULE, NUMBER_REMEDY)
            if part.is_Pow and part.exp.is_Rational and _size(part.exp) > MAX_EXPONENT:
                raise self.source.refuse(
                    node, f"{EXPONENT_RULE}, of powers of powers too", "take smaller ones"
                )
        if any(not part.free_symbols and not abs(constant(part)) <= LARGE for part in near):
            raise self.source.refuse(node, NUMBER_RULE, NUMBER_REMEDY)
        if any(part.is_extended_real is False for part in near):
            raise self.source.refuse(node, REAL_RULE, REAL_REMEDY)
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


def _size(number: Expr) -> int:
    return int(max(abs(number.p), number.q))
