"""Whatever a model does with prompts, padding and layers, its products are exact, or it is said."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from disband.lm.scores import measurement, proof
from disband.lm.scores.grams import (
    SeparateReading,
    SlowScores,
    batch_gram,
    contributions,
    directional,
    pair_gram,
    token_gram,
)
from disband.lm.scores.layout import together
from tests.lm.scores.materialised import flat, response_scores, token_scores
from tests.lm.tiny_models import one, pairs, rows, tiny


def said_while(measure):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measure()
    return {w.category for w in caught}


def exact(model, tolerance=1e-12, batches=None):
    """See that all products are those of written-out scores, and give the warnings' classes."""
    batches = pairs() if batches is None else batches
    s = np.concatenate([response_scores(model, batch) for batch in batches])
    t = np.concatenate([token_scores(model, one(batch, 2)) for batch in batches])
    size = np.linalg.norm(s, axis=1)
    n = len(batches[0])
    update = {name: torch.randn_like(p) for name, p in model.named_parameters() if p.requires_grad}

    def measure():
        close(batch_gram(model, *batches), s @ s.T)
        gram = pair_gram(model, *batches)
        for got, x, y in ((gram.sq_w, s[:n], s[:n]), (gram.dot, s[:n], s[n:])):
            scale = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
            assert np.max(np.abs(got - (x * y).sum(1)) / scale) < tolerance
        whole = sum(part.sq_l for part in contributions(model, *batches).values())
        np.testing.assert_allclose(whole, size[n:] ** 2, rtol=tolerance)
        moved = directional(model, *batches, update)
        assert np.max(np.abs(moved - s @ flat(update)) / size) < tolerance * 1e2
        close(token_gram(model, *(one(batch, 2) for batch in batches)), t @ t.T)

    def close(got, expected):
        norms = np.sqrt(np.diagonal(expected))
        assert np.max(np.abs(got - expected) / np.outer(norms, norms)) < tolerance

    return said_while(measure)


# Attention of the first three, and of Gemma, is computed in float32.
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("mpt", 1e-6), ("gpt-neo", 1e-6), ("bart", 1e-12), ("roformer", 1e-12)],
)
def test_models_that_count_places_by_themselves_are_exact_after_a_shared_prompt(kind, tolerance):
    assert SeparateReading not in exact(tiny(kind), tolerance)


def test_places_from_another_start_are_exact_and_where_a_token_is_padding_it_is_said():
    assert SeparateReading in exact(tiny("roberta"))
    batches = [
        rows([[9, 6], [7, 8, 4], [3]], last) for last in ([[8], [9], [7, 2]], [[1], [3, 1], [4]])
    ]
    assert SeparateReading not in exact(tiny("roberta"), batches=batches)


@pytest.mark.parametrize("kind", ["gemma2", "xlnet"])
def test_a_model_that_padding_or_later_tokens_disturb_is_read_text_by_text(kind):
    assert exact(tiny(kind), 1e-9) == {SeparateReading, SlowScores}


def test_a_model_that_remembers_the_length_it_has_read_is_refused():
    with pytest.raises(ValueError, match="depends on how long a text it has read before"):
        pair_gram(tiny("dynamic"), *pairs())


@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("kind", ["PromptTuning", "PromptEncoder", "PrefixTuning"])
def test_adapters_of_virtual_tokens_are_exact(kind):
    peft = pytest.importorskip("peft")
    settings = {"task_type": "CAUSAL_LM", "num_virtual_tokens": 3}
    if kind == "PromptEncoder":
        settings["encoder_hidden_size"] = 8
    config = getattr(peft, f"{kind}Config")(**settings)
    assert SeparateReading in exact(peft.get_peft_model(tiny("gpt2"), config).double())


def misplaced(model, after):
    """A model that puts tokens one place too far where it goes on from a longer prompt."""
    forward = model.transformer.forward

    def one_off(ids, past_key_values=None, position_ids=None, **named):
        start = past_key_values.get_seq_length() if past_key_values is not None else 0
        if start > after:
            position_ids = start + 1 + torch.arange(ids.shape[1])[None].expand(len(ids), -1)
        return forward(ids, past_key_values=past_key_values, position_ids=position_ids, **named)

    model.transformer.forward = one_off
    return model


def forgetful(model):
    """A model whose memory of a prompt passes no gradient on."""
    attention = model.transformer.h[1].attn.forward

    def without_gradient(hidden, past_key_values=None, **named):
        if past_key_values is not None and past_key_values.layers[1].keys is not None:
            layer = past_key_values.layers[1]
            layer.keys, layer.values = layer.keys.detach(), layer.values.detach()
        return attention(hidden, past_key_values=past_key_values, **named)

    model.transformer.h[1].attn.forward = without_gradient
    return model


def test_a_reading_that_fails_is_given_up_and_one_that_always_fails_says_why():
    model = tiny("gpt2")
    forward = model.transformer.forward

    def single(ids, **named):
        if len(ids) > 1 or ids[0, 0] == 60:
            raise IndexError("one text at a time")
        return forward(ids, **named)

    model.transformer.forward = single
    assert SeparateReading in exact(model)
    starts_with_60 = [rows([[60, 3]], [[answer]]) for answer in (1, 2)]
    with pytest.raises(IndexError, match="one text at a time"):
        said_while(lambda: pair_gram(model, *starts_with_60))


