"""``disband simulate``: one toy run as a table, a CSV and arrays to draw."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.sims.horizon.courses import Course, pair_courses
from disband.sims.horizon.labels import (
    BALANCED_LABELS,
    BatchToy,
    Promise,
    balanced_labels,
    first_push,
    label_courses,
    promises,
)
from disband.sims.pairs.masked import PLAIN_STEPS, MaskedRun, masked_run
from disband.sims.pairs.policies import AFTER, AT, BEFORE
from disband.sims.pairs.studies import Study, Toy, by_place, rows
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
    toy: Toy | BatchToy, objective: Objective, settings: Mapping[str, float]
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
        *_changes(study.by_place(), study.ahead_by_place(), 1),
    ]
    if steps > 1:
        changes = _changes(study.by_place(), study.ahead_by_place(), steps)
        lines += [f"in all {steps} steps", *changes]
    return "\n".join([*lines, "", *_words(study)])


Places = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def _changes(exact: Places, ahead: Places, steps: int) -> list[str]:
    """One line per place: the sum of the first-order changes of each step, and what came."""
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


def run_masked(toy: Toy, objective: Objective, study: Study, price: float) -> MaskedRun:
    """Run a toy again as ``study`` was, but by masked token incentives at a token's ``price``.

    Raises:
        ValueError: The loss is not DPO's, a method or too few steps were asked for, or the price is
            below zero.
    """
    made = study.parameters
    if objective.loss != DPO.loss or "method" in made:
        with_method = f" with {made['method']}" if "method" in made else ""
        raise ValueError(
            f"the masked loss is DPO's, alone: got {objective.name}{with_method}; mask dpo and "
            "leave the method out"
        )
    if made["steps"] <= PLAIN_STEPS:
        raise ValueError(
            f"the first {PLAIN_STEPS} steps keep every token: got {made['steps']} steps; ask for "
            f"{PLAIN_STEPS + 1} or more"
        )
    problem = toy.build(**{name: made[name] for name in toy.defaults})
    return masked_run(problem, price=price, beta=made["beta"], lr=made["lr"], steps=made["steps"])


@dataclass(frozen=True)
class BatchRun:
    """A run of the toy with balanced labels.

    Args:
        parameters: What it was made with.
        promise: What score products say of its first step.
        courses: Its mean chosen and rejected over the steps.
    """

    parameters: Mapping[str, float]
    promise: Promise
    courses: Mapping[str, Course]


def run_batch(
    objective: Objective,
    *,
    steps: int,
    lr: float | None = None,
    settings: Mapping[str, float] | None = None,
) -> BatchRun:
    """Train the batch with balanced labels; without ``lr`` the first step is as strong as DPO's.

    Raises:
        ValueError: A setting is unknown or out of range.
    """
    choices, hyper = split_settings(BALANCED_LABELS, objective, settings or {})
    choices = {**BALANCED_LABELS.defaults, **choices}
    batch = balanced_labels(**choices)
    if lr is None:
        push = first_push(batch, objective, hyper)
        lr = BALANCED_LABELS.lr * (_push_of_dpo() / push if push > 0 else 1.0)
    both = label_courses(batch, objective, lr=lr, steps=steps, hyper=hyper)
    values = {symbol.name: value for symbol, value in objective.values(hyper).items()}
    return BatchRun(
        {**choices, "lr": lr, "steps": steps, **values},
        promises(batch, objective, lr=lr, hyper=hyper),
        dict(zip(("chosen", "rejected"), both, strict=True)),
    )


def run_courses(toy: Toy, objective: Objective, study: Study, horizon: int) -> Mapping[str, Course]:
    """Hold the first update of ``study`` for ``horizon`` steps, and run the toy for as many.

    Raises:
        ValueError: The run leaves the finite numbers.
    """
    made = study.parameters
    choices = {name: made[name] for name in toy.defaults}
    run = toy.run(
        objective,
        steps=horizon,
        lr=made["lr"],
        hyper={symbol.name: made[symbol.name] for symbol in objective.defaults},
        method=made.get("method", "none"),
        **choices,
    )
    both = pair_courses(toy.build(**choices), run.trajectory)
    return dict(zip(("chosen", "rejected"), both, strict=True))


def masked_record(study: Study, run: MaskedRun, price: float) -> dict[str, Any]:
    """Return a masked run in a few numbers: its changes, and how many tokens it kept on average."""
    exact = by_place(study.places, run.tokens_w, run.tokens_l)
    return {
        "price": price,
        "plain_steps": PLAIN_STEPS,
        "price_needed": run.needed,
        **{
            f"change_{side}_{place}": float(both[i][-1] - both[i][0])
            for place, both in exact.items()
            for i, side in enumerate("wl")
        },
        **{
            f"kept_{side}_{place}": count
            for place, counts in _kept(study, run).items()
            for side, count in zip("wl", counts, strict=True)
        },
    }


def _kept(study: Study, run: MaskedRun) -> dict[str, tuple[float, float]]:
    """How many tokens of each place the masks kept, chosen and rejected, on average over steps."""
    means = (mask[PLAIN_STEPS:].mean(0) for mask in run.masks)
    kept = by_place(study.places, *means)
    return {place: (float(chosen), float(rejected)) for place, (chosen, rejected) in kept.items()}


def masked_table(study: Study, run: MaskedRun, price: float) -> str:
    """Return a masked run in lines of plain text, to stand under the table of the plain one."""
    steps = len(run.ahead_w)
    exact = by_place(study.places, run.tokens_w, run.tokens_l)
    ahead = by_place(study.places, run.ahead_w, run.ahead_l)
    lines = [
        "",
        f"the same with token masks from step {PLAIN_STEPS + 1} on, at the price {number(price)}",
        f"in all {steps} steps",
        *_changes(exact, ahead, steps),
        "tokens kept, on average",
        *(
            f"  {_PLACES[place]:20}{number(chosen):>22}    {number(rejected):>22}"
            for place, (chosen, rejected) in _kept(study, run).items()
        ),
    ]
    if not any(mask[PLAIN_STEPS:].any() for mask in run.masks):
        lines.append(
            f"no token was worth its price, and nothing moved after step {PLAIN_STEPS}: to "
            f"keep one takes a price below {number(run.needed)}"
        )
    return "\n".join(lines)


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
