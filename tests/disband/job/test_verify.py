"""The main job without language models: whole, in the middle, twice."""

import json
import re
import shutil

import pytest

from disband.job.recording import changes
from disband.job.run import TOY_EXPERIMENTS
from disband.job.summary import screen
from disband.theory.objectives import OBJECTIVES
from disband.verify.deciding.claim import Verdict
from disband.verify.kept.recorded import recorded
from disband.verify.pages.claims import claims_pages
from disband.verify.pages.errata import verdict_words
from tests.disband.running import ROOT, printed
from tests.documents import PAGES, named

CLAIM = {
    "id", "paper", "locator", "says", "given", "holds", "verdict", "decided_by", "seconds",
    "counterexample", "repaired",
}  # fmt: skip
DRAWN = {
    "band", "phases", "gallery", "trajectories", "methods", "before-after", "outcome-maps",
    "calibrations", "single-token", "edit-one-shared", "edit-one-independent",
    "target", "exploration", "ablation", "initialization", "simplex", "misallocation",
}  # fmt: skip

_STEPS = (
    "objectives", "claims", "simulations", "band in motion", "toys", "fixes", "figures", "report",
)  # fmt: skip


@pytest.mark.slow
def test_the_report_has_all_its_parts(report):
    parts = {"claims", "fixes", "objectives", "simulations", "experiments", "provenance"}
    assert set(report) == parts
    assert [o["name"] for o in report["objectives"]] == [o.name for o in OBJECTIVES]
    assert len(report["simulations"]) == 3 * len(OBJECTIVES)
    toys = [experiment.name for experiment in TOY_EXPERIMENTS]
    found = [experiment["name"] for experiment in report["experiments"]]
    assert found[: len(toys)] == toys
    assert sorted(found[len(toys) :]) == sorted(one["name"] for one in recorded().values())
    assert len(report["fixes"]) >= 5
    assert {"command", "time", "versions", "python"} <= set(report["provenance"])


@pytest.mark.slow
def test_every_claim_is_decided_with_its_evidence(report):
    claims = report["claims"]
    assert len(claims) >= 40
    assert len({claim["id"] for claim in claims}) == len(claims)
    for claim in claims:
        assert set(claim) >= CLAIM
        assert claim["verdict"] in set(Verdict)
        shown = claim["verdict"] == Verdict.REFUTED and not claim["exists"]
        assert (claim["counterexample"] is not None) == shown


@pytest.mark.slow
def test_predictions_of_an_experiment_that_was_left_out_are_open(report):
    measured = [claim for claim in report["claims"] if "was not run" in claim["decided_by"]]
    assert {claim["verdict"] for claim in measured} <= {Verdict.OPEN}


@pytest.mark.slow
def test_predictions_on_toys_are_decided_without_language_models(report):
    experiment = report["experiments"][0]
    by_id = {claim["id"]: claim for claim in report["claims"]}
    for prediction in experiment["predictions"]:
        claim = by_id[f"wang2025.toy.{prediction['name']}"]
        assert claim["decided_by"].startswith("experiment toy dynamics: held for")
        assert len(claim["numbers"]) == len(prediction["per_seed"]) >= 2
    verdicts = {by_id[f"wang2025.toy.{p['name']}"]["verdict"] for p in experiment["predictions"]}
    assert {Verdict.SUPPORTED, Verdict.CONTRADICTED} <= verdicts


@pytest.mark.slow
def test_predictions_on_toys_of_jian2025_are_decided_too(report):
    evolution = report["experiments"][1]
    by_id = {claim["id"]: claim for claim in report["claims"]}
    judged = [by_id[f"jian2025.toys.{p['name']}"] for p in evolution["predictions"]]
    assert {c["verdict"] for c in judged} >= {Verdict.SUPPORTED, Verdict.CONTRADICTED}


@pytest.mark.slow
def test_every_figure_is_there_twice_and_in_the_page(done):
    out, _ = done
    drawn = {path.stem for path in (out / "figures").glob("*.svg")}
    assert drawn == {path.stem for path in (out / "figures").glob("*.png")}
    kept = {name for name in drawn if name.startswith("results-")}
    assert drawn - kept == DRAWN
    assert {"results-gpt2-figure-2", "results-gpt2-regimes"} <= kept
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<figure>") == len(drawn)
    assert "<math" in page


@pytest.mark.slow
def test_the_end_says_what_was_found_and_where_it_is(done, report):
    out, said = done
    assert said.endswith(f"\n\n{screen(report, changes(report), out)}\n")
    table = (out / "claims.txt").read_text("utf-8")
    for claim in report["claims"]:
        assert re.search(rf"^{claim['verdict']} +{re.escape(claim['id'])} ", table, re.MULTILINE)
    assert not set("$\\") & set(said + table)


@pytest.mark.slow
def test_the_pages_of_claims_in_the_documents_are_what_the_ledger_gives(report):
    pages = claims_pages(report["claims"])
    kept = {name: (ROOT / "docs" / name).read_text("utf-8") for name in pages}
    assert kept == pages, "stale; run: python -m disband.verify.pages"


@pytest.mark.slow
def test_the_recorded_verdicts_are_those_of_this_run(report):
    found = changes(report)
    stale = "stale; run: disband verify --no-lm; python -m disband.job"
    assert (found.differ, found.new, found.gone) == ([], [], []), stale


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_of_the_ledger_what_this_run_found(report, name):
    found = {claim["id"]: verdict_words(claim) for claim in report["claims"]}
    said = {one: verdict for one, verdict in named(PAGES[name]).items() if verdict}
    assert said == {one: found[one] for one in said}


@pytest.mark.slow
def test_every_step_is_told_as_it_is_done(done):
    lines = done[1].splitlines()
    for number, name in enumerate(_STEPS, 1):
        assert any(line.startswith(f"[{number}/{len(_STEPS)}] {name}") for line in lines)
    assert "reused" not in done[1]
    assert "\x1b" not in done[1]


@pytest.mark.slow
def test_a_second_run_reuses_what_is_done_and_says_so(done, report, tmp_path, monkeypatch):
    out = shutil.copytree(done[0], tmp_path / "out")
    # pictures are drawn anew every time; here they need not be
    monkeypatch.setattr("disband.job.pictures.PICTURES", [])
    monkeypatch.setattr("disband.job.run.drawn_records", lambda *_: {})
    assert printed(out, "verify", "--no-lm").count(", reused") == 6
    again = json.loads((out / "report.json").read_text("utf-8"))
    assert again["claims"] == report["claims"]
    assert again["simulations"] == report["simulations"]


@pytest.mark.slow
def test_figures_are_drawn_again_from_what_was_saved(done):
    out, _ = done
    picture = out / "figures" / "band.svg"
    first = picture.read_bytes()
    picture.unlink()
    said = printed(out, "figures", "band")
    assert picture.read_bytes() == first
    assert said.split() == [str(picture), "and", "band.png"]
