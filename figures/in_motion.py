"""Pictures of the band in motion: paths beside the wedge, before and after, outcome maps."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from disband.sims.pairs.paths import Path
from disband.sims.surveys.adam import Cloud
from disband.sims.surveys.maps import NORM_RATIO, OutcomeMap
from disband.sims.surveys.outcomes import LOST
from disband.theory.band import Case

from .style import CHOSEN, FILLS, REJECTED, Array, Fill, Look, panels, styled, zero_line

_LEAST, _SPAN = 0.3, 1.25  # least cosine; offsets beyond the span are drawn on the edge
_EDGE = "#333333"
_LOST, _ASTRAY = Fill("#FFFFFF", "--"), "..."
_NEAR = 0.75  # the span where the best ways to calibrate are told apart
_PLAIN, _TREATED = Look("#3C3C3C", (0, (4, 1.5)), "o"), Look("#0072B2", "-", "o")
# What a step did, as measured: colour and marker differ.
_WENT: Mapping[Case, tuple[str, str]] = {
    Case.IDEAL: ("#0072B2", "o"),
    Case.BOTH_FALL: ("#D55E00", "v"),
    Case.BOTH_RISE: ("#7A4B9A", "^"),
    Case.REVERSED: ("#000000", "X"),
}
_STEP = "step as measured: "


@styled
def path_picture(
    before: Mapping[str, Path], after: Mapping[str, Path], method: str, state: str = ""
) -> Figure:
    """The run of each objective beside the wedge, without and with a method.

    Every step that went wrong, as measured, is marked on its path.

    Args:
        before: Runs without the method, by objective.
        after: Runs with it; only objectives that have both are drawn.
        method: What the method is called.
        state: What the runs share, in words.
    """
    names = [name for name in before if name in after]
    columns = min(6, len(names))
    figure, cells = _grid(len(names), columns, (1.75, 1.45))
    for i, (axes, name) in enumerate(zip(cells, names, strict=False)):
        _wedge(axes)
        _path(axes, before[name], _PLAIN, 2.5)
        _path(axes, after[name], _TREATED, 4.0)
        if np.isnan([before[name].offset, after[name].offset]).all():
            axes.annotate(
                "an incentive is\nnot positive", (0.04, 0.06), xycoords="axes fraction",
                fontsize=7.5, color="#444444",
            )  # fmt: skip
        axes.set_title(name, fontsize=9.5, pad=5)
        axes.tick_params(labelbottom=i >= len(names) - columns, labelleft=i % columns == 0)
    handles = [_sample(_PLAIN, "without"), _sample(_TREATED, f"with {method}")]
    _finish(figure, [*handles, *_wrong(), _band_patch()], state)
    return figure


@styled
def method_picture(paths: Mapping[tuple[str, str], Path], state: str = "") -> Figure:
    """Every method with a few objectives, beside the wedge: a row each objective."""
    objectives = list(dict.fromkeys(name for name, _ in paths))
    methods = list(dict.fromkeys(method for _, method in paths))
    figure, cells = _grid(len(objectives) * len(methods), len(methods), (1.75, 1.35))
    for i, axes in enumerate(cells):
        row, column = divmod(i, len(methods))
        _wedge(axes)
        _path(axes, paths[objectives[row], methods[column]], _TREATED, 3.5)
        if row == 0:
            axes.set_title(methods[column].replace(", ", ",\n"), fontsize=9, pad=3)
        if column == 0:
            axes.set_ylabel(objectives[row], fontsize=10, fontweight="bold")
        axes.tick_params(labelbottom=row == len(objectives) - 1, labelleft=column == 0)
    path = _sample(_TREATED, "run, from its ring", "o")
    path.set(markerfacecolor="white", markersize=4)
    _finish(figure, [path, *_wrong(), _band_patch()], state)
    return figure


@styled
def before_after_picture(
    before: Mapping[str, Path], after: Mapping[str, Path], method: str, state: str = ""
) -> Figure:
    """Both log-probabilities over training, without a method above and with it below."""
    names = [name for name in before if name in after]
    figure, rows = panels(2, len(names), (1.75 * len(names) + 0.6, 4.6))
    for row, paths, label in zip(rows, (before, after), ("without", f"with {method}"), strict=True):
        for axes, name in zip(row, names, strict=True):
            one = paths[name]
            zero_line(axes)
            for values, look in ((one.gain_w, CHOSEN), (one.gain_l, REJECTED)):
                axes.plot(
                    values, color=look.color, linestyle=look.linestyle, marker=look.marker,
                    markersize=3.5, markevery=max(1, len(values) // 6),
                )  # fmt: skip
            limits = [v for p in (before[name], after[name]) for v in (p.gain_w, p.gain_l)]
            low, high = np.min(limits), np.max(limits)
            room = 0.06 * (high - low)
            axes.set_ylim(low - room, high + room)
            if row is rows[0]:
                axes.set_title(name)
            axes.tick_params(labelbottom=row is not rows[0], labelsize=8)
        row[0].set_ylabel(label, fontweight="bold")
    handles = [
        _sample(look, label, look.marker)
        for look, label in ((CHOSEN, "chosen"), (REJECTED, "rejected"))
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    figure.supxlabel("steps taken" + (f"\n{state}" if state else ""), fontsize=10)
    figure.supylabel("change of log π (nats)", fontsize=10)
    return figure


@styled
def map_picture(maps: Mapping[tuple[str, str], OutcomeMap], state: str = "") -> Figure:
    """What training made of toy problems, by where they start and how they step: a panel a method.

    The line encloses where the first step is in the band; dots mark runs that ended well although
    the chosen fell or the rejected rose in some of their steps.
    """
    axes_names = list(dict.fromkeys(axis for axis, _ in maps))
    methods = list(dict.fromkeys(method for _, method in maps))
    size = (1.9 * len(methods) + 0.8, 2.05 * len(axes_names) + 1.1)
    figure, rows = panels(len(axes_names), len(methods), size)
    for row, axis in zip(rows, axes_names, strict=True):
        for axes, method in zip(row, methods, strict=True):
            _map(axes, maps[axis, method], axis)
            if row is rows[0]:
                axes.set_title(method.replace(", ", ",\n"), fontsize=9, pad=3)
            axes.tick_params(labelleft=axes is row[0], labelbottom=row is rows[-1], labelsize=8)
        words = "norm ratio ‖b‖/‖a‖" if axis == NORM_RATIO else axis
        row[0].set_ylabel(words)
    handles = [
        Patch(facecolor=fill.color, hatch=fill.hatch, edgecolor="#777777", label=label)
        for kind, fill, label in [
            *((kind, fill, kind.words) for kind, fill in FILLS.items()),
            (LOST, _LOST, "left the finite numbers"),
        ]
        if any((one.case == kind).any() for one in maps.values())
    ]
    handles.append(Patch(
        facecolor=FILLS[Case.IDEAL].color, hatch=_ASTRAY, edgecolor="#777777",
        label="so in the end, with wrong steps on the way",
    ))  # fmt: skip
    line = Line2D([], [], color=_EDGE, label="edge of where the first step is in the band")
    _finish(figure, [*handles, line], state)
    return figure


@styled
def calibration_picture(
    clouds: Mapping[str, Cloud], words: Mapping[str, str], state: str = ""
) -> Figure:
    """Where every step of every pair stood in the metric of its step, and what it really did."""
    figure, (row,) = panels(1, len(clouds), (3.0 * len(clouds) + 0.5, 3.9))
    for axes, (name, one) in zip(row, clouds.items(), strict=True):
        _wedge(axes, least=0.55, span=_NEAR)
        codes = np.where(one.change_w < 0, 1, 0) + np.where(one.change_l > 0, 2, 0)
        height = np.clip(one.offset, -_NEAR, _NEAR)
        cosine = np.maximum(one.cosine, 0.55)
        for kind, (color, marker) in _WENT.items():
            here = codes == kind
            axes.scatter(
                cosine[here], height[here], s=9 if kind == Case.IDEAL else 13, color=color,
                marker=marker, linewidths=0, alpha=0.45, clip_on=False, rasterized=True,
            )  # fmt: skip
        axes.set_title(f"{name}\n{one.right:.0%} of the steps right", fontsize=10)
        axes.set_xlabel("\n".join(wrap(words[name], 36)), fontsize=8.5)
        axes.tick_params(labelleft=axes is row[0])
    row[0].set_ylabel("log r − log r*")
    handles = [
        Line2D([], [], linestyle="none", marker=marker, color=color, label=kind.words)
        for kind, (color, marker) in _WENT.items()
    ]
    figure.legend(handles=[*handles, _band_patch()], loc="outside upper center", ncols=5)
    figure.supxlabel(
        "cosine ρ of the two scores, in the metric of the step; beyond the axes: on their edge"
        + (f"\n{state}" if state else ""),
        fontsize=10,
    )
    return figure


def _sample(look: Look, label: str, marker: str = "") -> Line2D:
    dash: Any = look.linestyle
    return Line2D([], [], color=look.color, linestyle=dash, marker=marker, label=label)


def _grid(count: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    rows = -(-count // columns)
    figure, grid = panels(rows, columns, (size[0] * columns + 0.6, size[1] * rows + 1.1))
    cells = [axes for row in grid for axes in row]
    for axes in cells[count:]:
        axes.set_axis_off()
    return figure, cells[:count]


def _wedge(axes: Axes, least: float = _LEAST, span: float = _SPAN) -> None:
    """Shade the band and mark its centre."""
    cosine = np.linspace(least, 1, 300)
    width = np.minimum(-np.log(cosine), span)
    axes.fill_between(cosine, -width, width, color=FILLS[Case.IDEAL].color, linewidth=0)
    for edge in (-width, width):
        axes.plot(cosine, np.where(width < span, edge, np.nan), color=_EDGE, linewidth=0.7)
    zero_line(axes)
    axes.grid(visible=False)
    axes.set(xlim=(least, 1.0), ylim=(-span, span))
    axes.tick_params(labelsize=8)


def _path(axes: Axes, one: Path, look: Look, size: float) -> None:
    height = np.clip(one.offset, -_SPAN, _SPAN)
    axes.plot(one.cosine, height, color=look.color, linestyle=look.linestyle, linewidth=1.4)
    axes.plot(
        one.cosine[0], height[0], "o", color="white", markeredgecolor=look.color, markersize=4,
        zorder=4, clip_on=False,
    )  # fmt: skip
    for kind, (color, marker) in _WENT.items():
        here = np.flatnonzero(one.cases == kind)
        if kind != Case.IDEAL and here.size:
            axes.plot(
                one.cosine[here], height[here], linestyle="none", marker=marker, color=color,
                markersize=size, markeredgewidth=0, alpha=0.75, clip_on=False, zorder=3,
            )  # fmt: skip


def _map(axes: Axes, one: OutcomeMap, axis: str) -> None:
    other = np.log(one.other)
    for kind, (color, hatch) in [*FILLS.items(), (LOST, _LOST)]:
        here = one.case == kind
        if here.any():
            axes.contourf(
                one.cosine, other, here, levels=[0.5, 1.5], colors=[color], hatches=[hatch]
            )
    astray = (one.case == Case.IDEAL) & (one.wrong > 0)
    if astray.any():
        axes.contourf(
            one.cosine, other, astray, levels=[0.5, 1.5], colors=["none"], hatches=[_ASTRAY]
        )
    if one.inside.any() and not one.inside.all():
        axes.contour(one.cosine, other, one.inside, levels=[0.5], colors=_EDGE, linewidths=1.1)
    ticks = _ticks(one.other, (0.25, 0.5, 1, 2, 4) if axis == NORM_RATIO else (1, 10, 100))
    axes.set_yticks(np.log(ticks), [f"{t:g}" for t in ticks])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(visible=False)


def _ticks(values: Array, wanted: Sequence[float]) -> list[float]:
    return [t for t in wanted if values[0] <= t <= values[-1]]


def _wrong() -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker=m, color=c, label=_STEP + kind.words)
        for kind, (c, m) in _WENT.items()
        if kind in {Case.BOTH_FALL, Case.BOTH_RISE}
    ]


def _band_patch() -> Patch:
    return Patch(facecolor=FILLS[Case.IDEAL].color, edgecolor=_EDGE, label="the band")


def _finish(figure: Figure, handles: Sequence[Line2D | Patch], state: str) -> None:
    columns = len(handles) if len(handles) < 5 else 3
    figure.legend(handles=list(handles), loc="outside upper center", ncols=columns)
    figure.supxlabel("cosine ρ of the two scores" + (f"\n{state}" if state else ""), fontsize=10)
    if not any(axes.get_ylabel() for axes in figure.axes):
        figure.supylabel("log r − log r*", fontsize=10)
