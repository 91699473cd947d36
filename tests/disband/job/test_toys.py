import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.job.toys import run_toy, table
from disband.sims.pairs.studies import TOYS, Study
from disband.theory.objectives import DPO, SPPO
from disband.theory.symbols import beta
from disband.verify.kept.codec import decode, encode
from tests.sampling import some


@some
@pytest.mark.parametrize("toy", TOYS.values(), ids=lambda t: t.name)
def test_without_a_step_size_every_objective_starts_with_a_step_as_long_as_that_of_dpo(
    toy, objective
):
    run, of_dpo = (run_toy(toy, o, steps=2).trajectory for o in (objective, DPO))
    lengths = [np.maximum(abs(r.d_w[0]), abs(r.d_l[0])) * r.lr for r in (run, of_dpo)]
    assert lengths[0] == pytest.approx(lengths[1])
    assert run_toy(toy, DPO, steps=1).parameters["lr"] == pytest.approx(toy.lr)


def test_settings_go_to_the_toy_and_to_the_objective():
    study = run_toy(
        TOYS["edit-one-shared"], SPPO, steps=3, lr=1e-5, settings={"suffix": 2.0, "beta": 0.01}
    )
    assert study.parameters["suffix"] == 2
    assert study.parameters["beta"] == pytest.approx(0.01)
    assert study.parameters["lr"] == pytest.approx(1e-5)
    assert study.places.count("after") == 4
    assert len(study.trajectory.logp_w) == 4
    assert SPPO.defaults[beta] != study.parameters["beta"]


def test_a_kept_run_comes_back_as_it_was():
    study = run_toy(TOYS["edit-one-independent"], DPO, steps=5)
    again = decode(Study, encode(study))
    assert again.summary() == study.summary()
    assert again.places == study.places
    assert dict(again.parameters) == dict(study.parameters)
    np.testing.assert_array_equal(again.trajectory.tokens_l, study.trajectory.tokens_l)


@pytest.mark.parametrize("steps", [1, 7])
@pytest.mark.parametrize("toy", TOYS.values(), ids=lambda t: t.name)
def test_the_table_sums_what_the_run_went_through(toy, steps):
    study = run_toy(toy, DPO, steps=steps, lr=0.001)
    lines = [line for line in table(toy, study).splitlines() if line.startswith("  ")]
    total = lines[-1].replace("−", "-").split()[-4:]
    change = study.trajectory.logp_w[-1] - study.trajectory.logp_w[0]
    assert float(total[1]) == pytest.approx(change, rel=1e-3)
    assert float(total[0]) == pytest.approx(change, rel=0.05)


