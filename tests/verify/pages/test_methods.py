"""Which fix helps when: what the tables say is what the rows say, and the page is not stale."""

import pytest

from disband.verify.kept.provenance import ROOT
from disband.verify.kept.recorded import recorded
from disband.verify.pages.method_runs import run_parts
from disband.verify.pages.method_toys import toy_parts
from disband.verify.pages.methods import methods_page
from disband.verify.pages.report import html
from disband.verify.pages.tables import listed, markdown

CARE = "care"


def row(objective, method, chosen, seed=1, **changes):
    return {
        "data": "sentiment", "objective": objective, "method": method, "seed": seed,
        "chosen": chosen, "rejected": None if chosen is None else chosen - 0.25,
        "relative updates": 1.0, "relative cost": 1.0, "labels before": 0.5, "labels after": 0.75,
        "empty batch bands": None,
    } | changes  # fmt: skip


def record(*rows):
    return {"tables": {"methods": list(rows)}, "provenance": {"command": "disband gpt2"}}


@pytest.fixture(scope="module")
def toys():
    return toy_parts()


def test_runs_are_counted_by_what_both_sides_did():
    found = record(
        row("DPO", "none", -0.1), row("CPO", "none", 0.3), row("IPO", "none", None),
        row("DPO", CARE, 0.1, **{"relative updates": 2.0, "empty batch bands": 0.25}),
        row("CPO", CARE, 0.2, **{"relative updates": 3.0}), row("IPO", CARE, None),
    )  # fmt: skip
    whole, _ = run_parts([found])
    none, care = whole["rows"]
    assert none[:6] == ["none", "1 of 3", "1 of 3", "0 of 3", "+0.10", "1.00"]
    assert care[:6] == [CARE, "2 of 3", "2 of 3", "2 of 3", "+0.15", "2.00"]
    assert care[-1] == "25.0 %"
    assert none[-1] == "–"
    said = "\n".join(whole["says"])
    assert "66.7 % of the runs with care, at 2.00 times the updates" in said
    assert "highest with care: median +0.15 nat, +0.10 with none" in said
    assert "not with none: DPO (care); CPO (care)" in said
    assert "No method sets both right on every seed under IPO" in said
    assert "fewer right labels than with none: no method" in said
    assert "empty in 25.0 %" in said


def test_by_objective_they_are_means_with_their_ranges():
    found = record(
        row("DPO", "none", -0.1), row("DPO", "none", -0.3, seed=2), row("DPO", CARE, 0.1),
        row("DPO", CARE, None, seed=2),
    )  # fmt: skip
    _, each = run_parts([found])
    none, care = each["rows"]
    assert none[2] == "−0.20 (−0.30 to −0.10)"
    assert none[4] == "0 of 2"
    assert care[2] == "+0.10 (+0.10 to +0.10), on 1 of 2 seeds"
    assert care[7] == "50.0 % to 75.0 %"


def test_a_method_that_helps_nobody_and_costs_labels_is_said_to():
    found = record(row("DPO", "none", 0.1), row("DPO", CARE, -0.1, **{"labels after": 0.6}))
    whole, _ = run_parts([found])
    assert "No method does better than none" in whole["says"][0]
    assert any("fewer right labels than with none: care" in one for one in whole["says"])


def test_records_without_the_question_have_no_table():
    assert run_parts([{"tables": {"runs": [{}]}}]) == []


def test_calibration_helps_pairs_and_the_batch_band_the_means(toys):
    pairs, batches, crowds, empty, adam = toys
    right = {cells[0]: float(cells[1].split()[0]) for cells in pairs["rows"]}
    assert right["none"] < right["NLL term"] < 90 < right["reward calibration"]
    for part in (batches, crowds):
        means = {cells[0]: float(cells[2].split()[0]) for cells in part["rows"]}
        assert means["batch band"] == 100 > means["none"]
    for _, share, _, kept in empty["rows"]:
        assert float(kept.split()[0]) == pytest.approx(100 - float(share.split()[0]), abs=0.5)
    steps = [float(cells[-1].split()[0]) for cells in adam["rows"]]
    assert steps == sorted(steps)


def test_the_page_shows_runs_where_there_are_any(toys):
    found = {"methods": record(row("DPO", "none", 0.1))}
    assert "is still to come" not in methods_page(toys, found)
    assert "| none | 1 of 1 | 1 of 1 |" in methods_page(toys, found)
    assert "is still to come" in methods_page(toys, {})


def test_the_page_is_not_stale(toys):
    written = (ROOT / "docs" / "methods.md").read_text("utf-8")
    assert written == methods_page(toys, recorded()), "stale; run: python -m disband.verify.pages"


def test_the_report_has_every_table():
    parts = run_parts([record(row("<DPO>", "none", 0.1))])
    page = html({"fixes": parts}, {})
    assert page.count("<summary>the table") == len(parts) == 2
    assert "&lt;DPO&gt;" in page
    assert "This run compared no methods" in html({}, {})


def test_tables_keep_their_cells_apart():
    part = run_parts([record(row("a|b", "none", 0.1))])[1]
    assert "a\\|b" in markdown(part)
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
