"""Score products against automatic differentiation and against finite differences."""

import numpy as np
import pytest
import torch

from tests.verify.tiny import model_of, tokenizer_of
from theory.gram import Gram
from verify.gpt2 import encode, logp, token_logp
from verify.scores import cosines, pair_gram, token_gram

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


def jacobian(model, function):
    """Derivatives of a vector by all parameters."""
    parameters = {n: p.detach() for n, p in model.named_parameters()}

    def of(*values):
        weights = dict(zip(parameters, values, strict=True))
        return function(lambda **inputs: torch.func.functional_call(model, weights, (), inputs))

    rows = torch.autograd.functional.jacobian(of, tuple(parameters.values()))
    return torch.cat([row.flatten(1) for row in rows], 1).numpy()


def test_the_gram_is_that_of_the_jacobian(model, pair):
    a, b = (jacobian(model, lambda call, batch=batch: logp(call, batch)) for batch in pair)
    expected, got = Gram.of_scores(a, b), pair_gram(model, *pair)
    for name in ("sq_w", "sq_l", "dot"):
        value = getattr(got, name)
        assert value.shape == (3,)
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, getattr(expected, name), rtol=1e-10)


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


def test_padding_changes_no_product(model, pair):
    together = pair_gram(model, *pair)
    for i in range(3):
        alone = pair_gram(model, *(batch.row(i) for batch in pair))
        for name in ("sq_w", "sq_l", "dot"):
            np.testing.assert_allclose(
                getattr(alone, name)[0], getattr(together, name)[i], rtol=1e-12
            )


def test_a_float32_model_gets_float64_sums(tokenizer, model, pair):
    exact = pair_gram(model, *pair)
    rounded = pair_gram(model_of(tokenizer), *pair)
    assert rounded.dot.dtype == np.float64
    np.testing.assert_allclose(rounded.sq_w, exact.sq_w, rtol=1e-5)


def test_the_token_gram_is_that_of_the_jacobian_and_sums_to_the_pairs(model, pair):
    batch_w, batch_l = (batch.row(1) for batch in pair)
    scores = np.concatenate(
        [
            jacobian(model, lambda call, batch=batch: token_logp(call, batch)[0])
            for batch in (batch_w, batch_l)
        ]
    )
    got = token_gram(model, batch_w, batch_l)
    np.testing.assert_allclose(got, scores @ scores.T, rtol=1e-9, atol=1e-12)
    n = int(batch_w.lengths)
    assert got.shape == (n + int(batch_l.lengths),) * 2
    gram = pair_gram(model, batch_w, batch_l)
    sums = [got[:n, :n].sum(), got[n:, n:].sum(), got[:n, n:].sum()]
    np.testing.assert_allclose(sums, [gram.sq_w[0], gram.sq_l[0], gram.dot[0]], rtol=1e-10)


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


@pytest.mark.parametrize("measure", [pair_gram, token_gram])
def test_measuring_leaves_no_trace(model, pair, measure):
    one = tuple(batch.row(0) for batch in pair)
    model.train()
    model.transformer.h[0].eval()
    model.transformer.wpe.requires_grad_(requires_grad=False)
    logp(model, one[0]).sum().backward()
    modes = [m.training for m in model.modules()]
    wanted = [p.requires_grad for p in model.parameters()]
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    values = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        measure(model, *one)
        assert not torch.is_grad_enabled()
    assert [m.training for m in model.modules()] == modes
    assert [p.requires_grad for p in model.parameters()] == wanted
    for p, grad, value in zip(model.parameters(), grads, values, strict=True):
        assert torch.equal(p, value)
        assert (p.grad is None and grad is None) or torch.equal(p.grad, grad)


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
    with pytest.raises(ValueError, match="a token Gram is that of one pair"):
        token_gram(model, batch_w, batch_l)
    model.requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="no parameter of the model requires one"):
        pair_gram(model, batch_w, batch_l)


def test_cosines_of_a_gram_matrix():
    scores = np.array([[3.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    got = cosines(scores @ scores.T)
    assert got[0, 1] == pytest.approx(0.5**0.5)
    assert got[1, 1] == pytest.approx(1.0)
    assert np.isnan(got[2]).all()
