"""A run's log is read from whatever a trainer leaves, and says what happened."""

import dataclasses
import json

import numpy as np
import pytest

from disband.monitor.advice import said
from disband.monitor.diagnosis import Cause, State, diagnose
from disband.monitor.logs import Run, read
from disband.monitor.motion import ENOUGH, label_smoothing, motion
from disband.monitor.numbers import NAMES
from disband.theory.band import Case
from disband.theory.outcome import Outcome
from tests.disband.monitor.histories import STEPS, looked, run_of


@pytest.mark.parametrize(
    ("change", "metrics", "cause", "todo"),
    [
        (-1, looked(0.2, 0.8), Cause.OWN, "calibrate="),
        (-1, looked(0.9, 0.1), Cause.STEP, "does not mend"),
        (-1, looked(0.9, 0.1, measured_chosen=0.01, chosen_fell=0.1), Cause.LATER, "does not mend"),
        (-1, {}, Cause.UNKNOWN, "Let disband probe say why"),
        (1, looked(0.9, 0.1), Cause.NONE, "Nothing needs mending"),
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
    assert np.isnan(found.noise)


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
    assert words.headline.startswith("The numbers stopped being finite")
    assert words.todo[0].startswith("Lower the learning rate")
    assert not any("Nothing needs mending" in sentence for sentence in words.todo)


@pytest.mark.parametrize(("at", "state"), [(3, State.GAPS), (12, State.BROKE)])
def test_numbers_that_are_finite_again_were_not_broken_by_the_weights(at, state):
    run = sides(RISE)
    lines = tuple(
        {k: v for k, v in line.items() if step != at or k != "rewards/chosen"}
        for step, line in zip(run.steps, run.lines, strict=True)
    )
    broken = {"rewards/chosen": at, "loss": at}
    words = said(found := diagnose(dataclasses.replace(run, lines=lines, broken=broken)))
    assert found.state is state
    assert ("unpaired data" in words.todo[0]) == (state is State.GAPS)
    assert ("the chosen rose" in words.headline) == (state is State.GAPS)


def test_every_metric_of_a_monitor_is_read():
    metrics = looked(0.2, 0.8, predicted_chosen=0.0, predicted_rejected=0.0)
    metrics |= {"incentive_chosen": 0.05, "incentive_rejected": 0.05}
    metrics |= {"still": 0.0, "uncalibrated": 1.0}
    assert set(diagnose(run_of(-1, **metrics)).means) == set(NAMES)


def sides(chosen, rejected=None, **metrics):
    """A run with these rewards, one number a line."""
    columns = {"rewards/chosen": chosen, "rewards/rejected": rejected or [-v for v in chosen]}
    columns |= metrics
    lines = tuple({name: float(v[i]) for name, v in columns.items()} for i in range(len(chosen)))
    return Run("log", tuple(range(1, len(chosen) + 1)), lines)


NOTHING = [0.0] * 12
RISE = [0.1 * i for i in range(12)]


@pytest.mark.parametrize(
    ("run", "state", "todo"),
    [
        (sides(NOTHING), State.MOTIONLESS, "something is trained"),
        (
            sides(NOTHING, **{"logps/chosen": NOTHING, "logps/rejected": NOTHING}),
            State.UNTRAINED,
            "cuts the response away",
        ),
        (sides(RISE[:1]), State.SHORT, "Log more often"),
        (sides(RISE[: ENOUGH - 1]), State.SHORT, "Log more often"),
        (sides(RISE[:4], **{"rewards/margins": [0, 27, 120, 142]}), State.EXPLODED, "stop earlier"),
        (sides(RISE), State.TOLD, "Nothing needs mending"),
    ],
    ids=lambda v: v.name if isinstance(v, State) else "",
)
def test_no_verdict_on_what_carries_none(run, state, todo):
    found = diagnose(run)
    assert found.state is state
    words = said(found)
    assert len(words.todo) <= 3
    assert todo in words.todo[0]
    assert any("Nothing needs mending" in line for line in words.todo) == (state is State.TOLD)


def test_one_motionless_side_alone_is_not_a_run_in_which_nothing_moved():
    assert diagnose(sides(NOTHING, RISE)).state is State.TOLD


def test_a_run_that_was_broken_from_its_first_line_is_not_a_matter_of_the_rate():
    broken = dict.fromkeys(("rewards/chosen", "loss"), 2)
    run = Run("log", (2, 4), ({"epoch": 1.0, "lr": 1.0},) * 2, 500, broken, frozenset(broken))
    words = said(diagnose(run))
    assert words.headline.startswith("The numbers were not finite from the first line")
    assert "not at the learning rate" in words.todo[0]


@pytest.mark.parametrize(("end", "state"), [(-4.5, State.HELD_OUT), (4.5, State.TOLD)])
def test_a_chosen_that_falls_on_held_out_pairs_alone_is_the_verdict(end, state):
    held_out = sides([0.0, end / 2, end])
    found = diagnose(dataclasses.replace(sides(RISE), held_out=held_out))
    assert found.state is state
    words = said(found)
    assert any(line.startswith("held-out chosen: 0 to") for line in words.happened)
    assert ("on held-out pairs" in words.headline) == (end < 0)


def test_a_turning_point_says_where_it_was_and_what_was_regained():
    chosen = [0.0, -0.01, -0.2, -0.36, -0.3, -0.25, -0.22, -0.2, -0.19, -0.18, -0.18, -0.18]
    turn = motion("x", np.arange(1.0, 13.0), np.array(chosen)).turn
    assert (turn.value, turn.step) == (-0.36, 4)
    assert turn.back == pytest.approx(0.18 / 0.355, abs=0.01)
    assert motion("x", np.arange(1.0, 13.0), np.array(RISE)).turn is None


@pytest.mark.parametrize(("sign", "end", "told"), [
    (1, -0.18, "lowest -0.36 at step 4, 51% of that fall regained since"),
    (-1, -0.18, "highest 0.36 at step 4, 51% of that rise lost since"),
    (1, 0.2, "all of that fall regained since"), (-1, 0.2, "all of that rise lost since"),
])  # fmt: skip
def test_what_was_undone_is_told_in_words(sign, end, told):
    chosen = [0.0, -0.01, -0.2, -0.36, -0.3, -0.25, -0.22, -0.2, *[end] * 4]
    lines = said(diagnose(sides([sign * value for value in chosen]))).happened
    assert any(told in line for line in lines), lines


def test_a_trend_is_no_noise_and_noise_is():
    """White noise of a known size is estimated as that, with a trend or without."""
    draw = np.random.default_rng(3)
    for slope in (0.0, 5.0):
        values = slope * np.linspace(0, 1, 4000) + 0.3 * draw.standard_normal(4000)
        noise = motion("x", np.arange(4000.0), values).noise
        assert noise == pytest.approx(1.96 * 0.3 * np.sqrt(2 / 400), rel=0.05)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_the_floor_of_label_smoothing_is_recognised(share):
    margin = np.log((1 - share) / share)
    floor = -share * np.log(share) - (1 - share) * np.log(1 - share)
    loss = np.concatenate([np.linspace(0.69, floor, 20), np.full(20, floor)])
    right = np.full(40, 1.0)
    assert label_smoothing(loss, np.full(40, margin), right) == pytest.approx(share, rel=1e-6)
    assert np.isnan(label_smoothing(loss, np.full(40, 2 * margin), right))
    uneven = loss * np.resize([0.9, 1.1], 40)
    assert np.isnan(label_smoothing(uneven, np.full(40, margin), right))
    assert np.isnan(label_smoothing(loss, np.full(40, margin), np.full(40, 0.6)))
    assert np.isnan(label_smoothing(np.linspace(0.69, floor, 40), np.full(40, margin), right))


@pytest.mark.parametrize(("first", "told"), [(0.0, False), (-0.4, True)])
def test_a_first_reward_that_is_not_zero_tells_of_another_reference(first, told):
    run = sides([first, *RISE])
    assert any("reference" in line for line in said(diagnose(run)).happened) == told
    late = dataclasses.replace(run, steps=tuple(s + 9 for s in run.steps))
    assert not any("reference" in line for line in said(diagnose(late)).happened)


def test_a_first_line_far_from_all_others_tells_of_the_reference_or_of_haste():
    far = dataclasses.replace(sides([8.7, *(9 + v for v in RISE)]), steps=tuple(range(10, 140, 10)))
    assert any("+8.7, not 0, at step 10 already" in line for line in said(diagnose(far)).happened)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_rewards_that_are_log_probabilities_have_no_reference(factor):
    logps = [-10.0 - v for v in RISE]
    rejected = [2 * z for z in logps]
    run = sides(
        [0.1 * z for z in logps], [0.1 * factor * z for z in rejected],
        **{"logps/chosen": logps, "logps/rejected": rejected},
    )  # fmt: skip
    happened = said(diagnose(run)).happened
    assert any("0.1 times the log-prob" in line for line in happened) == (factor == 1)
    assert any("first reward" in line for line in happened) == (factor != 1)


def test_one_line_far_off_is_no_turning_point():
    draw = np.random.default_rng(2)
    values = np.linspace(0, 2, 200) + 0.2 * draw.standard_normal(200)
    steps = np.arange(200.0)
    assert motion("x", steps, np.where(steps == 120, 15.0, values)).turn is None
    turn = motion("x", steps, np.where(steps > 120, 2.4 - values, values)).turn
    assert turn.value == pytest.approx(1.1, abs=0.15)


def test_of_many_things_to_do_three_are_said_and_the_cause_comes_first():
    metrics = looked(0.1, 0.6, 0.3, cosine=0.99, predicted_chosen=1.0, predicted_rejected=1.0)
    words = said(diagnose(run_of(-1, **metrics)))
    assert len(words.todo) == 3
    assert "Raise the ratio of incentives" in words.todo[0]
