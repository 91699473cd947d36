"""A table with what it says, before it becomes Markdown or a page."""

from collections.abc import Sequence
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
        _line(part["columns"]),
        "|" + "---|" * len(part["columns"]),
        *map(_line, part["rows"]),
        "",
        *(f"* {sentence}" for sentence in part["says"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def percent(share: float) -> str:
    """A share as a reader would write it."""
    return f"{share:.1%}".replace("%", " %")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
