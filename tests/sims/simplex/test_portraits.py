"""Portraits on the simplex and maps of the start."""

import numpy as np
import pytest

from disband.sims.simplex.initialization import initialization_map
from disband.sims.simplex.misallocation import RunSettings
from disband.sims.simplex.portraits import STARTS, constant_ratio, grid, portraits, stepped
from disband.theory.models.evolution import after


@pytest.fixture(scope="module")
def drawn():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("disband.sims.simplex.portraits.COURSE", RunSettings(lr=8.0, steps=24))
        return {one.name: one for one in portraits()}


def test_every_method_has_paths_from_the_same_starts(drawn):
    assert list(drawn) == ["DPO", "IPO", "SimPO", "calibrated DPO", "SPO", "ratio 0.25"]
    for one in drawn.values():
        np.testing.assert_allclose(one.paths[0], STARTS, rtol=1e-6)
        np.testing.assert_allclose(one.paths.sum(-1), 1, rtol=1e-9)


@pytest.mark.parametrize("name", ["DPO", "IPO", "SimPO"])
def test_margin_objectives_share_their_conics(drawn, name):
    w, l, o = drawn[name].paths.transpose(2, 0, 1)  # noqa: E741
    invariant = w * l / o**2
    np.testing.assert_allclose(invariant, np.broadcast_to(invariant[0], w.shape), rtol=1e-6)


@pytest.mark.parametrize("name", ["DPO", "calibrated DPO"])
def test_the_irrelevant_gains_where_the_rejected_is_ahead(drawn, name):
    one = drawn[name]
    ahead = one.rows[:, 1] - one.rows[:, 0]
    clear = np.abs(ahead) > 1e-9
    np.testing.assert_array_equal((one.gain > 0)[clear], (ahead > 0)[clear])


def test_spo_gains_are_what_its_first_step_does(drawn):
    one = drawn["SPO"]
    rises = one.paths[1, :, 2] > one.paths[0, :, 2]
    nearest = [int(np.abs(one.rows - start).sum(-1).argmin()) for start in STARTS]
    same = rises == (one.gain[nearest] > 0)
    assert same.mean() >= 0.8
    assert rises.any()
    assert not rises.all()


def test_a_low_ratio_has_two_basins_parted_by_the_separatrix(drawn):
    one = drawn["ratio 0.25"]
    ends = one.paths[-1]
    assert (ends.max(-1) > 0.99).all()
    assert set(ends.argmax(-1)) == {0, 2}
    edge = one.separatrix[300]
    for sign, winner in ((1, 2), (-1, 0)):
        row = edge + sign * 0.02 * np.array([-1, 0, 1])
        for _ in range(2000):
            row = stepped(row[None], 0.25, 0.05)[0]
        assert row.argmax() == winner


def test_the_grid_is_inside_the_simplex():
    rows = grid(10)
    assert (rows > 0).all()
    np.testing.assert_allclose(rows.sum(-1), 1)
    assert len(rows) == 36


def test_the_map_is_what_a_search_over_steps_finds():
    found = initialization_map(points=24)
    growth = np.exp(np.linspace(0, 12, 4001))
    for i, j in ((20, 3), (15, 10), (5, 12), (12, 12)):
        w, l = found.p_w[j], found.p_l[i]  # noqa: E741
        *_, total = after(w, l, growth)
        beyond = (1 - w - l) * (1 / total - 1)
        assert found.shifted[i, j] == pytest.approx(max(0, beyond.max()), abs=1e-5)
        if found.debt[i, j] > 0:
            back = 2 * np.log(growth[np.flatnonzero(beyond > 1e-12)[-1]])
            assert found.debt[i, j] == pytest.approx(back, abs=0.02)
    assert np.isnan(found.share[-1, -1])


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="two basins need a ratio"):
        constant_ratio(0.5)
    with pytest.raises(ValueError, match="a map starts at a probability"):
        initialization_map(least=0.7)
