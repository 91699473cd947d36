"""Methods on a GPT-2 of seconds: every arm starts alike, does what it says, and is judged."""

import numpy as np
import pytest

from disband.lm.data.preferences import Preference
from disband.lm.data.tweets import Tweet
from disband.lm.model.gpt2 import encode, greedy
from disband.lm.model.load import positions
from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2.arms import ALL, BAND, BATCH, NONE
from disband.verify.experiments.gpt2.findings import findings, tables
from disband.verify.experiments.gpt2.findings.methods import RULES as EXPECTED
from disband.verify.experiments.gpt2.findings.methods import method_numbers
from disband.verify.experiments.gpt2.items import (
    MOST_WORDS,
    Given,
    free_pairs,
    free_rows,
    scrambled,
)
from disband.verify.experiments.gpt2.language import language_model
from disband.verify.experiments.gpt2.preparation import restore
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.questions.methods import METHODS, Trial, run_trial
from disband.verify.experiments.gpt2.readings import GAINED, at_gain
from tests.lm.tiny import TWEETS, model_of, tokenizer_of
from tests.verify.experiments.gpt2.test_study import TINY, quiet

LONG = tuple(Tweet(f"{t.text} and then we all went home again", t.label) for t in TWEETS)
TAUGHT = Supervision(steps=3, batch=4, rate=1e-2)


@pytest.fixture(scope="module")
def base():
    return language_model(TINY, 0, LONG, quiet)


def trial(**changes):
    settings = {
        "methods": ALL, "rule": Rule("adam", 3e-3), "steps": 5, "batch": 4, "pairs": 4,
        "supervision": TAUGHT,
    }  # fmt: skip
    return Trial(**({"objective": "DPO"} | settings | changes))


@pytest.fixture(scope="module")
def sentiment(base):
    return run_trial(trial(), 0, LONG, base, quiet)


@pytest.fixture(scope="module")
def free(base):
    return run_trial(trial(objective="CPO", data="free text"), 0, LONG, base, quiet)


@pytest.mark.parametrize("data", ["sentiment", "free"])
def test_every_arm_starts_from_the_same_model_and_goes_its_own_way(data, request):
    found = request.getfixturevalue(data)
    for side in ("logp_w", "logp_l"):
        paths = [found[f"{name}/{side}"] for name in ALL]
        for path in paths:
            assert path.shape[1] == 4
            np.testing.assert_allclose(path[0], paths[0][0], rtol=1e-12)
        for path in paths[1:]:
            assert np.abs(path[1] - paths[0][1]).max() > 1e-12
    for name in ALL:
        updates = len(found[f"{name}/logp_w"]) - 1
        assert 1 <= updates <= 5
        margin = (found[f"{name}/logp_w"] - found[f"{name}/logp_l"]).mean(1)
        assert updates == 5 or margin[-1] - margin[0] >= GAINED
        assert found[f"{name}/seconds"].shape == (updates,)
        assert (found[f"{name}/seconds"] >= 0).all()


def test_only_a_method_changes_the_ratio(sentiment):
    assert (sentiment[f"{NONE}/log_ratio"] == 0).all()
    assert all(np.isfinite(sentiment[f"{name}/log_ratio"]).all() for name in ALL)
    assert (np.abs(sentiment[f"{BATCH}/log_ratio"]) > 0).all()


def test_only_the_batch_band_can_be_empty(sentiment):
    assert np.isin(sentiment[f"{BAND}/empty"], [0.0, 1.0]).all()
    assert np.isnan(sentiment[f"{BATCH}/empty"]).all()


def test_what_the_model_writes_is_its_likeliest_tokens():
    tokenizer = tokenizer_of()
    model = model_of(tokenizer).double().eval()
    prompts = ["what a trip", "a great meal we had"]
    batch = encode(tokenizer, prompts, ["Positive sentiment.", "Negative"])
    got = greedy(model, batch)
    assert got[1, :-1].all()  # nothing is said before a shorter response
    for i in range(2):
        one = batch.row(i)
        length = int(one.lengths)
        logits = model(one.ids).logits[0, -length - 1 : -1]
        expected = logits.argmax(-1) == one.ids[0, -length:]
        assert got[i, -length:].tolist() == expected.tolist()


def test_free_text_is_preference_data_of_unequal_lengths():
    made = free_rows(LONG, np.random.default_rng(0))
    read = free_pairs(LONG, np.random.default_rng(0))
    assert len(made) == len(read) > len(LONG) // 2
    for row, pair in zip(made, read, strict=True):
        assert (row["prompt"], row["chosen"], row["rejected"]) == (
            pair.prompt, pair.chosen, pair.rejected,
        )  # fmt: skip
        assert set(pair.rejected.split()) <= set(pair.chosen.split())
        assert len(pair.chosen.split()) <= MOST_WORDS
    assert len({len(p.chosen.split()) - len(p.rejected.split()) for p in read}) > 2
    assert free_rows([Tweet("too short", "positive")], np.random.default_rng(0)) == []


def test_scrambling_never_leaves_nothing():
    rng = np.random.default_rng(1)
    assert all(scrambled(["one"], rng) for _ in range(50))


def test_free_text_needs_enough_tweets(base):
    with pytest.raises(ValueError, match="free text needs"):
        run_trial(trial(data="free text", steps=10**4), 0, LONG, base, quiet)


