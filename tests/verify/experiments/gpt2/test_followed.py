"""Whole runs followed, on tweets and on preference pairs of one's own, from any model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from disband.lm.data.messages import Message
from disband.lm.data.preferences import Preference
from disband.lm.data.tweets import STYLES, SplitSettings, Tweet, data_hash
from disband.lm.model.load import load_model
from disband.lm.training.optimizers import Rule
from disband.theory.band import Case
from disband.verify.experiments.gpt2.findings import findings, tables
from disband.verify.experiments.gpt2.inquiry import Inquiry
from disband.verify.experiments.gpt2.items import GIVEN, Given, answers, divide, encoded
from disband.verify.experiments.gpt2.language import language_model
from disband.verify.experiments.gpt2.preparation import Draw, named, restore
from disband.verify.experiments.gpt2.protocol import Contest, Protocol, Supervision, prepare
from disband.verify.experiments.gpt2.questions.runs import Run, run_followed
from disband.verify.experiments.gpt2.readings import run_numbers
from disband.verify.experiments.gpt2.study import run_study
from disband.verify.experiments.sentiment.rules import CRITERIA
from tests.lm.tiny import TWEETS
from tests.verify.experiments.gpt2.test_study import TINY, quiet

TAUGHT = Supervision(steps=4, batch=4, rate=1e-2)
RUN = Run(
    "unequal 1/3", steps=5, batch=4, pairs=6, gram_pairs=3, logp_every=2, gram_every=4,
    rule=Rule("adam", 1e-3), supervision=TAUGHT,
)  # fmt: skip
PAIRS = tuple(
    Given(Preference(f"what is {n} and {n}?", f" {2 * n} it is.", f" I would say {n}."))
    for n in range(60)
)


@pytest.fixture(scope="module")
def base():
    return language_model(TINY, 0, TWEETS, quiet)


@pytest.fixture(scope="module")
def folder(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    for part in restore(base):
        part.save_pretrained(folder)
    return folder


def test_a_run_is_measured_at_its_cadence(base):
    found = run_followed(RUN, 0, TWEETS, base, quiet)
    assert found["steps"].tolist() == [0, 2, 4, 5]
    assert found["gram_steps"].tolist() == [0, 4, 5]
    assert found["logp_w"].shape == (4, 6)
    assert {found[name].shape for name in ("sq_w", "d_w", "case", "in_band")} == {(3, 3)}
    assert set(found["lengths"].ravel()) == {2, 4}
    np.testing.assert_allclose(found["logp_w"], found["token_logp"][:, 0].sum(-1))
    assert set(np.unique(found["case"])) <= set(Case)
    # DPO's incentives are equal and positive: in the band is the ideal case.
    np.testing.assert_array_equal(found["in_band"], found["case"] == Case.IDEAL)
    assert run_numbers(found)["change of the chosen"] == pytest.approx(
        (found["logp_w"][-1] - found["logp_w"][0]).mean()
    )


def test_the_last_step_is_the_same_however_often_one_looks(base):
    often = run_followed(replace(RUN, logp_every=1, gram_every=1), 0, TWEETS, base, quiet)
    seldom = run_followed(RUN, 0, TWEETS, base, quiet)
    np.testing.assert_array_equal(often["token_logp"][-1], seldom["token_logp"][-1])
    np.testing.assert_array_equal(often["dot"][-1], seldom["dot"][-1])


def test_token_grams_add_up_to_the_pairs_own(base):
    piece = replace(RUN, style="prefix+suffix", token_pairs=2)
    found = run_followed(piece, 0, TWEETS, base, quiet)
    length = len(found["tokens"]) // 2
    assert found["token_gram"].shape == (2, 2, 2 * length, 2 * length)
    for name, w, l in (("sq_w", 0, 0), ("dot", 0, 1), ("sq_l", 1, 1)):  # noqa: E741
        block = found["token_gram"].reshape(2, 2, 2, length, 2, length).sum((3, 5))[:, :, w, l]
        np.testing.assert_allclose(block, found[name][[0, -1], :2], rtol=1e-9)
    differing = np.flatnonzero(found["tokens"][:length] != found["tokens"][length:])
    assert [w.strip() for w in found["tokens"][differing]] in (["positive"], ["negative"])


def test_responses_of_other_lengths_have_no_token_grams(base):
    assert "token_gram" not in run_followed(replace(RUN, token_pairs=2), 0, TWEETS, base, quiet)


def test_dpo_on_all_four_styles_answers_section_4_3(base):
    pieces = [replace(RUN, style=style, token_pairs=1) for style in STYLES]
    results = {("runs", 3, p): run_followed(p, 3, TWEETS, base, quiet) for p in pieces}
    judged = findings(results)
    assert [prediction.name for prediction in judged] == list(CRITERIA)
    assert {outcome.seed for prediction in judged for outcome in prediction.outcomes} == {3}
    assert not findings({key: found for key, found in results.items() if key[2] != pieces[0]})


def test_hyperparameters_reach_the_objective(base):
    plain = run_followed(RUN, 0, TWEETS, base, quiet)
    strong = run_followed(replace(RUN, hyper=(("beta", 0.5),)), 0, TWEETS, base, quiet)
    np.testing.assert_allclose(strong["d_w"][0], 5 * plain["d_w"][0])


def test_a_cadence_that_misses_is_refused():
    with pytest.raises(ValueError, match="steps multiples"):
        Run("short suffix", logp_every=4, gram_every=6)
    with pytest.raises(ValueError, match="some of the followed pairs"):
        Run("short suffix", pairs=8, gram_pairs=16)


def test_checkpoints_are_models_to_begin_with(base, tmp_path):
    piece = replace(RUN, checkpoints=str(tmp_path))
    found = run_followed(piece, 3, TWEETS, base, quiet)
    folder = tmp_path / "seed 3" / str(piece)
    start = load_model(folder / "before", dtype="float64").model
    end = load_model(folder / "after", dtype="float64").model
    assert any(
        not torch.equal(p, q) for p, q in zip(start.parameters(), end.parameters(), strict=True)
    )
    untaught = replace(RUN, supervision=replace(TAUGHT, steps=0))
    kept = run_followed(
        untaught, 3, TWEETS, named(load_model(folder / "after").provenance, tmp_path, {}), quiet
    )
    np.testing.assert_allclose(kept["logp_w"][0], found["logp_w"][-1], atol=1e-5)


def test_mixed_precision_trains_in_bfloat16_and_measures_in_float32(base):
    exact = run_followed(RUN, 0, TWEETS, base, quiet)
    mixed = run_followed(replace(RUN, precision="mixed"), 0, TWEETS, base, quiet)
    single = run_followed(replace(RUN, precision="float32"), 0, TWEETS, base, quiet)
    off = {n: np.abs(f["logp_w"] - exact["logp_w"]).max() for n, f in (("m", mixed), ("s", single))}
    assert 0 < off["s"] < 1e-3 < off["m"] < 1


def test_pairs_of_ones_own_are_trained_on_as_given(folder):
    protocol = Protocol("unused", TAUGHT, Contest(steps=3, batch=4), eval_pairs=3)
    prepared = prepare(protocol, 0, PAIRS, *load_model(folder)[:2])
    assert (prepared.labels == 0).all()
    words = [
        prepared.tokenizer.decode(batch.ids[0][batch.response[0]]) for batch in prepared.held_out
    ]
    given = divide(PAIRS, protocol.split)[1][0].pair
    assert given.chosen.strip() in words[0]
    assert given.rejected.strip() in words[1]


def test_shuffled_pairs_exchange_their_responses_by_chance(folder):
    contest = Contest(steps=3, batch=8, labels="shuffled")
    protocol = Protocol("unused", TAUGHT, contest, eval_pairs=3)
    prepared = prepare(protocol, 0, PAIRS, *load_model(folder)[:2])
    assert 0 < prepared.labels.mean() < 1
    item = PAIRS[1]
    assert answers("unused", item, GIVEN[1]) == answers("unused", item, GIVEN[0])[::-1]


def test_prompts_fall_on_one_side_whatever_the_responses():
    twice = [Given(replace_response(item.pair, n)) for item in PAIRS for n in range(3)]
    training, held_out = divide(twice, SplitSettings(eval_share=0.3))
    assert not {t.text for t in training} & {t.text for t in held_out}
    assert len(training) + len(held_out) == len(twice)
    with pytest.raises(ValueError, match="different prompts"):
        divide(PAIRS[:1], SplitSettings())


def replace_response(pair, n):
    return Preference(pair.prompt, f"{pair.chosen} {n}", pair.rejected)


def test_a_conversation_is_split_by_its_words():
    talk = Given(Preference((Message("user", "hello"),), (Message("assistant", "hi"),), ()))
    assert talk.text == "hello"
    assert data_hash([talk]) != data_hash([PAIRS[0]])


def test_tweets_are_encoded_with_the_style_and_dealt_by_label(base):
    _, tokenizer = restore(base)
    group = Draw(TWEETS, np.random.default_rng(0)).batch(4)
    assert [t.label for t in group] == ["positive", "negative"] * 2
    said = [answers("single token", t, t.label)[0] for t in group]
    batch = encoded(tokenizer, group, said, 24)
    assert batch.lengths.tolist() == [1] * 4
    assert all(isinstance(t, Tweet) for t in group)


def test_both_responses_of_a_pair_follow_the_same_tokens(base):
    """Even where the tokenizer would join the prompt's last letters with a response's first."""
    _, tokenizer = restore(base)
    pair = Preference("what a great tri", "p we had", "ppy meal")
    sides = [encoded(tokenizer, [Given(pair)], [said], 24) for said in (pair.chosen, pair.rejected)]
    before = [side.ids[~side.response] for side in sides]
    assert torch.equal(*before)
    for side, said in zip(sides, (pair.chosen, pair.rejected), strict=True):
        assert tokenizer.decode(side.ids[0]).startswith(pair.prompt + said)


def test_a_study_starts_from_a_pretrained_model(folder, tmp_path):
    piece = replace(RUN, steps=2, logp_every=1, gram_every=2)
    results = run_study(
        [Inquiry("runs", run_followed, (piece,))], PAIRS, tmp_path, lambda *_: None,
        pretrained=load_model(folder).provenance, seeds=(4,), workers=1,
    )  # fmt: skip
    (row,) = tables(results)["runs"]
    assert row["seed"] == 4
    assert np.isfinite(row["change of the chosen"])


def test_mixed_training_leaves_the_weights_in_their_own_precision(base):
    model, tokenizer = restore(base)
    protocol = Protocol(
        "short suffix", TAUGHT, Contest(steps=1, batch=4), eval_pairs=2, precision="mixed"
    )
    prepared = prepare(protocol, 0, TWEETS, model, tokenizer)
    assert {p.dtype for p in prepared.model.parameters()} == {torch.float32}
