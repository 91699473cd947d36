"""Each method does what it says, and each named failure happens."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.sims.methods.calibrate import (
    METHODS,
    Incentives,
    batch_band_calibrated,
    batch_calibrated,
    equal_and_opposite,
    momentum_calibrated,
    moved_into_band,
    normalised,
    rescaled,
    reward_calibrated,
)
from disband.theory.band import Case, band, case
from disband.theory.batch import batch_band, is_empty, mean_products
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.metric import metric_gram
from disband.verify.strategies import floats_of, grams, nonzero_vectors, positive

each = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
acute = grams(nonzero_vectors()).filter(lambda g: g.dot > 0)
TIGHT = Gram(1.0, 9.0, 2.7)  # ρ = 0.9, r* = 3: band from 2.7 to 10/3


def moves(gram, incentives):
    return first_order(*incentives, gram)


@given(d_w=positive, d_l=positive, gram=grams(nonzero_vectors()))
def test_calibration_moves_both_by_equal_amounts_per_norm(d_w, d_l, gram):
    gram = floats_of(gram)
    got = reward_calibrated(float(d_w), float(d_l), gram)
    assert got.d_w / got.d_l == pytest.approx(gram.norm_ratio, rel=1e-12)
    assert got.d_w * got.d_l == pytest.approx(float(d_w * d_l), rel=1e-12)
    up, down = moves(gram, got)
    assert up / gram.sq_w**0.5 == pytest.approx(-down / gram.sq_l**0.5, rel=1e-6, abs=1e-9)


@given(d_w=positive, d_l=positive, gram=acute, inset=st.sampled_from([0.0, 0.25, 1.0]))
def test_the_least_change_stops_at_the_edge(d_w, d_l, gram, inset):
    gram = floats_of(gram)
    got = moved_into_band(float(d_w), float(d_l), gram, inset)
    low, high = band(gram)
    centre, width = np.log(gram.norm_ratio), (1 - inset) * np.log(high / low) / 2
    before, after = np.log(float(d_w / d_l)), np.log(got.d_w / got.d_l)
    assert after == pytest.approx(np.clip(before, centre - width, centre + width), abs=1e-9)
    assert got.d_w * got.d_l == pytest.approx(float(d_w * d_l), rel=1e-12)


@given(d_w=positive, d_l=positive, gram=grams())
def test_a_pair_in_its_band_is_left_alone(d_w, d_l, gram):
    assume(case(d_w, d_l, gram) == Case.IDEAL)
    got = moved_into_band(float(d_w), float(d_l), floats_of(gram))
    np.testing.assert_allclose(got, (float(d_w), float(d_l)), rtol=1e-7)


@given(d_w=positive, d_l=positive, gram=grams(nonzero_vectors()))
def test_equal_and_opposite_is(d_w, d_l, gram):
    exact = gram
    gram = floats_of(gram)
    got = equal_and_opposite(float(d_w), float(d_l), gram)
    if exact.dot > -min(exact.sq_w, exact.sq_l):
        up, down = moves(gram, got)
        scale = float(d_w * d_l) ** 0.5 * (gram.sq_w + gram.sq_l)
        assert up == pytest.approx(-down, rel=1e-9, abs=1e-12 * scale)
        assert up >= -1e-12 * scale
        wanted = Fraction(exact.sq_l + exact.dot, exact.sq_w + exact.dot)
        assert got.d_w / got.d_l == pytest.approx(float(wanted), rel=1e-12)
    else:
        assert got == (float(d_w), float(d_l))
        assert case(d_w, d_l, exact) == Case.IDEAL


@given(size=positive, gram=grams(nonzero_vectors()))
def test_normalised_scores_have_length_one(size, gram):
    gram = floats_of(gram)
    got = normalised(float(size), gram)
    assert got.d_w * gram.sq_w**0.5 == pytest.approx(float(size), rel=1e-12)
    assert got.d_l * gram.sq_l**0.5 == pytest.approx(float(size), rel=1e-12)
    length = got.d_w**2 * gram.sq_w - 2 * got.d_w * got.d_l * gram.dot + got.d_l**2 * gram.sq_l
    expected = float(size) ** 2 * (2 - 2 * gram.cosine)
    assert length == pytest.approx(expected, rel=1e-9, abs=1e-9 * float(size) ** 2)


@given(d_w=positive, d_l=positive, gram=grams(nonzero_vectors()))
def test_normalised_gradients_have_the_direction_of_calibration(d_w, d_l, gram):
    gram = floats_of(gram)
    ours = normalised(1.0, gram)
    other = reward_calibrated(float(d_w), float(d_l), gram)
    assert ours.d_w * other.d_l == pytest.approx(ours.d_l * other.d_w, rel=1e-12)


@each
@given(d_w=positive, d_l=positive, gram=grams())
def test_every_method_but_none_does_no_harm_to_a_pair_alone(method, d_w, d_l, gram):
    """Up to rounding at the edge: the chosen does not fall and the rejected does not rise."""
    got = method(float(d_w), float(d_l), floats_of(gram))
    if method is METHODS["none"]:
        assert got == (float(d_w), float(d_l))
        return
    up, down = moves(floats_of(gram), got)
    slack = 1e-9 * (got.d_w + got.d_l) * float(gram.sq_w + gram.sq_l)
    assert up >= -slack
    assert down <= slack


@each
def test_every_method_keeps_the_shape_of_a_batch(method):
    gram = Gram(np.ones((2, 1)), np.full((2, 1), 4.0), np.ones((2, 1)))
    got = method(np.ones(3), 2.0, gram)
    assert isinstance(got, Incentives)
    assert got.d_w.shape == got.d_l.shape == (2, 3)


UNREACHABLE = [
    pytest.param(0.0, 0.0, TIGHT, id="inactive hinge"),
    pytest.param(1.0, 0.0, TIGHT, id="no push"),
    pytest.param(0.0, 1.0, TIGHT, id="no pull"),
    pytest.param(-1.0, 1.0, TIGHT, id="negative pull"),
    pytest.param(1.0, -1.0, TIGHT, id="negative push"),
    pytest.param(-2.0, -1.0, TIGHT, id="both negative"),
    pytest.param(2.0, 1.0, Gram(0.0, 1.0, 0.0), id="zero chosen score"),
    pytest.param(2.0, 1.0, Gram(1.0, 0.0, 0.0), id="zero rejected score"),
]


@pytest.mark.parametrize(("d_w", "d_l", "gram"), UNREACHABLE)
@pytest.mark.parametrize("method", [reward_calibrated, moved_into_band, batch_calibrated])
def test_failure_what_no_factor_reaches_is_unchanged(method, d_w, d_l, gram):
    assert method(d_w, d_l, gram) == (d_w, d_l)


@pytest.mark.parametrize(("d_w", "d_l", "gram"), UNREACHABLE[:6])
def test_failure_no_positive_ratio_for_what_is_not_positive(d_w, d_l, gram):
    assert equal_and_opposite(d_w, d_l, gram) == (d_w, d_l)


def test_failure_one_zero_incentive_at_an_acute_angle_stays_bad():
    assert case(*reward_calibrated(1.0, 0.0, TIGHT), TIGHT) == Case.BOTH_RISE
    assert case(*reward_calibrated(0.0, 1.0, TIGHT), TIGHT) == Case.BOTH_FALL


@each
def test_failure_parallel_scores_stand_still_at_best(method):
    gram = Gram(1.0, 4.0, 2.0)
    up, down = moves(gram, method(1.0, 1.0, gram))
    assert up == pytest.approx(0, abs=1e-12) or method is METHODS["none"]
    assert down == pytest.approx(0, abs=1e-12) or method is METHODS["none"]


@each
def test_what_is_not_a_number_is_refused_not_called_calibrated(method):
    if method is METHODS["none"]:
        return
    for d_w, gram in ((np.nan, TIGHT), (1.0, Gram(1.0, np.inf, 0.0)), (1.0, Gram(1, 1, np.nan))):
        with pytest.raises(ValueError, match="finite"):
            method(d_w, 1.0, gram)


def test_failure_a_zero_score_has_no_direction_to_normalise():
    got = normalised(1.0, Gram(np.array([0.0, 4.0]), np.array([1.0, 0.0]), 0.0))
    assert got.d_w.tolist() == [0, 0.5]
    assert got.d_l.tolist() == [1, 0]


def test_failure_normalised_steps_do_not_settle_as_scores_vanish():
    sizes = []
    for scale in (1.0, 1e-6):
        gram = Gram(scale**2, scale**2, 0.0)
        got = normalised(1.0, gram)
        sizes.append(got.d_w**2 * gram.sq_w + got.d_l**2 * gram.sq_l)
    np.testing.assert_allclose(sizes, 2.0)


def test_failure_one_factor_for_a_batch_can_leave_every_pair_outside():
    """disband: chen2026.calibration.batch-means.none in numbers."""
    gram = Gram(np.ones(2), np.array([1.0, 16.0]), np.array([0.9, 3.6]))
    ones = np.ones(2)
    assert case(ones, ones, gram).tolist() == [Case.IDEAL, Case.BOTH_FALL]
    got = batch_calibrated(ones, ones, gram)
    np.testing.assert_allclose(got.d_w / got.d_l, 2.0)
    assert case(*got, gram).tolist() == [Case.BOTH_RISE, Case.BOTH_FALL]
    assert case(*reward_calibrated(ones, ones, gram), gram).tolist() == [Case.IDEAL] * 2


def test_failure_the_heads_own_band_is_not_the_whole_models():
    head, rest = Gram(1.0, 1.0, 0.5), Gram(1.0, 100.0, 9.9)
    whole = Gram(2.0, 101.0, 10.4)
    assert case(*reward_calibrated(1.0, 1.0, head), head) == Case.IDEAL
    assert case(*reward_calibrated(1.0, 1.0, head), whole) == Case.BOTH_FALL
    assert case(*reward_calibrated(1.0, 1.0, whole), whole) == Case.IDEAL
    assert whole.sq_w == head.sq_w + rest.sq_w


def test_failure_euclidean_calibration_misses_the_band_of_another_metric():
    a, b = np.array([1.0, 0.2]), np.array([1.0, 1.0])
    diagonal = np.array([1.0, 100.0])
    plain, other = Gram.of_scores(a, b), metric_gram(a, b, diagonal)
    assert case(*reward_calibrated(1.0, 1.0, plain), other) != Case.IDEAL
    assert case(*reward_calibrated(1.0, 1.0, other), other) == Case.IDEAL


def test_memory_moves_the_factor_only_as_far_as_it_must():
    gram = Gram(1.0, 1.0, 0.5)
    assert momentum_calibrated(2.0, 0.5, gram, 0.0, 0.0) == reward_calibrated(2.0, 0.5, gram)
    got = momentum_calibrated(1.0, 1.0, gram, -0.6, -0.3)
    up, down = moves(gram, got)
    assert up - 0.6 == pytest.approx(0, abs=1e-12)
    assert down - 0.3 < 0
    assert momentum_calibrated(1.0, 1.0, gram, -9.0, 9.0) == (1, 1)
    with pytest.raises(ValueError, match="finite"):
        momentum_calibrated(1.0, 1.0, gram, np.nan, 0.0)


def test_the_batch_band_is_met_where_there_is_one():
    rng = np.random.default_rng(0)
    met = empty = 0
    for _ in range(400):
        scores = rng.integers(-3, 4, (6, 3)).astype(float)
        products, d_w, d_l = scores @ scores.T, rng.uniform(0.1, 2, 3), rng.uniform(0.1, 2, 3)
        got = batch_band_calibrated(d_w, d_l, products)
        up, down = mean_products(products, *got).changes()
        if is_empty(batch_band(mean_products(products, d_w, d_l))):
            np.testing.assert_array_equal(got, (d_w, d_l))
            empty += 1
        else:
            assert up >= -1e-9
            assert down <= 1e-9
            met += 1
    assert met > 100
    assert empty > 5


def test_failure_the_mean_goes_right_while_a_pair_goes_wrong():
    scores = np.array([[1.0, 0], [-0.1, 0], [0, 1], [0, 1]])
    got = batch_band_calibrated(np.ones(2), np.ones(2), scores @ scores.T)
    step = got.d_w @ scores[:2] - got.d_l @ scores[2:]
    assert (scores[:2] @ step).mean() > 0
    assert scores[1] @ step < 0


@pytest.mark.parametrize("factor", [0.0, -1.0, np.inf])
def test_a_factor_is_positive_and_finite(factor):
    with pytest.raises(ValueError, match="calibration factor"):
        rescaled(1.0, 1.0, factor)
    assert rescaled(1.0, 2.0, np.nan) == (1, 2)


@pytest.mark.parametrize("inset", [-0.1, 1.1, np.nan])
def test_an_inset_is_a_share(inset):
    with pytest.raises(ValueError, match="inset"):
        moved_into_band(1.0, 1.0, TIGHT, inset)


def test_failure_equal_and_opposite_motion_can_be_out_of_reach():
    """At an angle so obtuse no positive ratio does it, and none is needed."""
    gram = Gram(1.0, 9.0, -2.7)
    assert equal_and_opposite(1.0, 1.0, gram) == (1, 1)
    assert case(1.0, 1.0, gram) == Case.IDEAL


def test_failure_on_the_edge_one_response_stands_still_and_an_inset_moves_it():
    up, down = moves(TIGHT, moved_into_band(1.0, 1.0, TIGHT))
    assert up == pytest.approx(0, abs=1e-12)
    assert down < -0.1
    up, _ = moves(TIGHT, moved_into_band(1.0, 1.0, TIGHT, 0.5))
    assert up > 1e-3
