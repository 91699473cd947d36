"""What is kept is found again by what it was computed from, and only as it was written."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from disband.verify.kept.codec import decode, encode
from disband.verify.kept.sealed import write_arrays
from disband.verify.kept.store import Store

MODULE = "disband.theory.gram"
KEY = {"seed": 0, "settings": {"lr": 0.1}}
RECORD = [{"id": "a", "share": 0.5, "word": "é", "none": None}]
ARRAYS = {"x": np.arange(3.0), "names": np.array(["a", "b"]), "no": np.zeros((0, 2), bool)}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "steps", MODULE)


def same(found, expected):
    return set(found) == set(expected) and all(
        found[name].dtype == array.dtype and np.array_equal(found[name], array)
        for name, array in expected.items()
    )


def test_what_is_kept_comes_back_as_it_was(store):
    store.save("a", KEY, ARRAYS)
    store.save_record("a", KEY, RECORD)
    assert same(store.load("a", KEY), ARRAYS)
    assert store.load_record("a", KEY) == RECORD


@pytest.mark.parametrize(
    "changed",
    [
        lambda s, _: (s, {**KEY, "seed": 1}),
        lambda s, _: (s, {**KEY, "settings": {"lr": 0.2}}),
        lambda s, _: (replace(s, module="disband.theory.first_order"), KEY),
        lambda s, _: (replace(s, fresh=True), KEY),
        lambda s, patch: (patch.setattr(f"{STORE}.versions", lambda: {"numpy": "0"}) or s, KEY),
        lambda s, patch: (patch.setattr(f"{STORE}.code_hash", lambda _: "another") or s, KEY),
    ],
    ids=["key", "deep in the key", "module", "fresh", "a library's version", "code"],
)
def test_what_was_computed_from_something_else_is_unknown(changed, store, monkeypatch):
    store.save("a", KEY, ARRAYS)
    store.save_record("a", KEY, RECORD)
    other, key = changed(store, monkeypatch)
    assert other.load("a", key) is None
    assert other.load_record("a", key) is None
    assert store.load("b", KEY) is None


STORE = "disband.verify.kept.store"


def damaged(data):
    """Every single bit turned, every length but the right one, and more bytes than there were."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
    yield from (data[:length] for length in range(len(data)))
    yield data + b" "
    yield data + data


@pytest.mark.parametrize("kind", ["npz", "json"])
def test_a_damaged_file_is_as_good_as_none(kind, store, monkeypatch):
    """All bits of a small one, so its provenance is left out, which alone makes it long."""
    monkeypatch.setattr(f"{STORE}.provenance", dict)
    if kind == "npz":
        path, load = store.save("a", KEY, {"x": np.arange(2.0)}), store.load
    else:
        path, load = store.save_record("a", KEY, RECORD), store.load_record
    data = path.read_bytes()
    tried = 0
    for tried, other in enumerate(damaged(data), 1):  # noqa: B007
        path.write_bytes(other)
        assert load("a", KEY) is None
    assert tried == 9 * len(data) + 2
    path.write_bytes(data)
    assert load("a", KEY) is not None


def test_a_damaged_file_is_made_again(store):
    calls = []

    def compute():
        calls.append(1)
        return {"a": 1.0}

    assert store.record("a", KEY, compute) == ({"a": 1.0}, False)
    assert store.record("a", KEY, compute) == ({"a": 1.0}, True)
    path = store.path("a", KEY, "json")
    path.write_bytes(path.read_bytes().replace(b"1.0", b"2.0"))
    assert store.record("a", KEY, compute) == ({"a": 1.0}, False)
    assert len(calls) == 2


def test_files_are_what_their_names_say(store):
    store.save("a", KEY, ARRAYS)
    store.save_record("a", KEY, RECORD)
    with np.load(store.path("a", KEY)) as file:
        assert json.loads(str(file["provenance"]))["key"] == KEY
    assert json.loads(store.path("a", KEY, "json").read_text("utf-8"))["record"]["data"] == RECORD


def test_arrays_of_objects_are_refused(tmp_path):
    with pytest.raises(TypeError, match="got objects in x"):
        write_arrays(tmp_path / "a.npz", {"x": np.array([{}])})
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True)
class Run:
    x: np.ndarray
    lr: float
    shape: tuple[int, ...] = ()
    watched: np.ndarray | None = None


@dataclass(frozen=True)
class Runs:
    runs: dict[tuple[int, str], Run] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)


def test_dataclasses_of_arrays_come_back_as_they_were(store):
    settings = {"steps": 3, "beta": 0.1, "words": ("a", ("b", 1)), "none": None, "on": True}
    runs = Runs(
        {(0, "a/b"): Run(np.arange(2), 0.1, (1, 2)), (1, ""): Run(np.ones(()), 2.0)}, settings
    )
    for _ in range(2):
        found, _ = store.value(Runs, "runs", KEY, lambda: runs)
        assert found.settings == settings
        assert list(found.runs) == list(runs.runs)
        for name, run in runs.runs.items():
            np.testing.assert_array_equal(found.runs[name].x, run.x)
            assert found.runs[name].x.dtype == run.x.dtype
            assert (found.runs[name].shape, found.runs[name].watched) == (run.shape, None)
            assert isinstance(found.runs[name], Run)
    assert store.value(Runs, "runs", KEY, pytest.fail)[1]


def test_what_has_no_arrays_is_no_data_to_keep():
    with pytest.raises(TypeError, match="dataclasses of them are kept: got <object"):
        encode({"a": object()})
    with pytest.raises(TypeError):
        decode(Runs, encode(Run(np.ones(1), 0.1)))
