"""The protocol of a pretrained model, on a tiny one: what it measures, how it ends and goes on."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2 import pretrained
from disband.verify.experiments.gpt2.findings import QUESTIONS
from disband.verify.experiments.gpt2.preparation import named
from disband.verify.experiments.gpt2.pretrained import FREE, Followed, run_pretrained
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.study import Inquiry, run_study
from tests.lm.tiny import TWEETS, model_of, tokenizer_of

PIECE = Followed(
    "prefix+suffix", rule=Rule("adamw", 1e-3, 2), steps=8, batch=4, gained=100.0, pairs=8,
    gram_pairs=4, token_pairs=2, logp_every=2, gram_every=4, mixed=False,
    supervision=Supervision("correct", 4, 4, 1e-3),
)  # fmt: skip
RUNS = next(question for question in QUESTIONS if question.name == "runs")


@pytest.fixture
def run(tmp_path, monkeypatch):
    tokenizer = tokenizer_of()
    model = model_of(tokenizer)
    monkeypatch.setattr(pretrained, "restore", lambda _: (deepcopy(model), tokenizer))
    base = named("tiny", tmp_path, {"model": "tiny"})
    return lambda piece=PIECE, report=lambda _: None: run_pretrained(piece, 0, TWEETS, base, report)


def test_what_it_returns_is_what_its_rows_are_read_from(run):
    found = run()
    assert found["steps"].tolist() == [0, 2, 4, 6, 8]
    assert found["gram_steps"].tolist() == [0, 4, 8]
    assert found["token_gram"].shape == (2, 2, len(found["tokens"]), len(found["tokens"]))
    (row,) = RUNS.rows(PIECE, found)
    assert row["right after it"] == (found["logp_w"][0] > found["logp_l"][0]).mean()
    assert row["updates"] == 8
    (curve,) = RUNS.curve(PIECE, found)
    assert len(curve["cosine"]) == 3


def test_small_updates_do_what_they_promise(run):
    found = run(replace(PIECE, rule=Rule("adamw", 3e-5), steps=4, token_pairs=0))
    error = np.linalg.norm(found["kept"] - found["promised"]) / np.linalg.norm(found["kept"])
    assert error < 0.05


def test_it_ends_when_the_margin_has_grown(run):
    margin = np.subtract(*(run()[side].mean(1) for side in ("logp_w", "logp_l")))
    assert margin[2] > margin[:2].max()
    enough = run(replace(PIECE, gained=float(margin[2] - margin[0]) - 1e-6))
    assert enough["steps"].tolist() == [0, 2, 4]
    assert enough["gram_steps"].tolist() == [0, 4]


@pytest.mark.parametrize("share", [0.45, 0.6, 0.8])
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
    fine, coarse = run(), run(replace(PIECE, mixed=True))
    signs = [
        [np.sign((one[side][-1] - one[side][0]).mean()) for side in ("logp_w", "logp_l")]
        + [*np.sign(one["dot"].mean(1)), *np.sign(one["token_gram"].mean((0, 1))[3, 13:])]
        for one in (fine, coarse)
    ]
    assert signs[0] == signs[1]
    # Trained in half precision, and measured in whole: at the start they are one model but for it.
    start = [one["logp_w"][0] for one in (fine, coarse)]
    np.testing.assert_allclose(*start, atol=0.05)
    assert (start[0] != start[1]).any()


@pytest.mark.parametrize("calibrated", [False, True])
def test_free_text_and_calibration_run_too(run, calibrated):
    piece = replace(PIECE, style=FREE, calibrated=calibrated, token_pairs=0)
    found = run(piece)
    assert len({*found["lengths"].ravel().tolist()}) > 1
    assert RUNS.rows(piece, found)[0]["objective"] == piece.trained_by


def test_the_first_pieces_come_first_on_every_seed_and_finished_ones_are_recorded(tmp_path):
    pieces = (1, 2, 3)
    order = []
    inquiry = Inquiry("runs", print, pieces, before_others=2)
    found = run_study(
        [inquiry], TWEETS, tmp_path, lambda *said: order.append(said), seeds=(0, 1),
        pretrained={"source": "none"}, finished=True,
    )  # fmt: skip
    assert not found
    assert not order
