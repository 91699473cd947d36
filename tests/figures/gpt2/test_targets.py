"""The figure of G on a small GPT-2, from small made-up records."""

import numpy as np
import pytest

from disband.figures.gpt2.targets import target_parts_picture


def rows(metric="plain", styles=("short suffix", "long suffix"), seeds=(0, 1)):
    return [
        {
            "style": style, "optimizer": "adam", "rate": 1e-5, "batch": 16, "seed": seed,
            "metric": metric, "updates": [1, 2], "positive": [2.0 + seed, 3.0],
            "negative": [-1.0, -2.0], "reweighting": [0.0, 0.5], "G": [1.0 + seed, 1.5],
        }
        for style in styles
        for seed in seeds
    ]  # fmt: skip


def lines(axes):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}


def test_parts_stand_above_their_sum_and_are_means_over_seeds():
    figure = target_parts_picture(rows()).figure
    above, other, below, _ = figure.axes
    np.testing.assert_allclose(lines(above)["positive learning"], [2.5, 3.0])
    np.testing.assert_allclose(lines(above)["reweighting"], [0.0, 0.5])
    np.testing.assert_allclose(lines(below)["G, their sum"], [1.5, 1.5])
    for axes, count in ((above, 3), (below, 1)):
        places = [line.get_xdata() for line in axes.lines if line.get_label()[0] != "_"]
        assert [list(x) for x in places] == [[1, 2]] * count
    assert above.get_title().startswith("short suffix\nadam 1e-05, batches of 16")
    assert other.get_title().startswith("long suffix")
    assert len(above.collections) == 3  # a band a part


def test_places_without_a_piece_are_empty():
    figure = target_parts_picture(rows(styles="abcd"), columns=3).figure
    assert len(figure.axes) == 12
    assert sum(axes.axison for axes in figure.axes) == 8


def test_the_metric_of_the_optimizer_has_its_units():
    assert "per update" in target_parts_picture(rows("optimizer")).figure.get_supylabel()
    figure = target_parts_picture(rows()).figure
    assert "per unit of step size" in figure.get_supylabel()
    assert figure.axes[0].get_yscale() == "linear"


def test_without_runs_it_is_refused():
    with pytest.raises(ValueError, match="run disband gpt2 first"):
        target_parts_picture([])
