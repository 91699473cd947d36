"""By what a verdict was confirmed, as it is kept with the project.

Kept are the second looks of :mod:`disband.verify.deciding.confirm` and the comparisons with the
second formalisation of yuan2025, each under a digest of what was looked at: a statement that
changed, or came to another verdict or point, has lost its look.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..kept.files import json_text, write_text
from ..kept.provenance import provenance
from ..kept.recorded import DOUBLE_ENTRY, SECOND_LOOK
from .claim import Claim, Verdict
from .confirm import Answer
from .declaration import declaration

Record = Mapping[str, Any]


def statement_key(claim: Claim) -> str:
    """Return a digest of what a claim states, whatever the words: assumptions and conclusion."""
    return _digest(declaration((claim.given, claim.holds, claim.exists)))


def look_key(claim: Claim, record: Record) -> str:
    """Return a digest of what a second look looks at: statement, verdict, the point that shows."""
    witness = record["example"] if claim.exists and record["verdict"] == Verdict.PROVED else None
    shown = json_text([record["verdict"], record["counterexample"] or witness], indent=None)
    return _digest(statement_key(claim) + shown)


def confirmation(claim: Claim, record: Record) -> dict[str, str]:
    """Return what confirms the verdict of a claim, from what is kept.

    ``answer`` is one of :class:`disband.verify.deciding.confirm.Answer`, empty where this verdict
    was not looked at again; ``by`` is what looked; ``second`` is how the statement compares with
    the second formalisation, empty where there is none.
    """
    look = kept(SECOND_LOOK).get(claim.id, {})
    if look.get("key") != look_key(claim, record):
        look = {}
    pair = kept(DOUBLE_ENTRY).get(claim.id, {})
    second = pair["found"] if pair.get("key") == statement_key(claim) else ""
    return {"answer": look.get("answer", ""), "by": look.get("by", ""), "second": second}


def confirmed_words(record: Record) -> str:
    """Return in words by what a verdict was confirmed, or what a second look came to instead."""
    confirmed = record["confirmed"]
    said = {
        Answer.AGREES: f"by {confirmed['by']}",
        Answer.DISAGREES: f"not: contradicted by {confirmed['by']}",
        Answer.TIMED_OUT: f"not: {confirmed['by']} timed out",
        "": "not: no second look at this statement is kept",
    }[confirmed["answer"]]
    return "; ".join(filter(None, (said, confirmed["second"])))


def unconfirmed(records: Iterable[Record]) -> dict[str, str]:
    """Return every decided statement that a second look did not confirm, and what it came to."""
    return {
        record["id"]: confirmed_words(record)
        for record in records
        if record["confirmed"] and record["verdict"] != Verdict.OPEN
        if record["confirmed"]["answer"] != Answer.AGREES
    }


def keep(path: Path, command: str, looks: Mapping[str, Mapping[str, str]]) -> None:
    """Write what was found of each claim, a line a claim, with how it was found."""
    origin = json_text({**provenance(), "command": command}, indent=None)
    lines = [f"{json.dumps(name)}:{json_text(dict(of), indent=None)}" for name, of in looks.items()]
    write_text(
        path, "\n".join(['{"provenance":', f'{origin},"looks":{{', ",\n".join(lines), "}}", ""])
    )
    kept.cache_clear()


@cache
def kept(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Return what is kept of each claim, by id; nothing where there is no such file."""
    if not path.is_file():
        return {}
    looks: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))["looks"]
    return looks


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
