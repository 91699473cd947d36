import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.job.drawn import Drawn, keep, kept
from disband.job.motion import MAIN, motion
from disband.sims.methods.treatments import FOR_ONE_PAIR, TREATMENTS
from disband.sims.surveys.survey import Survey, feasibility, survey
from disband.theory.objectives import BCE, DPO, OBJECTIVES


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)))


def test_every_method_has_a_line_and_calibration_helps_a_pair():
    result = run("outcomes", "dpo", "--problems", 300, "--steps", 3)
    assert result.exit_code == 0, result.output
    shares = {
        name: float(found[1])
        for name in FOR_ONE_PAIR
        if (found := re.search(rf"^{re.escape(name)} +([\d.]+)%", result.output, re.MULTILINE))
    }
    assert set(shares) == set(FOR_ONE_PAIR) - {"ratio clip"}
    assert re.search(r"^ratio clip +never acts", result.output, re.MULTILINE)
    assert shares["none"] < 90 < shares["reward calibration"] == 100


def test_a_batch_says_where_no_step_can_help():
    result = run("outcomes", "dpo", "--pairs", 6, "--dimensions", 3, "--problems", 40)
    assert result.exit_code == 0, result.output
    assert "batch band empty" in result.output
    assert all(name in result.output for name in TREATMENTS)
    tight, roomy = (
        feasibility(DPO, Survey(problems=40, pairs=6, dimensions=d))["no step suits every pair"]
        for d in (3, 64)
    )
    assert tight > 0.9
    assert roomy == 0


def test_the_same_seed_asks_the_same_problems():
    ask = Survey(problems=50, steps=2)
    assert survey(DPO, ["none"], ask) == survey(DPO, ["none"], ask)
    other = Survey(problems=50, steps=2, seed=1)
    assert survey(DPO, ["none"], ask) != survey(DPO, ["none"], other)


def test_a_loss_of_ones_own_is_surveyed():
    result = run(
        "outcomes", "--loss", "-logsigmoid(beta*(w-l))", "--set", "beta=0.1", "--problems", 50,
        "--steps", 2, "--method", "none",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "none" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("outcomes", "dpo", "--method", "magic", "--problems", "9"),
        ("outcomes", "dpo", "--lr", "-1", "--problems", "9"),
        ("simulate", "dpo", "--toy", "single-token", "--method", "magic"),
    ],
)
def test_bad_requests_end_in_one_line(words, tmp_path):
    extra = ("--out", tmp_path) if words[0] == "simulate" else ()
    result = run(*words, *extra)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_survey_has_something_to_ask():
    with pytest.raises(ValueError, match="set each to 1 or more"):
        Survey(problems=0)


def test_a_method_is_simulated_beside_the_plain_run(tmp_path):
    words = ("simulate", "dpo", "--toy", "edit-one", "--set", "suffix=8", "--steps", 5)
    assert run(*words, "--out", tmp_path).exit_code == 0
    result = run(*words, "--method", "reward calibration", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "DPO with reward calibration" in result.output
    assert "the chosen log-probability never fell" in result.output
    stems = {path.stem for path in tmp_path.glob("*.csv")}
    plain, treated = "edit-one-shared-dpo", "edit-one-shared-dpo-reward-calibration"
    # The courses, and beside the picture of the places what is drawn in it.
    assert stems == {plain, treated, f"{plain}-places", f"{treated}-places"}


def test_the_band_in_motion_is_kept_for_drawing_again(tmp_path, monkeypatch):
    monkeypatch.setattr("disband.job.motion.OBJECTIVES", (DPO, BCE))
    monkeypatch.setattr("disband.job.motion.STEPS", 2)
    seen = []
    found = motion(lambda *told: seen.append(told))
    assert seen[-1][0] == seen[-1][1] == len(seen)
    keep(Drawn({}, {}, motion=found), tmp_path)
    again = kept(tmp_path).motion
    assert list(again.paths) == list(found.paths)
    assert list(again.maps) == list(found.maps)
    assert list(again.clouds) == list(found.clouds)
    for key, one in found.maps.items():
        np.testing.assert_array_equal(again.maps[key].case, one.case)
    assert json.dumps([list(key) for key in found.paths])  # names are plain text


def test_the_main_objectives_are_of_the_catalogue():
    assert set(MAIN) < {o.name for o in OBJECTIVES}
