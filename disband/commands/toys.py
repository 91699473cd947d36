"""The commands that train toy policies, one or many."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from ..terminal.errors import Refusal, require_writable, user_input, writing
from ..terminal.options import LOSS, chosen_objective, number_settings, settings_of
from .shared import JSON, OUT, SET, show

if TYPE_CHECKING:
    from disband.theory.objective import Objective


@click.command()
@click.argument("name", metavar="[OBJECTIVE]", required=False)
@LOSS
@click.option(
    "--toy",
    type=click.Choice(["single-token", "edit-one", "balanced-labels"]),
    required=True,
    help="The setting.",
)
@click.option(
    "--policy",
    type=click.Choice(["shared", "independent"]),
    default="shared",
    show_default=True,
    help="In edit-one: logits shared up to an offset of the context, or one row per context.",
)
@click.option(
    "--steps", type=click.IntRange(1), default=100, show_default=True, help="Gradient steps."
)
@click.option("--lr", type=float, help="Step size; by default the first step is as long as DPO's.")
@click.option(
    "--method",
    default="none",
    show_default=True,
    metavar="NAME",
    help="Done to the incentives, such as 'reward calibration'; disband outcomes lists all.",
)
@click.option(
    "--mask",
    "price",
    type=float,
    metavar="PRICE",
    help="Run DPO again keeping only tokens that are worth this price, in nats (0.005, say).",
)
@click.option(
    "--horizon",
    type=click.IntRange(1, 100_000),
    metavar="STEPS",
    help="Hold the first update for so many steps: first order, second, exact, and when it turns.",
)
@SET
@OUT
@JSON
def simulate(
    *,
    name: str | None,
    loss: str | None,
    toy: str,
    policy: str,
    steps: int,
    lr: float | None,
    method: str,
    price: float | None,
    horizon: int | None,
    settings: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Train a toy policy and compare first order with what happens.

    single-token: one token each, from one hidden state. edit-one: the responses differ in one
    token, with equal tokens before and after it. Prints the changes of both log-probabilities in
    nats, before, at and after the differing position; saves every step as CSV and a picture as
    SVG and PNG. --set takes hyperparameters and the toy's own settings (suffix=8, say). --mask adds
    a second run by masked token incentives: two steps with every token, then with those that lower
    the loss by more than their price. --horizon says what the first update would do if it were
    made again and again, to first and second order and exactly, beside a run of as many steps; it
    is all that is said of balanced-labels, a batch in which each label is chosen half of the time.

    \b
    disband simulate dpo --toy edit-one
    disband simulate simpo --toy edit-one --policy independent --set suffix=8
    disband simulate dpo --toy edit-one --method "reward calibration"
    disband simulate dpo --toy edit-one --mask 0.005
    disband simulate dpo --toy edit-one --horizon 300
    disband simulate dpo --toy balanced-labels --horizon 300
    disband simulate --loss "(w - l - 1)**2" --toy single-token
    """
    values = number_settings(settings)
    chosen = chosen_objective(name, loss, settings_of(loss, values) if loss is not None else {})
    require_writable(out)
    from numpy import errstate

    from disband.sims.pairs.studies import TOYS
    from disband.verify.kept.files import write_text
    from disband.verify.pages.entries import simulation_entry

    from ..job.toys import (
        masked_record,
        masked_table,
        run_courses,
        run_masked,
        run_toy,
        table,
        table_csv,
    )
    from ..terminal import courses as many_steps

    if toy == "balanced-labels":
        if policy != "shared" or method != "none" or price is not None:
            raise Refusal(
                "balanced-labels is one head, trained as it is: got --policy, --method or --mask; "
                "leave them out"
            )
        _batch(chosen, horizon or steps, lr, values, out, as_json=as_json)
        return
    if toy == "single-token" and policy == "independent":
        raise Refusal(
            "a policy is shared or independent where there are several contexts: single-token has "
            "one; leave --policy out or take --toy edit-one"
        )
    setting = TOYS[toy if toy == "single-token" else f"{toy}-{policy}"]
    with user_input(), errstate(all="ignore"):
        study = run_toy(setting, chosen, steps=steps, lr=lr, settings=values, method=method)
        masked = None if price is None else run_masked(setting, chosen, study, price)
        courses = {} if horizon is None else run_courses(setting, chosen, study, horizon)
    record, text = simulation_entry(study), table(setting, study)
    if masked is not None and price is not None:
        record["masked"] = masked_record(study, masked, price)
        text += "\n" + masked_table(study, masked, price)
    if courses:
        record["horizon"] = many_steps.record(courses)
        text += "\n\n" + "\n".join(many_steps.lines(courses))
    show(as_json, lambda: record, lambda: text)
    from disband.figures.drawing import save
    from disband.figures.horizon.toys import order_picture
    from disband.figures.toys import place_picture, trajectory_picture

    stem = f"{setting.name}-{chosen.name.lower()}"
    words = f"{chosen.name}, {setting.name}"
    if method != "none":
        stem += "-" + method.replace(",", "").replace(" ", "-")
        words += f", {method}"
    pictures = {stem: trajectory_picture(study.trajectory, words)}
    if toy == "edit-one":
        pictures[f"{stem}-places"] = place_picture(study)
    if courses:
        pictures[f"{stem}-horizon"] = order_picture(courses, words)
    with writing(out):
        saved = [path for name, one in pictures.items() for path in save(one, out, name)]
        write_text(out / f"{stem}.csv", table_csv(study))  # more than its picture shows
    names = ", ".join(path.name for path in saved)
    click.echo(f"\nsaved in {out}: {stem}.csv, {names}", err=as_json)


