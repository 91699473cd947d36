"""What a probe counts: rows, tokens, shares and outcomes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.lm.data.tokenize import Cut, TokenPair
from disband.probe.distances import (
    distances,
    edit_distance,
    quantiles,
    rank_correlation,
    statistics,
)
from disband.probe.keep import RULES, write_kept
from disband.probe.shares import drag, share, table
from disband.probe.survey import Pass
from disband.probe.survey import survey as survey_of
from disband.theory.band import Case, case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.outcome import Outcome, outcomes, own_outcomes

ROWS = [
    {"prompt": "a", "chosen": "b long", "rejected": "c"},
    {"prompt": "a", "chosen": "d", "rejected": "e longer"},
    {"prompt": "a", "chosen": "b long", "rejected": "c"},
    {"prompt": "a", "chosen": "e longer", "rejected": "d"},
    {"prompt": "f", "chosen": "g", "rejected": "g"},
    {"prompt": "f", "chosen": "  ", "rejected": "g"},
    {"prompt": "f", "chosen": "g"},
]


def letters(pair):
    """Tokens that only say which pair they are of."""
    return TokenPair((0,), tuple(map(ord, str(pair.chosen))), tuple(map(ord, str(pair.rejected))))


def survey(path, sample, seed=0, tokenize=letters):
    return survey_of(Pass(path), sample, tokenize, seed=seed)


def places(surveyed):
    return [pair.place for pair in surveyed.sample]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "{broken\n")
    return path


def test_every_row_is_counted_for_what_it_is(data):
    found = survey(data, 100)
    counted = {name: count for name, count in vars(found.counts).items() if count}
    assert counted == {
        "rows": 8, "pairs": 5, "malformed": 3, "empty": 1, "identical": 1, "repeated": 1,
        "contradictory": 1, "same_prompt": 3, "longer_chosen": 3, "longer_rejected": 1,
    }  # fmt: skip
    assert sorted(places(found)) == [f"line {n}" for n in range(1, 6)]
    assert [fault.place for fault in found.origin.skipped] == ["line 6", "line 7", "line 8"]
    assert found.origin.rows == 8


def test_a_sample_is_drawn_evenly_without_replacement_and_by_its_seed(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text(
        "".join(f'{{"prompt": "{i}", "chosen": "x", "rejected": "y"}}\n' for i in range(10))
    )
    drawn = [places(survey(path, 3, seed=seed)) for seed in range(150)]
    assert all(len(set(those)) == 3 for those in drawn)
    often = [sum(f"line {n}" in those for those in drawn) / 150 for n in range(1, 11)]
    assert min(often) > 0.15
    assert max(often) < 0.45
    assert places(survey(path, 3, seed=7)) == drawn[7]
    first = [those[0] for those in drawn]
    assert len(set(first)) == 10  # the order is mixed too, for batches are made of it


SAID = {"prompt": "Two plus two?", "chosen": "Two plus two? Four.", "rejected": "Two plus two? 5"}
TALK = [{"role": role, "content": "x"} for role in ("user", "assistant", "user", "assistant")]
OTHER = [TALK[0], {"role": "assistant", "content": "y"}, *TALK[2:]]


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ([SAID], {"prompt_again": 1}),
        ([{"chosen": TALK, "rejected": OTHER}], {"user_turns": 1}),
        ([SAID | {"chosen": "Four.\n\nHuman: Sure?\n\nAssistant: Yes."}], {"user_turns": 1}),
        ([SAID | {"score_chosen": a, "score_rejected": 2} for a in (1, 2, 3)],
         {"scored": 3, "tied": 1, "scored_against": 1}),
        # The same answers exchanged, but to other images.
        ([{"prompt": "p", "chosen": "a", "rejected": "b", "images": ["1.png"]},
          {"prompt": "p", "chosen": "b", "rejected": "a", "images": ["2.png"]}],
         {"with_media": 2, "contradictory": 0, "same_prompt": 0}),
    ],
)  # fmt: skip
def test_what_a_reader_must_know_is_counted(rows, counted, tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert vars(survey(path, 9).counts) | counted == vars(survey(path, 9).counts)


def test_pairs_of_which_a_cut_leaves_nothing_are_left_out_and_named(data):
    def cut(pair):
        return TokenPair((0,), () if pair.prompt == "f" else (1,), (2,))

    surveyed = survey(data, 9, tokenize=cut)
    assert sorted(places(surveyed)) == [f"line {n}" for n in range(1, 5)]
    assert surveyed.filled == ("line 5",)
    with pytest.raises(ValueError, match="fills all that --max-length keeps"):
        survey(data, 9, tokenize=lambda _: TokenPair((0,), (), ()))


def test_rows_that_a_template_refuses_are_named_and_the_rest_goes_on(data):
    def refusing(pair):
        if pair.prompt == "f":
            raise ValueError("no letter f")
        return letters(pair)

    surveyed = survey(data, 9, tokenize=refusing)
    assert len(surveyed.sample) == surveyed.counts.pairs == 4
    assert surveyed.counts.refused == 1
    assert ("line 5", "no letter f") in surveyed.origin.skipped


def test_data_without_a_pair_are_refused_with_the_reason(tmp_path):
    path = tmp_path / "none.jsonl"
    path.write_text('{"prompt": "a"}\n')
    with pytest.raises(ValueError, match="none states a pair: line 1: a row has chosen"):
        survey(path, 3)
    with pytest.raises(ValueError, match="at least one pair"):
        survey(path, 0)
    path.write_text("")
    with pytest.raises(ValueError, match="at least one row, but there is none"):
        survey(path, 3)


def plain_distance(one, other):
    if not one or not other:
        return len(one) + len(other)
    same = plain_distance(one[1:], other[1:]) + (one[0] != other[0])
    return min(same, 1 + plain_distance(one[1:], other), 1 + plain_distance(one, other[1:]))


@given(*[st.lists(st.integers(0, 2), max_size=5)] * 2)
def test_the_edit_distance_is_that_of_its_definition(one, other):
    assert edit_distance(one, other) == plain_distance(one, other)


def test_what_sets_responses_apart():
    pairs = [
        TokenPair((0,), (1, 2, 3, 4), (1, 9, 3, 4)),
        TokenPair((0,), (1, 2), (1, 2)),
        TokenPair((0,), (1,), (2, 3, 4), cut=(False, True)),
        TokenPair((0,), tuple(range(30)), (*range(28), 77, 78)),
        # Single words, and the token that ends them, have little in common.
        TokenPair((0,), (1, 9), (2, 9)),
    ]
    found = distances(pairs)
    assert found.edits.tolist() == [1, 0, 3, 2, 1]
    assert found.prefix.tolist() == [1, 2, 0, 28, 0]
    assert found.suffix.tolist() == [2, 0, 0, 0, 1]
    assert found.identical.tolist() == [False, True, False, False, False]
    assert found.near.tolist() == [True, False, False, True, False]
    told = statistics(pairs, found)
    counted = [told[name] for name in ("identical", "identical_once_cut", "near", "cut")]
    assert counted == [1, 0, 2, 1]
    assert told["first_difference"]["median"] == 1.5


@pytest.mark.parametrize(
    ("tokens", "edits", "near"),
    [(3, 1, False), (4, 1, True), (10, 1, True), (20, 2, True), (19, 2, False), (10, 2, False)],
)
def test_near_is_one_token_of_four_or_a_tenth(tokens, edits, near):
    one = tuple(range(tokens))
    other = (*(100 + i for i in range(edits)), *one[edits:])
    assert distances([TokenPair((0,), one, other)]).near.tolist() == [near]


def test_quantiles_leave_out_what_is_no_number():
    assert quantiles([np.nan, np.inf]) is None
    assert quantiles([1, 2, 3, np.nan])["median"] == 2


def test_the_rank_correlation_is_spearmans():
    one, other = [1.0, 5.0, 2.0, 2.0, np.nan], [3.0, 4.0, 1.0, 2.0, 9.0]
    # Ranks 1, 4, 2.5, 2.5 and 3, 4, 1, 2.
    assert rank_correlation(one, other) == pytest.approx(0.3162278)
    assert np.isnan(rank_correlation([1, 1], [1, 2]))


@pytest.mark.parametrize(("count", "total"), [(0, 7), (7, 7), (3, 10), (311, 512), (1, 1)])
def test_the_interval_is_wilsons(count, total):
    """Its ends are the shares from which the observed one is 1.96 of their standard errors away."""
    of = share(count, total)
    for end, bound in ((of["low"], 0), (of["high"], total)):
        if count != bound:
            away = abs(of["share"] - end) / np.sqrt(end * (1 - end) / total)
            assert away == pytest.approx(1.959964, rel=1e-5)
    assert of["low"] <= of["share"] <= of["high"]
    assert np.isnan([share(0, 0)[end] for end in ("share", "low", "high")]).all()


def test_outcomes_are_the_cases_of_the_theory():
    random = np.random.default_rng(0)
    d_w, d_l, x, y = random.normal(size=(4, 200))
    gram = Gram(1 + x**2, 1 + y**2, random.normal(size=200))
    found = outcomes(*first_order(d_w, d_l, gram))
    assert found.tolist() == case(d_w, d_l, gram).tolist()
    assert set(found.tolist()) == set(Case)


def test_what_does_not_move_and_what_is_no_number_stand_apart():
    found = outcomes(
        np.array([0.0, np.nan, 1e-20, -1.0]), np.zeros(4), np.array([False, False, True, False])
    )
    assert found.tolist() == [Outcome.STILL, Outcome.UNKNOWN, Outcome.STILL, Outcome.BOTH_FALL]
    shares = table(found)
    assert {name: of["count"] for name, of in shares.items()} == {
        "ideal": 0, "both_fall": 1, "both_rise": 0, "reversed": 0, "still": 2, "unknown": 1,
    }  # fmt: skip
    assert [o.words for o in Outcome][4:] == ["neither moves", "not a number"]


def test_identical_responses_move_together_or_not_at_all():
    """Rounding apart, both scores are one: a pull that is stronger than the push lifts both."""
    gram = Gram(np.ones(3), np.full(3, 1 + 1e-7), np.full(3, 1 - 1e-7))
    found = own_outcomes(np.array([0.1, 1.1, 0.1]), np.full(3, 0.1), gram, np.ones(3, bool))
    assert found.tolist() == [Outcome.STILL, Outcome.BOTH_RISE, Outcome.STILL]
    apart = own_outcomes(np.array([0.1]), np.array([0.1]), Gram.of_angle([0.5], [1]), [False])
    assert apart.tolist() == [Outcome.IDEAL]


def test_a_drag_above_one_is_a_fall_of_the_chosen():
    gram = Gram(np.array([1.0, 1.0, 1.0]), np.array([4.0, 4.0, 4.0]), np.array([0.5, 1.5, 1.5]))
    found = drag(np.array([1.0, 1.0, -1.0]), np.ones(3), gram)
    assert found[:2].tolist() == [0.5, 1.5]
    assert np.isnan(found[2])


class Letters:
    """A tokenizer of which every letter is a token."""

    bos_token_id, eos_token_id, pad_token_id, eos_token = None, 0, 0, ""

    def get_vocab(self):
        return {"a": 0}

    def __call__(self, text, **_):
        return {"input_ids": [ord(letter) for letter in text]}


@pytest.mark.parametrize(
    ("rule", "kept"), [("sound", [1, 2, 9]), ("apart", [1, 2]), ("ideal", [2])], ids=str
)
def test_a_filtered_copy_has_the_rows_that_its_rule_keeps(rule, kept, data, tmp_path):
    near = {"prompt": "h", "chosen": "naïve words of a text", "rejected": "naïve words of a test"}
    with data.open("a") as file:
        file.write(json.dumps(near | {"score": 3}) + "\n")
    told = write_kept(
        data, tmp_path / "kept.jsonl", rule, tokenizer=Letters(), cut=Cut(), ideal={"line 2"}
    )
    rows = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    every = [*ROWS, None, near | {"score": 3}]
    assert rows == [every[n - 1] for n in kept]
    assert told == {
        "path": str(tmp_path / "kept.jsonl"), "rule": rule, "words": RULES[rule],
        "kept": len(kept), "of": 9,
    }  # fmt: skip


def test_a_copy_never_replaces_its_source(data):
    with pytest.raises(ValueError, match="another file than its source"):
        write_kept(data, data, "sound", tokenizer=None, cut=Cut(), ideal=())
    assert len(data.read_text().splitlines()) == 8
