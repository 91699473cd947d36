"""Training steps: what is averaged over what, and where dropout is on."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch.nn import Dropout

from disband.lm.model.gpt2 import encode
from disband.lm.training.calibrated import train_calibrated
from disband.lm.training.finetune import sft, train_language_model, train_preferences
from disband.lm.training.optimizers import Rule
from disband.lm.training.unrolled import lower_step, train_unrolled
from disband.sims.methods.calibrate import Incentives
from disband.theory.objectives import DPO
from tests.lm.tiny import model_of, tokenizer_of

RULE = Rule("sgd", 1e-2)


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def pair(tokenizer):
    prompts = ["a great day", "an awful long trip"]
    answers = (["Positive", "It has a Negative sentiment"], ["Negative", "It has Positive"])
    return tuple(encode(tokenizer, prompts, a) for a in answers)


def nothing(*_):
    return None


TRAINERS = {
    "preferences": lambda model, pair: train_preferences(
        model, [pair] * 2, DPO, rule=RULE, after=nothing
    ),
    "watched": lambda model, pair: train_preferences(
        model, [pair] * 2, DPO, rule=RULE, after=nothing, watch=nothing
    ),
    "unrolled": lambda model, pair: train_unrolled(
        model, [pair] * 2, strength=50.0, rule=RULE, after=nothing
    ),
    "no method": lambda model, pair: train_calibrated(
        model, [pair] * 2, DPO, rule=RULE, method=None, after=nothing
    ),
    "a method": lambda model, pair: train_calibrated(
        model, [pair] * 2, DPO, rule=RULE, after=nothing,
        method=lambda _, d_w, d_l, __: Incentives(d_w, d_l),
    ),
    "fine-tuning": lambda model, pair: sft(model, [pair[0]] * 2, rate=1e-2, after=nothing),
    "language": lambda model, _: train_language_model(
        model, torch.arange(64), steps=2, batch=2, block=8, rate=1e-2,
        rng=np.random.default_rng(0), after=nothing,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAINERS)
def test_dropout_is_off_in_preference_training_alone(tokenizer, pair, name):
    trained = []
    for seed in (1, 2):
        model = model_of(tokenizer).double()
        for module in model.modules():
            if isinstance(module, Dropout):
                module.p = 0.5
        model.train()
        torch.manual_seed(seed)
        TRAINERS[name](model, pair)
        trained.append(torch.cat([p.detach().ravel() for p in model.parameters()]))
    same = torch.equal(*trained)
    assert same == (name not in {"fine-tuning", "language"})


def mean_over_tokens(model, batch):
    """Minus the mean log-probability of all response tokens, token by token."""
    values = []
    for i in range(len(batch)):
        row = batch.row(i)
        logps = model(input_ids=row.ids).logits[0].log_softmax(-1)
        places = torch.arange(row.ids.shape[1])[row.response[0]]
        values += [logps[at - 1, row.ids[0, at]] for at in places.tolist()]
    return -sum(values) / len(values)


def test_fine_tuning_averages_over_tokens_and_not_over_responses(tokenizer, pair):
    model = model_of(tokenizer).double()
    batch = pair[0]
    assert len(set(batch.lengths.tolist())) > 1
    plain = deepcopy(model).eval()
    expected = torch.autograd.grad(mean_over_tokens(plain, batch), list(plain.parameters()))
    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = 0.0
    sft(model, [batch], rate=1e-12, after=nothing)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-8, atol=1e-12)


def test_the_lower_level_averages_over_tokens_too(tokenizer, pair):
    model = model_of(tokenizer).double().eval()
    gradient = torch.autograd.grad(mean_over_tokens(model, pair[0]), list(model.parameters()))
    moved = lower_step(model, pair[0], 4.0).parameters
    for (name, p), slope in zip(model.named_parameters(), gradient, strict=True):
        torch.testing.assert_close(moved[name], p - slope / 4.0, rtol=1e-8, atol=1e-12)


def test_a_rate_rises_linearly_over_the_warmup(tokenizer, pair):
    rates = []
    train_preferences(
        model_of(tokenizer).double(), [pair] * 5, DPO, rule=Rule("sgd", 1e-3, warmup=3),
        after=nothing,
        watch=lambda step: rates.append(next(iter(step.update.metric.values())).max().item()),
    )  # fmt: skip
    assert rates == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3])
