"""The experiments on GPT-2 at a size of seconds: what they measure adds up."""

from dataclasses import replace

import numpy as np
import pytest

from disband.lm.data.tweets import SplitSettings
from disband.lm.training.optimizers import KINDS, Rule
from disband.verify.experiments.gpt2 import study
from disband.verify.experiments.gpt2.findings import findings, tables
from disband.verify.experiments.gpt2.inquiry import Inquiry
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.preparation import restore
from disband.verify.experiments.gpt2.protocol import Contest, Protocol, Supervision, prepare, train
from disband.verify.experiments.gpt2.questions.courses import Course, run_course
from disband.verify.experiments.gpt2.questions.objectives import Race, run_race
from disband.verify.experiments.gpt2.questions.regimes import Regime, run_regime
from disband.verify.experiments.gpt2.questions.steps import Steps, run_steps
from disband.verify.experiments.gpt2.readings import (
    FIRST_ORDER,
    GAINED,
    PARTS,
    course_shares,
    predicted,
    race_outcome,
    regime_numbers,
    step_scores,
)
from disband.verify.experiments.gpt2.study import run_study
from tests.lm.tiny import TWEETS

TINY = Language(
    layers=1,
    heads=2,
    width=16,
    vocabulary=420,
    steps=20,
    batch=4,
    block=24,
    split=SplitSettings(eval_share=0.2),
)
TAUGHT = Supervision(steps=4, batch=4, rate=1e-2)
RATES = {"sgd": 1e-3, "momentum": 1e-4, "adam": 1e-6, "adamw": 1e-6}


def quiet(_share):
    pass


@pytest.fixture(scope="module")
def base():
    return language_model(TINY, 0, TWEETS, quiet)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mix", ["drawn", "balanced"])
def test_small_steps_are_predicted_by_the_batch_gram_in_the_metric(base, kind, mix):
    piece = Steps(
        "short suffix", kind, 4, (RATES[kind],), mix=mix, warm=2, explained=2, supervision=TAUGHT
    )
    found = run_steps(piece, 0, TWEETS, base, quiet)
    scores = step_scores(found, 0)
    assert scores["first order, signs"] == 1
    assert scores["first order, size error"] < 2e-3
    assert found["measured"].shape == (1, 2, 2, 4)
    assert (np.abs(found["memory"]).max() > 0) == (kind != "sgd")


def test_leaving_out_any_part_spoils_the_prediction(base):
    piece = Steps("short suffix", "adamw", 4, (1e-6,), warm=2, explained=2, supervision=TAUGHT)
    found = run_steps(piece, 0, TWEETS, base, quiet)
    whole = predicted(found)
    np.testing.assert_allclose(whole, found["measured"], rtol=1e-2, atol=1e-12)
    for part in set(FIRST_ORDER) - {"decay"}:
        missing = np.abs(whole - found[part] - found["measured"]).max()
        assert missing > 10 * np.abs(whole - found["measured"]).max(), part


def test_a_batch_of_one_has_no_other_pairs(base):
    piece = Steps("single token", "sgd", 1, (1e-3,), warm=1, explained=1, supervision=TAUGHT)
    found = run_steps(piece, 0, TWEETS, base, quiet)
    assert not found["same"].any()
    assert not found["other"].any()
    # One response token: DPO raises the chosen of its own pair.
    assert (found["measured"][..., 0, :] > 0).all()


def test_a_course_adds_up(base):
    piece = Course(
        "prefix+suffix", Rule("adam", 1e-6), batch=4, steps=4, pairs=4, supervision=TAUGHT
    )
    found = run_course(piece, 0, TWEETS, base, quiet)
    assert found["parts"].shape[:4] == (4, len(PARTS), 2, 4)
    assert np.flatnonzero(found["differs"]).tolist() == [3]
    for side in (0, 1):
        shares = course_shares(found, side)
        assert abs(shares["curvature"]) < 1e-2 * abs(shares["first order"])
        places = [shares[f"{place}, measured"] for place in ("prefix", "label", "suffix")]
        assert sum(places) == pytest.approx(shares["measured"], rel=1e-9)


def test_a_race_ends_at_the_margin_and_is_read_there(base):
    piece = Race("DPO", rule=Rule("adam", 1e-2), steps=12, batch=4, pairs=4, supervision=TAUGHT)
    found = run_race(piece, 0, TWEETS, base, quiet)
    outcome = race_outcome(found)
    assert outcome["chosen"] - outcome["rejected"] == pytest.approx(GAINED, rel=1e-9)
    assert outcome["updates"] < 12
    slow = run_race(replace(piece, rule=Rule("adam", 1e-9)), 0, TWEETS, base, quiet)
    assert np.isnan(race_outcome(slow)["chosen"])
    assert race_outcome(slow)["chosen at the end"] == pytest.approx(
        (slow["logp_w"][-1] - slow["logp_w"][0]).mean()
    )


