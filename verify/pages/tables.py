"""Tables with what they say, and how numbers are written in them."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import TypedDict


class Part(TypedDict):
    """One table.

    Args:
        title: What was run, in words.
        command: What makes it again.
        columns: Their heads.
        rows: Cells, as they are to be read.
        says: Sentences below it, made of its numbers.
    """

    title: str
    command: str
    columns: list[str]
    rows: list[list[str]]
    says: list[str]


def markdown(part: Part) -> str:
    """Return it as Markdown, under its title."""
    command = f": `{part['command']}`" if part["command"] else ""
    lines = [
        f"**{part['title']}**{command}.\n",
        *table(part["columns"], part["rows"]),
        "",
        *(f"* {sentence}" for sentence in part["says"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def cell(text: object) -> str:
    """What stands in a table: a bar ends no cell."""
    return str(text).replace("|", "\\|")


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


def table(columns: Sequence[object], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return the lines of a table in Markdown; a bar in a cell ends none."""
    return [_line(columns), "|" + "---|" * len(columns), *map(_line, rows)]


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a reader would write it; of nothing there is none."""
    return "–" if share is None or isnan(share) else f"{100 * share:.{digits}f} %"


def number(value: float | None) -> str:
    """A number with four significant digits and a true minus sign; a dash for none."""
    return "–" if value is None else f"{value:z.4g}".replace("-", "−").replace("inf", "∞")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
