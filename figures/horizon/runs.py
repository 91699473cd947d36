"""Pictures of many updates: what became of held-out pairs, beside what was forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from ..drawing import Drawing
from ..style import CHOSEN, PAGE, REJECTED, Look, legend, panels, signed, styled, zero_line

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


def side_by_side(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Course]]:
    """The runs of ``results/rehearsal/side_by_side.json``, each beside its forecast."""
    runs = {}
    for result in results:
        for arm in result["rehearsal"]:
            steps, *told = zip(*result["forecast"]["arms"][arm["arm"]]["curve"], strict=True)
            runs[f"{result['style']}: {arm['arm']}"] = {
                "truth": Course(*zip(*arm["curve"], strict=True)),
                "forecast": Course(steps, told[0], told[1]),
                "first order": Course(steps, told[2], told[3]),
            }
    return runs


@styled
def courses_picture(runs: Mapping[str, Mapping[str, Course]]) -> Drawing:
    """A panel for each run: its courses, of ``truth``, ``forecast`` and ``first order``.

    The largest mean of the chosen is marked on the truth.
    """
    columns = min(_COLUMNS, len(runs))
    rows = -(-len(runs) // columns)
    figure, grid = panels(rows, columns, (PAGE, 1.9 * rows + 0.8))
    cells = [axes for row in grid for axes in row]
    for axes, (name, courses) in zip(cells, runs.items(), strict=False):
        zero_line(axes)
        for kind, course in courses.items():
            for look, values in ((CHOSEN, course.chosen), (REJECTED, course.rejected)):
                axes.plot(course.steps, values, color=look.color, linestyle=_DASHES[kind])
        if truth := courses.get("truth"):
            top = int(np.argmax(truth.chosen))
            axes.plot(truth.steps[top], truth.chosen[top], color=CHOSEN.color, marker=CHOSEN.marker)
        axes.set_title(name)
    for axes in cells[len(runs) :]:
        axes.set_axis_off()
    kinds = [kind for kind in _DASHES if any(kind in courses for courses in runs.values())]
    handles = [_sample(CHOSEN, "chosen"), _sample(REJECTED, "rejected")]
    if len(kinds) > 1:
        handles += [Line2D([], [], color="#3C3C3C", linestyle=_DASHES[k], label=k) for k in kinds]
    legend(figure, handles)
    figure.supxlabel("updates")
    figure.supylabel(r"mean change of $\log\pi$ (nats)")
    ends = {name: float(one.chosen[-1]) for name, its in runs.items() if (one := its.get("truth"))}
    return Drawing(
        figure,
        _finding(ends),
        "Means over held-out pairs, one run a panel; each panel has a scale of its own.",
        "A panel a run: updates to the right, mean change of the log-probability of the chosen and "
        "of the rejected upward; a dot marks the largest mean of the chosen.",
        [{"run": name, "course": kind, "update": float(step), "chosen": float(up),
          "rejected": float(down)}
         for name, courses in runs.items() for kind, course in courses.items()
         for step, up, down in zip(course.steps, course.chosen, course.rejected, strict=True)],
    )  # fmt: skip


def _finding(ends: Mapping[str, float]) -> str:
    if not ends:
        return "What was forecast, before any run: 0 of the panels have a truth beside it."
    best, worst = (pick(ends, key=lambda name: ends[name]) for pick in (max, min))
    return (
        f"At the end the chosen has changed by {signed(round(ends[best], 3))} nats ({best}) at "
        f"best and by {signed(round(ends[worst], 3))} ({worst}) at worst."
    )


def _sample(look: Look, label: str) -> Line2D:
    return Line2D([], [], color=look.color, label=label)
