"""A training run's log becomes a report."""

import json
import re

import pytest
from click.testing import CliRunner

from disband.cli import main
from tests.disband.monitor.histories import STEPS, looked, run_of, written


def state(folder, run):
    lines = [{"step": s, **line} for s, line in zip(run.steps, run.lines, strict=True)]
    return written(folder, "trainer_state.json", lines)


def reported(folder, run):
    state(folder / "run", run)
    words = ["report", str(folder / "run"), "--out", str(folder / "out")]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    return done, folder / "out"


def test_a_report_says_what_happened_and_what_to_do(tmp_path):
    done, out = reported(tmp_path, run_of(-1, **looked(0.2, 0.8, predicted_chosen=-0.01,
                                                       predicted_rejected=-0.02)))  # fmt: skip
    assert done.exit_code == 0
    for part in (
        "The chosen fell and the rejected fell.",
        "Which case",
        "80% both fall",
        "δ = 1.41",
    ):
        assert part in done.output
    page = (out / "run.html").read_text("utf-8")
    assert "<svg" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert record["diagnosis"]["cause"].startswith("the pairs themselves")
    assert record["provenance"]["command"]


def test_a_run_without_a_monitor_is_told_as_far_as_it_goes(tmp_path):
    done, out = reported(tmp_path, run_of(-1))
    assert "no monitor watched" in done.output
    assert "watch the next run" in done.output
    assert (out / "run.html").read_text("utf-8").count("<section") == 4


def test_a_run_with_no_rewards_has_a_page_without_a_figure(tmp_path):
    folder = tmp_path / "run"
    written(folder, "trainer_state.json", [{"loss": 1.0, "step": s} for s in STEPS])
    done = CliRunner().invoke(main, ["report", str(folder), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "<svg" not in (tmp_path / "out" / "run.html").read_text("utf-8")


def test_a_run_of_evaluation_alone_has_a_page(tmp_path):
    (tmp_path / "eval_results.json").write_text(json.dumps({"eval_rewards/chosen": 0.5}))
    words = ["report", str(tmp_path / "eval_results.json"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "these are held-out pairs" in done.output
    assert "lines 1 to 1" in (tmp_path / "out" / "run.html").read_text("utf-8")


@pytest.mark.parametrize(("there", "said"), [(True, "has none"), (False, "does not exist")])
def test_a_folder_without_a_log_is_refused_in_a_line(there, said, tmp_path):
    (tmp_path / ("run" if there else "elsewhere")).mkdir()
    done = CliRunner().invoke(main, ["report", str(tmp_path / "run"), "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.splitlines()) == 1


def test_two_runs_stand_side_by_side(tmp_path):
    for name, change in (("falls", -1), ("rises", 1)):
        state(tmp_path / name, run_of(change))
    words = ["report", str(tmp_path / "falls"), str(tmp_path / "rises"), "--out", str(tmp_path)]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    lines = done.output.splitlines()
    assert lines[0].split() == ["run", "falls", "rises"]
    assert max(map(len, lines)) <= 80
    chosen = next(line for line in lines if line.startswith("chosen"))
    ends = [float(end) for end in re.findall(r"to (-?[\d.]+)", chosen)]
    assert ends == [pytest.approx(-0.9, abs=0.15), pytest.approx(0.9, abs=0.15)]
    assert not (tmp_path / "run.html").exists()
