"""The curvature along an update is that of the Hessian, exactly and by differences."""

import numpy as np
import pytest
import torch

from disband import curvature
from disband.lm.model.gpt2 import logp, token_logp
from disband.lm.scores.grams import directional
from tests.lm.tiny_models import rows, tiny

PROMPTS, ANSWERS = [[3, 4, 5], [6, 7]], [[8, 9], [10, 11, 12]]
KINDS = ("gpt2", "llama", "gemma", "mixtral", "bloom", "lora")


def case(kind):
    """A model, a batch, and a random update of its trained parameters."""
    model = tiny(kind).eval()
    generator = torch.Generator().manual_seed(1)
    update = {
        name: torch.randn(p.shape, generator=generator, dtype=p.dtype) * 0.1
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    return model, rows(PROMPTS, ANSWERS), update


def along_hessian(model, value, update):
    """Slope and curvature of one number by two backward passes."""
    named = {n: p for n, p in model.named_parameters() if n in update}
    slopes = torch.autograd.grad(value, list(named.values()), create_graph=True)
    slope = sum((g * update[n]).sum() for n, g in zip(named, slopes, strict=True))
    second = torch.autograd.grad(slope, list(named.values()), allow_unused=True)
    bends = ((g * update[n]).sum() for n, g in zip(named, second, strict=True) if g is not None)
    return slope.item(), sum(bends).item()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_hessians(kind):
    model, batch, update = case(kind)
    exact = curvature(model, batch, update)
    twice = tiny(kind, attention="eager").eval()  # has a second derivative, with the same weights
    for (i, k), counted in np.ndenumerate(batch.response[:, -3:].numpy()):
        if counted:
            wanted = along_hessian(twice, token_logp(twice, batch)[i, k], update)
            got = exact.slope[i, k], exact.curvature[i, k]
            np.testing.assert_allclose(
                got, wanted, rtol=1e-5, atol=1e-6
            )  # some models have float32 inside


@pytest.mark.parametrize("kind", ["gpt2", "bloom", "lora"])
def test_differences_of_few_forward_passes_give_the_same(kind):
    model, batch, update = case(kind)
    calls = []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    near = curvature(model, batch, update, exact=False)
    assert len(calls) in (3, 4)
    exact = curvature(model, batch, update)
    np.testing.assert_allclose(near.curvature, exact.curvature, rtol=0.02, atol=0.02)
    np.testing.assert_allclose(near.slope, exact.slope, rtol=0.01, atol=0.01)


def test_slopes_of_responses_are_products_of_their_scores_with_the_update():
    model, batch, update = case("gpt2")
    slope = curvature(model, batch, update).responses[0]
    products = directional(model, batch, batch, update)[: len(batch)]
    np.testing.assert_allclose(slope, products, rtol=1e-8)


def test_in_float32_the_step_is_long_enough_for_rounding():
    model, batch, update = case("gpt2")
    wanted = curvature(model, batch, update).responses[1]
    half = {name: value.float() for name, value in update.items()}
    got = curvature(model.float(), batch, half, exact=False)
    np.testing.assert_allclose(got.responses[1], wanted, rtol=0.02)
    careless = curvature(model, batch, half, exact=False, step=got.step / 100)
    assert np.abs(careless.responses[1] - wanted).max() > np.abs(got.responses[1] - wanted).max()


def test_it_changes_neither_mode_nor_gradients():
    model, batch, update = case("lora")
    model.train()
    before = logp(model.eval(), batch).sum().item()
    model.train()
    curvature(model, batch, update)
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert logp(model.eval(), batch).sum().item() == before


def test_an_update_that_does_not_fit_or_moves_nothing_is_refused():
    model, batch, update = case("gpt2")
    name = next(iter(update))
    with pytest.raises(ValueError, match="names and shapes"):
        curvature(model, batch, {name: torch.zeros(1)})
    with pytest.raises(ValueError, match="zeros alone"):
        curvature(model, batch, {name: torch.zeros_like(update[name])})
