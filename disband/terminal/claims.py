"""Claims of the ledger by id, with the decision that is kept of each, and statements of one's own.

A kept decision counts only for the very statement that it was made for, and a counterexample or a
witness in it only if it holds when it is put in again; else the claim is decided here and now.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sympy import Expr, Symbol, sympify
from sympy.logic.boolalg import And, BooleanAtom

from disband.theory import symbols
from disband.theory.own_loss.formula import read_claim
from disband.theory.own_loss.source_text import FormulaError
from disband.theory.own_loss.time_limit import time_limit
from disband.verify.claims import PAPERS, claims_of
from disband.verify.deciding.claim import Claim, Decision, Point, Prediction, Verdict
from disband.verify.deciding.confirmed import confirmation
from disband.verify.deciding.decide import check, instance
from disband.verify.deciding.falsify import Attempt, falsify
from disband.verify.deciding.records import entries, entry, formula
from disband.verify.deciding.search import is_legal, truth
from disband.verify.kept.recorded import RECORDED_LEDGER

Record = Mapping[str, Any]
Entry = Claim | Prediction

# r* is no symbol of its own in a typed statement, where A and B already say the norms.
NAMES = {
    s.name: s for s in vars(symbols).values() if isinstance(s, Symbol) and s is not symbols.r_star
}


def of_paper(identifier: str) -> tuple[Entry, ...]:
    """Return the claims of the paper that ``identifier`` begins with.

    Raises:
        ValueError: It begins with none.
    """
    paper = identifier.partition(".")[0]
    if paper not in PAPERS:
        raise ValueError(
            f"a claim's id begins with one of {', '.join(PAPERS)}: got {identifier!r}; "
            "disband claims lists them"
        )
    return claims_of(paper)


def find_claims(identifier: str) -> list[Entry]:
    """Return the claim with this id, or else those whose id begins with it.

    Raises:
        ValueError: There are none.
    """
    by_id = {claim.id: claim for claim in of_paper(identifier)}
    if identifier in by_id:
        return [by_id[identifier]]
    if begun := [claim for name, claim in by_id.items() if name.startswith(identifier)]:
        return begun
    near = get_close_matches(identifier, by_id, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "disband claims lists them"
    raise ValueError(f"a claim is named by its id in the ledger: got {identifier!r}; {hint}")


def find_claim(identifier: str) -> Entry:
    """Return the claim of the ledger with exactly this id.

    Raises:
        ValueError: There is none.
    """
    first, *more = find_claims(identifier)
    if first.id == identifier:
        return first
    names = ", ".join(claim.id for claim in (first, *more)[:3])
    raise ValueError(
        f"a claim is named by its whole id: got {identifier!r}; take one of {names}, …"
    )


def kept_records(out: Path) -> tuple[dict[str, Record], str]:
    """Return the decided ledger of the last run in ``out``, or the one kept with the project.

    By id, and where it is from; nothing where there is neither.
    """
    for path in (out / "report.json", RECORDED_LEDGER):
        if path.is_file():
            try:
                found = json.loads(path.read_text("utf-8"))["claims"]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"a run's claims are read from its JSON: {path} is damaged; run disband verify"
                ) from error
            return {record["id"]: record for record in found}, str(path)
    return {}, ""


def record_of(claim: Entry, kept: Mapping[str, Record]) -> Record:
    """Return the record of a claim: the kept one where its evidence holds, else a fresh one."""
    record = kept.get(claim.id)
    if record is not None and _stands(claim, record):
        seen = confirmation(claim, record) if isinstance(claim, Claim) else {}
        return {**record, "confirmed": seen, "seconds": 0.0, "from": "kept"}
    outcomes = {}
    if isinstance(claim, Prediction):
        from disband.verify.kept.recorded import recorded
        from disband.verify.pages.entries import merged

        outcomes = merged(dict(one) for one in recorded().values())
    (fresh,) = entries([claim], outcomes)
    mended = f"{claim.id}.repaired"
    repaired = mended if any(other.id == mended for other in claims_of(claim.paper)) else None
    return {**fresh, "repaired": repaired, "from": "decided now"}


def _stands(claim: Entry, record: Record) -> bool:
    """Whether a record is of this very statement, and its evidence holds when it is put in."""
    if isinstance(claim, Prediction):
        return bool(record["says"] == claim.says and record["command"] == claim.command)
    said = (record["holds"], list(record["given"]), record["exists"])
    if said != (formula(claim.holds), [formula(given) for given in claim.given], claim.exists):
        return False
    counterexample, example = (
        point_of(claim, record[kind]) for kind in ("counterexample", "example")
    )
    if counterexample is not None:
        return record["verdict"] == Verdict.REFUTED and check(claim, counterexample)
    if claim.exists and record["verdict"] == Verdict.PROVED:
        return example is not None and _witnessed(claim, example)
    return True


def _witnessed(claim: Claim, point: Point) -> bool:
    size = next((v for s, v in point.items() if s.name == "V"), None)
    whole = And(*instance([*claim.given, claim.holds], size), evaluate=False)
    return is_legal(point) and truth(whole, point) is True


def point_of(claim: Claim, values: Mapping[str, str] | None) -> Point | None:
    """Return the point of a record in the claim's own symbols; nothing where a name is unknown."""
    if values is None:
        return None
    statements = (claim.holds, *claim.given)
    by_name = {str(s): s for part in statements for s in part.free_symbols}
    point: dict[Any, Expr] = {}
    for name, value in values.items():
        base = by_name.get(name.partition("[")[0])
        if name not in by_name and base is None:
            return None
        point[by_name[name] if name in by_name else _entry_of(base, name)] = sympify(value)
    return point


