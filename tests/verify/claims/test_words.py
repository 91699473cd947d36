"""What a claim says in words, and what it calls its parts, is what its formula says."""

import re
from dataclasses import replace

import pytest
from sympy import Expr, Ge, Le, Rational, Symbol
from sympy.core.relational import Relational

from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.decide import instance, prove
from disband.verify.deciding.logic import equal
from disband.verify.deciding.readings import readings
from disband.verify.deciding.search import is_legal, truth

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


SHARP = re.compile(r"no faster|maximises|never lengthens|never hold more|of least norm on")
NUMBER = re.compile(r"(?<![\w.])(?<!ection )(?<!sections )(?<!and )(\d+\.\d+)(?![\w.])")
TIGHT = [c for c in CLAIMS if c.tight]


def attained(claim: Claim) -> bool:
    """Whether a claim holds at its tight point with both sides of a comparison equal."""
    met = all(truth(part, claim.tight) for part in instance([*claim.given, claim.holds], None))
    ties = [reading.left == reading.right for reading in readings(claim, claim.tight)]
    return is_legal(claim.tight) and met and any(ties)


def weakened(claim: Claim) -> Claim:
    """Plant a factor of two in a bound."""
    holds = claim.holds
    assert isinstance(holds, Relational)
    larger = Le(holds.lts, 2 * holds.gts, evaluate=False)
    return replace(claim, holds=larger if isinstance(holds, Le | Ge) else holds)


def test_what_is_said_to_be_sharp_has_a_point_where_it_is_attained() -> None:
    universal = [c for c in CLAIMS if not c.exists and SHARP.search(c.says)]
    refuted = {"disband.band.centre-is-best"}
    assert {c.id for c in universal} - refuted <= {c.id for c in TIGHT}


@pytest.mark.parametrize("claim", TIGHT, ids=lambda c: c.id)
def test_a_sharp_bound_is_attained_and_a_weaker_one_is_noticed(claim: Claim) -> None:
    assert attained(claim)
    assert not attained(weakened(claim))


def unstated(claim: Claim) -> set[Rational]:
    """The numbers in a claim's words that stand nowhere in its formula, squared or not."""
    text = f"{claim.says} {claim.note}"
    said = {Rational(number) for number in NUMBER.findall(text)}
    said |= {Rational(int(share), 100) for share in re.findall(r"(\d+) ?%", text)}
    pairs = re.findall(r"\\frac\{(\d+)\}\{(\d+)\}", claim.says)
    said |= {Rational(int(top), int(bottom)) for top, bottom in pairs}
    stated = set().union(*(s.atoms(Rational) for s in (claim.holds, *claim.given)))
    stated |= {1 - number for number in stated} | {1 / number for number in stated if number}
    return {number for number in said if number not in stated and number**2 not in stated}


def test_numbers_in_words_stand_in_the_formula() -> None:
    assert not {c.id: unstated(c) for c in CLAIMS if unstated(c)}


def test_another_number_in_the_formula_is_noticed() -> None:
    (high,) = (c for c in CLAIMS if c.id == "yuan2025.high-correlation")
    known = Rational(99, 100) ** 2
    given = [part.xreplace({known: Rational(9, 10) ** 2}) for part in high.given]
    assert unstated(replace(high, given=tuple(given))) == {Rational(99, 100)}
