"""The sentiment study from end to end, on a corpus and a model of toy size."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from disband.lm.data.tweets import LABELS, STYLES, SplitSettings, responses, split
from disband.lm.model.gpt2 import encode, logp
from disband.lm.training.finetune import sft, train_language_model, train_preferences
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import DPO, IPO
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.preparation import both_labels
from disband.verify.experiments.sentiment.check import Settings, run
from disband.verify.experiments.sentiment.study import run_all
from tests.lm.tiny import TWEETS, model_of, tokenizer_of

TINY = Settings(
    language=Language(
        layers=1,
        heads=2,
        width=16,
        vocabulary=420,
        longest_prompt=8,
        steps=20,
        batch=4,
        block=24,
        split=SplitSettings(eval_share=0.2),
    ),
    sft_steps=4,
    sft_batch=4,
    sft_rate=1e-2,
    dpo_steps=5,
    dpo_batch=4,
    dpo_rate=1e-3,
    eval_pairs=6,
    logp_every=2,
    gram_pairs=3,
    gram_every=3,
    token_pairs=2,
)
LEARNED = ("logp_w", "logp_l", "sq_w", "sq_l", "dot")


@pytest.fixture(scope="module")
def base():
    return language_model(TINY.language, 0, TWEETS, lambda _: None)


@pytest.mark.parametrize("style", STYLES)
def test_a_style_gives_its_arrays(base, style):
    shares = []
    found = run(TINY, style, 0, TWEETS, base, report=shares.append)
    assert found["steps"].tolist() == [0, 2, 4, 5]
    assert found["gram_steps"].tolist() == [0, 3, 5]
    assert {name: found[name].shape for name in LEARNED} == {
        "logp_w": (4, 6),
        "logp_l": (4, 6),
        "sq_w": (3, 3),
        "sq_l": (3, 3),
        "dot": (3, 3),
    }
    assert all(np.isfinite(found[name]).all() for name in LEARNED)
    assert not np.array_equal(found["logp_w"][0], found["logp_w"][-1])
    assert shares == sorted(shares)
    assert shares[-1] == 1
    if style == "prefix+suffix":
        assert "".join(found["tokens"]) == "".join(responses(style, "positive"))
        length = len(found["tokens"]) // 2
        sums = found["token_gram"].sum((-1, -2), where=True)
        pairs = [found[name][[0, -1], :2] for name in ("sq_w", "sq_l", "dot")]
        np.testing.assert_allclose(sums, pairs[0] + pairs[1] + 2 * pairs[2], rtol=1e-4)
        assert found["token_gram"].shape == (2, 2, 2 * length, 2 * length)
    else:
        assert "token_gram" not in found


def test_a_run_is_repeatable_and_every_seed_is_another(base):
    first, again = (run(TINY, "short suffix", 0, TWEETS, base) for _ in range(2))
    other = run(TINY, "short suffix", 1, TWEETS, base)
    np.testing.assert_allclose(first["logp_w"], again["logp_w"], rtol=1e-6)
    assert not np.allclose(first["logp_w"], other["logp_w"], rtol=1e-6)
    another = language_model(TINY.language, 1, TWEETS, lambda _: None)
    assert not np.array_equal(
        base["weight/transformer.wpe.weight"], another["weight/transformer.wpe.weight"]
    )


def test_every_seed_begins_with_other_weights():
    untrained = replace(TINY.language, steps=1, rate=0.0)
    name = "weight/transformer.h.0.mlp.c_fc.weight"
    first, second = (language_model(untrained, s, TWEETS, lambda _: None)[name] for s in (0, 1))
    assert not np.allclose(first, second)


def test_a_style_builds_on_the_language_model_it_is_given(base):
    untouched = Settings(**{**vars(TINY), "sft_rate": 0.0, "dpo_rate": 0.0})
    doubled = {k: 2 * v if k.startswith("weight/") else v for k, v in base.items()}
    first, second = (run(untouched, "single token", 0, TWEETS, b) for b in (base, doubled))
    assert not np.allclose(first["logp_w"], second["logp_w"], rtol=1e-2)
    np.testing.assert_array_equal(first["logp_w"][0], first["logp_w"][-1])


def test_supervised_fine_tuning_is_shown_both_labels_equally():
    group = split(TWEETS)[0][:16]
    shown = both_labels("single token", group)
    counts = Counter(zip((t.label for t in group), shown, strict=True))
    assert counts == dict.fromkeys(product(LABELS, ("Positive", "Negative")), 4)


def test_too_few_tweets_are_refused(base):
    with pytest.raises(ValueError, match="those of one label are used up"):
        run(Settings(**{**vars(TINY), "dpo_steps": 500}), "short suffix", 0, TWEETS, base)
    with pytest.raises(ValueError, match="the settings ask for 600 held-out texts"):
        run(Settings(**{**vars(TINY), "eval_pairs": 600}), "short suffix", 0, TWEETS, base)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"sft_batch": 6}, "divisible by 4"), ({"gram_pairs": 7}, "got 2, 7, 6; enlarge")],
)
def test_settings_that_cannot_be_met_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings(**{**vars(TINY), **change})


def test_the_study_is_kept_and_resumed(tmp_path):
    seen = []

    def study(styles, workers=1):
        seen.clear()
        return run_all(
            TWEETS,
            tmp_path,
            lambda *args: seen.append(args),
            settings=TINY,
            seeds=(0, 1),
            styles=styles,
            workers=workers,
        )

    part = study(("short suffix",), workers=2)
    assert seen[-1][0] == pytest.approx(seen[-1][1])
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    whole = study(("short suffix", "single token"))
    assert set(whole) == {(s, n) for s in (0, 1) for n in ("short suffix", "single token")}
    texts = {text for *_, text in seen}
    assert not any("short suffix" in text or "language model" in text for text in texts)
    for key, arrays in part.items():
        np.testing.assert_array_equal(whole[key]["logp_w"], arrays["logp_w"])
    assert len(list(tmp_path.glob("*.npz"))) == 6
    study(("single token",))
    assert seen == []


def test_language_modelling_learns():
    rng = np.random.default_rng(0)
    tokenizer = tokenizer_of()
    stream = torch.tensor([i for t in TWEETS for i in tokenizer.encode(t.text)])
    model, steps = model_of(tokenizer), []
    size = {"batch": 8, "block": 16, "rate": 1e-2, "rng": rng, "after": steps.append}
    start = train_language_model(model, stream, steps=1, **size)
    end = train_language_model(model, stream, steps=60, **size)
    assert end < start - 2
    assert steps == [1, *range(1, 61)]
    with pytest.raises(ValueError, match="a block has 16 tokens, but the corpus has only 9"):
        train_language_model(model, stream[:9], steps=1, **size)


def test_supervised_fine_tuning_raises_what_it_is_shown():
    tokenizer = tokenizer_of()
    model = model_of(tokenizer)
    batch = encode(tokenizer, ["a great day"] * 2, ["Positive", "Positive sentiment."])
    before = logp(model, batch).detach()
    sft(model, [batch] * 10, rate=1e-2, after=lambda _: None)
    assert bool((logp(model, batch) > before + 1).all())


@pytest.mark.parametrize("objective", [DPO, IPO], ids=lambda o: o.name)
def test_preference_training_follows_the_objective(objective):
    tokenizer = tokenizer_of()
    pair = tuple(
        encode(tokenizer, ["a great day", "bad"], answers)
        for answers in (["Positive", "Negative"], ["Negative", "Positive"])
    )
    torch.manual_seed(0)
    model, by_hand = (model_of(tokenizer).double() for _ in range(2))
    reference = [logp(by_hand, b).detach() for b in pair]
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-2)
    for _ in range(3):
        margin = logp(by_hand, pair[0]) - reference[0] - logp(by_hand, pair[1]) + reference[1]
        losses = {
            "DPO": -torch.nn.functional.logsigmoid(0.3 * margin),
            "IPO": (margin - 1 / (2 * 0.3)) ** 2,
        }
        optimizer.zero_grad()
        losses[objective.name].mean().backward()
        optimizer.step()
    steps = []
    hyper = {"DPO": "beta", "IPO": next(iter(IPO.defaults)).name}[objective.name]
    train_preferences(
        model, [pair] * 3, objective, rule=Rule("adam", 1e-2), after=steps.append, **{hyper: 0.3}
    )
    assert steps == [0, 1, 2, 3]
    torch.testing.assert_close(logp(model, pair[0]), logp(by_hand, pair[0]), rtol=1e-8, atol=1e-8)


def test_a_warm_up_makes_the_first_steps_smaller():
    tokenizer = tokenizer_of()
    pair = tuple(encode(tokenizer, ["a great day"], [a]) for a in ("Positive", "Negative"))
    moves = []
    for warmup in (0, 9):
        model = model_of(tokenizer)
        before = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        train_preferences(model, [pair], DPO, rule=Rule("adam", 1e-3, warmup), after=lambda _: None)
        after = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        moves.append(float((after - before).abs().max()))
    assert moves[1] == pytest.approx(moves[0] / 10, rel=1e-2)
