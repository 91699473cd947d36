"""Whole files, and JSON that any reader can read."""

import json
import subprocess
import sys

import numpy as np
import pytest

from disband.verify.kept.files import json_text, sweep, whole_file, write_json
from disband.verify.kept.provenance import ROOT

SWEEP = (
    "import sys; from pathlib import Path; from disband.verify.kept.files import sweep; "
    "sweep(Path(sys.argv[1]))"
)
HANG = (
    "import sys, time; from pathlib import Path; from disband.verify.kept.files import whole_file\n"
    "with whole_file(Path(sys.argv[1], 'a')) as file:\n"
    "    print('writing', flush=True); time.sleep(900)"
)


def test_numbers_of_numpy_and_numbers_that_json_lacks_are_written(tmp_path):
    numbers = {
        "n": np.int64(3),
        "x": np.array([0.5, np.nan]),
        "far": [-np.inf, {"deep": (np.float32("inf"), float("nan"))}],
        "yes": np.True_,
    }
    write_json(tmp_path / "a.json", numbers)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert not {"NaN", "Infinity"} & set(text.replace("-", " ").split())
    found = json.loads(text, parse_constant=pytest.fail)
    assert found == {"n": 3, "x": [0.5, None], "far": [None, {"deep": [None, None]}], "yes": True}


def test_what_no_json_holds_is_refused():
    with pytest.raises(TypeError, match="got object"):
        json_text({"claims": object()})


def test_a_file_that_fails_in_the_middle_leaves_the_one_before(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"half", None])
    assert json.loads(path.read_text("utf-8")) == {"a": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_sweep_leaves_what_a_live_run_writes(tmp_path):
    path = tmp_path / "a.json"
    with whole_file(path) as file:
        file.write(b"{}")
        (tmp_path / ".b.json.dead.partial").touch()
        done = subprocess.run(
            [sys.executable, "-c", SWEEP, str(tmp_path)], cwd=ROOT, check=True, capture_output=True
        )
        assert done.stderr == b""
        (partial,) = tmp_path.iterdir()
        assert partial.name.startswith(".a.json")
    assert path.read_text() == "{}"


def test_what_a_killed_run_left_is_swept(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HANG, str(tmp_path)], cwd=ROOT, stdout=-1) as run:
        assert run.stdout.readline() == b"writing\n"
        sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        run.kill()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
