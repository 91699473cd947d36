"""Figures of followed runs of language models, drawn from their record alone.

A record is what ``disband gpt2`` writes: ``curves`` of followed runs and ``tables`` of all
questions, each a list of rows.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..drawing import Drawing
from ..drawing import Row as Number
from ..series import Series, basis
from ..style import (
    CHOSEN,
    LOOKS,
    PAGE,
    REJECTED,
    Array,
    handles_of,
    legend,
    one_scale,
    panels,
    signed,
    styled,
    zero_line,
)
from ..yuan2025 import figure_4b

Row = Mapping[str, Any]
Rows = Sequence[Row]

# Their losses are of means over tokens, and so are the curves that the paper shows of them.
PER_TOKEN = ("SimPO", "IPO")
_MOST_COLUMNS = 5


def _names(groups: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What a panel is called: by its objective and style, or by the one of them that differs."""
    objectives, styles = (set(names) for names in zip(*groups, strict=True))
    if len(styles) == 1:
        return {group: group[0] for group in groups}
    if len(objectives) == 1:
        return {group: group[1] for group in groups}
    return {group: " on ".join(group) for group in groups}


def _title(name: str, per_token: str = "") -> str:
    """A panel's title, in two lines where it says more than one thing."""
    objective, on, style = name.partition(" on ")
    if on:
        return f"{objective}{per_token}\non {style}"
    return f"{name}\n{per_token.strip()}".strip()


def _updates(cells: Sequence[Axes], wide: int) -> None:
    """Whole updates, below the last row alone if all panels have as many."""
    alike = len({axes.get_xlim() for axes in cells}) == 1
    for i, axes in enumerate(cells):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelbottom=not alike or i + wide >= len(cells))


@styled
def runs_picture(curves: Rows) -> Drawing:
    """Both log-probabilities over training, one panel per objective or style, all on one scale.

    Mean over held-out pairs; thick lines are means over seeds, thin lines single seeds.

    Raises:
        ValueError: There is no run.

    Source: yuan2025, Figures 1, 2 and 5, which show other models on another task; here the
    change since the start.
    """
    groups = by(curves, "objective", "style")
    rows = -(-len(groups) // _MOST_COLUMNS)
    wide = -(-len(groups) // rows)
    figure, grid = panels(rows, wide, (PAGE, 1.65 * rows + 0.85))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(groups) :]:
        axes.set_axis_off()
    styles = {style for _, style in groups}
    names = _names(groups)
    numbers: list[Number] = []
    shown: list[Array] = []
    alike = []
    for i, (axes, ((objective, style), runs)) in enumerate(
        zip(cells, groups.items(), strict=False)
    ):
        per_token = " per token" if objective in PER_TOKEN else ""
        zero_line(axes)
        ends = []
        for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
            steps, each = _where_all_went(runs, "steps", side + per_token)
            series = Series(steps, each - each[:, :1])
            series.draw(axes, look, side)
            shown.append(series.each)
            numbers += series.rows(objective=objective + per_token, style=style, response=side)
            ends.append(float(series.mean[-1]))
        name = names[objective, style]
        axes.set_title(_title(name, per_token), fontsize=8)
        axes.tick_params(labelleft=i % wide == 0)
        if ends[0] * ends[1] > 0:
            alike.append((name, ends[0] > 0))
    _updates(cells[: len(groups)], wide)
    linear = one_scale(cells[: len(groups)], shown)
    figure.supylabel(r"change of $\log\pi$ (nats)")
    figure.supxlabel("updates")
    legend(figure, *handles_of(cells[:1]))
    shared = f"; all of the style {styles.pop()}" if len(styles) == 1 else ""
    where = "on" if len({objective for objective, _ in groups}) == 1 < len(groups) else "under"
    words = [f"{way} {where} {', '.join(those)}"
             for way, rose in (("rise", True), ("fall", False))
             if (those := [name for name, up in alike if up == rose])]  # fmt: skip
    said = f": both {', both '.join(words)}" if words else ""
    return Drawing(
        figure,
        f"Chosen and rejected move the same way on average in {len(alike)} of {len(groups)} "
        f"panels{said}.",
        f"{basis(max(row['seeds'] for row in numbers))} One scale for all panels, linear up to "
        f"{linear:g} nats and logarithmic beyond{shared}.",
        "A panel an objective or a response style: updates to the right, change of the "
        "log-probability of the chosen, solid, and of the rejected, dashed, upward.",
        numbers,
    )


@styled
def cosine_picture(curves: Rows) -> Drawing:
    """Cosine of the two scores over training, a panel an objective or a style; shades span seeds.

    Source: yuan2025, Figure 6.
    """
    groups = by(curves, "objective", "style")
    names = _names(groups)
    rows = -(-len(groups) // _MOST_COLUMNS)
    wide = -(-len(groups) // rows)
    figure, grid = panels(rows, wide, (PAGE, 1.55 * rows + 0.6))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(groups) :]:
        axes.set_axis_off()
    numbers: list[Number] = []
    ends = {}
    for i, (axes, ((objective, style), runs)) in enumerate(
        zip(cells, groups.items(), strict=False)
    ):
        zero_line(axes)
        series = Series(*_where_all_went(runs, "gram steps", "cosine"))
        series.draw(axes, LOOKS[1], "cosine")
        numbers += series.rows(objective=objective, style=style)
        axes.set_title(_title(names[objective, style]), fontsize=8)
        axes.set_ylim(-1.05, 1.05)
        axes.set_yticks([-1, -0.5, 0, 0.5, 1], [signed(v) for v in (-1, -0.5, 0, 0.5, 1)])
        axes.tick_params(labelleft=i % wide == 0)
        ends[names[objective, style]] = float(series.mean[-1] - series.mean[0])
    _updates(cells[: len(groups)], wide)
    figure.supylabel("cosine of the two scores")
    figure.supxlabel("updates")
    up, down = (pick(ends, key=lambda name: ends[name]) for pick in (max, min))
    return Drawing(
        figure,
        f"From first to last the mean cosine changes by {signed(round(ends[down], 2))} ({down})"
        f"{f' to {signed(round(ends[up], 2))} ({up})' if len(ends) > 1 else ''}.",
        basis(max(row["seeds"] for row in numbers)),
        "A panel an objective or a response style: updates to the right, cosine of the two scores "
        "from minus one to one upward.",
        numbers,
    )


def _where_all_went(runs: Rows, at: str, name: str) -> tuple[list[int], Array]:
    """Updates at which every run was measured, for some end before others; and the values there."""
    steps = sorted(set.intersection(*(set(run[at]) for run in runs)))
    values = [[run[name][run[at].index(step)] for step in steps] for run in runs]
    return steps, np.array(values, float)


def token_picture(rows: Rows) -> Drawing:
    """Cosines of the token scores of the first run's first pair; see :func:`figure_4b`."""
    return figure_4b(rows[0])


def by(rows: Rows, *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Return the rows by what they have under these names.

    Raises:
        ValueError: There is none.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    if not groups:
        raise ValueError("a figure needs at least one run: got none; run disband gpt2 first")
    return groups


def mean(rows: Rows, name: str, **wanted: Any) -> float:
    """Return the mean over seeds of a number of those rows that have what is wanted."""
    values = [
        row[name]
        for row in rows
        if all(row[key] == value for key, value in wanted.items()) and row[name] is not None
    ]
    return float(np.mean(values)) if values else float("nan")


def seeds_of(rows: Rows) -> str:
    """Return on how many seeds rows stand, in words."""
    count = len({row["seed"] for row in rows})
    return f"{count} seeds" if count > 1 else "one seed alone"
