"""Figures of the experiments on language models, from small made-up records."""

import numpy as np
import pytest

from disband.figures.gpt2.comparisons import ranking_picture, regimes_picture
from disband.figures.gpt2.runs import _names, cosine_picture, runs_picture
from disband.figures.gpt2.steps import courses_picture, steps_picture

OBJECTIVES = ("DPO", "SimPO", "IPO", "CPO", "KTO", "SPPO")
CURVES = [
    {
        "objective": objective, "style": "unequal 2/6", "seed": seed, "steps": [0, 3, 6],
        "chosen": [-5.0, -5.1 - seed, -5.3], "rejected": [-6.0, -6.5, -7.0],
        "chosen per token": [-1.0, -1.01, -1.02], "rejected per token": [-1.1, -1.2, -1.3],
        "gram steps": [0, 6], "cosine": [-0.5, 0.1 * seed], "in the band": [1.0, 0.5],
    }
    for objective in OBJECTIVES
    for seed in (0, 1)
]  # fmt: skip
STEPS = [
    {
        "seed": 0, "optimizer": kind, "batch": batch, "rate": rate, "first order, signs": 1.0,
        "plain batch, signs": 0.8, "own pair, signs": 0.6, "first order, size error": 100 * rate,
    }
    for kind in ("sgd", "adam")
    for batch in (1, 8)
    for rate in (1e-6, 1e-5, 1e-4)
]  # fmt: skip
COURSES = [
    {
        "seed": seed, "style": "long suffix", "optimizer": "adam", "rate": 1e-5, "labels": labels,
        "mix": "balanced", "batch": 32, "response": side, "gradient": -0.1, "memory": -0.3,
        "decay": 0.01, "curvature": -0.02, "measured": -0.41 + 0.1 * seed, "label, measured": -0.1,
        "suffix, measured": -0.3, "prefix, measured": 0.0,
    }
    for labels in ("true", "shuffled")
    for side in ("chosen", "rejected")
    for seed in (0, 1)
]  # fmt: skip
RACES = [
    {
        "seed": seed,
        "objective": name,
        "chosen": chosen,
        "predicted": share,
        "predicted by the batch": share,
    }
    for seed in (0, 1)
    for name, chosen, share in (("DPO", -0.5 + seed, 0.5), ("CPO", None, 0.9), ("BCE", 0.2, 0.4))
]
REGIMES = [
    {
        "seed": 0, "style": style, "shown": "both labels", "sft steps": steps,
        "optimizer": "adam", "rate": rate, "change of the chosen": change,
    }
    for style, change in (("single token", 0.004), ("long suffix", -3.2))
    for steps in (24, 72)
    for rate in (1e-5, 5e-5)
]  # fmt: skip


def lines(axes):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}


def places(axes):
    return {line.get_label(): list(line.get_xdata()) for line in axes.lines}


def test_lines_stand_at_the_updates_they_were_measured_at():
    drawn = places(runs_picture(CURVES).figure.axes[0])
    assert drawn["chosen"] == drawn["rejected"] == [0, 3, 6]
    assert places(cosine_picture(CURVES).figure.axes[0])["cosine"] == [0, 6]
    sizes = places(steps_picture(STEPS).figure.axes[2])
    assert sizes["batches of 8"] == [1e-6, 1e-5, 1e-4]


def test_runs_show_the_change_and_per_token_where_the_loss_does():
    figure = runs_picture(CURVES).figure
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["DPO", "SimPO\nper token", "IPO\nper token", "CPO", "KTO", "SPPO"]
    np.testing.assert_allclose(lines(figure.axes[0])["chosen"], [0, -0.6, -0.3])
    np.testing.assert_allclose(lines(figure.axes[1])["rejected"], [0, -0.1, -0.2])


def test_runs_that_ended_at_different_updates_are_compared_where_all_went():
    long = CURVES[0] | {
        "steps": [0, 3, 6, 9, 12],
        "chosen": [-5.0, -5.2, -5.4, -6.0, -7.0],
        "rejected": [-6.0, -7.0, -8.0, -9.0, -9.5],
    }
    long |= {"gram steps": [0, 6, 12], "cosine": [-0.5, 0.3, 0.4], "seed": 2}
    both = [CURVES[0], long]
    figure = runs_picture(both).figure
    assert places(figure.axes[0])["chosen"] == [0, 3, 6]
    np.testing.assert_allclose(lines(figure.axes[0])["chosen"], [0, -0.15, -0.35])
    np.testing.assert_allclose(lines(cosine_picture(both).figure.axes[0])["cosine"], [-0.5, 0.15])


