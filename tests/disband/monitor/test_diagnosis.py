"""A run's log is read from whatever a trainer leaves, and says what happened."""

import json

import numpy as np
import pytest

from disband.monitor.advice import said
from disband.monitor.diagnosis import Cause, diagnose, motion
from disband.monitor.logs import Run, read
from disband.monitor.numbers import NAMES
from disband.theory.band import Case
from disband.theory.outcome import Outcome

STEPS = tuple(range(10, 410, 10))


def run_of(change, *, noise=0.05, **metrics):
    """A run whose chosen reward changes by so much; metrics are numbers, or one for each line."""
    draw = np.random.default_rng(0)
    part = np.linspace(0, 1, len(STEPS))
    columns = {
        "rewards/chosen": part * change + noise * draw.standard_normal(len(STEPS)),
        "rewards/rejected": -2 * part,
    }
    columns |= {f"dynamics/{k}": np.broadcast_to(v, len(STEPS)) for k, v in metrics.items()}
    lines = tuple(
        {name: float(values[i]) for name, values in columns.items()} for i in range(len(STEPS))
    )
    return Run("log", STEPS, lines)


def looked(ideal, both_fall, both_rise=0.0, **metrics):
    """What a monitor logs at every line."""
    reversed_ = 1 - np.add(np.add(ideal, both_fall), both_rise)
    return {
        "ideal": ideal,
        "both_fall": both_fall,
        "both_rise": both_rise,
        "reversed": reversed_,
        "in_band": ideal,
        "cosine": 0.8,
        "norm_ratio": 2.0,
        "incentive_ratio": 1.0,
        "factor": 1.0,
        "factor_wanted": 2**0.5,
        "measured_chosen": -0.01,
        "measured_rejected": -0.02,
        "chosen_fell": 0.7,
        "rejected_rose": 0.1,
        "pairs": 8,
    } | metrics


@pytest.mark.parametrize(
    ("change", "metrics", "cause", "todo"),
    [
        (-1, looked(0.2, 0.8), Cause.OWN, "calibrate="),
        (-1, looked(0.9, 0.1), Cause.STEP, "does not mend"),
        (-1, looked(0.9, 0.1, measured_chosen=0.01, chosen_fell=0.1), Cause.LATER, "does not mend"),
        (-1, {}, Cause.UNKNOWN, "Monitor(every=10)"),
        (1, looked(0.9, 0.1), Cause.NONE, "nothing needs to be changed"),
        (1, looked(0.1, 0.1, 0.8), Cause.NONE, "above the band"),
    ],
    ids=["own", "same step", "later steps", "not watched", "risen", "both rise"],
)
def test_a_fall_has_the_cause_that_the_numbers_say(change, metrics, cause, todo):
    found = diagnose(run_of(change, **metrics))
    assert found.cause is cause
    words = said(found)
    assert any(todo in sentence for sentence in words.todo)
    assert words.headline.startswith("The chosen fell" if change < 0 else "The chosen rose")
    assert bool(words.why) == (change < 0)


def test_incentives_that_have_turned_are_no_matter_of_the_band():
    """Reversed pairs have incentives that are not positive, and no factor mends those."""
    metrics = looked(0.1, 0.1)
    del metrics["in_band"], metrics["incentive_ratio"]
    found = diagnose(run_of(-1, **metrics))
    assert found.cause is Cause.TURNED
    words = said(found)
    assert words.band == ["no pair had two positive incentives, so that none had a band"]
    assert any("No calibration mends" in sentence for sentence in words.todo)
    assert not any("calibrate=" in sentence for sentence in words.todo)


def test_one_factor_that_does_not_do_is_answered_by_one_for_each_pair():
    words = said(diagnose(run_of(-1, **looked(0.2, 0.8, factor=1.3))))
    assert any('calibrate="pairs"' in sentence for sentence in words.todo)
    assert "d_w/d_l 1.00, which calibration multiplied by 1.69" in words.band[0]


def test_pairs_that_do_not_move_are_a_stretch_of_their_own():
    metrics = looked(0.1, 0.1) | {"reversed": 0.0, "still": 0.8}
    found = diagnose(run_of(1, **metrics))
    assert [phase.case for phase in found.phases] == [Outcome.STILL]
    assert said(found).cases[0].startswith("steps 10 to 400: 80% neither moves, 10% chosen up")
    assert any("do not move" in sentence for sentence in said(found).todo)


def test_half_of_a_fall_is_dated():
    found = diagnose(run_of(-1))
    assert found.motions["chosen"].halfway == pytest.approx(200, abs=30)
    assert found.motions["chosen"].change == pytest.approx(-0.9, abs=0.1)


def test_noise_is_no_motion():
    found = diagnose(run_of(-0.05, noise=0.5))
    assert found.motions["chosen"].direction == 0
    assert found.motions["chosen"].halfway is None
    assert "did not move" in said(found).headline


def test_two_lines_are_start_and_end():
    found = motion("x", np.array([1.0, 2.0]), np.array([0.0, -1.0]))
    assert (found.direction, found.halfway) == (-1, 2)
    assert np.isnan(found.error)


def test_stretches_are_told_apart():
    late = np.array(STEPS) > 200
    metrics = looked(np.where(late, 0.1, 0.9), np.where(late, 0.9, 0.1))
    found = diagnose(run_of(-1, **metrics))
    assert [(p.first, p.last, p.case) for p in found.phases] == [
        (10, 200, Case.IDEAL),
        (210, 400, Case.BOTH_FALL),
    ]
    assert "90% both fall" in said(found).cases[1]


