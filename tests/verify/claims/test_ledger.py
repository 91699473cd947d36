"""Every claim of the ledger: decided, not vacuous, and as the evidence says."""

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from latex2mathml.converter import convert

from disband.theory.models.vocabulary import V
from disband.verify.claims import LEDGER
from disband.verify.claims.jian2025 import runs
from disband.verify.claims.wang2025 import measured
from disband.verify.deciding.claim import Claim, Kind, Prediction, Verdict
from disband.verify.deciding.decide import check, decide, instance
from disband.verify.deciding.falsify import falsify
from disband.verify.deciding.records import entries, formula
from disband.verify.deciding.search import has_values, is_legal, truth
from disband.verify.kept.provenance import ROOT

CLAIMS = [c for c in LEDGER if isinstance(c, Claim)]
BY_ID = {c.id: c for c in CLAIMS}
PAGES = "\n".join(path.read_text("utf-8") for path in (ROOT / "docs" / "claims").glob("*.md"))
# How each claim was decided when the pages were made; the tests of `disband verify` keep it true.
MECHANISMS = dict(
    re.findall(r"^### `(.+)`: (?:.*\n(?!#))*?\* decided by (.+)$", PAGES, re.MULTILINE)
)
EACH = 4
# The verdicts on record; the tests of `disband verify` keep them true.
RECORDED = {
    entry["id"]: entry["verdict"]
    for entry in json.loads((ROOT / "results" / "ledger.json").read_text("utf-8"))["claims"]
}


def sampled() -> set[str]:
    """The first few claims of each paper that are decided in the same way, repaired or not."""
    found: dict[tuple[object, ...], list[str]] = {}
    for claim in CLAIMS:
        kind = (claim.paper, MECHANISMS.get(claim.id), claim.repairs is None)
        found.setdefault(kind, []).append(claim.id)
    return {name for names in found.values() for name in names[:EACH]}


SAMPLE = sampled()
decision = cache(decide)


def test_ids_are_unique() -> None:
    assert Counter(c.id for c in LEDGER).most_common(1)[0][1] == 1


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.id in SAMPLE], ids=lambda c: c.id)
def test_every_claim_is_decided_and_its_evidence_holds(claim: Claim) -> None:
    """Of a sample here; the tests of `disband verify` decide them all, and check every point."""
    found = decision(claim)
    assert found.verdict in {Verdict.PROVED, Verdict.REFUTED}
    example, counterexample = found.example, found.counterexample
    assert is_legal(example), "its example is no point"
    for assumption in instance(claim.given, example.get(V)):
        assert truth(assumption, example), "its example does not meet its assumptions"
    assert example or not claim.given
    fails_somewhere = found.verdict is Verdict.REFUTED and not claim.exists
    assert (counterexample is not None) == fails_somewhere
    assert counterexample is None or check(claim, counterexample)
    if claim.repairs is not None:
        assert found.verdict is Verdict.PROVED, "it repairs nothing"
        assert decision(BY_ID[claim.repairs]).verdict is Verdict.REFUTED, "it needs no repair"


def test_a_sample_of_the_claims_has_every_way_to_decide_one() -> None:
    assert len(SAMPLE) < len(CLAIMS) / 3
    ways = {decision(BY_ID[name]).decided_by for name in SAMPLE}
    assert ways == {way for name, way in MECHANISMS.items() if name in BY_ID}


# Slips of notation: what is meant is another claim of the ledger.
NOT_MENDED = {"yuan2025.table2.log-of-log", "yuan2025.b2.index"}
HEDGE = re.compile(r"\b(can|may|might|could|tends?|possibly|(will|is) likely|encourages?)\b")


def test_every_refuted_statement_of_a_paper_is_mended_and_says_why() -> None:
    refuted = [c for c in CLAIMS if RECORDED[c.id] == Verdict.REFUTED]
    read = [c for c in refuted if c.kind is not Kind.OURS]
    assert {c.id for c in read if f"{c.id}.repaired" not in BY_ID} == NOT_MENDED
    assert {c.id for c in read} == {c.id for c in CLAIMS if c.why}
    assert {c.id for c in read if c.kind is Kind.PRINTED} == {c.id for c in CLAIMS if c.grade}


