"""Losses of one's own on the command line, and what is derived from them."""

import json
from random import Random

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from disband.cli import main
from disband.terminal.derive import derivation
from disband.theory.own_loss.autograd import NO_FORMULA
from disband.theory.own_loss.declare import hyperparameters_of, objective_of, typed_objective
from disband.theory.own_loss.expression import EXTREMES, FUNCTIONS
from disband.theory.own_loss.names import PAIR
from tests.theory.own_loss.test_formula_fuzz import random_tree

DATA = (*np.full((4, 3), [-2.0, -7.5, -30.0]), np.array([3, 9, 1]), np.array([4, 2, 8]))
TYPED = "-logsigmoid(beta*(w-ref_w-l+ref_l)) - lam*w/len_w"


def disband(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(*words):
    result = disband(*words)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert not result.stdout
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    return result.stderr


def test_derive_prints_a_typed_loss_on_eighty_columns():
    result = disband("derive", "--loss", TYPED, "--set", "beta=0.1", "--set", "lam=1")
    assert result.exit_code == 0
    assert "own  (typed)" in result.stdout
    assert "with        β = 0.1, λ = 1" in result.stdout
    assert "> 0 always" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_derive_shows_which_defaults_are_replaced():
    assert "defaults    β = 2, γ = 0.5" in disband("derive", "simpo").stdout
    assert "with        β = 2.5, γ = 0.5" in disband("derive", "simpo", "--set", "beta=2.5").stdout


def test_band_and_simulate_take_a_typed_loss(tmp_path):
    typed = ["--loss", "-logsigmoid(beta*(w - ref_w - l + ref_l))", "--set", "beta=0.1"]
    pair = ["--cos", 0.9, "--norm-ratio", 1.3]
    said = disband("band", *typed, *pair).stdout
    assert said.replace("own", "DPO", 1) == disband("band", "dpo", *pair).stdout
    toy = ["--toy", "edit-one", "--set", "suffix=3", "--steps", 5, "--out", tmp_path]
    own, dpo = disband("simulate", *typed, *toy), disband("simulate", "dpo", *toy)
    assert own.exit_code == dpo.exit_code == 0
    curves = [(tmp_path / f"edit-one-shared-{name}.csv").read_text() for name in ("own", "dpo")]
    assert curves[0] == curves[1]


def test_derive_says_where_a_loss_is_undefined():
    said = disband("derive", "--loss", "log(w - l) + 1/(w - ref_w)").stdout
    assert "undefined   no value where log π_w − log π_l ≤ 0" in said
    assert "log π_w − log π_ref,w = 0" in " ".join(said.split())
    assert "undefined" not in disband("derive", "--loss", "w*log(1 + exp(l))/len_w").stdout


def test_a_loss_of_score_gaps_is_derived_in_both_forms():
    words = ["derive", "--loss", "-stop(exp(w))*logsigmoid(w - l - gap)"]
    assert "gap is the score gap of each pair" in disband(*words).stdout
    assert "gap" in json.loads(disband(*words, "--json").stdout)["d_w"]


def test_what_is_beyond_the_solvers_is_said_not_raised(monkeypatch):
    def give_up(_):
        raise RecursionError

    monkeypatch.setattr("disband.terminal.derive.facts", give_up)
    said = disband("derive", "--loss", "w - l").stdout
    assert "further     not solved for this loss" in said
    assert "d_w         -1" in said
    assert isinstance(disband("derive", "dpo").exception, RecursionError)  # that is a fault


def test_what_is_too_long_to_solve_is_said():
    said = disband("derive", "--loss", "max(w,l,-3) - min(w,ref_w)").stdout
    assert "too long to solve" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["derive"], "give either OBJECTIVE or --loss: got neither; see disband derive --help"),
        (["derive", "dpo", "--loss", "w"], "give either OBJECTIVE or --loss: got both"),
        (["derive", "--loss", ""], "a formula says something"),
        (["derive", "--loss", "w +\nx[0]"], "got '[' at column 6 of 'w + x▸[0]'"),
        (["derive", "--loss", "beta*w"], "set beta=NUMBER"),
        (["derive", "--loss", "w", "--set", "beta=1"], "(none): got beta"),
        (["derive", "--loss", "beta*w", "--set", "beta=-1"], "beta of own is positive: got -1"),
        (["derive", "dpo", "--set", "gamma=1"], "hyperparameters beta: got gamma"),
        (["derive", "dpo", "--set", "beta=x"], "NAME=NUMBER"),
        (["derive", "--loss", "λ*w"], "got 'λ' at column 1"),
        (["derive", "--loss", "__import__('os').system('ls')"], 'got "\'" at column 12'),
        (["band", "--cos", "0.5", "--norm-ratio", "1"], "got neither; see disband band --help"),
        (["band", "--loss", "log(w-l)", "--cos", "0.5", "--norm-ratio", "1"], "are finite: got"),
        (["band", "--loss", "w", "--cos", "2", "--norm-ratio", "1"], "in [-1, 1]: got 2"),
        (["simulate", "--toy", "edit-one"], "got neither"),
        (["simulate", "--loss", "c*w", "--toy", "edit-one"], "set c=NUMBER"),
        (["simulate", "--loss", "w", "--toy", "edit-one", "--set", "c=1"], "got c; set one of"),
        (["simulate", "--loss", "w(", "--toy", "edit-one"], "at column 2"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_wrong_input_is_refused_in_one_line(words, said, tmp_path):
    out = ["--out", tmp_path] if words[0] == "simulate" else []
    assert said in refused(*words, *out)


def test_the_help_documents_the_whole_grammar():
    text = disband("derive", "--help").stdout
    for name in (*PAIR, *FUNCTIONS, *EXTREMES, "gap", "stop(x)", "**", "--set NAME=NUMBER"):
        assert name in text, name


def coded(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam):  # noqa: ARG001, E741
    return -torch.nn.functional.logsigmoid(beta * (w - ref_w - l + ref_l)) - lam * w / len_w


def test_the_derivation_of_a_torch_function_says_that_it_has_no_formulas():
    text = derivation(objective_of(coded, beta=0.1, lam=1.0))
    assert text.count(NO_FORMULA) == 4
    assert "the function coded" in text
    assert "β = 0.1, λ = 1" in text
    assert "\n0           0.1         0.05        2\n" in text
    assert max(map(len, text.splitlines())) <= 80


def derive_many(seed, count):
    """Derive random losses; return how many were accepted."""
    random, accepted = Random(seed), 0
    for _ in range(count):
        text = random_tree(random, random.randint(2, 14))
        try:
            own = typed_objective(text, dict.fromkeys(hyperparameters_of(text), 0.7))
        except ValueError:
            continue
        accepted += 1
        assert derivation(own)
        with np.errstate(all="ignore"):
            for what in ("loss", "d_w", "d_l"):
                assert np.shape(own.kernel(what)(*DATA)) == (3,)
    return accepted


def test_what_is_accepted_is_derived_and_evaluated():
    assert derive_many(seed=0, count=30) >= 5


@pytest.mark.slow
def test_what_is_accepted_is_derived_and_evaluated_for_many():
    assert derive_many(seed=1, count=150) >= 25
