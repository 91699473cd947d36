"""Pictures of the toy studies: what a step was predicted to do, and what it did."""

import math

import numpy as np
from numpy.typing import ArrayLike

from disband.sims.pairs.descent import Trajectory
from disband.sims.pairs.policies import AFTER, AT, BEFORE, PLACES
from disband.sims.pairs.studies import Study

from .drawing import Drawing, Row
from .style import (
    CHOSEN,
    LOOKS,
    PAGE,
    REJECTED,
    Array,
    draw,
    handles_of,
    legend,
    panels,
    spread,
    styled,
    zero_line,
)

_FEW = 12  # problems that are still told apart as thin lines
_MARKS = 20
_SIDES = ("chosen", "rejected")
_WORDS = {BEFORE: "before they differ", AT: "where they differ", AFTER: "after they differ"}


@styled
def trajectory_picture(trajectory: Trajectory, title: str = "") -> Drawing:
    """Both log-probabilities over training, and each step's predicted beside its real change.

    Thick lines are means over problems; thin lines, up to twelve, are single problems. The
    first-order prediction is the line, the real change the open markers.
    """
    figure, ((left, right),) = panels(1, 2, (PAGE, 2.9))
    zero_line(right)
    rows: list[Row] = []
    errors = []
    for logp, predicted, measured, look, label in zip(
        (trajectory.logp_w, trajectory.logp_l),
        trajectory.predicted,
        trajectory.measured,
        (CHOSEN, REJECTED),
        _SIDES,
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
        errors.append(
            np.abs(real - ahead[:-1]).max(initial=0.0) / (np.abs(real).max(initial=0) or 1)
        )
        known = [*real.tolist(), None]
        columns = zip(states.tolist(), problems.mean(0), ahead, known, strict=True)
        rows += [{"response": label, "step": at, "log π": float(value), "first order": float(first),
                  "real": change} for at, value, first, change in columns]  # fmt: skip
    left.set(xlabel="steps taken", ylabel=r"$\log\pi$ (nats)")
    right.set(xlabel="steps taken", ylabel="change by the next step (nats)")
    legend(figure, *handles_of([left, right]))
    left.set_title(title.replace("$", r"\$"), loc="left")
    problems = _problems(trajectory.logp_w)
    fall = problems.mean(0)[-1] < problems.mean(0)[0]
    return Drawing(
        figure,
        f"The chosen ends {'lower' if fall else 'higher'} than it began, and first order misses "
        f"the change of a step by at most {max(errors):.2g} of the largest.",
        _problems_basis(len(problems)),
        "Left, both log-probabilities over the steps taken; right, the change by the next step, "
        "first order as lines and the real one as open marks.",
        rows,
    )


def _problems_basis(count: int) -> str:
    if count == 1:
        return "One problem, exact: nothing is drawn at random."
    thin = "; thin lines: single problems; shades span them" if count <= _FEW else ""
    return f"Thick lines: means over {count} problems{thin}."


@styled
def place_picture(study: Study) -> Drawing:
    """Change of both log-probabilities, and what lies before, at and after the differing position.

    Means over problems.

    Source: yuan2025, Theorem 3 and its remark, which splits the change into these three parts.
    """
    figure, (row,) = panels(1, 2, (PAGE, 3.0))
    run, by_place = study.trajectory, study.by_place()
    rows: list[Row] = []
    last: dict[str, float] = {}
    for side, (axes, logp, look, label) in enumerate(
        zip(row, (run.logp_w, run.logp_l), (CHOSEN, REJECTED), _SIDES, strict=True)
    ):
        zero_line(axes)
        parts = [
            (its, _WORDS[part], by_place[part][side])
            for its, part in zip(LOOKS, PLACES, strict=False)
            if part in by_place
        ]
        for its, part, values in [*parts, (look, f"whole {label}", logp)]:
            mean = _problems(values).mean(0)
            draw(axes, np.arange(len(mean)), mean - mean[0], its, part)
            rows += [{"response": label, "part": part, "step": t, "change": float(v)}
                     for t, v in enumerate(mean - mean[0])]  # fmt: skip
            last[f"{label}, {part}"] = float(mean[-1] - mean[0])
        axes.set_title(f"{study.objective} on {study.toy}: {label}".replace("$", r"\$"))
        axes.set_xlabel("steps taken")
    legend(figure, *handles_of(row))
    row[0].set_ylabel(r"change of $\log\pi$ (nats)")
    after = last.get(f"chosen, {_WORDS[AFTER]}")
    said = f"{_way(last['chosen, whole chosen'])} as a whole"
    said += "" if after is None else f" and {_way(after)} after the two responses differ"
    return Drawing(
        figure,
        f"Under {study.objective} the chosen {said}.",
        _problems_basis(len(_problems(run.logp_w))),
        "Left the chosen, right the rejected: change of the log-probability over the steps taken, "
        "as a whole and before, where and after the two responses differ.",
        rows,
    )


def _way(change: float) -> str:
    return f"{'gains' if change > 0 else 'loses'} {abs(change):.2g} nats" if change else "stays"


def _problems(values: ArrayLike) -> Array:
    """Return ``(states, ...)`` as ``(problems, states)``."""
    array = np.asarray(values, float)
    return array.reshape(len(array), math.prod(array.shape[1:])).T
