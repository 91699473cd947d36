"""Courses of toys over many steps: against the policy itself at moved parameters, and the run."""

import numpy as np
import pytest

from disband.sims.horizon.courses import pair_courses
from disband.sims.horizon.labels import balanced_labels, label_courses, labelled, promises
from disband.sims.horizon.maps import ratio_map
from disband.sims.pairs.policies import view
from disband.sims.pairs.studies import TOYS
from disband.theory.band import Case, band
from disband.theory.horizon.balanced import BalancedBatch, Overlap
from disband.theory.horizon.suffix import SharedSuffix
from disband.theory.objectives import CPO, DPO, IPO

STEPS = 250


@pytest.mark.parametrize(("objective", "lr"), [(DPO, 0.3), (IPO, 3e-3), (CPO, 0.03)])
@pytest.mark.parametrize("name", TOYS)
def test_the_update_that_is_held_does_what_the_policy_says(name, objective, lr):
    toy = TOYS[name]
    problem = toy.build()
    run = toy.run(objective, steps=STEPS, lr=lr).trajectory
    start = view(problem.policy, problem.pair, problem.theta0)
    update = run.lr * (run.d_w[0] * start.score_w - run.d_l[0] * start.score_l)
    moved = [problem.theta0 + t * update for t in (1, 40, STEPS)]
    there = [view(problem.policy, problem.pair, theta) for theta in moved]
    for its, logp, ahead, at in zip(
        pair_courses(problem, run),
        (run.logp_w, run.logp_l),
        run.predicted,
        ([v.logp_w for v in there], [v.logp_l for v in there]),
        strict=True,
    ):
        np.testing.assert_allclose(its.exact[[1, 40, STEPS]], np.array(at) - logp[0], atol=1e-9)
        np.testing.assert_allclose(its.first, ahead[0] * np.arange(STEPS + 1), atol=1e-12)
        np.testing.assert_array_equal(its.run, logp - logp[0])
        assert (its.second <= its.first + 1e-12).all()
        near = its.exact[1] - its.second[1]
        assert abs(near) <= 0.1 * abs(its.second[1] - its.first[1]) + 1e-12
        if its.rises:
            assert its.surely.low <= min(its.turns, its.turns_second) * (1 + 1e-9)
            assert (its.exact > 0)[1:].tolist() == (np.arange(1, STEPS + 1) < its.turns).tolist()


def test_the_run_turns_where_it_falls_below_its_start():
    toy = TOYS["edit-one-shared"]
    run = toy.run(DPO, steps=STEPS).trajectory
    chosen, rejected = pair_courses(toy.build(), run)
    assert chosen.run_turns is not None
    assert run.logp_w[chosen.run_turns] < run.logp_w[0] <= run.logp_w[chosen.run_turns - 1]
    assert chosen.turns < chosen.run_turns  # incentives fade, so the run is slower
    assert rejected.run_turns is None
    assert (rejected.turns, rejected.rises) == (0.0, False)
    many = toy.run(DPO, steps=3, batch=(2,))
    with pytest.raises(ValueError, match="one problem: got a run of 2"):
        pair_courses(toy.build(batch=(2,)), many.trajectory)


BATCH = BalancedBatch(
    6, 5, Overlap(4.0, 1.0, 1.0), Overlap(2.0, 0.5, 0.3), p_w=0.3, p_l=0.25, s_pos=0.1, s_neg=0.1
)


def test_every_product_of_a_balanced_batch_promises_a_rise_and_the_chosen_falls():
    policy, pairs, theta = labelled(BATCH)
    seen = view(policy, pairs, theta)
    gram = seen.gram
    assert ((band(gram).low <= 1) & (band(gram).high >= 1)).all()  # each pair is in its own band
    scores = np.concatenate([seen.score_w, seen.score_l]).reshape(12, -1)
    products = scores @ scores.T
    promised = (products[:6, :6] - products[:6, 6:]).mean(1)
    assert (promised > 0).all()  # and the batch's step raises every chosen
    chosen, rejected = label_courses(BATCH, DPO, lr=0.5, steps=400)
    assert chosen.rises
    assert chosen.exact[-1] < -1
    assert chosen.run[-1] < -1
    assert chosen.run_turns is not None
    assert rejected.run[-1] < chosen.run[-1]


def test_the_courses_of_the_batch_are_its_closed_forms():
    lr, d = 0.5, 0.05
    chosen, _ = label_courses(BATCH, DPO, lr=lr, steps=40)
    steps = np.arange(41.0)
    np.testing.assert_allclose(chosen.exact, BATCH.change(lr * d * steps), atol=1e-12)
    np.testing.assert_allclose(chosen.first, lr * d * steps * BATCH.slope(), atol=1e-12)
    assert chosen.turns_second == pytest.approx(BATCH.turning_time() / (lr * d))
    assert chosen.run[:3] == pytest.approx(chosen.exact[:3], abs=2e-4)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"pairs": 3}, "got 3 pairs"),
        ({"common": 0.0}, "positive finite products"),
        ({"s_pos": 0.95}, "leave room for others"),
        ({"suffix": -1}, "-1 suffix tokens"),
    ],
)
def test_a_batch_that_cannot_be_built_is_refused_in_one_line(choices, said):
    with pytest.raises(ValueError, match=said) as refused:
        labelled(balanced_labels(**choices))
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="at least one step"):
        label_courses(BATCH, DPO, lr=0.0, steps=3)


def test_what_products_promise_is_what_a_small_step_does():
    lr = 1e-5
    said = promises(BATCH, DPO, lr=lr, hyper={})
    courses = label_courses(BATCH, DPO, lr=lr, steps=1)
    np.testing.assert_allclose(said.batch, [its.run[1] for its in courses], rtol=1e-4)
    assert said.suffix == pytest.approx((0.0, 0.0), abs=1e-18)
    each = lr * 0.05 * BATCH.at.alone() * (1 - BATCH.p_w + BATCH.p_l)
    assert said.own[0] == pytest.approx(each)


def test_the_band_over_time_begins_with_the_band_and_ends_with_what_lasts():
    toy = SharedSuffix(4, 0.7, 0.4, 0.4)
    ratios = np.geomspace(0.25, 8, 400)
    seen = ratio_map(toy, [1e-4, 1.0, 1e4], ratios)
    low, high = band(toy.gram)
    away = np.abs(np.log(ratios / low)) + 0 * ratios > 0.01
    away &= (np.abs(np.log(ratios / high)) > 0.01) & (np.abs(np.log(ratios / seen.lasting)) > 0.01)
    first = (ratios >= low) & (ratios <= high)
    assert ((seen.case[:, 0] == Case.IDEAL) == first)[away].all()
    assert ((seen.case[:, -1] == Case.IDEAL) == (ratios >= seen.lasting))[away].all()
    assert (seen.case[ratios < seen.lasting * 0.99, -1] == Case.BOTH_FALL).all()
    assert seen.second.up_from[0] == pytest.approx(low, rel=1e-3)