def _entry_of(base: Any, name: str) -> Any:
    from sympy import IndexedBase, Integer

    index = int(name.partition("[")[2].rstrip("]"))
    return (base if isinstance(base, IndexedBase) else IndexedBase(base))[Integer(index)]


def attempted(
    claim: Claim, seconds: float, seed: int, patience: float | None = None
) -> tuple[Record, Attempt]:
    """Decide a claim, search for a counterexample at random, and return the record of both.

    Args:
        claim: The claim.
        seconds: Of the search.
        seed: Of the search.
        patience: Seconds after which deciding is given up, and a search that overruns its own;
            none for the ledger's claims, of which it is known that they are decided.
    """
    limits = (
        (nullcontext(), nullcontext())
        if patience is None
        else (time_limit(patience), time_limit(seconds + patience))
    )
    try:
        with limits[0]:
            (record,) = entries([claim], {})
    except TimeoutError:
        given_up = Decision(Verdict.OPEN, f"neither proof nor counterexample in {patience:g} s")
        record = entry(claim, given_up)
    try:
        with limits[1]:
            attempt = falsify(claim, seconds, seed)
    except TimeoutError:
        attempt = Attempt(0, None)
    point = attempt.counterexample
    shown = point and {str(symbol): str(point[symbol]) for symbol in sorted(point, key=str)}
    return {**record, "search": {"points": attempt.tried, "counterexample": shown}}, attempt


def own_claim(statement: str, given: Sequence[str]) -> Claim:
    """Return a claim that somebody typed, over the symbols of :mod:`disband.theory.symbols`.

    Raises:
        ValueError: A text is no statement of the grammar of :mod:`disband.theory.own_loss.formula`.
    """
    holds, defined = read_claim(statement, NAMES)
    if isinstance(holds, BooleanAtom):
        raise FormulaError(
            f"a statement can be true here and false there: {statement!r} is always "
            f"{str(holds).lower()}; compare quantities that vary"
        )
    assumptions = [read_claim(text, NAMES) for text in given]
    return Claim(
        id="own",
        locator="typed here",
        says=statement,
        holds=holds,
        given=(*defined, *(part for text, where in assumptions for part in (*where, text))),
    )


def listed(
    out: Path, verdict: str | None, paper: str | None, words: Sequence[str]
) -> tuple[list[Record], str]:
    """Return the records of the claims that are asked for, and where they were decided.

    Raises:
        ValueError: There is no such paper, or nothing was decided yet of the whole ledger.
    """
    papers = PAPERS if paper is None else (of_paper(paper)[0].paper,)
    asked = [claim for key in papers for claim in claims_of(key) if _has(claim, words)]
    kept, where = kept_records(out)
    records = [record_of(claim, kept) for claim in asked]
    found = [record for record in records if (verdict or record["verdict"]) == record["verdict"]]
    return found, f"in {where}" if where else "now"


def _has(claim: Entry, words: Sequence[str]) -> bool:
    text = f"{claim.id} {claim.locator} {claim.says} {claim.quote}".lower()
    return all(word.lower() in text for word in words)
