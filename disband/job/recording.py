"""The verdicts recorded with the project, and what changed since."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from disband.verify.claims import LEDGER
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT as SENTIMENT
from disband.verify.deciding.claim import ON_MODELS, Prediction
from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.recorded import RECORDED_LEDGER

Record = Mapping[str, Any]

NOT_RUN = "was not run"


class Changes(NamedTuple):
    """What changed from one run to another.

    Args:
        since: When the earlier run was made; empty where there is none.
        differ: Id, earlier and present verdict of each claim that came to another.
        trained: The same where language models trained on this machine decide, which differ from
            machine to machine.
        new: Ids of claims that the earlier run did not have.
        gone: Ids of claims that this one has not.
    """

    since: str
    differ: list[tuple[str, str, str]]
    trained: list[tuple[str, str, str]]
    new: list[str]
    gone: list[str]


def changes(report: Record, path: Path = RECORDED_LEDGER) -> Changes:
    """Compare a run with the recorded one; an experiment that either left out is passed over.

    Raises:
        ValueError: The recorded run cannot be read.
    """
    if not path.is_file():
        return Changes("", [], [], [], [])
    try:
        kept = json.loads(path.read_text("utf-8"))
        before = {claim["id"]: claim for claim in kept["claims"]}
        since = str(kept["provenance"]["time"])
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(
            f"verdicts are compared with the recorded ones: {path} is damaged ({error}); "
            "restore it, or record a run with python -m disband.job"
        ) from error
    now = {claim["id"]: claim for claim in report["claims"]}
    both = [
        (name, before[name]["verdict"], claim["verdict"])
        for name, claim in now.items()
        if name in before and not _left_out(claim) and not _left_out(before[name])
    ]
    here = _trained_here(report)
    changed = [one for one in both if one[1] != one[2]]
    return Changes(
        since,
        differ=[one for one in changed if one[0] not in here],
        trained=[one for one in changed if one[0] in here],
        new=[name for name in now if name not in before],
        gone=[name for name in before if name not in now],
    )


def record(report: Record, path: Path = RECORDED_LEDGER) -> None:
    """Write the claims of a run as the recorded ones, a line a claim."""
    lines = [json_text({**claim, "seconds": 0.0}, indent=None) for claim in report["claims"]]
    origin = json_text(report["provenance"], indent=None)
    whole = ['{"provenance":', f'{origin},"claims":[', ",\n".join(lines), "]}"]
    write_text(path, "\n".join(whole) + "\n")


def _left_out(claim: Record) -> bool:
    return str(claim["decided_by"]).endswith(NOT_RUN)


def _trained_here(report: Record) -> set[str]:
    """The claims that rest on models trained by this run or in its folder."""
    own = {one["name"] for one in report["experiments"] if not one.get("where")}
    names = own & {SENTIMENT, *ON_MODELS}
    return {c.id for c in LEDGER if isinstance(c, Prediction) and c.experiment in names}
