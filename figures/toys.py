"""Pictures of the toy studies: what a step was predicted to do, and what it did."""

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from disband.sims.pairs.descent import Trajectory
from disband.sims.pairs.policies import PLACES
from disband.sims.pairs.studies import Study

from .style import CHOSEN, LOOKS, REJECTED, Array, draw, panels, spread, styled, zero_line

_FEW = 12  # problems that are still told apart as thin lines
_MARKS = 20


@styled
def trajectory_picture(trajectory: Trajectory, title: str = "") -> Figure:
    """Both log-probabilities over training, and each step's predicted beside its real change.

    Thick lines are means over problems; thin lines, up to twelve, are single problems. The
    first-order prediction is the line, the real change the open markers.
    """
    figure, ((left, right),) = panels(1, 2, (9.4, 3.9))
    zero_line(right)
    for logp, predicted, measured, look, label in zip(
        (trajectory.logp_w, trajectory.logp_l),
        trajectory.predicted,
        trajectory.measured,
        (CHOSEN, REJECTED),
        ("chosen", "rejected"),
        strict=True,
    ):
        problems = _problems(logp)
        states = np.arange(problems.shape[1])
        if len(problems) <= _FEW:
            spread(left, states, problems, look)
        draw(left, states, problems.mean(0), look, label)
        ahead, real = (_problems(changes).mean(0) for changes in (predicted, measured))
        right.plot(
            states, ahead, color=look.color, linestyle=look.linestyle, label=f"{label}, first order"
        )
        right.plot(
            states[:-1],
            real,
            color=look.color,
            linestyle="none",
            marker=look.marker,
            markerfacecolor="white",
            markevery=-(-len(states) // _MARKS),
            label=f"{label}, real",
        )
    left.set(xlabel="steps taken", ylabel="log π (nats)")
    right.set(xlabel="steps taken", ylabel="change by the next step (nats)")
    left.legend()
    right.legend()
    if title:
        figure.suptitle(title.replace("$", r"\$"))
    return figure


@styled
def place_picture(study: Study) -> Figure:
    """Change of both log-probabilities, and what lies before, at and after the differing position.

    Means over problems.

    Source: yuan2025, Theorem 3 and its remark, which splits the change into these three parts.
    """
    figure, (row,) = panels(1, 2, (9.4, 3.9))
    run, by_place = study.trajectory, study.by_place()
    for side, (axes, logp, look, label) in enumerate(
        zip(
            row,
            (run.logp_w, run.logp_l),
            (CHOSEN, REJECTED),
            ("chosen", "rejected"),
            strict=True,
        )
    ):
        zero_line(axes)
        parts = [
            (its, part, by_place[part][side])
            for its, part in zip(LOOKS, PLACES, strict=False)
            if part in by_place
        ]
        for its, part, values in [*parts, (look, f"whole {label}", logp)]:
            mean = _problems(values).mean(0)
            draw(axes, np.arange(len(mean)), mean - mean[0], its, part)
        axes.set_title(label)
        axes.set_xlabel("steps taken")
    handles = {str(one.get_label()): one for axes in row for one in axes.get_lines()[1:]}
    figure.legend(handles=[*handles.values()], loc="outside lower center", ncols=len(handles))
    row[0].set_ylabel("change of log π (nats)")
    figure.suptitle(f"{study.objective} on {study.toy}".replace("$", r"\$"))
    return figure


def _problems(values: ArrayLike) -> Array:
    """Return ``(states, ...)`` as ``(problems, states)``."""
    array = np.asarray(values, float)
    return array.reshape(len(array), math.prod(array.shape[1:])).T
