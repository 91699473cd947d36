"""Mass on neither label, and stable preference optimization unrolled, on a tiny GPT-2."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from disband.lm.data.tweets import SplitSettings
from disband.lm.model.gpt2 import join, logp, token_logp
from disband.lm.training.finetune import train_preferences
from disband.lm.training.optimizers import Rule
from disband.lm.training.unrolled import lower_step, train_unrolled
from disband.theory.models.bilevel import UPPER
from disband.verify.experiments.gpt2.arms import DPO, SPO, TERM
from disband.verify.experiments.gpt2.findings import findings, tables
from disband.verify.experiments.gpt2.findings.mass import (
    RULES,
    at_margin,
    law_of_one_context,
    mass_numbers,
)
from disband.verify.experiments.gpt2.language import language_model
from disband.verify.experiments.gpt2.preparation import restore
from disband.verify.experiments.gpt2.protocol import Contest, Protocol, Supervision, prepare
from disband.verify.experiments.gpt2.questions.mass import (
    NAMED,
    Mass,
    label_distribution,
    run_mass,
)
from disband.verify.experiments.gpt2.readings import GAINED
from tests.lm.tiny import TWEETS
from tests.verify.experiments.gpt2.test_study import TINY, quiet

TAUGHT = Supervision(steps=4, batch=4, rate=1e-2)
PIECE = Mass(
    DPO, "short suffix", rule=Rule("adam", 3e-3), steps=8, batch=4, pairs=6, every=3,
    supervision=TAUGHT,
)  # fmt: skip
PIECES = tuple(
    replace(PIECE, name=name, style=style, weight=weight, strength=strength)
    for style in ("single token", "short suffix")
    for name, weight, strength in ((DPO, 0, 0), (TERM, 0.05, 0), (SPO, 0.05, 50))
)


@pytest.fixture(scope="module")
def base():
    return language_model(TINY, 0, TWEETS, quiet)


@pytest.fixture(scope="module")
def results(base):
    return {("mass", 0, piece): run_mass(piece, 0, TWEETS, base, quiet) for piece in PIECES}


def prepared_on(base, style="short suffix"):
    protocol = Protocol(
        style, TAUGHT, Contest(steps=3, batch=4), 4, split=SplitSettings(eval_share=0.2)
    )
    return prepare(protocol, 0, TWEETS, *restore(base))


def test_what_is_followed_adds_up(results):
    for (_, _, piece), found in results.items():
        assert found["steps"].tolist() == [0, 3, 6, 8]
        assert {found[n].shape for n in ("label_w", "neither", "logp_l")} == {(4, 6)}
        whole = np.exp(found["label_w"]) + np.exp(found["label_l"]) + found["neither"]
        np.testing.assert_allclose(whole, 1)
        assert (found["logp_w"] <= found["label_w"] + 1e-12).all()
        if piece.style == "single token":
            np.testing.assert_allclose(found["logp_w"], found["label_w"])
        gain = found["gainers_after"] - found["gainers_before"]
        assert len(found["gainers"]) == NAMED
        assert (np.diff(gain) <= 0).all()
        assert not {"Positive", "Negative"} & set(found["gainers"])


def test_the_distribution_is_the_one_that_the_label_is_drawn_from(base):
    ready = prepared_on(base)
    spread, label_w, _ = label_distribution(ready.model, ready.held_out)
    np.testing.assert_allclose(spread.sum(-1), 1)
    with torch.no_grad():
        tokens = token_logp(ready.model, ready.held_out[0]).numpy()
    np.testing.assert_allclose(label_w, tokens[:, 0], rtol=1e-9)


def test_responses_that_differ_in_more_are_refused(base):
    ready = prepared_on(base, "unequal 1/3")
    with pytest.raises(ValueError, match="differ in one token"):
        label_distribution(ready.model, ready.held_out)


def test_a_lower_step_descends_the_loss_of_the_chosen(base):
    ready = prepared_on(base)
    chosen = ready.batches[0][0]
    with torch.no_grad():
        before = logp(ready.model, chosen).mean()
        after = logp(lower_step_(ready.model, chosen, 100.0), chosen).mean()
        none = logp(lower_step_(ready.model, chosen, 1e12), chosen).mean()
    assert after > before
    assert none == pytest.approx(float(before), rel=1e-9)
    with pytest.raises(ValueError, match="positive strength"):
        lower_step(ready.model, chosen, 0.0)


def lower_step_(model, chosen, strength):
    with torch.enable_grad():
        return lower_step(model, chosen, strength)


def test_the_upper_gradient_goes_through_the_lower_step(base):
    """One SGD update against a central difference of the upper loss along it."""
    ready = prepared_on(base)
    pair, strength, rate = ready.batches[0], 2.0, 1e-7
    start = ready.copy().model
    with torch.no_grad():
        reference = logp(start, join(*pair)).chunk(2)
    loss_of = UPPER.kernel("loss", "torch", beta=0.1, lam=0.05)

    def upper(model):
        deployed = lower_step_(model, pair[0], strength)
        with torch.no_grad():
            both = logp(deployed, join(*pair)).chunk(2)
            return float(loss_of(*both, *reference, *(b.lengths for b in pair)).mean())

    def trained(**changed):
        model = ready.copy().model
        train_unrolled(
            model, [pair], strength=changed.get("strength", strength), rule=Rule("sgd", rate),
            after=lambda *_: None, beta=0.1, lam=0.05,
        )  # fmt: skip
        return {
            name: (p.detach() - q.detach()) / -rate
            for (name, p), q in zip(model.named_parameters(), start.parameters(), strict=True)
        }

    gradient = trained()
    squared = sum(float((g**2).sum()) for g in gradient.values())
    step = 1e-3 / np.sqrt(squared)
    sides = []
    for sign in (1, -1):
        model = ready.copy().model
        with torch.no_grad():
            for name, p in model.named_parameters():
                p.add_(gradient[name], alpha=sign * step)
        sides.append(upper(model))
    slope = (sides[0] - sides[1]) / (2 * step)
    assert slope == pytest.approx(squared, rel=1e-3)
    # The gradient that ignores the lower step is another one.
    plain = trained(strength=1e12)
    inner = sum(float((gradient[n] * plain[n]).sum()) for n in gradient)
    assert abs(inner / squared - 1) > 1e-2


def test_a_lower_level_held_tight_is_the_upper_level_alone(base):
    ready = prepared_on(base)
    tight, plain = ready.copy(), ready.copy()
    train_unrolled(
        tight.model, tight.batches, strength=1e12, rule=Rule("adam", 1e-3),
        after=lambda *_: None, lam=0.05,
    )  # fmt: skip
    train_preferences(
        plain.model, plain.batches, UPPER, rule=Rule("adam", 1e-3), after=lambda _: None, lam=0.05
    )
    for p, q in zip(tight.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_runs_are_judged_and_tabled(results):
    judged = {p.name: p for p in findings(results)}
    compared = {r.name for r in RULES if r.name.startswith("mass-spo")}
    assert set(judged) >= {r.name for r in RULES} - compared
    rows = tables(results)["mass"]
    assert len(rows) == len(PIECES)
    assert {row["method"] for row in rows} == {DPO, TERM, SPO}
    assert all(0 < row["neither, before"] < 1 for row in rows)


def test_methods_are_compared_where_both_have_the_margin():
    found = fake(np.array([0.0, 0.3, 0.8]))
    there = at_margin(found)
    np.testing.assert_allclose(there["logp_w"] - found["logp_w"][0], 0.4 * GAINED, rtol=1e-9)
    assert at_margin(fake(np.array([0.0, 0.1, 0.2]))) is None
    assert np.isnan(mass_numbers(fake(np.array([0.0, 0.1])))["chosen, at the margin"])


def test_a_gain_of_spo_is_seen_and_its_absence_too():
    pieces = {name: replace(PIECE, name=name) for name in (DPO, TERM, SPO)}
    runs = {name: fake(np.array([0.0, 1.0]), rise=0.4) for name in pieces}
    runs[SPO] = fake(np.array([0.0, 1.0]), rise=0.9)
    results = {("mass", 0, pieces[name]): run for name, run in runs.items()}
    judged = {p.name: p.outcomes[0].holds for p in findings(results)}
    assert judged["mass-spo-more"] is True
    assert judged["mass-spo-chosen"] is True
    assert judged["mass-spo-lower-level"] is True
    turned = {key: runs[PLAIN_OF[key[2].name]] for key in results}
    judged = {p.name: p.outcomes[0].holds for p in findings(turned)}
    assert judged["mass-spo-more"] is False
    assert judged["mass-spo-lower-level"] is False


PLAIN_OF = {DPO: SPO, TERM: SPO, SPO: DPO}


def fake(margin, rise=0.4, pairs=5):
    """A run whose margin grows like this, a share ``rise`` of it the chosen's rise."""
    noise = 1e-3 * np.random.default_rng(0).standard_normal((2, 1, pairs))
    grown = margin[:, None] * np.ones(pairs)
    logp_w, logp_l = -1 + noise[0] + rise * grown, -1 + noise[1] - (1 - rise) * grown
    label_w, label_l = logp_w - 0.5, logp_l - 0.5
    neither = 1 - np.exp(label_w) - np.exp(label_l)
    return {
        "steps": np.arange(len(margin)), "logp_w": logp_w, "logp_l": logp_l, "label_w": label_w,
        "label_l": label_l, "neither": neither, "gainers": np.array(["a"]),
        "gainers_before": np.array([0.1]), "gainers_after": np.array([0.2]),
    }  # fmt: skip


