"""What holds of every figure: nothing is cut or covered, and words and numbers say the same."""

import ast
import csv
import io
import re

import pytest

from disband.figures.drawing import table
from disband.figures.style import PAGE
from disband.verify.kept.provenance import ROOT
from tests.figures.boxes import boxes, on_data, outside, overlapping
from tests.figures.every import NAMES, drawn, recorded

TESTED = (ROOT / "tests" / "figures" / "every.py").read_text("utf-8")
# What a caption must say: how many, or that chance has no part.
BASIS = re.compile(r"seed|worlds|run|pair|problem|random|Computed|closed form|dot|logged")


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_whole_and_has_its_words_and_numbers(name):
    drawing = drawn(name)
    figure = drawing.figure
    assert figure.get_figwidth() <= PAGE
    words = boxes(figure)
    assert outside(figure, words) == []
    assert overlapping(words) == []
    assert on_data(figure) == []
    for text in (drawing.finding, drawing.basis, drawing.alt):
        assert text.endswith(".")
        assert not re.search(r"\$|nan|\binf\b|None|\\", text)
    assert re.search(r"\d|fell|fall", drawing.finding)
    assert BASIS.search(drawing.basis)
    rows = list(csv.DictReader(io.StringIO(table(drawing.numbers))))
    assert rows
    assert all(any(row.values()) for row in rows)


def test_no_way_to_draw_is_left_out():
    ways = {
        node.name: ast.unparse(node.returns or ast.Constant(0))
        for path in (ROOT / "figures").rglob("*.py")
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef) and re.match(r"[a-z]\w*_picture$|figure_\d", node.name)
    }
    assert set(ways.values()) == {"Drawing"}
    by_record = {picture.drawing.partition(":")[2] for _, picture, _ in recorded()}
    assert {way for way in ways if f"{way}(" not in TESTED} <= by_record


def test_what_records_are_drawn_by_is_drawn_here():
    drawn_here = {p.drawing for name, p, _ in recorded() if name in NAMES}
    assert {p.drawing for _, p, _ in recorded()} - drawn_here == {"gpt2.runs:token_picture"}
