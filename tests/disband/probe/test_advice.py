"""The probe's advice: each rule applies to what it is about, and to nothing else."""

import re
from dataclasses import asdict

import pytest

from disband.probe.advice import advise
from disband.probe.findings import actions, verdict
from disband.probe.records import interval
from disband.probe.shares import share
from disband.probe.survey import Counts

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
        "one_factor": {"factor": 1.0, "ideal": share(one, N)},
    }
    return {"objective": name, "at": [start]}


def batch(alike=90, empty=0, **means):
    return {
        "batches": 10, "size": 4, "means": shares(10, **means), "as_alone": share(alike, N),
        "empty_band": share(empty, 10), "factor": middle(0.9, 1.0, 1.1),
    }  # fmt: skip


COUNTS = asdict(Counts(rows=N, pairs=N))
TOKENS = {"pairs": N} | dict.fromkeys(
    (
        "filled",
        "identical",
        "identical_once_cut",
        "near",
        "cut",
        "started_twice",
        "ended_twice",
        "parts_as_code",
    ),
    0,
)
GEOMETRY = {
    "cosine": middle(0.1, 0.2, 0.3),
    "norm_ratio": middle(1.0, 1.2, 1.4),
    "length_ratio": middle(0.9, 1.3, 2.0),
    "norms_with_lengths": 0.9,
    "incentives_with_lengths": float("nan"),
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
        ({"tokens": {"identical": 1}}, ["Identical responses"]),
        ({"counts": {"contradictory": 1}}, ["Contradictions"]),
        ({"counts": {"repeated": 10}}, ["Nothing found"]),
        ({"counts": {"repeated": 11}}, ["Repeated pairs"]),
        ({"tokens": {"near": 11}}, ["Nearly identical responses"]),
        ({"tokens": {"cut": 11}}, ["Cut texts"]),
        ({"pairs": [FALLING], "geometry": {"norms_with_lengths": 0.1}}, ["Both fall"]),
        ({"pairs": [FALLING]}, ["Both fall", "Lengths"]),
        (
            {"pairs": [FALLING], "geometry": {"norms_with_lengths": float("nan")}},
            ["Both fall"],
        ),
        # Of an objective that normalises, and of rejected responses that are shorter.
        (
            {"pairs": [FALLING], "geometry": {"incentives_with_lengths": 1.0}},
            ["Both fall"],
        ),
        ({"pairs": [FALLING], "geometry": {"length_ratio": middle(0.5, 0.7, 1)}}, ["Both fall"]),
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
        # 16 % of 100 pairs are surely more than a tenth, 15 % are not.
        (50, 84, ["Uneven pairs"]),
        (50, 85, ["Nothing found"]),
    ],
)
def test_uneven_pairs_want_factors_of_their_own(ideal, one, rules):
    rises = {"both_rise": N - ideal}
    assert applying(pairs=[objective("DPO", one, ideal=ideal, **rises)]) == rules


def test_without_batches_an_objective_is_named_where_surely_more_pairs_are_ideal():
    few, same, most = (
        objective("DPO", ideal=40),
        objective("IPO", ideal=45),
        objective("SimPO", ideal=90),
    )
    assert applying(pairs=[few, same], groups=[None] * 2) == ["Nothing found"]
    assert applying(pairs=[few, most, same], groups=[None] * 3) == ["Another objective"]
    rules = advise(COUNTS, TOKENS, [few, same, most], [None] * 3, GEOMETRY)
    assert rules[0]["advice"] == "Consider SimPO."


@pytest.mark.parametrize(
    ("mine", "theirs", "named"),
    [
        ({"both_fall": 4, "ideal": 6}, {"ideal": 10}, True),
        # Its pairs alone are better, but in batches its rejected rises.
        ({"both_fall": 10}, {"both_rise": 8, "ideal": 2}, False),
        ({"both_fall": 4, "ideal": 6}, {"both_fall": 4, "ideal": 6}, False),
        ({"both_rise": 4, "ideal": 6}, {"both_fall": 1, "ideal": 9}, False),
    ],
)
def test_an_objective_is_named_by_what_batches_do(mine, theirs, named):
    pairs = [objective("DPO", ideal=90), objective("SimPO", ideal=99)]
    rules = applying(pairs=pairs, groups=[batch(**mine), batch(**theirs)])
    assert ("Another objective" in rules) == named


def told(pairs, groups, **counts):
    rules = advise(COUNTS | counts, TOKENS, pairs, groups, GEOMETRY)
    return verdict(pairs, groups), [rule["rule"].partition(":")[0] for rule in actions(rules)]


def test_one_verdict_and_at_most_three_things_to_do_ranked_by_batches():
    falling = objective("DPO", 50, both_fall=80, ideal=20)
    said, do = told([falling], [batch(both_fall=9, ideal=1, empty=2)], contradictory=30,
                    malformed=1, repeated=40, identical=2)  # fmt: skip
    assert said == (
        "Under DPO, the mean chosen falls in 9 of 10 batches and the mean rejected rises in 0."
    )
    assert do == ["Batches fall", "Lengths", "Contradictions"]
    # Where no batch bears it out, what pairs do alone is nothing to act on.
    said, do = told([falling], [batch(ideal=10)], malformed=1)
    assert said == "Under DPO, both sides go the right way, in the mean, in 10 of 10 batches."
    assert do == ["Rows without a pair"]


@pytest.mark.parametrize(
    ("pairs", "groups", "said"),
    [
        (objective("DPO", unknown=2, ideal=98), None, "2 pairs give no number"),
        (objective("DPO", both_fall=25, ideal=75), None, "pair by pair, 75 % .* 25 % both"),
        (objective("DPO", still=N), batch(still=10), "nothing moves"),
        (objective("DPO", ideal=N), batch(reversed=2, ideal=8), "2 of 10 .* rises in 2"),
    ],
)
def test_the_verdict(pairs, groups, said):
    assert re.search(said, told([pairs], [groups])[0])


@pytest.mark.parametrize(
    ("counts", "tokens", "rule"),
    [
        ({"prompt_again": 1}, {}, "Prompts said again"),
        ({"user_turns": 1}, {}, "Turns of the user within responses"),
        ({"longer_chosen": 81}, {}, "One-sided lengths"),
        ({"longer_rejected": 81}, {}, "One-sided lengths"),
        ({"longer_chosen": 80}, {}, "Nothing found"),
        ({"scored": 9, "tied": 1}, {}, "Scores that do not prefer the chosen"),
        ({"scored": 9, "scored_against": 1}, {}, "Scores that do not prefer the chosen"),
        ({"scored": 9}, {}, "Nothing found"),
        ({}, {"filled": 1}, "Nothing left of responses"),
        ({}, {"started_twice": 1}, "Two start or end tokens"),
        ({}, {"ended_twice": 1}, "Two start or end tokens"),
        ({}, {"parts_as_code": 1}, "Messages written as code"),
    ],
)
def test_what_is_wrong_with_data_is_said(counts, tokens, rule):
    assert applying(counts, tokens) == [rule]


def test_where_no_factor_calibrates_the_advice_says_so():
    falling = objective("DPO", both_fall=80)
    falling["at"][0] |= {"calibration": None, "one_factor": None}
    first = advise(COUNTS, TOKENS, [falling], [None], GEOMETRY | {"cosine": None})[0]
    assert "No factor calibrates" in first["advice"]
    assert "no scores" in first["measured"]


def test_shares_are_told_with_their_counts_and_intervals():
    assert interval(share(1, 4)) == "25 % (1 of 4; 95 %: 5 % to 70 %)"