def test_the_law_of_one_context_is_exact_on_one_context():
    p = np.random.default_rng(1).dirichlet(np.ones(6), 40)
    logits = np.log(p)
    logits[:, 0] += 0.7
    logits[:, 1] -= 0.7
    q = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.log(np.stack([p, q]))
    found = {
        "label_w": rows[..., 0], "label_l": rows[..., 1],
        "neither": np.exp(rows[..., 2:]).sum(-1),
    }  # fmt: skip
    np.testing.assert_allclose(*law_of_one_context(found), rtol=1e-9)


def test_what_spo_does_in_as_many_updates_is_judged_without_a_margin():
    pieces = {name: replace(PIECE, name=name) for name in (DPO, SPO)}
    gained = {DPO: np.array([0.0, 1.0]), SPO: np.array([0.0, 0.1])}

    def judged(rise):
        runs = {name: fake(gained[name], rise=rise[name]) for name in pieces}
        results = {("mass", 0, pieces[name]): run for name, run in runs.items()}
        found = {p.name: p.outcomes[0].holds for p in findings(results)}
        assert "mass-spo-more" not in found  # it never gained the margin
        return [found[f"mass-spo-{name}"] for name in ("raises", "less", "price")]

    raises, less, price = judged({DPO: -1.0, SPO: 0.5})
    assert raises is True
    assert less is True
    assert price is True
    raises, _, _ = judged({DPO: -1.0, SPO: -0.5})
    assert raises is False
