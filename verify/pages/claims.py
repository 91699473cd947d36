"""The pages of the ledger: an index, and of each paper every claim with what decided it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..deciding.confirmed import confirmed_words, unconfirmed
from ..deciding.decide import COMPUTED
from .errata import COUNTED, counted_as, errata, failed_readings, verdict_words
from .papers import READ, TITLES
from .tables import table

Record = Mapping[str, Any]

HEAD = """# The ledger

Every statement with the verdict that a machine computed. Of yuan2025 the whole text was at hand,
and its statements stand as they are printed. Of the other papers it was the abstract, and of
chen2026 the official code too: there a statement is our reading of a sentence, which the paper
itself may make precise in another way. Each paper has a page of its own. These pages are generated
by `python -m disband.verify.pages`; the same with formulas typeset, numbers and a search is in
`out/report.html` after `disband verify`, and `disband claim yuan2025.eq9 --full` shows one entry
whole. To cite: [papers.bib](papers.bib).
"""
OWN_HEAD = """Back to [the ledger](../claims.md), with the counts, the errata by gravity and what no
second look confirmed. A formula that is too long to be read is left out here:
`disband claim chen2026.decomposition --full` shows one.
To cite: [papers.bib](../papers.bib).
"""
MEASURED = "by experiment"
INDEX = "claims.md"
LONGEST = 700  # characters of LaTeX: a longer formula is no help to a reader


def claims_pages(records: Sequence[Record]) -> dict[str, str]:
    """Return the ledger as Markdown pages, by their paths below the documents' folder.

    ``claims.md`` leads to one page a paper, ``claims/<key>.md``.
    """
    papers = list(dict.fromkeys(str(r["paper"]) for r in records))
    index = [HEAD, _counts(records), _errata(records), _unconfirmed(records)]
    return {INDEX: "\n".join(index)} | {
        f"claims/{paper}.md": _paper(paper, [r for r in records if r["paper"] == paper], records)
        for paper in papers
    }


def _paper(paper: str, own: Sequence[Record], records: Sequence[Record]) -> str:
    verdicts = {str(r["id"]): _verdict(r) for r in records}
    first, others = errata(own)
    parts = [f"# {TITLES[paper]}\n", f"Read: {READ[paper]}.\n", OWN_HEAD]
    if first or others:
        parts += ["## Errata\n", *_errata_table((*first, *others)), ""]
    if readings := failed_readings(own):
        parts += ["## What fails as read here\n", *_readings_table(readings), ""]
    parts += ["## Every statement\n", *(_claim(record, verdicts) for record in own)]
    return "\n".join(parts)


def _counts(records: Sequence[Record]) -> str:
    counts = Counter((str(r["paper"]), counted_as(r) if r["holds"] else MEASURED) for r in records)
    verdicts = [
        word
        for word in (*COUNTED, MEASURED)
        if any(counts[key] for key in counts if key[1] == word)
    ]
    papers = dict.fromkeys(str(r["paper"]) for r in records)
    rows = [
        (f"[{TITLES[paper]}](claims/{paper}.md)", *(counts[paper, word] for word in verdicts))
        for paper in papers
    ]
    said = (
        "\n*Computed* says what a formula comes to: written out, both sides are one expression. "
        "That is no theorem, and is counted apart.\n"
    )
    return "\n".join([*table(("paper", *verdicts), rows), said])


def _errata(records: Sequence[Record]) -> str:
    """Return what is printed and false, the gravest first, then the readings that fail."""
    first, others = errata(records)
    lines = ["## Errata\n", "To read first:\n", *_errata_table(first, "claims/")]
    lines += ["", "The others, the gravest first:\n", *_errata_table(others, "claims/"), ""]
    lines += ["## What fails as read here\n"]
    lines.append("Readings of this project, of sentences that leave something open.\n")
    lines += _readings_table(failed_readings(records), "claims/")
    return "\n".join(lines) + "\n"


def _errata_table(records: Sequence[Record], home: str = "") -> list[str]:
    rows = [
        (
            f"{r['paper']}, {r['locator']}",
            r["why"],
            r["grade"],
            _entry_link(r, _page(r, home)),
        )
        for r in records
    ]
    return table(("where", "what is wrong", "grade", "entry"), rows)


def _readings_table(records: Sequence[Record], home: str = "") -> list[str]:
    rows = [
        (f"{r['paper']}, {r['locator']}", r["why"], _entry_link(r, _page(r, home))) for r in records
    ]
    return table(("where", "what fails", "entry"), rows)


def _unconfirmed(records: Sequence[Record]) -> str:
    """Return what no second look confirmed, and what it came to of each."""
    others = unconfirmed(records)
    lines = [f"* `{name}`: {words}" for name, words in others.items()] or ["Nothing."]
    return "\n".join(["## What no second look confirmed\n", *lines, ""])


def _page(record: Record, home: str) -> str:
    """Return the page that an entry stands on, from the index; nothing from that page itself."""
    return f"{home}{record['paper']}.md" if home else ""


def _entry_link(record: Record, page: str) -> str:
    return f"[`{record['id']}`]({page}#{_anchor(record['id'], _verdict(record))})"


def _fails(record: Record) -> list[str]:
    """Return where a refuted statement fails, and what its failing comparisons come to there."""
    if record["counterexample"] is None:
        return ["* there is no such case"]
    point = ", ".join(f"`{symbol}` = {value}" for symbol, value in record["counterexample"].items())
    return [f"* it fails at {point}"] + [
        f"    * {_formula(w['comparison'])} reads {w['left']} and {w['right']}"
        for w in record["worked"]
        if w["holds"] is False
    ]


def _claim(record: Record, verdicts: Mapping[str, str]) -> str:
    lines = [
        f"### `{record['id']}`: {_verdict(record)}\n",
        f"{record['locator']}. {record['says']}\n",
    ]
    if record["quote"]:
        lines.append(f"* in the paper's words: “{record['quote']}”")
    lines += [f"* standing: {words}" for words in record["standing"]]
    if record["given"]:
        lines.append(f"* assuming {_formulas(record['given'])}")
    happens = "can happen" if record["exists"] else "states"
    if record["decided_by"] == COMPUTED:
        happens = "both sides come to"
    if record["cases"]:
        lines.append(f"* {happens}, case by case:")
        lines += [f"    * {name}: {_formula(formula)}" for name, formula in record["cases"].items()]
    elif record["holds"]:
        lines.append(f"* {happens} {_formula(_once(record['folded'] or record['holds']))}")
    if record["where"]:
        lines.append("* where")
    for quantity in record["where"]:
        short = f" = {_formula(quantity['short'])}" if quantity["short"] else ""
        means = f", {quantity['means']}" if quantity["means"] else ""
        lines.append(f"    * ${quantity['latex']}${short}{means}")
    lines.append(f"* decided by {_decided_by(record)}")
    if record["confirmed"]:
        lines.append(f"* confirmed {confirmed_words(record)}")
    if record["verdict"] == "refuted":
        lines += [*([f"* because: {record['why']}"] if record["why"] else []), *_fails(record)]
    if record["idle"]:
        lines.append(f"* proved as well without any one of {_formulas(record['idle'])}")
    if record["repaired"]:
        mended = str(record["repaired"])
        lines.append(f"* mended as [`{mended}`](#{_anchor(mended, verdicts[mended])})")
    if record["note"]:
        lines.append(f"* {record['note']}")
    return "\n".join(lines) + "\n"


def _once(formula: str) -> str:
    """Return one side of an equation whose sides read the same."""
    left, equals, right = formula.partition(" = ")
    return left if equals and left == right else formula


def _verdict(record: Record) -> str:
    return verdict_words(record) if record["holds"] else MEASURED


def _decided_by(record: Record) -> str:
    if record["holds"]:
        return str(record["decided_by"])
    return f"an experiment of `{record['command']}`"


def _formulas(formulas: Iterable[str]) -> str:
    return ", ".join(map(_formula, formulas))


def _formula(formula: str) -> str:
    return f"${formula}$" if len(formula) <= LONGEST else f"(a formula of {len(formula)} signs)"


def _anchor(identifier: str, verdict: str) -> str:
    return f"{identifier}-{verdict}".replace(".", "").replace(" ", "-")
