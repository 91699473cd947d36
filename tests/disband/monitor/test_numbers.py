"""What a monitor logs of its pairs, and how it is set."""

from dataclasses import fields

import numpy as np
import pytest

pytest.importorskip("trl")

from transformers import HfArgumentParser

from disband import Monitor, MonitorConfig
from disband.monitor.numbers import Looked, metrics, sums
from disband.sims.methods.averages import Averages, log_sums
from disband.theory.gram import Gram
from tests.trl.harness import (
    CONFIGS,
    DPOTrainer,
)


def looked_at(d_w, d_l, gram, **more):
    """What a look found of these pairs, without calibration unless more is said."""
    count = len(d_w)
    return Looked(
        **{
            "d_w": np.asarray(d_w, float),
            "d_l": np.asarray(d_l, float),
            "gram": gram,
            "factor": np.ones(count),
            "identical": np.zeros(count, bool),
            "predicted": None,
            "measured": np.ones((2, count)),
        }
        | more
    )


def test_cases_and_band_are_those_that_the_step_applies():
    pairs = Gram.of_angle(np.array([0.9, 0.9, 0.2, -0.5]), np.array([3.0, 1.0, 1.0, 2.0]))
    changes = np.array([[-1.0, 1, 1, 1], [-2.0, -1, 1, -1]])
    looked = looked_at(np.ones(4), np.ones(4), pairs, measured=changes)
    found = metrics(sums(looked))
    assert found["dynamics/in_band"] == found["dynamics/ideal"] == 0.75
    assert found["dynamics/both_fall"] == 0.25
    assert found["dynamics/chosen_fell"] == found["dynamics/rejected_rose"] == 0.25
    assert found["dynamics/measured_rejected"] == -0.75
    assert found["dynamics/norm_ratio"] == pytest.approx(6**0.25)
    assert "dynamics/predicted_chosen" not in found
    delta = found["dynamics/factor_wanted"]
    assert delta == pytest.approx(log_sums(looked.d_w, looked.d_l, pairs).factor)
    mended = metrics(sums(Looked(**{**looked.__dict__, "factor": np.full(4, 3.0**0.5)})))
    assert mended["dynamics/factor_wanted"] == pytest.approx(delta)
    assert mended["dynamics/both_fall"] == 0
    assert mended["dynamics/both_rise"] == 0.25
    assert mended["dynamics/incentive_chosen"] == 1


def test_what_is_not_finite_counts_nowhere():
    looked = looked_at(
        [1.0, np.inf],
        [1.0, 1.0],
        Gram(*np.array([[1.0, 1], [1, 1], [0.5, 0.5]])),
        predicted=np.array([[1.0, np.nan], [0.5, 0.5]]),
        measured=np.array([[-1.0, np.nan], [1.0, np.nan]]),
    )
    found = metrics(sums(looked))
    assert found["dynamics/incentive_chosen"] == found["dynamics/ideal"] == 1
    assert found["dynamics/predicted_chosen"] == 1
    assert found["dynamics/pairs"] == 2
    # of the one pair whose change is known
    assert found["dynamics/chosen_fell"] == found["dynamics/rejected_rose"] == 1
    assert all(np.isfinite(v) for v in found.values())


def test_the_ratio_of_incentives_is_the_objectives_and_not_what_calibration_made_of_it():
    pairs = Gram.of_angle(np.array([0.9, 0.9]), np.array([4.0, 4.0]))
    found = metrics(sums(looked_at([1, 1], [2, 2], pairs, factor=np.array([8.0, 2.0]) ** 0.5)))
    assert found["dynamics/incentive_ratio"] == pytest.approx(0.5)
    assert found["dynamics/factor"] == pytest.approx(2)
    # as applied, 4 and 1: the first is on the centre, the second is below its band
    assert found["dynamics/in_band"] == found["dynamics/ideal"] == 0.5


def test_pairs_that_do_not_move_are_in_no_case():
    """Identical responses under even incentives, and incentives of zero, are not ideal."""
    pairs = Gram(*np.array([[1.0, 1, 1], [1 + 1e-8, 1, 1], [1, 1, 0.2]]))
    same = np.array([True, True, False])
    found = metrics(sums(looked_at([0.1, 1.1, 0], [0.1, 0.1, 0], pairs, identical=same)))
    assert found["dynamics/still"] == pytest.approx(2 / 3)
    assert found["dynamics/both_rise"] == pytest.approx(1 / 3)
    assert found["dynamics/ideal"] == 0


def test_a_score_of_zero_has_no_ratio():
    found = metrics(sums(looked_at([1, 1], [1, 1], Gram(*np.array([[0.0, 1], [1, 4], [0, 1]])))))
    assert found["dynamics/norm_ratio"] == pytest.approx(2)
    assert found["dynamics/factor_wanted"] == pytest.approx(2**0.5)


def test_what_had_no_factor_is_a_share_of_all_pairs_that_passed():
    looked = looked_at([1], [1], Gram.of_angle([0.5], [1.0]))
    added = sums(looked, (6, 3)) + sums(looked, (2, 1))
    assert metrics(added)["dynamics/uncalibrated"] == 0.5
    assert "dynamics/uncalibrated" not in metrics(sums(looked))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"every": 0}, "every=0"),
        ({"sample": 0}, "sample=0"),
        ({"calibrate": "yes"}, "got 'yes'"),
        ({"metric": "sgd"}, "got 'sgd'"),
        ({"averaging": 1.0}, "below 1: got 1.0"),
        ({"metric": "adam", "predict": False}, "set predict to True"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Monitor(**settings)


def test_settings_come_from_one_place():
    with pytest.raises(TypeError, match="put every into the config"):
        Monitor(MonitorConfig(), every=3)
    assert Monitor(MonitorConfig(every=3)).config == Monitor(every=3).config
    assert Monitor().averages == Averages()


@pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")
def test_settings_are_flags_beside_the_trainers(tmp_path):
    parser = HfArgumentParser((CONFIGS[DPOTrainer], MonitorConfig))
    words = ["--output_dir", str(tmp_path), "--every", "5", "--calibrate", "average"]
    _, config = parser.parse_args_into_dataclasses([*words, "--use_cpu", "--bf16", "false"])
    assert (config.every, config.calibrate) == (5, "average")
    names = {field.name for field in fields(MonitorConfig)}
    assert not names & {field.name for field in fields(CONFIGS[DPOTrainer])}
