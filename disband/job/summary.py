"""What ``disband verify`` says at the end: one screen, the whole table, or one document."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any

from disband.verify.deciding.claim import Verdict
from disband.verify.pages.errata import counted_as, counts_text, errata
from disband.verify.pages.mathematics import sentence
from disband.verify.pages.papers import TITLES

from .recording import Changes

Record = Mapping[str, Any]

LINES, COLUMNS = 24, 80
TABLE = "claims.txt"
_REFUTED = 3  # findings to read first, and one that an experiment contradicts


def screen(report: Record, changes: Changes, out: Path) -> str:
    """Return what was found, in at most 24 lines of at most 80 characters, without LaTeX."""
    claims = report["claims"]
    blocks = [
        [counted(claims), *_papers(claims)],
        _lines(_changed(changes), most=3),
        _first(claims),
        _lines(_experiments(report["experiments"]), most=3),
        [
            f"Report: {out / 'report.html'}   data: {out / 'report.json'}",
            f"Every claim: {out / TABLE} (--all prints it), or disband claim ID",
        ],
    ]
    spare = LINES - sum(map(len, blocks))
    lines: list[str] = []
    for number, block in enumerate(blocks):
        # Blank lines, as many as there is room for, the last first.
        lines += ["", *block] if number and len(blocks) - number <= spare else block
    return "\n".join(lines)


def counted(claims: Sequence[Record]) -> str:
    """Return how many claims there are of each verdict."""
    return f"{len(claims)} claims: {counts_text(claims)}"


def table(report: Record) -> str:
    """Return the ledger, a line a claim, then the statements of each experiment."""
    parts = [_ledger(report["claims"]), counted(report["claims"])]
    parts += [_experiment(one) for one in report["experiments"]]
    return "\n\n".join(parts) + "\n"


def document(report: Record, changes: Changes, out: Path) -> dict[str, Any]:
    """Return the same as the screen as plain data, with every verdict."""
    claims = report["claims"]
    return {
        "verdicts": {claim["id"]: claim["verdict"] for claim in claims},
        "papers": {
            paper: {"title": TITLES[paper], **Counter(map(counted_as, of))}
            for paper, of in _by_paper(claims).items()
        },
        "changes": changes._asdict(),
        "first": [{"id": c["id"], "command": f"disband claim {c['id']}"} for c in _gravest(claims)],
        "experiments": [
            {"name": _name(one), "statements": of, "on_every_seed": held}
            for one in report["experiments"]
            for held, of in [_held(one)]
        ],
        "report": str(out / "report.html"),
        "data": str(out / "report.json"),
        "table": str(out / TABLE),
    }


def _by_paper(claims: Iterable[Record]) -> dict[str, list[Record]]:
    papers: dict[str, list[Record]] = {}
    for claim in claims:
        papers.setdefault(claim["paper"], []).append(claim)
    return papers


def _papers(claims: Sequence[Record]) -> list[str]:
    return [
        line
        for paper, of in _by_paper(claims).items()
        for line in (shorten(TITLES[paper], COLUMNS, placeholder=" …"), f"    {counts_text(of)}")
    ]


def _changed(changes: Changes) -> str:
    if not changes.since:
        return "There is no recorded run to compare with."
    since = f"the recorded run of {changes.since[:10]}"
    parts = [f"{name} {old} → {new}" for name, old, new in changes.differ]
    parts += [f"{name} {old} → {new} (trained here)" for name, old, new in changes.trained]
    said = f"No verdict differs from {since}."
    if parts:
        said = f"Changed since {since}: {'; '.join(parts)}."
    counts = {"new": len(changes.new), "gone": len(changes.gone)}
    more = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{said} Claims: {more}." if more else said


def _gravest(claims: Sequence[Record]) -> list[Record]:
    """The errata that matter most, of each place one, and a contradicted one."""
    ordered = [c for part in errata(claims) for c in part]
    places = {(c["paper"], c["locator"]): c for c in reversed(ordered)}
    first = [c for c in ordered if places[c["paper"], c["locator"]] is c][:_REFUTED]
    return first + [c for c in claims if c["verdict"] == Verdict.CONTRADICTED][:1]


def _first(claims: Sequence[Record]) -> list[str]:
    findings = _gravest(claims)
    if not findings:
        return []
    commands = [f"  disband claim {claim['id']}" for claim in findings]
    width = max(map(len, commands))
    lines = [
        f"{command:{width}}  {claim['verdict']}: {sentence(claim['locator'])}"
        for command, claim in zip(commands, findings, strict=True)
    ]
    return ["To read first:", *(_short(line, COLUMNS) for line in lines)]


def _experiments(experiments: Iterable[Record]) -> str:
    parts = [
        f"{_name(one)} {held} of {of}"
        for one in experiments
        for held, of in [_held(one)]
        if held < of
    ]
    if not parts:
        return "Every statement of every experiment held on every seed."
    return f"Statements that held on every seed: {', '.join(parts)}."


def _name(experiment: Record) -> str:
    return str(experiment.get("where") or experiment["name"])


def _held(experiment: Record) -> tuple[int, int]:
    """How many statements held on every seed, and of how many."""
    seeds = [prediction["per_seed"] for prediction in experiment["predictions"]]
    return sum(all(one["holds"] is True for one in per) for per in seeds), len(seeds)


def _lines(text: str, most: int) -> list[str]:
    return wrap(
        text, COLUMNS, subsequent_indent="    ", max_lines=most, placeholder=" …",
        break_on_hyphens=False,
    )  # fmt: skip


def _ledger(claims: Sequence[Record]) -> str:
    """A table: verdict, id, what decided it, seconds, place in the paper, its beginning."""
    rows = [("verdict", "claim", "decided by", "s", "where", "statement")]
    rows += [
        (
            c["verdict"],
            c["id"],
            c["decided_by"].partition(",")[0].partition(":")[0],
            f"{c['seconds']:.2f}",
            _short(sentence(c["locator"]), 34),
            _short(sentence(c["says"]), 60),
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
