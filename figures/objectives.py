"""Pictures of many objectives at once: phase diagrams, and the ratio along one toy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from disband.sims.pairs.gallery import Line
from disband.sims.surveys.phases import STILL, Phases
from disband.theory.band import Case

from .style import FILLS, Fill, panels, styled, zero_line

_STILL = Fill("#FFFFFF", "...")
_RATIOS = (0.125, 0.5, 1.0, 2.0, 8.0)  # norm ratios that are marked
_SPAN = 4.2  # log r beyond this is drawn on the edge
_SAME, _ROOM = 0.16, 0.44  # in nats: ends that share a label, and the height of a label
_WIDTH = 30  # letters of a label
_TAG: dict[str, Any] = {
    "fontsize": 9.5,
    "fontweight": "bold",
    "va": "top",
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
}


@styled
def phase_picture(diagrams: Sequence[Phases], state: str = "", columns: int = 0) -> Figure:
    r"""What a small step does, over the cosine and the norm ratio: one panel per diagram.

    A line marks the edge of the area where both responses go as they should.

    Args:
        diagrams: The panels, row by row.
        state: What all panels share, in words.
        columns: Panels in a row; 0 for as many as there are states, or up to seven.
    """
    states = list(dict.fromkeys(one.state for one in diagrams))
    wide = columns or (len(states) if len(states) > 1 else min(7, max(2, len(diagrams))))
    rows = -(-len(diagrams) // wide)
    small = wide > 4
    size = (1.42 * wide + 0.7, 1.5 * rows + 1.1) if small else (2.6 * wide + 0.7, 1.75 * rows + 1.2)
    figure, grid = panels(rows, wide, size)
    cells = [(axes, r, c) for r, row in enumerate(grid) for c, axes in enumerate(row)]
    last = len(diagrams) - wide
    for i, (axes, r, c) in enumerate(cells):
        if i >= len(diagrams):
            axes.set_axis_off()
            continue
        one = diagrams[i]
        _phases(axes, one, 9 if small else 10.5)
        if len(states) == 1:
            axes.set_title(one.name, fontsize=9.5 if small else 11, pad=3)
        else:
            axes.set_title(one.state if r == 0 else "", fontsize=10)
            axes.annotate(one.name, (0.03, 0.94), xycoords="axes fraction", **_TAG)
        axes.tick_params(labelbottom=i >= last, labelleft=c == 0, labelsize=8, length=2)
    handles = [
        Patch(
            facecolor=FILLS[kind].color, hatch=FILLS[kind].hatch, edgecolor="#777777", label=words
        )
        for kind, words in ((kind, kind.words) for kind in sorted(FILLS))
        if any((one.cases == kind).any() for one in diagrams)
    ]
    if any((one.cases == STILL).any() for one in diagrams):
        handles.append(
            Patch(
                facecolor=_STILL.color,
                hatch=_STILL.hatch,
                edgecolor="#777777",
                label="nothing moves",
            )
        )
    figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(handles)))
    figure.supylabel("norm ratio ‖b‖/‖a‖", fontsize=10)
    figure.supxlabel(
        "cosine ρ of the two scores" + (f"\n{state}" if state else ""), fontsize=10, color="#222222"
    )
    return figure


def _phases(axes: Axes, one: Phases, size: float) -> None:
    for kind, (color, hatch) in [*FILLS.items(), (STILL, _STILL)]:
        here = one.cases == kind
        if here.any():
            axes.contourf(
                one.cosine, one.log_norm_ratio, here, levels=[0.5, 1.5], colors=[color],
                hatches=[hatch],
            )  # fmt: skip
    good = one.cases == Case.IDEAL
    if good.any() and not good.all():
        axes.contour(
            one.cosine, one.log_norm_ratio, good, levels=[0.5], colors="#222222", linewidths=1.0
        )
    axes.axhline(0, color="#555555", linewidth=0.6, linestyle=":")
    axes.axvline(0, color="#555555", linewidth=0.6, linestyle=":")
    axes.grid(visible=False)
    inside = [r for r in _RATIOS if one.log_norm_ratio[0] <= np.log(r) <= one.log_norm_ratio[-1]]
    axes.set_yticks(np.log(inside), [f"{r:g}" for r in inside])
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.spines[["top", "right"]].set_visible(True)
    axes.tick_params(labelsize=size - 1)


@styled
def gallery_picture(
    lines: Mapping[str, Line], groups: Mapping[str, Sequence[str]], state: str = ""
) -> Figure:
    r"""Log of the ratio of incentives along one toy run of each objective, by mechanism.

    A line is thick where the ratio lies in the band of its own run, thin where it does not, and
    absent where an incentive is not positive. The shade is the band of DPO's run.

    Args:
        lines: The runs, by objective.
        groups: Names of objectives, by mechanism; those that were not run are passed over.
        state: What the runs share, in words.
    """
    shown = {g: [n for n in names if n in lines] for g, names in groups.items()}
    shown = {g: names for g, names in shown.items() if names}
    columns = 2 if len(shown) > 1 else 1
    rows = -(-len(shown) // columns)
    figure, grid = panels(rows, columns, (5.3 * columns, 3.0 * rows + 0.7))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(shown) :]:
        axes.set_axis_off()
    for axes, (group, names) in zip(cells, shown.items(), strict=False):
        _group(axes, {name: lines[name] for name in names}, lines.get("DPO"))
        axes.set_title(group, loc="left")
    for row in grid:
        row[0].set_ylabel("log r = log d_w − log d_l")
    for axes in cells[max(0, len(shown) - columns) : len(shown)]:
        axes.set_xlabel("steps taken")
    handles = [
        Patch(facecolor="#DCEFE6", label="band of DPO's run: |log r − log r*| ≤ −log ρ"),
    ]
    figure.legend(handles=handles, loc="outside upper center")
    words = "thick: in the band of its own run; no line: an incentive is not positive"
    figure.supxlabel(f"{words}\n{state}" if state else words, fontsize=9, color="#444444")
    return figure


def _group(axes: Axes, lines: Mapping[str, Line], shade: Line | None) -> None:
    zero_line(axes)
    steps = np.arange(max(len(line.log_ratio) for line in lines.values()))
    if shade is not None:
        low, high = (np.clip(edge, -_SPAN, _SPAN) for edge in (shade.low, shade.high))
        axes.fill_between(np.arange(len(low)), low, high, color="#DCEFE6", linewidth=0)
    labels: list[tuple[float, str]] = []
    silent = []
    for i, (name, line) in enumerate(lines.items()):
        seen = np.flatnonzero(np.isfinite(line.log_ratio))
        if not seen.size:
            silent.append(name)
            continue
        drawn = np.clip(line.log_ratio, -_SPAN, _SPAN)
        color = _COLORS[i % len(_COLORS)]
        axes.plot(drawn, color=color, linewidth=0.9)
        axes.plot(np.where(line.inside, drawn, np.nan), color=color, linewidth=2.6)
        end = int(seen[-1])
        if end < len(line.log_ratio) - 1:
            axes.plot(end, drawn[end], "x", color=color, markersize=5)
        over = f" ({line.log_ratio[end]:.0f})" if abs(line.log_ratio[end]) > _SPAN else ""
        labels.append((float(drawn[end]), f"{name}{over}"))
    axes.set(ylim=(-_SPAN - 0.3, _SPAN + 0.3), xlim=(0, len(steps) - 1))
    _labels(axes, labels, len(steps) - 1)
    if silent:
        axes.annotate(
            f"never both positive: {', '.join(silent)}", (0.02, 0.03), xycoords="axes fraction",
            fontsize=8, color="#444444",
        )  # fmt: skip


_COLORS = ("#0072B2", "#D55E00", "#009E73", "#7A4B9A", "#A87900", "#3C3C3C", "#C2527F")


def _labels(axes: Axes, ends: Sequence[tuple[float, str]], right: float) -> None:
    """Name each line at its end; neighbours share a label, and labels keep their distance."""
    groups: list[tuple[float, list[str]]] = []
    for y, name in sorted(ends, key=lambda end: end[0]):
        if groups and y - groups[-1][0] < _SAME:
            groups[-1][1].append(name)
        else:
            groups.append((y, [name]))
    height = -np.inf
    for y, names in groups:
        text = _wrapped(names)
        extra = text.count("\n") * _ROOM / 2
        height = max(y, height + _ROOM + extra)
        axes.annotate(
            text,
            (right, y),
            (1.03, height),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.6},
            annotation_clip=False,
        )
        height += extra


def _wrapped(names: Sequence[str]) -> str:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) > _WIDTH:
            lines.append("")
        lines[-1] += f", {name}" if lines[-1] else name
    return ",\n".join(lines)