@pytest.mark.parametrize(
    "fault", [lambda model: misplaced(model, 0), forgetful], ids=["misplaced", "forgetful"]
)
def test_where_a_prompt_cannot_be_shared_it_is_read_twice_and_that_is_said(fault):
    assert exact(fault(tiny("gpt2"))) == {SeparateReading}


def test_a_fault_that_begins_at_a_length_is_seen_when_texts_get_there():
    model = misplaced(tiny("gpt2"), after=3)
    assert not exact(model)  # one of these prompts is short, and no more of the others is shared
    model = misplaced(tiny("gpt2"), after=9)
    assert not exact(model)
    prompts = [[*range(20, 33)]] * 3
    batches = [rows(prompts, [[token, 9]] * 3) for token in (5, 7)]
    assert exact(model, batches=batches) == {SeparateReading}
    model = misplaced(tiny("gpt2"), after=3)
    long = [[10, 11, 5, 4, 6, 2], [12, 13, 4, 7, 7, 1], [3, 8, 9, 2, 1, 4]]
    answers = [[7, 8, 9], [5, 3, 2], [4, 9, 1]]
    batches = [rows(long, answers), rows(long, answers[::-1])]
    assert exact(model, batches=batches) == {SeparateReading}


class ScaledFirstRMSNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(1 + 0.3 * torch.randn(size).double())

    def unit(self, value):
        return value * torch.rsqrt(value.square().mean(-1, keepdim=True) + 1e-6)

    def forward(self, value):
        return self.unit(self.weight * value)


class SquaredRMSNorm(ScaledFirstRMSNorm):
    def forward(self, value):
        return self.weight.square() * self.unit(value)


class GatedRMSNorm(ScaledFirstRMSNorm):
    def forward(self, value, *, gate):
        return self.weight * self.unit(value) * torch.sigmoid(gate)


class TinyScaledWordEmbedding(nn.Embedding):
    def forward(self, ids):
        return super().forward(ids) * 3.0


def with_norm(kind):
    def change(model):
        model.transformer.h[1].ln_2 = kind(16)

    return change


def with_gate(model):
    block = model.transformer.h[1]
    block.mlp.norm = GatedRMSNorm(16)
    run = block.mlp.forward
    block.mlp.forward = lambda hidden: run(block.mlp.norm(hidden, gate=hidden))


def with_own_forward(model):
    layer = model.transformer.h[0].mlp.c_fc = nn.Linear(16, 64).double()
    layer.forward = lambda value: linear(value, layer.weight.tanh(), layer.bias)


def with_a_weight_read_elsewhere(model):
    mlp = model.transformer.h[0].mlp
    run = mlp.forward
    mlp.forward = lambda hidden: run(hidden) + hidden @ mlp.c_fc.weight @ mlp.c_fc.weight.T


def with_scaled_embedding(model):
    scaled = TinyScaledWordEmbedding(61, 16).double()
    model.transformer.wte = scaled


def with_mixing_head(model):
    def mixed(_, args):
        return (args[0] + args[0].roll(1, 1),)

    model.lm_head.register_forward_pre_hook(mixed)


@pytest.mark.parametrize(
    ("change", "category"),
    [
        (with_norm(ScaledFirstRMSNorm), SlowScores),
        (with_norm(SquaredRMSNorm), SlowScores),
        (with_gate, SlowScores),
        (with_own_forward, SlowScores),
        (with_a_weight_read_elsewhere, SlowScores),
        (with_scaled_embedding, SlowScores),
        (with_mixing_head, SeparateReading),
    ],
    ids=[
        "scaled first", "squared gain", "gate by keyword", "own forward", "read elsewhere",
        "scaled embedding", "mixing head",
    ],
)  # fmt: skip
def test_a_layer_that_its_rule_does_not_fit_is_measured_exactly_and_it_is_said(change, category):
    model = tiny("gpt2", tied=False)
    change(model)
    assert category in exact(model)


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
def test_weights_that_are_made_before_each_call_are_exact(norm):
    model = tiny("llama", tied=False)
    norm(model.model.layers[0].mlp.up_proj)
    assert exact(model) == {SlowScores}


def test_groups_give_up_no_more_of_what_is_shared_than_they_may():
    lengths = [5, 40, 38, 0, 39, 6]
    assert together(lengths, 3) == [[1, 2, 4], [0, 5], [3]]
    assert together(lengths, 10**6) == [[0, 1, 2, 3, 4, 5]]


def test_pairs_in_groups_of_like_prompts_are_exact(monkeypatch):
    monkeypatch.setitem(measurement.MOST_GIVEN_UP, "cpu", 0)
    assert not exact(tiny("llama"))


def test_what_is_proved_of_a_model_is_proved_once_and_again_when_it_is_rebuilt(monkeypatch):
    calls = []
    plain = proof.plain_logits
    monkeypatch.setattr(proof, "OF_KIND", {})
    monkeypatch.setattr(proof, "plain_logits", lambda *args: calls.append(args) or plain(*args))
    model = tiny("gpt2")
    counts = []
    for change in (None, None, model.transformer.h[0].mlp.register_forward_hook):
        if change is not None:
            change(lambda _, __, output: 2 * output)
        before = len(calls)
        pair_gram(model, *pairs())
        counts.append(len(calls) - before)
    assert counts[0] == counts[2] > 0 == counts[1]
