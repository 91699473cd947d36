"""DPO by masked token incentives in the edit-one toy: what it spares, and where it fails."""

import numpy as np
import pytest

from disband.sims.methods.masks import masked_loss
from disband.sims.pairs.descent import train
from disband.sims.pairs.masked import PLAIN_STEPS, masked_run
from disband.sims.pairs.policies import edit_one_shared, view
from disband.theory.objectives import DPO

SUFFIX = slice(2, 6)


def toy(seed):
    return edit_one_shared(vocabulary=10, prefix=1, suffix=4, seed=seed)


def run(seed, price, steps=30):
    return masked_run(toy(seed), price=price, beta=1.0, lr=0.5, steps=steps)


def dpo(seed, steps=30):
    problem = toy(seed)
    return train(
        problem.policy, problem.pair, problem.theta0, DPO, lr=0.5, steps=steps, hyper={"beta": 1.0}
    )


def fall(tokens_w):
    return (tokens_w[-1] - tokens_w[0])[SUFFIX].sum()


def test_while_every_token_is_kept_it_is_dpo():
    masked, plain = run(0, 0.1, PLAIN_STEPS), dpo(0, PLAIN_STEPS)
    np.testing.assert_allclose(masked.tokens_w, plain.tokens_w, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(masked.tokens_l, plain.tokens_l, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(masked.ahead_w, plain.ahead_w[:-1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(masked.ahead_l, plain.ahead_l[:-1], rtol=1e-12, atol=1e-14)


def test_a_step_descends_the_masked_loss():
    """Against finite differences of the loss itself in every logit, masks held fixed."""
    problem, masked = toy(1), run(1, 0.03, steps=3)
    start = view(problem.policy, problem.pair, problem.theta0)
    theta = train(
        problem.policy, problem.pair, problem.theta0, DPO, lr=0.5, steps=2, hyper={"beta": 1.0}
    ).theta
    masks = type(masked.masks)(*(mask[2] for mask in masked.masks))
    assert 0 < sum(mask.sum() for mask in masks) < 12

    def loss(at):
        now = view(problem.policy, problem.pair, at)
        ratios = (now.tokens_w - start.tokens_w, now.tokens_l - start.tokens_l)
        return float(masked_loss(*ratios, masks))

    move = np.zeros_like(theta)
    for entry in np.ndindex(theta.shape):
        nudge = np.zeros_like(theta)
        nudge[entry] = 1e-6
        move[entry] = -0.5 * (loss(theta + nudge) - loss(theta - nudge)) / 2e-6
    after = view(problem.policy, problem.pair, theta + move)
    np.testing.assert_allclose(after.tokens_w, masked.tokens_w[3], atol=1e-8)
    np.testing.assert_allclose(after.tokens_l, masked.tokens_l[3], atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_dear_masks_pick_the_differing_token_and_spare_the_suffix(seed):
    masked = run(seed, 0.1)
    for mask in masked.masks:
        assert set(np.flatnonzero(mask[PLAIN_STEPS:].any(0))) <= {1}
    assert fall(dpo(seed).tokens_w) < 2 * fall(masked.tokens_w) < 0


@pytest.mark.parametrize("seed", range(4))
def test_failure_cheap_masks_keep_the_rejected_suffix_and_make_it_worse(seed):
    masked = run(seed, 0.01)
    assert not masked.masks.mask_w[-1, 2:].any()
    assert masked.masks.mask_l[-1, 2:].any()
    assert fall(masked.tokens_w) < fall(dpo(seed).tokens_w)


def test_failure_at_too_high_a_price_nothing_moves_and_the_needed_one_is_told():
    needed = run(0, 1.0).needed
    for price, moves in ((needed * 1.001, False), (needed * 0.999, True)):
        masked = run(0, price)
        assert any(mask[PLAIN_STEPS].any() for mask in masked.masks) == moves
        assert bool((masked.tokens_w[-1] != masked.tokens_w[PLAIN_STEPS]).any()) == moves


def test_a_price_is_at_least_zero_however_short_the_run():
    with pytest.raises(ValueError, match="price at least zero"):
        run(0, -0.1, steps=1)