def test_a_regime_is_measured_before_half_way_and_after(base):
    piece = Regime(
        "short suffix",
        replace(TAUGHT, shown="correct"),
        (Rule("sgd", 1e-2), Rule("adam", 1e-3)),
        steps=4,
        batch=4,
        pairs=4,
    )
    found = run_regime(piece, 0, TWEETS, base, quiet)
    assert found["sq_w"].shape == (2, 3, 4)
    np.testing.assert_allclose(found["sq_w"][0, 0], found["sq_w"][1, 0])
    numbers = regime_numbers(found, 1)
    assert -1 <= numbers["cosine at the end"] <= 1
    assert numbers["suffix log-probability at the start"] < 0


def test_controls_change_what_they_say(base):
    def chosen(**contest):
        protocol = Protocol(
            "single token",
            TAUGHT,
            Contest(steps=5, batch=8, **contest),
            eval_pairs=2,
            split=SplitSettings(eval_share=0.2),
        )
        return prepare(protocol, 0, TWEETS, *restore(base))

    true, shuffled, drawn = chosen(), chosen(labels="shuffled"), chosen(mix="drawn")
    assert (true.labels.sum(1) == 4).all()
    assert (shuffled.labels.sum(1) == 4).all()
    assert (shuffled.labels != true.labels).any()
    assert len(set(drawn.labels.sum(1).tolist())) > 1
    assert all(
        (one[0].ids[:, 0] == other[0].ids[:, 0]).all()
        for one, other in zip(true.batches, shuffled.batches, strict=True)
    )


def test_an_early_end_keeps_what_was_measured(base):
    protocol = Protocol(
        "single token", TAUGHT, Contest(steps=5, batch=4), 2, split=SplitSettings(eval_share=0.2)
    )
    prepared = prepare(protocol, 0, TWEETS, *restore(base))
    run = train(prepared, protocol.contest, until=lambda step, _: step == 2)
    assert run["token_logp"].shape[0] == 3


@pytest.mark.slow
def test_a_study_is_judged_tabled_and_resumed(tmp_path):
    pieces = (Steps("short suffix", "sgd", 8, (1e-4,), warm=1, explained=2, supervision=TAUGHT),)
    question = Inquiry("steps", run_steps, pieces)
    seen = []

    def asked():
        return run_study(
            [question], TWEETS, tmp_path, lambda *a: seen.append(a), language=TINY, seeds=(0, 1)
        )

    results = asked()
    assert set(results) == {("steps", seed, pieces[0]) for seed in (0, 1)}
    done, total, _ = seen[-1]
    assert done == pytest.approx(total)
    seen.clear()
    again = asked()
    assert not seen
    for key, arrays in results.items():
        np.testing.assert_array_equal(arrays["measured"], again[key]["measured"])
    judged = {p.name: p for p in findings(results)}
    assert judged["first-order"].count == 2
    assert [row["seed"] for row in tables(results)["steps"]] == [0, 1]


@pytest.mark.parametrize(("cores", "workers", "cluster", "threads"), [
    (2, 2, None, 1), (2, 1, None, 2), (8, 2, None, 2), (None, 3, None, 1),
    (2, 2, "tcp://127.0.0.1:8786", 2),
])  # fmt: skip
def test_processes_of_one_machine_share_its_cores(
    monkeypatch, tmp_path, cores, workers, cluster, threads
):
    """Two processes of two threads on two cores waited for each other, and took ages."""
    began = []

    def run_tasks(_work, tasks, **_settings):
        began.extend(tasks)
        raise InterruptedError

    monkeypatch.setattr(study.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(study, "run_tasks", run_tasks)
    pieces = (Steps("short suffix", "sgd", 8, (1e-4,), warm=1, explained=2, supervision=TAUGHT),)
    with pytest.raises(InterruptedError):
        study.run_study(
            [Inquiry("steps", run_steps, pieces, threads=2)], TWEETS, tmp_path, quiet,
            pretrained={"source": "none"}, seeds=(0,), workers=workers, cluster=cluster,
        )  # fmt: skip
    assert [task.inquiry.threads for task in began] == [threads]