@pytest.mark.parametrize(("predicted", "far"), [(-0.011, False), (0.02, True)])
def test_predictions_are_compared_with_what_was_measured(predicted, far):
    metrics = looked(0.2, 0.8, predicted_chosen=predicted, predicted_rejected=-0.02)
    words = said(diagnose(run_of(-1, **metrics)))
    assert ("far from" if far else "close to") in words.happened[-1]
    assert any("too large" in sentence for sentence in words.todo) == far


def test_pairs_that_are_almost_the_same_are_named():
    words = said(diagnose(run_of(-1, **looked(0.2, 0.8, cosine=0.99))))
    assert any("near duplicates" in sentence for sentence in words.todo)


def test_a_log_without_either_side_says_so():
    found = diagnose(Run("log", (1,), ({"loss": 1.0},)))
    assert said(found).headline.startswith("The log has neither")
    assert found.cause is Cause.NONE


HISTORY = [
    {"loss": 0.7, "rewards/chosen": 0.1, "step": 1, "epoch": 0.1},
    {"eval_loss": 0.6, "eval_rewards/chosen": 9, "step": 1},
    {"loss": "0.5", "rewards/chosen": float("nan"), "dynamics/cosine": "0.25", "step": 2},
    {"train_runtime": 3.0, "train_loss": 0.6, "step": 2},
]


def written(folder, name, history):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("jsonl"):
        path.write_text("\n".join(map(json.dumps, history)) + "\n")
    else:
        path.write_text(json.dumps({"log_history": history, "global_step": 2}))
    return path


@pytest.mark.parametrize(
    "name", ["trainer_state.json", "checkpoint-2/trainer_state.json", "metrics.jsonl"]
)
@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_a_log_is_read_from_all_that_trainers_leave(name, whole, tmp_path):
    path = written(tmp_path, name, HISTORY)
    run = read(tmp_path if whole else path)
    assert run.steps == (1, 2)
    assert run.source == path
    assert run.column("loss")[1].tolist() == [0.7, 0.5]
    assert run.column("dynamics/cosine")[0].tolist() == [2]
    assert run.column("rewards/chosen")[1].tolist() == [0.1]
    assert not len(run.column("eval_loss")[0])


def test_the_latest_checkpoint_counts(tmp_path):
    written(tmp_path, "checkpoint-9/trainer_state.json", [{"loss": 1.0, "step": 9}])
    written(tmp_path, "checkpoint-10/trainer_state.json", [{"loss": 1.0, "step": 10}])
    assert read(tmp_path).source.parent.name == "checkpoint-10"


def test_a_file_that_was_cut_off_in_writing_hides_no_other(tmp_path):
    written(tmp_path, "checkpoint-9/trainer_state.json", [{"loss": 1.0, "step": 9}])
    later = tmp_path / "checkpoint-10" / "trainer_state.json"
    later.parent.mkdir()
    later.write_text('{"log_history": [{"lo')
    assert read(tmp_path).source.parent.name == "checkpoint-9"
    lines = tmp_path / "metrics.jsonl"
    lines.write_text('{"loss": 1.0, "step": 1}\n{"loss": 0.9, "st')
    assert read(lines).steps == (1,)


def test_a_run_that_broke_off_says_where_and_of_what(tmp_path):
    history = [
        {"loss": 0.7, "rewards/chosen": 0.0, "rewards/rejected": 0.0, "step": 1},
        {"loss": 0.6, "rewards/chosen": 0.1, "rewards/rejected": 0.0, "step": 2},
        {"loss": float("nan"), "rewards/chosen": float("inf"), "eval_loss": float("nan"),
         "grad_norm": "NaN", "step": 3},
    ]  # fmt: skip
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history, "global_step": 3, "max_steps": 10}))
    run = read(tmp_path)
    assert run.broken == {"loss": 3, "rewards/chosen": 3, "grad_norm": 3}
    words = said(diagnose(run))
    assert words.happened[0].startswith("the log ends at step 2 of 10: ")
    assert "loss (step 3), rewards/chosen (step 3)" in words.happened[1]
    assert any("lower the learning rate" in sentence for sentence in words.todo)
    assert not any("nothing needs to be changed" in sentence for sentence in words.todo)


def test_loggers_names_are_the_trainers(tmp_path):
    rows = [{"train/loss": 0.5, "train/global_step": 3, "global_step": 3, "eval/loss": 1}]
    run = read(written(tmp_path, "trackio.jsonl", rows))
    assert run.lines == ({"loss": 0.5},)


@pytest.mark.parametrize(
    ("name", "text", "said_"),
    [
        ("trainer_state.json", "{", "is not"),
        ("trainer_state.json", "[1, 2]", "is not"),
        ("trainer_state.json", '{"log_history": []}', "has none"),
        ("x.jsonl", "no\n", "is not"),
        ("other.txt", "", "has neither; "),
        ("runs/events.out.tfevents.1", "", "has neither .TensorBoard's files are not read"),
    ],
)
def test_what_is_no_log_is_refused(name, text, said_, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said_):
        read(tmp_path)


def test_every_metric_of_a_monitor_is_read():
    metrics = looked(0.2, 0.8, predicted_chosen=0.0, predicted_rejected=0.0)
    metrics |= {"incentive_chosen": 0.05, "incentive_rejected": 0.05}
    metrics |= {"still": 0.0, "uncalibrated": 1.0}
    assert set(diagnose(run_of(-1, **metrics)).means) == set(NAMES)
