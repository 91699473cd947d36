"""What Python prints of the values that users meet, and that the README shows just that."""

import ast
from dataclasses import replace
from xml.etree import ElementTree as ET

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


def rows(value):
    """The rows of a value's table, as a reader of its HTML has them."""
    table = ET.fromstring(value._repr_html_())  # it is also XML, or this fails
    assert table.tag == "table"
    return {row[0].text: row[1].text for row in table}


def test_a_notebook_shows_tables():
    assert rows(Gram.of_angle(0.9, 1.3)) == {
        r"$\|a\|^2$": "1",
        r"$\|b\|^2$": "1.69",
        r"$\langle a,b\rangle$": "1.17",
    }
    assert rows(band(Gram(1.0, 2.0, -1.0))) == {
        "least $d_w/d_l$": "0",
        "greatest $d_w/d_l$": "inf",
    }
    assert rows(DPO)["defaults"] == "beta = 0.1"
    for objective in OBJECTIVES:
        table = rows(objective)
        assert list(table) == ["objective", r"$\ell$", "$d_w$", "$d_l$", "defaults", "source"]
        assert (table["objective"], table["source"]) == (objective.name, objective.source)


def test_a_table_escapes_what_it_shows():
    hostile = replace(DPO, name="<script>&", source="a < b")
    assert rows(hostile)["objective"] == "<script>&"
    assert "<script>" not in hostile._repr_html_()
    assert rows(Gram(np.ones((2, 3)), 1.0, 0.5))[r"$\|a\|^2$"] == "<2×3>"
