"""The figure of a run shows what was logged."""

import numpy as np
import pytest

from disband.figures.run import run_picture
from disband.theory.band import Case
from tests.disband.monitor.histories import STEPS, looked, run_of


def columns_of(run):
    return {name: run.column(name) for name in {n for line in run.lines for n in line}}


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.axison]


def test_a_watched_run_has_four_panels_and_names_every_case():
    metrics = looked(0.5, 0.2, 0.2, predicted_chosen=-0.01, predicted_rejected=-0.02)
    figure = run_picture(columns_of(run_of(-1, **metrics))).figure
    assert len(titles(figure)) == 4
    cases = figure.axes[2].get_legend_handles_labels()[1]
    assert cases == [case.words for case in Case]
    changes = figure.axes[1].get_legend_handles_labels()[1]
    assert changes == ["chosen", "rejected", "predicted"]


def test_the_ratio_is_drawn_as_applied():
    figure = run_picture(columns_of(run_of(-1, **looked(0.5, 0.2, factor=2.0)))).figure
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[3].get_lines()}
    assert np.allclose(drawn["$d_w/d_l$ as applied"], 4)
    assert len(drawn["$d_w/d_l$ as applied"]) == len(STEPS)


def test_a_run_without_a_monitor_has_one_panel():
    assert titles(run_picture(columns_of(run_of(-1))).figure) == ["Chosen and rejected in the run"]


def test_a_log_with_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="among loss"):
        run_picture({"loss": (np.ones(1), np.ones(1))})
