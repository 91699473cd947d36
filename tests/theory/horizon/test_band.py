"""The band after many steps: against polynomials, a real softmax, and the band of one step."""

import numpy as np
import pytest

from disband.theory.band import Case, band, case, case_of
from disband.theory.gram import Gram
from disband.theory.horizon.band import (
    Curvatures,
    change,
    horizon_band,
    horizon_changes,
    turning_time,
)

RATIOS = np.geomspace(1e-4, 1e4, 4001)


def softmax(logits):
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def log_linear(seed):
    """Gram and curvatures of random log-linear models, from their definitions."""
    rng = np.random.default_rng(seed)
    features, theta = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
    counts = rng.integers(0, 3, (2, 3, 5))
    rows = softmax(features @ theta)
    scores = [features.T @ (n - n.sum(-1, keepdims=True) * rows) for n in counts]

    def bend(n, one, other):
        u, v = features @ one, features @ other
        mean_u, mean_v = ((rows * x).sum(-1, keepdims=True) for x in (u, v))
        return -(n.sum(-1) * (rows * (u - mean_u) * (v - mean_v)).sum(-1)).sum()

    a, b = scores
    curvatures = Curvatures(*(bend(n, x, y) for n in counts for x, y in ((a, a), (a, b), (b, b))))

    def logps(moved):
        logs = np.log(softmax(features @ (theta + moved)))
        return np.array([(n * logs).sum() for n in counts])

    return Gram.of_scores(a.ravel(), b.ravel()), curvatures, a, b, logps


@pytest.mark.parametrize("seed", range(3))
def test_the_changes_are_those_of_a_real_softmax_to_second_order(seed):
    gram, curvatures, a, b, logps = log_linear(seed)
    d_w, d_l = 0.7, 1.3
    wrong = []
    for t in (2e-3, 1e-3):
        real = logps(t * (d_w * a - d_l * b)) - logps(0)
        wrong.append(np.abs(real - horizon_changes(d_w, d_l, gram, curvatures, t)).max())
    assert wrong[1] < wrong[0] / 7  # what is left out is of third order
    assert wrong[0] < 1e-4


@pytest.mark.parametrize("t", [0.0, 0.01, 0.1, 0.5])
def test_the_band_allows_the_ratios_at_which_neither_goes_wrong(t):
    seen = 0
    for seed in range(30):
        gram, curvatures, *_ = log_linear(seed)
        allowed = horizon_band(gram, curvatures, t).allows(RATIOS)
        up, down = horizon_changes(RATIOS, 1.0, gram, curvatures, t)
        slopes = horizon_changes(RATIOS, 1.0, gram, curvatures, 1e-9)
        change_w, change_l = slopes if t == 0 else (up, down)
        assert np.array_equal(allowed, case_of(change_w, change_l) == Case.IDEAL)
        seen += allowed.any() and not allowed.all()
    assert seen > 5


def test_it_begins_as_the_band_of_one_step_and_both_edges_rise():
    gram, curvatures, *_ = log_linear(2)
    edges = horizon_band(gram, curvatures, np.array([0.0, 0.01, 0.02, 0.04]))
    low, high = band(gram)
    assert edges.up_from[0] == pytest.approx(low)
    assert edges.up_to[0] == np.inf
    assert (edges.rises_from[0], edges.rises_to[0]) == (pytest.approx(high), np.inf)
    assert (np.diff(edges.up_from) > 0).all()
    assert (np.diff(edges.up_to) < 0).all()
    assert (np.diff(edges.rises_from) > 0).all()


def test_an_opposite_product_leaves_every_ratio_at_first():
    gram = Gram(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([-0.5, np.nan]))
    edges = horizon_band(gram, Curvatures(*[np.zeros(2)] * 6), 0.0)
    assert edges.allows(3.0).tolist() == [True, False]
    assert np.isnan(edges.up_from[1])


def test_a_change_is_back_at_zero_at_its_turning_time():
    slope = np.array([1.0, -1.0, 1.0, 0.0, 0.0, -2.0, np.nan, 1.0])
    curvature = np.array([-0.5, 0.25, 0.5, -1.0, 0.0, -1.0, 1.0, -0.0])
    times = turning_time(slope, curvature)
    assert times[:-2].tolist() == [4.0, 8.0, np.inf, 0.0, np.inf, np.inf]
    assert np.isnan(times[6])
    assert times[7] == np.inf
    assert change(slope[:2], curvature[:2], times[:2]).tolist() == [0.0, 0.0]
    assert case(1.0, 1.0, Gram(1.0, 1.0, 0.0)) == Case.IDEAL


@pytest.mark.parametrize(
    ("t", "bend", "said"),
    [
        (-1.0, -1.0, "at least zero: got -1"),
        (np.nan, -1.0, "got nan"),
        (1.0, 1.0, "a positive one"),
    ],
)
def test_what_has_no_such_band_is_refused_in_one_line(t, bend, said):
    with pytest.raises(ValueError, match=said) as refused:
        horizon_band(Gram(1.0, 1.0, 0.5), Curvatures(bend, 0.0, -1.0, -1.0, 0.0, -1.0), t)
    assert "\n" not in str(refused.value)
