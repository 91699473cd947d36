"""G and its three parts over DPO on a small GPT-2, drawn from the record of ``disband gpt2``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing import Drawing
from ..drawing import Row as Number
from ..series import Series, basis
from ..style import CHOSEN, LOOKS, PAGE, REJECTED, Look, handles_of, legend, styled, zero_line

Row = Mapping[str, Any]

_PARTS = {
    "positive": ("positive learning", CHOSEN),
    "negative": ("negative learning", REJECTED),
    "reweighting": ("reweighting", LOOKS[0]),
}
_WHOLE = {"G": ("G, their sum", LOOKS[3])}
_UNITS = {"plain": "nats per unit of step size", "optimizer": "nats per update"}
# In the optimizer's metric the first updates are tens of times the later ones.
_LINEAR = 0.01


@styled
def target_parts_picture(rows: Sequence[Row], columns: int = 3) -> Drawing:
    """The three parts of G at every update, and G below them, for each piece; in one metric.

    Thick lines are means over seeds, thin lines single seeds, bands span them.

    Args:
        rows: One a run: ``style``, ``optimizer``, ``rate``, ``batch``, ``seed``, ``metric``,
            ``updates`` and the lines.
        columns: Pieces in a row.

    Raises:
        ValueError: There is no run.

    Source: wang2025 for G; the split into parts is :mod:`disband.theory.models.targets`.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("style", "optimizer", "rate", "batch"))
        groups.setdefault(key, []).append(row)
    if not groups:
        raise ValueError("a figure needs at least one run: got none; run disband gpt2 first")
    high = -(-len(groups) // columns)
    wide = min(columns, len(groups))
    figure = Figure(figsize=(PAGE, 2.7 * high + 0.8))
    grid = figure.subplots(2 * high, wide, squeeze=False, height_ratios=[2, 1] * high)
    for axes in grid[-2:, len(groups) - wide * (high - 1) :].flat:
        axes.set_axis_off()
    numbers: list[Number] = []
    for i, ((style, kind, rate, batch), runs) in enumerate(groups.items()):
        line, column = divmod(i, wide)
        above, below = grid[2 * line : 2 * line + 2, column]
        if runs[0]["metric"] == "optimizer":
            above.set_yscale("symlog", linthresh=_LINEAR)
        names = {"style": style, "optimizer": kind, "rate": rate, "batch": batch}
        numbers += _lines(above, runs, _PARTS, names)
        numbers += _lines(below, runs, _WHOLE, names)
        above.tick_params(labelbottom=False)
        above.set_title(f"{style}\n{kind} {rate:g}, batches of {batch}", fontsize=8)
    legend(figure, *handles_of(grid[:2, 0]))
    figure.supxlabel("update")
    unit = _UNITS[rows[0]["metric"]]
    figure.supylabel(f"service to the final responses ({unit})")
    sums = {name: [float(np.sum(row[name])) for row in rows] for name in ("G", *_PARTS)}
    alone = [(p, n) for p, n in zip(sums["positive"], sums["negative"], strict=True)]
    opposed = sum(p * n < 0 for p, n in alone)
    return Drawing(
        figure,
        f"Summed over a run, positive and negative learning work against each other in {opposed} "
        f"of {len(rows)} runs, and their sum with the reweighting serves the final responses in "
        f"{sum(g > 0 for g in sums['G'])}.",
        f"{basis(len({row['seed'] for row in rows}))} Each panel has a scale of its own"
        + (f", linear up to {_LINEAR:g} and logarithmic beyond."
           if rows[0]["metric"] == "optimizer" else "."),
        "For each kind of run, three parts of what an update does for the responses that training "
        "ends with, over the updates, and below them their sum G.",
        numbers,
    )  # fmt: skip


def _lines(
    axes: Axes, runs: Sequence[Row], lines: Mapping[str, tuple[str, Look]], names: Row
) -> list[Number]:
    zero_line(axes)
    rows: list[Number] = []
    for name, (label, look) in lines.items():
        series = Series(runs[0]["updates"], np.array([run[name] for run in runs], float))
        series.draw(axes, look, label)
        rows += series.rows(**names, part=label)
    return rows
