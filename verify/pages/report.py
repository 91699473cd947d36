"""The report of one run: a JSON file, and a page that reads offline and runs nothing foreign.

What a reader opens is built when it is opened: of thousands of formulas a page pays for those
that are read. The figures lie beside the page and are loaded when they come into view.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sympy import symbols

from disband.theory.band import Case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.javascript import javascript
from disband.theory.symbols import A, B, X, d_l, d_w

from ..deciding.claim import Verdict
from ..deciding.confirmed import confirmed_words, unconfirmed
from ..experiments.gpt2.readings import GAINED
from ..kept.files import json_text, plain, write_text
from .entries import measured
from .errata import COUNTED, FAILS, counted_as, errata, failed_readings
from .findings import found
from .kit import FOLDER, as_is, environment, packed, page
from .mathematics import sentence
from .papers import READ, TITLES, bibtex
from .tables import number

Record = Mapping[str, Any]

SYMBOLS = {
    Verdict.PROVED.value: "✔",
    "computed": "=",
    Verdict.REFUTED.value: "✘",
    FAILS: "✘",
    Verdict.SUPPORTED.value: "▲",
    Verdict.CONTRADICTED.value: "▼",
    Verdict.OPEN.value: "○",
}
LONGEST = 1200  # characters of LaTeX: a longer formula is no help to a reader
_IN_A_TABLE = 90
ON_SCREEN = 1.6  # pixels for a point: figures are drawn for paper, with text of 7 to 9 points


def write_report(report: Record, figures: Mapping[str, Path], folder: Path) -> None:
    """Write ``report.json`` and ``report.html`` to ``folder``, each complete or not at all.

    Args:
        report: Lists ``claims``, ``fixes``, ``objectives``, ``simulations``, ``experiments`` of
            plain mappings, and the mapping ``provenance``; a part that is missing is said to be.
            Numbers that JSON does not have become null.
        figures: Caption → an SVG file in ``folder`` or below it. Beside it may lie its numbers,
            ``.csv``, and below its caption its panels and marks in words, ``.txt``.
        folder: Made when needed.

    Raises:
        TypeError: The report holds what is neither text, number, list nor mapping.
        ValueError: A figure is no SVG, or lies elsewhere.
        OSError: The folder cannot be written, or a figure cannot be read.
    """
    content = plain(report)
    text = html(content, [_figure(*one, folder) for one in figures.items()])
    write_text(folder / "report.json", json_text(content) + "\n")
    write_text(folder / "report.html", text)


def html(report: Record, figures: Sequence[Record] = ()) -> str:
    """Return the page.

    Args:
        report: As :func:`write_report` takes it.
        figures: Of each its ``caption``, its ``file`` from the page, ``width`` and ``height``, its
            words for who does not see it, ``alt``, and the file of its ``numbers``, if any.
    """
    claims = report.get("claims") or []
    objectives = report.get("objectives") or []
    first, others = errata(claims)
    runs = measured(report.get("experiments") or [])
    words_of = {c["id"]: counted_as(c) for c in claims}
    toys, columns, rows = _simulations(report.get("simulations") or [])
    papers = list(dict.fromkeys(claim["paper"] for claim in claims))
    return page(
        FOLDER / "report.html.j2",
        {"held": _held},
        ["\n".join([*band_functions(), (FOLDER / "report.js").read_text("utf-8")])],
        style=as_is((FOLDER / "report.css").read_text("utf-8")),
        report=report,
        figures=figures,
        symbols=SYMBOLS,
        counted=COUNTED,
        counts=Counter(key for c in claims for key in (counted_as(c), (c["paper"], counted_as(c)))),
        words_of=words_of,
        findings=found(claims),
        titles=TITLES,
        read=READ,
        errata_first=first,
        errata_others=others,
        failed_readings=failed_readings(claims),
        unconfirmed=unconfirmed(claims),
        papers=papers,
        known=words_of,
        runs=runs,
        gained=GAINED,
        longest=_IN_A_TABLE,
        toys=toys,
        toy_columns=columns,
        toy_rows=rows,
        facts=as_is(
            _in_a_script(
                {
                    "cases": [case.words for case in Case],
                    "at": {one["name"]: one["at"] for one in objectives if "at" in one},
                    "cite": {paper: bibtex(paper) for paper in papers if paper in TITLES},
                }
            )
        ),
        bodies=packed(dict(_bodies(report, runs))),
    )


def band_functions() -> Iterator[str]:
    """Yield, as JavaScript, what a page needs to place an objective beside the band of a pair.

    ``gram_of_angle(rho, ratio)``, ``band_edges``, ``calibration`` and ``first_order``: the same
    formulas as :mod:`disband.theory`.
    """
    gram = Gram(A, B, X)
    rho, ratio = symbols("rho ratio", real=True)
    yield javascript(list(first_order(d_w, d_l, gram)), [d_w, d_l, A, B, X], "first_order")
    yield javascript([gram.dot / gram.sq_w, gram.sq_l / gram.dot], [A, B, X], "band_edges")
    centring = ((B / A) ** 0.5 * d_l / d_w) ** 0.5
    yield javascript(centring, [d_w, d_l, A, B], "calibration")
    yield javascript([A**0, ratio**2, rho * ratio], [rho, ratio], "gram_of_angle")


def _bodies(report: Record, runs: Mapping[str, Record]) -> Iterator[tuple[str, Record]]:
    """Yield what a page builds when it is asked for, by name: a claim, objective, prediction."""
    template = environment(FOLDER).get_template("bodies.html.j2")
    made: Any = template.make_module({"longest": LONGEST})  # its macros
    claims = report.get("claims") or []
    by_id = {claim["id"]: claim for claim in claims}
    for claim in claims:
        confirmed = confirmed_words(claim) if claim["confirmed"] else ""
        mended = by_id.get(claim["repaired"])
        said = (claim["quote"], claim["note"], mended["says"] if mended else "")
        yield (
            claim["id"],
            {
                "html": _tight(made.claim(claim, mended, confirmed)),
                "words": " ".join(map(sentence, said)).lower(),
                "latex": latex_of(claim),
            },
        )
    for one in report.get("objectives") or []:
        body = made.objective(one, runs.get(one["name"]))
        yield f"objective {one['name']}", {"html": _tight(body)}
    for number_, experiment in enumerate(report.get("experiments") or [], start=1):
        for prediction in experiment.get("predictions") or []:
            name = f"prediction {number_} {prediction['name']}"
            yield name, {"html": _tight(made.prediction(prediction))}


def latex_of(claim: Record) -> str:
    r"""Return a claim to stand in a paper: words, formula, verdict, a ``\cite`` of its source."""
    formula = claim.get("folded") or claim["holds"]
    if claim.get("given"):
        given = r",\ ".join(claim["given"])
        formula = rf"{given} \;\Longrightarrow\; {formula}"
    shown = [rf"\[ {formula} \]"] if claim["holds"] and len(formula) <= LONGEST else []
    place, says = (claim[part].replace("%", r"\%") for part in ("locator", "says"))
    return "\n".join(
        [
            f"% {claim['id']}: {counted_as(claim)}, {claim['decided_by']}",
            rf"{says} \cite[{place}]{{{claim['paper']}}}",
            *shown,
            rf"This is {counted_as(claim)} \cite[\texttt{{{claim['id']}}}]{{disband}}.",
        ]
    )


def _held(predictions: Sequence[Record]) -> int:
    """Return how many predictions held on every seed."""
    seeds = [prediction.get("per_seed") or [] for prediction in predictions]
    return sum(bool(of) and all(one["holds"] is True for one in of) for of in seeds)


def _simulations(studies: Sequence[Record]) -> tuple[list[Record], list[str], list[list[str]]]:
    """Return what the runs of each toy share, and one table of all runs."""
    names = list(dict.fromkeys(study["name"] for study in studies))
    toys: list[Record] = []
    for name in names:
        settings = [study["parameters"] for study in studies if study["name"] == name]
        common = {k: v for k, v in settings[0].items() if all(s.get(k) == v for s in settings)}
        toys.append({"name": name, "common": common})
    shared = {toy["name"]: toy["common"] for toy in toys}
    rows: list[list[str]] = []
    for study in studies:
        own, got = study["parameters"], study["summary"]
        more = [f"{k} {number(v)}" for k, v in own.items() if k not in shared[study["name"]]]
        fell, right = got.get("fell_at"), got.get("signs_right")
        rows.append(
            [
                study["name"],
                study["objective"],
                str(got.get("case_at_start", "–")),
                number(got.get("cosine_at_start")),
                *(number(got.get(key)) for key in _CHANGES),
                "never" if fell is None else str(fell),
                "–" if right is None else number(100 * right),
                ", ".join(more) or "–",
            ]
        )
    return toys, list(_TOY_COLUMNS), rows


_CHANGES = {
    "change_w": "chosen",
    "change_l": "rejected",
    "change_w_before": "chosen, before",
    "change_w_at": "at",
    "change_w_after": "after",
    "change_l_before": "rejected, before",
    "change_l_at": "at",
    "change_l_after": "after",
}
_TOY_COLUMNS = (
    "toy", "objective", "case at the start", "cosine", *_CHANGES.values(),
    "chosen first falls at step", "signs right, %", "hyperparameters",
)  # fmt: skip


def _figure(caption: str, path: Path, folder: Path) -> Record:
    """Return how a page beside which a figure lies shows it."""
    with path.open(encoding="utf-8") as file:
        head = file.read(4096)
    box = re.search(r'<svg\b[^>]*\bviewBox="([-\d. ]+)"', head)
    if not box:
        raise ValueError(f"a figure is an SVG file with a viewBox: {path} begins otherwise")
    if not path.is_relative_to(folder):
        raise ValueError(f"a figure lies beside the page that shows it: {path} is not in {folder}")
    width, height = (round(ON_SCREEN * float(side)) for side in box[1].split()[2:])
    told, numbers = (path.with_suffix(kind) for kind in (".txt", ".csv"))
    words = told.read_text("utf-8").partition("\n\n")[2].strip() if told.is_file() else ""
    return {
        "caption": caption,
        "file": path.relative_to(folder).as_posix(),
        "numbers": numbers.relative_to(folder).as_posix() if numbers.is_file() else "",
        "alt": words or caption,
        "width": width,
        "height": height,
    }


def _tight(markup: str) -> str:
    """Return markup without the line breaks of its template."""
    return re.sub(r"\n\s*", "", markup)


def _in_a_script(data: Record) -> str:
    """Return plain data to stand in a page: no tag can begin in it."""
    return json_text(data, indent=None).replace("<", "\\u003c")
