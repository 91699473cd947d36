r"""Figures of yuan2025, "A Common Pitfall of Margin-based Language Model Alignment".

The results of the sentiment study map (seed, style) to these arrays:

==================== ======================================================= ===============
name                 meaning                                                 shape
==================== ======================================================= ===============
steps                updates at which log-probabilities were taken           ``(T,)``
logp_w, logp_l       log-probability of chosen, rejected (nats)              ``(T, n)``
gram_steps           updates at which Grams were taken                       ``(G,)``
sq_w, sq_l, dot      score products of each pair                             ``(G, m)``
token_gram           products of token scores, chosen tokens first, before   ``(2, p, k, k)``
                     and after training; prefix+suffix only
tokens               the chosen tokens, then the rejected ones, of the       ``(k,)``
                     first pair
==================== ======================================================= ===============
"""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from disband.lm.data.tweets import STYLES
from disband.theory.gram import Gram

from .style import (
    CHOSEN,
    LOOKS,
    REJECTED,
    Array,
    draw,
    panels,
    plain,
    spread,
    styled,
    zero_line,
)

Run = Mapping[str, Any]
Results = Mapping[tuple[int, str], Run]


@styled
def figure_3(results: Results) -> Figure:
    """Change of both log-probabilities over training, one column per response style.

    Mean over evaluated pairs; thick lines are means over seeds, thin lines single seeds. The
    second row repeats the chosen response alone, on its own scale.

    Raises:
        ValueError: There is no result, or the seeds of a style were measured at different steps.

    Source: yuan2025, Figure 3, which plots the log-probabilities themselves; here their change,
    for the styles start nats apart.
    """
    styles = _styles(results)
    figure, ((*above,), (*below,)) = panels(2, len(styles), (2.9 * len(styles) + 0.8, 5.4))
    for both, alone, style in zip(above, below, styles, strict=True):
        steps, (logp_w, logp_l) = _seeds(results, style, "steps", "logp_w", "logp_l")
        for axes, curves in (
            (both, ((logp_w, CHOSEN, "chosen"), (logp_l, REJECTED, "rejected"))),
            (alone, ((logp_w, CHOSEN, "chosen"),)),
        ):
            zero_line(axes)
            for values, look, label in curves:
                change = values - values[:, :1]
                spread(axes, steps, change, look)
                draw(axes, steps, change.mean(0), look, label)
        both.set_title(style)
        both.text(
            0.03,
            0.04,
            f"at the start\n{_number(logp_w[:, 0].mean())} chosen\n"
            f"{_number(logp_l[:, 0].mean())} rejected",
            transform=both.transAxes,
            fontsize=8,
            color="#444444",
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        )
        both.tick_params(labelbottom=False)
        alone.set_xlabel("DPO step")
    above[0].set_ylabel("change of log π (nats)")
    below[0].set_ylabel("chosen alone (nats)")
    handles, labels = above[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


@styled
def figure_4a(results: Results) -> Figure:
    """Cosine between the chosen and the rejected score over training, one line per style.

    Mean over evaluated pairs; the lines are means over seeds, the bands span the seeds.

    Raises:
        ValueError: There is no result, or the seeds of a style were measured at different steps.

    Source: yuan2025, Figure 4a, which leaves prefix+suffix out.
    """
    figure, ((axes,),) = panels(1, 1, (6.0, 4.0))
    zero_line(axes)
    styles = _styles({key: run for key, run in results.items() if key[1] != "prefix+suffix"})
    for style, look in zip(styles, cycle(LOOKS), strict=False):
        steps, (cosine,) = _seeds(results, style, "gram_steps", "cosine")
        spread(axes, steps, cosine, look)
        draw(axes, steps, cosine.mean(0), look, style)
    axes.set(xlabel="DPO step", ylabel="cosine of the two scores", ylim=(-1.05, 1.05))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def figure_4b(run: Run) -> Figure:
    """Cosines between the token scores of the first pair, before and after training.

    Rows are chosen tokens, columns rejected tokens; a cross marks a score of length zero.

    Raises:
        ValueError: The run has no token Gram, or the two responses differ in length.

    Source: yuan2025, Figure 4b.
    """
    if "token_gram" not in run:
        raise ValueError(
            f"the heat map needs token Grams: got {', '.join(run)}; give a run of prefix+suffix"
        )
    grams = np.asarray(run["token_gram"], float)[:, 0]
    # The responses are one edit apart, so the first half of the tokens is the chosen one's.
    length, rest = divmod(len(run["tokens"]), 2)
    if rest:
        raise ValueError(
            "the heat map pairs responses of one length: got "
            f"{len(run['tokens'])} tokens in both together; give a pair one token apart"
        )
    tokens = [plain(str(t)) for t in run["tokens"]]
    tokens_w, tokens_l = tokens[:length], tokens[length:]
    size = (2 * (0.62 * len(tokens_l) + 0.6) + 1.9, 0.5 * len(tokens_w) + 1.9)
    figure, (row,) = panels(1, 2, size)
    for axes, gram, when in zip(row, grams, ("before", "after"), strict=True):
        _heat_map(axes, _between(gram, len(tokens_w)))
        axes.set_title(f"{when} DPO")
        axes.set_xticks(range(len(tokens_l)), tokens_l, rotation=40, ha="right")
        axes.set_yticks(range(len(tokens_w)), tokens_w)
        axes.set_xlabel("rejected")
    row[1].tick_params(labelleft=False)
    row[0].set_ylabel("chosen")
    figure.colorbar(row[0].images[0], ax=row, label="cosine", shrink=0.9, pad=0.02)
    return figure


def _heat_map(axes: Axes, cosine: Array) -> None:
    # The ends of the map are cut so that black or white digits read on every colour.
    colors = ListedColormap(colormaps["RdBu"](np.linspace(0.08, 0.92, 256)))
    axes.imshow(cosine, cmap=colors, vmin=-1, vmax=1, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (i, j), value in np.ndenumerate(cosine):
        axes.text(
            j,
            i,
            _number(value) if np.isfinite(value) else "×",
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if abs(value) > 0.72 else "black",
        )


def _between(gram: Array, len_w: int) -> Array:
    squares = np.diagonal(gram)
    tokens = Gram(squares[:len_w, None], squares[None, len_w:], gram[:len_w, len_w:])
    return np.asarray(tokens.cosine)


def _number(value: float) -> str:
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")


def _styles(results: Results) -> list[str]:
    present = {style for _, style in results}
    if not present:
        raise ValueError("a figure needs at least one run: got none; run the study first")
    return [s for s in STYLES if s in present] + sorted(present - set(STYLES))


def _seeds(results: Results, style: str, clock: str, *names: str) -> tuple[Array, list[Array]]:
    """Return the steps, and for each name the means over pairs, ``(seeds, T)``."""
    runs = [run for (_, its), run in results.items() if its == style]
    steps = [np.asarray(run[clock]) for run in runs]
    if any(not np.array_equal(s, steps[0]) for s in steps):
        raise ValueError(
            f"the seeds of {style!r} are drawn together, so they are measured at the same steps: "
            "got different ones; run them with one configuration"
        )
    return steps[0], [np.stack([_mean(run, name) for run in runs]) for name in names]


def _mean(run: Run, name: str) -> Array:
    if name == "cosine":
        values = np.asarray(Gram(*(np.asarray(run[k]) for k in ("sq_w", "sq_l", "dot"))).cosine)
    else:
        values = np.asarray(run[name], float)
    known = ~np.isnan(values)
    count = known.sum(1)
    total = values.sum(1, where=known)
    mean: Array = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean
