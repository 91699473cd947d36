"""``disband claim`` and ``disband falsify``: one statement as text, its named quantities folded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sympy import Basic, Expr, Symbol, latex
from sympy.core.relational import Relational
from sympy.logic.boolalg import And

from disband.theory.symbols import LATEX, PLAIN
from disband.verify.deciding.claim import Claim, Point, Prediction, Verdict
from disband.verify.deciding.confirmed import confirmed_words, unconfirmed
from disband.verify.deciding.falsify import Attempt
from disband.verify.deciding.readings import at, comparisons, fold, readings
from disband.verify.pages.errata import verdict_words
from disband.verify.pages.mathematics import sentence

from .claims import point_of
from .formula import WIDTH, entry, plain

Record = Mapping[str, Any]

MARKS = {
    Verdict.PROVED: "✔", Verdict.SUPPORTED: "✔", Verdict.REFUTED: "✘", Verdict.CONTRADICTED: "✘",
    Verdict.OPEN: "?",
}  # fmt: skip
KINDS = {"printed": "printed", "read": "read as", "ours": "says"}
BEGUN = 60  # characters of a statement in a list
LONGEST = 320  # of a formula without names, but with --full


def claim_text(
    claim: Claim | Prediction, record: Record, mended: Record | None, *, full: bool, tex: bool
) -> str:
    """Return one claim: its verdict and statement, where it fails or what proves it, its repair.

    Args:
        claim: The claim.
        record: What was decided of it.
        mended: The record of its repaired form, if it has one.
        full: Leave nothing out, however long.
        tex: Formulas in LaTeX.
    """
    show = _latex if tex else plain
    said = str if tex else sentence
    verdict = Verdict(record["verdict"])
    grade = f", {record['grade']}" if record.get("grade") and verdict is Verdict.REFUTED else ""
    head = f"{MARKS[verdict]} {verdict_words(record)}{grade}"
    source = f"{_source(claim)}, {said(claim.locator)}"
    name = f"{head}   {claim.id}"
    beside = len(name) + len(source) + 3 <= WIDTH
    lines = [f"{name}   {source}"] if beside else [name, _entry("", source)]
    kind = KINDS[claim.kind]
    if claim.quote and (full or kind == "printed"):
        lines.append(_entry("printed", f"“{said(claim.quote)}”"))
    if full or not (claim.quote and kind == "printed"):
        lines.append(_entry("says" if claim.quote else kind, said(claim.says)))
    if full:
        lines += [_entry("" if i else "standing", said(t)) for i, t in enumerate(claim.standing)]
    if isinstance(claim, Prediction):
        lines += _measured(claim, record)
    else:
        lines += _stated(claim, record, show=show, full=full)
    if record.get("why"):
        lines.append(_entry("because", said(record["why"])))
    if mended is not None:
        of_it = Verdict(mended["verdict"])
        text = f"{said(mended['says'])}   {MARKS[of_it]} {of_it}, {mended['id']}"
        lines.append(_entry("repaired", text))
    if isinstance(claim, Claim):
        lines += _meanings(claim, show)
    if claim.note:
        lines.append(_entry("note", said(claim.note)))
    return "\n".join(line for line in lines if line)


def listing(records: Sequence[Record]) -> str:
    """Return a line for each record: verdict, id, and the beginning of what it says."""
    width = max((len(record["id"]) for record in records), default=0)
    return "\n".join(
        f"{MARKS[Verdict(r['verdict'])]} {r['verdict']:12} {r['id']:{width}}  {_begun(r['says'])}"
        for r in records
    )


def not_confirmed(records: Sequence[Record]) -> str:
    """Return which decided statements no second look confirmed, and what it came to of each."""
    others = unconfirmed(records)
    if not others:
        return "Every verdict of mathematics was confirmed by other means."
    lines = [f"Not confirmed by other means: {len(others)}"]
    return "\n".join([*lines, *(f"  {name}: {words}" for name, words in others.items())])


def _begun(text: str) -> str:
    words = sentence(text)
    return words if len(words) <= BEGUN else words[: BEGUN - 1].rstrip() + "…"


def _source(claim: Claim | Prediction) -> str:
    """Name the authors as the key does."""
    name, year = re.fullmatch(r"([a-z]+)(\d*)", claim.paper).groups()  # type: ignore[union-attr]
    return f"{name.title()} et al. {year}" if year else "this project"


def _stated(claim: Claim, record: Record, *, show: Any, full: bool) -> list[str]:
    """Return assumptions, conclusion, what decided it, and where it fails or holds."""
    given = ", ".join(show(fold(part, claim.where)) for part in claim.given)
    lines = [_entry("given", _cut(given, full=full))] if given else []
    lines.append(
        _entry("can be" if claim.exists else "it says", _cut(_says(claim, show), full=full))
    )
    counterexample, example = record["counterexample"], record["example"]
    point = point_of(claim, counterexample)
    if point is not None:
        lines += [
            _entry("fails at", _point(claim, point) or "every point"),
            *_worked(claim, point, show),
        ]
    elif claim.exists and (witness := point_of(claim, example)):
        lines += [_entry("as at", _point(claim, witness)), *_worked(claim, witness, show)]
    lines.append(_entry("decided by", record["decided_by"]))
    lines.append(_entry("confirmed", confirmed_words(record)))
    if full and point is None and not claim.exists and (meets := point_of(claim, example)):
        lines.append(_entry("e.g. at", _point(claim, meets)))
    if record["idle"]:
        needless = set(record["idle"])
        idle = [part for part in claim.given if _latex(part) in needless]
        lines.append(
            _entry("not needed", ", ".join(show(fold(part, claim.where)) for part in idle))
        )
    return lines


def _says(claim: Claim, show: Any) -> str:
    """Write the conclusion; a named side with what it is in short."""
    shorts = {Symbol(q.name): q.short for q in claim.where if q.short is not None}
    holds = fold(claim.holds, claim.where)
    parts = sorted(holds.args, key=str, reverse=True) if isinstance(holds, And) else [holds]
    written = []
    for part in parts:
        text = show(part)
        if isinstance(part, Relational) and part.lhs in shorts:
            text = f"{show(part.lhs)} = {show(shorts[part.lhs])}{text.removeprefix(show(part.lhs))}"
        written.append(text)
    return "  and  ".join(written)


def _point(claim: Claim, point: Point) -> str:
    """Write a point, then what those named quantities come to that no comparison tells."""
    names = {q.value: q.name for q in claim.where}
    ordered = sorted(point, key=str)
    given = ", ".join(f"{names.get(s, PLAIN.get(s, str(s)))} = {_value(point[s])}" for s in ordered)
    told = {side for r in comparisons(fold(claim.holds, claim.where)) for side in r.args}
    more = [
        f"{quantity.name} = {_value(at(quantity.value, point))}"
        for quantity in claim.where
        if quantity.value not in point and Symbol(quantity.name) not in told
    ]
    return given + (f":  {', '.join(more)}" if more else "")


def _worked(claim: Claim, point: Point, show: Any) -> Iterator[str]:
    """Write each comparison with its sides' values and a mark, first those that fail."""
    asked = isinstance(claim.holds, Relational | And)
    for reading in readings(claim, point):
        relation, left, right = reading.relation, _value(reading.left), _value(reading.right)
        mark = {True: "✔", False: "✘", None: "no value"}[reading.holds]
        sign = show(relation).removeprefix(show(relation.lhs)).split()[0]
        if asked and relation.rhs.is_number:
            text = f"{show(relation.lhs)} = {left}   should be {sign} {right}   {mark}"
        else:
            text = f"{show(relation)}   reads   {left} {sign} {right}   {mark}"
        yield _entry("", text)


