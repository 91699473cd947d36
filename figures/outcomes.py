"""Pictures of what became of runs: maps of outcomes, and clouds of steps in the band."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from disband.sims.surveys.adam import Cloud
from disband.sims.surveys.maps import NORM_RATIO, OutcomeMap
from disband.sims.surveys.outcomes import LOST
from disband.theory.band import Case

from .drawing import Drawing
from .in_motion import COSINE, EDGE, OFFSET, WENT, band_patch, finish, small_wedge
from .style import FILLS, PAGE, Array, Fill, legend, outline, panels, styled

_LOST, _ASTRAY = Fill("#FFFFFF", "--"), "..."
_NEAR = 0.75  # the span where the best ways to calibrate are told apart


@styled
def map_picture(maps: Mapping[tuple[str, str], OutcomeMap], state: str = "") -> Drawing:
    """What training made of toy problems, by where they start and how they step: a panel a method.

    The line encloses where the first step is in the band; dots mark runs that ended well although
    the chosen fell or the rejected rose in some of their steps.
    """
    axes_names = list(dict.fromkeys(axis for axis, _ in maps))
    methods = list(dict.fromkeys(method for _, method in maps))
    figure, rows = panels(len(axes_names), len(methods), (PAGE, 1.4 * len(axes_names) + 1.0))
    for row, axis in zip(rows, axes_names, strict=True):
        for axes, method in zip(row, methods, strict=True):
            _map(axes, maps[axis, method], axis)
            if row is rows[0]:
                axes.set_title("\n".join(wrap(method, 13, break_long_words=False)), fontsize=7.5)
            axes.tick_params(labelleft=axes is row[0], labelbottom=row is rows[-1])
        row[0].set_ylabel(r"norm ratio $r^*$" if axis == NORM_RATIO else axis)
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
    line = Line2D([], [], color=EDGE, label="edge of where the first step is in the band")
    finish(figure, [*handles, line])
    well = {m: float(np.mean([(maps[a, m].case == Case.IDEAL).mean() for a in axes_names]))
            for m in methods}  # fmt: skip
    said = ", ".join(f"{m} {share:.0%}" for m, share in well.items())
    return Drawing(
        figure,
        f"Share of the problems where the chosen ends higher and the rejected lower: {said}.",
        f"{state}, a grid of {next(iter(maps.values())).case.size} problems a panel; nothing is "
        "drawn at random." if state else "",
        "A column a method; above the norm ratio of the scores over their cosine, below the step "
        "size over the cosine. Areas say how the run ended.",
        [{"axis": axis, "method": method,
          **{kind.words: float((one.case == kind).mean()) for kind in Case},
          "left the finite numbers": float((one.case == LOST).mean()),
          "wrong steps on the way": float(((one.case == Case.IDEAL) & (one.wrong > 0)).mean()),
          "first step in the band": float(one.inside.mean())}
         for (axis, method), one in maps.items()],
    )  # fmt: skip


@styled
def calibration_picture(
    clouds: Mapping[str, Cloud], words: Mapping[str, str], state: str = ""
) -> Drawing:
    """Where every step of every pair stood in the metric of its step, and what it really did."""
    figure, (row,) = panels(1, len(clouds), (PAGE, 2.9))
    for axes, (name, one) in zip(row, clouds.items(), strict=True):
        small_wedge(axes, least=0.55, span=_NEAR)
        codes = _codes(one)
        height = np.clip(one.offset, -_NEAR, _NEAR)
        cosine = np.maximum(one.cosine, 0.55)
        for kind, (color, marker) in WENT.items():
            here = codes == kind
            axes.scatter(
                cosine[here], height[here], s=5 if kind == Case.IDEAL else 8, color=color,
                marker=marker, linewidths=0, alpha=0.45, clip_on=False, rasterized=True,
            )  # fmt: skip
        axes.set_title("\n".join([*wrap(name, 17), f"{one.right:.0%} right"]), fontsize=8)
        axes.set_xlabel("\n".join(wrap(words[name], 25)), fontsize=7)
        axes.set_xticks([0.6, 0.8, 1.0])
        axes.tick_params(labelleft=axes is row[0])
    row[0].set_ylabel(OFFSET)
    handles = [
        Line2D([], [], linestyle="none", marker=marker, color=color, label=kind.words)
        for kind, (color, marker) in WENT.items()
    ]
    legend(figure, [*handles, band_patch()])
    figure.supxlabel(f"{COSINE}, in the metric of the step")
    best = max(clouds, key=lambda name: clouds[name].right)
    first = next(iter(clouds))
    return Drawing(
        figure,
        f"{clouds[best].right:.0%} of the steps are right {best}, {clouds[first].right:.0%} with "
        f"{'no calibration' if first == 'none' else first}.",
        f"{state}, one seed; every mark is one step of one pair, and those beyond the axes stand "
        "on their edge." if state else "",
        "A panel a way to calibrate: cosine in the metric of the step to the right, offset from "
        "the centre of the band upward; marks say what the step really did.",
        [{"calibration": name, "steps": int(one.cosine.size), "right": one.right,
          **{kind.words: int((_codes(one) == kind).sum()) for kind in Case},
          "median cosine": float(np.nanmedian(one.cosine)),
          "median |log r - log r*|": float(np.nanmedian(np.abs(one.offset)))}
         for name, one in clouds.items()],
    )  # fmt: skip


def _codes(one: Cloud) -> Any:
    return np.where(one.change_w < 0, 1, 0) + np.where(one.change_l > 0, 2, 0)


def _map(axes: Axes, one: OutcomeMap, axis: str) -> None:
    """Areas as dots of colour and hatch: their ragged edges have no end as lines."""
    other = np.log(one.other)
    for kind, (color, hatch) in [*FILLS.items(), (LOST, _LOST)]:
        here = one.case == kind
        if here.any():
            axes.contourf(
                one.cosine, other, here, levels=[0.5, 1.5], colors=[color], hatches=[hatch]
            ).set_rasterized(True)
    astray = (one.case == Case.IDEAL) & (one.wrong > 0)
    if astray.any():
        axes.contourf(
            one.cosine, other, astray, levels=[0.5, 1.5], colors=["none"], hatches=[_ASTRAY]
        ).set_rasterized(True)
    outline(axes, one.cosine, other, one.inside, EDGE)
    ticks = _ticks(one.other, (0.25, 0.5, 1, 2, 4) if axis == NORM_RATIO else (1, 10, 100))
    axes.set_yticks(np.log(ticks), [f"{t:g}" for t in ticks])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(visible=False)


def _ticks(values: Array, wanted: Sequence[float]) -> list[float]:
    return [t for t in wanted if values[0] <= t <= values[-1]]
