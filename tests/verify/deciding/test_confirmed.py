"""By what a verdict was confirmed: what is kept counts for what was looked at, and nothing else."""

import json
from dataclasses import replace

import pytest
from sympy import Not

from disband.terminal.statement import claim_text, not_confirmed
from disband.verify.claims import LEDGER
from disband.verify.deciding import confirmed as module
from disband.verify.deciding.claim import Claim, Verdict
from disband.verify.deciding.confirm import Answer
from disband.verify.deciding.confirmed import (
    confirmation,
    confirmed_words,
    keep,
    kept,
    look_key,
    statement_key,
    unconfirmed,
)
from disband.verify.deciding.records import entries
from disband.verify.kept.recorded import DOUBLE_ENTRY, RECORDED_LEDGER, SECOND_LOOK

CLAIMS = {claim.id: claim for claim in LEDGER if isinstance(claim, Claim)}
PRINTED, MENDED, CAN_BE = (
    CLAIMS["yuan2025.eq9"], CLAIMS["yuan2025.eq9.repaired"],
    next(c for c in CLAIMS.values() if c.exists),
)  # fmt: skip


@pytest.fixture
def looks(tmp_path, monkeypatch):
    """Return a way to keep an answer of a second look at some claims, as they are decided now."""
    monkeypatch.setattr(module, "SECOND_LOOK", tmp_path / "second-look.json")
    monkeypatch.setattr(module, "DOUBLE_ENTRY", tmp_path / "double-entry.json")

    def write(answer, *claims):
        records = {record["id"]: record for record in entries(claims, {})}
        found = {
            claim.id: {"key": look_key(claim, records[claim.id]), "answer": answer, "by": "cvc5"}
            for claim in claims
        }
        keep(module.SECOND_LOOK, "a test", found)

    return write


def record(claim):
    (only,) = entries([claim], {})
    return only


@pytest.mark.parametrize("claim", [PRINTED, MENDED, CAN_BE], ids=lambda claim: claim.id)
def test_a_look_counts_for_what_was_looked_at(claim, looks):
    looks("agrees", claim)
    assert record(claim)["confirmed"] == {"answer": "agrees", "by": "cvc5", "second": ""}
    assert not unconfirmed([record(claim)])


@pytest.mark.parametrize("claim", [PRINTED, MENDED, CAN_BE], ids=lambda claim: claim.id)
def test_a_change_of_statement_verdict_or_point_loses_the_look(claim, looks):
    looks("agrees", claim)
    found = record(claim)
    lost = {"answer": "", "by": "", "second": ""}
    assert confirmation(replace(claim, holds=Not(claim.holds)), found) == lost
    assert confirmation(replace(claim, given=(*claim.given, claim.holds)), found) == lost
    assert confirmation(claim, {**found, "verdict": "open"}) == lost
    shows = "counterexample" if claim is PRINTED else "example"
    assert (confirmation(claim, {**found, shows: {"x": "1"}}) == lost) == (claim is not MENDED)


def test_a_change_of_words_alone_keeps_the_look(looks):
    looks("agrees", PRINTED)
    assert record(replace(PRINTED, says="Other words."))["confirmed"]["answer"] == "agrees"


@pytest.mark.parametrize(
    ("answer", "said"),
    [("disagrees", "contradicted by cvc5"), ("timed out", "cvc5 timed out")],
)
def test_what_was_not_confirmed_is_named(answer, said, looks):
    looks(answer, PRINTED)
    found = record(PRINTED)
    assert said in unconfirmed([found])[PRINTED.id]
    assert f"{PRINTED.id}: not: {said}" in not_confirmed([found])
    assert said in claim_text(PRINTED, found, None, full=False, tex=False)


def test_no_look_is_no_confirmation(looks):
    looks("agrees")
    assert "no second look" in confirmed_words(record(PRINTED))
    assert PRINTED.id in not_confirmed([record(PRINTED)])


def test_a_second_formalisation_counts_for_its_statement_alone(looks):
    looks("agrees", PRINTED)
    pair = {"key": statement_key(PRINTED), "found": "by a second formalisation"}
    keep(module.DOUBLE_ENTRY, "a test", {PRINTED.id: pair})
    assert confirmed_words(record(PRINTED)) == "by cvc5; by a second formalisation"
    assert record(replace(PRINTED, given=()))["confirmed"]["second"] == ""


def test_no_kept_look_contradicts_a_recorded_verdict_and_few_took_too_long():
    recorded = json.loads(RECORDED_LEDGER.read_text("utf-8"))["claims"]
    decided = {record["id"]: record for record in recorded if record["holds"]}
    answers = [
        confirmation(CLAIMS[name], record)["answer"]
        for name, record in decided.items()
        if name in CLAIMS
    ]
    assert Answer.DISAGREES not in answers
    assert answers.count(Answer.AGREES) > 0.9 * len(answers)
    assert kept(DOUBLE_ENTRY)
    assert {look["verdict"] for look in kept(SECOND_LOOK).values()} <= set(Verdict)
