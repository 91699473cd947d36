"""How runs are read: at a margin, at the end, at their worst."""

import numpy as np
import pytest

from disband.sims.simplex.evolution import drawn
from disband.sims.simplex.misallocation import (
    CALIBRATED,
    CONTEXTS,
    FEATURES,
    KINDS,
    OWN,
    PLAIN,
    RUNNERS,
    TARGET,
    RunSettings,
    gained,
    read,
)

SHORT = RunSettings(steps=30)
GRID = np.linspace(0, 8, 17)


@pytest.fixture(scope="module")
def runs():
    world = OWN.worlds((0,), 20)
    return {name: RUNNERS[name](world, SHORT) for name in (PLAIN, TARGET, CALIBRATED)}


def test_a_seed_draws_the_same_worlds_in_any_company():
    alone = FEATURES.worlds((3,), 4)
    together = FEATURES.worlds((1, 3), 4)
    np.testing.assert_array_equal(alone.features, together.features[4:])
    np.testing.assert_array_equal(alone.offsets, together.offsets[4:])
    assert CONTEXTS.worlds((0,), 2).offsets.shape == (2, 4, 8)
    assert len({kind.name for kind in KINDS}) == 3


def test_a_run_is_read_where_it_first_has_the_margin(runs):
    log_probs = runs[PLAIN]
    one = read(log_probs, 2.0, GRID)
    assert one.reached.all()
    growth = gained(log_probs)
    there = (one.there[..., 0] - one.there[..., 1] - one.start[..., 0] + one.start[..., 1])[:, 0]
    assert (there >= 2).all()
    assert (there < 2 + np.diff(growth, axis=0).max()).all()
    never = read(log_probs, 1e3, GRID)
    assert not never.reached.any()


def test_the_most_and_the_misallocated_are_what_irrelevant_responses_hold(runs):
    log_probs = runs[PLAIN]
    one = read(log_probs, 2.0, GRID)
    mass = np.exp(log_probs[..., 2:]).sum(-1)
    np.testing.assert_array_equal(one.most, mass.max(0))
    assert (one.misallocated[:, 0] == 0).all()
    behind = (one.start[..., 0] < one.start[..., 1])[:, 0]
    assert behind.any()
    assert (one.misallocated[~behind] == 0).all()
    at = int(np.flatnonzero(gained(log_probs)[:, 0] >= GRID[2])[0])
    beyond = np.maximum(mass - mass[0], 0).mean(-1)
    assert beyond[at - 1 : at + 1, 0].min() <= one.misallocated[0, 2]
    assert one.misallocated[0, 2] <= beyond[at - 1 : at + 1, 0].max()


def test_first_steps_of_dpo_and_ipo_are_of_one_length(runs):
    first = {name: run[1] - run[0] for name, run in runs.items()}
    np.testing.assert_allclose(first[TARGET], first[PLAIN], rtol=1e-9)


def test_bilevel_runners_take_the_course():
    world = drawn(0, worlds=3, vocabulary=4)
    assert {RUNNERS[name](world, RunSettings(steps=2)).shape for name in RUNNERS} == {(3, 3, 1, 4)}
