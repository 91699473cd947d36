"""Quotations are the papers' own words, each of them."""

import os
from functools import cache
from pathlib import Path

import pytest

from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Kind
from tests.verify.claims.quotation import DIGESTS, LEFT_OUT, digest, is_quoted, kept, words

QUOTED = [claim for claim in LEDGER if claim.quote]
TEXT = "The step of DPO, *as printed*, is $\\left(a - b\\right)$ and nothing else at all."
known = cache(kept)


@pytest.mark.parametrize("claim", QUOTED, ids=lambda c: c.id)
def test_a_quotation_is_in_the_paper_word_for_word(claim):
    assert is_quoted(claim.quote, known(claim.paper)), claim.quote


@pytest.mark.parametrize("claim", QUOTED, ids=lambda c: c.id)
def test_a_changed_word_is_no_quotation(claim):
    first, *rest = claim.quote.split(LEFT_OUT)
    said = words(first)
    said[len(said) // 2] += "s"
    assert not is_quoted(LEFT_OUT.join([" ".join(said), *rest]), known(claim.paper))


def test_every_printed_statement_is_quoted():
    assert not [c.id for c in LEDGER if c.kind is Kind.PRINTED and not c.quote]


def test_what_is_ours_is_not_quoted():
    assert not [c.id for c in LEDGER if c.kind is Kind.OURS and c.quote]


@pytest.mark.parametrize(
    ("quote", "answer"),
    [
        ("the step of DPO, as printed", False),
        ("The step of DPO, as printed", True),
        ("of DPO, as printed, is $(a - b)$", True),
        ("of DPO, as printed, is $(a + b)$", False),
        ("The step of DPO, … $(a - b)$ and nothing", True),
        ("The step of DPO, … nothing", False),
        ("step DPO of, as printed", False),
        ("is nothing else", False),
    ],
)
def test_a_quotation_is_told_from_what_was_not_said(quote, answer):
    from base64 import b64decode

    assert is_quoted(quote, b64decode(digest(TEXT))) is answer


@pytest.mark.parametrize("path", sorted(DIGESTS.iterdir()), ids=lambda p: p.stem)
def test_a_digest_is_that_of_the_text(path):
    folder = os.environ.get("DISBAND_PAPERS")
    if not folder:
        pytest.skip("DISBAND_PAPERS names no folder with the papers' texts, <citation key>.txt")
    assert path.read_text("ascii") == digest(Path(folder, path.name).read_text("utf-8"))
