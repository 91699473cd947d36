"""Worlds of any kind against the simulator of pairs, and against closed forms."""

import numpy as np
import pytest
from scipy.special import wrightomega

from disband.sims.pairs.descent import train
from disband.sims.pairs.policies import single_token
from disband.sims.simplex.evolution import SoftmaxWorld, drawn, evolve, tabular
from disband.theory.models.evolution import after
from disband.theory.objectives import DPO, IPO, KTO
from tests.sampling import some


@some
def test_one_context_with_own_logits_is_the_single_token_toy(objective):
    problem = single_token(vocabulary=5, candidates=5)
    run = train(problem.policy, problem.pair, problem.theta0, objective, lr=0.1, steps=8, watch=0)
    world = tabular(np.full((1, 1, 5), 0.2))
    found = evolve(world, objective, lr=0.1, steps=8)
    np.testing.assert_allclose(found.log_probs[:, 0, 0], run.watched, rtol=1e-12)
    np.testing.assert_allclose(found.d_w[:, 0, 0], run.d_w)


def test_a_linear_head_moves_other_contexts_by_their_overlap():
    rng = np.random.default_rng(0)
    states = rng.standard_normal((2, 3))
    features = np.einsum("cd,vw->cvdw", states, np.eye(4)).reshape(2, 4, 12)
    world = SoftmaxWorld(features[None], rng.standard_normal((1, 2, 4)))
    found = evolve(world, DPO, lr=1e-6, steps=1)
    d = found.d_w[0, 0]
    overlap = states @ states.T
    growth = np.exp(1e-6 * overlap @ d / 2)
    p = found.probs[0, 0]
    q_w, q_l, total = after(p[:, 0], p[:, 1], growth)
    np.testing.assert_allclose(found.probs[1, 0, :, 0], q_w, rtol=1e-9)
    np.testing.assert_allclose(found.elsewhere[1, 0], (1 - p[:, 0] - p[:, 1]) / total, rtol=1e-9)
    np.testing.assert_allclose(found.probs[1, 0, :, 1], q_l, rtol=1e-9)


def test_the_margin_of_one_context_depends_on_no_start():
    found = evolve(drawn(3, worlds=50), DPO, lr=0.5, steps=400)
    log_odds = found.log_probs[..., 0] - found.log_probs[..., 1]
    margins = log_odds[-1] - log_odds[0]
    assert np.ptp(margins) < 1e-9
    y = 1 + 2 * 0.1**2 * 200.0  # of the gradient flow: Wright's ω + log ω = y, and βm = y - ω
    assert margins[0, 0] == pytest.approx((y - wrightomega(y)) / 0.1, rel=5e-3)


def test_calibration_equalises_both_motions_per_norm():
    world = drawn(1, worlds=20, width=4)
    found = evolve(world, DPO, lr=1e-5, steps=1, method="reward calibration")
    moved = found.log_probs[1] - found.log_probs[0]
    a, b = world.scores(found.probs[0])
    up, down = (
        moved[..., 0] / np.linalg.norm(a, axis=-1),
        moved[..., 1] / np.linalg.norm(b, axis=-1),
    )
    np.testing.assert_allclose(up, -down, rtol=1e-3)


def test_a_stride_shortens_steps_and_keeps_their_direction():
    world = drawn(2, worlds=5)
    short = evolve(world, IPO, lr=0.2, steps=1, stride=0.01)
    moved = short.log_probs[1] - short.log_probs[0]
    theta = moved - moved.mean(-1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=-1), 0.01, rtol=1e-9)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="sums to one"):
        tabular(np.array([[0.5, 0.6]]))
    with pytest.raises(ValueError, match="two responses or more"):
        SoftmaxWorld(np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="a method is one of"):
        evolve(drawn(0, worlds=1), DPO, lr=1, steps=1, method="hope")
    with pytest.raises(ValueError, match="lower lr"), np.errstate(all="ignore"):
        evolve(drawn(0, worlds=1), KTO, lr=float("inf"), steps=3)
