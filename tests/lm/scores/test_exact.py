"""Every product of scores against the scores themselves, for many kinds of model."""

import warnings

import numpy as np
import pytest
import torch

from disband.lm.scores.grams import (
    SlowScores,
    batch_gram,
    contributions,
    directional,
    pair_gram,
    position_gram,
    token_gram,
)
from tests.lm.scores.materialised import flat, response_scores, token_scores
from tests.lm.tiny_models import PROMPTS, REJECTED, adapted, one, pairs, rows, tiny

FAST = ("gpt2", "llama", "qwen2", "qwen3", "mistral", "lora")


def both(model, batch_w, batch_l, names=None):
    return np.concatenate([response_scores(model, b, names) for b in (batch_w, batch_l)])


def agree(got, expected, tolerance):
    """Compare Gram matrices, relative to the norms of the two scores of each product."""
    norms = np.sqrt(np.diagonal(expected))
    assert np.max(np.abs(got - expected) / np.outer(norms, norms)) < tolerance


def matrix_of(gram):
    return np.array([[gram.sq_w, gram.dot], [gram.dot, gram.sq_l]])


def own_pairs(full):
    """Of a Gram matrix of a batch, what the Gram of its pairs has: ``(2, 2, n)``."""
    n = len(full) // 2
    return np.array([[np.diagonal(full[a, b]) for b in halves(n)] for a in halves(n)])


def halves(n):
    return slice(0, n), slice(n, 2 * n)


def agree_all(model, batch_w, batch_l, tolerance):
    s = both(model, batch_w, batch_l)
    expected = s @ s.T
    agree(batch_gram(model, batch_w, batch_l), expected, tolerance)
    got = matrix_of(pair_gram(model, batch_w, batch_l))
    scale = np.sqrt(own_pairs(expected)[[0, 0, 1, 1], [0, 0, 1, 1]]).reshape(2, 2, -1)
    error = np.abs(got - own_pairs(expected)) / (scale[:, :1] * scale[:1].swapaxes(0, 1))
    assert error.max() < tolerance
    last = one(batch_w, len(batch_w) - 1), one(batch_l, len(batch_l) - 1)
    t = np.concatenate([token_scores(model, b) for b in last])
    agree(token_gram(model, *last), t @ t.T, tolerance)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", FAST)
def test_products_are_those_of_the_scores(kind, tied, side):
    agree_all(tiny(kind, tied=tied), *pairs(side, extra=2), 1e-12)


def test_gains_beside_one_and_scaled_embeddings():
    # Gemma computes its norms, and their gains' gradients, in float32.
    agree_all(tiny("gemma"), *pairs(), 1e-7)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "qwen2"])
def test_products_do_not_depend_on_how_attention_is_computed(kind):
    agree_all(tiny(kind, attention="eager"), *pairs(), 1e-12)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "qwen2", "lora"])
def test_a_float32_model_is_measured_to_its_own_rounding(kind):
    model = tiny(kind)
    s = both(model.float().double(), *pairs())
    agree(batch_gram(model.float(), *pairs()), s @ s.T, 5e-6)
    got = pair_gram(model, *pairs())
    expected = own_pairs(s @ s.T)
    assert np.all(np.abs(got.sq_w / expected[0, 0] - 1) < 5e-6)
    assert np.all(np.abs(got.sq_l / expected[1, 1] - 1) < 5e-6)


@pytest.mark.parametrize("kind", ["mixtral", "mamba", "bloom"])
def test_layers_without_a_rule_are_measured_exactly_and_it_is_said(kind):
    model = tiny(kind)
    # The recurrence of Mamba, and Bloom's bias by distance, are computed in float32.
    tolerance = 1e-12 if kind == "mixtral" else 1e-6
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        agree_all(model, *pairs(), tolerance)
    slow = [str(w.message) for w in said if w.category is SlowScores]
    names = {"mixtral": "experts", "mamba": "conv1d", "bloom": ""}[kind]
    assert all(names in text for text in slow)
    assert bool(slow) == (kind != "bloom")


@pytest.mark.parametrize(
    ("precision", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.005)], ids=str
)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_model_of_half_precision_is_measured_to_its_own_rounding(kind, precision, tolerance):
    model = tiny(kind).to(precision)
    s = both(model, *pairs())
    agree(batch_gram(model, *pairs()), s @ s.T, tolerance)


