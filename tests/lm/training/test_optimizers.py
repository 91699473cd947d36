"""A step is the sum of its parts, and its parts are what they are called."""

import numpy as np
import pytest
import torch
from torch.optim import SGD, AdamW

from disband.lm.model.gpt2 import encode, join, logp, token_logp
from disband.lm.training.finetune import train_preferences
from disband.lm.training.optimizers import KINDS, Rule, observed
from disband.lm.training.slopes import slopes
from disband.theory.objectives import DPO
from tests.lm.tiny import model_of, tokenizer_of

kinds = pytest.mark.parametrize("kind", KINDS)
PARTS = ("gradient", "memory", "decay")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture
def model(tokenizer):
    return model_of(tokenizer).double().eval()


@pytest.fixture(scope="module")
def pair(tokenizer):
    prompts = ["a great day", "an awful long trip", "what a talk"]
    answers = (["Positive", "Negative", "Positive"], ["Negative", "Positive", "It has Negative"])
    return tuple(encode(tokenizer, prompts, a) for a in answers)


def steps_of(model, pair, rule, count=3):
    watched = []
    train_preferences(
        model, [pair] * count, DPO, rule=rule, after=lambda _: None, watch=watched.append
    )
    return watched


@kinds
def test_a_step_is_the_sum_of_its_parts(model, pair, kind):
    for step in steps_of(model, pair, Rule(kind, 1e-3)):
        for name, total in step.update.total.items():
            parts = sum(getattr(step.update, part)[name] for part in PARTS)
            torch.testing.assert_close(parts, total, rtol=1e-9, atol=1e-13)


@kinds
def test_memory_and_decay_are_there_where_the_optimizer_has_them(model, pair, kind):
    first, *later = steps_of(model, pair, Rule(kind, 1e-3))
    largest = {
        part: max(float(v.abs().max()) for v in getattr(later[-1].update, part).values())
        for part in PARTS
    }
    assert largest["gradient"] > 0
    assert (largest["memory"] > 0) == (kind != "sgd")
    assert (largest["decay"] > 0) == (kind == "adamw")
    assert not any(v.any() for v in first.update.memory.values())


@kinds
def test_the_gradient_part_is_the_loss_gradient_in_the_metric(model, pair, kind):
    step = steps_of(model, pair, Rule(kind, 1e-3))[1]
    logp_w, logp_l = logp(step.model, join(*pair)).chunk(2)
    loss = DPO.kernel("loss", "torch")(logp_w, logp_l, *step.reference, *(b.lengths for b in pair))
    named = dict(step.model.named_parameters())
    for (name, _), g in zip(
        named.items(), torch.autograd.grad(loss.mean(), list(named.values())), strict=True
    ):
        expected = -step.update.metric[name] * g
        torch.testing.assert_close(step.update.gradient[name], expected, rtol=1e-8, atol=1e-14)


def test_watching_changes_no_weight(tokenizer, pair):
    watched, alone = (model_of(tokenizer) for _ in range(2))
    rule = Rule("adamw", 1e-3)
    steps_of(watched, pair, rule)
    train_preferences(alone, [pair] * 3, DPO, rule=rule, after=lambda _: None)
    for one, other in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one, other)


@kinds
def test_slopes_along_a_step_are_its_first_order_change(model, pair, kind):
    watched = []
    rule = Rule(kind, 1e-7 if kind.startswith("adam") else 1e-5)

    def watch(step):
        watched.append((step, token_logp(step.model, pair[0]), token_logp(model, pair[0])))

    train_preferences(model, [pair] * 2, DPO, rule=rule, after=lambda _: None, watch=watch)
    for step, before, after in watched:
        change = (after - before).detach().numpy()
        np.testing.assert_allclose(
            slopes(step.model, pair[0], step.update.total), change, rtol=2e-3, atol=1e-11
        )


def test_slopes_are_inner_products_with_the_scores(model, pair):
    direction = {n: torch.randn_like(p) for n, p in model.named_parameters()}
    along = slopes(model, pair[1], direction)
    rows = token_logp(model, pair[1])
    for i, j in np.argwhere(pair[1].response[:, -rows.shape[1] :].numpy()):
        score = torch.autograd.grad(rows[i, j], list(model.parameters()), retain_graph=True)
        product = sum((s * v).sum() for s, v in zip(score, direction.values(), strict=True))
        assert along[i, j] == pytest.approx(float(product), rel=1e-9)


def test_slopes_leave_the_model_as_it_was(model, pair):
    model.train()
    slopes(model, pair[0], {n: torch.ones_like(p) for n, p in model.named_parameters()})
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_a_direction_needs_the_models_names_and_shapes(model, pair):
    with pytest.raises(ValueError, match="names and shapes"):
        slopes(model, pair[0], {"nowhere": torch.ones(3)})
    with pytest.raises(ValueError, match="names and shapes"):
        slopes(model, pair[0], {"transformer.wte.weight": torch.ones(3)})


@pytest.mark.parametrize(
    "made",
    [
        lambda p: SGD(p, lr=1, momentum=0.9, nesterov=True),
        lambda p: SGD(p, lr=1, weight_decay=0.1),
        lambda p: AdamW(p, lr=1, amsgrad=True),
        lambda p: torch.optim.RMSprop(p, lr=1),
    ],
)
def test_a_step_of_unknown_parts_is_refused(model, made):
    with pytest.raises(TypeError, match="taken apart"), observed(made(model.parameters()), model):
        pass


def test_a_rule_has_a_known_kind_and_no_negative_rate():
    with pytest.raises(ValueError, match="one of sgd"):
        Rule("lion")
    with pytest.raises(ValueError, match="not negative"):
        Rule("sgd", -1.0)
