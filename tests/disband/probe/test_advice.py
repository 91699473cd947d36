"""The probe's advice: each rule applies to what it is about, and to nothing else."""

from dataclasses import asdict

import pytest

from disband.probe.advice import advise
from disband.probe.rules import interval
from disband.probe.shares import share
from disband.probe.survey import Counts
from disband.verify.pages.tables import percent

N = 100
OUTCOMES = ("ideal", "both_fall", "both_rise", "reversed", "still", "unknown")


def shares(total=N, **counts):
    return {name: share(counts.get(name, 0), total) for name in OUTCOMES}


def middle(low, median, high):
    return {"p10": low, "median": median, "p90": high}


def objective(name, one=N, **outcomes):
    """Of so many pairs in each case; ``one`` of them are ideal with one factor for all."""
    start = {
        "outcomes": shares(**outcomes),
        "calibration": middle(0.9, 1.0, 1.1),
        "one factor": {"factor": 1.0, "ideal": share(one, N)},
    }
    return {"objective": name, "at": [start]}


def batch(alike=90, empty=0, **means):
    return {
        "batches": 10, "size": 4, "means": shares(10, **means), "as alone": share(alike, N),
        "empty band": share(empty, 10), "factor": middle(0.9, 1.0, 1.1),
    }  # fmt: skip


COUNTS = asdict(Counts(rows=N, pairs=N))
TOKENS = {"pairs": N, "identical tokens": 0, "nearly identical": 0, "cut to fit": 0}
GEOMETRY = {
    "cosine": middle(0.1, 0.2, 0.3),
    "norm ratio": middle(1.0, 1.2, 1.4),
    "length ratio": middle(0.9, 1.3, 2.0),
    "norm ratio with length ratio": 0.9,
    "incentive ratio with length ratio": float("nan"),
}


def applying(counts=(), tokens=(), pairs=None, groups=None, geometry=()):
    """Names of the rules that apply where nothing is wrong but what is given."""
    found = advise(
        COUNTS | dict(counts),
        TOKENS | dict(tokens),
        pairs or [objective("DPO", ideal=N)],
        [batch(ideal=10)] if groups is None else groups,
        GEOMETRY | dict(geometry),
    )
    assert [one["applies"] for one in found] == sorted((o["applies"] for o in found), reverse=True)
    return [one["rule"].partition(":")[0] for one in found if one["applies"]]


FEW = {"objective": "DPO", "at": [objective("DPO")["at"][0] | {"outcomes": shares(5, ideal=5)}]}
FALLING = objective("DPO", both_fall=80, ideal=20)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({}, ["Nothing found"]),
        ({"groups": [None]}, ["Nothing found"]),
        ({"counts": {"malformed": 1}}, ["Rows without a pair"]),
        ({"counts": {"identical": 1}}, ["Identical responses"]),
        ({"tokens": {"identical tokens": 1}}, ["Identical responses"]),
        ({"counts": {"contradictory": 1}}, ["Contradictions"]),
        ({"counts": {"repeated": 10}}, ["Nothing found"]),
        ({"counts": {"repeated": 11}}, ["Repeated pairs"]),
        ({"tokens": {"nearly identical": 11}}, ["Nearly identical responses"]),
        ({"tokens": {"cut to fit": 11}}, ["Cut texts"]),
        ({"pairs": [FALLING], "geometry": {"norm ratio with length ratio": 0.1}}, ["Both fall"]),
        ({"pairs": [FALLING]}, ["Both fall", "Lengths"]),
        (
            {"pairs": [FALLING], "geometry": {"norm ratio with length ratio": float("nan")}},
            ["Both fall"],
        ),
        # Of an objective that normalises, and of rejected responses that are shorter.
        (
            {"pairs": [FALLING], "geometry": {"incentive ratio with length ratio": 1.0}},
            ["Both fall"],
        ),
        ({"pairs": [FALLING], "geometry": {"length ratio": middle(0.5, 0.7, 1)}}, ["Both fall"]),
        # A sample that small proves no majority, and yet some fall.
        ({"pairs": [objective("DPO", both_fall=55, ideal=45)]}, ["Some fall", "Lengths"]),
        ({"pairs": [objective("DPO", both_fall=12, ideal=88)]}, ["Nothing found"]),
        ({"pairs": [objective("DPO", reversed=30, ideal=70)]}, ["Reversed"]),
        ({"pairs": [objective("DPO", unknown=1, ideal=99)]}, ["Not a number"]),
        ({"pairs": [objective("DPO", both_rise=80, ideal=20)]}, ["Both rise"]),
        ({"pairs": [FEW]}, ["Small sample"]),
        ({"groups": [batch(both_fall=6, ideal=4)]}, ["Batches fall"]),
        ({"groups": [batch(reversed=6, ideal=4)]}, ["Batches fall"]),
        ({"groups": [batch(both_fall=5, ideal=5)]}, ["Nothing found"]),
        ({"groups": [batch(alike=50, ideal=10)]}, ["Other pairs decide"]),
        ({"groups": [batch(empty=2, ideal=10)]}, ["Empty batch bands"]),
    ],
    ids=str,
)
def test_a_rule_applies_to_what_it_is_about(given, rules):
    assert applying(**given) == rules


@pytest.mark.parametrize(
    ("ideal", "one", "rules"),
    [
        (50, 50, ["Uneven pairs"]),
        # One factor does for nearly all, and so do the incentives as they are.
        (50, 95, ["Nothing found"]),
        (95, 50, ["Nothing found"]),
    ],
)
def test_uneven_pairs_want_factors_of_their_own(ideal, one, rules):
    rises = {"both_rise": N - ideal}
    assert applying(pairs=[objective("DPO", one, ideal=ideal, **rises)]) == rules


def test_an_objective_is_named_only_where_surely_more_pairs_are_ideal():
    few, same, most = (
        objective("DPO", ideal=40),
        objective("IPO", ideal=45),
        objective("SimPO", ideal=90),
    )
    assert applying(pairs=[few, same]) == ["Nothing found"]
    assert applying(pairs=[few, most, same]) == ["Another objective"]
    advice = advise(COUNTS, TOKENS, [few, same, most], [None], GEOMETRY)[0]
    assert advice["advice"] == "Consider SimPO."
    assert "IPO" not in advice["measured"]


def test_where_no_factor_calibrates_the_advice_says_so():
    falling = objective("DPO", both_fall=80)
    falling["at"][0] |= {"calibration": None, "one factor": None}
    first = advise(COUNTS, TOKENS, [falling], [None], GEOMETRY | {"cosine": None})[0]
    assert "no factor calibrates" in first["advice"]
    assert "no scores" in first["measured"]


def test_shares_are_told_with_their_counts_and_intervals():
    assert interval(share(1, 4)) == "25 % (1 of 4; 95 %: 5 % to 70 %)"
    assert percent(None) == percent(float("nan")) == "–"
