import numpy as np
import pytest

from disband.figures.chen2026 import band_picture, places, wedge
from disband.figures.style import save
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


def test_the_picture_shows_every_case_and_names_every_objective(tmp_path):
    areas = wedge(np.linspace(-0.5, 1, 61), np.linspace(-3, 3, 61))
    points = places(STATE, 0.6, 1.3)
    figure = band_picture(areas, points, "an example")
    (axes,) = figure.axes
    labels = ", ".join(text.get_text() for text in axes.texts)
    assert sorted(labels.split(", ")) == sorted(points)
    (legend,) = figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == [c.words for c in (Case.IDEAL, Case.BOTH_FALL, Case.BOTH_RISE)]
    save(figure, tmp_path, "band")


def test_a_point_beyond_the_grid_is_a_triangle_on_its_edge():
    areas = wedge(np.linspace(0, 1, 21), np.linspace(-3, 3, 21))
    (axes,) = band_picture(areas, {"far": (0.5, 7.0), "deep": (0.5, -7.0), "near": (0.5, 1.0)}).axes
    drawn = {
        one.get_marker(): one.get_ydata()[0]
        for one in axes.get_lines()
        if len(one.get_xdata()) == 1
    }
    assert drawn == {"^": 3.0, "v": -3.0, "o": 1.0}


def test_labels_keep_their_distance():
    areas = wedge(np.linspace(0, 1, 21), np.linspace(-3, 3, 21))
    points = {f"objective {i}": (0.5, 0.1 * i) for i in range(6)}
    (axes,) = band_picture(areas, points).axes
    heights = np.array([text.xyann[1] for text in axes.texts])
    assert len(heights) == 6
    assert np.diff(heights).min() > 0.06
