"""A forecast is the run where log-probabilities are linear, and the anchors where it meets them."""

import numpy as np
import pytest

from disband.theory.horizon.forecast import Forecast, Trust, forecast
from disband.theory.horizon.path import Path, in_epochs, strength
from disband.theory.objectives import DPO, IPO

PAIRS, COORDINATES = 6, 40


def linear(optimizer, anchors=3):
    """A path in a model whose log-probabilities are linear in its weights."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2 * PAIRS, COORDINATES))
    start = -rng.uniform(4, 9, 2 * PAIRS)
    moves = np.concatenate(
        [np.zeros((1, COORDINATES)), rng.normal(size=(anchors - 1, COORDINATES))]
    )
    weights = rng.uniform(0.5, 2, COORDINATES)
    return Path(
        np.repeat(scores[None], anchors, 0).astype(np.float32),
        start + (moves * weights) @ scores.T,
        moves.astype(np.float32),
        weights.astype(np.float32),
        np.array([0] * anchors),
        np.arange(anchors),
        np.full(2 * PAIRS, 3.0),
        "DPO",
        optimizer,
        np.array([1e-2, 0.9, 0.9, 0.999, 1e-8, 2, 20], float),
        np.array([3.0, 0.5]),
    )


def by_hand(path, objective, order, rate):
    """The run in that model, written out in float64."""
    scores, weights, z = path.scores[0].astype(float), path.weights.astype(float), path.logps[0]
    course, memory, square = [z], np.zeros(COORDINATES), np.zeros(COORDINATES)
    loss = {"DPO": lambda m: -0.1 / (1 + np.exp(0.1 * m)), "IPO": lambda m: 2 * (m - 5)}
    for t, rows in enumerate(order, start=1):
        change = course[-1] - course[0]
        margin = change[rows] - change[PAIRS + rows]
        slope = loss[objective.name](margin)[:, None] * (scores[rows] - scores[PAIRS + rows])
        g = slope.mean(0)
        if path.optimizer == "adam":
            memory, square = 0.9 * memory + 0.1 * g, 0.999 * square + 0.001 * g * g
            step = memory / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        else:
            memory = (0.9 if path.optimizer == "momentum" else 0) * memory + g
            step = memory
        course.append(course[-1] - rate * scores @ (weights * step))
    return np.stack(course)


@pytest.mark.parametrize("objective", [DPO, IPO], ids=lambda o: o.name)
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_in_a_linear_model_it_is_the_run(optimizer, objective):
    path, rate = linear(optimizer), 1e-3
    order = in_epochs(PAIRS, 2, 20, seed=4)
    seen = forecast(path, objective, rate=rate, seed=4)
    run = by_hand(path, objective, order, rate)
    scale = np.abs(run[-1] - run[0]).max()
    np.testing.assert_allclose(seen.logps, run, atol=1e-4 * scale)
    np.testing.assert_allclose(seen.frozen, run, atol=1e-4 * scale)
    assert seen.trust.anchors < 1e-3


def test_where_it_meets_an_anchor_it_is_what_was_measured_there():
    path = linear("sgd", 2)
    order = [np.arange(PAIRS)]
    step = forecast(path, DPO, rate=1.0, steps=1, order=order)
    moved = np.linalg.lstsq(path.scores[0], step.logps[1] - step.logps[0], rcond=None)[0]
    path.moves[1] = moved / path.weights
    path.logps[1] = -7.0
    path.scores[1] *= 2
    met = forecast(path, DPO, rate=1.0, steps=1, order=order)
    # The first update is made with the start's scores, which are all that is near.
    assert np.abs(met.logps[1] + 7).max() < 0.2 * np.abs(step.logps[1] + 7).max()
    assert not np.allclose(met.frozen[1], -7.0)


def test_it_says_when_the_chosen_turns_and_whether_to_run():
    course = np.array([[-5.0, -6.0], [-4.0, -7.0], [-4.5, -8.0], [-5.5, -9.0]])
    seen = Forecast(course, course, 1, Trust(0.1, agree=True, distance=0.2))
    assert seen.turning == (1, 3)
    np.testing.assert_allclose(seen.chosen, [0, 1, 0.5, -0.5])
    np.testing.assert_allclose(seen.rejected, [0, -1, -2, -3])
    assert seen.held_chosen is None
    assert seen.advice == "forecast"
    assert Forecast(course[:2], course[:2], 1, seen.trust).turning == (None, None)
    for poor in (
        Trust(0.6, agree=True, distance=0.2),
        Trust(0.1, agree=False, distance=0.2),
        Trust(0.1, agree=True, distance=0.95),
    ):
        told = Forecast(course, course, 1, poor)
        assert told.advice == "run"
        assert "run it" in told.reason


def test_strength_is_the_root_mean_square_of_both_incentives():
    start, lengths = -np.arange(1.0, 9), np.ones(8)
    assert strength(DPO, start, lengths) == pytest.approx(0.05)
    assert strength(IPO, start, lengths) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"rate": 0.0}, "positive and finite"),
        ({"rate": float("nan")}, "positive and finite"),
        ({"steps": 0}, "positive and finite"),
        ({"steps": 3, "order": [np.arange(2)] * 2}, "has 2 of 3"),
        ({"steps": 1, "order": [np.array([PAIRS])]}, f"pairs from 0 to {PAIRS - 1}"),
        ({"steps": 1, "order": [np.array([-1])]}, f"pairs from 0 to {PAIRS - 1}"),
        ({"steps": 1, "order": [np.array([], int)]}, f"pairs from 0 to {PAIRS - 1}"),
    ],
)
def test_a_run_that_is_none_is_refused(asked, rule):
    with pytest.raises(ValueError, match=rule):
        forecast(linear("sgd"), DPO, **asked)