def _batch(
    objective: "Objective",
    steps: int,
    lr: float | None,
    values: dict[str, float],
    out: Path,
    *,
    as_json: bool,
) -> None:
    """Train the batch with balanced labels, print its courses and save their picture."""
    from numpy import errstate

    from disband.figures.drawing import save
    from disband.figures.horizon.toys import order_picture
    from disband.sims.horizon.labels import BALANCED_LABELS as TOY
    from disband.verify.pages.tables import number

    from ..job.toys import run_batch
    from ..terminal import courses as many_steps

    with user_input(), errstate(all="ignore"):
        run = run_batch(objective, steps=steps, lr=lr, settings=values)
    record = {
        "toy": TOY.name,
        "objective": objective.name,
        "parameters": dict(run.parameters),
        "promised": run.promise._asdict(),
        "horizon": many_steps.record(run.courses),
    }
    made = ", ".join(f"{name} {number(value)}" for name, value in run.parameters.items())
    lines = [f"{TOY.name}: {TOY.summary}", *wrap(f"{objective.name}, {made}", 80), ""]
    lines += [*many_steps.promised(run.promise), "", *many_steps.lines(run.courses)]
    show(as_json, lambda: record, lambda: "\n".join(lines))
    stem = f"{TOY.name}-{objective.name.lower()}-horizon"
    with writing(out):
        saved = save(order_picture(run.courses, f"{objective.name}, {TOY.name}"), out, stem)
    names = ", ".join(path.name for path in saved)
    click.echo(f"\nsaved in {out}: {names}", err=as_json)


@click.command()
@click.argument("name", metavar="[OBJECTIVE]", required=False)
@LOSS
@click.option(
    "--method", "methods", multiple=True, metavar="NAME", help="May be repeated; all by default."
)
@click.option("--problems", type=click.IntRange(1), help="How many; 100000, or 1000 batches.")
@click.option(
    "--pairs", type=click.IntRange(1), default=1, show_default=True, help="In each batch."
)
@click.option(
    "--dimensions",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Of the features that a batch shares: the fewer, the more pairs are in each other's way.",
)
@click.option("--steps", type=click.IntRange(1), default=20, show_default=True, help="Of each run.")
@click.option("--lr", type=float, help="Step size; by default drawn from 0.3 to 100.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draw.")
@SET
@JSON
def outcomes(
    *,
    name: str | None,
    loss: str | None,
    methods: tuple[str, ...],
    problems: int | None,
    pairs: int,
    settings: tuple[str, ...],
    as_json: bool,
    **asked: Any,
) -> None:
    """Train many toy problems with each method and count what became of them.

    A problem is one pair, or a batch of pairs in each other's way. Directions are those of the
    log-probabilities, step by step. For batches it also says how many have an empty batch band, and
    how many no step at all that suits every pair.

    \b
    disband outcomes dpo
    disband outcomes bce --method none --method "reward calibration"
    disband outcomes dpo --pairs 8 --dimensions 4
    """
    values = number_settings(settings)
    chosen = chosen_objective(name, loss, settings_of(loss, values) if loss is not None else values)
    from disband.sims.surveys.survey import Survey, feasibility, survey

    from ..terminal.outcomes import lines, record

    with user_input():
        count = problems or (100_000 if pairs == 1 else 1_000)
        ask = Survey(problems=count, pairs=pairs, **asked)
        rows = survey(chosen, methods, ask)
    start = feasibility(chosen, ask) if pairs > 1 else {}
    show(
        as_json,
        lambda: record(rows, chosen.name, ask, start),
        lambda: "\n".join(lines(rows, chosen.name, ask, start)),
    )
