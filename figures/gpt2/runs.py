"""Figures of the experiments on language models, drawn from their record alone.

A record is what ``disband gpt2`` writes: ``curves`` of followed runs and ``tables`` of all
questions, each a list of rows.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import (
    CHOSEN,
    LOOKS,
    REJECTED,
    Look,
    draw,
    panels,
    spread,
    styled,
    zero_line,
)
from ..yuan2025 import figure_4b

Row = Mapping[str, Any]
Rows = Sequence[Row]

# Their losses are of means over tokens, and so are the curves that the paper shows of them.
PER_TOKEN = ("SimPO", "IPO")
_PLACES = (("label", CHOSEN), ("suffix", REJECTED), ("prefix", LOOKS[0]))


@styled
def runs_picture(curves: Rows, columns: int = 5) -> Figure:
    """Both log-probabilities over training, one panel per objective.

    Mean over held-out pairs; thick lines are means over seeds, thin lines single seeds.

    Raises:
        ValueError: There is no run.

    Source: yuan2025, Figures 1, 2 and 5, which show other models on another task; here the
    change since the start.
    """
    groups = _by(curves, "objective", "style")
    rows = -(-len(groups) // columns)
    wide = min(columns, len(groups))
    figure, grid = panels(rows, wide, (2.3 * wide + 0.8, 2.2 * rows + 0.9))
    cells = [axes for row in grid for axes in row]
    for axes in cells[len(groups) :]:
        axes.set_axis_off()
    styles = {style for _, style in groups}
    for i, (axes, ((objective, style), runs)) in enumerate(
        zip(cells, groups.items(), strict=False)
    ):
        per_token = " per token" if objective in PER_TOKEN else ""
        zero_line(axes)
        for side, look in (("chosen", CHOSEN), ("rejected", REJECTED)):
            each = np.array([run[side + per_token] for run in runs], float)
            each -= each[:, :1]
            spread(axes, runs[0]["steps"], each, look)
            draw(axes, runs[0]["steps"], each.mean(0), look, side)
        axes.set_title(objective + per_token if len(styles) == 1 else f"{objective}\n{style}")
        axes.tick_params(labelbottom=i + wide >= len(groups))
    figure.supylabel("change of log π (nats)", fontsize=10)
    shared = f", {styles.pop()}" if len(styles) == 1 else ""
    figure.supxlabel(f"updates{shared}", fontsize=10)
    figure.legend(*cells[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


@styled
def cosine_picture(curves: Rows) -> Figure:
    """Cosine of the two scores over training, one line per objective; bands span the seeds.

    Source: yuan2025, Figure 6.
    """
    groups = _by(curves, "objective", "style")
    columns = -(-len(groups) // len(LOOKS))
    figure, (row,) = panels(1, columns, (3.0 * columns + 0.8, 3.6))
    for axes in row:
        zero_line(axes)
        axes.set_ylim(-1.05, 1.05)
        axes.set_xlabel("updates")
    for i, ((objective, style), runs) in enumerate(groups.items()):
        axes, look = row[i // len(LOOKS)], LOOKS[i % len(LOOKS)]
        each = np.array([run["cosine"] for run in runs], float)
        spread(axes, runs[0]["gram steps"], each, look)
        several = len({s for _, s in groups}) > 1
        label = f"{objective}, {style}" if several else objective
        draw(axes, runs[0]["gram steps"], each.mean(0), look, label)
    for axes in row:
        axes.legend(loc="best", fontsize=8.5)
    row[0].set_ylabel("cosine of the two scores")
    return figure


def token_picture(rows: Rows) -> Figure:
    """Cosines of the token scores of the first run's first pair; see :func:`figure_4b`."""
    return figure_4b(rows[0])


