"""Pictures of many objectives at once: phase diagrams, and the ratio along one toy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator

from disband.sims.pairs.gallery import Line
from disband.sims.surveys.phases import STILL, Phases, agreement, representatives
from disband.theory.band import Case

from .drawing import Drawing, Row
from .style import FILLS, PAGE, Fill, apart, legend, outline, panels, signed, styled, zero_line

_STILL = Fill("#FFFFFF", "...")
_RATIOS = (0.125, 0.5, 1.0, 2.0, 8.0)  # norm ratios that are marked
_MOST_PANELS = 6
_APART = 0.1  # of a panel's height: the height of a label
_WIDTH = 22  # letters of a label
_TAG: dict[str, Any] = {
    "fontsize": 8,
    "fontweight": "bold",
    "va": "top",
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
}


@styled
def phase_picture(diagrams: Sequence[Phases], state: str = "") -> Drawing:
    """What a small step does, over the cosine and the norm ratio: six panels or fewer.

    A line marks the edge of the area where both responses go as they should. Of more objectives
    those are drawn that stand for the others, and the table has all.

    Args:
        diagrams: One an objective; or all of several states, objective by objective.
        state: What all panels share, in words.
    """
    states = list(dict.fromkeys(one.state for one in diagrams))
    if len(states) == 1:
        stands = representatives(diagrams, _MOST_PANELS)
        shown = [its[0] for its in stands.values()]
    else:
        stands, shown = {}, list(diagrams)
    wide = len(states) if len(states) > 1 else min(3, len(shown))
    rows = -(-len(shown) // wide)
    figure, grid = panels(rows, wide, (PAGE, 1.75 * rows + 0.9))
    cells = [(axes, r, c) for r, row in enumerate(grid) for c, axes in enumerate(row)]
    for i, (axes, r, c) in enumerate(cells):
        if i >= len(shown):
            axes.set_axis_off()
            continue
        one = shown[i]
        _phases(axes, one)
        if len(states) == 1:
            like = len(stands[one.name]) - 1
            axes.set_title(one.name + (f" and {like} like it" if like else ""))
        else:
            axes.set_title(one.state if r == 0 else "")
            axes.annotate(one.name, (0.03, 0.94), xycoords="axes fraction", **_TAG)
        axes.tick_params(labelbottom=i >= len(shown) - wide, labelleft=c == 0)
    _name_cases(figure, shown)
    figure.supylabel(r"norm ratio $r^* = \|b\|/\|a\|$")
    figure.supxlabel(r"cosine $\rho$ of the two scores")
    return Drawing(
        figure,
        _phases_finding(diagrams, stands),
        f"Computed {state}; a panel stands for those that agree most with it." if state else "",
        "Panels of the cosine of the two scores, to the right, and of their norm ratio, upward. "
        "Areas say whether chosen and rejected rise or fall; a line encloses where the chosen "
        "rises and the rejected falls.",
        _shares(diagrams, stands),
    )


def _phases_finding(diagrams: Sequence[Phases], stands: Mapping[str, Sequence[Phases]]) -> str:
    always = sum(bool((one.cases == Case.IDEAL).all()) for one in diagrams)
    what = "diagrams" if not stands else "objectives"
    words = f"{always} of {len(diagrams)} {what} raise the chosen and lower the rejected everywhere"
    if len(stands) in {0, len(diagrams)}:
        return f"{words}."
    worst = min(agreement(its[0], one) for its in stands.values() for one in its)
    return (
        f"{words}; {len(stands)} stand for all, each agreeing with those it stands for on "
        f"{worst:.0%} of the plane or more."
    )


def _shares(diagrams: Sequence[Phases], stands: Mapping[str, Sequence[Phases]]) -> list[Row]:
    """For each objective, on which share of the plane each case holds, and what it is like."""
    like = {one.name: (name, agreement(its[0], one)) for name, its in stands.items() for one in its}
    rows: list[Row] = []
    for one in diagrams:
        row: dict[str, Any] = {"objective": one.name}
        row |= {"state": one.state} if one.state else {}
        row |= {kind.words: float((one.cases == kind).mean()) for kind in sorted(FILLS)}
        row["nothing moves"] = float((one.cases == STILL).mean())
        if one.name in like:
            row["drawn as"], row["agrees on"] = like[one.name]
        rows.append(row)
    return rows


def _name_cases(figure: Figure, shown: Sequence[Phases]) -> None:
    fills = [(int(kind), FILLS[kind], kind.words) for kind in sorted(FILLS)]
    fills.append((STILL, _STILL, "nothing moves"))
    legend(figure, [
        Patch(facecolor=fill.color, hatch=fill.hatch, edgecolor="#777777", label=words)
        for kind, fill, words in fills
        if any((one.cases == kind).any() for one in shown)
    ])  # fmt: skip


def _phases(axes: Axes, one: Phases) -> None:
    for kind, (color, hatch) in [*FILLS.items(), (STILL, _STILL)]:
        here = one.cases == kind
        if here.any():
            axes.contourf(
                one.cosine, one.log_norm_ratio, here, levels=[0.5, 1.5], colors=[color],
                hatches=[hatch],
            )  # fmt: skip
    outline(axes, one.cosine, one.log_norm_ratio, one.cases == Case.IDEAL, "#222222")
    axes.axhline(0, color="#555555", linewidth=0.6, linestyle=":")
    axes.axvline(0, color="#555555", linewidth=0.6, linestyle=":")
    axes.grid(visible=False)
    inside = [r for r in _RATIOS if one.log_norm_ratio[0] <= np.log(r) <= one.log_norm_ratio[-1]]
    axes.set_yticks(np.log(inside), [f"{r:g}" for r in inside])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.spines[["top", "right"]].set_visible(True)


@styled
def gallery_picture(
    lines: Mapping[str, Line], groups: Mapping[str, Sequence[str]], state: str = ""
) -> Drawing:
    r"""Where the ratio of incentives lies in the band of its own run, by mechanism.

    The scale is linear within the band and logarithmic beyond it, so that nothing is cut off. A
    line is thick where the ratio lies in the band, thin where it does not, and absent where an
    incentive is not positive; a cross marks where it ends early.

    Args:
        lines: The runs, by objective.
        groups: Names of objectives, by mechanism; those that were not run are passed over.
        state: What the runs share, in words.
    """
    shown = {g: [n for n in names if n in lines] for g, names in groups.items()}
    shown = {g: names for g, names in shown.items() if names}
    columns = 2 if len(shown) > 1 else 1
    rows = -(-len(shown) // columns)
    figure, grid = panels(rows, columns, (PAGE, 1.95 * rows + 0.4))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(shown) :]:
        axes.set_axis_off()
    places = np.concatenate([lines[name].place for names in shown.values() for name in names])
    reach = max(3.0, 2.5 * float(np.nanmax(np.abs(places), initial=1.0)))
    for axes, (group, names) in zip(cells, shown.items(), strict=False):
        _group(axes, {name: lines[name] for name in names}, reach)
        axes.set_title(group, loc="left")
    for axes in cells[max(0, len(shown) - columns) : len(shown)]:
        axes.set_xlabel("steps taken")
    figure.supylabel(r"place of $\log r$ in its own band: 0 centre, ±1 edges")
    legend(figure, [Patch(facecolor=FILLS[Case.IDEAL].color, label="the band of each run")])
    named = [name for names in shown.values() for name in names]
    all_in = [name for name in named if lines[name].inside.all()]
    never = [name for name in named if np.isnan(lines[name].log_ratio).all()]
    return Drawing(
        figure,
        f"The ratio of {len(all_in)} of {len(named)} objectives stays in the band of its own run "
        f"from the first step to the last; {len(never)} have none, for an incentive is not "
        "positive.",
        "One run each" + (f", {state}" if state else "") + "; thick: in the band; the scale is "
        "linear within the band and logarithmic beyond.",
        "A panel a mechanism: steps to the right, the place of the log-ratio in its band upward, "
        "a line an objective, named at its end.",
        [
            _gallery_row(group, name, lines[name])
            for group, names in shown.items()
            for name in names
        ],
    )


def _gallery_row(group: str, name: str, line: Line) -> Row:
    known = np.flatnonzero(np.isfinite(line.log_ratio))
    ends = {"first": known[0], "last": known[-1]} if known.size else {}
    row: dict[str, Any] = {"mechanism": group, "objective": name, "states": len(line.log_ratio),
                           "with a ratio": int(known.size),
                           "in the band": int(line.inside.sum())}  # fmt: skip
    for word, at in ends.items():
        row |= {f"{word} log r": float(line.log_ratio[at]), f"{word} place": float(line.place[at])}
    return row


def _group(axes: Axes, lines: Mapping[str, Line], reach: float) -> None:
    zero_line(axes)
    axes.axhspan(-1, 1, color=FILLS[Case.IDEAL].color, linewidth=0, zorder=0)
    labels: list[tuple[float, str]] = []
    silent = []
    for i, (name, line) in enumerate(lines.items()):
        place = line.place
        seen = np.flatnonzero(np.isfinite(place))
        if not seen.size:
            silent.append(name)
            continue
        color = _COLORS[i % len(_COLORS)]
        axes.plot(place, color=color, linewidth=0.8)
        axes.plot(np.where(line.inside, place, np.nan), color=color, linewidth=2.2)
        end = int(seen[-1])
        if end < len(place) - 1:
            axes.plot(end, place[end], "x", color=color, markersize=4.5)
        labels.append((float(place[end]), name))
    axes.set_yscale("symlog", linthresh=1, linscale=1)
    axes.set(
        ylim=(-reach, reach), xlim=(0, max(len(line.log_ratio) for line in lines.values()) - 1)
    )
    powers = [10.0**k for k in range(9) if 10.0**k <= reach]
    axes.set_yticks([-p for p in reversed(powers)] + [0] + powers)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: signed(v)))
    axes.yaxis.set_minor_locator(NullLocator())
    _labels(axes, labels)
    if silent:
        axes.annotate(
            f"never both positive: {', '.join(silent)}", (0.02, 0.04), xycoords="axes fraction",
            fontsize=7, color="#444444",
        )  # fmt: skip


_COLORS = ("#0072B2", "#D55E00", "#009E73", "#7A4B9A", "#A87900", "#3C3C3C", "#C2527F")


def _labels(axes: Axes, ends: Sequence[tuple[float, str]]) -> None:
    """Name each line at its end; neighbours share a label, and labels keep their distance."""
    to_panel = axes.transScale + axes.transLimits
    groups: list[tuple[float, float, list[str]]] = []
    for y, name in sorted(ends, key=lambda end: end[0]):
        share = float(to_panel.transform((0, y))[1])
        if groups and share - groups[-1][0] < _APART / 2:
            groups[-1][2].append(name)
        else:
            groups.append((share, y, [name]))
    texts = [_wrapped(names) for *_, names in groups]
    heights = [_APART * (1 + text.count("\n")) for text in texts]
    right = axes.get_xlim()[1]
    wanted = [share - high / 2 for (share, *_), high in zip(groups, heights, strict=True)]
    bottoms = apart(wanted, heights)
    for (_, y, _names), text, bottom, height in zip(groups, texts, bottoms, heights, strict=True):
        axes.annotate(
            text, (right, y), (1.04, bottom + height / 2), textcoords="axes fraction", va="center",
            fontsize=7, linespacing=1.05, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.6},
        )  # fmt: skip


def _wrapped(names: Sequence[str]) -> str:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) > _WIDTH:
            lines.append("")
        lines[-1] += f", {name}" if lines[-1] else name
    return ",\n".join(lines)
