"""Formulas that people type: what is read, what is refused, and where the message points."""

import ast
import warnings

import pytest
from sympy import Abs, Max, Min, Rational, Symbol, exp, sqrt

from disband.theory.kernels.primitives import PRIMITIVES, logsigmoid
from disband.theory.own_loss import expression
from disband.theory.own_loss.expression import FUNCTIONS
from disband.theory.own_loss.formula import read_claim
from disband.theory.own_loss.source_text import MAX_LENGTH, FormulaError, SourceText
from disband.theory.symbols import A, B, X, beta, d_w, logp_w
from tests.theory.own_loss.reading import read_expression, read_statement

NAMES = {s.name: s for s in (A, X, beta, d_w, logp_w)}


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
        ("\n\tX -\r\n A\n", X - A),
        ("X - A - 1", X - A - 1),
        ("X / A / beta * 2", 2 * X / (A * beta)),
        ("+X - -X", 2 * X),
        (".5e1 + 5.", 10),
        ("max(X, A, 1) - min(X, 2)", Max(X, A, 1) - Min(X, 2)),
        ("abs(X)", Abs(X)),
        ("exp(0.5*X)*sqrt(A)", exp(X / 2) * sqrt(A)),
    ],
)
def test_an_expression_is_read_exactly(text: str, means: object) -> None:
    assert read_expression(text, NAMES) == means


def test_a_statement_is_kept_as_it_is_written() -> None:
    statement = read_statement("implies(d_w > 0 and A >= 0, not X < -1)", NAMES)
    assert statement.has(A)
    assert str(read_statement("0 < X < A", NAMES)) == "(0 < X) & (X < A)"
    assert {str(s) for s in statement.free_symbols} == {"A", "X", "d_w"}


def test_what_a_claim_divides_by_is_noted() -> None:
    _, defined = read_claim("A/A + X/X >= log(A + beta) + sqrt(X)", NAMES)
    assert {str(c) for c in defined} == {"Ne(A, 0)", "Ne(X, 0)", "X >= 0"}


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.__name__)
def test_every_primitive_can_be_typed(primitive: type) -> None:
    name = "logp_w" if primitive.__name__ == "logodds" else "X"
    assert read_expression(f"{primitive.__name__}({name})", NAMES) == primitive(NAMES[name])


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("X.__class__", 1, "made of numbers, names"),
        ("A + __import__('os')", 16, "written with letters"),
        ("A + __import__(os)", 5, "a function is one of"),
        ("A + (lambda: 1)()", 12, "written with letters"),
        ("X[0]", 2, "written with letters"),
        ("A + y", 5, "a name is one of"),
        ("A + 'text'", 5, "written with letters"),
        ("A + True", 5, "made of numbers"),
        ("X**99", 4, "at most 64"),
        ("X**A", 4, "whole number"),
        ("X**0.5", 4, "whole number"),
        ("X**-A", 4, "whole number"),
        ("X**True", 4, "whole number"),
        ("X**-False", 4, "whole number"),
        ("-True", 2, "made of numbers"),
        ("X**--2", 4, "whole number"),
        ("((X**8)**8)**8", 1, "at most 64, of powers of powers too"),
        ("A + 1e999", 5, "between 1e-100"),
        ("A + 1e-101", 5, "between 1e-100"),
        ("A + 0x10", 5, "decimal"),
        ("A + 1_0", 5, "decimal"),
        ("A + 1j", 5, "made of numbers"),
        ("exp(X, A)", 1, "exp is of one argument"),
        ("max(X)", 1, "max is of two or more arguments"),
        ("exp(x=A)", 1, "made of numbers"),
        ("exp(*X)", 5, "made of numbers"),
        ("X + * A", 5, "no formula"),
        ("A + \u03a7", 5, "written with letters"),  # a Greek capital chi
        ("X^2", 2, "written with letters"),
        ("X if A else d_w", 1, "made of numbers"),
        ("X for X in A", 3, "no formula"),
        ("X < A", 1, "made of numbers"),
        ("X, A", 1, "made of numbers"),
        ("X + sin(A)", 5, "a function is one of"),
        ("X + exp", 5, "arguments in brackets"),
        ("2X", 1, "no formula"),
        ("2*(X + A", 3, "no formula"),
        ("X + A)", 6, "no formula"),
        ("X +", 4, "no formula"),
        ("1/0", 3, "denominator"),
        ("X/(A - A)", 4, "denominator"),
        ("(X - X)**-2", 2, "denominator"),
        ("sqrt(-1 - A)", 6, "root"),
        ("log(-A)", 5, "logarithm"),
        ("logodds(1)", 9, "log-odds"),
        ("1e99*X*1e99*1e99", 1, "between 1e-100"),
        ("exp(231)", 1, "between 1e-100"),
        ("logsigmoid(1e9)*X", 1, "between 1e-100"),
        ("X + exp(exp(6))", 5, "between 1e-100"),
        ("expm1(X + 1e9*log(2))", 1, "between 1e-100"),
        ("exp(1e50*log(A))", 1, "an exponent is at most 64"),
        ("exp(1e50*log(2*A))", 1, "an exponent is at most 64"),
        ("max(X, sqrt(A*logp_w))", 8, "a formula has a real value"),
        ("exp(150)*exp(150)*X", 1, "between 1e-100"),
        (" \t X + * A", 8, "no formula"),
        ("\n X +\n y", 8, "a name is one of"),
        (" A + y ", 6, "a name is one of"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(
    text: str, column: int, said: str
) -> None:
    with pytest.raises(FormulaError, match="column") as caught:
        read_expression(text, NAMES)
    assert f"at column {column} " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("X + A", 1, "a statement is made of"),
        ("X in A", 1, "a comparison is one of"),
        ("X is A", 1, "a comparison is one of"),
        ("X < A and A", 11, "a statement is made of"),
        ("implies(X < A)", 1, "a statement is made of"),
        ("not y < A", 5, "a name is one of"),
        ("X < A < 1/0", 11, "denominator"),
        ("X = A", 3, "no formula"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_column(text: str, column: int, said: str) -> None:
    with pytest.raises(FormulaError, match="column") as caught:
        read_statement(text, NAMES)
    assert f"at column {column} " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("X^2", "write a power as x**2"),
        ("X²", "write a power as x**2"),
        ("X·A", "write a product as x*y"),
        ("X − A", "write minus as -"),
        ("X[0]", "use the brackets ( and )"),
        ("β*X", "write beta"),
        ("2X", "write a product as 2*w"),
        ("(X", "close the bracket"),
        ("X)", "leave it out or open it before"),
        ("X = A", "compare with =="),
        ("007*X", "leave out the leading zeros"),
        ("sigmod(X)", "did you mean sigmoid?"),
        ("X + exp", "write exp(...)"),
        ("X**A", "write x**y as exp(y*log(x))"),
    ],
)
def test_a_common_slip_comes_with_its_remedy(text: str, remedy: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read_expression(text, NAMES)
    assert str(caught.value).endswith(remedy)


def test_the_message_shows_the_text_around_the_column() -> None:
    with pytest.raises(FormulaError) as caught:
        read_expression("X + y", NAMES)
    assert "got 'y' at column 5 of 'X + ▸y'" in str(caught.value)
    with pytest.raises(FormulaError) as caught:
        read_expression("X + " * 50 + "y" + " + A" * 50, NAMES)
    message = str(caught.value)
    assert "at column 201 of '…" in message
    assert "X + X + ▸y + A" in message
    assert len(message) < 200


def test_a_text_that_is_too_long_is_refused() -> None:
    assert read_expression(" " * (MAX_LENGTH - 1) + "X", NAMES) is X
    with pytest.raises(FormulaError, match="at most 1000 characters: got 1001"):
        read_expression(" " * MAX_LENGTH + "X", NAMES)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_text_of_blanks_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="only blanks"):
        read_expression(text, NAMES)


