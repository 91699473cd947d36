"""``disband report``: what a training run's log says, for a terminal and as a page."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disband.verify.kept.provenance import provenance
from disband.verify.kept.store import write_text

from .advice import Said, said, shares
from .diagnosis import Diagnosis, diagnose
from .logs import Run, read

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
    found = read(run)
    diagnosis = diagnose(found)
    return found, diagnosis, said(diagnosis)


def terminal(run: Run, words: Said) -> str:
    """The report as plain lines."""
    lines = [f"{run.source}  (steps {run.steps[0]} to {run.steps[-1]})", "", words.headline]
    for part, title in PARTS:
        if sentences := getattr(words, part):
            lines += ["", title, *(f"  {sentence}" for sentence in sentences)]
    return "\n".join(lines)


def write(run: Run, diagnosis: Diagnosis, words: Said, folder: Path) -> Path:
    """Write ``run.html`` and ``run.json`` to ``folder``; return the page's path.

    Raises:
        OSError: The folder cannot be written.
    """
    origin = provenance()
    record = {
        "source": str(run.source),
        "said": words._asdict(),
        "diagnosis": asdict(diagnosis),
        "provenance": origin,
    }
    write_text(folder / "run.json", json.dumps(_plain(record), indent=2, ensure_ascii=False) + "\n")
    page = folder / "run.html"
    write_text(page, html(run, diagnosis, words, origin))
    return page


def html(run: Run, diagnosis: Diagnosis, words: Said, origin: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from disband.verify.pages.report import shown

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment.get_template("report.html.j2").render(
        run=run,
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
    from disband.figures.run import run_picture
    from disband.figures.style import svg_text
    from disband.verify.pages.report import svg

    names = sorted({name for line in run.lines for name in line})
    columns = {name: run.column(name) for name in names}
    if not {"rewards/chosen", "logps/chosen", "dynamics/ideal"} & set(names):
        return None
    return svg(svg_text(run_picture(columns)), "run")


def _plain(value: Any) -> Any:
    """What JSON can say: not-a-number becomes nothing."""
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124