@styled
def steps_picture(rows: Rows) -> Figure:
    """What predicts one update: share of right signs, and error in size, by batch and rate.

    Points are means over seeds. The rate grows to the right within each batch size.
    """
    optimizers = list(dict.fromkeys(row["optimizer"] for row in rows))
    batches = sorted({row["batch"] for row in rows})
    figure, (above, below) = panels(2, len(optimizers), (2.6 * len(optimizers) + 0.8, 5.0))
    shown: tuple[tuple[str, Look], ...] = (
        ("first order, signs", CHOSEN),
        ("plain batch, signs", LOOKS[0]),
        ("own pair, signs", REJECTED),
    )
    words = ("batch Gram in the optimizer's metric", "plain batch Gram", "own pair's Gram")
    for optimizer, signs, sizes in zip(optimizers, above, below, strict=True):
        rates = sorted({r["rate"] for r in rows if r["optimizer"] == optimizer})
        for (name, look), label in zip(shown, words, strict=True):
            means = [
                _mean(rows, name, optimizer=optimizer, batch=batch, rate=rates[1])
                for batch in batches
            ]
            draw(signs, range(len(batches)), means, look, label)
        for batch, look in zip(batches, cycle(LOOKS), strict=False):
            errors = [
                _mean(rows, "first order, size error", optimizer=optimizer, batch=batch, rate=rate)
                for rate in rates
            ]
            draw(sizes, rates, errors, look, f"batches of {batch}")
        signs.set_title(optimizer)
        signs.set_ylim(0.3, 1.03)
        signs.set_xticks(range(len(batches)), batches)
        signs.set_xlabel(f"pairs in a batch, rate {rates[1]:g}", fontsize=9)
        sizes.set(xscale="log", yscale="log", ylim=(1e-5, 3))
        sizes.set_xlabel("learning rate", fontsize=9)
        sizes.axhline(0.02, color="#555555", linewidth=0.9)
    above[0].set_ylabel("share of right signs")
    below[0].set_ylabel("error in size")
    figure.legend(*above[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    below[-1].legend(fontsize=8, loc="lower right")
    return figure


@styled
def courses_picture(rows: Rows) -> Figure:
    """What the change of the chosen over a run is made of: by part of the updates, and by token.

    Bars are means over seeds, whiskers span them.
    """
    chosen = [row for row in rows if row["response"] == "chosen"]
    groups = _by(chosen, "style", "optimizer", "rate", "labels", "mix", "batch")
    names = [_course(*key) for key in groups]
    figure, (row,) = panels(1, 2, (9.6, 0.55 * len(names) + 1.6))
    parts = (("gradient", LOOKS[0]), ("memory", LOOKS[1]), ("decay", LOOKS[3]))
    stacks = (
        [(name, name, look) for name, look in parts] + [("curvature", "curvature", LOOKS[2])],
        [(f"{name}, measured", name, look) for name, look in _PLACES],
    )
    for axes, stack in zip(row, stacks, strict=True):
        _stacked(axes, list(groups.values()), stack)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("change of the chosen (nats)")
        axes.legend(loc="lower left", fontsize=8.5)
    row[0].set_title("by part of the updates")
    row[1].set_title("by token")
    row[1].tick_params(labelleft=False)
    return figure


@styled
def ranking_picture(rows: Rows) -> Figure:
    """The chosen's change at equal margin gained beside what the band said at the start."""
    figure, (row,) = panels(1, 2, (9.6, 4.4))
    said = (("predicted", "own pairs' Grams"), ("predicted by the batch", "all pairs one batch"))
    objectives = list(_by(rows, "objective"))
    for axes, (name, words) in zip(row, said, strict=True):
        zero_line(axes)
        for (objective,) in objectives:
            at = [r for r in rows if r["objective"] == objective and r["chosen"] is not None]
            if not at:
                continue
            x = float(np.median([r[name] for r in at if r[name] is not None]))
            y = np.array([r["chosen"] for r in at], float)
            axes.errorbar(
                x, y.mean(), yerr=[[y.mean() - y.min()], [y.max() - y.mean()]],
                color=CHOSEN.color, marker="o", markersize=4, linewidth=0.8,
            )  # fmt: skip
            axes.annotate(
                objective, (x, y.mean()), (4, 3), textcoords="offset points", fontsize=7.5
            )
        axes.set_xlabel(f"chosen's share of the margin's growth, {words}", fontsize=9)
    row[0].set_ylabel("change of the chosen (nats)\nwhere the margin has grown enough")
    return figure


@styled
def regimes_picture(rows: Rows) -> Figure:
    """Change of the chosen in every regime: fine-tuning down, optimizers across, styles apart.

    Blue rises, orange falls, by the sign of the mean over seeds; numbers are nats.
    """
    styles = list(dict.fromkeys(row["style"] for row in rows))
    taught = list(_by(rows, "shown", "sft steps"))
    rules = list(_by(rows, "optimizer", "rate"))
    size = (3.3 * len(styles) + 1.4, 0.5 * len(taught) + 1.9)
    figure, (line,) = panels(1, len(styles), size)
    for axes, style in zip(line, styles, strict=True):
        values = np.array(
            [
                [
                    _mean(
                        rows, "change of the chosen", style=style, shown=shown,
                        optimizer=kind, rate=rate, **{"sft steps": steps},
                    )
                    for kind, rate in rules
                ]
                for shown, steps in taught
            ]
        )  # fmt: skip
        limit = np.log1p(100 * np.nanmax(np.abs(values)))
        shade = np.sign(values) * np.log1p(100 * np.abs(values)) / limit
        axes.imshow(-shade, cmap="PuOr_r", vmin=-1.6, vmax=1.6, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            text = f"{value:+.3f}" if abs(value) < 0.1 else f"{value:+.2f}"
            axes.text(j, i, text.replace("-", "\N{MINUS SIGN}"), ha="center", va="center",
                      fontsize=8.5)  # fmt: skip
        axes.set_title(style)
        axes.set_xticks(range(len(rules)), [f"{k}\n{r:g}" for k, r in rules], fontsize=8)
        axes.set_yticks(range(len(taught)), [f"{steps} × {shown}" for shown, steps in taught])
        axes.grid(visible=False)
        axes.tick_params(length=0, labelleft=axes is line[0])
    line[0].set_ylabel("fine-tuning before")
    figure.supxlabel("optimizer and learning rate of DPO", fontsize=10)
    return figure


def _stacked(axes: Axes, courses: Sequence[Rows], parts: Sequence[tuple[str, str, Look]]) -> None:
    hatches = ("", "///", "\\\\\\", "xxx")
    for place, runs in enumerate(courses):
        ends = {1: 0.0, -1: 0.0}
        for (name, label, look), hatch in zip(parts, hatches, strict=False):
            value = float(np.mean([run[name] for run in runs]))
            side = 1 if value >= 0 else -1
            axes.barh(
                place, value, left=ends[side], height=0.62, color=look.color, hatch=hatch,
                edgecolor="white", linewidth=0.4, label=label if place == 0 else None, alpha=0.85,
            )  # fmt: skip
            ends[side] += value
        each = [run["measured"] for run in runs]
        axes.plot([min(each), max(each)], [place, place], color="black", linewidth=1.1)
        axes.plot(np.mean(each), place, color="black", marker="D", markersize=4)
    axes.axvline(0, color="#555555", linewidth=0.9)


def _course(style: str, optimizer: str, rate: float, labels: str, mix: str, batch: int) -> str:
    extras = [f"{labels} labels"] if labels != "true" else []
    extras += [f"{mix} batches"] if mix != "balanced" else []
    extras += [f"batches of {batch}"] if batch == 1 else []
    return f"{style}, {optimizer} {rate:g}" + (f",\n{', '.join(extras)}" if extras else "")


def _by(rows: Rows, *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    if not groups:
        raise ValueError("a figure needs at least one run: got none; run disband gpt2 first")
    return groups


def _mean(rows: Rows, name: str, **wanted: Any) -> float:
    values = [
        row[name]
        for row in rows
        if all(row[key] == value for key, value in wanted.items()) and row[name] is not None
    ]
    return float(np.mean(values)) if values else float("nan")
