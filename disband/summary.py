"""What ``disband verify`` says at the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from verify.claim import Verdict

Record = Mapping[str, Any]


def summary(report: Record, out: Path) -> str:
    """Return the verdicts, the refuted claims, what the experiments found, and where it all is."""
    parts = [_verdicts(report["claims"])]
    if refuted := [c for c in report["claims"] if c["verdict"] == Verdict.REFUTED]:
        parts.append(_refuted(refuted))
    parts += [_experiment(one) for one in report["experiments"]]
    parts.append(f"Report: {out / 'report.html'}   data: {out / 'report.json'}")
    return "\n\n".join(parts)


def _verdicts(claims: Sequence[Record]) -> str:
    counts = Counter(claim["verdict"] for claim in claims)
    said = ", ".join(f"{counts[v]} {v}" for v in Verdict if counts[v])
    return f"{len(claims)} claims: {said}"


def _refuted(claims: Sequence[Record]) -> str:
    """A table: id, place in the paper, and whether the ledger has a form that is true."""
    rows = [("refuted as printed", "mended", "where")]
    rows += [
        (c["id"], "yes" if c["repaired"] else "–", c["locator"].replace("$", "")) for c in claims
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    return "\n".join(
        f"{name:{widths[0]}}  {mended:{widths[1]}}  {where}" for name, mended, where in rows
    )


def _experiment(experiment: Record) -> str:
    lines = [f"{experiment['name']}: seeds on which each prediction held"]
    for prediction in experiment["predictions"]:
        seeds = prediction["per_seed"]
        held = sum(one["holds"] for one in seeds)
        lines.append(f"  {held} of {len(seeds)}  {prediction['says']}")
    return "\n".join(lines)
