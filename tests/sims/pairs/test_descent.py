"""Training without autograd against training with it, and what concavity says of real steps."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.sims.pairs.descent import train
from disband.sims.pairs.policies import (
    LogLinear,
    Pair,
    edit_one_independent,
    edit_one_shared,
    single_token,
    view,
)
from disband.theory.first_order import first_order
from disband.theory.objectives import DPO, IPO, OBJECTIVES, SPPO
from tests.sampling import some


def problem(seed, batch=(), contexts=3, d=2, vocabulary=4):
    rng = np.random.default_rng(seed)
    policy = LogLinear(
        rng.standard_normal((contexts, d)), rng.standard_normal((contexts, vocabulary))
    )
    counts = rng.integers(0, 2, (2, *batch, contexts, vocabulary)).astype(float)
    counts[..., 0, 0] = 1
    return policy, Pair(*counts), rng.standard_normal((*batch, d, vocabulary))


def torch_run(loss, setting, lr, steps):
    """Plain gradient descent on the real loss of one pair; log-probabilities of each state."""
    policy, pair, theta0 = setting
    theta = torch.tensor(theta0, requires_grad=True)
    features, offsets = torch.tensor(policy.features), torch.tensor(policy.offsets)
    counts = torch.tensor(np.stack([pair.counts_w, pair.counts_l]))
    lengths = counts.sum((-1, -2))
    states, ref = [], None
    for _ in range(steps + 1):
        picked = torch.log_softmax(features @ theta + offsets, -1)
        logps = torch.where(counts > 0, counts * picked, 0.0).sum((-1, -2))
        states.append(logps.detach().numpy().copy())
        ref = logps.detach() if ref is None else ref
        (gradient,) = torch.autograd.grad(loss(*logps, *ref, *lengths), theta)
        theta = (theta - lr * gradient).detach().requires_grad_()
    return np.stack(states), theta.detach().numpy() + lr * gradient.numpy()


@pytest.mark.parametrize("seed", range(3))
def test_dpo_descends_its_real_loss(seed):
    def loss(w, loser, ref_w, ref_l, *_):
        return -torch.nn.functional.logsigmoid(0.3 * ((w - ref_w) - (loser - ref_l)))

    setting = problem(seed)
    states, theta = torch_run(loss, setting, lr=0.7, steps=5)
    run = train(*setting, DPO, lr=0.7, steps=5, hyper={"beta": 0.3})
    np.testing.assert_allclose(run.logp_w, states[:, 0], rtol=1e-12)
    np.testing.assert_allclose(run.logp_l, states[:, 1], rtol=1e-12)
    np.testing.assert_allclose(run.theta, theta, rtol=1e-11, atol=1e-13)


@some
def test_every_objective_descends_its_own_loss(objective):
    setting = problem(11)
    lr = 1e-4 if objective is SPPO else 0.02
    states, theta = torch_run(objective.kernel("loss", "torch"), setting, lr, 5)
    run = train(*setting, objective, lr=lr, steps=5)
    np.testing.assert_allclose(run.logp_w, states[:, 0], rtol=1e-12)
    np.testing.assert_allclose(run.logp_l, states[:, 1], rtol=1e-12)
    np.testing.assert_allclose(run.theta, theta, rtol=1e-11, atol=1e-13)


@some
def test_a_small_step_lowers_the_loss(objective):
    setting = problem(12)
    run = train(*setting, objective, lr=1e-6, steps=1)
    lengths = setting[1].lengths
    losses = objective.kernel()(run.logp_w, run.logp_l, run.logp_w[0], run.logp_l[0], *lengths)
    assert losses[1] < losses[0]


@some
def test_the_prediction_is_the_derivative_of_the_real_change(objective):
    policy, pair, theta0 = problem(13)
    run = train(policy, pair, theta0, objective, lr=0.1, steps=1)
    direction = (run.theta - theta0) / 0.1
    h = 1e-5 / max(1.0, np.abs(direction).max())
    ahead, behind = (view(policy, pair, theta0 + s * h * direction) for s in (1, -1))
    for side, (up, down) in enumerate(
        ((ahead.logp_w, behind.logp_w), (ahead.logp_l, behind.logp_l))
    ):
        expected = 0.1 * (up - down) / (2 * h)
        assert run.predicted[side][0] == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_the_prediction_is_first_order_of_the_recorded_values():
    run = train(*problem(1), DPO, lr=0.2, steps=3)
    expected = first_order(run.d_w, run.d_l, run.gram, 0.2)
    np.testing.assert_array_equal(run.predicted, expected)
    assert run.predicted[0].shape == (4,)
    np.testing.assert_array_equal(run.measured[0], run.logp_w[1:] - run.logp_w[:-1])
    np.testing.assert_array_equal(run.measured[1], run.logp_l[1:] - run.logp_l[:-1])


@given(seed=st.integers(0, 10**6), lr=st.floats(1e-3, 1e2), which=st.sampled_from(OBJECTIVES))
def test_the_prediction_bounds_the_real_change_from_above(seed, lr, which):
    """Log-linear policies are concave in their parameters, at every step size."""
    lr = lr / 1e4 if which is SPPO else lr
    run = train(*problem(seed), which, lr=lr, steps=1)
    for predicted, measured in zip(run.predicted, run.measured, strict=True):
        assert measured[0] <= predicted[0] + 1e-12 * (1 + abs(predicted[0]))
    if run.measured[0][0] > 1e-9:
        assert run.predicted[0][0] > 0
    if run.predicted[1][0] < -1e-9:
        assert run.measured[1][0] < 0


@given(seed=st.integers(0, 10**6), fraction=st.floats(0.05, 0.999))
def test_a_step_below_the_curvature_bound_surely_raises_the_chosen(seed, fraction):
    policy, pair, theta0 = problem(seed)
    seen = view(policy, pair, theta0)
    g = seen.score_w - seen.score_l
    slope = (seen.score_w * g).sum()
    visits = pair.counts_w.sum(-1) * (policy.features**2).sum(-1)
    assume(slope > 1e-6)
    step = fraction * 4 * slope / (visits.sum() * (g**2).sum())
    after = view(policy, pair, theta0 + step * g)
    assert after.logp_w > seen.logp_w


@given(seed=st.integers(0, 10**6), overlap=st.floats(0, 1), suffix=st.integers(1, 4))
def test_a_suffix_falls_iff_its_contexts_overlap_enough(seed, overlap, suffix):
    """Independent rows (overlap 0) to shared rows (overlap 1), to first order, under DPO."""
    rng = np.random.default_rng(seed)
    turned = [[1.0, 0.0], [overlap, np.sqrt(1 - overlap**2)]]
    policy = LogLinear(np.kron(np.eye(suffix), turned), np.zeros((2 * suffix, 4)))
    theta0 = 2 * rng.standard_normal((2 * suffix, 4))
    counts = np.zeros((2, 2 * suffix, 4))
    counts[0, ::2, 0] = counts[1, 1::2, 0] = 1
    run = train(policy, Pair(*counts), theta0, DPO, lr=1.0, steps=0)
    residual = np.eye(4)[0] - np.exp(policy.log_probs(theta0))
    own, cross = (residual[::2] ** 2).sum(-1), (residual[::2] * residual[1::2]).sum(-1)
    expected = 0.05 * (own - overlap * cross)
    np.testing.assert_allclose(run.ahead_w[0, ::2], expected, rtol=1e-10, atol=1e-14)


@some
def test_a_batch_trains_as_its_problems_one_by_one(objective):
    policy, pair, theta0 = problem(2, batch=(3, 2))
    lr = np.linspace(1, 2, 6).reshape(3, 2) * (1e-4 if objective is SPPO else 0.02)
    run = train(policy, pair, theta0, objective, lr=lr, steps=4, watch=1)
    assert run.logp_w.shape == run.d_l.shape == run.gram.dot.shape == (5, 3, 2)
    assert run.tokens_w.shape == (5, 3, 2, 3)
    assert run.watched.shape == (5, 3, 2, 4)
    for i in np.ndindex(3, 2):
        alone = Pair(pair.counts_w[i], pair.counts_l[i])
        one = train(policy, alone, theta0[i], objective, lr=lr[i], steps=4, watch=1)
        for name in (
            "logp_w",
            "logp_l",
            "tokens_w",
            "tokens_l",
            "ahead_l",
            "d_w",
            "d_l",
            "watched",
        ):
            got, want = getattr(run, name)[(slice(None), *i)], getattr(one, name)
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(run.gram.dot[(slice(None), *i)], one.gram.dot, rtol=1e-9)
        np.testing.assert_allclose(run.predicted[0][(slice(None), *i)], one.predicted[0], rtol=1e-9)
        np.testing.assert_allclose(run.theta[i], one.theta, rtol=1e-10, atol=1e-12)


def test_the_parts_sum_to_the_whole_and_the_watched_row_is_a_distribution():
    run = train(*problem(3), DPO, lr=0.5, steps=6, watch=0)
    np.testing.assert_allclose(run.tokens_w.sum(-1), run.logp_w)
    np.testing.assert_allclose(run.tokens_l.sum(-1), run.logp_l)
    np.testing.assert_allclose(run.ahead_w.sum(-1), run.predicted[0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.ahead_l.sum(-1), run.predicted[1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.exp(run.watched).sum(-1), 1)
    assert train(*problem(3), DPO, lr=0.5, steps=1).watched is None


def test_the_reference_is_the_start():
    run = train(*problem(4), DPO, lr=0.5, steps=0)
    assert run.d_w[0] == pytest.approx(0.05)
    assert run.measured[0].shape == (0,)


@pytest.mark.parametrize("lr", [0.1, 10.0, 1000.0])
def test_one_context_rises_and_falls_under_dpo_at_every_step_size(lr):
    start = single_token(vocabulary=8, candidates=6)
    run = train(start.policy, start.pair, start.theta0, DPO, lr=lr, steps=20)
    moving = run.d_w[:-1] * lr > 1e-6
    assert (run.measured[0][moving] > -1e-12).all()
    assert run.measured[0][0] > 0
    assert (run.measured[1][moving] < 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0}, "a step size is positive and finite: got 0; set lr to 0.1"),
        ({"lr": np.nan}, "a step size is positive and finite: got nan"),
        ({"lr": [0.1, -1]}, "a step size is positive and finite"),
        ({"steps": -1}, "at least zero steps: got -1"),
        ({"hyper": {"bogus": 1.0}}, "DPO has the hyperparameters beta: got bogus"),
        ({"theta0": np.zeros((3, 4))}, r"got \(3, 4\) for 2 features and 4 tokens"),
        ({"pair": Pair(np.eye(4), np.eye(4))}, r"3 contexts and 4 tokens: got \(4, 4\)"),
    ],
)
def test_bad_requests_are_refused_in_one_clear_line(change, message):
    policy, pair, theta0 = problem(5)
    request = {"policy": policy, "pair": pair, "theta0": theta0, "lr": 0.1, "steps": 1} | change
    with pytest.raises(ValueError, match=message):
        train(objective=DPO, **request)


def test_a_run_that_leaves_the_finite_numbers_says_where():
    with pytest.raises(ValueError, match=r"IPO at lr 50 lost them in 1 of 1 problems at step \d+"):
        train(*problem(6), IPO, lr=50, steps=2000)


def test_an_impossible_token_is_refused_at_the_start():
    policy, pair, theta0 = problem(7)
    offsets = policy.offsets.copy()
    offsets[0, 0] = -np.inf
    with pytest.raises(ValueError, match="both responses are possible"):
        train(LogLinear(policy.features, offsets), pair, theta0, DPO, lr=0.1, steps=1)


@pytest.mark.parametrize("build", [edit_one_shared, edit_one_independent])
def test_thousands_of_problems_train_at_once(build):
    start = build(batch=(1000,))
    run = train(start.policy, start.pair, start.theta0, DPO, lr=1.0, steps=5)
    assert run.logp_w.shape == (6, 1000)
    alone = start.theta0[123]
    one = train(start.policy, start.pair, alone, DPO, lr=1.0, steps=5)
    np.testing.assert_allclose(run.logp_w[:, 123], one.logp_w, rtol=1e-12)
