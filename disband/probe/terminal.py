"""What ``disband probe`` found, as tables and lines in a terminal."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from disband.theory.outcome import Outcome
from disband.verify.pages.tables import number as number_of
from disband.verify.pages.tables import percent

from ..terminal.errors import visible
from .horizon import HORIZON, horizon_rows
from .records import Horizon, Outcomes, Quantiles, Record, Share

_WIDTH = 100  # where there is no terminal to ask


def show(record: Record, out: Path, console: Console | None = None) -> None:
    """Print the verdict and what to do, what the data are, the tables, and where the rest is."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH

    def say(text: str, **how: Any) -> None:
        console.print(visible(text), markup=False, **how)

    say(f"\n{record['verdict']}")
    for number, rule in enumerate(record["actions"], 1):
        say(f"{number}. {rule['advice']}")
        measured = rule["measured"][:1].upper() + rule["measured"][1:]
        say(f"   {measured}. {rule['reason']}", style="dim")
    data = record["data"]
    told = ", ".join(
        f"{value} {name.replace('_', ' ')}" for name, value in data["counts"].items() if value
    )
    say(f"\nData: {told}.")
    say(f"Columns: {data['columns']}")
    for note in data["notes"]:
        say(f"Note: {note}.")
    start = "the reference is the model itself" if _self(record) else "with its own reference"
    for position, margin in enumerate(record["settings"]["margins"]):
        title = f"rejected {number_of(margin)} nats lower" if margin else f"at the start ({start})"
        console.print()
        console.print(_cases(record, position, f"One pair at a time, {title}"))
    if any(record["batches"]):
        console.print()
        console.print(_batches(record))
    if record["horizon"]:
        console.print()
        console.print(_horizon(record["horizon"]))
        say(_FORECAST)
    say(record["settings"]["metric"]["words"])
    say(_audit(record["settings"]["audit"]))
    if kept := record["kept"]:
        say(
            f"\nFiltered copy: {kept['kept']} of {kept['of']} rows in {kept['path']} "
            f"({kept['rule']}: {kept['words']})",
            soft_wrap=True,
        )
    say(f"\nReport: {out / 'probe.html'}   data: {out / 'probe.json'}", soft_wrap=True)


def _audit(errors: dict[str, float] | None) -> str:
    if errors is None:
        return "Not audited: copies of the trained parameters exceed --memory."
    return (
        "Audit of one pair: its score products are within "
        f"{errors['gram']:.0e} of those of written-out gradients, relative to the norms, and its "
        f"first-order changes within {errors['step']:.0e} of a small real step's."
    )


def _self(record: Record) -> bool:
    return bool(record["settings"]["reference"]["source"] == "start")


def _cases(record: Record, position: int, title: str) -> Table:
    at: list[Outcomes] = [report["at"][position]["outcomes"] for report in record["pairs"]]
    kinds = [
        o for o in Outcome if o < Outcome.STILL or any(of[o.name.lower()]["count"] for of in at)
    ]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("objective")
    for kind in kinds:
        table.add_column(_SHORT[kind], justify="right")
    table.add_column("δ: median (10–90 %)", justify="right")
    for report, of in zip(record["pairs"], at, strict=True):
        shares = [_share(of[kind.name.lower()]) for kind in kinds]
        table.add_row(report["objective"], *shares, _spread(report["at"][position]["calibration"]))
    return table


_SHORT = {
    Outcome.IDEAL: "ideal",
    Outcome.BOTH_FALL: "both fall",
    Outcome.BOTH_RISE: "both rise",
    Outcome.REVERSED: "reversed",
    Outcome.STILL: "neither",
    Outcome.UNKNOWN: "no number",
}


def _batches(record: Record) -> Table:
    measured = [
        (pair, batch)
        for pair, batch in zip(record["pairs"], record["batches"], strict=True)
        if batch
    ]
    first = measured[0][1]
    table = Table(
        title=f"{first['batches']} whole batches of {first['size']} pairs, their means",
        title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name in ("objective", "mean w falls", "mean l rises", "pairs both fall",
                 "empty bands", "δ: median (10–90 %)"):  # fmt: skip
        table.add_column(name, justify="left" if name == "objective" else "right")
    for pair, one in measured:
        means = one["means"]
        falls = means["both_fall"]["count"] + means["reversed"]["count"]
        rises = means["both_rise"]["count"] + means["reversed"]["count"]
        empty = one["empty_band"]
        table.add_row(
            pair["objective"], f"{falls} of {one['batches']}", f"{rises} of {one['batches']}",
            percent(one["pairs"]["both_fall"]["share"]), f"{empty['count']} of {empty['of']}",
            _spread(one["factor"]),
        )  # fmt: skip
    return table


_FORECAST = (
    "Mean changes in nats: forecast for the pairs of these batches, trained on again and again, "
    "and for others held out; to first order, with the scores of the start. Below start: from "
    "which update on. Trust: how much the forecasts by all measured places and by half of them "
    "differ, and how far from the nearest one the run ends, as shares; both small are good."
)


def _horizon(horizon: Horizon) -> Table:
    table = Table(
        title=f"After {horizon['steps']} updates at {horizon['rate']:g} with "
        f"{horizon['optimizer']}, forecast",
        title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name in HORIZON:
        table.add_column(name, justify="left" if name == "objective" else "right")
    for row in horizon_rows(horizon):
        table.add_row(*row)
    return table


def _share(of: Share) -> str:
    return f"{percent(of['share'])} ({percent(of['low'])[:-2]}–{percent(of['high'])[:-2]})"


def _spread(quantiles: Quantiles | None) -> str:
    if quantiles is None:
        return "–"
    ends = (quantiles["median"], quantiles["p10"], quantiles["p90"])
    middle, low, high = (f"{value:.3g}" for value in ends)
    return f"{middle} ({low}–{high})"
