"""Figures of chen2026, "Towards Disentangled Preference Optimization Dynamics"."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from disband.sims.surveys.wedge import Wedge
from disband.theory.band import Case

from .style import FILLS, panels, styled, zero_line

# In shares of the height of the axes: what a label takes, and what no eye tells apart.
_LABEL, _SAME = 0.062, 0.012


@styled
def band_picture(
    wedge: Wedge, points: Mapping[str, tuple[float, float]] | None = None, state: str = ""
) -> Figure:
    r"""The band :math:`|\log r - \log r^*| \le -\log\rho` as a wedge that closes at cosine one.

    Areas show the case; points are objectives at the state that ``state`` describes. A point
    above or below the grid is drawn on its edge as a triangle.

    Source: chen2026 (disentanglement band).
    """
    figure, ((axes,),) = panels(1, 1, (7.2, 4.9))
    handles = []
    for kind in sorted(FILLS):
        here = wedge.cases == kind
        if here.any():
            color, hatch = FILLS[kind]
            axes.contourf(
                wedge.cosine, wedge.log_ratio, here, levels=[0.5, 1.5], colors=[color],
                hatches=[hatch],
            )  # fmt: skip
            handles.append(Patch(facecolor=color, hatch=hatch, label=kind.words))
    axes.contour(
        wedge.cosine, wedge.log_ratio, wedge.cases == Case.IDEAL, levels=[0.5], colors="#333333",
        linewidths=1.2,
    )  # fmt: skip
    zero_line(axes)
    axes.axvline(0, color="#555555", linewidth=0.9, linestyle=":")
    axes.grid(visible=False)
    axes.set(
        xlabel="cosine ρ of the two scores",
        ylabel="log r − log r*",
        xlim=(wedge.cosine[0], wedge.cosine[-1]),
        ylim=(wedge.log_ratio[0], wedge.log_ratio[-1]),
    )
    _points(axes, points or {})
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    if state:
        figure.supxlabel(state, fontsize=8.5, color="#444444")
    return figure


def _points(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Draw the points; neighbours share a label, and labels keep their distance."""
    low, high = axes.get_ylim()
    groups: list[tuple[float, float, list[str]]] = []
    for name, (x, y) in sorted(points.items(), key=lambda item: item[1][1]):
        at = min(max(y, low), high)
        marker = "o" if at == y else "^" if y > at else "v"
        axes.plot(x, at, marker, color="black", markeredgecolor="white", clip_on=False, zorder=5)
        share = (at - low) / (high - low)
        if groups and groups[-1][0] == x and share - groups[-1][1] < _SAME and at == y:
            groups[-1][2].append(name)
        else:
            groups.append((x, share, [name]))
    height = -np.inf
    for x, share, names in groups:
        height = max(share, height + _LABEL)
        axes.annotate(
            ", ".join(names),
            (x, low + share * (high - low)),
            (1.03, height),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "#555555", "linewidth": 0.7},
            annotation_clip=False,
        )
