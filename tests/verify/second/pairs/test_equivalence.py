"""Both formalisations of yuan2025 say the same, or the table says in what they differ."""

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sympy import Eq
from sympy.core.relational import Relational

from disband.verify.deciding.claim import Kind
from disband.verify.deciding.confirmed import kept
from disband.verify.kept.recorded import DOUBLE_ENTRY
from tests.verify.second.pairs.comparison import POINTS, Both, compared
from tests.verify.second.pairs.kept import entries, how
from tests.verify.second.pairs.pair import CLAIMS, PAPER, SECONDS
from tests.verify.second.pairs.table import PAIRS
from tests.verify.second.pairs.unpaired import CLAIMS_ALONE, SECOND_ALONE

FOUND = Path(__file__).parents[4] / "docs/found.md"
result = cache(compared)

each = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.claim)


def now(pair):
    return result(pair, pair.ledger)


def at_first(pair):
    return result(pair, pair.first) if pair.first else now(pair)


@each
def test_a_pair_says_the_same_or_the_table_says_in_what_it_differs(pair):
    found = now(pair)
    assert found.enough
    assert found.agrees == (not pair.differs), found
    assert bool(found.assumes_more) == bool(pair.assumes), found


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if pair.differs], ids=lambda pair: pair.claim
)
def test_a_pair_that_differs_does_so_at_the_point_given(pair):
    both = Both(pair, pair.ledger)
    assert set(both.free) <= set(pair.at)
    point = both.filled(pair.at)
    assert both.signed(point)
    assert both.realised(point)
    assert all(both.truth(part)(point) for part in both.given)
    assert both.second.assumed(point)
    assert both.truth(both.holds)(point) != both.second.holds(point)


def test_what_is_kept_of_the_pairs_is_what_comparing_them_comes_to():
    found = entries({pair: now(pair) for pair in PAIRS})
    assert kept(DOUBLE_ENTRY) == found, "stale; run: python -m tests.verify.second.pairs.kept"


def slipped(relation):
    """An equation with one side made larger, or an inequality turned around."""
    left, right = relation.args
    if isinstance(relation, Eq):
        return Eq(left + 1, right, evaluate=False)
    return relation.func(right, left, evaluate=False)


@pytest.mark.parametrize(
    "pair",
    [pair for pair in PAIRS if not (pair.apart or pair.row or pair.differs)][::4],
    ids=lambda pair: pair.claim,
)
def test_a_slip_in_the_ledger_is_noticed(pair):
    relation = min(pair.ledger.holds.atoms(Relational), key=str)
    slip = pair.ledger.holds.xreplace({relation: slipped(relation)})
    assert not compared(pair, replace(pair.ledger, holds=slip)).agrees


def test_every_entry_of_the_ledger_has_a_partner_or_a_reason_to_have_none():
    paired = {pair.claim for pair in PAIRS}
    alone = {
        name
        for claim_id, claim in CLAIMS.items()
        for paper, _, name in [claim_id.partition(".")]
        if paper == PAPER and claim.kind is not Kind.OURS and name not in paired
    }
    assert alone == set(CLAIMS_ALONE)


def test_every_entry_of_the_second_has_a_partner_or_a_reason_to_have_none():
    reasons = Counter(name for names in SECOND_ALONE.values() for name in names)
    paired = {name for pair in PAIRS for name in pair.names}
    assert {f"{PAPER} {name}" for name in (*reasons, *paired)} == set(SECONDS)
    assert not set(reasons) & paired
    assert set(reasons.values()) == {1}


def test_the_page_says_how_many_pairs_agreed():
    first = sum(at_first(pair).agrees for pair in PAIRS)
    wholly = sum(at_first(pair).agrees and not at_first(pair).assumes_more for pair in PAIRS)
    today = sum(now(pair).agrees for pair in PAIRS)
    ways = Counter(how(pair, now(pair)) for pair in PAIRS if now(pair).agrees)
    sentence = (
        f"Of {len(PAIRS)} pairs of formalisations of yuan2025, {first} agreed at first where the "
        f"assumptions of both hold, {wholly} of them with the same assumptions; today {today} do: "
        f"{ways['solver']} for all values by the solver, {ways['points']} at each of {POINTS} "
        f"random exact points, {ways['whole']} as wholes (both hold at all of these points, or "
        f"neither does), and {ways['row']} in the incentives of a row of Table 2."
    )
    page = " ".join(FOUND.read_text().split())
    assert sentence in page, f"docs/found.md has another count; it should say: {sentence}"
