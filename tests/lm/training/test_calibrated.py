"""One pass gives log-probabilities, Gram and gradient, and they are autograd's."""

import numpy as np
import pytest
import torch

from disband.lm.model.gpt2 import encode, join, logp
from disband.lm.scores.grams import batch_gram, pair_gram
from disband.lm.training.calibrated import trace, train_calibrated
from disband.lm.training.finetune import train_preferences
from disband.lm.training.optimizers import Rule
from disband.sims.methods.calibrate import Incentives, reward_calibrated
from disband.theory.batch import mean_products
from disband.theory.objectives import DPO, SIMPO
from tests.lm.tiny import model_of, tokenizer_of
from tests.lm.tiny_models import pairs, tiny


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def pair(tokenizer):
    prompts = ["a great day", "an awful long trip", "what a talk"]
    answers = (["Positive", "Negative", "Positive"], ["Negative", "Positive", "It has Negative"])
    return tuple(encode(tokenizer, prompts, a) for a in answers)


def fresh(tokenizer):
    return model_of(tokenizer).double().eval()


@pytest.mark.parametrize("kind", ["gpt2", "llama", "qwen3"])
def test_a_trace_is_what_autograd_finds(kind):
    model = tiny(kind).double().eval()
    batch_w, batch_l = pairs()
    found = trace(model, batch_w, batch_l)
    rng = np.random.default_rng(0)
    pull, push = rng.uniform(-1, 1, (2, len(batch_w)))
    logps = logp(model, join(batch_w, batch_l))
    np.testing.assert_allclose(
        np.concatenate([found.logp_w, found.logp_l]), logps.detach().numpy(), rtol=1e-6
    )
    total = (logps * torch.from_numpy(np.concatenate([pull, -push]))).sum()
    named = {n: p for n, p in model.named_parameters() if p.requires_grad}
    expected = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    got = found.gradient(pull, push)
    assert set(got) == set(named)
    for (name, parameter), slope in zip(named.items(), expected, strict=True):
        wanted = torch.zeros_like(parameter) if slope is None else slope
        # Some of these models norm in float32.
        tolerance = {"gpt2": 1e-10}.get(kind, 1e-5)
        torch.testing.assert_close(got[name], wanted, rtol=tolerance, atol=tolerance)


def test_products_are_those_of_the_scores(tokenizer, pair):
    model = fresh(tokenizer)
    found = trace(model, *pair)
    expected = pair_gram(model, *pair)
    for part in ("sq_w", "sq_l", "dot"):
        np.testing.assert_allclose(getattr(found.gram(), part), getattr(expected, part), rtol=1e-12)
    np.testing.assert_allclose(found.products(), batch_gram(model, *pair), rtol=1e-10, atol=1e-12)
    metric = {name: torch.full_like(p, 4.0) for name, p in model.named_parameters()}
    np.testing.assert_allclose(found.products(metric), 4 * found.products(), rtol=1e-12)
    d_w, d_l = np.array([0.3, 1.0, 2.0]), np.array([1.0, 0.2, 0.7])
    for its in (None, metric):
        got = found.mean_products(d_w, d_l, its)
        np.testing.assert_allclose(got, mean_products(found.products(its), d_w, d_l), rtol=1e-9)
    head = found.gram(parameters=lambda name: "wte" in name)
    assert (head.sq_w < found.gram().sq_w).all()


@pytest.mark.parametrize("objective", [DPO, SIMPO], ids=lambda o: o.name)
@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_method_that_changes_nothing_is_plain_training(tokenizer, pair, objective, kind):
    rule = Rule(kind, 1e-2 if kind == "sgd" else 1e-4, warmup=2)
    models = [fresh(tokenizer) for _ in range(3)]
    steps = [pair] * 3
    train_preferences(models[0], steps, objective, rule=rule, after=lambda _: None)
    plain = train_calibrated(
        models[1], steps, objective, rule=rule, method=None, after=lambda _: None
    )
    traced = train_calibrated(
        models[2], steps, objective, rule=rule, after=lambda _: None,
        method=lambda _, d_w, d_l, __: Incentives(d_w, d_l),
    )  # fmt: skip
    for one, *others in zip(*(m.parameters() for m in models), strict=True):
        for other in others:
            torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-9)
    assert plain["seconds"].shape == traced["seconds"].shape == (3,)
    np.testing.assert_array_equal(plain["log_ratio"], 0)
    np.testing.assert_allclose(traced["log_ratio"], 0, atol=1e-12)


def test_one_calibrated_pair_goes_right(tokenizer, pair):
    model = fresh(tokenizer)
    alone = tuple(batch.row(2) for batch in pair)
    seen = []

    def method(found, d_w, d_l, _):
        return reward_calibrated(d_w, d_l, found.gram())

    def after(_):
        with torch.no_grad():
            seen.append(logp(model, join(*alone)).numpy())

    train_calibrated(model, [alone] * 3, DPO, rule=Rule("sgd", 1e-2), method=method, after=after)
    change = np.diff(np.stack(seen), axis=0)
    assert (change[:, 0] > 0).all()
    assert (change[:, 1] < 0).all()


def test_training_ends_when_it_is_told_to(tokenizer, pair):
    found = train_calibrated(
        fresh(tokenizer), [pair] * 5, DPO, rule=Rule("sgd", 1e-2), method=None,
        after=lambda step: step == 2,
    )  # fmt: skip
    assert found["seconds"].shape == (2,)


def test_a_trace_leaves_the_model_as_it_was(tokenizer, pair):
    model = fresh(tokenizer).train()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    trace(model, *pair)
    assert model.training
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad
        assert parameter.grad is None
        torch.testing.assert_close(parameter.detach(), before[name], rtol=0, atol=0)


def test_pairs_come_in_equal_numbers(tokenizer, pair):
    with pytest.raises(ValueError, match="come in pairs"):
        trace(fresh(tokenizer), pair[0], pair[1].row(0))
