"""What predicts one update of a language model, and what the change over a run is made of."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes

from ..drawing import Drawing
from ..style import (
    CHOSEN,
    FIFTH,
    LOOKS,
    PAGE,
    REJECTED,
    Look,
    draw,
    handles_of,
    legend,
    panels,
    signed,
    styled,
)
from .runs import Rows, by, mean, seeds_of

_PLACES = (("label", CHOSEN), ("suffix", REJECTED), ("prefix", LOOKS[0]))
_BATCHES = (FIFTH, *LOOKS[1:])
_ERROR = 0.02  # the error in size up to which first order is called right
_PREDICTORS: tuple[tuple[str, str, Look], ...] = (
    ("first order, signs", "batch Gram in the optimizer's metric", CHOSEN),
    ("plain batch, signs", "plain batch Gram", LOOKS[0]),
    ("own pair, signs", "own pair's Gram", REJECTED),
)


@styled
def steps_picture(rows: Rows) -> Drawing:
    """What predicts one update: share of right signs, and error in size, by batch and rate.

    Points are means over seeds. The rate grows to the right within each batch size.
    """
    optimizers = list(dict.fromkeys(row["optimizer"] for row in rows))
    batches = sorted({row["batch"] for row in rows})
    figure, (above, below) = panels(2, len(optimizers), (PAGE, 4.2))
    for optimizer, signs, sizes in zip(optimizers, above, below, strict=True):
        rates = sorted({r["rate"] for r in rows if r["optimizer"] == optimizer})
        for name, label, look in _PREDICTORS:
            means = [
                mean(rows, name, optimizer=optimizer, batch=batch, rate=rates[1])
                for batch in batches
            ]
            draw(signs, range(len(batches)), means, look, label)
        for batch, look in zip(batches, cycle(_BATCHES), strict=False):
            errors = [
                mean(rows, "first order, size error", optimizer=optimizer, batch=batch, rate=rate)
                for rate in rates
            ]
            draw(sizes, rates, errors, look, f"batches of {batch}")
        signs.set_title(f"{optimizer}\nrate {rates[1]:g}", fontsize=8)
        signs.set_ylim(0.3, 1.03)
        signs.set_xticks(range(len(batches)), batches)
        sizes.set(xscale="log", yscale="log", ylim=(1e-5, 3))
        sizes.axhline(_ERROR, color="#555555", linewidth=0.8)
        for axes in (signs, sizes):
            axes.tick_params(labelleft=axes in (above[0], below[0]))
        for axes, words in ((signs, "pairs in a batch"), (sizes, "learning rate")):
            axes.set_xlabel(words, fontsize=7)
    above[0].set_ylabel("share of right signs")
    below[0].set_ylabel("error in size")
    legend(figure, *handles_of([above[0], below[0]]))
    said = ", ".join(f"{label} {mean(rows, name):.0%}" for name, label, _ in _PREDICTORS)
    return Drawing(
        figure,
        f"Right signs over all updates: {said}.",
        f"Means over {seeds_of(rows)}. The grey line is an error of {_ERROR:.0%}; signs are "
        "of the rate in the title, and a line ends where batches or rates were not run.",
        "A column an optimizer. Above, the share of right signs over the pairs in a batch, a line "
        "a predictor; below, the error in size over the learning rate, a line a batch size, both "
        "logarithmic.",
        rows,
    )


@styled
def courses_picture(rows: Rows) -> Drawing:
    """What the change of the chosen over a run is made of: by part of the updates, and by token.

    Bars are means over seeds, whiskers span them.
    """
    chosen = [row for row in rows if row["response"] == "chosen"]
    groups = by(chosen, "style", "optimizer", "rate", "labels", "mix", "batch")
    names = [_course(*key) for key in groups]
    figure, (row,) = panels(1, 2, (PAGE, 0.42 * len(names) + 1.3))
    parts = (("gradient", LOOKS[0]), ("memory", LOOKS[1]), ("decay", LOOKS[3]))
    stacks = (
        [(name, name, look) for name, look in parts] + [("curvature", "curvature", LOOKS[2])],
        [(f"{name}, measured", name, look) for name, look in _PLACES],
    )
    for axes, stack in zip(row, stacks, strict=True):
        _stacked(axes, list(groups.values()), stack)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
    figure.supxlabel("change of the chosen (nats)")
    legend(figure, *handles_of(row))
    row[0].set_title("by part of the updates")
    row[1].set_title("by token")
    row[1].tick_params(labelleft=False)
    fell = [key for key, its in groups.items() if np.mean([r["measured"] for r in its]) < 0]
    shares = {name: mean(chosen, name) / mean(chosen, "measured") for name, *_ in stacks[0]}
    most = max(shares, key=lambda name: shares[name])
    return Drawing(
        figure,
        f"The chosen falls on average in {len(fell)} of {len(groups)} kinds of run, and {most} "
        f"makes up {shares[most]:.0%} of the mean change.",
        f"Bars and diamonds: means over {seeds_of(rows)}; whiskers span the seeds.",
        "Two panels of bars, a row a kind of run: the change of the chosen, to the right, by part "
        "of the updates and by token; a diamond is what was measured.",
        rows,
    )


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
        axes.plot([min(each), max(each)], [place, place], color="black", linewidth=1.0)
        axes.plot(np.mean(each), place, color="black", marker="D", markersize=3.5)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda v, _: signed(round(v, 6)))


def _course(style: str, optimizer: str, rate: float, labels: str, mix: str, batch: int) -> str:
    extras = [f"{labels} labels"] if labels != "true" else []
    extras += [f"{mix} batches"] if mix != "balanced" else []
    extras += [f"batches of {batch}"] if batch == 1 else []
    return f"{style}, {optimizer} {rate:g}" + (f",\n{', '.join(extras)}" if extras else "")
