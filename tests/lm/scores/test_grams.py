"""Measuring scores: what it refuses and what it leaves as it was."""

import numpy as np
import pytest
import torch

from disband.lm.model.gpt2 import encode, logp
from disband.lm.scores.grams import (
    SlowScores,
    batch_gram,
    contributions,
    cosines,
    directional,
    pair_gram,
    position_gram,
    token_gram,
)
from disband.theory.band import band, case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from tests.lm.scores.materialised import response_scores
from tests.lm.tiny import model_of, tokenizer_of
from tests.lm.tiny_models import one, pairs, rows, tiny

PROMPTS = ("a lovely trip", "it rained on every single day", "no")
CHOSEN = ("Positive sentiment.", "Negative sentiment.", "Negative")
REJECTED = ("Negative sentiment.", "Positive sentiment based on my judgement.", "Positive")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture
def model(tokenizer):
    return model_of(tokenizer).double()


@pytest.fixture(scope="module")
def pair(tokenizer):
    return encode(tokenizer, PROMPTS, CHOSEN), encode(tokenizer, PROMPTS, REJECTED)


def test_products_are_directional_derivatives(model, pair):
    batch_w, batch_l = (batch.row(1) for batch in pair)
    gram = pair_gram(model, batch_w, batch_l)
    direction = torch.autograd.grad(logp(model, batch_w).sum(), tuple(model.parameters()))

    def along(size):
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), direction, strict=True):
                parameter.add_(size * slope)
            return np.array([logp(model, batch).item() for batch in (batch_w, batch_l)])

    h = 1e-5 / float(gram.sq_w[0]) ** 0.5
    up, down = along(h), along(-2 * h)
    sq_w, dot = (up - down) / (2 * h)
    assert sq_w == pytest.approx(gram.sq_w[0], rel=1e-6)
    assert dot == pytest.approx(gram.dot[0], rel=1e-6)


def test_band_case_and_step_take_a_models_gram_as_they_take_a_toys(model, pair):
    gram = pair_gram(model, *pair)
    a, b = (response_scores(model, batch) for batch in pair)
    toys = Gram.of_scores(a, b)
    assert type(gram) is Gram
    np.testing.assert_allclose(band(gram).low, band(toys).low, rtol=1e-9)
    np.testing.assert_allclose(band(gram).high, band(toys).high, rtol=1e-9)
    assert case(1.0, 0.9, gram).tolist() == case(1.0, 0.9, toys).tolist()
    for got, expected in zip(first_order(1.0, 0.9, gram), first_order(1.0, 0.9, toys), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_padding_changes_no_product(model, pair):
    together = pair_gram(model, *pair)
    for i in range(3):
        alone = pair_gram(model, *(batch.row(i) for batch in pair))
        for name in ("sq_w", "sq_l", "dot"):
            np.testing.assert_allclose(
                getattr(alone, name)[0], getattr(together, name)[i], rtol=1e-12
            )


def test_the_blocks_of_the_token_gram_sum_to_the_pairs(model, pair):
    batch_w, batch_l = (batch.row(1) for batch in pair)
    got = token_gram(model, batch_w, batch_l)
    n = int(batch_w.lengths)
    assert got.shape == (n + int(batch_l.lengths),) * 2
    gram = pair_gram(model, batch_w, batch_l)
    sums = [got[:n, :n].sum(), got[n:, n:].sum(), got[:n, n:].sum()]
    np.testing.assert_allclose(sums, [gram.sq_w[0], gram.sq_l[0], gram.dot[0]], rtol=1e-10)


def test_the_batch_gram_has_that_of_the_pairs_in_it(model, pair):
    full = batch_gram(model, *pair)
    gram = pair_gram(model, *pair)
    np.testing.assert_allclose(np.diagonal(full), [*gram.sq_w, *gram.sq_l], rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(full, 3), gram.dot, rtol=1e-10)


def test_frozen_parameters_do_not_count(model, pair):
    whole = pair_gram(model, *pair).sq_w
    frozen = model.transformer.h[0]
    frozen.requires_grad_(requires_grad=False)
    part = pair_gram(model, *pair).sq_w
    assert np.all(part < whole)
    model.requires_grad_(requires_grad=True)
    for p in model.parameters():
        p.requires_grad_(any(p is q for q in frozen.parameters()))
    np.testing.assert_allclose(part + pair_gram(model, *pair).sq_w, whole, rtol=1e-10)


def update_of(model):
    return {n: torch.ones_like(p) for n, p in model.named_parameters() if p.requires_grad}


MEASURES = {
    "pair": pair_gram,
    "contributions": contributions,
    "batch": batch_gram,
    "token": token_gram,
    "position": position_gram,
    "directional": lambda model, *pair: directional(model, *pair, update_of(model)),
}


def state_of(model):
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), vars(m).get("forward", "its class's"))
        for m in model.modules()
    ]
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    return (
        [m.training for m in model.modules()],
        [p.requires_grad for p in model.parameters()],
        hooks,
        [p.detach().clone() for p in model.parameters()],
        grads,
        torch.get_rng_state(),
    )


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_measuring_leaves_no_trace(model, pair, measure, fails, monkeypatch):
    batch = tuple(b.row(0) for b in pair)
    model.train()
    model.transformer.h[0].eval()
    model.transformer.wpe.requires_grad_(requires_grad=False)
    logp(model, batch[0]).sum().backward()
    if fails:
        monkeypatch.setattr(model.transformer.h[1], "forward", None)
    before = state_of(model)
    with torch.no_grad():
        if fails:
            with pytest.raises(TypeError, match="NoneType"):
                measure(model, *batch)
        else:
            measure(model, *batch)
        assert not torch.is_grad_enabled()
    assert same(state_of(model), before)


