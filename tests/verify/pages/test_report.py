import base64
import json
import re
import zlib

import pytest

from disband.verify.deciding.claim import Grade, Kind, Verdict
from disband.verify.deciding.confirm import Answer
from disband.verify.deciding.decide import COMPUTED
from disband.verify.pages.report import LONGEST, SYMBOLS, html, latex_of, write_report
from tests.pages import HOSTILE, SVG, Page
from tests.verify.pages.reports import claim, small_report

OURS = {*Verdict, *Kind, *Grade, *Answer}


@pytest.fixture
def report():
    return small_report()


FIGURE = {
    "caption": "one",
    "file": "figures/one.svg",
    "numbers": "",
    "alt": "a line",
    "width": 72,
    "height": 36,
}


def bodies(text):
    """What the page unpacks when it is asked for, by name."""
    packed = re.search(r'id="bodies">(.*?)</script>', text, re.DOTALL).group(1)
    return json.loads(zlib.decompress(base64.b64decode(packed), wbits=-zlib.MAX_WBITS))


def section(text, name):
    return re.search(rf'<section id="about-{name}".*?</section>', text, re.DOTALL).group()


def rows(text, name):
    """The cells of a section's tables, row by row."""
    found = re.findall(r"<tr>(.*?)</tr>", section(text, name), re.DOTALL)
    return [
        ["".join(Page(cell).text).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row)]
        for row in found
    ]


