"""The command that explains a training run."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path

import click

from ..terminal.errors import require_writable, user_input, writing
from .shared import JSON, OUT, show


@click.command()
@click.argument("run", metavar="RUN_DIR", type=click.Path(path_type=Path, exists=True))
@OUT
@JSON
def report(*, run: Path, out: Path, as_json: bool) -> None:
    """Explain a training run from its log.

    RUN_DIR is a trainer's output folder, with trainer_state.json in it or in a checkpoint, or with
    a JSONL file of metrics; or such a file. Says what happened to chosen and rejected, when, in
    which case the pairs were, what the band said and what to do, and writes run.html and run.json.
    Most of it needs a run that disband.Monitor watched; see docs/monitor.md.

    \b
    disband report my-run
    disband report my-run/checkpoint-500/trainer_state.json --out why
    """
    from ..monitor import report as run_report

    require_writable(out)
    with user_input():
        log, diagnosis, words = run_report.report(run)
    show(
        as_json,
        lambda: run_report.record(log, diagnosis, words),
        lambda: run_report.terminal(log, words),
    )
    with writing(out):
        page = run_report.write(log, diagnosis, words, out)
    click.echo(f"\nReport: {page}   data: {page.with_suffix('.json')}", err=as_json)
