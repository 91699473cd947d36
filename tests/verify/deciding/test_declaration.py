"""What a claim's verdict depends on, as text."""

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import pytest
from sympy import Function, Symbol, symbols
from sympy.core.function import UndefinedFunction

from disband.verify.claims import LEDGER
from disband.verify.deciding import records
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.declaration import declaration
from disband.verify.deciding.logic import equal, every
from disband.verify.kept.provenance import ROOT, sources

CLAIMS = [claim for claim in LEDGER if isinstance(claim, Claim)]
x, y = symbols("x y")
PLAIN = Claim(id="p.a", locator="here", says="x is y", holds=equal(x, y), given=(x > 0, y > 0))
WHOLE = """
import hashlib
from disband.verify.claims import LEDGER
from disband.verify.deciding.declaration import declaration
print(hashlib.sha256("".join(map(declaration, LEDGER)).encode()).hexdigest())
"""


def test_it_is_the_same_in_every_process():
    found = subprocess.run(
        [sys.executable, "-c", WHOLE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = sha256("".join(map(declaration, LEDGER)).encode()).hexdigest()
    assert found.stdout.strip() == here


def test_no_two_claims_have_the_same():
    assert len({declaration(claim) for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize(
    "changed",
    [
        {"holds": equal(y, x)},
        {"holds": equal(Symbol("x", positive=True), y)},
        {"given": (x > 0,)},
        {"given": (y > 0, x > 0)},
        {"exists": True},
        {"says": "x is  y"},
        {"holds": every(equal(x, y), x > 1)},
    ],
    ids=str,
)
def test_it_tells_every_change(changed):
    assert declaration(replace(PLAIN, **changed)) != declaration(PLAIN)


def test_functions_in_claims_are_known_to_what_decides_them():
    """Their code is not in the declaration, so a change in it must be seen in the procedure's."""
    known = set(sources(records.__name__))
    for claim in CLAIMS:
        for statement in (claim.holds, *claim.given):
            for used in statement.atoms(Function):
                kind = type(used)
                assert isinstance(kind, UndefinedFunction) or (
                    kind.__module__.startswith("sympy.") or kind.__module__ in known
                ), (claim.id, kind)
