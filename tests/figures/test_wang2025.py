import numpy as np
import pytest

from disband.figures.wang2025 import SHOWN, ablation_picture, exploration_picture, target_picture
from disband.verify.experiments.toys.dynamics import RESPONSES, TOKENS
from disband.verify.experiments.toys.dynamics_curves import ABLATIONS, EXPLORING

UPDATES = 10


def three(shape, seed):
    mean = np.random.default_rng(seed).normal(size=shape)
    return np.stack([mean, mean - 0.1, mean + 0.1])


def arrays():
    """Made-up curves of every method that a figure shows, and of every ablation."""
    made = {}
    for number, method in enumerate(dict.fromkeys((*SHOWN, *EXPLORING))):
        head = f"{RESPONSES}/{method}"
        made[f"{head}/parts"] = three((4, UPDATES), number)
        made[f"{head}/one"] = made[f"{head}/parts"][0] + 0.2
        made[f"{head}/entropy"] = three(UPDATES + 1, number)
        made[f"{head}/reward"] = three(UPDATES + 1, 100 + number)
    for others in ABLATIONS.values():
        for number, other in enumerate(others):
            for world in (RESPONSES, TOKENS):
                made[f"{world}/{other}/gain"] = three((), number)
    return made


@pytest.fixture
def found():
    return arrays()


def test_the_target_has_a_panel_a_method_with_its_parts_and_one_world(found):
    figure = target_picture(found).figure
    assert [axes.get_title() for axes in figure.axes] == list(SHOWN)
    for axes, method in zip(figure.axes, SHOWN, strict=True):
        lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        parts = found[f"{RESPONSES}/{method}/parts"]
        np.testing.assert_array_equal(lines["G"], parts[0, 0])
        places = {line.get_label(): list(line.get_xdata()) for line in axes.get_lines()}
        assert places["G"] == places["G in one world alone"] == list(range(UPDATES))
        np.testing.assert_array_equal(lines["reweighting"], parts[0, 3])
        np.testing.assert_array_equal(lines["G in one world alone"], parts[0, 0] + 0.2)


def test_entropy_is_shown_over_updates_and_against_reward(found):
    figure = exploration_picture(found).figure
    left, right = figure.axes
    np.testing.assert_array_equal(
        right.get_lines()[0].get_xdata(), found[f"{RESPONSES}/DPO/reward"][0]
    )
    assert [line.get_label() for line in left.get_lines()] == list(EXPLORING)
    assert all(list(line.get_xdata()) == list(range(UPDATES + 1)) for line in left.get_lines())


def test_every_ablation_has_a_mark_and_an_interval_in_each_world(found):
    figure = ablation_picture(found).figure
    for axes, (whole, others) in zip(figure.axes, ABLATIONS.items(), strict=True):
        assert axes.get_title() == f"against {whole}"
        assert len(axes.get_yticks()) == len(others)
        marks = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
        assert len(marks) == 2 * len(others)
