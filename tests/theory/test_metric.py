"""Bands in another metric and with memory, against the steps themselves."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.theory.band import Case, band, calibration, case
from disband.theory.gram import Gram
from disband.theory.metric import metric_gram, momentum_band, momentum_factor
from disband.verify.strategies import floats_of, gram_of, inner, nonzero_vectors, positive, vectors

diagonals = st.lists(st.integers(1, 9), min_size=3, max_size=3)


@given(a=vectors(), b=vectors(), diagonal=diagonals, d_w=positive, d_l=positive)
def test_the_metrics_gram_says_what_the_preconditioned_step_does(a, b, diagonal, d_w, d_l):
    a, b, diagonal = (np.array(v, dtype=object) for v in (a, b, diagonal))
    gram = metric_gram(a, b, diagonal)
    step = diagonal * (d_w * a - d_l * b)
    names = {
        (False, False): Case.IDEAL,
        (True, False): Case.BOTH_FALL,
        (False, True): Case.BOTH_RISE,
        (True, True): Case.REVERSED,
    }
    assert case(d_w, d_l, gram) == names[bool(a @ step < 0), bool(b @ step > 0)]


@given(
    a=vectors(2, 3), b=vectors(2, 3), m=vectors(2, 3), d_w=positive, d_l=positive, factor=positive
)
def test_a_factor_is_allowed_iff_both_responses_go_right(a, b, m, d_w, d_l, factor):
    gram, memory_w, memory_l = gram_of(a, b), inner(a, m), inner(b, m)
    change_w = factor * d_w * gram.sq_w - d_l / factor * gram.dot + memory_w
    change_l = factor * d_w * gram.dot - d_l / factor * gram.sq_l + memory_l
    forbidden = momentum_band(
        float(d_w), float(d_l), floats_of(gram), float(memory_w), float(memory_l)
    )
    assume(not np.isclose(float(factor), [float(v) for v in forbidden], rtol=1e-9).any())
    assert forbidden.allows(float(factor)) == (change_w >= 0 and change_l <= 0)


@given(a=vectors(2, 3), b=vectors(2, 3), m=vectors(2, 3), d_w=positive, d_l=positive)
def test_the_factor_is_the_nearest_allowed_one(a, b, m, d_w, d_l):
    gram = floats_of(gram_of(a, b))
    data = (float(d_w), float(d_l), gram, float(inner(a, m)), float(inner(b, m)))
    factor, forbidden = momentum_factor(*data), momentum_band(*data)
    centre = calibration(float(d_w), float(d_l), gram)
    others = np.exp(np.linspace(-8, 8, 4001))
    allowed = others[forbidden.allows(others)]
    if np.isnan(centre):
        assert np.isnan(factor)
    elif np.isnan(factor):
        assert not allowed.size
    else:
        away = np.abs(np.log(factor / centre))
        assert forbidden.allows(factor)
        assert not allowed.size or away <= np.abs(np.log(allowed / centre)).min() + 1e-9


@given(a=nonzero_vectors(), b=nonzero_vectors(), d_w=positive, d_l=positive)
def test_without_memory_it_is_the_plain_band_and_its_centre(a, b, d_w, d_l):
    gram = floats_of(gram_of(a, b))
    forbidden = momentum_band(float(d_w), float(d_l), gram, 0.0, 0.0)
    low, high = band(gram)
    ratio = float(d_w / d_l)
    if gram.dot > 0:
        assert forbidden.falls_to**2 * ratio == pytest.approx(low, rel=1e-12)
        assert forbidden.rises_from**2 * ratio == pytest.approx(high, rel=1e-12)
    else:
        assert forbidden.allows(np.array([1e-9, 1.0, 1e9])).all()
    if gram.dot**2 < gram.sq_w * gram.sq_l:
        factor = momentum_factor(float(d_w), float(d_l), gram, 0.0, 0.0)
        assert factor == calibration(float(d_w), float(d_l), gram)


def test_an_obtuse_angle_can_leave_three_pieces():
    """disband.momentum.any-angle: what is good is no interval."""
    forbidden = momentum_band(1.0, 1.0, Gram(1.0, 1.0, -0.5), -2.0, 2.0)
    assert 0 < forbidden.falls_from < forbidden.falls_to < np.inf
    assert forbidden.allows(forbidden.falls_from / 2)
    assert not forbidden.allows(1.0)
    assert forbidden.allows(max(forbidden.falls_to, forbidden.rises_to) * 2)


def test_a_memory_can_forbid_every_factor():
    data = (1.0, 1.0, Gram(1.0, 1.0, 0.9), -5.0, 5.0)
    assert momentum_band(*data).falls_to > momentum_band(*data).rises_from
    assert np.isnan(momentum_factor(*data))


def test_what_is_not_positive_or_not_known_has_no_factor():
    gram = Gram(np.ones(4), np.ones(4), np.array([0.5, 0.5, 0.5, np.nan]))
    d_w, d_l = np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, -1.0, 1.0])
    got = momentum_factor(d_w, d_l, gram, 0.0, 0.0)
    assert np.isnan(got).tolist() == [False, True, True, True]
    assert not momentum_band(d_w, d_l, gram, 0.0, 0.0).allows(1.0)[1:].any()
    zero = momentum_band(1.0, 1.0, Gram(0.0, 1.0, 0.0), np.array([-1.0, 1.0]), 0.0)
    assert zero.allows(1.0).tolist() == [False, True]
