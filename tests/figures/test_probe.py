"""Figures of a probe show its pairs and its tokens where they are."""

import numpy as np

from disband.figures.probe import plane_picture, tokens_picture
from disband.sims.surveys.wedge import wedge_around


def test_pairs_stand_where_they_are_and_those_without_numbers_are_left_out():
    cosine, logs = [0.5, np.nan, -0.2, 1.0000001], [1.5, 0.0, -2.0, 0.3]
    (axes,) = plane_picture(wedge_around(cosine, logs), cosine, logs).figure.axes
    points = axes.collections[-1].get_offsets()
    np.testing.assert_allclose(points, [[0.5, 1.5], [-0.2, -2.0], [1.0, 0.3]])
    assert axes.get_ylim()[1] >= 2.0


def test_tokens_are_parted_into_chosen_and_rejected():
    cosines = np.array([[1.0, 0.2, -0.9], [0.2, 1.0, 0.1], [-0.9, 0.1, 1.0]])
    axes, *_ = tokens_picture(cosines, ["a", "b", "c"], 2).figure.axes
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array(), cosines)
    assert {float(line.get_ydata()[0]) for line in axes.get_lines()} >= {1.5}
