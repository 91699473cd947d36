import re

import numpy as np
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.terminal.pair import Pair, shared_settings
from disband.terminal.pair import compare as compared
from disband.theory.band import Case, case
from disband.theory.gram import Gram
from disband.theory.objectives import OBJECTIVES, find

AT = ("--cos", "0.95", "--norm-ratio", "1.4")


def compare(*words):
    return CliRunner().invoke(main, ["compare", *map(str, words)])


def lines(*words):
    result = compare(*words)
    assert result.exit_code == 0, result.output
    table = result.stdout.splitlines()
    start = next(i for i, line in enumerate(table) if line.startswith("objective"))
    return table[start + 1 : table.index("", start)]


def refused(*words):
    result = compare(*words)
    assert result.exit_code == 2, result.output
    assert not result.stdout
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_objectives_come_in_the_order_given_and_once():
    assert [line.split()[0] for line in lines("simpo", "cpo", "dpo", "sigmoid", *AT)] == [
        "SimPO", "CPO", "DPO",
    ]  # fmt: skip


def test_without_names_the_whole_catalogue_is_compared():
    assert [line.split()[0] for line in lines(*AT)] == [o.name for o in OBJECTIVES]


def test_the_numbers_are_those_of_the_theory():
    (dpo, cpo, sft) = lines("dpo", "cpo", "sft", *AT)
    assert re.split(r"\s{2,}", dpo) == [
        "DPO", "0.05", "0.05", "1", "below", "−0.0165", "−0.0315", "1.183", "both fall",
    ]  # fmt: skip
    assert cpo.split()[3:5] == ["21", "above"]
    assert re.split(r"\s{2,}", sft)[1:5] == ["0.1", "0", "–", "–"]


@pytest.mark.parametrize("cosine", [-1.0, -0.3, 0.0, 0.7, 1.0])
@pytest.mark.parametrize("logp_l", [-1.0, -10.0, -40.0])
def test_words_and_places_agree_with_the_case_of_each_pair(cosine, logp_l):
    pair, gram = Pair(logp_l=logp_l), Gram.of_angle(cosine, 1.3)
    for row in compared(OBJECTIVES, cosine=cosine, norm_ratio=1.3, pair=pair).placements:
        if row.d_w == row.d_l == 0:
            assert row.case == "nothing moves"
            continue
        assert row.case == Case(int(case(row.d_w, row.d_l, gram))).words
        assert (row.place != "") == (row.d_w > 0 and row.d_l > 0)
        if row.place:
            assert (row.place == "inside") == (row.case == Case.IDEAL.words)
            assert (row.change_w < 0) == (row.place == "below")
            assert row.delta**2 * row.d_w / row.d_l == pytest.approx(1.3)
        else:
            assert np.isnan(row.delta)


def test_a_setting_goes_to_those_that_have_it():
    (dpo, slic) = lines("dpo", "slic", "--set", "beta=0.2", "--set", "lam=3", *AT)
    assert dpo.split()[1] == "0.1"
    assert slic.split()[1] == "4"
    assert shared_settings({"beta": 2.0}, [{"beta": 1.0}, {"lam": 1.0}]) == [{"beta": 2.0}, {}]


def test_a_loss_of_ones_own_is_the_last_line():
    words = ("dpo", "--loss", "(w - l - mu)**2", "--set", "mu=3", "--set", "beta=0.2", *AT)
    (dpo, own) = lines(*words)
    assert dpo.split()[1] == "0.1"
    assert own.split()[1:4] == ["6", "6", "1"]
    assert len(lines("--loss", "-w", "simpo", *AT)) == 2


def test_the_pair_can_be_chosen():
    (ipo, _) = lines("ipo", "dpo", "--logp-l", "-30", *AT)
    assert ipo.split()[1] == "−30"


def test_a_rate_within_rounding_is_none():
    exact = Gram.of_angle(1.0, 1 + 2**-51)
    assert case(1.0, 1.0, exact) == Case.BOTH_FALL
    (dpo,) = compared([find("dpo")], cosine=1.0, norm_ratio=1 + 2**-51).placements
    assert (dpo.change_w, dpo.change_l, dpo.place, dpo.case) == (0, 0, "inside", Case.IDEAL.words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dpo", *AT], "at least two objectives: got one"),
        (["dpo", "sigmoid", *AT], "at least two objectives: got one"),
        (["dpo", "simp", *AT], "did you mean SimPO?"),
        (["dpo", "cpo", "--cos", "2", "--norm-ratio", "1"], "in [-1, 1]: got 2"),
        (["dpo", "cpo", "--cos", "0.5", "--norm-ratio", "-1"], "positive and finite: got -1"),
        (["dpo", "cpo", "--cos", "0.5"], "Missing option '--norm-ratio'"),
        (["dpo", "cpo", "--set", "gamma=1", *AT], "at least one of the objectives: got gamma"),
        (["dpo", "cpo", "--set", "beta=-1", *AT], "beta of DPO is positive: got -1"),
        (["dpo", "cpo", "--set", "beta", *AT], "NAME=NUMBER"),
        (["dpo", "cpo", "--logp-w", "0.5", *AT], "negative and finite: got logp_w = 0.5"),
        (["dpo", "--loss", "w -", *AT], "Error: "),
        (["dpo", "lsif", "--ref-w", "-2000", *AT], "incentives are finite"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_wrong_input_is_refused_in_one_line(words, said):
    assert said in refused(*words)


@pytest.mark.parametrize("names", [["dpo", "ipo"], []], ids=["few", "all"])
def test_the_figure_is_saved_where_it_is_asked_for(names, tmp_path):
    result = compare(*names, *AT, "--figure", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "compare.csv", "compare.png", "compare.svg", "compare.txt",
    ]  # fmt: skip
    assert "compare.svg and compare.png" in result.stdout


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    said = refused("dpo", "cpo", *AT, "--figure", "--out", tmp_path / "file" / "out")
    assert "must be writable" in said


def test_a_table_of_few_lines_says_what_its_columns_are():
    text = str(compared([find("dpo")], cosine=-0.5, norm_ratio=1.0))
    assert "every ratio r > 0" in text
    assert "calibration factor" in text
