"""Band, case and calibration, on exact rationals where floating point would blur the edge."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.theory.band import Case, band, calibration, case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.verify.strategies import floats_of, gram_of, grams, nonzero_vectors, positive, signed

finite = st.floats(0, 1e6, allow_subnormal=False)


@given(d_w=signed, d_l=signed, gram=grams())
def test_the_case_is_read_off_the_two_changes(d_w, d_l, gram):
    chosen_falls = d_w * gram.sq_w - d_l * gram.dot < 0
    rejected_rises = d_w * gram.dot - d_l * gram.sq_l > 0
    names = {
        (False, False): Case.IDEAL,
        (True, False): Case.BOTH_FALL,
        (False, True): Case.BOTH_RISE,
        (True, True): Case.REVERSED,
    }
    assert case(d_w, d_l, gram) == names[chosen_falls, rejected_rises]


@given(d_w=positive, d_l=positive, gram=grams())
def test_inside_the_band_is_ideal_and_below_it_both_fall(d_w, d_l, gram):
    ratio = d_w / d_l
    got = case(d_w, d_l, gram)
    if gram.dot <= 0:
        assert got == Case.IDEAL
    elif ratio < gram.dot / gram.sq_w:
        assert got == Case.BOTH_FALL
    elif ratio > gram.sq_l / gram.dot:
        assert got == Case.BOTH_RISE
    else:
        assert got == Case.IDEAL


@given(gram=grams())
def test_the_band_is_where_its_definition_says(gram):
    low, high = band(floats_of(gram))
    if gram.dot <= 0:
        assert (low, high) == (0, np.inf)
    else:
        assert low == float(gram.dot / gram.sq_w)
        assert high == float(gram.sq_l / gram.dot)


@given(gram=grams())
def test_the_band_is_centred_on_the_norm_ratio_with_width_from_the_cosine(gram):
    assume(gram.dot > 0)
    gram = floats_of(gram)
    low, high = band(gram)
    assert np.sqrt(low * high) == pytest.approx(gram.norm_ratio, rel=1e-13)
    assert low == pytest.approx(gram.cosine * gram.norm_ratio, rel=1e-13)
    assert high == pytest.approx(gram.norm_ratio / gram.cosine, rel=1e-13)


@given(d_w=positive, d_l=positive, gram=grams())
def test_the_edges_belong_to_the_band(d_w, d_l, gram):
    assume(gram.dot > 0)
    assert case(gram.dot, gram.sq_w, gram) == Case.IDEAL
    assert case(gram.sq_l, gram.dot, gram) == Case.IDEAL
    assert case(d_w * gram.dot, d_w * gram.sq_w, gram) == Case.IDEAL
    tilted = Fraction(1, 10**12) * d_l / d_w
    parallel = gram.dot**2 == gram.sq_w * gram.sq_l
    assert case(gram.dot - tilted, gram.sq_w, gram) == Case.BOTH_FALL
    assert case(gram.sq_l + tilted, gram.dot, gram) == Case.BOTH_RISE
    assert (case(gram.dot + tilted, gram.sq_w, gram) == Case.IDEAL) is not parallel


@given(d_w=positive, d_l=positive, gram=grams())
def test_positive_incentives_never_reverse_the_pair(d_w, d_l, gram):
    assert case(d_w, d_l, gram) != Case.REVERSED


@given(a=nonzero_vectors(), scale=st.integers(1, 5), d_w=positive, d_l=positive)
def test_parallel_scores_have_a_single_good_ratio(a, scale, d_w, d_l):
    gram = gram_of(a, [scale * x for x in a])
    low, high = band(floats_of(gram))
    assert low == high == scale
    assert (case(d_w, d_l, gram) == Case.IDEAL) == (d_w == scale * d_l)


@given(a=nonzero_vectors(), scale=st.integers(1, 5), d_w=positive, d_l=positive)
def test_opposite_scores_make_every_ratio_good(a, scale, d_w, d_l):
    gram = gram_of(a, [-scale * x for x in a])
    assert band(floats_of(gram)) == (0, np.inf)
    assert case(d_w, d_l, gram) == Case.IDEAL


@pytest.mark.parametrize(
    ("d_w", "d_l", "expected"),
    [
        (2, 1, Case.BOTH_RISE),
        (1, 1, Case.IDEAL),
        (0, 0, Case.IDEAL),
        (0, 1, Case.BOTH_FALL),
        (1, 0, Case.BOTH_RISE),
        (-1, 0, Case.BOTH_FALL),
        (0, -1, Case.BOTH_RISE),
        (-1, -1, Case.BOTH_FALL),
        (-1, 1, Case.BOTH_FALL),
        (1, -1, Case.BOTH_RISE),
        (2, 3, Case.BOTH_FALL),
        (4, 5, Case.IDEAL),
        (-4, -5, Case.REVERSED),
    ],
)
def test_the_case_of_zero_and_negative_incentives(d_w, d_l, expected):
    assert case(d_w, d_l, Gram(4, 3, 3)) == expected


def test_zero_scores_change_nothing_and_bound_nothing():
    gram = Gram(np.array([0.0, 0.0, 2.0]), np.array([0.0, 3.0, 0.0]), np.zeros(3))
    assert case(1.0, 1.0, gram).tolist() == [Case.IDEAL] * 3
    low, high = band(gram)
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [np.inf] * 3
    assert np.isnan(calibration(1.0, 1.0, gram)).all()
    assert np.isnan(gram.cosine).all()


@given(sq_w=finite, sq_l=finite, cosine=st.floats(-1, 1, allow_subnormal=False))
def test_no_band_of_numbers_has_a_nan(sq_w, sq_l, cosine):
    low, high = band(Gram(sq_w, sq_l, cosine * sq_w**0.5 * sq_l**0.5))
    assert low >= 0
    assert not np.isnan(high)


def test_a_nan_is_not_called_good():
    assert np.isnan(band(Gram(1.0, 1.0, np.nan))).all()
    for d_w, gram in ((1.0, Gram(1.0, 1.0, np.nan)), (np.nan, Gram(1.0, 1.0, 0.0))):
        with pytest.raises(ValueError, match="1 of them are NaN"):
            case(np.array([d_w, 1.0])[:1], 1.0, gram)


@given(d_w=positive, d_l=positive, gram=grams(nonzero_vectors()))
def test_calibration_lands_on_the_centre_and_so_inside(d_w, d_l, gram):
    gram = floats_of(gram)
    delta = calibration(float(d_w), float(d_l), gram)
    assert delta**2 * float(d_w / d_l) == pytest.approx(gram.norm_ratio, rel=1e-13)
    up, down = first_order(float(d_w) * delta, float(d_l) / delta, gram)
    size = float(d_w * d_l) ** 0.5 * (gram.sq_w * gram.sq_l) ** 0.25
    assert up / gram.sq_w**0.5 == pytest.approx(size * (1 - gram.cosine), rel=1e-9, abs=1e-9)
    assert down / gram.sq_l**0.5 == pytest.approx(-size * (1 - gram.cosine), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("d_w", "d_l", "sq_w", "sq_l"),
    [(0, 1, 1, 1), (1, 0, 1, 1), (-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)],
)
def test_nothing_positive_calibrates_what_is_not_positive(d_w, d_l, sq_w, sq_l):
    assert np.isnan(calibration(d_w, d_l, Gram(sq_w, sq_l, 0)))


def test_calibration_of_a_batch_keeps_to_each_pair():
    d_w, gram = np.array([4.0, 0.0, 1.0]), Gram(np.ones((2, 1)), np.array([[16.0], [1.0]]), 0.0)
    got = calibration(d_w, 1.0, gram)
    np.testing.assert_array_equal(got, [[1, np.nan, 2], [0.5, np.nan, 1]])


def test_cases_have_words():
    assert [c.words for c in Case] == [
        "chosen up, rejected down",
        "both fall",
        "both rise",
        "reversed",
    ]


@pytest.mark.parametrize(("d_w", "d_l"), [(1e-320, 1.0), (1.0, 1e-320), (1e-300, 1e200)])
def test_a_vanishing_incentive_has_a_finite_calibration(d_w, d_l):
    factor = calibration(d_w, d_l, Gram(1.0, 4.0, 1.0))
    assert 0 < factor < np.inf
    expected = (np.log(2) + np.log(d_l) - np.log(d_w)) / 2
    assert np.log(factor) == pytest.approx(expected, rel=1e-3)
