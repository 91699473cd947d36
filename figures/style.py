"""One look for every figure: it survives black-and-white print, colour blindness and one column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from disband.theory.band import Case

Array = NDArray[np.float64]

# Inches: a column and the width of a page of two columns. Text of 7 to 9 points reads at both.
COLUMN, PAGE = 3.35, 7.0
# Text stays text, in a font that matplotlib brings; a fixed salt keeps the ids of an SVG the same.
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 4,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.labelsize": 8,
    "figure.titlesize": 9,
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.5,
    "hatch.color": "#00000055",
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.4,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "mathtext.fontset": "dejavusans",
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "disband",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
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
FIFTH = Look("#C2527F", "-.", "P")


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
    axes.axhline(0, color="#555555", linewidth=0.8, zorder=1)


def outline(axes: Axes, x: Any, y: Any, inside: NDArray[np.bool_], color: str) -> None:
    """Draw the edge of an area of a grid; the mean over neighbours rounds off its steps."""
    if inside.all() or not inside.any():
        return
    padded = np.pad(inside.astype(float), 1, mode="edge")
    rows, columns = inside.shape
    near = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    axes.contour(x, y, np.mean(near, 0), levels=[0.5], colors=color, linewidths=0.9)


def legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str] | None = None) -> None:
    """Put the legend above all panels, in as many columns as the figure is wide."""
    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    named: Any = (handles,) if labels is None else (handles, labels)
    words: dict[str, Any] = {"handles": handles} if labels is None else {}
    for rows in range(1, len(handles) + 1):
        columns = -(-len(handles) // rows)
        made = figure.legend(
            *(() if words else named), **words, loc="outside upper center", ncols=columns
        )
        if columns == 1 or made.get_window_extent(renderer).width <= figure.bbox.width - 4:
            return
        made.remove()


def handles_of(axes: Iterable[Axes]) -> tuple[list[Artist], list[str]]:
    """Return the handles and labels of the legend of these axes, each label once."""
    found: dict[str, Artist] = {}
    for one in axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)


def one_scale(cells: Iterable[Axes], values: Sequence[ArrayLike]) -> float:
    """Give all axes one scale of changes: linear around zero, logarithmic beyond; return where.

    It is linear as far as the smallest of the largest changes of each panel, rounded down to a
    power of ten, so that a panel of small changes is seen beside one of large ones.
    """
    known = [np.abs(np.asarray(v, float)[np.isfinite(v)]) for v in values]
    largest = [float(v.max()) for v in known if v.size and v.max() > 0]
    linear = 10.0 ** np.floor(np.log10(min(largest))) if largest else 1.0
    every = np.concatenate([np.asarray(v, float).ravel() for v in values] or [np.zeros(1)])
    every = every[np.isfinite(every)]
    low, high = min(0.0, float(every.min(initial=0))), max(0.0, float(every.max(initial=0)))
    powers = [linear * 10.0**k for k in range(12)]
    ends = [(next(p for p in powers if p >= size) if size else 0.0) for size in (-low, high)]
    ticks = sorted(
        {0.0, *(-p for p in powers if p <= ends[0]), *(p for p in powers if p <= ends[1])}
    )
    for axes in cells:
        axes.set_yscale("symlog", linthresh=linear, linscale=0.8)
        axes.set_ylim(1.6 * low or -0.3 * linear, 1.6 * high or 0.3 * linear)
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: signed(v)))
        axes.yaxis.set_minor_locator(NullLocator())
    return linear


def apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return bottoms of boxes that stand on no other: moved up, then down again from the top."""
    bottoms: list[float] = []
    free = -np.inf
    for bottom, height in zip(wanted, heights, strict=True):
        bottoms.append(max(bottom, free))
        free = bottoms[-1] + height
    free = max(1.0, wanted[-1] + heights[-1]) if bottoms else 1.0
    for i in reversed(range(len(bottoms))):
        bottoms[i] = min(bottoms[i], free - heights[i])
        free = bottoms[i]
    return bottoms


def signed(value: float) -> str:
    """Return a number with a minus sign that is one."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def plain(text: str) -> str:
    """Return ``text`` as it will be drawn: no mathematics, spaces seen, no missing glyphs."""
    seen = text.replace("Ġ", " ").replace(" ", "␣").replace("$", r"\$")
    return "".join(
        c if c == "␣" or (c.isascii() and c.isprintable()) else f"U+{ord(c):04X}" for c in seen
    )
