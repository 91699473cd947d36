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
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from disband.lm.data.tweets import STYLES
from disband.theory.gram import Gram

from .drawing import Drawing, Row
from .series import Series, basis
from .style import (
    CHOSEN,
    COLUMN,
    LOOKS,
    PAGE,
    REJECTED,
    Array,
    handles_of,
    legend,
    one_scale,
    panels,
    plain,
    styled,
    zero_line,
)

Run = Mapping[str, Any]
Results = Mapping[tuple[int, str], Run]
_SIDES = ("chosen", "rejected")


@styled
def figure_3(results: Results) -> Drawing:
    """Change of both log-probabilities over training, one column per response style.

    Mean over evaluated pairs; thick lines are means over seeds, thin lines single seeds. One
    scale for all, linear around zero and logarithmic beyond: the styles differ hundreds of times.

    Raises:
        ValueError: There is no result, or the seeds of a style were measured at different steps.

    Source: yuan2025, Figure 3, which plots the log-probabilities themselves; here their change,
    for the styles start nats apart.
    """
    styles = _styles(results)
    figure, (row,) = panels(1, len(styles), (PAGE, 2.7))
    rows: list[Row] = []
    shown: list[Array] = []
    fell = []
    for axes, style in zip(row, styles, strict=True):
        steps, sides = _seeds(results, style, "steps", "logp_w", "logp_l")
        zero_line(axes)
        for values, look, label in zip(sides, (CHOSEN, REJECTED), _SIDES, strict=True):
            series = Series(steps, values - values[:, :1])
            series.draw(axes, look, label)
            shown.append(series.each)
            start = float(values[:, 0].mean())
            rows += series.rows(style=style, response=label, start=start)
            if label == _SIDES[0] and series.mean[-1] < 0:
                fell.append(style)
        axes.set_title(style)
        axes.tick_params(labelleft=axes is row[0])
    linear = one_scale(row, shown)
    row[0].set_ylabel(r"change of $\log\pi$ (nats)")
    figure.supxlabel("DPO step")
    legend(figure, *handles_of(row))
    return Drawing(
        figure,
        f"The chosen falls on average in {len(fell)} of {len(styles)} response styles"
        + (f": {', '.join(fell)}." if fell else "."),
        f"{basis(max(row['seeds'] for row in rows))} One scale for all panels, linear up to "
        f"{linear:g} nats and logarithmic beyond.",
        "A panel a response style: steps of DPO to the right, change of the log-probability of the "
        "chosen, solid, and of the rejected, dashed, upward.",
        rows,
    )


@styled
def figure_4a(results: Results) -> Drawing:
    """Cosine between the chosen and the rejected score over training, one line per style.

    Mean over evaluated pairs; the lines are means over seeds, the bands span the seeds.

    Raises:
        ValueError: There is no result, or the seeds of a style were measured at different steps.

    Source: yuan2025, Figure 4a, which leaves prefix+suffix out.
    """
    figure, ((axes,),) = panels(1, 1, (COLUMN, 2.9))
    zero_line(axes)
    styles = _styles({key: run for key, run in results.items() if key[1] != "prefix+suffix"})
    rows: list[Row] = []
    ends = []
    for style, look in zip(styles, LOOKS, strict=False):
        steps, (cosine,) = _seeds(results, style, "gram_steps", "cosine")
        series = Series(steps, cosine)
        series.draw(axes, look, style)
        rows += series.rows(style=style)
        ends.append(f"{style} {_number(series.mean[0])} to {_number(series.mean[-1])}")
    axes.set(xlabel="DPO step", ylabel="cosine of the two scores", ylim=(-1.05, 1.05))
    legend(figure, *handles_of([axes]))
    return Drawing(
        figure,
        f"Mean cosine from the first step to the last: {', '.join(ends)}.",
        basis(max(row["seeds"] for row in rows)),
        "Steps of DPO to the right, cosine of the two scores upward, a line a response style.",
        rows,
    )


@styled
def figure_4b(run: Run) -> Drawing:
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
    figure, (row,) = panels(1, 2, (PAGE, 0.26 * len(tokens_w) + 1.1))
    rows: list[Row] = []
    cosines = [_between(gram, length) for gram in grams]
    for axes, cosine, when in zip(row, cosines, ("before", "after"), strict=True):
        _heat_map(axes, cosine)
        axes.set_title(f"{when} DPO")
        axes.set_xticks(range(len(tokens_l)), tokens_l, rotation=90)
        rows += [{"when": f"{when} DPO", "chosen": up, "rejected": down,
                  "cosine": float(cosine[i, j])}
                 for i, up in enumerate(tokens_w) for j, down in enumerate(tokens_l)]  # fmt: skip
        axes.set_yticks(range(len(tokens_w)), tokens_w)
        axes.set_xlabel("rejected")
    row[1].tick_params(labelleft=False)
    row[0].set_ylabel("chosen")
    figure.colorbar(row[0].images[0], ax=row, label="cosine", shrink=0.9, pad=0.02)
    same = np.array([up == down for up, down in zip(tokens_w, tokens_l, strict=True)])
    edit, shared = (np.diagonal(cosines[0])[kind] for kind in (~same, same))
    return Drawing(
        figure,
        f"Where the responses differ the token scores have the cosine {_range(edit)} before DPO, "
        f"where they share a token {_range(shared)}.",
        "One pair of one seed; a cross marks a score of length zero.",
        "Two tables of cosines, before and after DPO: chosen tokens downward, rejected ones to "
        "the right; blue is the same direction, red the opposite, and each cell has its number.",
        rows,
    )


def _range(values: Array) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "(none)"
    low, high = _number(float(known.min())), _number(float(known.max()))
    return low if low == high else f"{low} to {high}"


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
            fontsize=5.5,
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
