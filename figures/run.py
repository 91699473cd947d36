"""Figures of one training run, drawn from what it logged."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from disband.theory.band import Case

from .drawing import Drawing
from .style import CHOSEN, FILLS, LOOKS, PAGE, REJECTED, draw, panels, styled, zero_line

Array = NDArray[np.float64]
Columns = Mapping[str, tuple[Array, Array]]  # metric: steps, values

LEAST = 0.03  # a band at a smaller cosine is drawn as wide as at this one
_WIDE = 40  # characters of labels that fit beside each other below a panel
_RATIO = LOOKS[3]
_CENTRE = LOOKS[0]


@styled
def run_picture(columns: Columns) -> Drawing:
    """What a run logged: both sides, what a step does to them, the cases, and the band.

    Args:
        columns: Steps and values by metric. Without a monitor's metrics there is one panel.

    Raises:
        ValueError: Neither rewards nor log-probabilities nor a monitor's metrics were logged.
    """
    drawn: list[Callable[[Axes], None]] = []
    sides = next(
        (kind for kind in ("rewards", "logps") if len(columns.get(f"{kind}/chosen", ((),))[0])),
        None,
    )
    if sides is not None:
        drawn.append(partial(_sides, columns=columns, kind=sides))
    if len(columns.get("dynamics/ideal", ((),))[0]):
        drawn += [partial(_changes, columns=columns), partial(_cases, columns=columns)]
        if len(columns.get("dynamics/norm_ratio", ((),))[0]):
            drawn.append(partial(_band, columns=columns))
    if not drawn:
        raise ValueError(
            "a run is drawn from its rewards, log-probabilities or a monitor's metrics: got none "
            f"of them among {', '.join(sorted(columns)) or 'no metrics'}; give another run"
        )
    wide = min(2, len(drawn))
    rows = -(-len(drawn) // wide)
    figure, grid = panels(rows, wide, (PAGE, 2.9 * rows))
    cells = [axes for row in grid for axes in row]
    for axes, picture in zip(cells, drawn, strict=False):
        picture(axes)
        axes.set_xlabel("step")
    for axes in cells[len(drawn) :]:
        axes.set_axis_off()
    return Drawing(
        figure,
        _finding(columns, sides),
        "One run, as it was logged; nothing is averaged here.",
        "Up to four panels over the steps of the run: both responses, what a step does to its own "
        "pairs, the shares of the cases, and the ratio of incentives beside its band.",
        [{"metric": name, "step": float(step), "value": float(value)}
         for name, (steps, values) in columns.items()
         for step, value in zip(steps, values, strict=True)],
    )  # fmt: skip


def _finding(columns: Columns, kind: str | None) -> str:
    if kind is None or f"{kind}/chosen" not in columns:
        ideal = columns["dynamics/ideal"][1]
        return f"Of the pairs looked at {ideal.mean():.0%} were in the ideal case on average."
    ways = []
    for side in ("chosen", "rejected"):
        values = columns.get(f"{kind}/{side}", ((), np.zeros(0)))[1]
        if len(values) > 1:
            change = values[-1] - values[0]
            ways.append(
                f"the {side} {'rose' if change > 0 else 'fell' if change < 0 else 'stayed'}"
            )
    said = " and ".join(ways) or "one step was logged"
    return f"{said[0].upper()}{said[1:]} from the first step logged to the last."


def _sides(axes: Axes, columns: Columns, kind: str) -> None:
    for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
        if f"{kind}/{side}" in columns:
            draw(axes, *columns[f"{kind}/{side}"], look, side)
    axes.set_title("Chosen and rejected in the run")
    axes.set_ylabel("reward, β × nats" if kind == "rewards" else "log-probability, nats")
    _legend(axes)


def _changes(axes: Axes, columns: Columns) -> None:
    zero_line(axes)
    for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
        draw(axes, *columns[f"dynamics/measured_{side}"], look, side)
        steps, values = columns.get(f"dynamics/predicted_{side}", (np.zeros(0), np.zeros(0)))
        if len(steps):
            # Where a prediction holds it would hide a line, or be hidden.
            axes.plot(
                steps, values, color="#222222", linestyle="", marker="x", markersize=4,
                markeredgewidth=0.9, label="" if side == "chosen" else "predicted",
            )  # fmt: skip
    axes.set_title("What a step does to its own pairs")
    axes.set_ylabel("change, nats")
    _legend(axes)


def _cases(axes: Axes, columns: Columns) -> None:
    steps = columns["dynamics/ideal"][0]
    floor = np.zeros(len(steps))
    for case in Case:
        share = 100 * columns[f"dynamics/{case.name.lower()}"][1]
        color, hatch = FILLS[case]
        axes.fill_between(
            steps, floor, floor + share, facecolor=color, hatch=hatch, edgecolor="#777777",
            linewidth=0.5, label=case.words,
        )  # fmt: skip
        floor = floor + share
    axes.set_ylim(0, 100)
    axes.margins(x=0)
    axes.set_title("Cases of the pairs by themselves")
    axes.set_ylabel("share of pairs, %")
    _legend(axes)


def _band(axes: Axes, columns: Columns) -> None:
    steps, centre = columns["dynamics/norm_ratio"]
    by_step = dict(zip(*columns["dynamics/cosine"], strict=True))
    cosine = np.clip([by_step.get(step, np.nan) for step in steps], LEAST, 1)
    axes.fill_between(
        steps, centre * cosine, centre / cosine, color=FILLS[Case.IDEAL].color,
        label="band at the mean cosine",
    )  # fmt: skip
    draw(axes, steps, centre, _CENTRE, "its centre ‖b‖/‖a‖")
    ratios, values = columns.get("dynamics/incentive_ratio", (np.zeros(0), np.zeros(0)))
    if len(ratios):
        factors = dict(zip(*columns["dynamics/factor"], strict=True))
        applied = values * np.array([factors.get(step, 1.0) for step in ratios]) ** 2
        draw(axes, ratios, applied, _RATIO, "$d_w/d_l$ as applied")
    axes.set_yscale("log")
    axes.set_title("The ratio and the band")
    axes.set_ylabel("ratio")
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Below the panel, where no line is."""
    labels = axes.get_legend_handles_labels()[1]
    columns = 3 if sum(map(len, labels)) < _WIDE else 2
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=columns, fontsize=7,
        handlelength=2, columnspacing=1,
    )  # fmt: skip
