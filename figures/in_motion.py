"""Pictures of the band in motion: paths beside the wedge, wrong steps, before and after."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from disband.sims.pairs.paths import Path
from disband.theory.band import Case

from .drawing import Drawing, Row
from .style import (
    CHOSEN,
    FILLS,
    PAGE,
    REJECTED,
    Look,
    legend,
    panels,
    signed,
    styled,
    zero_line,
)

_LEAST, _SPAN = 0.3, 1.25  # least cosine; offsets beyond the span are drawn on the edge
EDGE = "#333333"
_PLAIN, _TREATED = Look("#3C3C3C", (0, (4, 1.5)), "o"), Look("#0072B2", "-", "o")
# What a step did, as measured: colour and marker differ.
WENT: Mapping[Case, tuple[str, str]] = {
    Case.IDEAL: ("#0072B2", "o"),
    Case.BOTH_FALL: ("#D55E00", "v"),
    Case.BOTH_RISE: ("#7A4B9A", "^"),
    Case.REVERSED: ("#000000", "X"),
}
_STEP = "step as measured: "
COSINE = r"cosine $\rho$ of the two scores"
OFFSET = r"$\log r - \log r^*$"
_ONE_RUN = "One run each, nothing drawn at random"


@styled
def path_picture(
    before: Mapping[str, Path],
    after: Mapping[str, Path],
    method: str,
    state: str = "",
    shown: Sequence[str] = (),
) -> Drawing:
    """The run of each objective beside the wedge, without and with a method.

    Every step that went wrong, as measured, is marked on its path.

    Args:
        before: Runs without the method, by objective.
        after: Runs with it; only objectives that have both are drawn.
        method: What the method is called.
        state: What the runs share, in words.
        shown: Which objectives are drawn; all unless given. The table has all.
    """
    names = [name for name in before if name in after]
    drawn = [name for name in names if name in shown] or names
    figure, cells = _grid(len(drawn), min(3, len(drawn)), 1.75)
    for i, (axes, name) in enumerate(zip(cells, drawn, strict=False)):
        small_wedge(axes)
        _path(axes, before[name], _PLAIN, 2.5)
        _path(axes, after[name], _TREATED, 4.0)
        if np.isnan([before[name].offset, after[name].offset]).all():
            axes.annotate(
                "an incentive is\nnot positive", (0.04, 0.06), xycoords="axes fraction",
                fontsize=7, color="#444444",
            )  # fmt: skip
        axes.set_title(name)
        axes.tick_params(labelbottom=i >= len(drawn) - min(3, len(drawn)), labelleft=i % 3 == 0)
    handles = [_sample(_PLAIN, "without"), _sample(_TREATED, f"with {method}")]
    finish(figure, [*handles, *_wrong(), band_patch()])
    right = [sum(_all_right(runs[name]) for name in names) for runs in (before, after)]
    return Drawing(
        figure,
        f"In some step {len(names) - right[0]} of {len(names)} objectives lower the chosen or "
        f"raise the rejected; with {method} {len(names) - right[1]} do.",
        f"{_ONE_RUN}: {state or 'a toy'}. Offsets beyond ±{_SPAN:g} are drawn on the edge, with "
        "the farthest written there.",
        "A panel an objective: the wedge of the band, the path of a run without the method, "
        "dashed, and with it, solid, from ring to end; triangles mark steps that went wrong.",
        [row for word, runs in (("without", before), (f"with {method}", after))
         for row in _path_rows({(name, word): runs[name] for name in names})],
    )  # fmt: skip


def _all_right(one: Path) -> bool:
    return bool((one.cases == Case.IDEAL).all())


def _path_rows(paths: Mapping[tuple[str, str], Path]) -> list[Row]:
    rows: list[Row] = []
    for (objective, method), one in paths.items():
        row: dict[str, Any] = {"objective": objective, "method": method}
        row |= {"steps": len(one.cases)}
        row |= {f"steps, {kind.words}": int((one.cases == kind).sum()) for kind in Case}
        row |= {"states in the band": int(one.inside.sum())}
        for word, at in (("start", 0), ("end", -1)):
            row |= {f"cosine, {word}": float(one.cosine[at]),
                    f"log r - log r*, {word}": float(one.offset[at])}  # fmt: skip
        row |= {"change of chosen": float(one.gain_w[-1]), "of rejected": float(one.gain_l[-1])}
        rows.append(row)
    return rows


@styled
def method_picture(
    paths: Mapping[tuple[str, str], Path], state: str = "", shown: Sequence[str] = ()
) -> Drawing:
    """How many steps went wrong under every method, and which way: a row each objective.

    Args:
        paths: Runs by objective and method.
        state: What they share, in words.
        shown: Objectives that are drawn; all unless given. The table has all.
    """
    objectives = [name for name in dict.fromkeys(name for name, _ in paths) if name in shown]
    objectives = objectives or list(dict.fromkeys(name for name, _ in paths))
    methods = list(dict.fromkeys(method for _, method in paths))
    figure, ((axes,),) = panels(1, 1, (PAGE, 0.3 * len(objectives) + 1.15))
    steps = max(len(one.cases) for one in paths.values())
    wrong = np.array(
        [[(paths[o, m].cases != Case.IDEAL).sum() for m in methods] for o in objectives]
    )
    axes.imshow(wrong / steps, cmap="Oranges", vmin=0, vmax=2.4, aspect="auto")
    for (i, j), count in np.ndenumerate(wrong):
        axes.text(j, i, _wrong_words(paths[objectives[i], methods[j]]), ha="center", va="center",
                  fontsize=7.5, color="#333333" if count else "#777777")  # fmt: skip
    axes.set_xticks(
        range(len(methods)), ["\n".join(wrap(m, 11, break_long_words=False)) for m in methods]
    )
    axes.set_yticks(range(len(objectives)), objectives)
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    clean = {
        m: sum(_all_right(one) for (_, its), one in paths.items() if its == m) for m in methods
    }
    best = max(clean, key=lambda m: clean[m])
    runs = len({name for name, _ in paths})
    return Drawing(
        figure,
        f"No step went wrong with {best} under {clean[best]} of {runs} objectives; with "
        f"{methods[0] if methods[0] != 'none' else 'no method'} under {clean[methods[0]]}.",
        f"{_ONE_RUN}: {state or 'a toy'}. A cell counts the wrong steps of {steps}: ↓ both fell, "
        "↑ both rose, ⇅ the chosen fell and the rejected rose.",
        "A table of objectives, downward, by methods, to the right; the darker a cell, the more "
        "steps went wrong.",
        _path_rows(paths),
    )


def _wrong_words(one: Path) -> str:
    marks = {Case.BOTH_FALL: "↓", Case.BOTH_RISE: "↑", Case.REVERSED: "⇅"}
    counts = {mark: int((one.cases == kind).sum()) for kind, mark in marks.items()}
    return " ".join(f"{n} {mark}" for mark, n in counts.items() if n) or "0"


@styled
def before_after_picture(
    before: Mapping[str, Path], after: Mapping[str, Path], method: str, state: str = ""
) -> Drawing:
    """Both log-probabilities over training, without a method above and with it below."""
    names = [name for name in before if name in after]
    figure, rows = panels(2, len(names), (PAGE, 3.4))
    sides = ((before, "without"), (after, f"with {method}"))
    for row, (paths, label) in zip(rows, sides, strict=True):
        for axes, name in zip(row, names, strict=True):
            one = paths[name]
            zero_line(axes)
            for values, look in ((one.gain_w, CHOSEN), (one.gain_l, REJECTED)):
                axes.plot(
                    values, color=look.color, linestyle=look.linestyle, marker=look.marker,
                    markersize=3, markevery=max(1, len(values) // 5),
                )  # fmt: skip
            limits = [v for p in (before[name], after[name]) for v in (p.gain_w, p.gain_l)]
            low, high = np.min(limits), np.max(limits)
            room = 0.06 * (high - low)
            axes.set_ylim(low - room, high + room)
            axes.locator_params(axis="y", nbins=4)
            axes.locator_params(axis="x", nbins=3)
            axes.yaxis.set_major_formatter(lambda v, _: signed(v))
            if row is rows[0]:
                axes.set_title(name)
            axes.tick_params(labelbottom=row is not rows[0])
        row[0].set_ylabel(label, fontweight="bold")
    legend(figure, [
        _sample(look, label, look.marker)
        for look, label in ((CHOSEN, "chosen"), (REJECTED, "rejected"))
    ])  # fmt: skip
    figure.supxlabel("steps taken")
    figure.supylabel(r"change of $\log\pi$ (nats)")
    fell = [sum(paths[name].gain_w[-1] < 0 for name in names) for paths, _ in sides]
    return Drawing(
        figure,
        f"Without a method the chosen ends lower under {fell[0]} of {len(names)} objectives, with "
        f"{method} under {fell[1]}.",
        f"{_ONE_RUN}: {state or 'a toy'}. Each column has a scale of its own.",
        "A column an objective, without the method above and with it below: steps to the right, "
        "changes of both log-probabilities upward.",
        [{"objective": name, "method": word, "step": t, "chosen": float(up),
          "rejected": float(down)}
         for paths, word in sides for name in names
         for t, (up, down) in enumerate(zip(paths[name].gain_w, paths[name].gain_l, strict=True))],
    )  # fmt: skip


def _sample(look: Look, label: str, marker: str = "") -> Line2D:
    dash: Any = look.linestyle
    return Line2D([], [], color=look.color, linestyle=dash, marker=marker, label=label)


def _grid(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    rows = -(-count // columns)
    figure, grid = panels(rows, columns, (PAGE, height * rows + 0.9))
    cells = [axes for row in grid for axes in row]
    for axes in cells[count:]:
        axes.set_axis_off()
    return figure, cells[:count]


def small_wedge(axes: Axes, least: float = _LEAST, span: float = _SPAN) -> None:
    """Shade the band and mark its centre."""
    cosine = np.linspace(least, 1, 120)
    width = np.minimum(-np.log(cosine), span)
    axes.fill_between(cosine, -width, width, color=FILLS[Case.IDEAL].color, linewidth=0)
    for edge in (-width, width):
        axes.plot(cosine, np.where(width < span, edge, np.nan), color=EDGE, linewidth=0.7)
    zero_line(axes)
    axes.grid(visible=False)
    axes.set(xlim=(least, 1.0), ylim=(-1.08 * span, 1.08 * span))


def _path(axes: Axes, one: Path, look: Look, size: float) -> None:
    height = np.clip(one.offset, -_SPAN, _SPAN)
    axes.plot(one.cosine, height, color=look.color, linestyle=look.linestyle, linewidth=1.2)
    axes.plot(
        one.cosine[0], height[0], "o", color="white", markeredgecolor=look.color, markersize=4,
        zorder=4, clip_on=False,
    )  # fmt: skip
    for kind, (color, marker) in WENT.items():
        here = np.flatnonzero(one.cases == kind)
        if kind != Case.IDEAL and here.size:
            axes.plot(
                one.cosine[here], height[here], linestyle="none", marker=marker, color=color,
                markersize=size, markeredgewidth=0, alpha=0.75, clip_on=False, zorder=3,
            )  # fmt: skip
    if np.nanmax(np.abs(one.offset), initial=0) > _SPAN:
        far = one.offset[int(np.nanargmax(np.abs(one.offset)))]
        axes.annotate(
            f"as far as {signed(round(float(far), 1))}", (0.97, 0.93 if far > 0 else 0.04),
            xycoords="axes fraction", ha="right", va="top" if far > 0 else "bottom", fontsize=7,
        )  # fmt: skip


def _wrong() -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker=m, color=c, label=_STEP + kind.words)
        for kind, (c, m) in WENT.items()
        if kind in {Case.BOTH_FALL, Case.BOTH_RISE}
    ]


def band_patch() -> Patch:
    return Patch(facecolor=FILLS[Case.IDEAL].color, edgecolor=EDGE, label="the band")


def finish(figure: Figure, handles: Sequence[Line2D | Patch]) -> None:
    legend(figure, handles)
    figure.supxlabel(COSINE)
    if not any(axes.get_ylabel() for axes in figure.axes):
        figure.supylabel(OFFSET)
