"""G and its three parts over DPO on a small GPT-2, drawn from the record of ``disband gpt2``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import CHOSEN, LOOKS, REJECTED, Look, draw, spread, styled, zero_line

Row = Mapping[str, Any]

_PARTS = {
    "positive": ("positive learning", CHOSEN),
    "negative": ("negative learning", REJECTED),
    "reweighting": ("reweighting", LOOKS[0]),
}
_WHOLE = {"G": ("G, their sum", LOOKS[3])}
_UNITS = {"plain": "nats per unit of step size", "optimizer": "nats per update"}
# In the optimizer's metric the first updates are tens of times the later ones.
_LINEAR = 0.02


@styled
def target_parts_picture(rows: Sequence[Row], columns: int = 3) -> Figure:
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
    figure = Figure(figsize=(3.2 * wide + 0.6, 3.4 * high + 1.0))
    grid = figure.subplots(2 * high, wide, squeeze=False, height_ratios=[2, 1] * high)
    for axes in grid[-2:, len(groups) - wide * (high - 1) :].flat:
        axes.set_axis_off()
    for i, ((style, kind, rate, batch), runs) in enumerate(groups.items()):
        line, column = divmod(i, wide)
        above, below = grid[2 * line : 2 * line + 2, column]
        if runs[0]["metric"] == "optimizer":
            above.set_yscale("symlog", linthresh=_LINEAR)
        _lines(above, runs, _PARTS)
        _lines(below, runs, _WHOLE)
        above.tick_params(labelbottom=False)
        above.set_title(f"{style}\n{kind} {rate:g}, batches of {batch}", fontsize=10)
    handles = [axes.get_legend_handles_labels() for axes in grid[:2, 0]]
    figure.legend(
        *(first + second for first, second in zip(*handles, strict=True)),
        loc="outside upper center", ncols=4,
    )  # fmt: skip
    figure.supxlabel("update", fontsize=10)
    figure.supylabel(f"service to the final responses ({_UNITS[rows[0]['metric']]})", fontsize=10)
    return figure


def _lines(axes: Axes, runs: Sequence[Row], lines: Mapping[str, tuple[str, Look]]) -> None:
    zero_line(axes)
    for name, (label, look) in lines.items():
        each = np.array([run[name] for run in runs], float)
        spread(axes, runs[0]["updates"], each, look)
        draw(axes, runs[0]["updates"], each.mean(0), look, label)
