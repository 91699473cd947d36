"""Formulas that people type: what is read, what is refused, and that nothing is evaluated."""

import ast
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, Symbol

from theory.formula import FormulaError, read_expression, read_statement
from theory.primitives import logsigmoid
from theory.symbols import A, X, beta, d_w

NAMES = {s.name: s for s in (A, X, beta, d_w)}


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("X + 2*A", X + 2 * A),
        ("-X**2", -(X**2)),
        ("d_w**-1", 1 / d_w),
        ("0.1 * beta", beta / 10),
        ("1e-3", Rational(1, 1000)),
        ("-logsigmoid(beta*X)", -logsigmoid(beta * X)),
        ("  X / A  ", X / A),
    ],
)
def test_an_expression_is_read_exactly(text: str, means: object) -> None:
    assert read_expression(text, NAMES) == means


def test_a_statement_is_kept_as_it_is_written() -> None:
    statement = read_statement("implies(d_w > 0 and A >= 0, not X < -1)", NAMES)
    assert statement.has(A)
    assert str(read_statement("0 < X < A", NAMES)) == "(0 < X) & (X < A)"
    assert {str(s) for s in statement.free_symbols} == {"A", "X", "d_w"}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("X.__class__", 1),
        ("A + __import__('os')", 5),
        ("A + (lambda: 1)()", 5),
        ("X[0]", 1),
        ("A + y", 5),
        ("A + 'text'", 5),
        ("A + True", 5),
        ("X**99", 4),
        ("X**A", 4),
        ("((X**8)**8)**8", 3),
        ("A + 1e999", 5),
        ("A + 0x10", 5),
        ("exp(X, A)", 1),
        ("exp(x=A)", 1),
        ("X + * A", 5),
        ("A + Χ", 5),  # a Greek capital chi
        ("X if A else d_w", 1),
        ("[X for X in A]", 1),
        ("X < A", 1),
        ("-" * 200 + "X", 62),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(text: str, column: int) -> None:
    with pytest.raises(FormulaError, match="column") as caught:
        read_expression(text, NAMES)
    assert f"at column {column} " in str(caught.value)


def test_a_text_that_is_too_long_or_deep_is_refused() -> None:
    with pytest.raises(FormulaError, match="at most"):
        read_expression("X+" * 600 + "X", NAMES)
    with pytest.raises(FormulaError):
        read_expression("(" * 400 + "X" + ")" * 400, NAMES)


TOKENS = ["X", "A", "beta", "d_w", "exp", "log", "min", "relu", "(", ")", "+", "-", "*", "/",
          "**", "2", "0.5", "1e9", ",", ".", "__class__", "lambda", ":", "[", "]", "'", "<", ">=",
          "==", "and", "not", "implies", "for", "in", "if", "else", "\n", "\\", "#", "é", "X",
          "99999999", "import", "=", ":=", "@", "{", "}", "await", "yield", "*X"]  # fmt: skip


@settings(max_examples=1500)
@given(
    st.one_of(
        st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
        st.text(string.printable, max_size=60),
        st.text(max_size=30),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_expression, read_statement):
        try:
            result = read(text, NAMES)
        except FormulaError:
            continue
        assert result.free_symbols <= set(NAMES.values())
        tree = ast.parse(text.strip(), mode="eval")
        odd = (ast.Attribute, ast.Subscript, ast.Lambda)
        assert not any(isinstance(node, odd) for node in ast.walk(tree))


def test_a_name_stands_for_its_symbol_only() -> None:
    other = Symbol("A")
    assert read_expression("A", {"A": other}) is other
