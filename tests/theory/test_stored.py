"""The catalogue's file: what is derived, to the letter, and believed only where it is that."""

import json

import pytest

import disband.theory.catalogue as module
from disband.theory.catalogue import FILE, catalogue, catalogue_text
from disband.theory.kernels.compiled import QUANTITIES
from disband.theory.objectives import ALIASES, OBJECTIVES, find


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A copy of the catalogue's file in a copy of its folder, which the catalogue is read from."""
    copy = tmp_path / FILE.name
    (tmp_path / "objectives").mkdir()
    for path in (FILE.parent / "symbols.py", *(FILE.parent / "objectives").glob("*.py"), FILE):
        (tmp_path / path.relative_to(FILE.parent)).write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "FILE", copy)
    catalogue.cache_clear()
    yield copy
    catalogue.cache_clear()


def derivations(monkeypatch):
    """Count how often the catalogue is derived."""
    calls, derive = [], module.catalogue_text
    monkeypatch.setattr(module, "catalogue_text", lambda: calls.append(1) or derive())
    return calls


def test_the_file_is_fresh():
    text = FILE.read_text("utf-8")
    assert text == catalogue_text(), "stale; run: python -m disband.verify.pages"
    assert set(json.loads(text)) == {"digest", "aliases", "objectives"}


@pytest.mark.usefixtures("file")
def test_an_objective_of_the_file_is_the_declared_one(monkeypatch):
    calls = derivations(monkeypatch)
    for objective, same in zip(OBJECTIVES, catalogue().objectives, strict=True):
        mine = objective.compiled
        assert (same.name, same.source, same.note) == (mine.name, mine.source, mine.note)
        assert same.hyperparameters == mine.hyperparameters
        assert [same.program(what) for what in QUANTITIES] == [
            mine.program(what) for what in QUANTITIES
        ]
    assert not calls


def test_objectives_of_the_file_are_found_by_every_name():
    for name in [*ALIASES, *(o.name for o in OBJECTIVES), "R_DPO", "rdpo", "ipo"]:
        assert catalogue().find(name).name == find(name).name
    with pytest.raises(ValueError, match="did you mean SLiC-HF"):
        catalogue().find("slichff")


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
def test_a_damaged_file_is_derived_anew_and_left_alone(damage, file, monkeypatch):
    damaged = damage(file.read_bytes())
    assert damaged != file.read_bytes()
    file.write_bytes(damaged)
    calls = derivations(monkeypatch)
    assert [o.hyperparameters for o in catalogue().objectives] == [
        o.compiled.hyperparameters for o in OBJECTIVES
    ]
    assert catalogue().find("dpo").program("loss") == find("dpo").compiled.program("loss")
    assert len(calls) == 1
    assert file.read_bytes() == damaged


@pytest.mark.parametrize("changed", ["symbols.py", "objectives/margin.py", "objectives/new.py"])
def test_a_file_of_other_declarations_is_derived_anew(changed, file, monkeypatch):
    with (file.parent / changed).open("a") as source:
        source.write("# changed\n")
    calls = derivations(monkeypatch)
    assert catalogue().find("dpo").name == "DPO"
    assert len(calls) == 1


def test_without_the_file_it_is_derived(file, monkeypatch):
    file.unlink()
    calls = derivations(monkeypatch)
    assert catalogue().find("dpo").name == "DPO"
    assert len(calls) == 1
