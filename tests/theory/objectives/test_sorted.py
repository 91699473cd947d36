"""Objectives that sort the batch: against autograd through the sort, and what a sort leaves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from disband.theory.objectives import AOT, AOT_UNPAIRED, BATCH_OBJECTIVES, CDPO, DPO
from disband.theory.objectives.sorted import BatchObjective
from disband.verify.strategies import data_batches

each = pytest.mark.parametrize("objective", BATCH_OBJECTIVES, ids=lambda o: o.name)


def batch(seed, n=17):
    return -30 * np.random.default_rng(seed).random((4, n))


def transcribed(name, w, loser, ref_w, ref_l, beta, smoothing):
    """TRL 1.16, loss_type aot and aot_unpaired, written down from its source."""
    if name == "AOT":
        ratios, ref_ratios = w - loser, ref_w - ref_l
        delta = torch.sort(ratios)[0] - torch.sort(ref_ratios)[0]
    else:
        delta = torch.sort(w - ref_w)[0] - torch.sort(loser - ref_l)[0]
    logsigmoid = torch.nn.functional.logsigmoid
    return -logsigmoid(beta * delta) * (1 - smoothing) - logsigmoid(-beta * delta) * smoothing


@each
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_incentives_are_the_gradient_through_the_sort(objective, smoothing, seed):
    data = [torch.tensor(v, requires_grad=i < 2) for i, v in enumerate(batch(seed))]
    loss = transcribed(objective.name, *data, 0.3, smoothing)
    grad_w, grad_l = torch.autograd.grad(loss.sum(), data[:2])
    hyper = {"beta": 0.3}
    if smoothing:
        hyper["epsilon"] = smoothing
        objective = BatchObjective(objective.name, CDPO, objective.rearrange, "a test")
    d_w, d_l = objective.incentives(*batch(seed), **hyper)
    np.testing.assert_allclose(d_w, -grad_w, rtol=1e-12)
    np.testing.assert_allclose(d_l, grad_l, rtol=1e-12)
    found = np.sort(objective.loss(*batch(seed), **hyper))
    np.testing.assert_allclose(found, np.sort(loss.detach()), rtol=1e-12)


@given(data_batches(6))
@settings(max_examples=30)
def test_a_pair_that_keeps_its_partner_has_dpo_s_incentives(data):
    """Sorted already, nothing is rearranged: AOT is DPO on the sorted batch."""
    w, loser, ref_w, ref_l = data[:4]
    by_policy, by_reference = np.argsort(w - loser), np.argsort(ref_w - ref_l)
    columns = w[by_policy], loser[by_policy], ref_w[by_reference], ref_l[by_reference]
    for found, what in zip(AOT.incentives(*columns), ("d_w", "d_l"), strict=True):
        np.testing.assert_allclose(found, DPO.kernel(what)(*columns, 1, 1), rtol=1e-14)


@given(data_batches(5))
@settings(max_examples=30)
def test_the_order_of_the_batch_is_no_matter(data):
    columns = np.array(data[:4])
    turn = np.array([3, 1, 4, 0, 2])
    for objective in BATCH_OBJECTIVES:
        straight, turned = (objective.incentives(*c) for c in (columns, columns[:, turn]))
        for one, other in zip(straight, turned, strict=True):
            np.testing.assert_allclose(np.sort(one), np.sort(other), rtol=1e-12)


@each
def test_a_batch_of_one_is_dpo(objective):
    pair = batch(5, 1)
    for found, what in zip(objective.incentives(*pair), ("d_w", "d_l"), strict=True):
        np.testing.assert_allclose(found, DPO.kernel(what)(*pair, 1, 1), rtol=1e-12)


def test_unpaired_responses_of_one_pair_differ_in_their_incentives():
    d_w, d_l = AOT_UNPAIRED.incentives(*batch(1))
    assert not np.allclose(d_w, d_l)
    np.testing.assert_allclose(np.sort(d_w), np.sort(d_l), rtol=1e-12)


@each
def test_ragged_batches_are_refused(objective):
    with pytest.raises(ValueError, match=r"four arrays of one length: got .*; pass \(batch,\)"):
        objective.incentives(*batch(0)[:3], [-1.0])