def test_cosines_are_means_over_seeds():
    figure = cosine_picture(CURVES).figure
    np.testing.assert_allclose(lines(figure.axes[0])["cosine"], [-0.5, 0.05])
    assert [axes.get_title() for axes in figure.axes] == list(OBJECTIVES)


def test_one_step_shows_signs_at_the_second_rate_and_errors_at_all():
    figure = steps_picture(STEPS).figure
    assert "1e-05" in figure.axes[0].get_title()
    np.testing.assert_allclose(lines(figure.axes[0])["own pair's Gram"], [0.6, 0.6])
    np.testing.assert_allclose(lines(figure.axes[2])["batches of 8"], [1e-4, 1e-3, 1e-2])


def test_courses_stack_to_what_was_measured():
    figure = courses_picture(COURSES).figure
    left = figure.axes[0]
    first = [bar for bar in left.patches if abs(bar.get_y() + 0.31) < 1e-9]
    assert sum(bar.get_width() for bar in first) == pytest.approx(-0.41)
    assert [t.get_text() for t in left.get_yticklabels()][1].endswith("shuffled labels")


def test_objectives_stand_by_the_predicted_share_and_those_without_the_margin_are_named():
    drawing = ranking_picture(RACES)
    names, _, changes = drawing.figure.axes
    assert [label.get_text() for label in names.get_yticklabels()] == ["BCE", "DPO"]
    large = [float(one.get_xdata()[0]) for one in changes.get_lines() if len(one.get_xdata()) == 1]
    assert large == [0.2, 0.0]
    assert "Without a margin so large, or a prediction: CPO." in drawing.basis


def test_a_regime_is_blue_where_the_chosen_rises_and_orange_where_it_falls():
    rises, falls = regimes_picture(REGIMES).figure.axes
    for axes, order in ((rises, (2, 0)), (falls, (0, 2))):
        (image,) = axes.images
        colors = image.cmap(image.norm(image.get_array()))
        more, less = (colors[..., channel] for channel in order)
        assert (more > less + 0.1).all()


def test_a_larger_change_has_a_stronger_color():
    rows = [dict(row, style="long suffix") for row in REGIMES if row["style"] == "long suffix"]
    rows = [
        dict(row, **{"change of the chosen": -10.0 * row["rate"] * row["sft steps"]})
        for row in rows
    ]
    (axes,) = regimes_picture(rows).figure.axes
    (image,) = axes.images
    colors = image.cmap(image.norm(image.get_array()))[..., :3]
    strength = colors.max(-1) - colors.min(-1)
    # Fine-tuning down, optimizers across: both grow the change.
    assert strength[0, 0] < strength[0, 1] < strength[1, 1]
    assert strength[0, 0] < strength[1, 0] < strength[1, 1]


def test_regimes_carry_their_numbers():
    figure = regimes_picture(REGIMES).figure
    assert {text.get_text() for text in figure.axes[0].texts} == {"+0.004"}
    assert {text.get_text() for text in figure.axes[1].texts} == {"\N{MINUS SIGN}3.20"}


@pytest.mark.parametrize("picture", [runs_picture, cosine_picture, ranking_picture])
def test_a_figure_without_runs_is_refused(picture):
    with pytest.raises(ValueError, match="run disband gpt2 first"):
        picture([])


SIDES = ("chosen", "rejected", "chosen per token", "rejected per token")


def test_runs_of_different_lengths_have_their_own_updates_below_them():
    """Labels of the last row alone said that a run of 60 updates had 12."""
    shared = {"seed": 0, "cosine": [0.1, 0.2], "gram steps": [0, 1]}
    lengths = {"SimPO": 18, "CPO": 60, "KTO": 12, "DPO": 24, "RRHF": 12, "DPOP": 12}
    curves = [
        {**shared, "objective": name, "style": "long suffix", "steps": [0, length],
         "gram steps": [0, length], **{key: [-1.0, -1.5] for key in SIDES}}
        for name, length in lengths.items()
    ]  # fmt: skip
    for draw in (runs_picture, cosine_picture):
        cells = draw(curves).figure.axes[: len(lengths)]
        assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in cells)
        even = [row | {"steps": [0, 6], "gram steps": [0, 6]} for row in curves]
        cells = draw(even).figure.axes[: len(lengths)]
        shown = [axes.xaxis.get_tick_params()["labelbottom"] for axes in cells]
        assert shown == [False] * 3 + [True] * 3


def test_panels_are_named_by_what_differs():
    assert set(_names([("DPO", "short"), ("CPO", "short")]).values()) == {"DPO", "CPO"}
    assert set(_names([("DPO", "short"), ("DPO", "long")]).values()) == {"short", "long"}
    assert _names([("DPO", "short"), ("CPO", "long")])["CPO", "long"] == "CPO on long"
