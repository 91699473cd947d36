"""What ``disband probe`` found, as tables and lines in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from disband.theory.outcome import Outcome
from disband.verify.pages.tables import percent

from ..terminal.numbers import number

_WIDTH = 100  # where there is no terminal to ask


def show(record: Mapping[str, Any], out: Path, console: Console | None = None) -> None:
    """Print the shares of cases, the batches, the recommendation, and where the rest is."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    start = "the reference is the model itself" if _self(record) else "with its own reference"
    for position, margin in enumerate(record["settings"]["margins"]):
        title = f"rejected {number(margin)} nats lower" if margin else f"at the start ({start})"
        console.print()
        console.print(_cases(record, position, f"One pair at a time, {title}"))
    if record["batches"][0]:
        console.print()
        console.print(_batches(record))
    counts = record["data"]["counts"]
    told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items() if value)
    for text in (
        "",
        f"Data: {told}.",
        record["settings"]["metric"]["words"],
        "",
        "Recommendation",
    ):
        console.print(text, markup=False)
    for one in record["advice"]:
        if one["applies"]:
            measured = one["measured"][:1].upper() + one["measured"][1:]
            console.print(f"• {one['advice']}", markup=False)
            console.print(f"  {measured}. {one['reason']}", markup=False, style="dim")
    if kept := record["kept"]:
        console.print(
            f"\nFiltered copy: {kept['kept']} of {kept['of']} rows in {kept['path']} "
            f"({kept['rule']}: {kept['words']})",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(
        f"\nReport: {out / 'probe.html'}   data: {out / 'probe.json'}", markup=False, soft_wrap=True
    )


def _self(record: Mapping[str, Any]) -> bool:
    return bool(record["settings"]["reference"]["source"] == "start")


def _cases(record: Mapping[str, Any], position: int, title: str) -> Table:
    at = [one["at"][position]["outcomes"] for one in record["pairs"]]
    kinds = [
        o for o in Outcome if o < Outcome.STILL or any(of[o.name.lower()]["count"] for of in at)
    ]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("objective")
    for kind in kinds:
        table.add_column(_SHORT[kind], justify="right")
    table.add_column("δ: median (10–90 %)", justify="right")
    for one, of in zip(record["pairs"], at, strict=True):
        shares = [_share(of[kind.name.lower()]) for kind in kinds]
        table.add_row(one["objective"], *shares, _spread(one["at"][position]["calibration"]))
    return table


_SHORT = {
    Outcome.IDEAL: "ideal",
    Outcome.BOTH_FALL: "both fall",
    Outcome.BOTH_RISE: "both rise",
    Outcome.REVERSED: "reversed",
    Outcome.STILL: "neither",
    Outcome.UNKNOWN: "no number",
}


def _batches(record: Mapping[str, Any]) -> Table:
    first = record["batches"][0]
    table = Table(
        title=f"{first['batches']} whole batches of {first['size']} pairs, their means",
        title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name in ("objective", "mean w falls", "mean l rises", "pairs both fall",
                 "empty bands", "δ: median (10–90 %)"):  # fmt: skip
        table.add_column(name, justify="left" if name == "objective" else "right")
    for pair, one in zip(record["pairs"], record["batches"], strict=True):
        means = one["means"]
        falls = means["both_fall"]["count"] + means["reversed"]["count"]
        rises = means["both_rise"]["count"] + means["reversed"]["count"]
        empty = one["empty band"]
        table.add_row(
            pair["objective"], f"{falls} of {one['batches']}", f"{rises} of {one['batches']}",
            percent(one["pairs"]["both_fall"]["share"]), f"{empty['count']} of {empty['of']}",
            _spread(one["factor"]),
        )  # fmt: skip
    return table


def _share(of: Mapping[str, Any]) -> str:
    return f"{percent(of['share'])} ({percent(of['low'])[:-2]}–{percent(of['high'])[:-2]})"


def _spread(quantiles: Mapping[str, float] | None) -> str:
    if quantiles is None:
        return "–"
    middle, low, high = (f"{quantiles[name]:.3g}" for name in ("median", "p10", "p90"))
    return f"{middle} ({low}–{high})"
