"""The stored catalogue: the same numbers as the derived one, and never in the way."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import disband
import disband.theory.catalogue as module
from disband.theory.catalogue import cache_folder, catalogue, content_key
from disband.theory.kernels.compiled import QUANTITIES
from disband.theory.objectives import ALIASES, OBJECTIVES, find

ROOT = Path(disband.__file__).parent.parent
each = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.name)


def fresh():
    """The catalogue as a new process finds it."""
    catalogue.cache_clear()
    return catalogue()


def as_data(found):
    return [module._written(objective) for objective in found.objectives]


def derivations(monkeypatch):
    """Count how often the catalogue is derived."""
    seen, derive = [], module._derived
    monkeypatch.setattr(module, "_derived", lambda: seen.append(1) or derive())
    return seen


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DISBAND_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    catalogue.cache_clear()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A catalogue that was written to disk and read from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISBAND_CACHE", str(tmp_path_factory.mktemp("stored")))
        fresh()
        seen = derivations(patch)
        found = fresh()
        assert not seen
    return found


@each
def test_a_stored_objective_gives_the_same_numbers(objective, stored):
    rng = np.random.default_rng(0)
    data = (*(-30 * rng.random((4, 50))), *rng.integers(1, 20, (2, 50)))
    same = stored.find(objective.name)
    hyper = {s.name: float(v) * 0.7 for s, v in objective.defaults.items()}
    for what in ("loss", "d_w", "d_l"):
        for values in ({}, hyper):
            mine, theirs = (o.kernel(what, **values)(*data) for o in (objective, same))
            np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(
        *(o.kernel("incentives")(*data) for o in (objective, same)), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@each
def test_a_stored_objective_says_the_same(objective, stored):
    same = stored.find(objective.name)
    assert (same.name, same.source, same.note) == (
        objective.name,
        objective.source,
        objective.note,
    )
    assert same.settings({}) == objective.settings({})
    assert same.hyperparameters == objective.compiled.hyperparameters
    for what in QUANTITIES:
        assert same.program(what) == objective.compiled.program(what)
    messages = []
    for o in (objective, same):
        for bad in ({"bogus": 1.0}, *({s.name: -1.0} for s in objective.defaults)):
            with pytest.raises(ValueError, match=r"got") as caught:
                o.kernel(**bad)
            messages.append(str(caught.value))
    half = len(messages) // 2
    assert messages[:half] == messages[half:]


def test_stored_objectives_are_found_by_every_name(stored):
    for name in [*ALIASES, *(o.name for o in OBJECTIVES), "R_DPO", "rdpo", "ipo"]:
        assert stored.find(name).name == find(name).name
    with pytest.raises(ValueError, match="did you mean SLiC-HF"):
        stored.find("slichff")


def test_a_catalogue_is_derived_once(folder, monkeypatch):
    seen = derivations(monkeypatch)
    first = fresh()
    second = fresh()
    assert len(seen) == 1
    assert as_data(first) == as_data(second)
    assert [p.name for p in folder.iterdir()] == [f"catalogue-{content_key()}.json"]


def test_the_file_is_for_its_owner_only(folder):
    fresh()
    (path,) = folder.iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'"DPO"', b'"DPX"', 1),
        lambda content: content.replace(b"0.1", b"0.2", 1),
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda content: content.partition(b"\n")[2],
    ],
    ids=["cut", "another name", "another number", "empty", "no text", "no digest"],
)
def test_a_damaged_file_is_derived_anew(damage, folder, monkeypatch):
    whole = as_data(fresh())
    (path,) = folder.iterdir()
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert path.read_bytes() != content
    seen = derivations(monkeypatch)
    assert as_data(fresh()) == whole
    assert len(seen) == 1
    assert path.read_bytes() == content


def test_nothing_that_is_stored_is_run(folder):
    fresh()
    (path,) = folder.iterdir()
    content = json.loads(path.read_text().partition("\n")[2])
    for step in content["objectives"][0]["programs"]["loss"][2]:
        step[0] = "__import__"
    text = json.dumps(content)
    path.write_text(f"{module._digest(text)}\n{text}")
    with pytest.raises(KeyError, match="__import__"):
        fresh().objectives[0].kernel()(*[-1.0] * 6)


def test_another_version_of_the_sources_is_another_key(tmp_path, monkeypatch):
    keys = {content_key()}
    sources = tmp_path / "theory"
    for change in ("", "# changed\n"):
        sources.mkdir(exist_ok=True)
        (sources / "catalogue.py").write_text(change)
        monkeypatch.setattr(module, "__file__", str(sources / "catalogue.py"))
        keys.add(content_key())
    (sources / "objectives").mkdir()
    (sources / "objectives" / "new.py").write_text("")
    keys.add(content_key())
    (tmp_path / "sympy").mkdir()
    spec = type("Spec", (), {"origin": str(tmp_path / "sympy" / "__init__.py")})
    for version in ("1.13", "1.14"):
        (tmp_path / "sympy" / "release.py").write_text(f"__version__ = {version!r}")
        monkeypatch.setattr(module, "find_spec", lambda _: spec)
        keys.add(content_key())
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    keys.add(content_key())
    assert len(keys) == 7


def test_few_files_are_kept(folder):
    folder.mkdir()
    for i in range(8):
        old = folder / f"catalogue-{i}.json"
        old.write_text("old")
        os.utime(old, (i, i))
    (folder / "other.txt").write_text("not ours")
    fresh()
    left = {path.name for path in folder.iterdir()}
    assert left == {
        "other.txt",
        f"catalogue-{content_key()}.json",
        *(f"catalogue-{i}.json" for i in (5, 6, 7)),
    }


def test_a_folder_that_cannot_be_written_is_no_error(folder, monkeypatch):
    folder.parent.joinpath("file").write_text("")
    monkeypatch.setenv("DISBAND_CACHE", str(folder.parent / "file" / "below"))
    assert fresh().find("dpo").name == "DPO"


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    def full(*_args):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    assert fresh().find("dpo").name == "DPO"
    assert not list(folder.iterdir())


def test_the_folder_is_where_the_user_or_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("DISBAND_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("DISBAND_CACHE", "")
    assert cache_folder() is None
    monkeypatch.delenv("DISBAND_CACHE")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    for platform, folder in {
        "linux": ".cache/disband",
        "darwin": "Library/Caches/disband",
        "win32": "AppData/Local/disband",
    }.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert cache_folder() == tmp_path / folder
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "disband"

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder() is None
    assert fresh().find("dpo").name == "DPO"


def test_a_start_from_disk_needs_no_sympy():
    code = (
        "import sys; from disband.theory.catalogue import catalogue; "
        "k = catalogue().find('orpo').kernel('incentives'); "
        "print(float(k(-9.0, -8.0, -9.0, -8.0, 5, 6)[0]), 'sympy' in sys.modules)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
        for _ in range(2)
    ]
    assert [needed for _, needed in answers] == ["True", "False"]
    assert len({number for number, _ in answers}) == 1
