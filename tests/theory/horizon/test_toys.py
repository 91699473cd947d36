"""Both toys of the horizon: against a softmax built from features, trained by real steps."""

import mpmath
import numpy as np
import pytest
import sympy

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.horizon.balanced import BalancedBatch, Overlap
from disband.theory.horizon.band import horizon_changes
from disband.theory.horizon.suffix import SharedSuffix

D_W, D_L = 0.8, 1.1


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def suffix_model(toy):
    """Log-probabilities of both responses as a function of the shared logits ``(1 + m, 2)``."""
    m, p, q, s = toy
    at = np.log([[s, 1 - s]])
    after = np.log([[p, 1 - p]] * m)
    offset = np.log([[q, 1 - q]] * m) - after
    start = np.concatenate([at, after])

    def logps(theta):
        chosen, rejected = log_softmax(theta), log_softmax(theta + np.r_[0 * at, offset])
        after = [log[1:, 0].sum() for log in (chosen, rejected)]
        return np.array([chosen[0, 0] + after[0], rejected[0, 1] + after[1]])

    return start, logps


def gradient(function, theta, which):
    step, slopes = 1e-6, np.zeros_like(theta)
    for index in np.ndindex(theta.shape):
        move = np.zeros_like(theta)
        move[index] = step
        slopes[index] = (function(theta + move) - function(theta - move))[which] / (2 * step)
    return slopes


@pytest.mark.parametrize("toy", [SharedSuffix(3, 0.7, 0.4, 0.35), SharedSuffix(6, 0.2, 0.6, 0.5)])
def test_the_suffix_toy_is_a_softmax_with_shared_logits(toy):
    start, logps = suffix_model(toy)
    a, b = (gradient(logps, start, i) for i in (0, 1))
    gram = Gram.of_scores(a.ravel(), b.ravel())
    assert [gram.sq_w, gram.sq_l, gram.dot] == pytest.approx(
        [toy.gram.sq_w, toy.gram.sq_l, toy.gram.dot], abs=1e-8
    )
    update = D_W * a - D_L * b
    rays = toy.rays(D_W, D_L)
    for t in (0.02, 1.0, 7.0):
        real = logps(start + t * update) - logps(start)
        assert toy.changes(D_W, D_L, t) == pytest.approx(real, abs=1e-7)
        assert [float(ray.change(t)) for ray in rays] == pytest.approx(real, abs=1e-7)
    bends = toy.curvatures.along(D_W, D_L)
    assert [ray.curvature for ray in rays] == pytest.approx(bends)
    assert [ray.slope for ray in rays] == pytest.approx(first_order(D_W, D_L, toy.gram))
    predicted = horizon_changes(D_W, D_L, toy.gram, toy.curvatures, 1e-3)
    assert predicted == pytest.approx(toy.changes(D_W, D_L, 1e-3), abs=1e-8)


def test_the_suffix_toy_turns_where_it_says_or_never():
    for q in (0.3, 0.6):
        toy = SharedSuffix(2, 0.6, q, 0.5)
        for ratio in (1.0, 1.2, 1.8, 3.0):
            ray, rejected = toy.rays(ratio, 1.0)
            assert (ray.turning_time() == np.inf) == (ratio >= toy.lasting_ratio)
            assert rejected.final_slope < 0
            slope, bend = ray.slope, ray.curvature
            assert toy.turning_time(ratio, 1.0) == pytest.approx(
                -2 * slope / bend if slope > 0 else np.inf
            )


def test_symbols_and_many_digits_give_the_same_changes():
    toy = SharedSuffix(*sympy.symbols("m p q s"))
    d_w, d_l, t = sympy.symbols("d_w d_l t")
    at = dict(zip((*toy, d_w, d_l, t), (3, 0.7, 0.4, 0.35, D_W, D_L, 2.0), strict=True))
    numbers = SharedSuffix(3, 0.7, 0.4, 0.35).changes(D_W, D_L, 2.0)
    for formula, number in zip(toy.changes(d_w, d_l, t, sympy), numbers, strict=True):
        assert float(formula.subs(at)) == pytest.approx(number)
    (digits, _) = SharedSuffix(3, 0.7, 0.4, 0.35).changes(D_W, D_L, 2.0, mpmath)
    assert float(digits) == pytest.approx(numbers[0])


BATCH = BalancedBatch(
    4, 5, Overlap(2.0, 0.5, 1.5), Overlap(1.0, 0.25, 0.5), p_w=0.3, p_l=0.5, s_pos=0.25, s_neg=0.15
)


def test_the_balanced_batch_is_one_linear_head_on_hidden_states():
    batch, n = BATCH, BATCH.pairs
    labels = np.array([1, 1, -1, -1])
    # Hidden states with the products that the toy names: a common, a label and an own direction.
    at = np.column_stack([np.full(n, 2.0**0.5), labels * 0.5**0.5, 1.5**0.5 * np.eye(n)])
    after = np.column_stack(
        [np.full(n, 1 / 2.0**0.5), labels * 0.25 / 0.5**0.5, 0.5 / 1.5**0.5 * np.eye(n)]
    )
    products = at @ after.T
    assert products[0] == pytest.approx([1.75, 1.25, 0.75, 0.75])
    at_rows = np.where(labels[:, None] > 0, [[0.3, 0.5, 0.2]], [[0.5, 0.3, 0.2]])
    suffix_row = np.array([0.25, 0.15, 0.6])
    step = np.outer(at.T @ labels / n, [1.0, -1.0, 0.0])  # mean of σ(e₊ − e₋) ⊗ h
    for t in (1e-3, 0.7, 6.0):
        label = log_softmax(np.log(at_rows) + t * at @ step)
        suffix = log_softmax(np.log(suffix_row) + t * after @ step)
        chosen = np.where(labels > 0, label[:, 0], label[:, 1]) - np.log(0.3)
        tail = batch.m * (suffix[:, 2] - np.log(0.6))
        assert batch.change(t) == pytest.approx((chosen + tail).mean(), abs=1e-12)
        assert batch.rays().change(t) == pytest.approx((chosen + tail)[[0, 2]], abs=1e-12)
        assert tail.mean() < 0
    assert batch.rays().slope.mean() == pytest.approx(batch.slope())
    assert batch.rays().curvature.mean() == pytest.approx(batch.curvature())
    assert batch.turning_time() == pytest.approx(-2 * batch.slope() / batch.curvature())
    # A step on the first pair alone moves its own label logits by the whole product.
    alone = np.outer(at[0], [1.0, -1.0, 0.0])
    assert (at[0] @ alone)[0] == pytest.approx(batch.at.alone())
    unbalanced = np.outer(at.T @ np.array([1, 1, 1, -1]) / n, [1.0, -1.0, 0.0])
    assert (after[2] @ unbalanced)[0] != pytest.approx(0.0)


def test_the_common_part_moves_an_unbalanced_batch():
    n, labels = 4, np.array([1, 1, 1, -1])
    overlap = Overlap(2.0, 0.0, 1.5)
    at = np.column_stack([np.full(n, 2.0**0.5), 1.5**0.5 * np.eye(n)])
    moves = at @ (at.T @ labels) / n
    said = [overlap.together(n, sign, labels.mean()) for sign in labels]
    assert moves == pytest.approx(said)
