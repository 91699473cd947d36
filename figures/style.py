"""One look for every figure: it survives black-and-white print and colour blindness."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disband.theory.band import Case
from disband.verify.kept.files import whole_file

Array = NDArray[np.float64]

# Text becomes paths: a reader needs no font of ours. A fixed salt keeps the ids of an SVG the
# same from run to run.
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.titlesize": 12,
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.6,
    "hatch.color": "#00000055",
    "hatch.linewidth": 0.7,
    "legend.fontsize": 9.5,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.8,
    "legend.handlelength": 2.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.dpi": 160,
    "svg.fonttype": "path",
    "svg.hashsalt": "disband",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}

styled = rc_context(_STYLE)


class Look(NamedTuple):
    """How one kind of thing is drawn everywhere: colour, dash and marker all differ."""

    color: str
    linestyle: str | tuple[float, tuple[float, ...]]
    marker: str


CHOSEN = Look("#0072B2", "-", "o")
REJECTED = Look("#D55E00", (0, (5, 1.6)), "s")
# For families of lines that are neither chosen nor rejected: colours of Okabe and Ito.
LOOKS = (
    Look("#009E73", "-", "^"),
    Look("#7A4B9A", (0, (5, 1.6)), "D"),
    Look("#A87900", (0, (1.2, 1.2)), "v"),
    Look("#3C3C3C", (0, (6, 1.5, 1.2, 1.5)), "X"),
)


class Fill(NamedTuple):
    """How an area is drawn: a light colour, and a hatch for print without colour."""

    color: str
    hatch: str


FILLS: Mapping[Case, Fill] = {
    Case.IDEAL: Fill("#DCEFE6", ""),
    Case.BOTH_FALL: Fill("#BBD3EA", "\\\\\\"),
    Case.BOTH_RISE: Fill("#F6D3B8", "///"),
    Case.REVERSED: Fill("#D9D9D9", "xxx"),
}


def panels(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of ``size`` inches and its axes, row by row; no global state is touched."""
    figure = Figure(figsize=size)
    grid = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in grid]


def draw(axes: Axes, x: Any, y: Any, look: Look, label: str) -> None:
    """Draw one line with a marker at about nine of its points."""
    color, dash, marker = look
    every = max(1, -(-len(x) // 9))
    axes.plot(x, y, color=color, linestyle=dash, marker=marker, markevery=every, label=label)


def spread(axes: Axes, x: Any, each: Any, look: Look) -> None:
    """Draw the rows of ``each``, one per seed: thin lines over the band that they span."""
    if len(each) > 1:
        axes.fill_between(
            x, np.min(each, 0), np.max(each, 0), color=look.color, alpha=0.15, linewidth=0
        )
        for row in each:
            axes.plot(x, row, color=look.color, linewidth=0.7, alpha=0.6)


def zero_line(axes: Axes) -> None:
    """Mark where nothing changes."""
    axes.axhline(0, color="#555555", linewidth=0.9, zorder=1)


def plain(text: str) -> str:
    """Return ``text`` as it will be drawn: no mathematics, spaces seen, no missing glyphs."""
    seen = text.replace("Ġ", " ").replace(" ", "␣").replace("$", r"\$")
    return "".join(
        c if c == "␣" or (c.isascii() and c.isprintable()) else f"U+{ord(c):04X}" for c in seen
    )


@styled
def svg_text(figure: Figure) -> str:
    """Return the figure as SVG, the same text for the same figure."""
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


@styled
def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.svg`` and ``name.png`` to ``folder``, each complete or not at all.

    The same figure gives the same bytes: no dates, no versions, no random ids.

    Raises:
        OSError: The folder cannot be written.
    """
    formats: tuple[tuple[Literal["svg", "png"], dict[str, None]], ...] = (
        ("svg", {"Date": None, "Creator": None}),
        ("png", {"Software": None}),
    )
    for kind, metadata in formats:
        with whole_file(folder / f"{name}.{kind}") as file:
            figure.savefig(file, format=kind, metadata=metadata)
    return folder / f"{name}.svg", folder / f"{name}.png"
