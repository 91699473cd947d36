"""Models are of one kind, and proved once, only where nothing tells them apart."""

from functools import partial

import pytest
import torch
from transformers.models.gpt2 import modeling_gpt2

from disband.lm.scores import proof
from disband.lm.scores.grams import pair_gram
from disband.lm.scores.kind import kind_of
from tests.lm.tiny_models import pairs, tiny


def test_a_model_of_a_kind_that_is_proved_is_proved_already(monkeypatch):
    first, second = tiny("gpt2"), tiny("gpt2")
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.mul_(1.5)
    pair_gram(first, *pairs())

    def again(*_, **__):
        pytest.fail("it was proved again")

    for step in ("_by_autograd", "_same_reading"):
        monkeypatch.setattr(proof, step, again)
    pair_gram(second, *pairs())


def scaled(model, _):
    model.transformer.h[1].attn.scaling *= 2


def own_forward(model, _):
    model.transformer.ln_f.forward = model.transformer.ln_f.forward


def hooked(model, _):
    model.transformer.h[0].register_forward_hook(lambda *_: None)


def other_constant(model, _):
    model.transformer.wte.register_buffer("offset", torch.ones(1))


def configured(model, _):
    model.config.n_ctx = 99


def of_float(model, _):
    model.float()


def tied(model, _):
    model.transformer.h[1].ln_2.weight = model.transformer.h[1].ln_1.weight


def patched_class(_, monkeypatch):
    forward = modeling_gpt2.GPT2MLP.forward
    monkeypatch.setattr(modeling_gpt2.GPT2MLP, "forward", lambda *args: forward(*args) * 2)


def patched_function(_, monkeypatch):
    forward = modeling_gpt2.eager_attention_forward
    monkeypatch.setattr(modeling_gpt2, "eager_attention_forward", partial(forward))


@pytest.mark.parametrize(
    "change",
    [
        scaled, own_forward, hooked, other_constant, configured, of_float, tied, patched_class,
        patched_function,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_whatever_is_changed_makes_another_kind(change, monkeypatch):
    model = tiny("gpt2")
    before = kind_of(model)
    assert before == kind_of(tiny("gpt2"))
    change(model, monkeypatch)
    assert kind_of(model) != before
