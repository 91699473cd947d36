"""Toy policies against autograd and against their closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disband.sims.pairs.policies import (
    AFTER,
    AT,
    BEFORE,
    LogLinear,
    Pair,
    edit_one_independent,
    edit_one_shared,
    single_token,
    view,
)
from disband.theory.gram import Gram
from disband.theory.models.toys import EditOne, edit_one_slope, single_token_gram

EDIT_ONE = [edit_one_shared, edit_one_independent]
either = pytest.mark.parametrize("build", EDIT_ONE, ids=lambda f: f.__name__)


def random_problem(seed, batch=(), contexts=4, d=3, vocabulary=5):
    """Any log-linear policy with any two responses, tokens repeated and contexts revisited."""
    rng = np.random.default_rng(seed)
    policy = LogLinear(
        rng.standard_normal((contexts, d)), rng.standard_normal((contexts, vocabulary))
    )
    counts = rng.integers(0, 3, (2, *batch, contexts, vocabulary)).astype(float)
    return policy, Pair(*counts), rng.standard_normal((*batch, d, vocabulary))


def autograd(policy, counts, theta):
    """Log-probability of a response and its gradient, by torch."""
    theta = torch.tensor(theta, requires_grad=True)
    logits = torch.tensor(policy.features) @ theta + torch.tensor(policy.offsets)
    picked = torch.log_softmax(logits, -1)
    counts = torch.tensor(counts)
    logp = torch.where(counts > 0, counts * picked, torch.zeros_like(picked)).sum()
    return logp.item(), torch.autograd.grad(logp, theta)[0].numpy()


@pytest.mark.parametrize("seed", range(4))
def test_log_probabilities_scores_and_gram_are_those_of_autograd(seed):
    policy, pair, theta = random_problem(seed)
    seen = view(policy, pair, theta)
    logp_w, a = autograd(policy, pair.counts_w, theta)
    logp_l, b = autograd(policy, pair.counts_l, theta)
    assert seen.logp_w == pytest.approx(logp_w, rel=1e-13)
    assert seen.logp_l == pytest.approx(logp_l, rel=1e-13)
    np.testing.assert_allclose(seen.score_w, a, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(seen.score_l, b, rtol=1e-12, atol=1e-13)
    assert seen.gram.sq_w == pytest.approx((a * a).sum(), rel=1e-12)
    assert seen.gram.sq_l == pytest.approx((b * b).sum(), rel=1e-12)
    assert seen.gram.dot == pytest.approx((a * b).sum(), rel=1e-12)


@pytest.mark.parametrize("build", [single_token, *EDIT_ONE], ids=lambda f: f.__name__)
def test_the_toys_scores_are_those_of_autograd(build):
    problem = build()
    seen = view(problem.policy, problem.pair, problem.theta0)
    for counts, logp, score in (
        (problem.pair.counts_w, seen.logp_w, seen.score_w),
        (problem.pair.counts_l, seen.logp_l, seen.score_l),
    ):
        value, gradient = autograd(problem.policy, counts, problem.theta0)
        assert logp == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(score, gradient, rtol=1e-12, atol=1e-14)


@given(vocabulary=st.integers(2, 30), norm=st.floats(0.01, 100), draw=st.data())
def test_a_single_token_has_the_gram_of_theorem_1(vocabulary, norm, draw):
    m = draw.draw(st.integers(2, vocabulary))
    problem = single_token(vocabulary=vocabulary, candidates=m, hidden_norm=norm)
    gram = view(problem.policy, problem.pair, problem.theta0).gram
    assert gram.dot == pytest.approx(-(norm**2) / m, rel=1e-12)
    assert gram.sq_w == pytest.approx(norm**2 * (m - 1) / m, rel=1e-12)
    assert gram.sq_l == pytest.approx(norm**2 * (m - 1) / m, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_single_token_of_any_prediction_has_its_closed_form(seed):
    rng = np.random.default_rng(seed)
    h, theta = rng.standard_normal((1, 6)), rng.standard_normal((6, 9))
    counts = np.eye(9)
    seen = view(LogLinear(h, np.zeros((1, 9))), Pair(counts[4:5], counts[7:8]), theta)
    s = np.exp(seen.log_probs[0])
    expected = single_token_gram(s[4], s[7], (s**2).sum(), (h**2).sum())
    for got, want in zip(vars(seen.gram).values(), vars(expected).values(), strict=True):
        assert got == pytest.approx(want, rel=1e-12)


def suffix_start(problem):
    """What theory.models.toys wants to know of an edit-one problem."""
    probs = np.exp(problem.policy.log_probs(problem.theta0))
    m, after = problem.places.index(AT), probs[problem.places.index(AT) + 1 :]
    after_w, after_l = np.split(after, 2)
    return EditOne(probs[m, 0], probs[m, 1], after_w, after_l, np.zeros(len(after_w), int))


def test_without_a_uniform_prediction_a_single_token_can_have_entangled_scores():
    """Theorem 1's negative product needs its assumption; its conclusion does not."""
    logits = np.log([[0.1, 0.1, 0.8]])
    one = np.eye(3)
    gram = view(LogLinear(np.eye(1), logits), Pair(one[:1], one[1:2]), np.zeros((1, 3))).gram
    assert gram.dot == pytest.approx(0.46)
    assert gram.dot < min(gram.sq_w, gram.sq_l)


