import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from disband.verify.deciding.claim import Verdict
from disband.verify.pages.report import SYMBOLS, html, mathml, shown, svg, words, write_report

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">&"\''
SVG = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36">'
    "<metadata>made</metadata><style>*{color:red}</style><script>alert(3)</script>"
    '<defs><path id="glyph" d="M0 0"/><clipPath id="clip"><path d="M0 0"/></clipPath></defs>'
    '<g clip-path="url(#clip)" onclick="alert(4)"><use xlink:href="#glyph"/></g>'
    '<a xlink:href="https://elsewhere.example/"><path d="M1 1"/></a></svg>'
)


def claim(verdict, **changes):
    return {
        "id": f"yuan2025.{verdict}",
        "paper": "yuan2025",
        "locator": "section 3",
        "says": rf"The {verdict} one: $\Delta\log\pi_w \ge 0$.",
        "given": [r"d_w > 0"],
        "holds": r"d_w \|a\|^2 \geq d_l \langle a,b\rangle",
        "verdict": str(verdict),
        "decided_by": "exact search",
        "seconds": 0.01,
        "example": {"d_w": "1/3"},
        "counterexample": None,
        "repaired": None,
        "repairs": None,
        "note": "",
        "numbers": None,
    } | changes


@pytest.fixture
def report():
    claims = [claim(verdict) for verdict in Verdict if verdict is not Verdict.REFUTED]
    printed = claim("refuted", counterexample={"d_w": "-7/3"}, repaired="yuan2025.refuted.repaired")
    mended = claim("proved", id="yuan2025.refuted.repaired", repairs="yuan2025.refuted")
    return {
        "claims": [*claims, printed, mended],
        "objectives": [
            {
                "name": "DPO",
                "source": "eq. 7",
                "loss": r"- \log{\left(x \right)}",
                "d_w": r"\beta",
                "d_l": r"\beta",
                "ratio": "1",
                "signs_w": {"positive": r"\text{True}", "zero": "x = 0", "negative": "x < 0"},
                "signs_l": {"positive": r"\text{True}", "zero": "x = 0", "negative": "x < 0"},
                "conditions": [r"x \geq 0", r"x \leq 0"],
                "defaults": {r"\beta": 0.1},
            }
        ],
        "fixes": [
            {"title": "One pair", "command": "", "columns": ["a"], "rows": [["1"]], "says": ["So."]}
        ],
        "simulations": [
            {"name": "one pair", "objective": "DPO", "parameters": {"lr": 0.1}, "summary": {"n": 3}}
        ],
        "experiments": [
            {
                "name": "sentiment",
                "settings": {"layers": 4},
                "predictions": [
                    {
                        "name": "order",
                        "says": "Long falls more than short.",
                        "per_seed": [
                            {"seed": 0, "holds": True, "numbers": {"fall": -0.5}},
                            {"seed": 1, "holds": False, "numbers": {"fall": 0.5}},
                        ],
                    }
                ],
            }
        ],
        "provenance": {"command": "disband verify", "time": "now", "versions": {"numpy": "2"}},
    }


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text of each."""

    VOID = frozenset(("meta", "link", "wbr", "img"))

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    def attributes(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def test_the_json_holds_exactly_the_report(report, tmp_path):
    write_report(report, {}, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_numbers_of_numpy_and_numbers_that_json_lacks_are_written(tmp_path):
    numbers = {
        "n": np.int64(3),
        "x": np.array([0.5, np.nan]),
        "far": -np.inf,
        "yes": np.True_,
    }
    write_report({"simulations": [{"name": "s", "summary": numbers}]}, {}, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text("utf-8"))["simulations"][0]["summary"]
    assert found == {"n": 3, "x": [0.5, "NaN"], "far": "-Infinity", "yes": True}


def test_what_no_json_holds_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match="got object"):
        write_report({"claims": object()}, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_well_formed_and_shows_every_verdict_by_symbol_and_word(report):
    page = Page(html(report, {}))
    assert page.open == []
    assert set(SYMBOLS) == set(Verdict)
    rows = {attrs["id"]: attrs for tag, attrs in page.tags if tag == "tr" and "id" in attrs}
    assert {row["data-verdict"] for row in rows.values()} == set(Verdict)
    for verdict, symbol in SYMBOLS.items():
        assert symbol in page.text
        assert verdict in page.text


def test_verdicts_are_counted(report):
    totals = re.search(r"<tr><th scope=\"row\">all</th>(.*?)</tr>", html(report, {})).group(1)
    assert re.findall(r"<td>(.*?)</td>", totals) == ["2", "1", "1", "1", "1", "6"]


def test_a_refuted_claim_shows_its_counterexample_and_leads_to_its_repair(report):
    page = Page(html(report, {}))
    assert "-7/3" in page.text
    row = re.search(r'<tr id="claim-yuan2025.refuted".*?</tr>', html(report, {}), re.DOTALL).group()
    assert re.search(r"Repaired form:.*proved", row)
    links = set(page.attributes("href"))
    assert {"#claim-yuan2025.refuted.repaired", "#claim-yuan2025.refuted"} <= links


def test_every_link_within_the_page_leads_somewhere(report):
    page = Page(html(report, {"one": SVG, "two": SVG}))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.attributes("href") if link.startswith("#")} <= set(ids)


def test_the_page_asks_for_nothing_from_elsewhere(report):
    text = html(report, {"one": SVG})
    assert "http:" not in text
    assert "https:" not in text
    page = Page(text)
    assert all(link.startswith(("#", "data:")) for link in page.attributes("href"))
    assert page.attributes("src") == []
    assert "@import" not in text


@pytest.mark.parametrize(
    "part", ["claims", "fixes", "objectives", "simulations", "experiments", "provenance"]
)
def test_a_missing_part_is_said_to_be_missing(report, part):
    complete = html(report, {"one": SVG})
    for lacking in ({**report, part: type(report[part])()}, report):
        rest = {k: v for k, v in lacking.items() if lacking is not report or k != part}
        section = re.search(
            rf'<section id="{part}">.*?</section>', html(rest, {"one": SVG}), re.DOTALL
        )
        assert 'class="none"' in section.group()
    assert 'class="none"' not in complete


def test_a_page_without_figures_says_so(report):
    assert "This run drew no figures." in html(report, {})


def test_formulas_are_mathml(report):
    page = html(report, {})
    assert page.count("<math") > 30
    assert "$" not in "".join(Page(page).text)


def test_hostile_text_stays_text(report):
    def poisoned(value):
        if isinstance(value, dict):
            return {
                name + (HOSTILE if name in {"lr", "n", "d_w", "layers"} else ""): poisoned(entry)
                for name, entry in value.items()
            }
        if isinstance(value, list):
            return [poisoned(entry) for entry in value]
        return value + HOSTILE if isinstance(value, str) and value not in set(Verdict) else value

    for one in report["claims"]:
        one["says"] = r"$\text{<script>alert(5)</script>}$ and $\href{javascript:alert(6)}{x}$"
    page = Page(html(poisoned(report), {HOSTILE: SVG}))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not any(link.startswith("javascript") for link in page.attributes("href"))


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
    ("name", "seen"),
    [("X", "⟨a,b⟩"), ("beta", "β"), ("d_w", "dw"), (r"\|a\|", "‖a‖"), ("a b", "a b")],
)
def test_symbols_of_a_point_look_as_they_do_in_formulas(report, name, seen):
    report["claims"][0]["example"] = {name: "1"}
    row = re.search(r'<ul class="point"><li>(.*?) = ', html(report, {})).group(1)
    assert "".join(Page(row).text) == seen


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


def test_a_figure_may_be_a_file(report, tmp_path):
    path = Path(tmp_path, "figure.svg")
    path.write_text(SVG)
    assert html(report, {"one": path}) == html(report, {"one": SVG})
