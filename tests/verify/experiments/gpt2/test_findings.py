"""Rules of the findings on language models, on runs made up to meet and to miss them."""

from dataclasses import replace
from pkgutil import resolve_name

import numpy as np
import pytest

from disband.lm.data.styles import STYLES
from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2 import scales
from disband.verify.experiments.gpt2.findings import QUESTIONS, findings
from disband.verify.experiments.gpt2.pretrained import Followed
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.questions.regimes import Regime
from disband.verify.experiments.gpt2.questions.steps import Steps
from disband.verify.experiments.gpt2.readings import FIRST_ORDER

CHANGE = np.array([[[[0.2, -0.1], [-0.3, 0.1]]]])


def judged(results):
    return {prediction.name: prediction for prediction in findings(results)}


def outcome(name, results):
    (only,) = judged(results)[name].outcomes
    return only


def steps(errors):
    """One piece whose prediction misses by these shares, at rates ten times apart."""
    piece = Steps("short suffix", "adam", 2, tuple(1e-7 * 10**i for i in range(len(errors))))
    predicted = np.concatenate([CHANGE] * len(errors))
    nothing = np.zeros_like(predicted)
    arrays = dict.fromkeys((*FIRST_ORDER, "plain_own", "plain_batch"), nothing)
    arrays |= {"own": predicted, "labels": np.array([[0, 1]])}
    arrays["measured"] = predicted * (1 + np.array(errors))[:, None, None, None]
    return {("steps", 5, piece): arrays}


def test_an_error_in_proportion_to_the_rate_tells_where_the_law_breaks():
    found = outcome("first-order-error", steps([1e-4, 1e-3]))
    assert found.holds
    assert found.numbers["lowest factor"] == pytest.approx(10, rel=0.01)
    # an error of 1e-4 at 1e-7 is one of 10 % at a thousand times that rate
    assert found.numbers["adam: rate of a 10 % error"] == pytest.approx(1e-4, rel=0.01)


def test_an_error_of_another_order_is_not_in_proportion():
    assert outcome("first-order-error", steps([1e-4, 1e-2])).holds is False
    assert "first-order-error" not in judged(steps([1e-4]))


def regimes(change, sq_w, dot):
    logp_w = np.stack([np.zeros(4), change + 0.01 * np.arange(4)])[None]
    piece = Regime("long suffix", Supervision(), (Rule("adam", 1e-5),))
    gram = {"sq_w": sq_w, "sq_l": 2.0, "dot": dot}
    arrays = {name: np.broadcast_to(value, (1, 3, 4)) for name, value in gram.items()}
    tokens = np.full((2, 4, 3), -0.5)
    return {
        ("regimes", 5, piece): {**arrays, "logp_w": logp_w, "logp_l": logp_w, "token_logp": tokens}
    }


def test_the_own_grams_are_blind_where_they_promise_a_rise_and_the_chosen_falls():
    assert outcome("own-gram-blind", regimes(-0.5, 2.0, 1.0)).holds
    assert outcome("own-gram-blind", regimes(-0.5, 2.0, np.array([1.0, 1, 3, 3]))).holds is False
    assert "own-gram-blind" not in judged(regimes(0.5, 2.0, 1.0))


def test_every_question_is_asked_somewhere_under_its_own_name():
    for question, by_scale in zip(QUESTIONS, scales._BY_QUESTION, strict=True):
        assert by_scale
        assert {inquiry.name for inquiry in by_scale.values()} == {question.name}
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)


