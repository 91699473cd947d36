"""Figures of chen2026, "Towards Disentangled Preference Optimization Dynamics"."""

from collections.abc import Mapping
from dataclasses import replace
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from disband.sims.surveys.wedge import Wedge, wedge
from disband.theory.band import Case

from .drawing import Drawing
from .style import FILLS, PAGE, apart, legend, outline, panels, styled, zero_line

# Of the plane around one pair: at least so high, and from so small a cosine on.
_LEAST_HEIGHT, _LEFT = 0.6, 0.5
# In shares of the height of the axes: what a label takes, and what no eye tells apart.
_LABEL, _SAME = 0.05, 0.012


@styled
def band_picture(
    plane: Wedge, points: Mapping[str, tuple[float, float]] | None = None, state: str = ""
) -> Drawing:
    r"""The band :math:`|\log r - \log r^*| \le -\log\rho` as a wedge that closes at cosine one.

    Areas show the case; points are objectives at the state that ``state`` describes. A point
    above or below the grid is drawn on its edge as a triangle.

    Source: chen2026 (disentanglement band).
    """
    points = points or {}
    figure = wedge_figure(plane)
    _points(figure.axes[0], points)
    return Drawing(
        figure,
        _finding(points),
        f"Points: {state}; nothing is drawn at random." if state else "",
        "Plane of the cosine of the two scores, to the right, and of the log of the ratio of "
        "incentives over the norm ratio, upward. Inside a wedge that narrows to a point at cosine "
        "one the chosen rises and the rejected falls; above it both rise, below it both fall.",
        [
            {"objective": name, "cosine": x, "log r - log r*": y, "half width of the band": width,
             "place": _place(y, width)}
            for name, (x, y) in points.items()
            for width in [_half(x)]
        ],
    )  # fmt: skip


@styled
def pair_picture(
    name: str, cosine: float, norm_ratio: float, ratio: float, delta: float
) -> Drawing:
    r"""One pair in the plane of the band, as an objective has it and as calibration would.

    Args:
        name: The objective.
        cosine: :math:`\rho` of the pair's scores.
        norm_ratio: :math:`r^* = \|b\|/\|a\|`.
        ratio: :math:`r = d_w/d_l` of the objective; it has no place where ``delta`` is NaN.
        delta: The factor that brings the ratio to :math:`r^*`; NaN if none does.
    """
    points: dict[str, tuple[float, float]] = {}
    if not np.isnan(delta):
        points[f"{name}, r = {ratio:.4g}"] = cosine, float(np.log(ratio) - np.log(norm_ratio))
        points[f"calibrated, δ = {delta:.4g}"] = cosine, 0.0
    heights = [abs(y) for _, y in points.values()]
    high = max(_LEAST_HEIGHT, *(1.4 * y for y in heights)) if heights else _LEAST_HEIGHT
    left = max(-1.0, min(_LEFT, cosine - 0.2))
    made = band_picture(
        wedge(np.linspace(left, 1, 241), np.linspace(-high, high, 241)),
        points,
        f"one pair with ρ = {cosine:g} and r* = {norm_ratio:g}",
    )
    half = _half(cosine)
    if points and np.isfinite(half):
        axes = made.figure.axes[0]
        axes.plot([cosine, cosine], [-half, half], color="black", linewidth=2.2, zorder=3)
        low, top = norm_ratio * np.exp(-half), norm_ratio * np.exp(half)
        axes.annotate(
            f"band here:\n{low:.4g} ≤ r ≤ {top:.4g}", (cosine, half), (cosine, 0.7 * high),
            ha="center", fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2},
            arrowprops={"arrowstyle": "-", "color": "#555555", "linewidth": 0.7},
        )  # fmt: skip
    return made if points else replace(made, finding=_no_place(name))


def _no_place(name: str) -> str:
    return f"{name} has no place in the band at this pair, for an incentive is not positive."


def wedge_figure(plane: Wedge) -> Figure:
    """Return the plane with its areas and their legend, and nothing in it."""
    figure, ((axes,),) = panels(1, 1, (PAGE, 4.2))
    handles = []
    for kind in sorted(FILLS):
        here = plane.cases == kind
        if here.any():
            color, hatch = FILLS[kind]
            axes.contourf(
                plane.cosine, plane.log_ratio, here, levels=[0.5, 1.5], colors=[color],
                hatches=[hatch],
            )  # fmt: skip
            handles.append(Patch(facecolor=color, hatch=hatch, label=kind.words))
    outline(axes, plane.cosine, plane.log_ratio, plane.cases == Case.IDEAL, "#333333")
    zero_line(axes)
    axes.axvline(0, color="#555555", linewidth=0.8, linestyle=":")
    axes.grid(visible=False)
    axes.set(
        xlabel=r"cosine $\rho$ of the two scores",
        ylabel=r"$\log r - \log r^*$",
        xlim=(plane.cosine[0], plane.cosine[-1]),
        ylim=(plane.log_ratio[0], plane.log_ratio[-1]),
    )
    legend(figure, handles)
    return figure


def _half(cosine: float) -> float:
    """Half the height of the band at a cosine, in logs."""
    return -float(np.log(cosine)) if cosine > 0 else float("inf")


def _place(offset: float, half: float) -> str:
    return "inside" if abs(offset) <= half else "above" if offset > 0 else "below"


def _finding(points: Mapping[str, tuple[float, float]]) -> str:
    if not points:
        return "As the scores align the band narrows to one ratio: beside it both fall or rise."
    named: dict[str, list[str]] = {"below": [], "inside": [], "above": []}
    for name, (x, y) in points.items():
        named[_place(y, _half(x))].append(name)
    words = {"below": "below the band, where both fall: ", "inside": "in the band: ",
             "above": "above it, where both rise: "}  # fmt: skip
    said = "; ".join(words[where] + ", ".join(names) for where, names in named.items() if names)
    return f"{said[0].upper()}{said[1:]}."


def _points(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Draw the points; neighbours share a label, and labels keep their distance."""
    low, top = axes.get_ylim()
    groups: list[tuple[float, float, list[str]]] = []
    for name, (x, y) in sorted(points.items(), key=lambda item: item[1][1]):
        at = min(max(y, low), top)
        marker = "o" if at == y else "^" if y > at else "v"
        axes.plot(x, at, marker, color="black", markeredgecolor="white", markersize=6,
                  clip_on=False, zorder=5)  # fmt: skip
        share = (at - low) / (top - low)
        if groups and groups[-1][0] == x and share - groups[-1][1] < _SAME and at == y:
            groups[-1][2].append(name)
        else:
            groups.append((x, share, [name]))
    texts = [",\n".join(wrap(", ".join(names), 24)).replace(",,", ",") for *_, names in groups]
    heights = [_LABEL * (1 + text.count("\n")) for text in texts]
    wanted = [share - high / 2 for (_, share, _), high in zip(groups, heights, strict=True)]
    bottoms = apart(wanted, heights)
    for (x, share, _), text, bottom, high in zip(groups, texts, bottoms, heights, strict=True):
        axes.annotate(
            text,
            (x, low + share * (top - low)),
            (1.03, bottom + high / 2),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": "#555555", "linewidth": 0.7},
            annotation_clip=False,
        )
