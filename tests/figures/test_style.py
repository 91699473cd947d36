import subprocess
import sys

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from disband.figures.style import (
    CHOSEN,
    FIFTH,
    LOOKS,
    REJECTED,
    apart,
    legend,
    plain,
    styled,
)


def test_no_two_looks_share_a_colour_a_dash_or_a_marker():
    assert CHOSEN.linestyle != REJECTED.linestyle
    assert len({look.linestyle for look in LOOKS}) == len(LOOKS)
    every = (CHOSEN, REJECTED, *LOOKS, FIFTH)
    assert len({look.color for look in every}) == len({look.marker for look in every}) == len(every)


def test_the_style_ends_with_the_function_that_wears_it():
    @styled
    def salt():
        return rcParams["svg.hashsalt"]

    before = rcParams["svg.hashsalt"]
    assert salt() == salt() == "disband"
    assert rcParams["svg.hashsalt"] == before


def test_a_token_is_drawn_as_it_is_written():
    assert plain("Ġa$b") == r"␣a\$b"
    assert plain("好\n") == "U+597DU+000A"


def test_figures_import_neither_torch_nor_pyplot():
    code = (
        "import sys; from disband.figures import chen2026, drawing, toys, yuan2025;"
        "print([m for m in ('torch', 'matplotlib.pyplot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_legend_takes_as_many_columns_as_the_figure_is_wide():
    for width, rows in ((7.0, 1), (3.3, 2), (1.2, 4)):
        figure = Figure(figsize=(width, 2))
        legend(figure, [Line2D([], [], label=f"number {i}") for i in range(4)])
        (made,) = figure.legends
        figure.draw_without_rendering()
        heights = {round(text.get_window_extent().y0) for text in made.get_texts()}
        assert len(heights) == rows


def test_boxes_that_stood_on_each_other_stand_apart_within_their_panel():
    bottoms = np.array(apart([0.1, 0.12, 0.9, 0.91], [0.1, 0.1, 0.1, 0.1]))
    assert (np.diff(bottoms) >= 0.1 - 1e-12).all()
    assert bottoms[-1] + 0.1 <= 1.02
    assert apart([0.1, 0.5], [0.1, 0.1]) == [0.1, 0.5]
