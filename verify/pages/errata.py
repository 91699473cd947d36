"""What of the papers fails, in the order in which a reader wants it; and how verdicts are counted.

Printed statements alone are errata. A reading of this project that fails is told apart from them,
and so is what a computation comes to, which is no theorem.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..deciding.claim import Grade, Kind, Verdict
from ..deciding.decide import COMPUTED

Record = Mapping[str, Any]

FAILS = "fails as read here"
COUNTED = (
    Verdict.PROVED.value, "computed", Verdict.REFUTED.value, FAILS, Verdict.SUPPORTED.value,
    Verdict.CONTRADICTED.value, Verdict.OPEN.value,
)  # fmt: skip
# What bears on how people train: the conclusions, then the table that losses are taken from.
FIRST = tuple(
    f"yuan2025.{name}"
    for name in (
        "corollary2.directions", "corollary2.inner", "corollary2.equal-norms", "eq13", "eq14",
        "table2.dpo", "table2.r-dpo", "table2.ipo", "table2.dpop", "table2.kto", "table2.sppo",
        "eq9", "eq10", "high-correlation",
    )
)  # fmt: skip
_GRADES = [grade.value for grade in Grade]


def errata(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Return what is printed and refuted: what to read first, and the others by their grade."""
    refuted = {r["id"]: r for r in records if r["verdict"] == Verdict.REFUTED and r["printed"]}
    first = [refuted.pop(name) for name in FIRST if name in refuted]
    return first, sorted(refuted.values(), key=lambda r: _GRADES.index(r["grade"]))


def failed_readings(records: Iterable[Record]) -> list[Record]:
    """Return the readings of this project that fail."""
    return [r for r in records if verdict_words(r) == FAILS]


def verdict_words(record: Record) -> str:
    """Return the verdict as a reader is told it: a reading that fails is no erratum."""
    failed = record["verdict"] == Verdict.REFUTED and record["kind"] == Kind.READ
    return FAILS if failed else str(record["verdict"])


def counted_as(record: Record) -> str:
    """Return under which of ``COUNTED`` a verdict is counted: a computation is no theorem."""
    return "computed" if record["decided_by"] == COMPUTED else verdict_words(record)


def counts_text(records: Sequence[Record]) -> str:
    """Return how many there are of each, such as ``3 proved, 1 computed, 1 open``."""
    counts = Counter(map(counted_as, records))
    return ", ".join(f"{counts[word]} {word}" for word in COUNTED if counts[word])
