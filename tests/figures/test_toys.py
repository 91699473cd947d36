import numpy as np
import pytest

from disband.figures.toys import place_picture, trajectory_picture
from disband.sims.pairs.studies import TOYS
from disband.theory.objectives import DPO

PART_WORDS = {
    "before": "before they differ", "at": "where they differ", "after": "after they differ",
}  # fmt: skip
CHOICES = [("single-token", {}), ("edit-one-shared", {}), ("edit-one-shared", {"batch": (3, 5)})]


def lines(axes):
    return {one.get_label(): one.get_ydata() for one in axes.get_lines()}


def places(axes):
    return {one.get_label(): list(one.get_xdata()) for one in axes.get_lines()}


def mean(values):
    return values.reshape(len(values), -1).mean(1)


@pytest.mark.parametrize(("toy", "choices"), CHOICES)
def test_a_trajectory_is_shown_as_it_was_given(toy, choices):
    run = TOYS[toy].run(DPO, steps=30, **choices).trajectory
    figure = trajectory_picture(run, "a title with one $").figure
    left, right = map(lines, figure.axes)
    for i, label in enumerate(("chosen", "rejected")):
        np.testing.assert_allclose(left[label], mean((run.logp_w, run.logp_l)[i]))
        np.testing.assert_allclose(right[f"{label}, first order"], mean(run.predicted[i]))
        np.testing.assert_allclose(right[f"{label}, real"], mean(run.measured[i]))
    at_left, at_right = map(places, figure.axes)
    states = list(range(31))
    for label in ("chosen", "rejected"):
        assert at_left[label] == at_right[f"{label}, first order"] == states
        assert at_right[f"{label}, real"] == states[:-1]


@pytest.mark.parametrize(("toy", "choices"), CHOICES)
def test_the_parts_of_a_change_are_shown_and_sum_to_the_whole(toy, choices):
    study = TOYS[toy].run(DPO, steps=30, **choices)
    figure = place_picture(study).figure
    for side, axes in enumerate(figure.axes):
        drawn = lines(axes)
        assert all(
            x == list(range(31)) for n, x in places(axes).items() if n in drawn and len(x) > 2
        )
        parts = study.by_place()
        for part, both in parts.items():
            words = PART_WORDS[part]
            np.testing.assert_allclose(drawn[words], mean(both[side] - both[side][0]), atol=1e-12)
        np.testing.assert_allclose(
            drawn[f"whole {('chosen', 'rejected')[side]}"],
            sum(drawn[PART_WORDS[part]] for part in parts),
            atol=1e-9,
        )


def test_a_run_of_no_steps_can_be_drawn():
    study = TOYS["single-token"].run(DPO, steps=0)
    assert (
        "misses the change of a step by at most 0" in trajectory_picture(study.trajectory).finding
    )
    assert place_picture(study).finding == "Under DPO the chosen stays as a whole."