def test_the_bounds_are_where_they_say() -> None:
    assert read_expression("(X**8)**8 + X**64", NAMES) == 2 * X**64
    assert read_expression("1e100*X", NAMES) == 10**100 * X
    assert read_expression("exp(230)*X", NAMES) == exp(230) * X
    assert read_expression("X" + "+X" * 499, NAMES) == 500 * X


def test_parentheses_nested_beyond_pythons_own_bound_are_refused() -> None:
    with pytest.raises(FormulaError, match="use fewer brackets"):
        read_expression("(" * 400 + "X" + ")" * 400, NAMES)


def test_a_number_is_bounded_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "Fraction", lambda text: pytest.fail(f"built {text}"))
    for text in ("1e999999999", "1e-999999999"):
        with pytest.raises(FormulaError, match="between 1e-100 and 1e100"):
            read_expression(text, NAMES)
    for text in ("0e999999999", "0.00e-999999999", "0", "00"):
        assert read_expression(text, NAMES) == 0


@pytest.mark.parametrize("text", ["1or X", "1if X else A", "X is 1", "(1)(X)"])
def test_what_python_would_warn_of_is_refused_in_silence(text: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(FormulaError):
            read_expression(text, NAMES)
    assert not said


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ValueError])
def test_what_pythons_parser_cannot_take_is_refused(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ast, "parse", fail)
    with pytest.raises(FormulaError, match="nests less deeply"):
        SourceText("X")


def test_a_name_stands_for_its_symbol_only() -> None:
    other = Symbol("A")
    assert read_expression("A", {"A": other}) is other
    with pytest.raises(FormulaError, match="a name is one of A, X, beta"):
        read_expression("B", NAMES)
    assert B not in read_expression("A", NAMES).free_symbols


def test_a_value_that_is_not_real_is_refused() -> None:
    real = {"x": Symbol("x")}  # not known to be real
    assert read_expression("sqrt(x)", real) == sqrt(real["x"])
    with pytest.raises(FormulaError, match="root"):
        read_expression("sqrt(-2)", real)


def test_the_white_list_is_what_it_was_reviewed_for() -> None:
    assert {*FUNCTIONS} == {"exp", "log", "sqrt", "abs", *(p.__name__ for p in PRIMITIVES)}
    assert {*expression.EXTREMES} == {"min", "max"}
