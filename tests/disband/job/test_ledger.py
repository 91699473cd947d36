"""The ledger decided in processes and one by one: the same records, and each only once."""

from dataclasses import replace

import pytest
from sympy import Not

from disband.job.ledger import MODULE, decided
from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.records import entry
from disband.verify.kept.store import Store

CLAIMS = [claim for claim in LEDGER if isinstance(claim, Claim)][::25]


def untimed(record):
    return {**record, "seconds": 0}


@pytest.mark.slow
def test_processes_decide_what_this_one_would_and_what_is_given(tmp_path):
    first, *others = CLAIMS
    edited = replace(first, holds=Not(first.holds))
    store, told = Store(tmp_path, MODULE), []
    found, anew = decided([edited, *others], store, lambda *said: told.append(said), workers=2)
    assert anew == len(CLAIMS) > 16
    assert {name: untimed(record) for name, record in found.items()} == {
        claim.id: untimed(entry(claim)) for claim in (edited, *others)
    }
    assert found[first.id]["verdict"] != entry(first)["verdict"]
    assert [done for done, _, _ in told] == list(range(1, len(CLAIMS) + 1))
    assert {total for _, total, _ in told} == {len(CLAIMS)}
    again, anew = decided([edited, *others], store, pytest.fail)
    assert (again, anew) == (found, 0)
    again, anew = decided(CLAIMS, store, lambda *_: None)
    assert anew == 1
    assert again[first.id]["verdict"] == entry(first)["verdict"]
