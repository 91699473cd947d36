"""What is written of a figure: light, the same each time, with its words and its numbers."""

import csv
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from disband.figures.drawing import Drawing, light, save, svg_text, table
from disband.figures.style import CHOSEN, draw, panels


def drawn():
    figure, ((axes,),) = panels(1, 1, (3, 2))
    draw(axes, [0, 1, 2], [0.0, -1.0, -3.0], CHOSEN, "chosen <&> $d_w$")
    axes.legend()
    rows = [{"step": step, "change": -1.5 * step, "each": [1, 2]} for step in range(3)]
    return Drawing(figure, "It <falls>.", "One seed.", "A line that falls.", rows)


def test_a_saved_figure_is_the_same_to_the_byte_each_time(tmp_path):
    for folder in ("one", "two"):
        save(drawn(), tmp_path / folder, "figure")
    for name in ("figure.svg", "figure.png", "figure.csv", "figure.txt"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_saving_leaves_only_whole_files(tmp_path):
    svg, png = save(drawn(), tmp_path, "figure")
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg", ".png", ".csv", ".txt"}
    assert svg.read_text().rstrip().endswith("</svg>")
    assert png.read_bytes().endswith(b"IEND\xaeB`\x82")


def test_a_failed_save_keeps_the_figure_of_before(tmp_path, monkeypatch):
    svg, _ = save(drawn(), tmp_path, "figure")
    before = svg.read_bytes()
    drawing = drawn()

    def half(file, format, **_):  # noqa: A002 (matplotlib's name for it)
        file.write(b"PNG" if format == "png" else "<svg")
        raise OSError("disk full")

    monkeypatch.setattr(drawing.figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        save(drawing, tmp_path, "figure")
    assert svg.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 4


def test_the_words_stand_in_the_picture_and_beside_it(tmp_path):
    svg, _ = save(drawn(), tmp_path, "figure", "Figure 9 of a paper")
    root = ET.fromstring(svg.read_text("utf-8"))
    names = {child.tag.rpartition("}")[2]: child.text for child in root}
    caption = "It <falls>. Figure 9 of a paper. One seed."
    assert (names["title"], names["desc"]) == (caption, "A line that falls.")
    assert (tmp_path / "figure.txt").read_text("utf-8") == f"{caption}\n\nA line that falls.\n"
    with (tmp_path / "figure.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"step": str(step), "change": f"{-1.5 * step:g}"} for step in range(3)
        ]
    assert "chosen<&>" in "".join(root.itertext())


def test_a_number_is_written_with_six_digits_and_nothing_as_nothing():
    assert table([{"x": 1 / 3, "y": None}, {"x": 2, "z": "a,b"}]) == (
        'x,y,z\n0.333333,,\n2,,"a,b"\n'
    )


HEAVY = """<?xml version="1.0"?><!DOCTYPE svg><svg id="top" width="10pt" viewBox="0 0 10 10">
 <metadata>who</metadata><!-- what --><defs><path id="m" d="M 0 1.23456 \nL 2.999999 -0.0001 z"/>
 </defs><g id="axes"><use href="#m" x="1.234567" y="2"/><path clip-path="url(#c)" d="M 1e-7 5"/>
 <clipPath id="c"/><text x="1.005" transform="rotate(-90 1.23456 2)">3.14159265 &amp; x</text>
 <image transform="matrix(0.123456 0 0 1 2 3)" href="data:1.23456"/></g></svg>"""


def test_a_light_picture_has_the_same_places_to_a_hundredth_of_a_point():
    text = light(HEAVY, "a & b", r"c \1 <d>")
    root = ET.fromstring(text)
    assert not re.search("metadata|<!--|DOCTYPE", text)
    assert [e.get("id") for e in root.iter() if e.get("id")] == ["m", "c"]
    paths = [e.get("d") for e in root.iter("path")]
    assert paths == ["M0 1.23L3 0z", "M0 5"]
    assert root.find(".//use").get("x") == "1.23"
    assert root.find(".//image").get("transform") == "matrix(0.123456 0 0 1 2 3)"
    assert root.find(".//image").get("href") == "data:1.23456"
    assert root.find(".//text").text == "3.14159265 & x"
    assert root.find("desc").text == r"c \1 <d>"


def test_a_real_picture_keeps_every_place_and_every_word():
    drawing = drawn()
    numbers = [float(n) for d in re.findall(r' d="([^"]*)"', svg_text(drawing))
               for n in re.findall(r"-?\d+\.?\d*", d)]  # fmt: skip
    assert np.isfinite(numbers).all()
    assert len(numbers) > 50
    assert "It &lt;falls&gt;." in svg_text(drawing)
