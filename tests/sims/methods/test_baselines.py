"""What others do to the incentives: what it is, and where it misses the band."""

import numpy as np
import pytest
from hypothesis import given

from disband.sims.methods.baselines import ratio_clipped, with_nll
from disband.theory.band import Case, case
from disband.theory.gram import Gram
from disband.theory.objectives import CPO
from disband.verify.strategies import positive

TIGHT = Gram(1.0, 9.0, 2.7)  # ρ = 0.9, r* = 3: band from 2.7 to 10/3


def test_a_likelihood_term_is_the_catalogues():
    data = (-3.0, -2.0, -1.0, -1.0, 5.0, 7.0)
    plain = [CPO.kernel(d, lam=0.0)(*data) for d in ("d_w", "d_l")]
    full = [CPO.kernel(d, lam=0.25)(*data) for d in ("d_w", "d_l")]
    np.testing.assert_allclose(with_nll(*plain, 0.25), full)
    np.testing.assert_allclose(with_nll(*plain, 1.25, length=5.0), full)


def test_failure_a_likelihood_term_falls_short_on_one_side_and_overshoots_on_the_other():
    assert case(*with_nll(1.0, 1.0, 0.5), TIGHT) == Case.BOTH_FALL
    assert case(*with_nll(1.0, 1.0, 2.0), TIGHT) == Case.IDEAL
    late = 2.0 * TIGHT.dot / TIGHT.sq_l  # below this incentive the rejected rises too
    assert case(*with_nll(0.99 * late, 0.99 * late, 2.0), TIGHT) == Case.BOTH_RISE


@given(d_w=positive, d_l=positive)
def test_a_clip_clips_the_ratio_and_keeps_the_product(d_w, d_l):
    got = ratio_clipped(float(d_w), float(d_l), 0.5, 2.0)
    assert got.d_w / got.d_l == pytest.approx(min(max(float(d_w / d_l), 0.5), 2.0))
    assert got.d_w * got.d_l == pytest.approx(float(d_w * d_l))


def test_failure_a_clip_misses_any_band_that_is_elsewhere():
    assert case(*ratio_clipped(9.0, 1.0, 0.5, 2.0), TIGHT) == Case.BOTH_FALL
    assert case(9.0, 3.0, TIGHT) == Case.IDEAL  # it was in the band
    assert case(*ratio_clipped(9.0, 3.0, 0.5, 2.0), TIGHT) == Case.BOTH_FALL
    assert ratio_clipped(0.0, 1.0, 0.5, 2.0) == (0, 1)
    assert ratio_clipped(-1.0, 1.0, 0.5, 2.0) == (-1, 1)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (2.0, 1.0), (1.0, np.inf)])
def test_a_clip_has_positive_bounds_in_order(bounds):
    with pytest.raises(ValueError, match="clipped to 0 < low"):
        ratio_clipped(1.0, 1.0, *bounds)