def test_text_that_a_model_has_no_positions_for_is_left_out_or_cut(base):
    model, tokenizer = restore(base)
    # each letter of the last half is a token of its own: far more than the model can read
    words = ["xq", "zj", "vk", "wq", "jx", "qz", "kv", "xw"] * 3
    unread = tuple(Tweet(f"{t.text} {' '.join(words)}", t.label) for t in LONG[::2])
    longest = max(len(tokenizer.encode(t.text)) for t in unread)
    assert longest > positions(model)
    found = run_trial(trial(data="free text", methods=(NONE,)), 0, (*LONG, *unread), base, quiet)
    assert np.isfinite(found[f"{NONE}/logp_w"]).all()
    own = [Preference(f"{i}?", t.text, t.text[::-1]) for i, t in enumerate((*LONG, *unread))]
    found = run_trial(trial(methods=(NONE,)), 0, tuple(map(Given, own)), base, quiet)
    assert np.isfinite(found[f"{NONE}/logp_w"]).all()


def test_pairs_of_ones_own_are_free_text(base):
    own = tuple(Given(pair) for pair in free_pairs(LONG, np.random.default_rng(2)))
    found = run_trial(trial(methods=(NONE, BATCH)), 0, own, base, quiet)
    assert found[f"{BATCH}/logp_w"].shape[1] == 4
    ranked = found[f"{NONE}/logp_w"][0] > found[f"{NONE}/logp_l"][0]
    np.testing.assert_array_equal(found[f"{NONE}/labels"][0], ranked)


def test_findings_and_tables_read_the_arms(sentiment, free):
    results = {("methods", 0, trial()): sentiment}
    results |= {("methods", 0, trial(objective="CPO", data="free text")): free}
    judged = {p.name: p for p in findings(results)}
    assert set(judged) == {one.name for one in EXPECTED} - {
        "calibration-free-text", "calibration-suppresses-the-rejected",
    }  # fmt: skip
    assert judged["calibration-cost"].outcomes[0].numbers.keys() == {"DPO"}
    (table,) = tables(results).values()
    assert [(row["objective"], row["method"]) for row in table] == [
        (objective, name) for objective in ("DPO", "CPO") for name in ALL
    ]
    plain = table[0]
    assert plain["margin speed"] == plain["relative cost"] == 1
    assert plain["relative updates"] in (1, pytest.approx(np.nan, nan_ok=True))


def arm(change_w, change_l, labels=1.0, seconds=1.0):
    time = np.linspace(0, 1, 11)[:, None] * np.ones(4)
    return {
        "logp_w": change_w * time, "logp_l": change_l * time, "seconds": np.full(10, seconds),
        "labels": np.stack([np.ones(4), np.full(4, labels)]), "log_ratio": np.zeros(10),
        "empty": np.zeros(10),
    }  # fmt: skip


def judge(**arms):
    """Judge made-up arms: of every objective the same, those not given as without a method."""
    given = {name: arms.get(key, arm(-1.0, -3.0)) for key, name in NAMES.items()}
    found = {f"{name}/{key}": v for name, its in given.items() for key, v in its.items()}
    results = {
        ("methods", 0, Trial(objective, data)): found
        for objective in ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO")
        for data in ("sentiment", "free text")
    }
    return {p.name: p.outcomes[0].holds for p in findings(results)}


NAMES = {"none": NONE, "batch": BATCH, "band": BAND, "normalised": "normalised gradients"}


def test_a_finding_can_hold_and_can_fail():
    good = arm(1.0, -4.0, seconds=1.2)
    better = judge(batch=good, band=good, normalised=good)
    about_the_rejected = "calibration-suppresses-the-rejected"
    assert all(holds for name, holds in better.items() if name != about_the_rejected)
    assert better[about_the_rejected] is False
    assert judge(none=arm(3.0, 2.0), batch=good)[about_the_rejected] is True
    bad = arm(-2.0, -1.0, labels=0.0, seconds=2.0)
    bad["empty"] = np.ones(10)
    worse = judge(batch=bad, band=bad, normalised=bad)
    never = {name for name, holds in worse.items() if holds is None}
    assert not any(holds for name, holds in worse.items() if name not in never)
    assert worse["calibration-cost"] is False
    assert worse["methods-keep-labels"] is False
    assert worse["batch-band-rarely-empty"] is False
    fallen = judge(batch=arm(-2.0, -4.0), band=arm(-2.0, -4.0), normalised=arm(-2.0, -4.0))
    assert fallen["calibration-spares-the-chosen"] is False
    assert fallen["batch-band-raises-the-chosen"] is False


def test_at_equal_margin_both_changes_differ_by_the_margin():
    at_w, at_l = at_gain(arm(-1.0, -3.0))
    assert at_w - at_l == pytest.approx(GAINED)
    assert np.isnan(at_gain(arm(0.1, 0.0))).all()
    numbers = method_numbers({f"x/{k}": v for k, v in arm(-1.0, -3.0).items()}, "x")
    assert numbers["chosen preserved"] == 0
    assert numbers["rejected suppressed"] == 1
    assert numbers["margin per update"] == pytest.approx(0.2)
    assert numbers["updates to the margin"] == pytest.approx(GAINED / 0.2)
    never = method_numbers({f"x/{k}": v for k, v in arm(0.1, 0.0).items()}, "x")
    assert np.isnan(never["updates to the margin"])


def test_the_methods_are_those_that_the_findings_name():
    assert set(METHODS) | {NONE} == set(ALL)
