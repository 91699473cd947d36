"""Figures of jian2025, "Stable Preference Optimization": where probability goes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.tri import Triangulation

from disband.sims.simplex.initialization import StartMap
from disband.sims.simplex.portraits import Portrait
from disband.verify.experiments.toys.probability import Curve, Evolution

from .drawing import Drawing, Row
from .series import Series, basis
from .style import FIFTH, LOOKS, PAGE, Array, Fill, Look, handles_of, legend, panels, styled

_GAINS = Fill("#F6D3B8", "///")
_PATH, _EDGE = "#1F4E79", "#111111"
# Chosen to the lower right, rejected to the lower left, the irrelevant response on top.
_CORNERS = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, np.sqrt(0.75)]])
_NAMES = ("chosen", "rejected", "irrelevant")
_PARTS = ("chosen label", "rejected label", "neither label")
_MORE = (Look("#0072B2", "-", "o"), Look("#D55E00", (0, (3, 1.2)), "s"), FIFTH)


@styled
def simplex_picture(portraits: Sequence[Portrait], state: str = "", columns: int = 3) -> Drawing:
    """Paths of training on the simplex of three responses, one panel per method.

    Shaded is where the irrelevant response gains at the start of training; a path starts at its
    ring and ends at its dot. A heavy line parts two basins.

    Args:
        portraits: The panels.
        state: What they share, in words.
        columns: Panels in a row.
    """
    rows = -(-len(portraits) // columns)
    figure, grid = panels(rows, columns, (PAGE, 2.15 * rows + 0.6))
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
    legend(figure, handles)
    shares = {one.name: float((one.gain > 0).mean()) for one in portraits}
    least = min(shares, key=lambda name: shares[name])
    return Drawing(
        figure,
        f"The irrelevant response gains at first from {shares[least]:.0%} of the starts under "
        f"{least}, from {max(shares.values()):.0%} where it gains from most.",
        f"{state[:1].upper()}{state[1:]}; {portraits[0].paths.shape[1]} starts a panel, "
        "nothing drawn at random.",
        "A triangle a method: rejected to the left, chosen to the right, irrelevant on top; paths "
        "of training from rings to dots, and a shaded area where the irrelevant response gains.",
        [{"method": one.name, "start": s, "point": when,
          **dict(zip(_NAMES, map(float, one.paths[at, s]), strict=True))}
         for one in portraits for s in range(one.paths.shape[1])
         for when, at in (("start", 0), ("middle", len(one.paths) // 2), ("end", -1))],
    )  # fmt: skip


def _simplex(axes: Axes, one: Portrait) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_title(one.name)
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
        axes.plot(*line, color=_PATH, linewidth=1.0)
        axes.plot(line[0][0], line[1][0], "o", color="white", markeredgecolor=_PATH, markersize=4.5)
        axes.plot(line[0][-1], line[1][-1], "o", color=_PATH, markersize=4)
        _arrow(axes, line)
    if len(one.separatrix):
        axes.plot(*_flat(one.separatrix), color=_EDGE, linewidth=2.2)
    for corner, name, side in zip(_CORNERS, _NAMES, ("right", "left", "center"), strict=True):
        above = corner[1] > 0
        axes.annotate(
            name, corner, (0, 4 if above else -4), textcoords="offset points", ha=side,
            va="bottom" if above else "top", fontsize=7.5,
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
def misallocation_picture(curves: Mapping[str, Mapping[str, Curve]], state: str = "") -> Drawing:
    """Mass on irrelevant responses beyond their start over the margin gained, by kind of world.

    Args:
        curves: By kind of world, then by method.
        state: What they share, in words.
    """
    figure, (row,) = panels(1, len(curves), (PAGE, 2.9))
    methods = list(next(iter(curves.values())))
    looks = dict(zip(methods, (*_MORE, *LOOKS), strict=False))
    rows: list[Row] = []
    peaks: dict[str, list[float]] = {method: [] for method in methods}
    for i, (axes, (kind, lines)) in enumerate(zip(row, curves.items(), strict=True)):
        for name, line in lines.items():
            color, dash, marker = looks[name]
            axes.plot(
                line.margins, line.mean, color=color, linestyle=dash, marker=marker, markevery=8,
                markersize=3.5, label=name if i == 0 else None,
            )  # fmt: skip
            axes.fill_between(
                line.margins, line.mean - line.error, line.mean + line.error, color=color,
                alpha=0.13, linewidth=0,
            )  # fmt: skip
            peaks[name].append(float(np.nanmax(line.mean)))
            rows += [{"world": kind, "method": name, "margin gained": float(m), "mean": float(v),
                      "half interval": float(e)}
                     for m, v, e in zip(line.margins, line.mean, line.error, strict=True)
                     if np.isfinite(v)]  # fmt: skip
        axes.set(title=kind, ylim=(0, None))
    row[0].set_ylabel("misallocated probability")
    figure.supxlabel("mean margin gained (nats)")
    legend(figure, *handles_of(row))
    low, high = (pick(peaks, key=lambda m: max(peaks[m])) for pick in (min, max))
    drawn = Evolution()
    return Drawing(
        figure,
        f"{low} misallocates least at its worst ({max(peaks[low]):.2g}), {high} most "
        f"({max(peaks[high]):.2g}).",
        f"Lines and shades: {state}; {len(drawn.seeds)} seeds of {drawn.worlds} worlds each. Each "
        "panel has a scale of its own.",
        "A panel a kind of world: margin gained to the right, probability that irrelevant "
        "responses hold beyond their start upward, a line a method.",
        rows,
    )


@styled
def initialization_picture(starts: StartMap) -> Drawing:
    """What a margin objective does from each start of one context: three maps."""
    figure, (row,) = panels(1, 3, (PAGE, 3.0))
    parts: tuple[tuple[str, str, Array, Any], ...] = (
        ("chosen's share\nof the margin", "share of the chosen", starts.share,
         np.linspace(0, 1, 11)),
        ("most probability\never misallocated", "misallocated", starts.shifted,
         (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)),
        ("margin until it\nis back (nats)", "margin until back", starts.debt,
         np.arange(0, 19, 2)),
    )  # fmt: skip
    for axes, (title, _, values, levels) in zip(row, parts, strict=True):
        areas = axes.contourf(starts.p_w, starts.p_l, values, levels=levels, cmap="GnBu")
        areas.set_rasterized(True)
        axes.contour(
            starts.p_w, starts.p_l, values, levels=levels, colors="#222222", linewidths=0.4
        )
        bar = figure.colorbar(areas, ax=axes, orientation="horizontal", pad=0.02, aspect=18)
        bar.set_ticks(list(levels)[:: 2 if len(levels) > 9 else 1])
        bar.ax.tick_params(labelsize=6.5)
        if len(levels) <= 9:
            bar.ax.set_xticks(bar.get_ticks(), [f"{v:g}" for v in bar.get_ticks()], rotation=90)
        axes.plot(starts.p_w, starts.p_w, color="black", linestyle=":", linewidth=1.0)
        axes.set(xscale="log", yscale="log")
        axes.set_xlim(starts.p_w[0], 1)
        axes.set_ylim(starts.p_l[0], 1)
        axes.set_title(title)
        axes.grid(visible=False)
    row[0].set_ylabel("probability of the rejected")
    row[1].set_xlabel("probability of the chosen at the start")
    behind = starts.p_w[None, :] < starts.p_l[:, None]
    worst = float(np.nanmax(starts.shifted))
    ahead = float(np.nanmax(np.where(behind, 0.0, starts.shifted)))
    return Drawing(
        figure,
        f"From a start that prefers the rejected, irrelevant responses come to hold up to "
        f"{worst:.2f} more than they did; from one that prefers the chosen, {ahead:g}.",
        "In closed form, for every margin objective in one context. Dotted: both alike.",
        "Three maps over the probabilities of chosen and rejected at the start, on logarithmic "
        "axes.",
        [{"chosen": float(starts.p_w[j]), "rejected": float(starts.p_l[i]),
          **{name: float(values[i, j]) for _, name, values, _ in parts}}
         for i in range(0, len(starts.p_l), 20) for j in range(0, len(starts.p_w), 20)
         if np.isfinite(starts.share[i, j])],
    )  # fmt: skip


@styled
def label_mass_picture(rows: Sequence[Mapping[str, Any]]) -> Drawing:
    """Probability of both labels and of all other tokens over training on a GPT-2.

    Args:
        rows: One a run: ``method``, ``style``, ``seed``, ``updates`` and the mean probabilities
            ``chosen label``, ``rejected label`` and ``neither label`` at each.
    """
    styles = list(dict.fromkeys(row["style"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    figure, grid = panels(len(styles), len(_PARTS), (PAGE, 1.9 * len(styles) + 0.7))
    numbers: list[Row] = []
    gains: dict[str, list[float]] = {method: [] for method in methods}
    for r, style in enumerate(styles):
        for axes, part in zip(grid[r], _PARTS, strict=True):
            for method, look in zip(methods, (*_MORE, *LOOKS), strict=False):
                its = [row for row in rows if (row["method"], row["style"]) == (method, style)]
                if not its:
                    continue
                series = Series(its[0]["updates"], np.array([row[part] for row in its]))
                series.draw(axes, look, method)
                numbers += series.rows(style=style, part=part, method=method)
                if part == _PARTS[-1]:
                    gains[method].append(float(series.mean[-1] - series.mean[0]))
            axes.set_title(part if r == 0 else "")
            axes.set_xlabel("update" if r == len(styles) - 1 else "")
        grid[r][0].set_ylabel(f"{style}\nprobability")
    legend(figure, *handles_of(figure.axes))
    said = ", ".join(
        f"{method} {' and '.join(f'{g:+.2f}' for g in its)}" for method, its in gains.items()
    ).replace("-", "\N{MINUS SIGN}")
    seeds = max(row["seeds"] for row in numbers)
    return Drawing(
        figure,
        f"Change of the probability of neither label, by style ({', '.join(styles)}): {said}.",
        f"{basis(seeds)} Each panel has a scale of its own.",
        "A row a response style; a panel each for the chosen label, the rejected label and all "
        "other tokens: updates to the right, probability upward, a line a method.",
        numbers,
    )