def test_a_bfloat16_models_products_are_not_rounded_to_bfloat16():
    model = tiny("gpt2", tied=False).bfloat16().eval()
    batch = one(pairs()[0], 2)
    with torch.no_grad():
        hidden = model.transformer(input_ids=batch.ids).last_hidden_state[0, 6:-1]
        logits = model.lm_head(hidden).float()
    slope = torch.nn.functional.one_hot(batch.ids[0, 7:], logits.shape[1]) - logits.softmax(1)
    score = slope.bfloat16().double().T @ hidden.double()
    got = pair_gram(model, batch, batch, parameters=["lm_head.weight"])
    assert got.sq_w[0] == pytest.approx(float((score**2).sum()), rel=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_scores_after_different_prompts(kind):
    batch_w, _ = pairs()
    batch_l = rows([[*p[:-1], 3] for p in PROMPTS], REJECTED)
    agree_all(tiny(kind), batch_w, batch_l, 1e-12)
    agree_all(tiny(kind), batch_w, rows([[1], [1], [3]], REJECTED, "right"), 1e-12)


@pytest.mark.parametrize("kind", ["gpt2", "qwen3"])
def test_tokens_within_a_response_may_be_left_out(kind):
    batch_w, batch_l = pairs()
    for batch in (batch_w, batch_l):
        batch.response[2, -1] = False
        batch.response[0, -4] = batch.response[2, 5] = True
    agree_all(tiny(kind), batch_w, batch_l, 1e-12)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
def test_a_compiled_model_is_measured_as_it_is(backend, inside):
    model = tiny("gpt2")
    expected = pair_gram(model, *pairs())
    if inside:
        for block in model.transformer.h:
            block.compile(backend=backend)
        compiled = model
    else:
        compiled = torch.compile(model, backend=backend)
    got = pair_gram(compiled, *pairs())
    np.testing.assert_array_equal(got.sq_w, expected.sq_w)
    np.testing.assert_array_equal(got.dot, expected.dot)
    named = dict(compiled.named_parameters())
    update = {name: torch.ones_like(p) for name, p in named.items()}
    bare = {name: torch.ones_like(p) for name, p in model.named_parameters()}
    some = list(named)[:3]
    np.testing.assert_array_equal(
        directional(compiled, *pairs(), update, preconditioner=update, parameters=some),
        directional(model, *pairs(), bare, parameters=list(bare)[:3]),
    )
    torch._dynamo.reset()


@pytest.mark.parametrize("kind", FAST)
def test_directional_products(kind):
    model = tiny(kind)
    s = both(model, *pairs())
    update = {n: torch.randn_like(p) for n, p in model.named_parameters() if p.requires_grad}
    v = flat(update)
    scale = np.linalg.norm(s, axis=1) * np.linalg.norm(v)
    assert np.max(np.abs(directional(model, *pairs(), update) - s @ v) / scale) < 1e-12
    p = {n: torch.rand_like(x) for n, x in update.items()}
    got = directional(model, *pairs(), update, preconditioner=p)
    assert np.max(np.abs(got - s @ (flat(p) * v)) / scale) < 1e-12


@pytest.mark.parametrize("block", [1 << 23, 1500], ids=["whole", "in blocks"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", ["gpt2", "qwen2", "lora"])
def test_products_under_a_preconditioner(kind, tied, block, monkeypatch):
    monkeypatch.setattr("disband.lm.scores.products.metric.BLOCK", block)
    model = tiny(kind, tied=tied)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    p = {n: 0.1 + torch.rand_like(x) for n, x in trained.items()}
    s = both(model, *pairs()) * np.sqrt(flat(p))
    agree(batch_gram(model, *pairs(), preconditioner=p), s @ s.T, 1e-12)
    got = matrix_of(pair_gram(model, *pairs(), preconditioner=p))
    np.testing.assert_allclose(got, own_pairs(s @ s.T), rtol=1e-9)
    last = one(pairs()[0], 2), one(pairs()[1], 2)
    t = np.concatenate([token_scores(model, b) for b in last]) * np.sqrt(flat(p))
    agree(token_gram(model, *last, preconditioner=p), t @ t.T, 1e-12)


@pytest.mark.parametrize("kind", FAST)
def test_contributions_are_those_of_each_parameter(kind):
    model = tiny(kind)
    whole = [response_scores(model, batch) for batch in pairs()]
    begin = 0
    for (name, gram), size in zip(
        contributions(model, *pairs()).items(), sizes(model), strict=True
    ):
        a, b = (s[:, begin : begin + size] for s in whole)
        begin += size
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        np.testing.assert_allclose(gram.sq_w, (a * a).sum(1), rtol=1e-10, err_msg=name)
        np.testing.assert_allclose(gram.dot, (a * b).sum(1), rtol=0, atol=1e-11 * norms.max())


def sizes(model):
    return [p.numel() for p in trained(model).values()]


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "preconditioned"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", ["gpt2", "qwen3", "lora"])
def test_positions_add_up_to_the_pair(kind, tied, scaled):
    model = tiny(kind, tied=tied)
    last = one(pairs()[0], 2), one(pairs()[1], 2)
    how = {}
    if scaled:
        how = {"preconditioner": {n: 0.1 + torch.rand_like(p) for n, p in trained(model).items()}}
    found = position_gram(model, *last, **how)
    whole = contributions(model, *last, **how)
    n = 10  # of the chosen text's 11 tokens all but the last are read
    for name, matrix in found.items():
        blocks = matrix[:n, :n].sum(), matrix[n:, n:].sum(), matrix[:n, n:].sum()
        gram = whole[name]
        expected = [gram.sq_w[0], gram.sq_l[0], gram.dot[0]]
        np.testing.assert_allclose(blocks, expected, rtol=1e-9, atol=1e-12 * expected[0])


def trained(model):
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


def test_a_position_of_a_bias_is_the_slope_there():
    model = tiny("gpt2")
    last = one(pairs()[0], 2), one(pairs()[1], 2)
    name = "transformer.h.1.mlp.c_proj.bias"
    slopes = []

    def watch(_, __, output):
        output.register_hook(lambda slope: slopes.append(slope[0].detach()))

    handle = model.transformer.h[1].mlp.c_proj.register_forward_hook(watch)
    for batch in last:
        response_scores(model, batch)
    handle.remove()
    g = torch.cat([s[:-1] for s in slopes]).numpy()
    got = position_gram(model, *last, parameters=[name])[name]
    np.testing.assert_allclose(got, g @ g.T, rtol=1e-9, atol=1e-14)


def test_a_frozen_bottom_and_a_selection_are_left_out():
    model = tiny("gpt2")
    model.transformer.h[0].requires_grad_(requires_grad=False)
    model.transformer.wte.requires_grad_(requires_grad=False)
    agree_all(model, *pairs(), 1e-12)
    names = ["transformer.h.1.mlp.c_fc.bias", "transformer.ln_f.weight"]
    for chosen in (names, lambda name: name in names):
        s = both(model, *pairs(), names)
        agree(batch_gram(model, *pairs(), parameters=chosen), s @ s.T, 1e-12)


def test_adapters_on_every_kind_of_layer():
    layers = ["c_attn", "c_proj", "c_fc", "wte", "lm_head"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = adapted(
            tiny("gpt2", tied=False), target_modules=layers, modules_to_save=["ln_f"]
        ).double()
        agree_all(model, *pairs(), 1e-12)


def test_a_sure_prediction_keeps_its_digits():
    model = tiny("gpt2", tied=False).eval().float()
    sure = [torch.tensor([p]) for p in PROMPTS]
    with torch.no_grad():
        model.lm_head.weight.mul_(24.0)
        logits = [model.double()(input_ids=ids).logits[0, -1] for ids in sure]
    tops = [[int(row.argmax())] for row in logits]
    missing = [1 - float(torch.softmax(row, -1).max()) for row in logits]
    assert 1e-7 < min(missing) < 1e-5
    batch_w, batch_l = rows(PROMPTS, tops), rows(PROMPTS, REJECTED)
    s = both(model, batch_w, batch_l)
    got = pair_gram(model.float(), batch_w, batch_l)
    np.testing.assert_allclose(got.sq_w, (s[:3] ** 2).sum(1), rtol=1e-3)


def test_gram_matrices_are_positive_semidefinite():
    model = tiny("llama").float()
    gram = batch_gram(model, *pairs())
    np.testing.assert_array_equal(gram, gram.T)
    assert np.linalg.eigvalsh(gram).min() > -1e-6 * np.trace(gram)
    repeated = rows([PROMPTS[0]] * 4, [[30, 31, 5]] * 4)
    values = np.linalg.eigvalsh(batch_gram(model, repeated, repeated))
    assert np.abs(values[:-1]).max() < 1e-6 * values[-1]
