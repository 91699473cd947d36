"""Objectives and regimes of training on a language model, side by side."""

import numpy as np

from ..drawing import Drawing
from ..style import CHOSEN, LOOKS, PAGE, panels, styled
from .runs import Rows, by, mean, seeds_of

_SAID = (
    ("predicted", "own pairs' Grams", LOOKS[0]),
    ("predicted by the batch", "all pairs one batch", LOOKS[1]),
)


@styled
def ranking_picture(rows: Rows) -> Drawing:
    """The chosen's change at equal margin gained beside what the band said at the start.

    A row an objective, from the least predicted share to the largest. Small marks are seeds,
    large ones means, lines span them.
    """
    reached = {
        objective: its
        for (objective,), runs in by(rows, "objective").items()
        if (its := [r for r in runs if r["chosen"] is not None and r["predicted"] is not None])
    }
    names = sorted(reached, key=lambda name: (mean(reached[name], "predicted"), name))
    figure, (row,) = panels(1, 3, (PAGE, 0.17 * len(names) + 1.1))
    places = np.arange(len(names))
    for axes, (said, words, look) in zip(row, _SAID, strict=False):
        values = [mean(reached[name], said) for name in names]
        axes.plot(values, places, color=look.color, marker=look.marker, linestyle="none")
        axes.set_xlabel(f"chosen's share of the\nmargin's growth,\n{words}", fontsize=7)
        if max(values) > 4 * abs(np.median(values)):
            axes.set_xscale("log")
    right = row[2]
    right.axvline(0, color="#555555", linewidth=0.8)
    for place, name in enumerate(names):
        each = np.array([r["chosen"] for r in reached[name]])
        right.plot([each.min(), each.max()], [place, place], color=CHOSEN.color, linewidth=0.9)
        right.plot(each, np.full(len(each), place), "o", color="white", markersize=2.6,
                   markeredgecolor=CHOSEN.color, markeredgewidth=0.6)  # fmt: skip
        right.plot(each.mean(), place, "o", color=CHOSEN.color)
    right.set_xlabel("change of the chosen (nats)\nwhere the margin has\ngrown enough", fontsize=7)
    for axes in row:
        axes.set_yticks(places, names if axes is row[0] else [""] * len(names))
        axes.set_ylim(-0.6, len(names) - 0.4)
    missing = sorted({r["objective"] for r in rows} - set(names))
    gains = {name: mean(reached[name], "chosen") for name in names}
    rising = [name for name in names if gains[name] > 0]
    return Drawing(
        figure,
        f"At equal margin gained the chosen has risen on average under {len(rising)} of "
        f"{len(names)} objectives ({', '.join(rising) or 'none'}); the shares predicted at the "
        f"start span {_span([mean(reached[n], 'predicted') for n in names])}.",
        f"Large marks: means over up to {seeds_of(rows)}; small marks: seeds; lines span "
        f"them. Without a margin so large, or a prediction: {', '.join(missing) or 'none'}.",
        "Three columns beside the names of objectives: the predicted share by each pair's own "
        "Gram, the same with all pairs as one batch, and the change of the chosen.",
        rows,
    )


def _span(values: list[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}"


@styled
def regimes_picture(rows: Rows) -> Drawing:
    """Change of the chosen in every regime: fine-tuning down, optimizers across, styles apart.

    Blue rises, orange falls, by the sign of the mean over seeds; numbers are nats.
    """
    styles = list(dict.fromkeys(row["style"] for row in rows))
    taught = list(by(rows, "shown", "sft steps"))
    rules = list(by(rows, "optimizer", "rate"))
    figure, (line,) = panels(1, len(styles), (PAGE, 0.36 * len(taught) + 1.3))
    fell = cells = 0
    for axes, style in zip(line, styles, strict=True):
        values = np.array(
            [
                [
                    mean(
                        rows, "change of the chosen", style=style, shown=shown,
                        optimizer=kind, rate=rate, **{"sft steps": steps},
                    )
                    for kind, rate in rules
                ]
                for shown, steps in taught
            ]
        )  # fmt: skip
        fell, cells = fell + int((values < 0).sum()), cells + int(np.isfinite(values).sum())
        limit = np.log1p(100 * np.nanmax(np.abs(values)))
        shade = np.sign(values) * np.log1p(100 * np.abs(values)) / limit
        axes.imshow(-shade, cmap="PuOr_r", vmin=-1.6, vmax=1.6, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            text = f"{value:+.3f}" if abs(value) < 0.1 else f"{value:+.2f}"
            axes.text(j, i, text.replace("-", "\N{MINUS SIGN}"), ha="center", va="center",
                      fontsize=6)  # fmt: skip
        axes.set_title(style)
        axes.set_xticks(range(len(rules)), [f"{k} {r:g}" for k, r in rules], rotation=90)
        axes.set_yticks(range(len(taught)), [f"{steps} × {shown}" for shown, steps in taught])
        axes.grid(visible=False)
        axes.tick_params(length=0, labelleft=axes is line[0])
    line[0].set_ylabel("fine-tuning before")
    figure.supxlabel("optimizer and learning rate of DPO")
    return Drawing(
        figure,
        f"The chosen falls on average in {fell} of {cells} regimes of training.",
        f"Numbers: means over {seeds_of(rows)}, in nats; blue rises, orange falls.",
        "A table a response style: fine-tuning before, downward, by optimizer and learning rate, "
        "to the right; each cell has the change of the chosen.",
        rows,
    )
