"""``disband report``: what a training run's log says, for a terminal and as a page."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disband.verify.kept.files import write_json, write_text
from disband.verify.kept.provenance import provenance

from .advice import Said, said, shares
from .diagnosis import Diagnosis, diagnose, of_pairs
from .log_formats import SIDES
from .logs import Run, read
from .motion import ENOUGH

PARTS = (
    ("happened", "What happened"),
    ("cases", "Which case, and when"),
    ("band", "What the band said"),
    ("why", "Why"),
    ("todo", "What to do"),
)


def report(run: Path) -> tuple[Run, Diagnosis, Said]:
    """Read a run and say what happened.

    Raises:
        ValueError: There is no log to read.
        OSError: It cannot be read.
    """
    found = of_pairs(read(run))
    diagnosis = diagnose(found)
    return found, diagnosis, said(diagnosis)


def terminal(run: Run, words: Said) -> str:
    """The report as plain lines."""
    lines = [f"{run.source}  ({_span(run)})", "", words.headline]
    for part, title in PARTS:
        if sentences := getattr(words, part):
            lines += ["", title, *(f"  {sentence}" for sentence in sentences)]
    return "\n".join(lines)


def _span(run: Run) -> str:
    """The steps of a log, and what start and end are."""
    if not run.steps:
        return "no finite number"
    unit = "lines" if run.counted else "steps"
    moved = len(run.steps) >= ENOUGH and any(map(_has_a_side, run.lines))
    means = "; from the mean of the first tenth to that of the last" if moved else ""
    return f"{unit} {run.steps[0]} to {run.steps[-1]}{means}"


def _has_a_side(line: Mapping[str, float]) -> bool:
    return any(name.startswith(SIDES) for name in line)


def record(run: Run, diagnosis: Diagnosis, words: Said) -> dict[str, Any]:
    """Return what was found in a run as plain data."""
    return {
        "source": str(run.source),
        "said": words._asdict(),
        "diagnosis": asdict(diagnosis),
    }


def write(run: Run, diagnosis: Diagnosis, words: Said, folder: Path) -> Path:
    """Write ``run.html`` and ``run.json`` to ``folder``; return the page's path.

    Raises:
        OSError: The folder cannot be written.
    """
    origin = provenance()
    write_json(folder / "run.json", record(run, diagnosis, words) | {"provenance": origin})
    path = folder / "run.html"
    write_text(path, html(run, diagnosis, words, origin))
    return path


def html(run: Run, diagnosis: Diagnosis, words: Said, origin: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    from disband.verify.pages.kit import page

    return page(
        Path(__file__).with_name("report.html.j2"),
        {},
        run=run,
        span=_span(run),
        headline=words.headline,
        parts=[(part, title, getattr(words, part)) for part, title in PARTS],
        phases=[(phase, shares(phase)) for phase in diagnosis.phases],
        means=diagnosis.means,
        last=diagnosis.last,
        figure=_picture(run),
        origin=origin,
    )


def _picture(run: Run) -> Any:
    """The run's figure as SVG, or nothing where there is nothing to draw."""
    from disband.figures.drawing import svg_text
    from disband.figures.run import run_picture
    from disband.verify.pages.kit import svg

    names = sorted({name for line in run.lines for name in line})
    columns = {name: run.column(name) for name in names}
    if not {"rewards/chosen", "logps/chosen", "dynamics/ideal"} & set(names):
        return None
    return svg(svg_text(run_picture(columns)), "run")
