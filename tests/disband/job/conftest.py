"""The main job: one whole run for all tests that read its result, and a small one of one's own."""

import json

import pytest

from disband.job.pictures import PICTURES
from disband.theory.objectives import OBJECTIVES
from disband.verify.claims import LEDGER
from tests.disband.planted import PLANTED
from tests.disband.running import disband


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """The folder of a first run without language models, and what it printed."""
    out = tmp_path_factory.mktemp("verify")
    return out, disband(out, "verify", "--no-lm", ends=(0, 1))  # 1 where a verdict has changed


@pytest.fixture
def report(done):
    return json.loads((done[0] / "report.json").read_text("utf-8"))


@pytest.fixture
def small(monkeypatch):
    """Let the job in this process take a few claims and runs; return a way to choose pictures."""
    monkeypatch.setattr("disband.job.run.LEDGER", LEDGER[:3])
    monkeypatch.setattr("disband.job.run.OBJECTIVES", OBJECTIVES[:1])
    monkeypatch.setattr("disband.job.run.studied", lambda _: [])
    monkeypatch.setattr("disband.job.run.TOY_EXPERIMENTS", (PLANTED,))
    monkeypatch.setattr("disband.verify.pages.method_toys.toy_parts", list)
    monkeypatch.setattr("disband.job.motion.OBJECTIVES", OBJECTIVES[:1])
    monkeypatch.setattr("disband.job.motion.STEPS", 2)
    monkeypatch.setattr("disband.job.pictures.MAIN", ("DPO",))

    def draw(*names):
        chosen = [picture for picture in PICTURES if picture.name in names]
        monkeypatch.setattr("disband.job.pictures.PICTURES", chosen)

    return draw
