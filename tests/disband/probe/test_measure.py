"""What a probe measures: the numbers are those of direct calls, and finished pieces are kept."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from disband.lm.data.preferences import Preference
from disband.lm.data.tokenize import batches, tokenize
from disband.lm.model.gpt2 import logp
from disband.lm.model.load import Loaded
from disband.lm.scores.audit import Audit
from disband.lm.scores.grams import batch_gram, pair_gram
from disband.probe import measure
from disband.probe.distances import distances
from disband.probe.measure import (
    Plan,
    audited,
    kept_in,
    log_probabilities,
    score_products,
    start_metric,
)
from disband.probe.shares import State, batch_report, pair_report
from disband.probe.worst import by_token, worst_off
from disband.theory.catalogue import catalogue
from disband.theory.first_order import first_order
from disband.theory.own_loss import objective_of
from tests.lm.model.test_load import architecture
from tests.lm.tiny import model_of, tokenizer_of

PAIRS = [
    Preference("what a day", " a lovely trip", " rainy and awful weather"),
    Preference("the train was late", " bad", " great"),
    # The rejected repeats the chosen, so its score is much like the chosen one's, but longer.
    Preference("how was it?", " great meal", " great meal great meal great meal great meal"),
    Preference("the talk", " sunny sunny", " sunny sunny"),
    Preference("a flight", " awful flight we had", " lovely flight we had"),
]
ENTANGLED = 2
DPO = catalogue().find("dpo")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def loaded(request, tokenizer):
    model = model_of(tokenizer) if request.param == "gpt2" else architecture("Llama", tokenizer)
    return Loaded(model.double().eval(), tokenizer, {"source": request.param, "positions": 64})


@pytest.fixture(scope="module")
def plan(tokenizer):
    return Plan(tokenize(tokenizer, PAIRS), batch=2, batches=1)


def quiet(_):
    pass


def state_of(plan, logps, refs=None):
    apart = distances(plan.pairs)
    refs = logps if refs is None else refs
    nothing = np.full(len(apart.len_w), np.nan)
    return State(*logps, *refs, apart.len_w, apart.len_l, apart.identical, nothing)


def measured(loaded, plan, folder):
    store = kept_in(folder)
    return log_probabilities(loaded, plan, store, quiet), score_products(
        loaded, plan, store, {}, quiet
    )


def test_a_plan_deals_whole_batches_first_and_no_more_than_there_are(plan):
    assert plan.pieces == [range(2), range(2, 4), range(4, 5)]
    assert (plan.size, plan.whole) == (2, 1)
    assert (replace(plan, batch=9).size, replace(plan, batch=9).whole) == (5, 1)
    assert replace(plan, batches=9).whole == 2
    with pytest.raises(ValueError, match="at least one pair"):
        replace(plan, batch=0)


def test_numbers_are_those_of_direct_calls(loaded, plan, tmp_path):
    both = batches(loaded.tokenizer, plan.pairs)
    logps, found = measured(loaded, plan, tmp_path)
    with torch.no_grad():
        direct = [logp(loaded.model, side).numpy() for side in both]
    np.testing.assert_allclose(logps, direct, rtol=1e-9)
    gram = pair_gram(loaded.model, *both)
    for part in ("sq_w", "sq_l", "dot"):
        np.testing.assert_allclose(getattr(found.gram, part), getattr(gram, part), rtol=1e-9)
    whole = batch_gram(loaded.model, *batches(loaded.tokenizer, plan.pairs[:2]))
    np.testing.assert_allclose(found.products, whole[None], rtol=1e-9)


def test_an_interrupted_measurement_goes_on_and_gives_the_same(loaded, plan, tmp_path, monkeypatch):
    _, expected = measured(loaded, plan, tmp_path / "whole")
    calls = []

    def stopped(model, *sides, **how):
        calls.append(len(sides[0]))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return pair_gram(model, *sides, **how)

    monkeypatch.setattr(measure, "pair_gram", stopped)
    with pytest.raises(KeyboardInterrupt):
        measured(loaded, plan, tmp_path / "cut")
    assert calls == [2, 1]
    _, found = measured(loaded, plan, tmp_path / "cut")
    assert calls == [2, 1, 1]  # the batch and the first piece were kept
    np.testing.assert_array_equal(found.products, expected.products)
    np.testing.assert_array_equal(found.gram.dot, expected.gram.dot)


def test_other_weights_are_measured_anew(loaded, plan, tmp_path):
    first, _ = measured(loaded, plan, tmp_path)
    other = Loaded(loaded.model, loaded.tokenizer, {"source": "another"})
    calls = []
    log_probabilities(other, plan, kept_in(tmp_path), calls.append)
    assert len(list(tmp_path.glob("log-probabilities-*.npz"))) == 2 * len(plan.pieces)
    assert calls[-1] == 1
    assert np.isfinite(first).all()


def test_the_entangled_pair_is_flagged_and_the_plain_one_is_not(loaded, plan, tmp_path):
    logps, found = measured(loaded, plan, tmp_path)
    state = state_of(plan, logps)
    at = pair_report(DPO, {}, state, found.gram, [0.0])["at"][0]
    picked = worst_off(*state.incentives(DPO, {}), found.gram, plan, count=5, longest=100)
    assert picked[0] == ENTANGLED
    assert at["outcomes"]["both_fall"]["count"] == len(picked) < 4
    assert at["outcomes"]["still"]["count"] == 1
    for most in ({"count": 5, "longest": 4}, {"count": 0, "longest": 100}):
        assert not worst_off(*state.incentives(DPO, {}), found.gram, plan, **most)


def test_the_effects_of_tokens_sum_to_the_fall_of_the_chosen(loaded, plan, tmp_path):
    logps, found = measured(loaded, plan, tmp_path)
    incentives = state_of(plan, logps).incentives(DPO, {})
    (one,) = by_token(
        loaded, plan, [ENTANGLED], incentives, found.gram, kept_in(tmp_path), {}, quiet
    )
    change_w, change_l = (c[ENTANGLED] for c in first_order(*incentives, found.gram))
    assert change_w < 0
    assert one.drag > 1
    assert one.effects.sum() == pytest.approx(change_w)
    assert one.changes[: one.len_w].sum() == pytest.approx(change_w)
    assert one.changes[one.len_w :].sum() == pytest.approx(change_l)
    assert "".join(one.words[: one.len_w - 1]) == PAIRS[ENTANGLED].chosen
    # It is the rejected copy that pulls the chosen down.
    assert one.effects[one.len_w :].sum() < 0 < one.effects[: one.len_w].sum()
    np.testing.assert_allclose(np.diagonal(one.cosines), 1)


def test_a_batch_of_one_pair_does_what_the_pair_does_alone(loaded, plan, tmp_path):
    alone = replace(plan, batch=1, batches=5)
    logps, found = measured(loaded, alone, tmp_path)
    report = batch_report(DPO, {}, state_of(plan, logps), found)
    own = pair_report(DPO, {}, state_of(plan, logps), found.gram, [0.0])["at"][0]["outcomes"]
    assert report["as_alone"]["count"] == report["as_alone"]["of"] == 4
    assert report["means"]["both_fall"]["count"] == own["both_fall"]["count"]
    none = found._replace(products=np.empty((0, 2, 2)))
    assert batch_report(DPO, {}, state_of(plan, logps), none) is None


def test_a_margin_changes_incentives_and_not_the_products(loaded, plan, tmp_path):
    logps, found = measured(loaded, plan, tmp_path)
    ipo = catalogue().find("ipo")
    report = pair_report(ipo, {"beta": 0.5}, state_of(plan, logps), found.gram, [0.0, 3.0])
    start, later = (one["outcomes"] for one in report["at"])
    # Beyond the margin of 1 nat that β asks for, IPO pulls the other way.
    assert start["both_fall"]["count"] == later["both_rise"]["count"] > 0
    assert start["ideal"]["count"] == later["reversed"]["count"] > 0
    assert report["at"][1]["calibration"] is None


@pytest.mark.parametrize(("text", "gaps"), [("", [np.nan, np.nan]), (" - gap", [2.0, -1.0])])
def test_the_metric_is_adams_after_each_batch_was_seen_once(loaded, plan, text, gaps):
    margin = "0.1*(w - ref_w - l + ref_l)"
    objective = objective_of(f"-logsigmoid({margin}{text})")
    some = replace(plan, pairs=plan.pairs[:2], batch=1)
    before = {n: p.detach().clone() for n, p in loaded.model.named_parameters()}
    logps = np.array([[-3.0, -4.0], [-5.0, -6.0]])
    found = start_metric(loaded, some, logps, objective, {}, np.array(gaps))
    squares = {name: [] for name in before}
    for i, pair in enumerate(some.pairs):
        w, l = (logp(loaded.model, side) for side in batches(loaded.tokenizer, [pair]))  # noqa: E741
        margin = (w - logps[0, i]) - (l - logps[1, i])
        loss = -torch.nn.functional.logsigmoid(0.1 * margin - np.nan_to_num(gaps[i])).sum()
        gradients = torch.autograd.grad(loss, list(loaded.model.parameters()))
        for name, gradient in zip(before, gradients, strict=True):
            squares[name].append(gradient**2)
    # Adam's average of two weighs the second by 1, the first by β₂ = 0.999.
    for name, (first, second) in squares.items():
        mean = (0.999 * first + second) / 1.999
        torch.testing.assert_close(found[name], 1 / (mean.sqrt() + 1e-8), rtol=1e-6, atol=0)
    for name, parameter in loaded.model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None


def test_an_audit_is_kept_and_an_error_beyond_rounding_is_refused(
    loaded, plan, tmp_path, monkeypatch
):
    store = kept_in(tmp_path)
    errors = audited(loaded, plan, store, {})
    assert max(errors["contributions"], errors["gram"]) < 1e-6
    assert errors["step"] < 1e-3
    assert audited(loaded, replace(plan, memory=1000), store, {}) is None
    wrong = lambda *_: Audit(1, 0.0, 0.01, 0.0)  # noqa: E731
    monkeypatch.setattr(measure, "audit", wrong)
    assert audited(loaded, plan, store, {}) == errors
    with pytest.raises(ValueError, match=r"differ by 0\.01 of the scores' norms"):
        audited(loaded, plan, store, {"lora": "other"})
