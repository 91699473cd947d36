"""Every verdict of mathematics looked at again by other means, on all cores."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.confirm import Answer, Confirmation, confirm
from disband.verify.deciding.confirmed import keep, kept, look_key
from disband.verify.deciding.decide import decide
from disband.verify.deciding.records import decision_record
from disband.verify.kept.recorded import SECOND_LOOK
from disband.verify.pages.entries import Record
from disband.verify.workers.tasks import run_tasks


class Look(NamedTuple):
    """A second look at a claim.

    Args:
        verdict: The verdict looked at.
        seen: What the look came to.
        key: Of what it was a look.
    """

    verdict: str
    seen: Confirmation
    key: str


def second_look(
    names: Sequence[str] | None = None,
    on_done: Callable[[int, int, str], None] = lambda _done, _of, _name: None,
    workers: int | None = None,
) -> dict[str, Look]:
    """Return for each claim its verdict and what a second look at it came to, by id.

    Raises:
        WorkersError: A process died.
        RuntimeError: cvc5 is not installed.
    """
    asked = list(_declared()) if names is None else list(names)
    looks: dict[str, Look] = {}

    def finished(name: str, look: Look) -> tuple[()]:
        looks[name] = look
        on_done(len(looks), len(asked), name)
        return ()

    run_tasks(
        _look,
        asked,
        finished=finished,
        progressed=lambda *_: None,
        workers=workers or os.cpu_count() or 1,
    )
    return {name: looks[name] for name in asked}


def look_text(looks: Mapping[str, Look]) -> str:
    """Return what a second look came to, and by name whatever did not agree."""
    counts = Counter((look.seen.answer, look.seen.by) for look in looks.values())
    lines = [
        f"{count:5} {answer}: {by}"
        for (answer, by), count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    others = [
        f"{look.seen.answer}: {name} ({look.verdict}; {look.seen.by})"
        for name, look in looks.items()
        if look.seen.answer is not Answer.AGREES
    ]
    return "\n".join([f"{len(looks)} verdicts looked at again", *lines, *others])


def written(looks: Mapping[str, Look]) -> dict[str, dict[str, str]]:
    """Return a second look as plain data, by claim."""
    return {
        name: {
            "key": look.key,
            "verdict": look.verdict,
            "answer": look.seen.answer.value,
            "by": look.seen.by,
        }
        for name, look in looks.items()
    }


def keep_looks(records: Iterable[Record]) -> list[str]:
    """Look again at what has no look among those kept, and keep these; return their ids."""
    before = kept(SECOND_LOOK)
    claims = _declared()
    keys = {r["id"]: look_key(claims[r["id"]], r) for r in records if r["id"] in claims}
    lost = [name for name, key in keys.items() if before.get(name, {}).get("key") != key]
    anew = written(second_look(lost))
    keep(
        SECOND_LOOK,
        "python -m disband.job",
        {name: anew.get(name) or before[name] for name in keys},
    )
    return lost


def disagree(looks: Mapping[str, Look]) -> bool:
    """Whether any second look contradicts a verdict."""
    return any(look.seen.answer is Answer.DISAGREES for look in looks.values())


@cache
def _declared() -> dict[str, Claim]:
    return {claim.id: claim for claim in LEDGER if isinstance(claim, Claim)}


def _look(name: str, _: Callable[[float], None]) -> Look:
    claim = _declared()[name]
    decision = decide(claim)
    key = look_key(claim, decision_record(claim, decision))
    return Look(decision.verdict.value, confirm(claim, decision), key)
