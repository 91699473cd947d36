"""What methods do to objectives on a small GPT-2, and what they cost, drawn from the record."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from disband.theory.band import Case

from ..drawing import Drawing
from ..style import CHOSEN, FILLS, LOOKS, PAGE, REJECTED, Look, legend, styled

Row = Mapping[str, Any]

_LOOKS = (LOOKS[3], CHOSEN, LOOKS[0], REJECTED, LOOKS[1], LOOKS[2])
_COSTS = {
    "relative updates": "updates to the margin,\nrelative to none",
    "relative cost": "CPU time of a step,\nrelative to none",
}
_TICKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10, 20)
_MOST = 5  # gained margins that the left panels reach at most: what lies beyond is on their edge


@styled
def methods_picture(rows: Sequence[Row], gained: float) -> Drawing:
    """Change of chosen and rejected at equal margin gained, then the price; a row a kind of data.

    At equal margin the rejected changes by that margin less than the chosen: one mark shows both,
    with the rejected's scale above. Small marks are seeds, large ones their means, lines span them.
    Shaded is where the chosen does not fall and the rejected does not rise; Counts at
    the right are of the seeds whose margin did not grow so far.

    Args:
        rows: One a run: ``data``, ``objective``, ``method``, ``chosen`` (``None`` where the margin
            never grew so far), ``relative updates`` and ``relative cost``.
        gained: The margin, nats.

    Raises:
        ValueError: There is no run.
    """
    if not rows:
        raise ValueError("a figure needs at least one run: got none; run disband gpt2 first")
    data = list(dict.fromkeys(row["data"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    figure = Figure(figsize=(PAGE, 1.0 + 3.7 * len(data)))
    grid = figure.subplots(len(data), 3, squeeze=False, width_ratios=[2.4, 1, 1])
    for line, kind in zip(grid, data, strict=True):
        some = [row for row in rows if row["data"] == kind]
        objectives = list(dict.fromkeys(row["objective"] for row in some))
        fill = FILLS[Case.IDEAL]
        line[0].axvspan(0, gained, color=fill.color, linewidth=0, zorder=0)
        line[0].set_xlim(*_limits(some, gained))
        _marks(line[0], some, "chosen", objectives, methods)
        line[0].set_xlabel("change of the chosen (nats)")
        line[0].set_title(kind, loc="left")
        above = line[0].secondary_xaxis("top", functions=(_less(gained), _less(-gained)))
        above.set_xlabel("change of the rejected (nats)", fontsize=7)
        for axes, (name, words) in zip(line[1:], _COSTS.items(), strict=True):
            axes.axvline(1, color="#555555", linewidth=0.9, zorder=1)
            _marks(axes, some, name, objectives, methods)
            axes.set_xlabel(words, fontsize=7)
            axes.set_xscale("log")
            low, high = axes.get_xlim()
            ticks = [tick for tick in _TICKS if low <= tick <= high]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.tick_params(labelleft=False)
    handles = [
        Line2D([], [], linestyle="none", marker=look.marker, color=look.color, label=method)
        for method, look in zip(methods, _LOOKS, strict=False)
    ]
    band = Patch(facecolor=FILLS[Case.IDEAL].color, label="chosen up, rejected down")
    legend(figure, [*handles, band])
    means = {m: _mean_change(rows, m) for m in methods}
    best = max(means, key=lambda m: means[m])
    never = sum(row["chosen"] is None for row in rows)
    return Drawing(
        figure,
        f"At a margin gained of {gained:g} nats the chosen has changed by {means[best]:+.2f} nats "
        f"on average with {best}, by {means[methods[0]]:+.2f} with {methods[0]}.".replace(
            "-", "\N{MINUS SIGN}"
        ),
        f"Small marks: seeds ({len({row['seed'] for row in rows})}); large ones their means; lines "
        f"span them. In {never} of {len(rows)} runs the margin never grew so far: "
        "they are counted at the right.",
        "A row of three panels a kind of data, objectives downward, a mark a method: change of the "
        "chosen and of the rejected, updates to the margin, and time of a step, relative to none.",
        rows,
    )


def _mean_change(rows: Sequence[Row], method: str) -> float:
    known = [r["chosen"] for r in rows if r["method"] == method and r["chosen"] is not None]
    return float(np.mean(known)) if known else float("-inf")


def _limits(rows: Sequence[Row], gained: float) -> tuple[float, float]:
    known = [row["chosen"] for row in rows if row["chosen"] is not None]
    low, high = min([-gained, *known]) - gained / 5, max([2 * gained, *known]) + gained / 5
    return max(low, -_MOST * gained), min(high, (1 + _MOST) * gained)


def _less(amount: float) -> Any:
    return lambda x: x - amount


def _marks(
    axes: Axes, rows: Sequence[Row], name: str, objectives: Sequence[str], methods: Sequence[str]
) -> None:
    apart = 1 / (len(methods) + 1.5)
    low, high = axes.get_xlim()
    for place, objective in enumerate(objectives):
        for turn, (method, look) in enumerate(zip(methods, _LOOKS, strict=False)):
            its = [r for r in rows if (r["objective"], r["method"]) == (objective, method)]
            each = np.array([r[name] for r in its if r[name] is not None], float)
            height = place + (turn - (len(methods) - 1) / 2) * apart
            if len(each) and np.isfinite(each).any():
                _mark(axes, each[np.isfinite(each)], height, look, (low, high, name == "chosen"))
            if name == "chosen" and np.isfinite(each).sum() < len(its):
                missing = len(its) - int(np.isfinite(each).sum())
                axes.annotate(
                    f"{missing}/{len(its)}", (high, height), (3 + 14 * (turn % 2), 0), fontsize=6,
                    textcoords="offset points", va="center", color=look.color,
                )  # fmt: skip
        if place:
            axes.axhline(place - 0.5, color="#b5b5b5", linewidth=0.7)
    axes.set_yticks(range(len(objectives)), objectives)
    axes.set_ylim(len(objectives) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _mark(
    axes: Axes, each: Any, height: float, look: Look, limits: tuple[float, float, bool]
) -> None:
    low, high, clipped = limits
    if clipped:
        each = np.clip(each, low, high)
    color, _, marker = look
    axes.plot([each.min(), each.max()], [height, height], color=color, linewidth=1.0, zorder=2)
    axes.plot(
        each, np.full(len(each), height), linestyle="none", marker=marker, color="white",
        markeredgecolor=color, markersize=2.4, markeredgewidth=0.6, clip_on=False, zorder=3,
    )  # fmt: skip
    axes.plot(
        each.mean(), height, marker=marker, color=color, markersize=4, clip_on=False, zorder=4
    )
