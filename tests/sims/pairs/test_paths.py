"""Paths beside the wedge, and calibration under Adam: measured directions show failures."""

from dataclasses import replace

import numpy as np
import pytest

from disband.sims.methods.treatments import FOR_ONE_PAIR, Alone
from disband.sims.pairs.paths import Path, path
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.sims.surveys.adam import EXACT, METRIC, PUBLISHED, WORDS, AdamSetting, cloud, clouds
from disband.sims.surveys.maps import HORIZON, NORM_RATIO, STEP_SIZE, outcome_map
from disband.sims.surveys.outcomes import in_band
from disband.theory.band import Case
from disband.theory.objectives import BCE, DPO, SFT
from tests.sampling import some

ENTANGLED = {"suffix": 8, "offset": 4.0}
each = pytest.mark.parametrize("method", FOR_ONE_PAIR)


def run(objective, method="none", **options):
    return EDIT_ONE_SHARED.run(objective, method=method, **({"steps": 30} | ENTANGLED | options))


@some
def test_a_place_in_the_wedge_is_what_first_order_says(objective):
    study = run(objective, lr=1e-3, steps=3)
    found, trajectory = path(study), study.trajectory
    both = (trajectory.d_w > 0) & (trajectory.d_l > 0)
    np.testing.assert_array_equal(np.isfinite(found.offset), both)
    expected = in_band(trajectory.d_w, trajectory.d_l, trajectory.gram)
    np.testing.assert_array_equal(found.inside[both], expected[both])


def test_directions_are_measured_not_reported():
    """A trajectory whose incentives lie stands in the wedge, and is found out all the same."""
    study = run(DPO)
    assert (path(study).cases == Case.BOTH_FALL).all()
    told = study.trajectory.d_l * study.trajectory.gram.norm_ratio
    lying = path(replace(study, trajectory=replace(study.trajectory, d_w=told)))
    assert lying.inside.all()
    assert (lying.cases == Case.BOTH_FALL).all()


def test_a_long_step_goes_wrong_inside_the_wedge_and_is_seen_to():
    found = path(run(DPO, "nearest in band", steps=30))
    assert found.inside.all()
    assert (found.cases != Case.IDEAL).any()


@each
def test_every_method_has_a_path(method):
    found = path(run(BCE, method))
    assert len(found.cosine) == len(found.offset) == 31
    assert found.cases.shape == (30,)
    assert found.gain_w[0] == found.gain_l[0] == 0


def test_calibration_keeps_to_the_centre_and_averages_lag():
    centred, lagging = (
        path(run(BCE, name)) for name in ("reward calibration", "reward calibration, averaged")
    )
    np.testing.assert_allclose(centred.offset, 0, atol=1e-12)
    assert lagging.offset[0] == pytest.approx(0, abs=1e-12)
    assert np.abs(lagging.offset).max() > 0.01


def test_an_early_stage_leads_some_objectives_into_the_wedge():
    found = path(run(BCE))
    assert not found.inside[0]
    assert found.inside[5:].all()
    assert not path(run(DPO)).inside.any()


def test_an_objective_without_push_has_no_place():
    assert np.isnan(path(run(SFT)).offset).all()


def test_a_method_remembers_one_run_only():
    first = run(BCE, "reward calibration, averaged").trajectory
    again = run(BCE, "reward calibration, averaged").trajectory
    np.testing.assert_array_equal(first.logp_w, again.logp_w)
    with pytest.raises(ValueError, match="a method is one of"):
        Alone("magic")


def test_the_parameters_say_which_method():
    assert run(DPO, "ratio clip").parameters["method"] == "ratio clip"
    assert "method" not in run(DPO).parameters


@pytest.mark.parametrize("axis", [NORM_RATIO, STEP_SIZE, HORIZON])
def test_a_map_has_its_axes(axis):
    found = outcome_map(DPO, "none", axis, points=9, steps=3)
    assert found.case.shape == found.wrong.shape == found.margin.shape == (9, 9)
    assert np.all(np.diff(found.other) > 0)
    with pytest.raises(ValueError, match="an axis is"):
        outcome_map(DPO, "none", "level")


def test_under_adam_calibration_in_its_metric_beats_the_exact_and_the_published():
    found = clouds(DPO, AdamSetting(pairs=48, steps=20))
    right = {name: one.right for name, one in found.items()}
    assert right[METRIC] > right[EXACT] > right[PUBLISHED] > 0.3
    assert right["none"] < right[EXACT]


def test_without_momentum_the_metrics_centre_is_hit_when_its_past_is_long():
    found = cloud(DPO, METRIC, AdamSetting(betas=(0.0, 0.999), steps=60, lr=1e-4))
    late = slice(40, None)
    np.testing.assert_allclose(found.offset[late], 0, atol=0.05)
    assert np.mean((found.change_w >= 0)[late]) > 0.99


def test_under_sgd_like_adam_the_cloud_is_the_wedge():
    """To first order a step without memory is right iff its place lies in the wedge."""
    found = cloud(DPO, "none", AdamSetting(betas=(0.0, 0.9), lr=1e-6, steps=3))
    inside = Path(found.cosine.ravel(), found.offset.ravel(), np.zeros(1), np.zeros(1)).inside
    right = ((found.change_w >= 0) & (found.change_l <= 0)).ravel()
    assert np.mean(inside == right) > 0.99


def test_a_way_to_calibrate_has_a_name():
    with pytest.raises(ValueError, match="a way to calibrate is one of"):
        cloud(DPO, "by hand")
    assert {PUBLISHED, EXACT, METRIC} < set(WORDS)