def _meanings(claim: Claim, show: Any) -> list[str]:
    """Write what the named quantities are."""
    lines: list[str] = []
    for quantity in claim.where:
        others = [q for q in claim.where if q is not quantity]
        value = quantity.short if quantity.short is not None else fold(quantity.value, others)
        formula = "" if value.is_Symbol else show(value)
        parts = [part for part in (formula, sentence(quantity.means)) if part]
        lines.append(_entry("" if lines else "where", f"{quantity.name} = {', '.join(parts)}"))
    return lines


def _measured(claim: Prediction, record: Record) -> list[str]:
    """Write what an experiment measured, seed by seed."""
    lines = [_entry("decided by", f"{record['decided_by']}; {claim.command}")]
    for seed, numbers in (record["numbers"] or {}).items():
        told = ", ".join(f"{name} {_number(value)}" for name, value in numbers.items())
        lines.append(_entry("", f"{seed}: {told}"))
    return lines


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def falsify_text(claim: Claim, record: Record, attempt: Attempt, seconds: float) -> str:
    """Return what proof and random search found about a claim."""
    searched = f"{attempt.tried} points that meet the assumptions, {seconds:.1f} s"
    mark = MARKS[Verdict(record["verdict"])]
    lines = [f"{mark} {record['verdict']}   {claim.id}", _entry("decided by", record["decided_by"])]
    point = attempt.counterexample or point_of(claim, record["counterexample"])
    if claim.exists and (witness := point_of(claim, record["example"])):
        lines.append(_entry("as at", _point(claim, witness)))
    elif point is None:
        lines.append(_entry("searched", f"no counterexample among {searched}"))
    else:
        lines += [
            _entry("fails at", _point(claim, point) or "every point"),
            *_worked(claim, point, plain),
        ]
    return "\n".join(lines)


def _value(value: Basic) -> str:
    exact = isinstance(value, Expr) and value.is_Rational
    return str(value if exact else value.evalf(6)).replace("-", "−")


def _cut(text: str, *, full: bool) -> str:
    if full or len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rsplit(' ', 1)[0]} … (long: --full shows it)"


def _latex(expression: Basic) -> str:
    return str(latex(expression, symbol_names=LATEX))


def _entry(name: str, text: str) -> str:
    return entry(name, text, margin=12)
