"""The plane of cosine and ratio: which case where, and who stands there."""

import numpy as np
import pytest

from disband.sims.surveys.wedge import places, wedge, wedge_around
from disband.theory.band import Case

STATE = {"logp_w": -12.0, "logp_l": -15.0, "ref_w": -11.0, "ref_l": -12.5, "len_w": 10, "len_l": 14}


def test_the_wedge_is_the_published_band():
    cosine, logs = np.linspace(0.013, 0.987, 61), np.linspace(-2.97, 3.01, 71)
    found = wedge(cosine, logs)
    inside = np.abs(logs)[:, None] <= -np.log(cosine)
    np.testing.assert_array_equal(found.cases == Case.IDEAL, inside)
    np.testing.assert_array_equal(found.cases == Case.BOTH_RISE, ~inside & (logs > 0)[:, None])
    np.testing.assert_array_equal(found.cases == Case.BOTH_FALL, ~inside & (logs < 0)[:, None])


def test_every_positive_ratio_is_good_where_the_scores_do_not_agree():
    assert (wedge([-1.0, -0.4, 0.0], np.linspace(-9, 9, 19)).cases == Case.IDEAL).all()


def test_objectives_stand_where_their_incentives_put_them():
    found = places(STATE, cosine=0.6, norm_ratio=1.3)
    assert found["DPO"] == pytest.approx((0.6, -np.log(1.3)))
    assert found["SimPO"] == pytest.approx((0.6, np.log(14 / 10) - np.log(1.3)))
    assert "SLiC-HF" not in found  # its hinge rests here: d_l = 0


def test_the_wedge_around_points_holds_them():
    cosine, logs = [0.9, -0.5, np.nan, 0.2], [2.0, -3.0, 50.0, np.inf]
    found = wedge_around(cosine, logs)
    assert found.cosine[0] == pytest.approx(-0.55)
    assert found.log_ratio[0] == -found.log_ratio[-1] == pytest.approx(-3.3)
    narrow = wedge_around([0.9], [0.01])
    assert (narrow.cosine[0], narrow.log_ratio[-1]) == pytest.approx((-0.1, 1.1))
