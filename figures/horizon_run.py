"""Pictures of many updates: what became of held-out pairs, beside what was forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import CHOSEN, REJECTED, Look, panels, styled, zero_line

_COLUMNS = 3
# How a course is drawn whatever it is of: what happened, and what was said before.
_DASHES: Mapping[str, Any] = {
    "truth": "-",
    "forecast": (0, (5, 1.6)),
    "first order": (0, (1.2, 1.2)),
}


@dataclass(frozen=True)
class Course:
    """Mean changes of chosen and rejected over updates, nats; ``(points,)`` each."""

    steps: Sequence[float]
    chosen: Sequence[float]
    rejected: Sequence[float]


@styled
def courses_picture(runs: Mapping[str, Mapping[str, Course]]) -> Figure:
    """A panel for each run: its courses, of ``truth``, ``forecast`` and ``first order``.

    The largest mean of the chosen is marked on the truth.
    """
    columns = min(_COLUMNS, len(runs))
    rows = -(-len(runs) // columns)
    figure, grid = panels(rows, columns, (2.7 * columns + 0.4, 2.3 * rows + 0.6))
    cells = [axes for row in grid for axes in row]
    for axes, (name, courses) in zip(cells, runs.items(), strict=False):
        zero_line(axes)
        for kind, course in courses.items():
            for look, values in ((CHOSEN, course.chosen), (REJECTED, course.rejected)):
                axes.plot(course.steps, values, color=look.color, linestyle=_DASHES[kind])
        if truth := courses.get("truth"):
            top = int(np.argmax(truth.chosen))
            axes.plot(truth.steps[top], truth.chosen[top], color=CHOSEN.color, marker=CHOSEN.marker)
        axes.set_title(name, fontsize=10)
    for axes in cells[len(runs) :]:
        axes.set_axis_off()
    kinds = [kind for kind in _DASHES if any(kind in courses for courses in runs.values())]
    handles = [_sample(CHOSEN, "chosen"), _sample(REJECTED, "rejected")]
    if len(kinds) > 1:
        handles += [Line2D([], [], color="#3C3C3C", linestyle=_DASHES[k], label=k) for k in kinds]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    figure.supxlabel("updates", fontsize=10)
    figure.supylabel("mean change of log π (nats)", fontsize=10)
    return figure


def _sample(look: Look, label: str) -> Line2D:
    return Line2D([], [], color=look.color, label=label)