def test_a_slow_measurement_leaves_no_trace():
    model = tiny("mixtral")
    before = state_of(model)
    with pytest.warns(SlowScores, match="6 of 20 parameters are measured exactly but slowly"):
        pair_gram(model, *pairs())
    assert same(state_of(model), before)


def test_the_random_state_is_kept_though_the_model_draws(model, pair):
    def draw(*_):
        torch.rand(1)

    model.transformer.h[0].register_forward_pre_hook(draw)
    before = torch.get_rng_state()
    pair_gram(model, *pair)
    assert torch.equal(torch.get_rng_state(), before)


def test_measuring_works_in_inference_mode(model, pair):
    expected = pair_gram(model, *pair).dot
    with torch.inference_mode():
        got = pair_gram(model, *pair).dot
    np.testing.assert_array_equal(got, expected)


def test_measuring_keeps_to_the_models_own_precision(tokenizer, pair):
    model = model_of(tokenizer)
    expected = batch_gram(model, *pair)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = batch_gram(model, *pair)
    np.testing.assert_array_equal(got, expected)


def test_dropout_is_off_while_measuring(model, pair):
    expected = pair_gram(model, *pair).sq_w
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    model.train()
    np.testing.assert_array_equal(pair_gram(model, *pair).sq_w, expected)
    assert model.training


def test_what_cannot_be_measured_is_refused(model, pair):
    batch_w, batch_l = pair
    with pytest.raises(ValueError, match="got 1 chosen and 3 rejected"):
        pair_gram(model, batch_w.row(0), batch_l)
    for measure in (token_gram, position_gram):
        with pytest.raises(ValueError, match="is that of one pair"):
            measure(model, batch_w, batch_l)
    with pytest.raises(ValueError, match=r"names of those that are trained: got \['wte'\]"):
        pair_gram(model, batch_w, batch_l, parameters=["wte"])
    with pytest.raises(ValueError, match="leaves at least one trained parameter"):
        pair_gram(model, batch_w, batch_l, parameters=lambda _: False)
    with pytest.raises(ValueError, match="an update has a tensor for each measured parameter"):
        directional(model, batch_w, batch_l, {"transformer.wte.weight": torch.zeros(3)})
    negative = {n: -torch.ones_like(p) for n, p in model.named_parameters()}
    with pytest.raises(ValueError, match="numbers that are not negative"):
        pair_gram(model, batch_w, batch_l, preconditioner=negative)
    with pytest.raises(ValueError, match=r"a preconditioner has a tensor .* got none"):
        pair_gram(model, batch_w, batch_l, preconditioner={})
    model.requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="no parameter of the model requires one"):
        pair_gram(model, batch_w, batch_l)


@pytest.mark.parametrize(("prompt", "response"), [([], [3, 4]), ([3, 4], [])])
def test_a_response_follows_something_and_is_something(prompt, response):
    batch = rows([prompt], [response])
    with pytest.raises(ValueError, match="a response has at least one token"):
        pair_gram(tiny("gpt2"), batch, batch)


def test_positions_need_layers_that_work_position_by_position():
    with pytest.raises(ValueError, match=r"leave them out by parameters=") as raised:
        position_gram(tiny("mixtral"), *(one(batch, 0) for batch in pairs()))
    assert "experts.gate_up_proj" in str(raised.value)


def test_one_pair_may_be_measured_from_any_row():
    model = tiny("qwen2")
    s = response_scores(model, one(pairs()[0], 1))
    np.testing.assert_allclose(
        pair_gram(model, *(one(b, 1) for b in pairs())).sq_w, (s * s).sum(1), rtol=1e-12
    )


def test_cosines_of_a_gram_matrix():
    scores = np.array([[3.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    got = cosines(scores @ scores.T)
    assert got[0, 1] == pytest.approx(0.5**0.5)
    assert got[1, 1] == pytest.approx(1.0)
    assert np.isnan(got[2]).all()
