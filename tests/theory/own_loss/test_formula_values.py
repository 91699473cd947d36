"""A formula means what it says: random trees are printed, read back and evaluated twice.

The trees are evaluated here, by fractions or by mpmath, without anything of the package.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sympy import Expr, Rational, Symbol, exp

from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.own_loss.source_text import FormulaError
from disband.theory.symbols import beta, logp_l, logp_w
from tests.theory.own_loss.reading import read_expression, read_statement

# Log-probabilities are negative and beta is positive: what sympy makes of that is tested too.
NAMES = {"w": logp_w, "l": logp_l, "beta": beta, "c_2": Symbol("c_2", real=True)}
BINARY = {"+": 1, "-": 1, "*": 2, "/": 2}
MINUS, POWER, ATOM = 3, 4, 5
# In Python a power binds its base as -x**2 = -(x**2), and chains to the right.
Tree = tuple[Any, ...]

exact: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "relu": lambda x: max(x, 0),
    "step": lambda x: Fraction(x > 0),
    "min": min,
    "max": max,
}
real: dict[str, Callable[..., Any]] = exact | {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "logsigmoid": lambda x: -mpmath.log(1 + mpmath.exp(-x)),
    "expm1": lambda x: mpmath.exp(x) - 1,
    "logodds": lambda x: mpmath.log(mpmath.exp(x) / (1 - mpmath.exp(x))),
    "step": lambda x: mpmath.mpf(x > 0),
}
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}


def trees(functions: dict[str, Any]) -> st.SearchStrategy[Tree]:
    numbers = st.sampled_from(["0", "1", "2", "7", "0.5", "1e-3", "2.50", ".25", "3.", "12E+1"])
    leaves = st.one_of(
        st.tuples(st.just("name"), st.sampled_from(sorted(NAMES))),
        st.tuples(st.just("number"), numbers),
    )
    single = sorted(set(functions) - {"min", "max"})

    def grow(part: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.one_of(
            st.tuples(st.sampled_from(sorted(BINARY)), part, part),
            st.tuples(st.just("minus"), part),
            st.tuples(st.just("power"), part, st.integers(-3, 4)),
            st.tuples(st.just("call"), st.sampled_from(single), part),
            st.tuples(st.just("call"), st.sampled_from(["min", "max"]), part, part),
            st.tuples(st.just("call"), st.sampled_from(["min", "max"]), part, part, part),
        )

    return st.recursive(leaves, grow, max_leaves=9)


def written(tree: Tree) -> tuple[str, int]:
    """Return the text with no brackets but those that it needs, and how tightly it binds."""
    kind, *parts = tree
    if kind in {"name", "number"}:
        return parts[0], ATOM
    if kind == "call":
        return f"{parts[0]}({', '.join(written(part)[0] for part in parts[1:])})", ATOM
    if kind == "minus":
        return f"-{bracketed(parts[0], MINUS)}", MINUS
    if kind == "power":
        return f"{bracketed(parts[0], ATOM)}**{parts[1]}", POWER
    own = BINARY[kind]
    return f"{bracketed(parts[0], own)} {kind} {bracketed(parts[1], own + 1)}", own


def bracketed(tree: Tree, least: int) -> str:
    text, tightness = written(tree)
    return text if tightness >= least else f"({text})"


def read(text: str) -> Expr:
    """Read a formula that has a value, unless it is out of bounds."""
    try:
        return read_expression(text, NAMES)
    except FormulaError as error:
        assume(not re.search("at most|1e100|algebra can find", str(error)))
        raise


def elementary(expr: Expr) -> Expr:
    """Write the primitives out; rewriting powers too would lose the value of 0²."""
    return expr.rewrite(list(PRIMITIVES), exp)


def value(tree: Tree, point: dict[str, Any], functions: dict[str, Any], number: Any) -> Any:
    kind, *parts = tree
    if kind == "name":
        return point[parts[0]]
    if kind == "number":
        return number(parts[0])
    if kind == "power":
        return value(parts[0], point, functions, number) ** parts[1]
    name, operands = (parts[0], parts[1:]) if kind == "call" else (kind, parts)
    values = [value(part, point, functions, number) for part in operands]
    if kind == "minus":
        return -values[0]
    return (functions if kind == "call" else OPERATIONS)[name](*values)


positive = st.fractions(Fraction(1, 7), 3, max_denominator=7)
negative = positive.map(lambda v: -v)
points = st.fixed_dictionaries(
    {"w": negative, "l": negative, "beta": positive, "c_2": st.one_of(negative, positive)}
)
AT = {"w": Fraction(-2), "l": Fraction(-3), "beta": Fraction(5), "c_2": Fraction(0)}


@example(("-", ("-", ("name", "w"), ("name", "l")), ("name", "w")), AT)
@example(("/", ("/", ("name", "w"), ("number", "2")), ("name", "l")), AT)
@example(("minus", ("power", ("name", "w"), 2)), AT)
@example(("power", ("minus", ("name", "w")), 2), AT)
@given(trees(exact), points)
def test_an_exact_formula_has_its_value(tree: Tree, point: dict[str, Fraction]) -> None:
    try:
        expected = value(tree, point, exact, Fraction)
    except ZeroDivisionError:
        assume(condition=False)
    expr = read(written(tree)[0])
    at = {NAMES[n]: Rational(v.numerator, v.denominator) for n, v in point.items()}
    got = elementary(expr).subs(at)
    assert got == Rational(expected.numerator, expected.denominator)


@given(trees(real), points)
def test_any_formula_has_its_value(tree: Tree, point: dict[str, Fraction]) -> None:
    with mpmath.workdps(60):
        try:
            numbers = {n: mpmath.mpf(v.numerator) / v.denominator for n, v in point.items()}
            expected = value(tree, numbers, real, mpmath.mpf)
            assume(isinstance(expected, mpmath.mpf) and 1e-9 < abs(expected) < 1e9)
        except (ZeroDivisionError, ValueError, TypeError, OverflowError):
            assume(condition=False)
        expr = read(written(tree)[0])
        at = {NAMES[n]: Rational(v.numerator, v.denominator) for n, v in point.items()}
        got = elementary(expr).subs(at).evalf(30)
        assert abs(got - expected) <= 1e-20 * abs(expected)


@pytest.mark.parametrize("text", ["w < l", "w <= l", "w > l", "w >= l", "w == l", "w != l"])
@given(point=points, other=st.sampled_from(["w", "l"]))
def test_a_comparison_holds_where_it_says(
    text: str, point: dict[str, Fraction], other: str
) -> None:
    one, two = point["w"], point[other]
    expected = {
        "<": one < two,
        "<=": one <= two,
        ">": one > two,
        ">=": one >= two,
        "==": one == two,
        "!=": one != two,
    }[text.split()[1]]
    at = {NAMES["w"]: Rational(one), NAMES["l"]: Rational(two)}
    assert bool(read_statement(text, NAMES).subs(at)) is expected
