"""The script for a GPU machine, where there is none: all of it, tiny; and what it says else."""

import json
import subprocess
import sys

import pytest
import torch

from disband.verify.kept.provenance import ROOT


def ran(*words):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *words],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.slow
def test_all_of_it_runs_tiny_on_a_processor(tmp_path):
    done = ran("--device", "cpu", "--tiny", "--repeats", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "benchmark.json").read_text())
    assert found["check"]["ended"] == "done", found["check"]
    assert found["left out"] == []
    (scores,), (curved,), (update,) = found["scores"], found["curvature"], found["updates"]
    assert curved["exact"]["seconds per response"] > 0
    assert scores["pair geometry"]["seconds per pair"] > 0
    assert update["seconds of a piece"] > update["seconds"] > 0
    assert {"command", "time", "device", "versions"} <= set(found)
    assert "on cpu: an update takes" in found["check"]["said"][0]
    record = json.loads((tmp_path / "check" / "dry-run" / "gpt2-own.json").read_text())
    assert record["settings"]["scale"] == "full, a dry run"
    assert record["settings"]["devices"] == ["cpu"]
    assert {row["objective"] for row in record["tables"]["runs"]} == {"DPO", "DPO, calibrated"}


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_line():
    done = ran()
    assert done.returncode == 1
    assert done.stderr.startswith("benchmarks.gpu measures a GPU, and torch sees none here")
    assert done.stderr.count("\n") == 1
