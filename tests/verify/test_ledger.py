"""Every claim of the ledger: decided, not vacuous, and as the evidence says."""

import json
import re
from collections import Counter
from functools import cache

import pytest
from latex2mathml.converter import convert

from theory.vocabulary import V
from verify.claim import Claim, Prediction, Verdict
from verify.claims import LEDGER
from verify.decide import check, decide, instance
from verify.falsify import falsify
from verify.ledger import entries, formula
from verify.search import has_values, is_legal, truth

CLAIMS = [c for c in LEDGER if isinstance(c, Claim)]
BY_ID = {c.id: c for c in CLAIMS}
every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
decision = cache(decide)


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


# Slips of notation: what is meant is another claim of the ledger.
NOT_MENDED = {"yuan2025.table2.log-of-log", "yuan2025.b2.index"}


def test_every_refuted_printed_claim_has_a_repaired_form() -> None:
    refuted = {c.id for c in CLAIMS if decision(c).verdict is Verdict.REFUTED}
    unmended = {i for i in refuted if f"{i}.repaired" not in BY_ID and not i.startswith("disband")}
    assert unmended == NOT_MENDED


@every_claim
def test_a_refuted_claim_fails_at_its_counterexample(claim: Claim) -> None:
    point = decision(claim).counterexample
    refuted = decision(claim).verdict is Verdict.REFUTED
    assert (point is not None) == (refuted and not claim.exists)
    assert point is None or check(claim, point)


@pytest.mark.slow
@every_claim
def test_a_search_at_random_does_not_contradict_the_verdict(claim: Claim) -> None:
    """Thousands of random rational points, screened in floating point and checked exactly."""
    if claim.exists or not has_values(claim.holds):
        return
    attempt = falsify(claim, seconds=60, turns=5)
    assert attempt.tried > 0
    if attempt.counterexample is not None:
        assert check(claim, attempt.counterexample)
        assert decision(claim).verdict is Verdict.REFUTED


def test_the_records_are_plain_and_complete() -> None:
    ledger = LEDGER[::8]
    records = entries(ledger, {})
    assert json.loads(json.dumps(records)) == records
    for record, claim in zip(records, ledger, strict=True):
        assert record["id"] == claim.id
        if isinstance(claim, Prediction):
            assert record["verdict"] == "open"
        if record["verdict"] == "refuted" and not record["exists"]:
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
