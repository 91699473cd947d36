"""``disband simulate``: one toy run as a table, a CSV and arrays to draw."""

import csv
import io
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np

from disband.sims.pairs.policies import AFTER, AT, BEFORE
from disband.sims.pairs.studies import Study, Toy, rows
from disband.theory.objective import Objective
from disband.theory.objectives import DPO
from disband.verify.pages.tables import number

STEPS = 100
_PLACES = {BEFORE: "before they differ", AT: "where they differ", AFTER: "after they differ"}


def run_toy(
    toy: Toy,
    objective: Objective,
    *,
    steps: int = STEPS,
    lr: float | None = None,
    settings: Mapping[str, float] | None = None,
    method: str = "none",
) -> Study:
    """Run a toy; without ``lr`` the first step is as strong as that of DPO at the toy's own rate.

    Args:
        toy: The toy.
        objective: The objective.
        steps: How many steps of gradient descent.
        lr: The step size.
        settings: Choices of the toy and hyperparameters of the objective, by name.
        method: What is done to the incentives, by its name in ``sims.methods.treatments``.

    Raises:
        ValueError: A setting or the method is unknown, a setting is out of range, or the run
            leaves the finite numbers.
    """
    choices, hyper = split_settings(toy, objective, settings or {})
    if lr is None:
        start = toy.run(
            objective, steps=0, lr=toy.lr, hyper=hyper, method=method, **choices
        ).trajectory
        push = float(np.maximum(np.abs(start.d_w), np.abs(start.d_l)).max())
        lr = toy.lr * _push_of_dpo() / push if push > 0 else toy.lr
    return toy.run(objective, steps=steps, lr=lr, hyper=hyper, method=method, **choices)


def _push_of_dpo() -> float:
    """DPO's incentives, with its defaults, on the reference policy."""
    logp = np.array(-1.0)
    return float(DPO.kernel("d_w")(logp, logp, logp, logp, 1, 1))


def split_settings(
    toy: Toy, objective: Objective, settings: Mapping[str, float]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the toy's choices and the objective's hyperparameters among ``settings``.

    Raises:
        ValueError: A name belongs to neither, or a choice that counts is no whole number.
    """
    numbers = {n: v for n, v in toy.defaults.items() if isinstance(v, int | float)}
    own = {symbol.name for symbol in objective.defaults}
    if unknown := sorted(set(settings) - set(numbers) - own):
        raise ValueError(
            f"{toy.name} with {objective.name} has the settings {', '.join([*numbers, *own])}: "
            f"got {', '.join(unknown)}; set one of these"
        )
    choices: dict[str, Any] = {}
    for name in set(settings) & set(numbers):
        value = settings[name]
        if isinstance(numbers[name], int):
            if value != int(value):
                raise ValueError(f"{name} of {toy.name} is a whole number: got {value}; round it")
            value = int(value)
        choices[name] = value
    return choices, {name: value for name, value in settings.items() if name in own}


def table_csv(study: Study) -> str:
    """Return one line of CSV per state of the run; what a state lacks is empty."""
    lines = rows(study)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def table(toy: Toy, study: Study) -> str:
    """Return the run in lines of plain text: first order beside exact, place by place."""
    settings = {n: v for n, v in study.parameters.items() if isinstance(v, int | float)}
    done = study.parameters.get("method")
    said = f"{study.objective}{f' with {done}' if done else ''}, " + ", ".join(
        f"{n} {number(v)}" for n, v in settings.items()
    )
    steps = study.parameters["steps"]
    lines = [
        f"{toy.name}: {toy.summary}",
        *wrap(said, 80, subsequent_indent="    ", break_on_hyphens=False),
        "",
        f"{'change of log π, nats':22}{'chosen':>22}    {'rejected':>22}",
        f"{'':22}" + "    ".join([f"{'first order':>12}{'exact':>10}"] * 2),
        "in the first step",
        *_changes(study, 1),
    ]
    if steps > 1:
        lines += [f"in all {steps} steps", *_changes(study, steps)]
    return "\n".join([*lines, "", *_words(study)])


def _changes(study: Study, steps: int) -> list[str]:
    """One line per place: the sum of the first-order changes of each step, and what came."""
    ahead, exact = study.ahead_by_place(), study.by_place()
    cells = {
        _PLACES[place]: [
            float(value)
            for side in (0, 1)
            for value in (
                ahead[place][side][:steps].sum(),
                exact[place][side][steps] - exact[place][side][0],
            )
        ]
        for place in exact
    }
    if len(cells) > 1:
        cells["whole response"] = [sum(column) for column in zip(*cells.values(), strict=True)]
    return [_line(name, *row) for name, row in cells.items()]


def _line(name: str, ahead_w: float, exact_w: float, ahead_l: float, exact_l: float) -> str:
    chosen, rejected = (
        f"{number(first):>11} {number(real):>10}"
        for first, real in ((ahead_w, exact_w), (ahead_l, exact_l))
    )
    return f"  {name:20}{chosen}    {rejected}"


def _words(study: Study) -> list[str]:
    summary = study.summary()
    lines = [f"predicted at the start: {summary['case_at_start']}"]
    if (right := summary["signs_right"]) is not None:
        lines.append(f"the predicted signs were right in {float(right):.0%} of the steps")
    if (fell := summary["fell_at"]) is None:
        return [*lines, "the chosen log-probability never fell"]
    return [*lines, f"the chosen log-probability first fell in step {int(fell) + 1}"]
