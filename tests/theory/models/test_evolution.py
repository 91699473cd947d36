"""Closed forms of one context against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.theory.models.evolution import (
    after,
    basin_edge,
    chosen_share,
    elsewhere_velocity,
    flow,
    most_elsewhere,
)


def rows(seed, count=40, vocabulary=5):
    return np.random.default_rng(seed).dirichlet(np.ones(vocabulary), count)


@given(st.integers(0, 50), st.floats(-3, 3))
def test_a_step_moves_a_row_as_its_softmax_does(seed, step):
    p = rows(seed, 1)[0]
    logits = np.log(p) + step * np.array([1.0, -1, 0, 0, 0])
    moved = np.exp(logits) / np.exp(logits).sum()
    q_w, q_l, total = after(p[0], p[1], np.exp(step))
    np.testing.assert_allclose([q_w, q_l, *(p[2:] / total)], moved, rtol=1e-12)


def test_the_others_hold_most_at_the_turning_point():
    p = rows(1)
    w, l = p[:, 0], p[:, 1]  # noqa: E741
    growth = np.geomspace(0.01, 100, 20001)[:, None]
    *_, total = after(w, l, growth)
    brute = (1 - w - l) / total
    np.testing.assert_allclose(most_elsewhere(np.sqrt(w), np.sqrt(l)), brute.max(0), rtol=1e-6)
    np.testing.assert_allclose(growth[brute.argmax(0), 0], np.sqrt(l / w), rtol=1e-3)


def test_the_flow_is_the_derivative_of_the_softmax():
    p = rows(2)
    d_w, d_l = np.random.default_rng(0).uniform(0, 2, (2, len(p)))
    eye = np.eye(p.shape[1])
    u = d_w[:, None] * (eye[0] - p) - d_l[:, None] * (eye[1] - p)
    h = 1e-6
    moved = np.exp(np.log(p) + h * u)
    moved /= moved.sum(-1, keepdims=True)
    np.testing.assert_allclose(flow(p, d_w, d_l), (moved - p) / h, atol=1e-5)
    squares = (p[:, 2:] ** 2).sum(-1)
    np.testing.assert_allclose(
        elsewhere_velocity(p[:, 0], p[:, 1], d_w, d_l, squares),
        flow(p, d_w, d_l)[:, 2:].sum(-1),
        atol=1e-14,
    )


def test_the_chosen_share_is_that_of_the_first_step():
    p = rows(3)
    step = 1e-6
    q_w, q_l, _ = after(p[:, 0], p[:, 1], np.exp(step))
    rise, fall = np.log(q_w / p[:, 0]), np.log(q_l / p[:, 1])
    np.testing.assert_allclose(chosen_share(p[:, 0], p[:, 1]), rise / (rise - fall), rtol=1e-4)


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.4])
def test_the_basin_edge_is_a_fixed_point_that_repels_along_the_edge(ratio):
    share = basin_edge(ratio)
    tiny = 1e-12
    for away, sign in ((0.0, 0), (0.01, 1), (-0.01, -1)):
        p = np.array([1 - share - away - tiny, tiny, share + away])
        velocity = flow(p, ratio, 1.0)[2]
        assert abs(velocity) < 1e-9 if sign == 0 else np.sign(velocity) == sign