@pytest.mark.parametrize(
    ("toy", "words", "pictures"),
    [
        ("single-token", [], 1),
        ("edit-one-shared", ["--policy", "shared"], 2),
        ("edit-one-independent", ["--policy", "independent"], 2),
    ],
)
def test_simulate_prints_a_table_and_saves_pictures_and_every_step(toy, words, pictures, tmp_path):
    name = "edit-one" if words else toy
    command = ["simulate", "SimPO", "--toy", name, *words, "--steps", "4", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "first order" in result.stdout
    assert ("whole response" in result.stdout) == bool(words)
    for kind in ("svg", "png"):
        assert len(list(tmp_path.glob(f"{toy}-simpo*.{kind}"))) == pictures
    with (tmp_path / f"{toy}-simpo.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[-1]["measured_w"] == ""
    assert float(rows[0]["predicted_w"]) == pytest.approx(float(rows[0]["measured_w"]), rel=0.1)


def masked(*words):
    return CliRunner().invoke(main, ["simulate", *map(str, words), "--toy", "edit-one"])


def test_a_masked_run_stands_under_the_plain_one(tmp_path):
    words = ("dpo", "--mask", "0.005", "--out", tmp_path)
    printed = masked(*words).stdout
    assert "from step 3 on, at the price 0.005" in printed
    assert "no token was worth its price" not in printed
    record = json.loads(masked(*words, "--json").stdout)
    spared, plain = record["masked"], record["summary"]
    assert plain["change_w_after"] < spared["change_w_after"] < 0
    whole = sum(value for name, value in spared.items() if name.startswith("change_w"))
    last = [line for line in printed.splitlines() if "whole response" in line][-1]
    assert float(last.replace("−", "-").split()[3]) == pytest.approx(whole, rel=1e-3)
    assert spared["kept_w_at"] == 1
    assert spared["kept_l_after"] == 0


def test_a_price_that_keeps_nothing_is_said_with_one_that_would(tmp_path):
    printed = masked("dpo", "--mask", "0.1", "--out", tmp_path).stdout
    assert "takes a price below 0.00607" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ipo", "--mask", "0.1"), "got IPO"),
        (("dpo", "--mask", "0.1", "--method", "reward calibration"), "with reward calibration"),
        (("dpo", "--mask", "0.1", "--steps", "2"), "ask for 3 or more"),
        (("dpo", "--mask", "-1"), "price at least zero"),
        (("dpo", "--mask", "nan"), "price at least zero"),
    ],
    ids=str,
)
def test_a_masked_run_that_cannot_be_is_refused_in_one_line(words, said, tmp_path):
    result = masked(*words, "--out", tmp_path)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("toy", "said"),
    [
        ("edit-one", "is back at its start after 74.19 steps under the update that is held"),
        ("single-token", "the chosen never turns under the update that is held"),
    ],
)
def test_a_horizon_stands_under_the_run(toy, said, tmp_path):
    words = ["simulate", "dpo", "--toy", toy, "--horizon", "200", "--out", str(tmp_path)]
    printed = CliRunner().invoke(main, words).stdout
    assert said in printed
    assert list(tmp_path.glob("*-horizon.png"))
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["horizon"]
    chosen = found["chosen"]
    assert found["steps"] == 200
    assert chosen["first order"] > 0 > chosen["second order"]
    (row,) = (line for line in printed.splitlines() if line.startswith("  chosen  "))
    shown = [float(cell.replace("−", "-")) for cell in row.split()[1:]]
    ends = [chosen[name] for name in ("first order", "second order", "exact", "the run")]
    assert shown == pytest.approx(ends, rel=1e-3)
    never = toy == "single-token"
    assert (chosen["turns"] is None) == never
    assert (chosen["exact"] > 0) == never


def test_a_balanced_batch_falls_although_its_products_promise_a_rise(tmp_path):
    words = ["simulate", "dpo", "--toy", "balanced-labels", "--horizon", "200"]
    words += ["--set", "suffix=6", "--out", str(tmp_path)]
    printed = CliRunner().invoke(main, words).stdout
    assert "the chosen of the run falls below its start in step 116" in printed
    assert (tmp_path / "balanced-labels-dpo-horizon.png").exists()
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    promised, chosen = found["promised"], found["horizon"]["chosen"]
    assert promised["own"][0] > promised["batch"][0] > 0 == promised["suffix"][0]
    assert chosen["first order"] == pytest.approx(200 * promised["batch"][0])
    assert max(chosen["exact"], chosen["the run"]) < -1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "pairs=5"], "got 5 pairs"),
        (["--set", "lambda=5"], "got lambda"),
        (["--method", "reward calibration"], "leave them out"),
        (["--lr", "-1"], "at least one step of positive finite size"),
    ],
    ids=str,
)
def test_a_batch_that_cannot_be_is_refused_in_one_line(words, said, tmp_path):
    command = ["simulate", "dpo", "--toy", "balanced-labels", *words, "--out", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_first_step_on_a_batch_is_as_strong_as_dpos(tmp_path):
    """Whatever the objective's scale, length normalised or not."""
    for name in ("simpo", "ipo", "dpo"):
        words = ["simulate", name, "--toy", "balanced-labels", "--steps", "2", "--json"]
        found = json.loads(CliRunner().invoke(main, [*words, "--out", str(tmp_path)]).stdout)
        assert found["promised"]["batch"][0] == pytest.approx(0.028125)
