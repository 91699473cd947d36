"""Whole files, and JSON that any reader can read."""

import json

import numpy as np
import pytest

from disband.verify.kept.files import json_text, whole_file, write_json


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
