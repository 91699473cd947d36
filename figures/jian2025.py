"""Figures of jian2025, "Stable Preference Optimization": where probability goes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.tri import Triangulation

from disband.sims.simplex.initialization import StartMap
from disband.sims.simplex.portraits import Portrait
from disband.verify.experiments.toys.probability import Curve

from .style import LOOKS, Array, Fill, Look, draw, panels, spread, styled

_GAINS = Fill("#F6D3B8", "///")
_PATH, _EDGE = "#1F4E79", "#111111"
# Chosen to the lower right, rejected to the lower left, the irrelevant response on top.
_CORNERS = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, np.sqrt(0.75)]])
_NAMES = ("chosen", "rejected", "irrelevant")
_PARTS = ("chosen label", "rejected label", "neither label")
_MORE = (Look("#0072B2", "-", "o"), Look("#D55E00", (0, (3, 1.2)), "s"), Look("#CC79A7", "-.", "P"))


@styled
def simplex_picture(portraits: Sequence[Portrait], state: str = "", columns: int = 3) -> Figure:
    """Paths of training on the simplex of three responses, one panel per method.

    Shaded is where the irrelevant response gains at the start of training; a path starts at its
    ring and ends at its dot. A heavy line parts two basins.

    Args:
        portraits: The panels.
        state: What they share, in words.
        columns: Panels in a row.
    """
    rows = -(-len(portraits) // columns)
    figure, grid = panels(rows, columns, (3.1 * columns, 2.85 * rows + 0.9))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(portraits) :]:
        axes.set_axis_off()
    for axes, one in zip(cells, portraits, strict=False):
        _simplex(axes, one)
    handles = [
        Patch(
            facecolor=_GAINS.color, hatch=_GAINS.hatch, label="irrelevant response gains at first"
        ),
        Line2D([], [], color=_PATH, marker="o", label="training, from ring to dot", markersize=4),
        Line2D([], [], color="#555555", linestyle=":", label="chosen and rejected alike"),
        Line2D([], [], color=_EDGE, linewidth=2.6, label="edge between two basins"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    if state:
        figure.supxlabel(state, fontsize=8.5, color="#444444")
    return figure


def _simplex(axes: Axes, one: Portrait) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_title(one.name, fontsize=10.5)
    x, y = _flat(one.rows)
    axes.tricontourf(
        Triangulation(x, y), one.gain, levels=[0.0, max(1e-9, float(one.gain.max()))],
        colors=[_GAINS.color], hatches=[_GAINS.hatch],
    )  # fmt: skip
    corners = np.vstack([_CORNERS, _CORNERS[:1]])
    axes.plot(corners[:, 0], corners[:, 1], color="#333333", linewidth=1.0)
    middle = _flat(np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    axes.plot(*middle, color="#555555", linestyle=":", linewidth=1.1)
    for path in one.paths.transpose(1, 0, 2):
        line = _flat(path)
        axes.plot(*line, color=_PATH, linewidth=1.2)
        axes.plot(line[0][0], line[1][0], "o", color="white", markeredgecolor=_PATH, markersize=4.5)
        axes.plot(line[0][-1], line[1][-1], "o", color=_PATH, markersize=4)
        _arrow(axes, line)
    if len(one.separatrix):
        axes.plot(*_flat(one.separatrix), color=_EDGE, linewidth=2.6)
    for corner, name, side in zip(_CORNERS, _NAMES, ("right", "left", "center"), strict=True):
        above = corner[1] > 0
        axes.annotate(
            name, corner, (0, 4 if above else -4), textcoords="offset points", ha=side,
            va="bottom" if above else "top", fontsize=8.5,
        )  # fmt: skip
    axes.set(xlim=(-0.04, 1.04), ylim=(-0.09, 0.97))


def _arrow(axes: Axes, line: tuple[Array, Array]) -> None:
    """Point along a path at half of its length."""
    x, y = line
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    if along[-1] < 0.05:
        return
    start, end = (
        tuple(float(np.interp(share * along[-1], along, v)) for v in (x, y))
        for share in (0.48, 0.52)
    )
    axes.annotate(
        "", (end[0], end[1]), (start[0], start[1]),
        arrowprops={"arrowstyle": "-|>", "color": _PATH, "linewidth": 0.8, "mutation_scale": 9},
    )  # fmt: skip


def _flat(rows: Array) -> tuple[Array, Array]:
    at = rows @ _CORNERS
    return at[..., 0], at[..., 1]


@styled
def misallocation_picture(curves: Mapping[str, Mapping[str, Curve]], state: str = "") -> Figure:
    """Mass on irrelevant responses beyond their start over the margin gained, by kind of world.

    Args:
        curves: By kind of world, then by method.
        state: What they share, in words.
    """
    figure, (row,) = panels(1, len(curves), (3.4 * len(curves), 3.7))
    methods = list(next(iter(curves.values())))
    looks = dict(zip(methods, (*_MORE, *LOOKS), strict=False))
    for i, (axes, (kind, lines)) in enumerate(zip(row, curves.items(), strict=True)):
        for name, line in lines.items():
            color, dash, marker = looks[name]
            axes.plot(
                line.margins, line.mean, color=color, linestyle=dash, marker=marker, markevery=8,
                markersize=4.5, label=name if i == 0 else None,
            )  # fmt: skip
            axes.fill_between(
                line.margins, line.mean - line.error, line.mean + line.error, color=color,
                alpha=0.13, linewidth=0,
            )  # fmt: skip
        axes.set(title=kind, xlabel="mean margin gained (nats)", ylim=(0, None))
    row[0].set_ylabel("misallocated probability")
    figure.legend(loc="outside upper center", ncols=4)
    if state:
        figure.supxlabel(state, fontsize=8.5, color="#444444")
    return figure


@styled
def initialization_picture(starts: StartMap) -> Figure:
    """What a margin objective does from each start of one context: three maps."""
    figure, (row,) = panels(1, 3, (10.4, 3.9))
    parts: tuple[tuple[str, Array, Any, str], ...] = (
        ("the chosen's share of the margin", starts.share, np.linspace(0, 1, 11), "%.1f"),
        (
            "most probability ever misallocated",
            starts.shifted,
            (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1),
            "%g",
        ),
        ("margin until it is back (nats)", starts.debt, np.arange(0, 19, 2), "%g"),
    )
    for axes, (title, values, levels, form) in zip(row, parts, strict=True):
        axes.contourf(starts.p_w, starts.p_l, values, levels=levels, cmap="GnBu")
        lines = axes.contour(
            starts.p_w, starts.p_l, values, levels=levels, colors="#222222", linewidths=0.6
        )
        axes.clabel(lines, fmt=form, fontsize=7.5)
        axes.plot(starts.p_w, starts.p_w, color="black", linestyle=":", linewidth=1.2)
        axes.set(xscale="log", yscale="log", xlabel="probability of the chosen at the start")
        axes.set_xlim(starts.p_w[0], 1)
        axes.set_ylim(starts.p_l[0], 1)
        axes.set_title(title, fontsize=10)
        axes.grid(visible=False)
    row[0].set_ylabel("probability of the rejected at the start")
    return figure


@styled
def label_mass_picture(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Probability of both labels and of all other tokens over training on a GPT-2.

    Args:
        rows: One a run: ``method``, ``style``, ``seed``, ``updates`` and the mean probabilities
            ``chosen label``, ``rejected label`` and ``neither label`` at each.
    """
    styles = list(dict.fromkeys(row["style"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    figure, grid = panels(len(styles), len(_PARTS), (9.6, 2.5 * len(styles) + 0.9))
    for r, style in enumerate(styles):
        for axes, part in zip(grid[r], _PARTS, strict=True):
            for method, look in zip(methods, (*_MORE, *LOOKS), strict=False):
                its = [row for row in rows if (row["method"], row["style"]) == (method, style)]
                if not its:
                    continue
                values = np.array([row[part] for row in its])
                draw(axes, its[0]["updates"], values.mean(0), look, method)
                spread(axes, its[0]["updates"], values, look)
            axes.set_title(part if r == 0 else "")
            axes.set_xlabel("update" if r == len(styles) - 1 else "")
        grid[r][0].set_ylabel(f"{style}\nprobability")
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    shown = [method for method in methods if method in lines]
    figure.legend([lines[m] for m in shown], shown, loc="outside upper center", ncols=4)
    return figure
