"""Figures of jian2025 show what they are given."""

import numpy as np

from disband.figures.jian2025 import (
    initialization_picture,
    label_mass_picture,
    misallocation_picture,
    simplex_picture,
)
from disband.sims.simplex.initialization import initialization_map
from disband.sims.simplex.misallocation import KINDS, RUNNERS
from disband.sims.simplex.portraits import STARTS, Portrait, constant_ratio, grid
from disband.verify.experiments.toys.probability import Curve


def portrait(name):
    rows = grid(12)
    return Portrait(name, np.stack([STARTS, STARTS[::-1]]), rows, rows[:, 1] - rows[:, 0], rows[:0])


def test_every_method_has_its_simplex_and_an_edge_only_where_there_is_one():
    panels = [portrait("one"), constant_ratio(0.25, steps=40)]
    figure = simplex_picture(panels, "an example").figure
    drawn = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in drawn] == ["one", "ratio 0.25"]
    heavy = [[line for line in axes.get_lines() if line.get_linewidth() > 2] for axes in drawn]
    assert [len(lines) for lines in heavy] == [0, 1]
    corners = {text.get_text() for text in drawn[0].texts} - {""}
    assert corners == {"chosen", "rejected", "irrelevant"}


def test_every_method_has_its_curve_in_every_kind_of_world():
    margins = np.linspace(0, 4, 9)
    curves = {
        kind.name: {
            name: Curve(margins, i * margins, 0.1 * margins) for i, name in enumerate(RUNNERS)
        }
        for kind in KINDS
    }
    figure = misallocation_picture(curves, "an example").figure
    assert [axes.get_title() for axes in figure.axes] == [kind.name for kind in KINDS]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(RUNNERS)
    looks = {(line.get_color(), line.get_marker()) for line in figure.axes[0].get_lines()}
    assert len(looks) == len(RUNNERS)


def test_the_maps_of_the_start_are_three():
    figure = initialization_picture(initialization_map(points=31)).figure
    maps, scales = figure.axes[:3], figure.axes[3:]
    assert {axes.get_xscale() for axes in maps} == {"log"}
    assert [axes.get_label() for axes in scales] == ["<colorbar>"] * 3


def test_both_labels_and_neither_are_drawn_for_every_method():
    rng = np.random.default_rng(0)
    parts = ("chosen label", "rejected label", "neither label")
    rows = [
        {
            "method": method, "style": style, "seed": seed, "updates": list(range(0, 60, 3)),
            **dict(zip(parts, rng.dirichlet(np.ones(3), 20).T.tolist(), strict=True)),
        }
        for method in ("DPO", "SPO, one step")
        for style in ("single token", "short suffix")
        for seed in (0, 1)
    ]  # fmt: skip
    figure = label_mass_picture(rows).figure
    assert [axes.get_title() for axes in figure.axes] == [*parts, "", "", ""]
    mean = np.mean([row["neither label"] for row in rows[:2]], 0)
    (line,) = (one for one in figure.axes[2].get_lines() if one.get_label() == "DPO")
    np.testing.assert_allclose(line.get_ydata(), mean)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["DPO", "SPO, one step"]
