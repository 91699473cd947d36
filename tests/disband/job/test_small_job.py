"""``disband verify`` on a few claims: ended in the middle, done again, in trouble of all kinds."""

import errno
import json
import signal
import time
from dataclasses import replace
from functools import partial

import pytest
from click.testing import CliRunner
from sympy import Not

from disband.cli import main
from disband.job.recording import changes, record
from disband.job.summary import screen, table
from disband.verify.claims import LEDGER
from tests.disband.job.test_verify import CLAIM
from tests.disband.planted import PLANTED
from tests.disband.running import printed, start


def refused(out, *words):
    result = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_cluster_that_is_none_is_refused_before_any_work(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("distributed")
    said = refused(tmp_path, "verify", "--cluster", "nowhere")
    assert "is the address of a running Dask scheduler" in said
    assert not list(tmp_path.rglob("*.json"))
    said = refused(tmp_path, "verify", "--no-lm", "--cluster", "tcp://127.0.0.1:8786")
    assert "which --no-lm leaves out" in said


def test_figures_that_cannot_be_drawn_are_refused_in_one_line(few, tmp_path):
    few(tmp_path)
    for name, said in (
        ("figure-3", "without --no-lm"),
        ("bnad", "did you mean band?"),
        ("xyzzy", "choose one"),
    ):
        assert said in refused(tmp_path, "figures", name)


def test_saved_data_that_are_broken_are_refused_in_one_line(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "pictures.npz").write_bytes(b"PK no more")
    assert "run disband verify again" in refused(tmp_path, "figures")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=str)
def test_an_end_in_the_middle_leaves_whole_files_and_the_next_run_goes_on(how, few, tmp_path):
    process = start(tmp_path, "verify", "--no-lm")
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("steps/objectives-*.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    _, errors = process.communicate(timeout=300)
    assert "Traceback" not in errors
    if how == signal.SIGINT:
        # Python ends itself by the signal where it came within an exec; shells see 130 both ways.
        assert process.returncode in {130, -signal.SIGINT}
        assert errors.strip().startswith("interrupted; finished steps are kept in")
    assert not (tmp_path / "report.json").exists()
    assert {path.suffix for path in kept(tmp_path)} == {".json"}
    for path in kept(tmp_path):
        json.loads(path.read_text())
    (tmp_path / "steps" / ".half.partial").touch()
    assert few(tmp_path).count(", reused") == 1
    assert not list((tmp_path / "steps").glob(".*"))
    assert (tmp_path / "report.html").exists()


def kept(out):
    """The finished steps."""
    return [path for path in (out / "steps").rglob("[!.]*") if path.is_file()]


@pytest.fixture
def few(small):
    """Return a way to run the job in this process on a few claims, runs and pictures."""
    small("band", "trajectories", "figure-3")

    def run(out, *words, ends=0):
        return printed(out, "verify", "--no-lm", *words, ends=ends)

    return run


def test_a_small_job_leaves_its_report_and_its_pictures(few, tmp_path):
    said = few(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [claim["id"] for claim in report["claims"]] == [claim.id for claim in LEDGER[:3]]
    assert all(set(claim) >= CLAIM for claim in report["claims"])
    assert said.endswith(f"\n{screen(report, changes(report), tmp_path)}\n")
    assert (tmp_path / "claims.txt").read_text("utf-8") == table(report)
    assert table(report) not in said
    assert table(report) in few(tmp_path, "--all")
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert drawn >= {"band"}
    assert "figure-3" not in drawn
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count("<figure>") == len(drawn)


def test_json_is_one_document_and_progress_goes_elsewhere(few, tmp_path):
    few(tmp_path)
    words = ["verify", "--no-lm", "--json", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert list(json.loads(result.stdout)["verdicts"]) == [claim.id for claim in LEDGER[:3]]
    assert "[8/8] report" in result.stderr


def test_a_verdict_that_differs_from_the_recorded_one_is_told_by_the_exit_status(
    few, tmp_path, monkeypatch
):
    few(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    report["claims"][1]["verdict"] = "open"
    path = tmp_path / "ledger.json"
    record(report, path)
    monkeypatch.setattr("disband.job.recording.changes", partial(changes, path=path))
    result = CliRunner().invoke(main, ["verify", "--no-lm", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{LEDGER[1].id} open → " in " ".join(result.stdout.split())


def test_an_experiment_that_lacks_a_library_is_left_out_and_said_to_be(few, tmp_path, monkeypatch):
    def run(_):
        raise ModuleNotFoundError(name="torch")

    monkeypatch.setattr("disband.job.run.TOY_EXPERIMENTS", (replace(PLANTED, run=run),))
    said = few(tmp_path)
    assert "0 of 0 statements hold on every seed; left out: planted needs torch" in said


def test_fresh_does_every_step_again(few, tmp_path):
    assert "reused" not in few(tmp_path)
    steps = {path: path.stat().st_mtime_ns for path in kept(tmp_path)}
    assert few(tmp_path).count(", reused") == 6
    assert "reused" not in few(tmp_path, "--fresh")
    assert all(path.stat().st_mtime_ns > changed for path, changed in steps.items())


def test_a_step_whose_file_is_broken_is_done_again(few, tmp_path):
    few(tmp_path)
    for path in kept(tmp_path):
        path.write_bytes(path.read_bytes()[:100])
    assert "reused" not in few(tmp_path)


def test_an_edit_of_one_claim_decides_that_one_again(few, tmp_path, monkeypatch):
    few(tmp_path)
    first, *others = LEDGER[:3]
    edited = replace(first, holds=Not(first.holds))
    monkeypatch.setattr("disband.job.run.LEDGER", (edited, *others))
    # of the recorded verdicts the edited claim's differs
    assert "3 decided: 1 proved, 1 refuted, 1 fails as read here, 2 reused" in few(tmp_path, ends=1)
    assert few(tmp_path, ends=1).count(", reused") == 6


def test_a_changed_program_does_the_steps_again(few, tmp_path, monkeypatch):
    few(tmp_path)
    monkeypatch.setattr("disband.verify.kept.store.code_hash", lambda module: f"another {module}")
    assert "reused" not in few(tmp_path)


@pytest.mark.usefixtures("few")
def test_trouble_of_the_disk_in_the_middle_is_told_in_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("disband.job.run.write_report", full)
    result = CliRunner().invoke(main, ["verify", "--no-lm", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert result.stderr.count("\n") == 1
