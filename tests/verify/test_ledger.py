"""Every claim of the ledger: decided, not vacuous, and as the evidence says."""

import json
import random
import re
from collections import Counter
from functools import cache

import pytest
from latex2mathml.converter import convert
from sympy import Integer, Rational, Symbol

from theory.vocabulary import V, k
from verify.claim import Claim, Prediction, Verdict
from verify.claims import LEDGER
from verify.decide import check, decide, instance
from verify.ledger import entries, formula
from verify.logic import equal
from verify.search import is_legal, truth
from verify.smt import Problem

CLAIMS = [c for c in LEDGER if isinstance(c, Claim)]
BY_ID = {c.id: c for c in CLAIMS}
every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
decision = cache(decide)
SAMPLES = 6


def test_the_ledger_is_wide_enough() -> None:
    assert len(LEDGER) >= 40


def test_ids_are_unique() -> None:
    assert Counter(c.id for c in LEDGER).most_common(1)[0][1] == 1


@every_claim
def test_every_claim_is_decided(claim: Claim) -> None:
    assert decision(claim).verdict in {Verdict.PROVED, Verdict.REFUTED}


@every_claim
def test_its_example_meets_its_assumptions(claim: Claim) -> None:
    point = decision(claim).example
    assert is_legal(point)
    assert all(truth(g, point) for g in instance(claim.given, point.get(V)))
    assert point or not claim.given


@every_claim
def test_a_refuted_claim_has_a_repaired_form_that_is_proved(claim: Claim) -> None:
    if claim.repairs is not None:
        assert decision(BY_ID[claim.repairs]).verdict is Verdict.REFUTED
        assert decision(claim).verdict is Verdict.PROVED


@every_claim
def test_a_refuted_claim_fails_at_its_counterexample(claim: Claim) -> None:
    point = decision(claim).counterexample
    refuted = decision(claim).verdict is Verdict.REFUTED
    assert (point is not None) == (refuted and not claim.exists)
    assert point is None or check(claim, point)


@every_claim
def test_a_proved_claim_survives_exact_random_points(claim: Claim) -> None:
    """Random values for some unknowns; z3 completes them to a point that meets the assumptions."""
    if decision(claim).verdict is not Verdict.PROVED or claim.exists:
        return
    rng = random.Random(claim.id)
    speaks_of_tokens = any(k in g.free_symbols for g in claim.given)
    for _ in range(SAMPLES):
        size = Integer(rng.randint(2, 4)) if speaks_of_tokens else None
        *given, holds = instance([*claim.given, claim.holds], size)
        unknowns = sorted(
            {s for g in (*given, holds) for s in g.free_symbols if isinstance(s, Symbol)}, key=str
        )
        fixed = {s: _draw(s, rng) for s in unknowns if rng.random() < 0.5 and s != V}
        _, point = Problem([*given, *(equal(s, v) for s, v in fixed.items())]).check()
        if point is None:
            continue
        point = {**{s: _draw(s, rng) for s in unknowns}, **point}
        if not is_legal(point) or not all(truth(g, point) for g in given):
            continue
        assert truth(holds, point) is not False, point


def _draw(symbol: Symbol, rng: random.Random) -> Rational:
    if symbol.is_integer:
        return Integer(rng.randint(1, 9))
    value = Rational(rng.randint(1, 40), rng.randint(1, 20))
    if symbol.is_negative:
        return -value
    return value if symbol.is_nonnegative else rng.choice((-1, 1)) * value


def test_the_records_are_plain_and_complete() -> None:
    records = entries(LEDGER, {})
    assert json.loads(json.dumps(records)) == records
    for record, claim in zip(records, LEDGER, strict=True):
        assert record["id"] == claim.id
        if isinstance(claim, Prediction):
            assert record["verdict"] == "open"
        if record["verdict"] == "refuted":
            assert record["counterexample"]


@pytest.mark.parametrize("claim", LEDGER, ids=lambda c: c.id)
def test_what_it_says_can_be_typeset(claim: Claim | Prediction) -> None:
    printed = re.findall(r"\$([^$]+)\$", claim.says)
    assert claim.says.count("$") == 2 * len(printed)
    for part in printed:
        assert "<math" in convert(part)


@every_claim
def test_its_formula_can_be_typeset(claim: Claim) -> None:
    for statement in (*claim.given, claim.holds):
        assert "<math" in convert(formula(statement))