def hedged(claim: Claim) -> bool:
    """Whether a claim says that something can be, and is decided as if it always were."""
    said = claim.quote if claim.grade else claim.says
    return bool(HEDGE.search(said)) and not claim.exists


def test_what_is_said_to_be_possible_is_decided_by_an_example() -> None:
    assert not [c.id for c in CLAIMS if hedged(c)]


def test_a_hedge_that_was_dropped_is_noticed() -> None:
    planted = [replace(c, exists=False) for c in CLAIMS if c.exists and HEDGE.search(c.says)]
    assert len(planted) > 10
    assert all(map(hedged, planted))


def test_what_fails_at_equality_alone_is_no_erratum() -> None:
    assert sum(map(edge, CLAIMS)) > 2
    assert not [c.id for c in CLAIMS if c.grade and edge(c)]


def test_no_quotation_is_an_erratum_here_and_proved_there() -> None:
    """Words that another entry proves whole are no erratum; one display may say two things."""
    accused = {c.quote: c.locator for c in CLAIMS if c.grade}
    proved = {c.quote for c in CLAIMS if c.kind is Kind.PRINTED and not c.why and c.quote}
    both = {accused[quote] for quote in accused.keys() & proved}
    assert both == {
        "Section 3.2.1, explicit regularization, DPOP",  # right of the other three methods
        "Section 4.2, Theorem 3, eq. (13)",  # its value is wrong, that it is positive is right
        "Section 4.2, Model Setup 2 and Theorem 3, eq. (14)",  # the same
    }


def test_what_a_sentence_says_is_told_from_what_this_project_asks() -> None:
    asked = {c.outcome for c in LEDGER if isinstance(c, Prediction)}
    for read in (measured.SENTENCES, runs.READ):
        assert read < asked
    kinds = {c.outcome: c.kind for c in LEDGER if isinstance(c, Prediction)}
    assert kinds["dpo-offset"] is Kind.READ
    assert kinds["dpo-weights-errors"] is Kind.OURS  # the abstract has no word of labels
    assert kinds["spo-price"] is Kind.OURS  # nor of a price


def edge(claim: Claim) -> bool:
    """Whether a claim fails at equality alone, or at a limit that no point reaches."""
    by = MECHANISMS.get(claim.id, "")
    return "at equality only" in by or (claim.exists and "no such case" in by)


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS[::5], ids=lambda c: c.id)
def test_a_search_at_random_does_not_contradict_the_verdict(claim: Claim) -> None:
    """Thousands of random rational points, screened in floating point and checked exactly."""
    if claim.exists or not has_values(claim.holds):
        return
    attempt = falsify(claim, seconds=60, turns=2)
    assert attempt.tried > 0
    if attempt.counterexample is not None:
        assert check(claim, attempt.counterexample)
        assert decide(claim).verdict is Verdict.REFUTED


def test_the_records_are_plain_and_complete() -> None:
    ledger = LEDGER[::16]
    records = entries(ledger, {})
    assert json.loads(json.dumps(records)) == records
    for record, claim in zip(records, ledger, strict=True):
        assert record["id"] == claim.id
        if isinstance(claim, Prediction):
            assert record["verdict"] == "open"
        if record["verdict"] == "refuted" and not record["exists"]:
            assert record["counterexample"]


def test_what_claims_say_can_be_typeset() -> None:
    unread = []
    for claim in LEDGER:
        for said in (claim.says, claim.quote):
            printed = re.findall(r"\$([^$]+)\$", said)
            whole = said.count("$") == 2 * len(printed)
            if not (whole and all(typeset(part) for part in printed)):
                unread.append(claim.id)
    assert not unread


def test_their_formulas_can_be_typeset() -> None:
    assert not [
        claim.id
        for claim in CLAIMS
        if not all(typeset(formula(s)) for s in (*claim.given, claim.holds))
    ]


def typeset(tex: str) -> bool:
    """Whether the converter reads it."""
    try:
        return "<math" in convert(tex)
    except Exception:  # noqa: BLE001 (the converter raises bare subclasses of Exception)
        return False
