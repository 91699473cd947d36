import json
import re
from pathlib import Path

import pytest

from disband.verify.deciding.claim import Grade, Kind, Verdict
from disband.verify.deciding.confirm import Answer
from disband.verify.deciding.decide import COMPUTED
from disband.verify.pages.report import SYMBOLS, html, write_report
from tests.pages import HOSTILE, SVG, Page

OURS = {*Verdict, *Kind, *Grade, *Answer}


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
        "kind": "printed",
        "printed": True,
        "quote": r"a quotation of $d_w$",
        "grade": "sign or factor",
        "why": "Because of the sign.",
        "confirmed": {"answer": "agrees", "by": "cvc5", "second": ""},
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


def test_the_json_holds_exactly_the_report(report, tmp_path):
    write_report(report, {}, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


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
    assert re.findall(r"<td>(.*?)</td>", totals) == ["2", "·", "1", "·", "1", "1", "1", "6"]


def failing(name, **changes):
    return claim("refuted", id=f"yuan2025.{name}", counterexample={"d_w": "-7/3"}, **changes)


def test_errata_are_what_is_printed_first_what_matters_then_the_gravest(report):
    report["claims"] += [
        failing("word", grade="wording"),
        failing("assumption", grade="missing assumption"),
        failing("eq10"),
        failing("eq13"),
        failing("reading", kind="read", printed=False, grade=None),
        failing("ours", kind="ours", printed=False, grade=None, paper="disband"),
    ]
    text = html(report, {})
    assert re.findall(r'<tr><td><a href="#erratum-yuan2025\.(.*?)"', text) == [
        "eq13", "eq10", "assumption", "refuted", "word",
    ]  # fmt: skip
    errata, _, readings = (
        re.search(r'<section id="errata">(.*?)</section>', text, re.DOTALL)
        .group(1)
        .partition("What fails as read here")
    )
    assert "erratum-yuan2025.reading" in readings
    assert "erratum-yuan2025.reading" not in errata
    assert "erratum-yuan2025.ours" not in text
    assert text.index('id="errata"') < text.index('id="claims"')


def test_a_computation_and_a_failed_reading_are_counted_apart(report):
    report["claims"] += [
        claim("proved", id="yuan2025.computed", decided_by=COMPUTED),
        failing("reading", kind="read", printed=False, grade=None),
    ]
    totals = re.search(r"<tr><th scope=\"row\">all</th>(.*?)</tr>", html(report, {})).group(1)
    assert re.findall(r"<td>(.*?)</td>", totals) == ["2", "1", "1", "1", "1", "1", "1", "8"]


def test_what_no_second_look_confirmed_is_listed(report):
    report["claims"][0]["confirmed"] = {"answer": "timed out", "by": "cvc5", "second": ""}
    text = html(report, {})
    assert "1 verdicts that no second look confirmed" in text
    assert "not: cvc5 timed out" in text


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
        return value + HOSTILE if isinstance(value, str) and value not in OURS else value

    for one in report["claims"]:
        one["says"] = r"$\text{<script>alert(5)</script>}$ and $\href{javascript:alert(6)}{x}$"
    page = Page(html(poisoned(report), {HOSTILE: SVG}))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not any(link.startswith("javascript") for link in page.attributes("href"))


@pytest.mark.parametrize(
    ("name", "seen"),
    [("X", "⟨a,b⟩"), ("beta", "β"), ("d_w", "dw"), (r"\|a\|", "‖a‖"), ("a b", "a b")],
)
def test_symbols_of_a_point_look_as_they_do_in_formulas(report, name, seen):
    report["claims"][0]["example"] = {name: "1"}
    ledger = html(report, {}).partition('<section id="claims">')[2]
    row = re.search(r'<ul class="point"><li>(.*?) = ', ledger).group(1)
    assert "".join(Page(row).text) == seen


def test_a_figure_may_be_a_file(report, tmp_path):
    path = Path(tmp_path, "figure.svg")
    path.write_text(SVG)
    assert html(report, {"one": path}) == html(report, {"one": SVG})
