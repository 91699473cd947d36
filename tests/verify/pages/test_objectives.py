import re

import latex2mathml.converter
import pytest
import sympy

from disband.theory.facts import facts
from disband.theory.objectives import BATCH_OBJECTIVES, OBJECTIVES
from disband.theory.objectives.versions import VERSIONS
from disband.theory.symbols import beta, len_w, logp_l, logp_w
from disband.verify.kept.provenance import ROOT
from disband.verify.pages.objectives import objectives_page, typeset
from tests.sampling import some


@pytest.fixture(scope="module")
def page():
    return objectives_page()


def test_the_page_is_up_to_date(page):
    written = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    assert written == page, "stale; run: python -m disband.verify.pages"


@some
def test_every_objective_has_a_section_with_all_that_follows(page, objective):
    section = page.partition(f"\n## {objective.name}\n")[2].partition("\n## ")[0]
    assert objective.source in section
    for part in ("* loss:", "* $d_w$ =", "* $d_l$ =", "* band:", "along training", "| as |"):
        assert part in section
    assert f"**{objective.name} protects the chosen" in section
    assert "not found" not in section
    assert "no state found" not in section
    for version in VERSIONS:
        assert (version.who in section) or version.objective is not objective
    assert f"| [{objective.name}](#" in page


def test_objectives_of_a_batch_are_named(page):
    assert all(f"**{one.name}**" in page for one in BATCH_OBJECTIVES)


def test_all_mathematics_can_be_typeset(page):
    prose = page
    formulas = re.findall(r"\$([^$\n]+)\$", prose)
    assert prose.count("$") == 2 * len(formulas)
    for formula in set(formulas):
        assert formula == formula.strip()
        latex2mathml.converter.convert(formula)


def test_no_bar_within_a_formula_splits_a_row_of_a_table(page):
    for line in page.splitlines():
        if line.startswith("|"):
            assert "|" not in "".join(re.findall(r"\$([^$]+)\$", line))
    rows = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    for table in rows:
        assert len({row.count("|") for row in table.splitlines()}) == 1


def test_every_link_leads_somewhere(page):
    heads = {
        re.sub(r"[^\w-]", "", h.lower().replace(" ", "-")) for h in re.findall("## (.+)", page)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= heads


def test_conditions_are_words_around_formulas():
    both = sympy.And(logp_w > logp_l, beta > 1)
    assert typeset(both) in (
        r"$\beta > 1$ and $\log\pi_w > \log\pi_l$", r"$\log\pi_w > \log\pi_l$ and $\beta > 1$",
    )  # fmt: skip
    assert typeset(sympy.Or(both, beta < 0.5)).count("(") == 1
    assert typeset(sympy.true) == "always"
    assert typeset(logp_w / len_w) == r"$\frac{\log\pi_w}{\vert y_w\vert }$"
    assert typeset(beta - logp_w) == r"$\beta - \log\pi_w$"


def test_the_table_of_signs_names_who_reaches_them(page):
    row = next(line for line in page.splitlines() if line.startswith("| = 0 | > 0 |"))
    reached = {
        o.name
        for o in OBJECTIVES
        for region in facts(o).regions
        if (region.d_w, region.d_l) == (0, 1) and region.reached and region.usual
    }
    assert set(re.findall(r"\[([^\]]+)\]", row)) == reached
    assert "chosen falls, rejected falls" in row
