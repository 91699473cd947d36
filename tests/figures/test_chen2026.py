import numpy as np

from disband.figures.chen2026 import band_picture
from disband.sims.surveys.wedge import places, wedge
from disband.theory.band import Case

STATE = {"logp_w": -12.0, "logp_l": -15.0, "ref_w": -11.0, "ref_l": -12.5, "len_w": 10, "len_l": 14}


def test_the_picture_shows_every_case_and_names_every_objective():
    areas = wedge(np.linspace(-0.5, 1, 61), np.linspace(-3, 3, 61))
    points = places(STATE, 0.6, 1.3)
    figure = band_picture(areas, points, "an example").figure
    (axes,) = figure.axes
    labels = ", ".join(text.get_text().replace("\n", " ") for text in axes.texts)
    assert sorted(labels.split(", ")) == sorted(points)
    (legend,) = figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == [c.words for c in (Case.IDEAL, Case.BOTH_FALL, Case.BOTH_RISE)]


def test_a_point_beyond_the_grid_is_a_triangle_on_its_edge():
    areas = wedge(np.linspace(0, 1, 21), np.linspace(-3, 3, 21))
    (axes,) = band_picture(
        areas, {"far": (0.5, 7.0), "deep": (0.5, -7.0), "near": (0.5, 1.0)}
    ).figure.axes
    drawn = {
        one.get_marker(): one.get_ydata()[0]
        for one in axes.get_lines()
        if len(one.get_xdata()) == 1
    }
    assert drawn == {"^": 3.0, "v": -3.0, "o": 1.0}


def test_labels_keep_their_distance():
    areas = wedge(np.linspace(0, 1, 21), np.linspace(-3, 3, 21))
    points = {f"objective {i}": (0.5, 0.1 * i) for i in range(6)}
    (axes,) = band_picture(areas, points).figure.axes
    heights = np.array([text.xyann[1] for text in axes.texts])
    assert len(heights) == 6
    assert np.diff(heights).min() > 0.049
