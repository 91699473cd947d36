"""Shorter ways through layers: the same products, for less work."""

import numpy as np
import pytest
import torch
from transformers.pytorch_utils import Conv1D

from benchmarks.tokens import FIRST, MatrixProducts, least
from disband.lm.scores.grams import batch_gram, token_gram
from disband.lm.scores.shortcuts import COMPOSED, _Sparse, shortened
from tests.lm.scores.materialised import response_scores, token_scores
from tests.lm.tiny_models import one, pairs, rows, tiny

PROMPT = [5, 6, 7, 8, 9]


def pair_of(first=PROMPT, second=PROMPT):
    return rows([first], [[30, 31, 5]]), rows([second], [[33, 40]])


def agrees(model, pair):
    t = np.concatenate([token_scores(model, batch) for batch in pair])
    np.testing.assert_allclose(token_gram(model, *pair), t @ t.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("zeros", [0, 1, 8, 20])
def test_a_product_without_zero_rows_is_the_product(zeros):
    slope, matrix = torch.randn(4, 5, 40).double(), torch.randn(40, 3).double()
    slope.view(20, 40)[:zeros] = 0
    slope[3, 4, :30] = 0  # a row that is not zero, though its beginning is
    np.testing.assert_allclose(_Sparse.apply(slope, matrix), slope @ matrix, atol=1e-12)


@pytest.mark.parametrize(
    ("second", "own"), [(PROMPT, 2), ([5, 6, 3, 8, 9], 5), ([3, 6, 7, 8, 9], 7)]
)
def test_what_two_responses_follow_is_mapped_once(second, own, monkeypatch):
    model, pair = tiny("gpt2"), pair_of(second=second)
    sizes, plain = [], Conv1D.forward
    token_gram(model, *pair)  # what is proved of a model is proved once

    def spy(layer, value):
        sizes.append(value[..., 0].numel())
        return plain(layer, value)

    with monkeypatch.context() as patched:
        patched.setattr(Conv1D, "forward", spy)
        token_gram(model, *pair)
    # Of the chosen text all but its last token, and of the rejected what is its own and padding.
    assert sizes == [7 + own] * 8
    agrees(model, pair)


def test_layers_that_another_has_taken_over_are_left_alone():
    model = tiny("gpt2")
    layer = model.transformer.h[0].mlp.c_fc
    layer.forward = taken = lambda value: 2 * Conv1D.forward(layer, value)
    with shortened(model, 4):
        assert vars(layer)["forward"] is taken
        assert "forward" in vars(model.transformer.h[1].mlp.c_fc)
    assert vars(layer)["forward"] is taken
    assert "forward" not in vars(model.transformer.h[1].mlp.c_fc)


@pytest.mark.parametrize("common", [None, 2])
def test_layers_are_given_back_after_a_failure(common):
    model = tiny("gpt2")
    with pytest.raises(KeyError), shortened(model, common):
        raise KeyError
    assert not any("forward" in vars(module) for module in model.modules())


def test_a_hook_that_changes_what_a_layer_gives_is_part_of_the_model():
    model = tiny("gpt2")
    model.transformer.h[0].mlp.c_fc.register_forward_hook(lambda _, __, output: 2 * output)
    s = np.concatenate([response_scores(model, batch) for batch in pairs()])
    np.testing.assert_allclose(batch_gram(model, *pairs()), s @ s.T, rtol=1e-9)
    agrees(model, tuple(one(batch, 2) for batch in pairs()))


@pytest.mark.parametrize("kind", COMPOSED)
def test_composed_activations_go_back_as_they_would(kind):
    activation = torch.nn.Sequential(kind())
    activation.get_output_embeddings = lambda: None
    value = torch.linspace(-6, 6, 101, dtype=torch.float64).requires_grad_()
    (expected,) = torch.autograd.grad(activation(value).sum(), value)
    with shortened(activation):
        output = activation(value)
        output.mul_(3)  # as the model may write into what it is given
        (got,) = torch.autograd.grad(output.sum(), value)
    np.testing.assert_allclose(got, 3 * expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("second", [PROMPT, [5, 6, 3, 8, 9]])
def test_a_token_gram_multiplies_by_the_weights_no_more_than_it_must(second, monkeypatch):
    # Even a few zero rows are left out.
    monkeypatch.setattr("disband.lm.scores.shortcuts.WORTHWHILE", 0.0)
    model, pair = tiny("gpt2"), (rows([PROMPT], [[30, 31, 5]]), rows([second], [[33, 40, 7]]))
    token_gram(model, *pair)  # what is proved of a model is proved once
    with MatrixProducts() as products:
        token_gram(model, *pair)
    weights = {p.data_ptr() for p in model.parameters()}
    sides = [args[FIRST[form.overloadpacket] :][:2] for form, args in products.kept]
    by_weights = [a.numel() * b.shape[1] for a, b in sides if b.data_ptr() in weights]
    assert sum(by_weights) == sum(least(model, *pair).values())
