"""``disband rehearse``: what it refuses, a whole run, its table and page, going on afterwards."""

import dataclasses
import json
from functools import partial

import numpy as np
import pytest

pytest.importorskip("torch")

from click.testing import CliRunner

from disband.cli import main
from disband.commands.rehearse import rehearse as rehearse_command
from disband.probe.inputs import Probe
from disband.rehearse import training
from disband.rehearse.inputs import Rehearsal
from disband.rehearse.run import run
from disband.terminal.errors import Refusal
from disband.verify.workers import tasks as door
from tests.lm.model.test_load import saved
from tests.lm.tiny import model_of, tokenizer_of
from tests.pages import HOSTILE, Page

WORDS = ["lovely", "great", "sunny", "awful", "bad", "rainy"]


@pytest.fixture(scope="module", autouse=True)
def _in_this_process():
    """The door to workers is tested with them; what goes through it is tested here."""

    def run_here(work, tasks, *, finished, progressed, **_):
        for task in tasks:
            assert finished(task, work(task, partial(progressed, task))) == []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "run_tasks", run_here)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearse")
    tokenizer = tokenizer_of()
    saved(folder / "gpt2", model_of(tokenizer), tokenizer)
    rows = [
        {
            "prompt": f"a {one} {other} {HOSTILE}",
            "chosen": f" {one} it was",
            "rejected": f" {other} it was" * 2,
        }
        for one in WORDS
        for other in WORDS
        if one != other
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def asked(folder):
    read = Probe(
        str(folder / "gpt2"), str(folder / "data.jsonl"), objectives=("dpo", "ipo"), sample=28,
        batch=4, device="cpu", out=folder / "out",
    )  # fmt: skip
    return Rehearsal(read, 6, 1e-3, remedies=("pairs", "likelihood=0.5"), workers=1)


@pytest.fixture(scope="module")
def record(asked):
    return run(asked)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objectives": ("dop",)}, "got 'dop'; did you mean DPO"),
        ({"loss": "-w*gap"}, "the loss reads gap"),
        ({"remedies": ("calibration",)}, "a remedy is one of pairs, .*: got 'calibration'"),
        ({"remedies": ("likelihood",)}, "a weight above 0: got 'likelihood'"),
        ({"remedies": ("likelihood=-1",)}, "a weight above 0"),
        ({"remedies": ("pairs=2",)}, "pairs has no weight"),
        ({"warmup": 6}, "the warm-up ends before the last update: got 6 of 6"),
        ({"batch": 22}, "got 21 pairs to train on and batches of 22"),
        ({"sample": 3}, "got 3, of at least 4"),
        ({"data": "./no/such.jsonl"}, "no such file"),
        ({"model": "./no/such"}, "a model is a folder"),
    ],
    ids=str,
)
def test_what_cannot_be_rehearsed_is_refused(changed, said, asked, tmp_path):
    of_probe = {name: value for name, value in changed.items() if hasattr(asked.probe, name)}
    read = dataclasses.replace(asked.probe, out=tmp_path, **of_probe)
    rest = {name: value for name, value in changed.items() if name not in of_probe}
    with pytest.raises(Refusal, match=said):
        run(dataclasses.replace(asked, probe=read, **rest))


def test_the_record_says_what_became_of_every_arm(record, asked):
    assert json.loads((asked.probe.out / "rehearse.json").read_text("utf-8")) == record
    names = [arm["arm"] for arm in record["arms"]]
    assert names == ["DPO", "DPO, pairs", "DPO, likelihood 0.5", "IPO"]
    assert (record["data"]["trained"], record["data"]["held_out"]) == (21, 7)
    for arm in record["arms"]:
        step, chosen, rejected = arm["curve"][-1]
        assert (step, len(arm["curve"])) == (6, 7)
        assert chosen == pytest.approx(arm["chosen"]["mean"])
        assert arm["margin"]["mean"] == pytest.approx(chosen - rejected)
        assert sum(of["count"] for of in arm["cases"].values()) == 7
    dpo, pairs, likelihood, _ = record["arms"]
    # The rejected begins as the chosen does and is longer: plainly trained, both fall.
    assert dpo["chosen"]["high"] < 0
    assert pairs["above_first"]["low"] > 0
    assert likelihood["above_first"]["low"] > 0
    assert record["verdict"].startswith("Under DPO the held-out chosen falls by ")
    assert "under DPO, pairs; DPO, likelihood 0.5" in record["verdict"]
    assert min(a["margin"]["mean"] for a in record["arms"]) > 0
    least = min(record["arms"], key=lambda arm: arm["margin"]["mean"])
    assert least["at_equal_margin"] == pytest.approx(least["chosen"]["mean"])


