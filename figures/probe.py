"""Figures of ``disband probe``: where a data set's pairs lie, and the tokens of one of them."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from disband.sims.surveys.wedge import Wedge

from .chen2026 import band_picture
from .style import panels, plain, styled

_LABELLED = 44  # tokens on a side that can still be read


@styled
def plane_picture(wedge: Wedge, cosine: ArrayLike, log_ratio: ArrayLike) -> Figure:
    r"""Pairs in the plane of :math:`\rho` and :math:`\log(r/r^*)`, over the areas of the cases.

    Pairs of which either is not a finite number are left out.
    """
    rho, logs = np.asarray(cosine, float), np.asarray(log_ratio, float)
    known = np.isfinite(rho) & np.isfinite(logs)
    figure = band_picture(wedge)
    figure.axes[0].scatter(
        np.minimum(rho[known], 1.0), logs[known], s=22, color="black", alpha=0.65,
        edgecolors="white", linewidths=0.6, zorder=4,
    )  # fmt: skip
    return figure


@styled
def tokens_picture(cosines: ArrayLike, words: Sequence[str], len_w: int) -> Figure:
    """Cosines of every two token scores of a pair; a line parts chosen from rejected."""
    matrix = np.asarray(cosines, float)
    size = len(matrix)
    figure, ((axes,),) = panels(1, 1, (7.2, 6.2))
    colors = ListedColormap(colormaps["RdBu"](np.linspace(0.08, 0.92, 256)))
    shades = colors.with_extremes(bad="#888888")
    image = axes.imshow(matrix, cmap=shades, vmin=-1, vmax=1, interpolation="nearest")
    axes.axhline(len_w - 0.5, color="black", linewidth=1.2)
    axes.axvline(len_w - 0.5, color="black", linewidth=1.2)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    if size <= _LABELLED:
        names = [plain(word) for word in words]
        font = 9 if size <= 24 else 6.5
        axes.set_xticks(range(size), names, rotation=90, fontsize=font)
        axes.set_yticks(range(size), names, fontsize=font)
    else:
        axes.set(xticks=[], yticks=[])
    axes.set(xlabel="chosen tokens, then rejected ones", ylabel="the same")
    figure.colorbar(image, ax=axes, label="cosine", shrink=0.9, pad=0.02)
    return figure
