"""Token masks: their loss, their gradients, and the exact minimiser, against plain ways."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disband.sims.methods.masks import Masks, best_masks, masked_incentives, masked_loss
from disband.theory.objectives import DPO

ratios = st.lists(st.integers(-12, 12).map(lambda n: n / 4), min_size=1, max_size=3)


def full(ratios_w, ratios_l):
    return Masks(np.ones(len(ratios_w)), np.ones(len(ratios_l)))


def transcription(t_w, t_l, masks, beta, eta):
    """The printed loss with a β, in torch."""
    margin = beta * (masks[0] * t_w).sum(-1) - beta * (masks[1] * t_l).sum(-1)
    size = masks[0].abs().sum(-1) + masks[1].abs().sum(-1)
    return -torch.nn.functional.logsigmoid(margin) + eta * size


@pytest.mark.parametrize("seed", range(3))
def test_loss_and_incentives_are_those_of_autograd(seed):
    rng = np.random.default_rng(seed)
    t_w, t_l = (torch.tensor(rng.standard_normal((2, n)), requires_grad=True) for n in (4, 3))
    ours = Masks(rng.random((2, 4)), rng.random((2, 3)))
    loss = transcription(t_w, t_l, [torch.tensor(mask) for mask in ours], 0.7, 0.2)
    loss.sum().backward()
    arrays = [v.detach().numpy() for v in (t_w, t_l)]
    got = masked_loss(*arrays, ours, beta=0.7, eta=0.2)
    np.testing.assert_allclose(got, loss.detach().numpy(), rtol=1e-12)
    d_w, d_l = masked_incentives(*arrays, ours, beta=0.7)
    np.testing.assert_allclose(d_w, -t_w.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(d_l, t_l.grad.numpy(), rtol=1e-12)


def test_with_every_token_it_is_dpo():
    t_w, t_l = np.array([0.5, -1.0]), np.array([0.25, 0.25])
    data = (t_w.sum() - 9, t_l.sum() - 7, -9.0, -7.0, 2, 2)
    loss = masked_loss(t_w, t_l, full(t_w, t_l), beta=0.3, eta=0.1)
    assert loss == pytest.approx(DPO.kernel(beta=0.3)(*data) + 0.1 * 4)
    d_w, d_l = masked_incentives(t_w, t_l, full(t_w, t_l), beta=0.3)
    np.testing.assert_allclose(d_w, DPO.kernel("d_w", beta=0.3)(*data), rtol=1e-12)
    np.testing.assert_allclose(d_l, d_w)


@given(ratios_w=ratios, ratios_l=ratios, eta=st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_no_other_mask_has_a_lower_loss(ratios_w, ratios_l, eta):
    best = best_masks(ratios_w, ratios_l, eta=eta)
    least = masked_loss(ratios_w, ratios_l, best, eta=eta)
    for corner in itertools.product([0.0, 0.3, 1.0], repeat=len(ratios_w) + len(ratios_l)):
        other = np.array(corner)
        masks = Masks(other[: len(ratios_w)], other[len(ratios_w) :])
        assert least <= masked_loss(ratios_w, ratios_l, masks, eta=eta) + 1e-12


@given(ratios_w=ratios, ratios_l=ratios, eta=st.sampled_from([0.05, 0.3]))
def test_the_best_masks_meet_their_conditions(ratios_w, ratios_l, eta):
    """Kept where a token is worth its price, dropped where not, at most one in part."""
    best = best_masks(ratios_w, ratios_l, beta=2.0, eta=eta)
    masks = np.concatenate(best)
    gains = np.concatenate([ratios_w, -np.array(ratios_l)])
    margin = 2.0 * (masks * gains).sum()
    push = 2.0 / (1 + np.exp(margin))
    assert ((masks > 0) & (masks < 1)).sum() <= 1
    assert (push * gains[masks == 1] >= eta - 1e-12).all()
    assert (push * gains[masks == 0] <= eta + 1e-12).all()
    part = (masks > 0) & (masks < 1)
    np.testing.assert_allclose(push * gains[part], eta, rtol=1e-9)


def test_a_batch_is_masked_row_by_row():
    rng = np.random.default_rng(1)
    t_w, t_l = rng.standard_normal((5, 1, 3)), rng.standard_normal((2, 4))
    best = best_masks(t_w, t_l, eta=0.1)
    assert best.mask_w.shape == (5, 2, 3)
    for i, j in np.ndindex(5, 2):
        alone = best_masks(t_w[i, 0], t_l[j], eta=0.1)
        np.testing.assert_array_equal(best.mask_w[i, j], alone.mask_w)
        np.testing.assert_array_equal(best.mask_l[i, j], alone.mask_l)


def test_failure_at_the_reference_every_mask_is_empty_and_nothing_learns():
    best = best_masks(np.zeros(4), np.zeros(3), eta=0.01)
    assert not np.concatenate(best).any()
    assert not np.concatenate(masked_incentives(np.zeros(4), np.zeros(3), best)).any()


def test_below_twice_the_price_no_token_is_significant():
    assert not best_masks([0.0199], [-0.0199], eta=0.01).mask_w.any()
    assert 0 < best_masks([0.0201], [0.0], eta=0.01).mask_w[0] < 1


def test_failure_a_rejected_token_that_fell_is_kept():
    best = best_masks([0.5], [-3.0], eta=0.05)
    assert best.mask_l[0] > 0


def test_masks_weigh_finite_ratios_with_weights_in_range():
    with pytest.raises(ValueError, match="finite log-ratios"):
        best_masks([np.nan], [0.0])
    for weights in ({"beta": 0.0}, {"eta": -1.0}, {"eta": np.inf}):
        with pytest.raises(ValueError, match="beta is positive"):
            best_masks([1.0], [0.0], **weights)
