"""``disband probe --steps``: what is forecast, what it says to do, and when it says to run it."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from disband.lm.horizon import path as measured
from disband.probe.horizon import horizon_rows, is_trusted, rules, said
from disband.probe.inputs import Probe
from disband.probe.run import run
from disband.terminal.errors import Refusal
from tests.lm.model.test_load import saved
from tests.lm.tiny import model_of, tokenizer_of

WORDS = ["lovely", "great", "sunny", "awful", "bad", "rainy"]
STEPS, RATE = 8, 1e-3


def foretold(name, chosen, rejected, **more):
    return {
        "objective": name, "chosen": chosen, "rejected": rejected, "held_chosen": None,
        "held_rejected": None, "first_order": 0.3, "highest": 12, "below_from": 30,
        "anchors": 0.1, "distance": 0.2, "advice": "forecast", "reason": "so it was measured",
        "curve": [],
    } | more  # fmt: skip


def horizon_of(*each, worth=1.0):
    return {
        "steps": 48, "rate": 1e-5, "optimizer": "adamw", "pairs": 8, "held_out": 0, "seconds": 1.0,
        "worth": worth, "each": list(each),
    }  # fmt: skip


def test_a_fall_is_told_with_when_to_stop_and_who_stays_up():
    far = horizon_of(
        foretold("DPO", -0.4, -2.0),
        foretold("IPO", 0.2, -1.0),
        foretold("RPO", 0.3, 0.5),
        foretold("CPO", 0.4, -1.0, advice="run"),
    )
    falls, run_it = rules(far, None)
    assert (falls["applies"], run_it["applies"]) == (True, False)
    assert falls["advice"] == (
        "Expect the chosen to fall: stop by update 29, or train IPO, under which it is forecast to "
        "stay up."
    )
    assert said(far).endswith("fallen by 0.4 nats, after a rise until update 12.")
    alone = rules(horizon_of(foretold("DPO", -0.4, -2.0, highest=0, below_from=1)), None)[0]
    assert alone["advice"] == "Expect the chosen to fall: rehearse remedies (disband rehearse)."
    assert not rules(horizon_of(foretold("DPO", 0.4, -2.0)), None)[0]["applies"]
    assert rules(None, None) == []


@pytest.mark.parametrize(
    ("more", "worth", "runs"), [({"advice": "run"}, 0.5, True), ({}, 1.5, True), ({}, 0.5, False)]
)
def test_where_running_is_cheaper_or_surer_it_says_run(more, worth, runs):
    far = horizon_of(foretold("DPO", -0.4, -2.0, **more), worth=worth)
    falls, run_it = rules(far, None)
    assert run_it["applies"] is runs
    assert falls["applies"] is is_trusted(far["each"][0])
    assert ("do not lean on it" in said(far)) is (not falls["applies"])
    assert "run it" in horizon_rows(far)[0][-1] or falls["applies"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 4}, "got --steps alone; give --rate too"),
        ({"rate": 1e-5}, "got --rate alone; give --steps too"),
        ({"steps": 4, "rate": 1e-5, "batches": 0}, "--batches 0"),
        ({"steps": 4, "rate": 1e-5, "reference": "other"}, "begins at the reference"),
    ],
    ids=str,
)
def test_what_cannot_be_forecast_is_refused(settings, message):
    with pytest.raises(Refusal, match=message):
        Probe("model", "data", **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("horizon")
    tokenizer = tokenizer_of()
    saved(folder / "gpt2", model_of(tokenizer), tokenizer)
    rows = [
        {"prompt": f"a {one} {other}", "chosen": f" {one} it was", "rejected": f" {other} it" * 2}
        for one in WORDS
        for other in WORDS
        if one != other
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_probe_says_what_a_run_then_does(folder, monkeypatch):
    """The forecast beside a run on the same pairs, in the record, on the page, and kept."""
    seen = {}
    measure = measured.measure_path

    def watched(model, chosen, rejected, **named):
        seen.update(model=model, sides=(chosen, rejected), **named)
        return measure(model, chosen, rejected, **named)

    monkeypatch.setattr(measured, "measure_path", watched)
    asked = Probe(
        str(folder / "gpt2"), str(folder / "data.jsonl"), ("dpo", "simpo"), sample=16, batch=4,
        batches=2, worst=0, optimizer="adamw", steps=STEPS, rate=RATE, device="cpu",
        out=folder / "out",
    )  # fmt: skip
    record = run(asked)
    far = record["horizon"]
    assert (far["pairs"], far["held_out"], len(far["each"])) == (8, 8, 2)
    assert said(far) in record["verdict"]
    assert "horizon" in (folder / "out" / "probe.html").read_text("utf-8")

    from disband.lm.horizon.run import follow
    from disband.theory.objectives import DPO

    course = follow(
        seen["model"], *seen["sides"], DPO, rule=seen["rule"], steps=STEPS, batch_size=4,
        seed=asked.seed,
    )  # fmt: skip
    real = (course.logps[-1] - course.logps[0])[:8].mean()
    told = far["each"][0]
    assert abs(real) > 0.05
    assert told["chosen"] == pytest.approx(real, rel=0.25)
    assert np.sign(told["curve"][-1][1]) == np.sign(real)
    monkeypatch.setattr(measured, "measure_path", None)
    assert run(asked) | {"provenance": None} == record | {"provenance": None}
