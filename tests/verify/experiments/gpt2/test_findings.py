"""Rules of the findings on language models, on runs made up to meet and to miss them."""

from pkgutil import resolve_name

import numpy as np
import pytest

from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2 import scales
from disband.verify.experiments.gpt2.findings import QUESTIONS, findings
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
