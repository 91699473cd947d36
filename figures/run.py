"""Figures of one training run, drawn from what it logged."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.style import CHOSEN, FILLS, LOOKS, REJECTED, Look, draw, panels, styled, zero_line
from theory.band import Case

Array = NDArray[np.float64]
Columns = Mapping[str, tuple[Array, Array]]  # metric: steps, values

_RATIO = LOOKS[3]
_CENTRE = LOOKS[0]


@styled
def run_picture(columns: Columns) -> Figure:
    """What a run logged: both sides, what a step does to them, the cases, and the band.

    Args:
        columns: Steps and values by metric. Without a monitor's metrics there is one panel.

    Raises:
        ValueError: Neither rewards nor log-probabilities nor a monitor's metrics were logged.
    """
    drawn = []
    sides = next(
        (kind for kind in ("rewards", "logps") if len(columns.get(f"{kind}/chosen", ((),))[0])),
        None,
    )
    if sides is not None:
        drawn.append(lambda axes: _sides(axes, columns, sides))
    if len(columns.get("dynamics/ideal", ((),))[0]):
        drawn += [lambda axes: _changes(axes, columns), lambda axes: _cases(axes, columns)]
        if len(columns.get("dynamics/norm_ratio", ((),))[0]):
            drawn.append(lambda axes: _band(axes, columns))
    if not drawn:
        raise ValueError(
            "a run is drawn from its rewards, log-probabilities or a monitor's metrics: got none "
            f"of them among {', '.join(sorted(columns)) or 'no metrics'}; give another run"
        )
    wide = min(2, len(drawn))
    rows = -(-len(drawn) // wide)
    figure, grid = panels(rows, wide, (4.7 * wide, 3.1 * rows))
    cells = [axes for row in grid for axes in row]
    for axes, picture in zip(cells, drawn, strict=False):
        picture(axes)
        axes.set_xlabel("step")
    for axes in cells[len(drawn) :]:
        axes.set_axis_off()
    return figure


def _sides(axes: Axes, columns: Columns, kind: str) -> None:
    for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
        draw(axes, *columns[f"{kind}/{side}"], look, side)
    axes.set_title("Chosen and rejected in the run")
    axes.set_ylabel("reward, β × nats" if kind == "rewards" else "log-probability, nats")
    axes.legend()


def _changes(axes: Axes, columns: Columns) -> None:
    zero_line(axes)
    for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
        draw(axes, *columns[f"dynamics/measured_{side}"], look, side)
        steps, values = columns.get(f"dynamics/predicted_{side}", (np.zeros(0), np.zeros(0)))
        if len(steps):
            thin = Look(look.color, (0, (1, 1.5)), "")
            axes.plot(steps, values, color=thin.color, linestyle=thin.linestyle, linewidth=1.2,
                      label=f"{side}, predicted")  # fmt: skip
    axes.set_title("What a step does to its own pairs")
    axes.set_ylabel("change, nats")
    axes.legend(ncols=2, fontsize=8)


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
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=8)


def _band(axes: Axes, columns: Columns) -> None:
    steps, centre = columns["dynamics/norm_ratio"]
    by_step = dict(zip(*columns["dynamics/cosine"], strict=True))
    cosine = np.clip([by_step.get(step, np.nan) for step in steps], 1e-3, 1)
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
    axes.legend(fontsize=8)
