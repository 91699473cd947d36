"""The generated documents; ``python -m verify.documents`` writes them anew."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from verify.claims import LEDGER
from verify.fixes.page import methods_page
from verify.fixes.toys import toy_parts
from verify.ledger import entries
from verify.objective_documents import objectives_page
from verify.recorded import recorded
from verify.store import write_text
from verify.study_document import study_page

Record = Mapping[str, Any]

HEAD = """# The ledger

Every statement as it is printed, with the verdict that a machine computed. This page is generated
by `python -m verify.documents`; the same with formulas typeset, numbers and filters is in
`out/report.html` after `disband verify`.
"""
TITLES = {
    "yuan2025": "yuan2025: A Common Pitfall of Margin-based Language Model Alignment",
    "chen2026": "chen2026: Towards Disentangled Preference Optimization Dynamics",
    "wang2025": "wang2025: What Is Preference Optimization Doing, How and Why?",
    "jian2025": "jian2025: Stable Preference Optimization for LLMs, a Bilevel Approach Beyond DPO",
    "disband": "disband: statements of this project",
}


def claims_page(records: Sequence[Record]) -> str:
    """Return the ledger as one Markdown page, with the errata first."""
    verdicts = {str(r["id"]): _verdict(r) for r in records}
    parts = [HEAD, _counts(records), _errata(records)]
    for paper, group in groupby(records, key=lambda r: str(r["paper"])):
        parts += [f"## {TITLES[paper]}\n", *(_claim(record, verdicts) for record in group)]
    return "\n".join(parts)


def _counts(records: Sequence[Record]) -> str:
    counts = Counter((str(r["paper"]), _verdict(r)) for r in records)
    verdicts = sorted({verdict for _, verdict in counts})
    lines = [f"| paper | {' | '.join(verdicts)} |", f"|---|{'---|' * len(verdicts)}"]
    for paper in dict.fromkeys(str(r["paper"]) for r in records):
        cells = " | ".join(str(counts[paper, verdict]) for verdict in verdicts)
        lines.append(f"| {paper} | {cells} |")
    return "\n".join(lines) + "\n"


def _errata(records: Sequence[Record]) -> str:
    by_id = {r["id"]: r for r in records}
    lines = ["## Errata\n"]
    for record in records:
        if record["verdict"] == "refuted" and record["paper"] != "disband":
            lines.append(f"* **{record['locator']}.** Printed: {record['says']} {_why(record)}")
            if record["note"]:
                lines[-1] += f" {record['note']}"
            if record["repaired"]:
                lines[-1] += f" **Corrected:** {by_id[record['repaired']]['says']}"
    return "\n".join(lines) + "\n"


def _why(record: Record) -> str:
    if record["counterexample"] is None:
        return "There is no such case."
    found = ", ".join(f"`{symbol}` = {value}" for symbol, value in record["counterexample"].items())
    sides = "; ".join(
        f"left {w['left']}, right {w['right']}" for w in record["worked"] if w["left"] != w["right"]
    )
    return f"It fails at {found}" + (f" ({sides})." if sides else ".")


def _claim(record: Record, verdicts: Mapping[str, str]) -> str:
    lines = [
        f"### `{record['id']}`: {_verdict(record)}\n",
        f"{record['locator']}. {record['says']}\n",
    ]
    if record["given"]:
        lines.append(f"* assuming {_formulas(record['given'])}")
    if record["holds"]:
        lines.append(f"* {'can happen' if record['exists'] else 'states'} ${record['holds']}$")
    lines.append(f"* decided by {_decided_by(record)}")
    if record["verdict"] == "refuted":
        lines.append(f"* {_why(record)}")
    if record["idle"]:
        lines.append(f"* proved as well without any one of {_formulas(record['idle'])}")
    if record["repaired"]:
        mended = str(record["repaired"])
        lines.append(f"* mended as [`{mended}`](#{_anchor(mended, verdicts[mended])})")
    if record["note"]:
        lines.append(f"* {record['note']}")
    return "\n".join(lines) + "\n"


def _verdict(record: Record) -> str:
    return str(record["verdict"]) if record["holds"] else "by experiment"


def _decided_by(record: Record) -> str:
    return str(record["decided_by"]) if record["holds"] else "an experiment of `disband verify`"


def _formulas(formulas: Iterable[str]) -> str:
    return ", ".join(f"${formula}$" for formula in formulas)


def _anchor(identifier: str, verdict: str) -> str:
    return f"{identifier}-{verdict}".replace(".", "")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    write_text(folder / "objectives.md", objectives_page())
    write_text(folder / "gpt2.md", study_page(recorded()))
    write_text(folder / "methods.md", methods_page(toy_parts(), recorded()))
    write_text(folder / "claims.md", claims_page(entries(LEDGER, {})))
