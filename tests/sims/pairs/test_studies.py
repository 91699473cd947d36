"""The papers' settings, run: what Theorems 1 and 3 say of them, and what the tables hold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disband.sims.pairs.policies import AFTER, AT, BEFORE
from disband.sims.pairs.studies import (
    EDIT_ONE_INDEPENDENT,
    EDIT_ONE_SHARED,
    SINGLE_TOKEN,
    TOYS,
    rows,
)
from disband.theory.models.toys import EditOne, edit_one_exact, row_slope
from disband.theory.objectives import DPO, SPPO
from tests.sampling import some

toys = pytest.mark.parametrize("toy", TOYS.values(), ids=lambda t: t.name)
EDIT_ONE = (EDIT_ONE_SHARED, EDIT_ONE_INDEPENDENT)


def start_of(toy, **choices):
    """An edit-one problem and what theory.models.toys wants to know of its start."""
    problem = toy.build(**choices)
    probs = np.exp(problem.policy.log_probs(problem.theta0))
    m = problem.places.index(AT)
    after_w, after_l = np.split(probs[m + 1 :], 2)
    return EditOne(probs[m, 0], probs[m, 1], after_w, after_l, np.zeros(len(after_w), int))


@settings(max_examples=30)
@given(m=st.integers(2, 10), lr=st.floats(0.1, 50))
def test_a_single_token_rises_and_its_rival_falls_at_every_step(m, lr):
    study = SINGLE_TOKEN.run(DPO, steps=10, lr=lr, candidates=m)
    assert (study.trajectory.measured[0] >= -1e-12).all()
    assert (study.trajectory.measured[1] < 0).all()
    assert (study.cases() == 0).all()
    assert study.by_place().keys() == {AT}


@settings(max_examples=30)
@given(seed=st.integers(0, 999), lr=st.floats(0.1, 20), suffix=st.integers(1, 6))
def test_the_suffix_falls_with_shared_logits_and_rises_with_independent_ones(seed, lr, suffix):
    for toy, sign in zip(EDIT_ONE, (-1, 1), strict=True):
        study = toy.run(DPO, steps=3, lr=lr, seed=seed, suffix=suffix)
        parts = {p: np.diff(w, axis=0) for p, (w, _) in study.by_place().items()}
        assert (parts[BEFORE] == 0).all()
        assert (parts[AT] > 0).all()
        assert (sign * parts[AFTER] > 0).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 999), lr=st.floats(0.5, 200))
def test_a_shared_step_changes_the_chosen_as_the_closed_form_says(seed, lr):
    study = EDIT_ONE_SHARED.run(DPO, steps=1, lr=lr, seed=seed, suffix=5)
    start = start_of(EDIT_ONE_SHARED, seed=seed, suffix=5)
    step = lr * study.trajectory.d_w[0]
    assert step == pytest.approx(0.05 * lr)
    measured = study.trajectory.measured[0][0]
    assert measured == pytest.approx(edit_one_exact(step, start), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("toy", EDIT_ONE, ids=lambda t: t.name)
def test_the_places_are_predicted_by_the_appendix(toy):
    """Eqs. 22 and 23 for shared rows; with rows of its own the suffix keeps its own score alone."""
    study, start = toy.run(DPO, steps=1, lr=0.3, seed=2), start_of(toy, seed=2)
    step = 0.3 * study.trajectory.d_w[0]
    shared = row_slope(*start.after)
    own = ((start.after_w - np.eye(10)[0]) ** 2).sum(-1)
    expected = {
        BEFORE: 0.0,
        AT: step * row_slope(*start.at),
        AFTER: step * (shared if toy is EDIT_ONE_SHARED else own).sum(),
    }
    for place, (ahead, _) in study.ahead_by_place().items():
        assert ahead[0] == pytest.approx(expected[place], rel=1e-12)
        exact = np.diff(study.by_place()[place][0])[0]
        assert exact <= ahead[0] + 1e-15


def test_a_longer_suffix_costs_the_chosen_response_more():
    ends = [
        EDIT_ONE_SHARED.run(DPO, suffix=n, spread=0, lr=4.0).summary()["change_w"]
        for n in (1, 4, 8, 16)
    ]
    assert ends == sorted(ends, reverse=True)


@toys
@some
def test_every_toy_runs_with_every_objective_and_is_tabled(toy, objective):
    lr = 1e-3 if objective is SPPO else 0.05
    study = toy.run(objective, steps=4, lr=lr)
    table = rows(study)
    assert len(table) == 5
    assert [r["step"] for r in table] == list(range(5))
    assert table[-1]["measured_w"] is table[-1]["measured_l"] is None
    assert all(v is not None for r in table[:-1] for v in r.values())
    for t, r in enumerate(table):
        assert r["logp_w"] == study.trajectory.logp_w[t]
        assert r["predicted_l"] == study.trajectory.predicted[1][t]
        for what in ("logp_w", "logp_l", "predicted_w", "predicted_l"):
            parts = sum(r.get(f"{what}_{p}", 0) for p in (BEFORE, AT, AFTER))
            assert r[what] == pytest.approx(parts, rel=1e-9, abs=1e-12)
        if t < 4:
            assert r["measured_w"] == table[t + 1]["logp_w"] - r["logp_w"]
            assert r["measured_l_at"] == table[t + 1]["logp_l_at"] - r["logp_l_at"]
    json.dumps([table, study.summary(), dict(study.parameters)])


@toys
def test_the_parameters_say_how_to_repeat_the_run(toy):
    study = toy.run(DPO, steps=2, hyper={"beta": 0.7})
    assert study.parameters == {**toy.defaults, "lr": toy.lr, "steps": 2, "beta": 0.7}
    choices = {name: value for name, value in study.parameters.items() if name != "beta"}
    again = toy.run(DPO, hyper={"beta": 0.7}, **choices)
    np.testing.assert_array_equal(again.trajectory.logp_w, study.trajectory.logp_w)


def test_the_summary_tells_what_happened():
    shared = EDIT_ONE_SHARED.run(DPO, steps=100, lr=4.0)
    summary = shared.summary()
    measured = shared.trajectory.measured[0]
    assert summary["fell_at"] == np.flatnonzero(measured < 0)[0] > 0
    assert summary["change_w"] == pytest.approx(measured.sum())
    assert summary["change_w"] < 0 < summary["change_w_at"]
    assert summary["change_w_after"] < 0
    assert summary["change_w_before"] == 0
    assert 0.9 < summary["signs_right"] <= 1
    assert summary["case_at_start"] == "chosen up, rejected down"
    alone = SINGLE_TOKEN.run(DPO).summary()
    assert alone["fell_at"] is None
    assert alone["cosine_at_start"] == pytest.approx(-1 / 4)
    idle = SINGLE_TOKEN.run(DPO, steps=0).summary()
    assert idle["signs_right"] is None
    assert idle["change_w"] == 0


def test_a_batch_is_tabled_by_its_first_problem():
    study = EDIT_ONE_SHARED.run(DPO, steps=3, batch=(4, 2))
    assert rows(study)[2]["logp_l"] == study.trajectory.logp_l[2, 0, 0]
    assert study.cases().shape == (4, 4, 2)
    assert study.summary()["change_w"] == pytest.approx(study.trajectory.measured[0][:, 0, 0].sum())


def test_the_watched_distribution_is_at_the_differing_position():
    study = EDIT_ONE_SHARED.run(DPO, steps=3)
    at_w, at_l = study.by_place()[AT]
    np.testing.assert_array_equal(study.trajectory.watched[:, 0], at_w)
    np.testing.assert_array_equal(study.trajectory.watched[:, 1], at_l)


@toys
def test_an_unknown_choice_is_refused(toy):
    with pytest.raises(ValueError, match=rf"{toy.name} has the choices vocabulary, .*: got wings"):
        toy.run(DPO, wings=2)


def test_the_toys_are_named_and_described():
    assert list(TOYS) == ["single-token", "edit-one-shared", "edit-one-independent"]
    assert all(toy.summary for toy in TOYS.values())