def test_every_picture_has_a_name_of_its_own_and_something_that_draws_it():
    pictures = [picture for question in QUESTIONS for picture in question.pictures]
    assert len({picture.name for picture in pictures}) == len(pictures) >= 14
    assert len({picture.caption for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert callable(resolve_name(f"disband.figures.{picture.drawing}"))


def followed(
    promised=((1.0, -1.0), (1.0, -1.0)), kept=None, change=(3.0, -3.0), own=(1.0, -1.0), **more
):
    """Runs of DPO on all styles: two followed updates of which each stood for two, two pairs.

    The first pair's right response was the likelier one, and so were four more that rose or fell.
    """
    promised = np.array(promised)
    kept = promised if kept is None else np.array(kept)
    rise = np.array([*change, *more.get("others", (0.4, 0.5, 0.6, -1.0, -1.1, -1.2))])
    right = np.array([0.5, -0.5, *[0.5] * 3, *[-0.5] * 3])
    arrays = {
        "steps": np.array([0, 2, 4]),
        "promised": np.stack([promised, -promised], 1),
        "kept": np.stack([kept, -kept], 1),
        "logp_w": np.stack([right, right + rise / 2, right + rise]),
        "logp_l": np.stack([-right, -right, -right]),
        "reference": np.stack([right, -right]),
        "d_w": np.ones((1, 2)), "d_l": np.ones((1, 2)),
        "sq_w": np.array([own]), "dot": np.zeros((1, 2)),
    }  # fmt: skip
    return {("runs", 5, Followed(style)): arrays for style in STYLES}


def test_updates_and_runs_that_keep_their_promises():
    found = judged(followed())
    assert all(found[name].count == 1 for name in ("updates-first-order", "run-is-sum"))
    sizes = found["updates-first-order"].outcomes[0].numbers
    assert sizes["long suffix, size error of updates"] == 0
    off = outcome("updates-first-order", followed(kept=((1.2, -1.2), (1.2, -1.2))))
    assert off.holds is False
    assert off.numbers["long suffix, size error of updates"] == pytest.approx(1 / 6)
    assert outcome("updates-first-order", followed(kept=((-1, -1), (1, -1)))).holds is False
    assert outcome("run-is-sum", followed(change=(-3.0, -3.0))).holds is False


def test_a_start_that_tells_and_one_that_does_not():
    """The sum of the promises has the run's sign; the first update's and the own one may not."""
    turned = ((-1.0, 1.0), (2.0, -2.0))
    lost = outcome("start-does-not-tell", followed(turned, own=(-1.0, 1.0)))
    assert lost.holds
    assert lost.numbers["single token, sum of promises kept by the run"] == 1
    assert lost.numbers["single token, first update's promise kept by the run"] == 0
    assert outcome("start-does-not-tell", followed(turned)).holds is False
    assert outcome("start-does-not-tell", followed(own=(-1.0, 1.0))).holds is False


@pytest.mark.parametrize(("others", "change", "holds"), [
    ((0.4, 0.5, 0.6, -1.0, -1.1, -1.2), (0.5, -1.0), True),
    ((0.4, 0.5, 0.6, 1.0, 1.1, 1.2), (0.5, 1.0), False),
    ((-0.4, 0.5, 0.6, -1.0, -1.1, -1.2), (-0.5, -1.0), None),
    ((0.5,) * 3 + (-1.0,) * 3, (0.5, -1.0), True),
    ((0.0,) * 6, (0.0, 0.0), None),
])  # fmt: skip
def test_pairs_that_were_right_are_told_from_those_that_were_not(others, change, holds):
    found = outcome("known-rise", followed(change=change, others=others))
    assert found.holds is holds
    right = np.array([change[0], *others[:3]])
    assert found.numbers["short suffix, change of the chosen where right"] == pytest.approx(
        right.mean()
    )
    error = found.numbers["short suffix, its standard error where right"]
    assert error == pytest.approx(right.std(ddof=1) / 2)


@pytest.mark.parametrize(("times", "spared"), [(2, -0.225), (-1, 0.45)])
def test_calibration_is_compared_with_dpo_on_each_style(times, spared):
    """All responses of a run end at -0.225 nat, mean over pairs."""
    runs = followed()
    calibrated = {
        ("runs", 5, replace(piece, calibrated=True)): a
        | {"logp_w": a["logp_w"] * [[1], [1], [times]]}
        for (_, _, piece), a in runs.items()
        if piece.style == "long suffix"
    }
    found = outcome("followed-calibrated", runs | calibrated)
    assert found.numbers == {"long suffix": pytest.approx(spared)}
    assert found.holds is (spared > 0)
    assert "followed-calibrated" not in judged(runs)


def test_a_model_knows_its_task_if_it_does_in_every_style():
    runs = {("learnt", *key[1:]): arrays for key, arrays in followed().items()}
    assert outcome("learnt-labels", runs).holds is False
    assert outcome("learnt-labels", runs).numbers["prefix+suffix"] == 0.5
    known = {
        key: a | {"reference": np.abs(a["reference"]) * [[1], [-1]]} for key, a in runs.items()
    }
    assert outcome("learnt-labels", known).holds
    assert outcome("learnt-run-is-sum", known).holds
    known.popitem()
    assert "learnt-labels" not in judged(known)
