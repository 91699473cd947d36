"""How statements about toy courses are judged, and what a small run of all of them gives."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from disband.sims.worlds.learning import OnPolicy
from disband.sims.worlds.target_study import TargetSetting, run
from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Prediction, Verdict
from disband.verify.deciding.decide import judge as decide_prediction
from disband.verify.experiments.toys import dynamics, dynamics_rules
from disband.verify.experiments.toys.dynamics import METHODS, SOME, WORLDS, run_courses
from disband.verify.experiments.toys.dynamics_curves import curves
from disband.verify.experiments.toys.dynamics_readings import (
    agreement,
    at_drift,
    at_reward,
    distance,
    unsteadiness,
)
from disband.verify.experiments.toys.dynamics_rules import RULES, positive, predictions
from disband.verify.experiments.toys.dynamics_run import DYNAMICS

COUNT = dynamics.REPLICATES * dynamics.WORLDS_EACH


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def small():
    """All courses, a few updates long."""
    with pytest.MonkeyPatch.context() as patch:
        short = {name: replace(setting, steps=2) for name, setting in WORLDS.items()}
        patch.setattr(dynamics, "WORLDS", short)
        return run_courses(quiet)


def test_every_statement_is_judged_on_every_replicate(small):
    judged = predictions(small)
    assert [p.name for p in judged] == [rule.name for rule in RULES]
    assert all(len(p.outcomes) == dynamics.REPLICATES for p in judged)


def test_every_statement_of_the_ledger_is_an_outcome_and_the_reverse():
    said = {
        c.outcome for c in LEDGER if isinstance(c, Prediction) and c.experiment == "toy dynamics"
    }
    assert said == {rule.name for rule in RULES}


def test_the_settings_are_plain_data_and_the_curves_are_finite(small):
    assert json.loads(json.dumps(dynamics.settings())) == dynamics.settings()
    for name, values in curves(small).items():
        assert np.isfinite(values).all(), name
        if name.endswith("parts"):
            np.testing.assert_allclose(values[0, 0], values[0, 1:].sum(0), atol=1e-12)


def test_a_world_is_asked_about_its_methods_alone(small):
    assert set(small) == {(w, m) for w in WORLDS for m in SOME.get(w, METHODS)}


@pytest.mark.parametrize(
    ("offsets", "verdict"),
    [
        ({"responses": 1.0, "linear": 1.0}, Verdict.SUPPORTED),
        ({"responses": -1.0, "linear": 1.0}, Verdict.CONTRADICTED),
        ({"responses": 0.0, "linear": 1.0}, Verdict.OPEN),
    ],
)
def test_a_statement_holds_where_every_interval_does(offsets, verdict, monkeypatch):
    noise = np.tile([-0.3, 0.3], COUNT // 2)
    courses = {(world, "DPO"): value + noise for world, value in offsets.items()}
    runs = [
        {"seed": o.seed, "holds": o.holds, "numbers": o.numbers}
        for o in judged(courses, monkeypatch, tuple(offsets))
    ]
    claim = Prediction("wang2025.planted", "", "", experiment="toy dynamics", outcome="planted")
    assert decide_prediction(claim, {"planted": runs}).verdict is verdict


def judged(courses, monkeypatch, toys):
    """Outcomes of the statement that what stands for DPO's course is positive."""
    rule = positive(name="planted", says="", criterion="x", measure=lambda by: by["DPO"], toys=toys)
    monkeypatch.setattr(dynamics_rules, "RULES", (rule,))
    (prediction,) = predictions(courses)
    assert prediction.criterion == f"x, in {', '.join(toys)}"
    return prediction.outcomes


def test_replicates_are_of_different_worlds(monkeypatch):
    values = np.repeat([1.0, -1.0, 1.0], COUNT // 3) + np.tile([-0.1, 0.1], COUNT // 2)
    outcomes = judged({("responses", "DPO"): values}, monkeypatch, ("responses",))
    assert [o.holds for o in outcomes] == [True, False, True]


def test_a_toy_without_numbers_leaves_the_statement_undecided(monkeypatch):
    values = np.full(COUNT, 1.0)
    courses = {("responses", "DPO"): values, ("linear", "DPO"): np.full(COUNT, np.nan)}
    outcomes = judged(courses, monkeypatch, ("responses", "linear"))
    assert [o.holds for o in outcomes] == [None] * 3


def test_a_figure_draws_the_interval_that_decides(small):
    course = small["responses", "DPO"]
    mean, low, high = curves(small)["responses/DPO/reward"]
    for step in range(len(mean)):
        stated = ttest_1samp(course.reward[step], 0).confidence_interval(0.95)
        assert (low[step], high[step]) == pytest.approx((stated.low, stated.high))
        assert mean[step] == pytest.approx(course.reward[step].mean())


def test_readings_of_a_course_against_itself_say_nothing():
    setting = TargetSetting(steps=6)
    one = run(setting, OnPolicy(), range(6))
    for reading in (at_drift(one, one, "reward"), at_reward(one, one, "entropy")):
        assert not np.nan_to_num(reading).any()
    assert not distance(one, one).any()
    assert (agreement(one, one) == 1).all()
    exact = run(setting, OnPolicy(exact=True), range(6))
    assert (unsteadiness(one) > unsteadiness(exact)).all()


def test_a_reading_at_equal_reward_needs_a_gain():
    one = run(TargetSetting(steps=3), OnPolicy(), range(2))
    worse = replace(one, reward=-one.reward)
    assert np.isnan(at_reward(worse, one, "entropy")).any()


def test_the_experiment_of_verify_is_this_one(small, monkeypatch):
    monkeypatch.setattr(dynamics, "run_courses", lambda _: small)
    judged, arrays = DYNAMICS.run(quiet)
    assert len(judged) == len(RULES)
    assert "responses/DPO/parts" in arrays
