"""The statements of the ledger decided on all cores, and again only where something changed."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256

from disband.verify.claims import LEDGER
from disband.verify.deciding import records
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.declaration import declaration
from disband.verify.kept.store import Store
from disband.verify.pages.entries import Record
from disband.verify.workers.tasks import run_tasks

MODULE = records.__name__
# Of claims, that starting a process takes as long as deciding.
_FEW = 16


def decided(
    claims: Sequence[Claim],
    store: Store,
    advance: Callable[[float, float, str], None],
    workers: int | None = None,
) -> tuple[dict[str, Record], int]:
    """Return each claim's record by its id, and how many of them had to be decided anew.

    A record is kept under the claim's own declaration, the code that decides, and the versions of
    the libraries, so that an edit of one claim decides that one.

    Raises:
        WorkersError: A process died.
    """
    keys = {claim.id: _key(claim) for claim in claims}
    kept = {name: store.load_record(name, key) for name, key in keys.items()}
    missing = [claim.id for claim in claims if kept[claim.id] is None]
    if len(missing) > _FEW:
        # A process finds a claim by its id: what is left unevaluated does not survive being sent.
        alone = {claim.id for claim in claims if _declared().get(claim.id) is not claim}
    else:
        alone = set(missing)

    def finished(name: str, record: Record) -> tuple[()]:
        kept[name] = record
        store.save_record(name, keys[name], record)
        left = sum(record is None for record in kept.values())
        advance(len(missing) - left, len(missing), name)
        return ()

    for claim in claims:
        if claim.id in alone and kept[claim.id] is None:
            finished(claim.id, records.entry(claim))
    run_tasks(
        _decide,
        [name for name in missing if name not in alone],
        finished=finished,
        progressed=lambda *_: None,
        workers=workers or os.cpu_count() or 1,
    )
    return kept, len(missing)


@cache
def _declared() -> dict[str, Claim]:
    return {claim.id: claim for claim in LEDGER if isinstance(claim, Claim)}


def _decide(name: str, _: Callable[[float], None]) -> Record:
    return records.entry(_declared()[name])


def _key(claim: Claim) -> dict[str, str]:
    return {"declaration": sha256(declaration(claim).encode()).hexdigest()}
