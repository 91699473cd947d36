"""One pass over each prompt gives what two give: values and gradients, or a refusal."""

import pytest
import torch

from disband.lm.model.gpt2 import join, token_logp
from disband.lm.model.shared import require_shareable, shared_token_logp
from tests.lm.tiny_models import pairs, rows, tiny

# Absolute errors; parts of the others compute in float32 whatever their weights are.
ROUNDING = {"gpt2": 1e-10, "lora": 1e-10, "llama": 3e-6, "qwen3": 3e-6, "gemma": 3e-6}


def gradients(model, values):
    trained = [p for p in model.parameters() if p.requires_grad]
    weights = torch.linspace(-1, 2, values.numel(), dtype=values.dtype).view_as(values)
    return torch.autograd.grad((values * weights).sum(), trained)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ROUNDING)
def test_values_and_gradients_are_those_of_two_passes(kind, attention):
    model = tiny(kind, attention=attention).eval()
    both = pairs()
    if kind not in ("gpt2", "lora") and attention == "eager":
        # In float64, what transformers makes of padding is no number.
        model.float()
    together, apart = shared_token_logp(model, *both), token_logp(model, join(*both))
    whole = next(model.parameters()).dtype is torch.float32
    within = {"rtol": 1e-4, "atol": 1e-4} if whole else {"rtol": 1e-9, "atol": ROUNDING[kind]}
    torch.testing.assert_close(together, apart, **within)
    for one, other in zip(gradients(model, together), gradients(model, apart), strict=True):
        torch.testing.assert_close(one, other, **within)
    require_shareable(model, *both)


def test_padding_on_either_side_changes_nothing():
    model = tiny("llama").eval()
    torch.testing.assert_close(
        shared_token_logp(model, *pairs("right", extra=3)), shared_token_logp(model, *pairs())
    )


@pytest.mark.parametrize("kind", ["mistral", "bloom", "mamba", "gemma2"])
def test_a_model_whose_tokens_reach_each_other_otherwise_is_refused(kind):
    # A window counts the chosen response's tokens; a recurrence reads them.
    with pytest.raises(ValueError, match="cannot read both responses of a pair in one pass"):
        require_shareable(tiny(kind).eval(), *pairs())


def test_other_prompts_are_refused():
    both = rows([[5, 6], [7, 8]], [[9], [9]]), rows([[5, 6], [7, 9]], [[4], [4]])
    with pytest.raises(ValueError, match="those of row 1 have two"):
        shared_token_logp(tiny("gpt2").eval(), *both)
