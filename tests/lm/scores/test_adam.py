"""Scores in the metric of Adam, and along its actual steps."""

import numpy as np
import pytest
import torch

from disband.lm.model.gpt2 import logp
from disband.lm.scores.grams import adam_preconditioner, directional, pair_gram
from tests.lm.tiny_models import pairs, tiny


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_adams_preconditioner_is_what_it_scales_a_gradient_by(kind, amsgrad):
    model = tiny("gpt2").eval()
    optimizer = kind(model.parameters(), lr=0.1, betas=(0.0, 0.9), weight_decay=0, amsgrad=amsgrad)
    for shrink in (1.0, 0.1):
        optimizer.zero_grad()
        (shrink * logp(model, pairs()[0]).sum()).backward()
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        optimizer.step()
    scale = adam_preconditioner(optimizer, model)
    # Without momentum a step is the rate times the scaled gradient.
    for name, parameter in model.named_parameters():
        step = before[name] - parameter.detach()
        np.testing.assert_allclose(step, 0.1 * scale[name] * parameter.grad, 1e-9, 1e-12)
    assert np.all(pair_gram(model, *pairs(), preconditioner=scale).sq_w > 0)


def test_an_optimizer_without_second_moments_is_refused():
    model = tiny("gpt2")
    with pytest.raises(TypeError, match="got SGD"):
        adam_preconditioner(torch.optim.SGD(model.parameters()), model)
    with pytest.raises(ValueError, match="make a step first"):
        adam_preconditioner(torch.optim.AdamW(model.parameters()), model)


def test_a_step_moves_the_log_probabilities_by_the_directional_products():
    model = tiny("gpt2").eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=5.0)
    for chosen_first in (False, True, True):  # memory of another gradient, then decay on top
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        with torch.no_grad():
            start = torch.cat([logp(model, b) for b in pairs()])
        optimizer.zero_grad()
        loss = logp(model, pairs()[not chosen_first]).sum()
        (-loss).backward()
        optimizer.step()
    update = {n: p.detach() - before[n] for n, p in model.named_parameters()}
    with torch.no_grad():
        moved = (torch.cat([logp(model, b) for b in pairs()]) - start).numpy()
        for n, p in model.named_parameters():
            p.copy_(before[n])
    got = directional(model, *pairs(), update)
    np.testing.assert_allclose(got, moved, rtol=0, atol=1e-3 * np.abs(moved).max())
    without = {n: u + 1e-5 * 5.0 * before[n] for n, u in update.items()}
    assert np.abs(directional(model, *pairs(), without) - moved).max() > 3e-3 * np.abs(moved).max()
