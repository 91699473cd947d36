"""What a claim says in words, and what it calls its parts, is what its formula says."""

import pytest
from sympy import Expr, Symbol

from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.decide import prove
from disband.verify.deciding.logic import equal

CLAIMS = [c for c in LEDGER if isinstance(c, Claim)]
NAMED = [c for c in CLAIMS if c.where]


def unfolded(short: Expr, claim: Claim) -> Expr:
    """Write a short form out: each name by what it stands for."""
    named = {q.name: q.value for q in claim.where}
    return short.subs({s: named[s.name] for s in short.free_symbols if s.name in named})


@pytest.mark.parametrize("claim", NAMED, ids=lambda c: c.id)
def test_a_short_form_is_what_it_stands_for(claim: Claim) -> None:
    for quantity in claim.where:
        if quantity.short is not None:
            same = equal(quantity.value, unfolded(quantity.short, claim))
            assert prove(Claim("test.short", "", "", holds=same, given=claim.given)), quantity.name


@pytest.mark.parametrize("claim", NAMED, ids=lambda c: c.id)
def test_a_named_part_is_in_the_statement(claim: Claim) -> None:
    stated = set().union(*(s.free_symbols | s.atoms() for s in (claim.holds, *claim.given)))
    for quantity in claim.where:
        assert quantity.value.atoms(Symbol) <= stated, quantity.name
