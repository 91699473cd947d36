"""What ``disband verify`` says at the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from disband.verify.deciding.claim import Verdict

Record = Mapping[str, Any]


def summary(report: Record, out: Path) -> str:
    """Return the ledger, a line a claim, then what the experiments found, and where it all is."""
    parts = [_ledger(report["claims"]), _verdicts(report["claims"])]
    parts += [_experiment(one) for one in report["experiments"]]
    parts.append(f"Report: {out / 'report.html'}   data: {out / 'report.json'}")
    return "\n\n".join(parts)


def _verdicts(claims: Sequence[Record]) -> str:
    counts = Counter(claim["verdict"] for claim in claims)
    said = ", ".join(f"{counts[v]} {v}" for v in Verdict if counts[v])
    unmended = sum(c["verdict"] == Verdict.REFUTED and not c["repaired"] for c in claims)
    return f"{len(claims)} claims: {said}; {unmended} refuted without a repaired form"


def _ledger(claims: Sequence[Record]) -> str:
    """A table: verdict, id, what decided it, seconds, place in the paper, its beginning."""
    rows = [("verdict", "claim", "decided by", "s", "where", "statement")]
    rows += [
        (
            c["verdict"],
            c["id"],
            c["decided_by"].partition(",")[0].partition(":")[0],
            f"{c['seconds']:.2f}",
            _short(c["locator"].replace("$", ""), 34),
            _short(c["says"], 60),
        )
        for c in claims
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join(
        "  ".join([*(f"{cell:{w}}" for cell, w in zip(row[:5], widths, strict=True)), row[5]])
        for row in rows
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _experiment(experiment: Record) -> str:
    where = f" ({experiment['where']})" if experiment.get("where") else ""
    lines = [f"{experiment['name']}{where}: seeds on which each prediction held"]
    for prediction in experiment["predictions"]:
        seeds = prediction["per_seed"]
        held = sum(one["holds"] is True for one in seeds)
        lines.append(f"  {held} of {len(seeds)}  {prediction['says']}")
    return "\n".join(lines)
