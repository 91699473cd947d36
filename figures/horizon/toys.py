"""Pictures of toys over many steps: what each order says, what is, and the band over time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from disband.sims.horizon.courses import Course
from disband.sims.horizon.maps import RatioMap

from ..drawing import Drawing, Row

if TYPE_CHECKING:
    from matplotlib.artist import Artist

from ..style import CHOSEN, COLUMN, FILLS, PAGE, REJECTED, Look, legend, panels, styled, zero_line

_INK, _EDGE = "#3C3C3C", "#1B1B1B"
_FIRST, _SECOND = (0, (1.2, 1.2)), (0, (5, 1.6))
_MARKS = 16
_KEPT = 40


@styled
def order_picture(courses: Mapping[str, Course], title: str = "") -> Drawing:
    """First order, second order and exact over steps of one update, and the run; a panel each.

    Args:
        courses: The responses by name, chosen and rejected.
        title: What they are of.
    """
    figure, (row,) = panels(1, len(courses), (PAGE, 2.9))
    looks = (CHOSEN, REJECTED)
    for axes, (name, its), look in zip(row, courses.items(), looks, strict=False):
        _courses(axes, its, look)
        axes.set_title(f"{title}: {name}".replace("$", r"\$") if title else name)
        axes.set_xlabel("steps")
    row[0].set_ylabel(r"change of $\log\pi$ (nats)")
    sample: Mapping[str, Any] = {"first order": _FIRST, "second order": _SECOND, "exact": "-"}
    handles = [Line2D([], [], color=_INK, linestyle=dash, label=label)
               for label, dash in sample.items()]  # fmt: skip
    handles.append(Line2D([], [], color=_INK, linestyle="none", marker="o", markerfacecolor="white",
                          label="the run, incentives alive"))  # fmt: skip
    handles.append(Line2D([], [], color=_INK, linestyle="none", marker="|", markersize=9,
                          label="back at its start"))  # fmt: skip
    legend(figure, handles)
    return Drawing(
        figure,
        _finding(*next(iter(courses.items()))),
        "One problem, exact: the update of the first step is held, and beside it the run made; "
        "nothing is drawn at random.",
        "A panel a response: steps to the right, change of its log-probability upward. Dots are "
        "first order, dashes second, the line is exact, open marks are the run; an upright stroke "
        "marks where the exact change is back at zero.",
        _rows(courses),
    )


def _courses(axes: Axes, its: Course, look: Look) -> None:
    steps = np.arange(len(its.run))
    zero_line(axes)
    axes.plot(steps, its.first, color=look.color, linestyle=_FIRST)
    axes.plot(steps, its.second, color=look.color, linestyle=_SECOND)
    axes.plot(steps, its.exact, color=look.color, linestyle="-")
    axes.plot(steps, its.run, color=look.color, linestyle="none", marker=look.marker,
              markerfacecolor="white", markevery=max(1, len(steps) // _MARKS))  # fmt: skip
    if its.rises and its.turns <= steps[-1]:
        axes.plot([its.turns], [0.0], color=look.color, marker="|", markersize=12,
                  markeredgewidth=2, linestyle="none")  # fmt: skip
    known = np.concatenate([its.exact, its.run, its.first / 3])
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    room = 0.08 * (high - low) or 1.0  # the parabola may leave the panel
    axes.set_ylim(low - room, high + room)


def _finding(name: str, its: Course) -> str:
    if not its.rises:
        return f"The {name} falls from the first step of {len(its.run) - 1} on."
    if its.turns == np.inf:
        return (
            f"The {name} rises to first order and never turns: after {len(its.run) - 1} steps of "
            f"one update it is up by {its.exact[-1]:.3g} nats."
        )
    return (
        f"The {name} rises to first order; under the same update it is back at its start after "
        f"{its.turns:.3g} steps, to second order after {its.turns_second:.3g}."
    )


def _rows(courses: Mapping[str, Course]) -> Sequence[Row]:
    rows: list[Row] = []
    for name, its in courses.items():
        every = max(1, len(its.run) // _KEPT)
        rows += [{"response": name, "step": step, "first order": float(its.first[step]),
                  "second order": float(its.second[step]), "exact": float(its.exact[step]),
                  "run": float(its.run[step])}
                 for step in range(0, len(its.run), every)]  # fmt: skip
    return rows


@styled
def ratio_picture(one: RatioMap) -> Drawing:
    """The band over time: the case that each ratio makes of the toy, and second order's edges."""
    figure, ((axes,),) = panels(1, 1, (COLUMN + 1.2, 3.3))
    times, ratios = np.log(one.times), np.log(one.ratios)
    for kind, (color, hatch) in FILLS.items():
        here = one.case == kind
        if here.any():
            axes.contourf(times, ratios, here, levels=[0.5, 1.5], colors=[color], hatches=[hatch])
    second = one.second
    low, high = (np.where((edge > 0) & (edge < np.inf), edge, np.nan)
                 for edge in (second.up_from, second.rises_from))  # fmt: skip
    for edge, look in ((low, CHOSEN), (high, REJECTED)):
        axes.plot(times, np.log(edge), color=look.color, linestyle=_SECOND)
    axes.axhline(np.log(one.lasting), color=_EDGE, linestyle=_FIRST)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(ratios[0], ratios[-1])
    for ticks, place in (((0.01, 0.1, 1, 10, 100), axes.set_xticks),
                         ((0.25, 0.5, 1, 2, 4, 8), axes.set_yticks)):  # fmt: skip
        span = one.times if place == axes.set_xticks else one.ratios
        shown = [tick for tick in ticks if span[0] <= tick <= span[-1]]
        place(np.log(shown), [f"{tick:g}" for tick in shown])
    axes.set_xlabel(r"steps $\times$ step size $\times\ d_l$")
    axes.set_ylabel(r"ratio $d_w/d_l$")
    axes.grid(visible=False)
    handles: list[Artist] = [
        Patch(facecolor=fill.color, hatch=fill.hatch, edgecolor="#777777", label=kind.words)
        for kind, fill in FILLS.items()
        if (one.case == kind).any()
    ]
    handles += [
        Line2D([], [], color=CHOSEN.color, linestyle=_SECOND, label="second order, lower edge"),
        Line2D([], [], color=REJECTED.color, linestyle=_SECOND, label="second order, upper edge"),
        Line2D([], [], color=_EDGE, linestyle=_FIRST, label="the chosen never turns above"),
    ]
    legend(figure, handles)
    ideal = one.ratios[:, None] * (one.case == 0)
    first, last = (np.where(ideal[:, at] > 0, ideal[:, at], np.inf).min() for at in (0, -1))
    return Drawing(
        figure,
        f"The least ratio at which the chosen is up and the rejected down grows from {first:.3g} "
        f"after a moment to {last:.3g} at the end.",
        f"Exact, a grid of {one.case.size} runs of the toy with a shared suffix, the update held; "
        "nothing is drawn at random.",
        "Time to the right, ratio of incentives upward, both on a scale of logarithms; areas say "
        "the case, dashes are the edges of second order, dots the ratio from which the chosen "
        "never turns.",
        [{"time": float(t), "ideal from": float(low) if low < np.inf else None,
          "share ideal": float((column == 0).mean())}
         for t, column in zip(one.times, one.case.T, strict=True)
         for low in [np.where(column == 0, one.ratios, np.inf).min()]],
    )  # fmt: skip