@pytest.mark.parametrize("seed", range(5))
def test_shared_logits_have_the_slope_of_theorem_3(seed):
    problem = edit_one_shared(seed=seed, suffix=6)
    gram = view(problem.policy, problem.pair, problem.theta0).gram
    assert gram.sq_w - gram.dot == pytest.approx(edit_one_slope(suffix_start(problem)), rel=1e-12)


@either
@given(seed=st.integers(0, 99), offset=st.floats(0, 5), spread=st.floats(0, 3))
def test_the_assumption_of_theorem_3_holds_at_the_start(build, seed, offset, spread):
    start = suffix_start(build(seed=seed, offset=offset, spread=spread))
    assert (start.after_w[:, 0] >= start.after_l[:, 0] - 1e-15).all()
    assert (start.after_w[:, 1:] <= start.after_l[:, 1:] + 1e-15).all()


def test_both_readings_start_from_the_same_distributions():
    shared, independent = edit_one_shared(seed=3), edit_one_independent(seed=3)
    np.testing.assert_array_equal(
        shared.policy.log_probs(shared.theta0), independent.policy.log_probs(independent.theta0)
    )


@either
def test_the_places_of_the_contexts(build):
    problem = build(prefix=2, suffix=3)
    assert problem.places == (BEFORE,) * 2 + (AT,) + (AFTER,) * 6
    seen = view(problem.policy, problem.pair, problem.theta0)
    for tokens, silent in ((seen.tokens_w, [6, 7, 8]), (seen.tokens_l, [3, 4, 5])):
        assert [i for i, v in enumerate(tokens) if v == 0] == silent
    assert [n.item() for n in problem.pair.lengths] == [6, 6]
    np.testing.assert_array_equal(seen.tokens_w[:2], seen.tokens_l[:2])


@either
def test_a_pair_without_prefix_and_suffix_is_a_single_token(build):
    problem = build(prefix=0, suffix=0, spread=0)
    assert problem.places == (AT,)
    gram = view(problem.policy, problem.pair, problem.theta0).gram
    assert gram.dot == pytest.approx(-1 / 10)


def test_a_batch_is_its_problems_one_by_one():
    policy, pair, theta = random_problem(7, batch=(3, 2))
    seen = view(policy, pair, theta)
    for i in np.ndindex(3, 2):
        one = view(policy, Pair(pair.counts_w[i], pair.counts_l[i]), theta[i])
        np.testing.assert_allclose(seen.logp_w[i], one.logp_w, rtol=1e-13)
        np.testing.assert_allclose(seen.tokens_l[i], one.tokens_l, rtol=1e-13)
        np.testing.assert_allclose(seen.gram.dot[i], one.gram.dot, rtol=1e-11, atol=1e-12)
    assert isinstance(seen.gram, Gram)


def test_features_may_differ_over_the_batch():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((6, 4, 3))
    _, pair, theta = random_problem(1)
    policy = LogLinear(features, np.zeros((4, 5)))
    seen = view(policy, pair, theta)
    assert seen.score_w.shape == (6, 3, 5)
    for i in range(6):
        one = view(LogLinear(features[i], np.zeros((4, 5))), pair, theta)
        np.testing.assert_allclose(seen.score_w[i], one.score_w, rtol=1e-12, atol=1e-13)


def test_huge_logits_do_not_overflow():
    problem = single_token()
    log_probs = problem.policy.log_probs(np.full((1, 10), 1e300))
    np.testing.assert_allclose(np.exp(log_probs[0, :5]).sum(), 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: single_token(candidates=1), "2 <= candidates <= vocabulary: got candidates 1"),
        (lambda: single_token(vocabulary=3, candidates=4), "set candidates between 2 and 3"),
        (lambda: single_token(hidden_norm=0), "positive finite norm: got 0"),
        (lambda: single_token(hidden_norm=np.nan), "positive finite norm: got nan"),
        (lambda: edit_one_shared(vocabulary=1), "vocabulary is finite and at least 2: got 1"),
        (lambda: edit_one_independent(suffix=-1), "suffix is finite and at least 0: got -1"),
        (lambda: edit_one_shared(prefix=-2), "prefix is finite and at least 0: got -2"),
        (lambda: edit_one_shared(spread=np.inf), "spread is finite and at least 0: got inf"),
        (lambda: edit_one_shared(offset=np.nan), "offset is finite: got nan"),
        (lambda: LogLinear(np.eye(2), np.zeros((3, 4))), r"got \(2, 2\) and \(3, 4\); give one"),
        (lambda: LogLinear(np.eye(2), np.zeros(2)), "one row of each per context"),
        (lambda: Pair(np.eye(2), np.eye(3)), r"got shapes \(2, 2\) and \(3, 3\); give zeros"),
        (lambda: Pair(np.eye(2), -np.eye(2)), "a count is at least zero: got -1.0"),
    ],
)
def test_bad_choices_are_refused_in_one_clear_line(make, message):
    with pytest.raises(ValueError, match=message):
        make()
