"""What Python prints of the values that users meet, and that the README shows just that."""

import ast

import numpy as np
import pytest

from disband.theory.band import Band, Case, band
from disband.theory.gram import Gram
from disband.theory.objectives import DPO, OBJECTIVES
from disband.theory.symbols import A, B, X
from tests.documents import PAGES, blocks


def shown(text):
    """The statements of a block and what is said behind each."""
    lines = text.splitlines()
    for statement in ast.parse(text).body:
        said = lines[statement.end_lineno - 1].encode()[statement.end_col_offset :].decode()
        yield statement, said.partition("#")[2].strip()


def test_the_readme_shows_what_python_prints():
    (block,) = [b for b in blocks(PAGES["README.md"]) if "Gram.of_angle" in b.text]
    names, checked = {}, 0
    for statement, said in shown(block.text):
        code = ast.unparse(statement)
        if not isinstance(statement, ast.Expr):
            exec(code, names)
        elif not said.startswith("of "):
            assert repr(eval(code, names)) == said
            checked += 1
    assert checked >= 5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Gram(A, B, X), "Gram(sq_w=A, sq_l=B, dot=X)"),
        (Gram(np.ones((2, 3)), 1.0, 0.5), "Gram(sq_w=<2×3>, sq_l=1, dot=0.5)"),
        (band(Gram(1.0, 2.0, -1.0)), "Band(low=0, high=inf)"),
        (Band(np.zeros(4), np.ones(4)), "Band(low=<4>, high=<4>)"),
        (Case.IDEAL, "Case.IDEAL: chosen up, rejected down"),
    ],
    ids=str,
)
def test_a_value_prints_on_one_short_line(value, said):
    assert repr(value) == said


def test_a_notebook_shows_formulas():
    assert r"\|a\|^2 = 1" in Gram.of_angle(0.9, 1.3)._repr_latex_()
    assert band(Gram(1.0, 2.0, -1.0))._repr_latex_() == r"$0 \le d_w/d_l \le \infty$"
    assert r"d_w &= \beta" in DPO._repr_latex_()
    for objective in OBJECTIVES:
        assert objective._repr_latex_().count("&=") == 3
