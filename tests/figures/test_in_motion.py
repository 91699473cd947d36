import numpy as np
import pytest

from disband.figures.in_motion import before_after_picture, method_picture, path_picture
from disband.figures.outcomes import calibration_picture, map_picture
from disband.sims.pairs.paths import Path
from disband.sims.surveys.adam import WORDS, Cloud
from disband.sims.surveys.maps import NORM_RATIO, STEP_SIZE, OutcomeMap
from disband.sims.surveys.outcomes import LOST
from disband.theory.band import Case

BAD = ("v", "^")


def a_path(offset, fall=0.0, steps=10):
    time = np.arange(steps + 1.0)
    return Path(np.linspace(0.6, 0.8, steps + 1), np.full(steps + 1, offset), -fall * time, -time)


def marks(axes):
    return {line.get_marker(): len(line.get_xdata()) for line in axes.get_lines()}


def test_wrong_steps_are_marked_wherever_the_path_runs():
    inside_but_falling = a_path(0.0, fall=0.1)
    figure = path_picture(
        {"DPO": a_path(0.0, -0.1)}, {"DPO": inside_but_falling}, "care", "a toy"
    ).figure
    assert marks(figure.axes[0])["v"] == 10
    good = path_picture({"DPO": a_path(0.0, -0.1)}, {"DPO": a_path(0.0, -0.1)}, "care").figure
    assert not set(BAD) & set(marks(good.axes[0]))


def test_an_objective_without_a_place_says_why():
    nowhere = a_path(np.nan)
    figure = path_picture({"SFT": nowhere}, {"SFT": nowhere}, "care").figure
    assert "not positive" in figure.axes[0].texts[0].get_text()


def test_offsets_beyond_the_picture_are_drawn_on_its_edge():
    figure = path_picture({"CPO": a_path(9.0)}, {"CPO": a_path(-9.0)}, "care").figure
    (axes,) = (a for a in figure.axes if a.axison)
    low, high = axes.get_ylim()
    heights = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    assert low < np.nanmin(heights) == -1.25
    assert high > np.nanmax(heights) == 1.25
    assert "as far as 9" in [text.get_text() for text in axes.texts]


def test_a_cell_counts_wrong_steps_and_the_table_has_every_run():
    paths = {(o, m): a_path(0.1) for o in ("DPO", "BCE") for m in ("none", "care", "more, care")}
    paths["DPO", "none"] = a_path(0.1, fall=0.5)
    drawing = method_picture(paths, "a toy", ("DPO",))
    (axes,) = drawing.figure.axes
    assert [text.get_text() for text in axes.texts] == ["10 ↓", "0", "0"]
    assert len(drawing.numbers) == 6
    assert "under 2 of 2 objectives; with no method under 1" in drawing.finding


def test_before_and_after_share_their_limits():
    before, after = {"DPO": a_path(0, 0.5)}, {"DPO": a_path(0, -0.5), "BCE": a_path(0)}
    figure = before_after_picture(before, after, "care", "a toy").figure
    upper, lower = figure.axes
    assert upper.get_ylim() == lower.get_ylim()


def a_map(code):
    cosine, other = np.linspace(-0.2, 1, 9), np.geomspace(0.2, 5, 7)
    case = np.full((7, 9), Case.IDEAL, np.int8)
    case[:, 5:] = code
    inside = np.zeros((7, 9), bool)
    inside[:, :5] = True
    wrong = np.zeros((7, 9))
    wrong[:, 3:] = 0.5
    return OutcomeMap(cosine, other, case, wrong, np.ones((7, 9)), inside)


@pytest.mark.parametrize("code", [Case.BOTH_FALL, LOST])
def test_a_map_names_what_it_shows(code):
    maps = {(axis, m): a_map(code) for axis in (NORM_RATIO, STEP_SIZE) for m in ("none", "care")}
    figure = map_picture(maps, "DPO").figure
    assert len(figure.axes) == 4
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert ("both fall" in words) == (code == Case.BOTH_FALL)
    assert ("left the finite numbers" in words) == (code == LOST)


def test_a_cloud_counts_its_right_steps():
    shape = (4, 5)
    up = np.ones(shape)
    up[0] = -1
    one = Cloud(np.full(shape, 0.8), np.zeros(shape), up, -np.ones(shape))
    figure = calibration_picture({"none": one, "exact": one}, WORDS, "a toy").figure
    assert "75%" in figure.axes[0].get_title()