def test_the_json_holds_exactly_the_report(report, tmp_path):
    write_report(report, {}, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_what_no_json_holds_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match="got object"):
        write_report({"claims": object()}, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_well_formed_and_shows_every_verdict_by_symbol_and_word(report):
    page = Page(html(report))
    assert page.open == []
    assert set(SYMBOLS) >= set(Verdict)
    entries = {attrs["id"]: attrs for _, attrs in page.tags if "data-verdict" in attrs}
    assert {entry["data-verdict"] for entry in entries.values()} == set(Verdict)
    for verdict in Verdict:
        assert SYMBOLS[verdict] in page.text
        assert any(verdict in text for text in page.text)


def test_everything_that_opens_has_a_body_and_every_body_is_well_formed(report):
    text = html(report)
    named = set(Page(text).attributes("data-of"))
    assert named == set(bodies(text))
    assert {"objective DPO", "prediction 1 order", "yuan2025.refuted"} <= named
    for body in bodies(text).values():
        assert Page(body["html"]).open == []


def test_verdicts_are_counted(report):
    *_, totals = rows(html(report), "papers")
    assert totals == ["all", "2", "·", "1", "·", "1", "1", "1", "6"]


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
    text = html(report)
    errata, _, readings = section(text, "errata").partition("What fails as read here")
    assert re.findall(r'<a href="#claim-yuan2025\.(.*?)"', errata) == [
        "eq13", "eq10", "assumption", "refuted", "word",
    ]  # fmt: skip
    assert "claim-yuan2025.reading" in readings
    assert "claim-yuan2025.ours" not in errata + readings
    assert text.index('id="errata"') < text.index('id="fixes"') < text.index('id="claims"')


def test_a_computation_and_a_failed_reading_are_counted_apart(report):
    report["claims"] += [
        claim("proved", id="yuan2025.computed", decided_by=COMPUTED),
        failing("reading", kind="read", printed=False, grade=None),
    ]
    *_, totals = rows(html(report), "papers")
    assert totals == ["all", "2", "1", "1", "1", "1", "1", "1", "8"]


def test_what_no_second_look_confirmed_is_listed(report):
    report["claims"][0]["confirmed"] = {"answer": "timed out", "by": "cvc5", "second": ""}
    text = html(report)
    assert "1 verdicts that no second look confirmed" in text
    assert "not: cvc5 timed out" in text


def test_a_refuted_claim_shows_why_where_it_fails_and_what_holds_instead(report):
    text = html(report)
    entry = re.search(r'id="claim-yuan2025.refuted".*?</details>', text, re.DOTALL).group()
    assert "Because of the sign." in entry
    body = bodies(text)["yuan2025.refuted"]["html"]
    assert "-7/3" in body
    wrong, right = re.findall(r'<div class="compared math( wrong)?">(.*?)</div>', body)
    assert wrong[0]
    assert "fails" in wrong[1]
    assert "-1/2" in wrong[1]
    assert not right[0]
    assert "holds" in right[1]
    assert 'href="#claim-yuan2025.refuted.repaired"' in body
    assert "confirmed" in body
    assert "by cvc5" in body


def test_a_finding_says_what_this_run_came_to(report):
    report["claims"] = [
        claim("refuted", id="yuan2025.high-correlation"),
        claim("proved", id="disband.dpo.synchronised", paper="disband"),
        claim("open", id="disband.gpt2.first-order", paper="disband"),
    ]
    cards = re.findall(r"<article.*?</article>", section(html(report), "findings"), re.DOTALL)
    assert len(cards) == 2
    assert "Not as this run has it" not in cards[0]
    assert "Not as this run has it" in cards[1]


def test_a_prediction_is_a_row_with_a_dot_a_seed(report):
    text = section(html(report), "experiments")
    assert re.findall(r'title="seed (\d)">(.)', text) == [("0", "●"), ("1", "○")]
    assert 'aria-label="held on 1 of 2 seeds"' in text


def test_a_long_formula_is_not_typeset_but_told_how_to_see(report):
    report["claims"][0] |= {"holds": "x + " * LONGEST + "x > 0", "folded": "x + " * LONGEST + "x"}
    body = bodies(html(report))[report["claims"][0]["id"]]
    assert len(body["html"]) < 9000
    assert "disband claim yuan2025.proved --full" in body["html"]
    assert len(body["latex"]) < LONGEST


def test_a_claim_is_copied_with_its_source_and_verdict():
    text = latex_of(claim("proved", locator="section 5 %"))
    assert r"\cite[section 5 \%]{yuan2025}" in text
    assert r"\[ d_w > 0 \;\Longrightarrow\; D \geq 0 \]" in text
    assert text.startswith("% yuan2025.proved: proved")


def test_every_link_within_the_page_leads_somewhere(report):
    text = html(report, [FIGURE])
    page = Page(text)
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    links = [
        link
        for part in (text, *(body["html"] for body in bodies(text).values()))
        for link in Page(part).attributes("href")
    ]
    assert {link[1:].partition("?")[0] for link in links if link.startswith("#")} <= set(ids)


def test_the_page_asks_for_nothing_but_its_own_figures(report):
    text = html(report, [FIGURE])
    assert "http:" not in text
    assert "https:" not in text
    page = Page(text)
    assert all(link.startswith(("#", "data:", "figures/")) for link in page.attributes("href"))
    assert page.attributes("src") == ["figures/one.svg"]
    assert "@import" not in text


@pytest.mark.parametrize(
    "part", ["claims", "fixes", "objectives", "simulations", "experiments", "provenance"]
)
def test_a_missing_part_is_said_to_be_missing(report, part):
    report["claims"] += [claim("refuted", id="yuan2025.high-correlation")]
    empty = re.compile(r'class="none"(?!>Proofs)')
    for lacking in ({**report, part: type(report[part])()}, report):
        rest = {k: v for k, v in lacking.items() if lacking is not report or k != part}
        assert empty.search(section(html(rest, [FIGURE]), part))
    assert not empty.search(html(report, [FIGURE]))


def test_a_page_without_figures_says_so(report):
    assert "This run drew no figures." in html(report)


def test_formulas_are_mathml(report):
    page = html(report)
    opened = "".join(body["html"] for body in bodies(page).values())
    assert opened.count("<math") > 30
    assert "$" not in "".join(Page(page).text + Page(opened).text)


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
    clean, text = html(report), html(poisoned(report), [FIGURE | {"caption": HOSTILE}])
    for part in (text, *(body["html"] for body in bodies(text).values())):
        page = Page(part)
        assert "onerror" not in {name for _, attrs in page.tags for name in attrs}
        assert not any(link.startswith("javascript") for link in page.attributes("href"))
        assert part is text or not {"script", "img"} & {tag for tag, _ in page.tags}
    tags = [tag for tag, _ in Page(text).tags]
    assert tags.count("script") == [tag for tag, _ in Page(clean).tags].count("script")
    assert tags.count("img") == 1


@pytest.mark.parametrize(
    ("name", "seen"),
    [("X", "⟨a,b⟩"), ("beta", "β"), ("d_w", "dw"), (r"\|a\|", "‖a‖"), ("a b", "a b")],
)
def test_symbols_of_a_point_look_as_they_do_in_formulas(report, name, seen):
    report["claims"][0]["example"] = {name: "1"}
    body = bodies(html(report))[report["claims"][0]["id"]]["html"]
    row = re.search(r'<ul class="point"><li>(.*?) = ', body).group(1)
    assert "".join(Page(row).text) == seen


def test_a_figure_is_shown_with_its_words_and_its_numbers(report, tmp_path):
    path = tmp_path / "figures" / "figure.svg"
    path.parent.mkdir()
    path.write_text(SVG)
    write_report(report, {"one": path}, tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert 'src="figures/figure.svg" alt="one" loading="lazy" decoding="async" width="115"' in text
    path.with_suffix(".txt").write_text("one\n\nA line that falls.\n")
    path.with_suffix(".csv").write_text("x\n1\n")
    write_report(report, {"one": path}, tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert 'alt="A line that falls."' in text
    assert 'href="figures/figure.csv"' in text


def test_a_figure_that_is_none_or_lies_elsewhere_is_refused(report, tmp_path):
    path = tmp_path / "figure.svg"
    path.write_text("<p>text</p>")
    with pytest.raises(ValueError, match="an SVG file with a viewBox"):
        write_report(report, {"one": path}, tmp_path)
    path.write_text(SVG)
    with pytest.raises(ValueError, match="lies beside the page"):
        write_report(report, {"one": path}, tmp_path / "out")
