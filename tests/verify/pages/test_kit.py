"""The page kit: what every page is made with, and that nothing foreign gets through it."""

import re

import pytest

from disband.verify.pages.kit import mathml, page, shown, svg, words
from tests.pages import HOSTILE, SVG, Page


def test_text_in_a_page_stays_text_and_a_name_that_is_missing_is_no_page(tmp_path):
    template = tmp_path / "one.html.j2"
    template.write_text("<p>{{ text }} {{ value|shown }} {{ text|loud }}</p>")
    made = page(template, {"loud": str.upper}, text=HOSTILE, value=-0.5)
    assert [tag for tag, _ in Page(made).tags] == ["p"]
    assert "−0.5" in made
    with pytest.raises(Exception, match="'value' is undefined"):
        page(template, {"loud": str.upper}, text="")


@pytest.mark.parametrize(
    "latex", [r"\frac{", "", "}{", r"\text{<b>x</b>}", r"\href{a}{b}", r"\class{a}{b}", "a & b"]
)
def test_latex_that_is_no_plain_formula_is_shown_as_code(latex):
    shown_as = mathml(latex)
    assert shown_as.startswith("<code>")
    assert "<b>" not in shown_as


def test_words_between_dollars_are_formulas():
    assert words("if $x$ then <y>").startswith("if <math")
    assert words("if $x$ then <y>").endswith("then &lt;y&gt;")
    assert words("costs $5 & more") == "costs $5 &amp; more"


def test_function_names_stand_apart_from_their_arguments():
    assert re.search(r"<mi>log</mi><mspace[^>]*/><mi>π</mi>", mathml(r"\log\pi"))
    assert "mspace" not in mathml(r"\log(x)")


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (-0.123456, "−0.1235"),
        (-3, "−3"),
        (True, "yes"),
        (None, "–"),
        ("-7/3", "-7/3"),
        ([1, 2], "1, 2"),
        (list(range(10)), "0, 1, 2, 3, 4, 5, 6, 7, … (2 more)"),
        ({"a": 1, "b": [0.5]}, "a 1, b 0.5"),
        ([], "none"),
    ],
)
def test_values_are_written_as_a_reader_would(value, seen):
    assert shown(value) == seen


def test_the_ids_of_figures_do_not_clash():
    one, two = svg(SVG, "f0"), svg(SVG, "f1")
    assert 'id="f0-glyph"' in one
    assert 'href="#f0-glyph"' in one
    assert 'clip-path="url(#f0-clip)"' in one
    assert not set(re.findall(r'id="(.*?)"', one)) & set(re.findall(r'id="(.*?)"', two))


def test_a_figure_brings_neither_script_nor_style_nor_foreign_links():
    cleaned = svg(SVG, "f0")
    for word in ("script", "<style", "metadata", "onclick", "elsewhere", "xmlns"):
        assert word not in cleaned


@pytest.mark.parametrize("text", ["no svg", "<p>text</p>"])
def test_what_is_no_svg_is_refused(text):
    with pytest.raises(ValueError, match="a figure is SVG text"):
        svg(text, "f0")


def drawing(inside):
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"{inside}</svg>"
    )


@pytest.mark.parametrize(
    "inside",
    [
        '<use xlink:href="data:text/html,far"/>',
        '<image xlink:href="data:text/html,far"/>',
        '<image href="data:image/svg+xml,far"/>',
        '<use href="data:image/png;base64,far"/>',
        '<use href="javascript:far"/>',
        '<use HREF="javascript:far"/>',
        '<use href=" javascript:far"/>',
        '<image xlink:href="https://far"/>',
        '<image href="//far"/>',
        '<image src="far.png"/>',
        '<rect fill="url(https://far)"/>',
        "<rect style=\"fill:URL( 'https://far' )\"/>",
        '<rect ONCLICK="far"/>',
        '<rect onload="far"/>',
        '<a href="#far"><rect/></a>',
        '<animate attributeName="href" to="far"/>',
        '<set attributeName="href" to="far"/>',
        "<foreignObject><p>far</p></foreignObject>",
        "<script>far</script>",
        "<style>far</style>",
    ],
)
def test_a_figure_points_and_runs_nowhere(inside):
    assert "far" not in svg(drawing(inside), "f0")


def test_a_figure_may_point_into_itself_and_at_pixels():
    inside = '<image href="data:image/png;base64,AAAA"/><use href="#a"/><g clip-path="url(#b)"/>'
    cleaned = svg(drawing(inside), "f0")
    assert 'href="data:image/png;base64,AAAA"' in cleaned
    assert 'href="#f0-a"' in cleaned
    assert 'clip-path="url(#f0-b)"' in cleaned