def test_the_page_has_every_arm_and_runs_nothing(record, asked):
    text = (asked.probe.out / "rehearse.html").read_text("utf-8")
    seen = Page(text)
    assert seen.open == []
    assert "https:" not in text
    assert "img" not in [tag for tag, _ in seen.tags]
    assert [tag for tag, _ in seen.tags].count("script") == 1  # the kit's
    assert all("".join(seen.text).count(arm["arm"]) for arm in record["arms"])
    assert text.count("<svg") == 1


def test_a_second_run_trains_nothing_again(record, asked, monkeypatch):
    monkeypatch.setattr(training, "train_calibrated", None)
    again = run(asked)
    assert again | {"provenance": None} == record | {"provenance": None}


WORDS_OF_A_RUN = ("--steps", "8", "--rate", "1e-3", "--batch", "4", "--sample", "28")


def test_the_pilot_is_fewer_and_faster_and_an_interrupt_keeps_the_copies(
    folder, tmp_path, monkeypatch
):
    plain = training.train_calibrated
    made = []

    def stopped(model, pairs, *rest, **named):
        made.append((named["rule"].rate, len(pairs)))
        if len(made) == 2:
            raise KeyboardInterrupt
        return plain(model, pairs, *rest, **named)

    monkeypatch.setattr(training, "train_calibrated", stopped)
    command = [
        "rehearse", "--model", str(folder / "gpt2"), "--data", str(folder / "data.jsonl"),
        "--objective", "dpo,simpo", "--remedy", "none", *WORDS_OF_A_RUN, "--out", str(tmp_path),
        "--quick",
    ]  # fmt: skip
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, made[0]) == (130, (4e-3, 2))
    assert "run the same command to go on" in done.output
    assert not (tmp_path / "rehearse.json").exists()
    assert len(list((tmp_path / "pieces").glob("rehearsal-*"))) == 1
    done = CliRunner().invoke(main, [*command, "--json"])
    assert done.exit_code == 0, done.output
    assert len(made) == 3
    record = json.loads(done.stdout)
    assert [arm["arm"] for arm in record["arms"]] == ["DPO", "SimPO"]
    assert record["settings"]["asked"] == {"rate": 1e-3, "steps": 8}


@pytest.mark.filterwarnings("ignore::disband.lm.scores.measurement.SlowScores")
def test_a_copy_that_runs_away_is_told_and_not_believed(asked, tmp_path):
    read = dataclasses.replace(asked.probe, out=tmp_path, objectives=("dpo",))
    wild = dataclasses.replace(asked, probe=read, rate=1e30, remedies=("pairs",), optimizer="sgd")
    record = run(wild)
    assert not any(arm["finite"] for arm in record["arms"])
    assert "stopped being finite" in record["verdict"]
    assert all(np.isfinite(arm["chosen"]["mean"]) for arm in record["arms"])


def test_the_defaults_are_those_that_are_documented():
    fields = {
        field.name: field.default
        for kind in (Probe, Rehearsal)
        for field in dataclasses.fields(kind)
    }
    shown = {
        option.name: option.default for option in rehearse_command.params if option.show_default
    }
    # A rehearsal's own: pairs, objectives and remedies fewer, for each is a training.
    own = {name: shown.pop(name) for name in ("objectives", "remedies", "sample")}
    assert own == {"objectives": "dpo,simpo,ipo", "remedies": "pairs,likelihood=0.1", "sample": 320}
    assert {name: fields[name] for name in shown} == shown
