"""The command that explains a training run, or compares two."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path

import click

from ..terminal.errors import require_writable, user_input, writing
from .shared import JSON, OUT, show


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, exists=True))
@click.argument(
    "other", metavar="[OTHER]", required=False, type=click.Path(path_type=Path, exists=True)
)
@OUT
@JSON
def report(*, run: Path, other: Path | None, out: Path, as_json: bool) -> None:
    """Explain a training run from its log, or set two runs side by side.

    RUN is a trainer's output folder, with trainer_state.json in it or in a checkpoint, or with
    JSON lines, CSV or TensorBoard's files; or such a file, what a trainer printed, W&B's history or
    the table of a model card. Says what happened to chosen and rejected, when, in which case the
    pairs were, what the band said and what to do, and writes run.html and run.json. Why it happened
    is told of a run that disband.Monitor watched; see docs/monitor.md.

    \b
    disband report my-run
    disband report my-run/checkpoint-500/trainer_state.json --out why
    disband report my-run another-run
    """
    from ..monitor import report as run_report
    from ..monitor.side_by_side import side_by_side

    require_writable(out)
    with user_input():
        reports = [run_report.report(path) for path in (run, other) if path is not None]
    if len(reports) > 1:
        show(
            as_json,
            lambda: {"runs": [run_report.record(*each) for each in reports]},
            lambda: side_by_side(reports),
        )
        return
    log, diagnosis, words = reports[0]
    show(
        as_json,
        lambda: run_report.record(log, diagnosis, words),
        lambda: run_report.terminal(log, words),
    )
    with writing(out):
        page = run_report.write(log, diagnosis, words, out)
    click.echo(f"\nReport: {page}   data: {page.with_suffix('.json')}", err=as_json)
