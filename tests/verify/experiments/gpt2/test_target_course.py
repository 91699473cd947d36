"""G on a tiny GPT-2: from the Gram against directional slopes, and what the question returns."""

import numpy as np
import pytest
import torch

from disband.lm.data.tweets import SplitSettings
from disband.lm.training.optimizers import Rule
from disband.lm.training.slopes import slopes
from disband.verify.experiments.gpt2.findings import curves, findings, tables
from disband.verify.experiments.gpt2.findings.targets import RULES, target_numbers
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.preparation import restore
from disband.verify.experiments.gpt2.protocol import Contest, Protocol, Supervision, prepare, train
from disband.verify.experiments.gpt2.questions.targets import (
    Target,
    answers,
    run_target,
    serve,
)
from disband.verify.experiments.gpt2.scales import INQUIRIES
from tests.lm.tiny import TWEETS

TINY = Language(
    layers=1, heads=2, width=16, vocabulary=420, steps=20, batch=4, block=24,
    split=SplitSettings(eval_share=0.2),
)  # fmt: skip
TAUGHT = Supervision(steps=4, batch=4, rate=1e-2)


@pytest.fixture(scope="module")
def base():
    return language_model(TINY, 0, TWEETS, lambda _: None)


def prepared(base, rule, batch=4):
    contest = Contest(rule=rule, steps=3, batch=batch)
    protocol = Protocol("short suffix", TAUGHT, contest, 4, split=SplitSettings(eval_share=0.2))
    return contest, prepare(protocol, 0, TWEETS, *restore(base))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_the_parts_add_up_to_the_slope_along_the_update(base, kind):
    rate = 1e-2
    contest, ready = prepared(base, Rule(kind, rate))
    final = answers(ready.model, ready.tokenizer, ready.held_out[0], 0)
    seen = []

    def watch(step):
        from disband.lm.model.gpt2 import join, logp
        from disband.theory.objectives import DPO
        from disband.verify.experiments.gpt2.explained import push_of

        with torch.no_grad():
            before = logp(step.model, join(*step.pair)).numpy()
        push = push_of(step, DPO, before, {})
        # The gradient's part of the update is the metric times minus the gradient.
        along = slopes(step.model, final, step.update.gradient).sum(1).mean()
        parts, _ = serve(step, final, push, dict(step.update.metric))
        plain, products = serve(step, final, push, None)
        assert parts.sum() == pytest.approx(along, rel=1e-6)
        if kind == "sgd":
            assert plain.sum() * rate == pytest.approx(along, rel=1e-6)
            squared = sum((g**2).sum() for g in step.update.gradient.values()) / rate**2
            whole = products[0] + products[1] - 2 * products[2]
            assert whole == pytest.approx(float(squared), rel=1e-6)
        seen.append(step.number)

    train(ready, contest, watch=watch)
    assert seen == [1, 2, 3]


def test_answers_are_as_long_as_the_labels_and_drawn_from_the_model(base):
    _, ready = prepared(base, Rule())
    like = ready.held_out[0]
    one, again, other = (answers(ready.model, ready.tokenizer, like, s) for s in (0, 0, 1))
    assert (one.lengths == like.lengths).all()
    assert torch.equal(one.ids, again.ids)
    assert not torch.equal(one.ids, other.ids)
    for i in range(len(like)):
        mine, theirs = one.row(i), like.row(i)
        kept = ~theirs.response[0]
        assert torch.equal(mine.ids[0, kept], theirs.ids[0, kept])


def test_a_sure_model_answers_its_surest_tokens(base):
    _, ready = prepared(base, Rule())
    like = ready.held_out[0]
    with torch.no_grad():
        ready.model.transformer.ln_f.weight.mul_(1000)
    drawn = answers(ready.model, ready.tokenizer, like, 0).row(0)
    with torch.no_grad():
        logits = ready.model(input_ids=drawn.ids).logits[0, :-1]
    response = drawn.response[0, 1:]
    assert torch.equal(logits.argmax(-1)[response], drawn.ids[0, 1:][response])


def test_the_question_is_answered_judged_and_tabled(base):
    found = {}
    for batch in (4, 8):
        piece = Target(
            "short suffix", Rule("adam", 1e-3), batch=batch, steps=3, pairs=4, supervision=TAUGHT
        )
        arrays = run_target(piece, 0, TWEETS, base, lambda _: None)
        assert arrays["service"].shape == (3, 2, 3)
        assert arrays["weights"].shape == (3, batch)
        assert arrays["answers"].sum() == 4
        np.testing.assert_allclose(arrays["weights"][0], 0.05)
        assert not np.round(arrays["service"][0, :, 2], 12).any()
        found["targets", 0, piece] = arrays
    judged = {p.name: p for p in findings(found)}
    assert set(judged) == {rule.name for rule in RULES}
    rows = tables(found)["targets"]
    assert [row["metric"] for row in rows] == ["plain", "optimizer"] * 2
    drawn = curves(found)
    assert [(row["question"], row["metric"], row["batch"]) for row in drawn] == [
        ("targets", metric, batch) for batch in (4, 8) for metric in ("plain", "optimizer")
    ]
    for row in drawn:
        parts = np.add(row["positive"], row["negative"]) + row["reweighting"]
        np.testing.assert_allclose(parts, row["G"], atol=1e-12)
        assert row["updates"] == [1, 2, 3]


def test_what_decides_is_read_off_the_parts():
    service = np.zeros((4, 2, 3))
    service[:, 0] = [[3, -1, 0], [3, -1, -1], [-1, 3, -3], [2, 2, 0]]
    products = np.ones((4, 2, 3)) * [4.0, 9.0, 3.0]
    numbers = target_numbers({"service": service, "products": products})
    assert numbers["updates that serve the end"] == 0.75
    assert numbers["opposite signs"] == 0.5
    assert numbers["cosine of the two parts"] == 0.5
    assert numbers["share of reweighting"] == pytest.approx(1 / 5)
    assert numbers["unsteadiness"] == pytest.approx((1 + 2 + 5) / 3 / 2)


def test_tweets_are_asked_about_with_small_and_large_batches():
    for scale in ("small", "laptop"):
        (question,) = (q for q in INQUIRIES[scale] if q.name == "targets")
        sizes = [piece.batch for piece in question.pieces]
        assert min(sizes) < 8 <= max(sizes)
