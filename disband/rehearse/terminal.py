"""What a rehearsal found, as one table in a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..terminal.errors import visible
from .page import COLUMNS, table_of
from .run import Record

_WIDTH = 120  # where there is no terminal to ask


def show(record: Record, out: Path, console: Console | None = None) -> None:
    """Print the verdict, the table, what its columns are, and where the rest is."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(f"\n{visible(record['verdict'])}\n", markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "arm" else "right", no_wrap=True)
    for row in table_of(record["arms"]):
        table.add_row(*(visible(cell) for cell in row))
    console.print(table, markup=False)
    settings, data = record["settings"], record["data"]
    console.print(
        f"\nMean changes in nats of {data['held_out']} held-out pairs, with 95 % intervals, after "
        f"{settings['steps']} updates of {settings['batch']} pairs with {settings['optimizer']} at "
        f"{settings['rate']:g}. Highest: the update after which the mean chosen was.",
        markup=False,
    )
    if settings["quick"]:
        console.print(
            f"A pilot of {settings['asked']['steps']} updates at {settings['asked']['rate']:g}: a "
            "quarter of them, at four times the rate.",
            markup=False,
        )
    console.print(
        f"Report: {out / 'rehearse.html'}   data: {out / 'rehearse.json'}", soft_wrap=True,
        markup=False,
    )  # fmt: skip
