"""The last screen of ``disband verify``, and what changed since the recorded run."""

import json
from pathlib import Path

import pytest

from disband.job.recording import Changes, changes, record
from disband.job.summary import document, screen, table
from disband.verify.claims import LEDGER
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT as SENTIMENT
from disband.verify.deciding.claim import Grade, Prediction
from disband.verify.pages.papers import TITLES

NONE = Changes("", [], [], [], [])
MEASURED = {c.experiment: c.id for c in LEDGER if isinstance(c, Prediction)}


def claim(name, verdict="proved", grade=None, locator="section 3", by="identity"):
    return {
        "id": name, "paper": name.partition(".")[0], "verdict": verdict, "grade": grade,
        "printed": True, "kind": "printed", "locator": locator,
        "says": r"The $\log\pi_w$ rises.", "decided_by": by, "seconds": 1.5,
    }  # fmt: skip


def experiment(name, *outcomes, where=""):
    seeds = [[{"seed": i, "holds": one} for i, one in enumerate(outcome)] for outcome in outcomes]
    return {
        "name": name, "where": where,
        "predictions": [{"says": f"{i}.", "per_seed": per} for i, per in enumerate(seeds)],
    }  # fmt: skip


def report(*claims, experiments=()):
    origin = {"time": "2026-01-02T03:04:05+00:00", "command": "disband verify"}
    return {"claims": list(claims), "experiments": list(experiments), "provenance": origin}


def crowded():
    """Of everything more than there is room for."""
    claims = [
        claim(f"{paper}.{'very-long-' * 5}{i}", verdict, Grade.THEOREM.value, rf"at ${i}\pi_w$")
        for paper in TITLES
        for i, verdict in enumerate(("refuted", "contradicted", "open", "proved", "supported"))
    ]
    runs = [experiment(f"experiment {i} of many", [True, False]) for i in range(20)]
    names = [(c["id"], "proved", "refuted") for c in claims]
    return report(*claims, experiments=runs), Changes("2026-01-02T", names, names, ["a"], ["b"])


def test_the_screen_fits_a_terminal_however_much_there_is_to_say():
    lines = screen(*crowded(), Path("out")).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert not any(mark in line for line in lines for mark in "$\\")
    assert lines[-2:] == [
        "Report: out/report.html   data: out/report.json",
        "Every claim: out/claims.txt (--all prints it), or disband claim ID",
    ]


def test_the_screen_counts_by_paper_and_names_what_to_read_first():
    claims = [
        claim("yuan2025.a", "refuted", Grade.WORDING.value, "page 1"),
        claim("yuan2025.b", "refuted", Grade.THEOREM.value, "page 2"),
        claim("yuan2025.c", "refuted", Grade.THEOREM.value, "page 2"),
        claim("chen2026.d", "refuted", Grade.SIGN.value, "page 3"),
        claim("chen2026.e", "proved", None, "page 4"),
        claim("wang2025.f", "contradicted"),
    ]
    runs = [experiment("one", [True, True]), experiment("two", [True, None], [True, True])]
    lines = screen(report(*claims, experiments=runs), NONE, Path("o")).splitlines()
    assert lines[0] == "6 claims: 1 proved, 4 refuted, 1 contradicted"
    at = lines.index(TITLES["chen2026"])
    assert lines[at + 1].strip() == "1 proved, 1 refuted"
    first = lines.index("To read first:")
    named = [line.split()[2] for line in lines[first + 1 : first + 5]]
    assert named == ["yuan2025.b", "chen2026.d", "yuan2025.a", "wang2025.f"]
    assert "Statements that held on every seed: two 1 of 2." in lines


def test_the_table_has_every_claim_without_latex():
    found = report(claim("yuan2025.a", locator="eq. $r^*$"), experiments=[experiment("x", [None])])
    text = table(found)
    assert "yuan2025.a  identity    1.50  eq. r*  The log π_w rises." in text
    assert "  0 of 1  0." in text


def test_one_document_has_every_verdict():
    found, changed = crowded()
    told = document(found, changed, Path("out"))
    assert json.loads(json.dumps(told))["verdicts"] == {
        c["id"]: c["verdict"] for c in found["claims"]
    }
    assert told["papers"]["yuan2025"]["refuted"] == 1
    assert told["experiments"][0] == {
        "name": "experiment 0 of many", "statements": 1, "on_every_seed": 0,
    }  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.json"


def test_a_recorded_run_is_no_change_to_itself(path):
    run = report(claim("yuan2025.a"), claim("yuan2025.b", "refuted"))
    record(run, path)
    assert changes(run, path) == Changes(run["provenance"]["time"], [], [], [], [])
    assert {c["id"] for c in json.loads(path.read_text("utf-8"))["claims"]} == {
        "yuan2025.a", "yuan2025.b",
    }  # fmt: skip


def test_other_verdicts_and_other_claims_are_changes(path):
    record(report(claim("yuan2025.a"), claim("yuan2025.b"), claim("yuan2025.old")), path)
    found = changes(report(claim("yuan2025.a"), claim("yuan2025.b", "open"), claim("d.new")), path)
    assert found.differ == [("yuan2025.b", "proved", "open")]
    assert (found.new, found.gone) == (["d.new"], ["yuan2025.old"])


@pytest.mark.parametrize("there", [0, 1])
def test_what_either_run_left_out_is_no_change(there, path):
    both = [claim("yuan2025.a", "supported"), claim("yuan2025.a", "open", by="it was not run")]
    record(report(both[there]), path)
    found = changes(report(both[1 - there]), path)
    assert (found.differ, found.trained) == ([], [])


@pytest.mark.parametrize(
    ("name", "where", "differ"),
    [(SENTIMENT, "", False), ("gpt2", "", False), ("gpt2", "results/gpt2", True)],
)
def test_what_models_trained_here_decide_is_told_apart(name, where, differ, path):
    measured = MEASURED[name]
    record(report(claim(measured, "supported")), path)
    run = report(claim(measured, "open"), experiments=[experiment(name, [True], where=where)])
    found = changes(run, path)
    assert [bool(found.differ), bool(found.trained)] == [differ, not differ]


def test_without_a_recorded_run_nothing_is_compared(path):
    assert changes(report(claim("yuan2025.a")), path) == NONE
    path.write_text('{"claims": [')
    with pytest.raises(ValueError, match="is damaged"):
        changes(report(), path)
