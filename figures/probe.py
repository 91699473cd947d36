"""Figures of ``disband probe``: where a data set's pairs lie, and the tokens of one of them."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from disband.sims.surveys.wedge import Wedge

from .chen2026 import wedge_figure
from .drawing import Drawing
from .style import panels, plain, styled

_MANY = 500  # dots that are drawn as one image
_LABELLED = 44  # tokens on a side that can still be read


@styled
def plane_picture(wedge: Wedge, cosine: ArrayLike, log_ratio: ArrayLike) -> Drawing:
    r"""Pairs in the plane of :math:`\rho` and :math:`\log(r/r^*)`, over the areas of the cases.

    Pairs of which either is not a finite number are left out.
    """
    rho, logs = np.asarray(cosine, float), np.asarray(log_ratio, float)
    known = np.isfinite(rho) & np.isfinite(logs)
    figure = wedge_figure(wedge)
    figure.axes[0].scatter(
        np.minimum(rho[known], 1.0), logs[known], s=18, color="black", alpha=0.65,
        edgecolors="white", linewidths=0.5, zorder=4, rasterized=known.sum() > _MANY,
    )  # fmt: skip
    half = np.where(rho > 0, -np.log(np.clip(rho, 1e-300, 1.0)), np.inf)
    inside = int((np.abs(logs[known]) <= half[known]).sum())
    return Drawing(
        figure,
        f"{inside} of {int(known.sum())} pairs lie in the band.",
        f"Every dot is one pair; {int((~known).sum())} without a ratio or a cosine are left out.",
        "Plane of the cosine of the two scores, to the right, and of the log of the ratio of "
        "incentives over the norm ratio, upward, with the wedge of the band and a dot a pair.",
        [{"pair": i + 1, "cosine": float(c), "log r - log r*": float(v)}
         for i, (c, v) in enumerate(zip(rho, logs, strict=True)) if known[i]],
    )  # fmt: skip


@styled
def tokens_picture(cosines: ArrayLike, words: Sequence[str], len_w: int) -> Drawing:
    """Cosines of every two token scores of a pair; a line parts chosen from rejected."""
    matrix = np.asarray(cosines, float)
    size = len(matrix)
    figure, ((axes,),) = panels(1, 1, (6.4, 5.6))
    colors = ListedColormap(colormaps["RdBu"](np.linspace(0.08, 0.92, 256)))
    shades = colors.with_extremes(bad="#888888")
    image = axes.imshow(matrix, cmap=shades, vmin=-1, vmax=1, interpolation="nearest")
    axes.axhline(len_w - 0.5, color="black", linewidth=1.2)
    axes.axvline(len_w - 0.5, color="black", linewidth=1.2)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    if size <= _LABELLED:
        names = [plain(word) for word in words]
        font = 7.5 if size <= 24 else 6
        axes.set_xticks(range(size), names, rotation=90, fontsize=font)
        axes.set_yticks(range(size), names, fontsize=font)
    else:
        axes.set(xticks=[], yticks=[])
    axes.set(xlabel="chosen tokens, then rejected ones", ylabel="the same")
    figure.colorbar(image, ax=axes, label="cosine", shrink=0.9, pad=0.02)
    between = matrix[:len_w, len_w:]
    known = between[np.isfinite(between)]
    return Drawing(
        figure,
        f"{(known > 0).mean():.0%} of the cosines between a chosen and a rejected token are "
        "positive." if known.size else "No two token scores of the two responses have a direction.",
        "One pair; grey: a score of length zero.",
        "Table of the cosines of every two token scores, chosen tokens first, then rejected ones; "
        "blue is the same direction, red the opposite.",
        [{"token": plain(words[i]), "with": plain(words[j]), "cosine": float(matrix[i, j])}
         for i in range(size) for j in range(i, size)],
    )  # fmt: skip
