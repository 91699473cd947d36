"""The figure of methods on a small GPT-2, from small made-up records."""

import numpy as np
import pytest

from disband.figures.gpt2.methods import methods_picture


def row(objective="DPO", method="none", chosen=0.1, seed=0, data="sentiment", **changes):
    return {
        "data": data, "objective": objective, "method": method, "seed": seed, "chosen": chosen,
        "relative updates": 1.0, "relative cost": 1.0, **changes,
    }  # fmt: skip


def marks(axes):
    """Where each large mark stands, by its marker and height."""
    return [
        float(line.get_xdata()[0])
        for line in axes.get_lines()
        if len(line.get_xdata()) == 1 and line.get_markersize() > 3
    ]


def test_a_mark_is_the_mean_over_seeds_and_the_rejecteds_scale_is_the_margin_lower():
    rows = [row(chosen=0.1, seed=0), row(chosen=0.3, seed=1), row(method="care", chosen=-0.2)]
    figure = methods_picture(rows, 0.25).figure
    change = figure.axes[0]
    assert marks(change) == pytest.approx([0.2, -0.2])
    (above,) = change.child_axes
    figure.draw_without_rendering()
    np.testing.assert_allclose(above.get_xlim(), np.subtract(change.get_xlim(), 0.25))
    assert change.get_title(loc="left") == "sentiment"


def test_seeds_that_never_gained_the_margin_are_counted_not_drawn():
    rows = [
        row(chosen=0.1), row(chosen=None, seed=1, **{"relative updates": None}),
        row(method="care", chosen=None, **{"relative updates": None}),
    ]  # fmt: skip
    change, updates, cost = methods_picture(rows, 0.25).figure.axes
    assert [text.get_text() for text in change.texts] == ["1/2", "1/1"]
    assert len(marks(change)) == len(marks(updates)) == 1
    assert len(marks(cost)) == 2


def test_what_lies_beyond_is_drawn_on_the_edge():
    change = methods_picture([row(chosen=9.0)], 0.25).figure.axes[0]
    assert marks(change) == [change.get_xlim()[1]]


def test_a_row_for_each_kind_of_data_and_a_look_for_each_method():
    methods = [f"method {i}" for i in range(6)]
    rows = [row(method=m, data=data) for m in methods for data in ("sentiment", "free text")]
    figure = methods_picture(rows, 0.25).figure
    assert len(figure.axes) == 6
    looks = {(line.get_marker(), line.get_color()) for line in figure.legends[0].get_lines()}
    assert len(looks) == 6
    assert len({marker for marker, _ in looks}) == 6


def test_without_runs_it_is_refused():
    with pytest.raises(ValueError, match="run disband gpt2 first"):
        methods_picture([], 0.25)
