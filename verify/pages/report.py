"""The report of one run: a JSON file, and a page that reads offline and runs nothing foreign."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..deciding.claim import Verdict
from ..deciding.confirmed import confirmed_words, unconfirmed
from ..kept.files import json_text, plain, write_text
from .errata import COUNTED, counted_as, errata, failed_readings
from .kit import page, svg

SYMBOLS = {
    Verdict.PROVED: "✔",
    Verdict.REFUTED: "✘",
    Verdict.SUPPORTED: "▲",
    Verdict.CONTRADICTED: "▼",
    Verdict.OPEN: "○",
}


def write_report(
    report: Mapping[str, Any], figures: Mapping[str, str | Path], folder: Path
) -> None:
    """Write ``report.json`` and ``report.html`` to ``folder``, each complete or not at all.

    Args:
        report: Lists ``claims``, ``fixes``, ``objectives``, ``simulations``, ``experiments`` of
            plain mappings, and the mapping ``provenance``; a part that is missing is said to be.
            Numbers that JSON does not have become null.
        figures: Caption → SVG text, or the path of an SVG file.
        folder: Made when needed.

    Raises:
        TypeError: The report holds what is neither text, number, list nor mapping.
        ValueError: A figure is no SVG.
        OSError: The folder cannot be written, or a figure cannot be read.
    """
    content = plain(report)
    text = html(content, figures)
    write_text(folder / "report.json", json_text(content) + "\n")
    write_text(folder / "report.html", text)


def html(report: Mapping[str, Any], figures: Mapping[str, str | Path]) -> str:
    """Return the page: one file, formulas as MathML, figures as SVG, no external reference."""
    claims = report.get("claims") or []
    first, others = errata(claims)
    drawn = {
        caption: svg(figure.read_text("utf-8") if isinstance(figure, Path) else figure, f"f{i}")
        for i, (caption, figure) in enumerate(figures.items())
    }
    return page(
        Path(__file__).with_name("report.html.j2"),
        {},
        report=report,
        figures=drawn,
        symbols={verdict.value: symbol for verdict, symbol in SYMBOLS.items()},
        counted=COUNTED,
        counts=Counter(key for c in claims for key in (counted_as(c), (c["paper"], counted_as(c)))),
        errata_first=first,
        errata_others=others,
        failed_readings=failed_readings(claims),
        confirmed={c["id"]: confirmed_words(c) for c in claims if c["confirmed"]},
        unconfirmed=unconfirmed(claims),
        papers=list(dict.fromkeys(claim["paper"] for claim in claims)),
        known={claim["id"]: claim["verdict"] for claim in claims},
        says={claim["id"]: claim["says"] for claim in claims},
    )
