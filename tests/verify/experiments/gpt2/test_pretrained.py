"""The protocol of a pretrained model, on a tiny one: what it measures, how it ends and goes on."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from disband.lm.data.tweets import load_tweets
from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2 import pretrained, study
from disband.verify.experiments.gpt2.findings import QUESTIONS
from disband.verify.experiments.gpt2.preparation import named, require_enough
from disband.verify.experiments.gpt2.pretrained import FREE, Followed, run_pretrained
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.questions.learnt import run_unkept
from disband.verify.experiments.gpt2.scales import INQUIRIES
from disband.verify.experiments.gpt2.study import Inquiry
from disband.verify.experiments.sentiment.rules import position_cosines
from tests.lm.tiny import TWEETS, model_of, tokenizer_of

PIECE = Followed(
    "prefix+suffix", rule=Rule("adamw", 1e-3, 2), steps=8, batch=4, gained=100.0, pairs=8,
    gram_pairs=4, logp_every=2, gram_every=4, mixed=False,
    supervision=Supervision("correct", 4, 4, 1e-3),
)  # fmt: skip
TOKENS = replace(PIECE, token_pairs=1)
RUNS = next(question for question in QUESTIONS if question.name == "runs")


@pytest.fixture
def run(tmp_path, monkeypatch):
    tokenizer = tokenizer_of()
    model = model_of(tokenizer)
    monkeypatch.setattr(pretrained, "restore", lambda _: (deepcopy(model), tokenizer))
    base = named({"source": "tiny"}, tmp_path, {"model": "tiny"})
    return lambda piece=PIECE, report=lambda _: None: run_pretrained(piece, 0, TWEETS, base, report)


def test_what_it_returns_is_what_its_rows_are_read_from(run):
    found = run(TOKENS)
    assert found["steps"].tolist() == [0, 2, 4, 6, 8]
    assert found["gram_steps"].tolist() == [0, 4, 8]
    assert found["token_gram"].shape == (2, 1, len(found["tokens"]), len(found["tokens"]))
    (row,) = RUNS.rows(TOKENS, found)
    assert row["right after it"] == (found["logp_w"][0] > found["logp_l"][0]).mean()
    assert row["updates"] == 8
    (curve,) = RUNS.curve(TOKENS, found)
    assert len(curve["cosine"]) == 3


def test_a_small_model_runs_without_a_place_to_be_kept(run, tmp_path, monkeypatch):
    expected = run()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "apart"))
    (tmp_path / "apart").mkdir()
    found = run_unkept(PIECE, 0, TWEETS, {}, lambda _: None)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], values) for name, values in expected.items())
    assert not list((tmp_path / "apart").iterdir())


def test_the_small_model_that_learns_has_room_among_the_tweets():
    tweets = load_tweets()
    for inquiry in (inquiry for scale in INQUIRIES.values() for inquiry in scale):
        if inquiry.name == "learnt":
            require_enough(tweets, inquiry.pieces)


def test_small_updates_do_what_they_promise(run):
    found = run(replace(PIECE, rule=Rule("adamw", 3e-5), steps=4))
    error = np.linalg.norm(found["kept"] - found["promised"]) / np.linalg.norm(found["kept"])
    assert error < 0.05


def test_it_ends_when_the_margin_has_grown(run):
    margin = np.subtract(*(run()[side].mean(1) for side in ("logp_w", "logp_l")))
    assert margin[2] > margin[:2].max()
    enough = run(replace(PIECE, gained=float(margin[2] - margin[0]) - 1e-6))
    assert enough["steps"].tolist() == [0, 2, 4]
    assert enough["gram_steps"].tolist() == [0, 4]


@pytest.mark.parametrize("share", [0.45, 0.8])
def test_a_killed_run_goes_on_where_it_was_kept(run, tmp_path, share):
    def kill(done):
        if done > share:
            raise KeyboardInterrupt

    whole = run()
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(report=kill)
    told = []
    again = run(report=told.append)
    assert len(told) < 12
    for name, values in whole.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)
    # What is left is the fine-tuned model, for other objectives.
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["taught"]


def test_half_precision_changes_no_verdict(run):
    fine, coarse = run(TOKENS), run(replace(TOKENS, mixed=True))
    signs = [
        [np.sign((one[side][-1] - one[side][0]).mean()) for side in ("logp_w", "logp_l")]
        + [*np.sign(one["dot"].mean(1)), *np.sign(position_cosines(one)[0].ravel())]
        for one in (fine, coarse)
    ]
    assert signs[0] == signs[1]
    # Trained in half precision, and measured in whole: at the start they are one model but for it.
    start = [one["logp_w"][0] for one in (fine, coarse)]
    np.testing.assert_allclose(*start, atol=0.05)
    assert (start[0] != start[1]).any()


@pytest.mark.parametrize("calibrated", [False, True])
def test_free_text_and_calibration_run_too(run, calibrated):
    piece = replace(PIECE, style=FREE, calibrated=calibrated)
    found = run(piece)
    assert len({*found["lengths"].ravel().tolist()}) > 1
    assert RUNS.rows(piece, found)[0]["objective"] == piece.trained_by


def test_the_first_pieces_come_first_on_every_seed(tmp_path, monkeypatch):
    pieces = tuple(replace(PIECE, style=style) for style in ("single token", "long suffix", FREE))
    inquiry = Inquiry("runs", run_pretrained, pieces, before_others=2)
    order = []

    def begin(_, tasks, *, finished, **__):
        order.extend(tasks)
        for task in tasks[:3]:
            finished(task, {"seed": np.array(task.seed)})
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run_tasks", begin)

    def runs(**asked):
        return study.run_study(
            [inquiry], TWEETS, tmp_path, lambda *_: None, seeds=(0, 1),
            pretrained={"source": "none"}, **asked,
        )  # fmt: skip

    assert not runs(finished=True)
    with pytest.raises(KeyboardInterrupt):
        runs()
    first, second, third = pieces
    assert [(t.seed, t.piece) for t in order] == [
        (0, first), (0, second), (1, first), (1, second), (0, third), (1, third),
    ]  # fmt: skip
    kept = runs(finished=True)
    assert {key[1:] for key in kept} == {(0, first), (0, second), (1, first)}
