"""The command that trains a toy policy."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path

import click

from disband.commands.shared import OUT, SET
from disband.errors import Refusal, require_writable, user_input, writing
from disband.options import LOSS, chosen_objective, number_settings, settings_of


@click.command()
@click.argument("name", metavar="[OBJECTIVE]", required=False)
@LOSS
@click.option(
    "--toy", type=click.Choice(["single-token", "edit-one"]), required=True, help="The setting."
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
@SET
@OUT
def simulate(
    *,
    name: str | None,
    loss: str | None,
    toy: str,
    policy: str,
    steps: int,
    lr: float | None,
    settings: tuple[str, ...],
    out: Path,
) -> None:
    """Train a toy policy and compare first order with what happens.

    single-token: one token each, from one hidden state. edit-one: the responses differ in one
    token, with equal tokens before and after it. Prints the changes of both log-probabilities in
    nats, before, at and after the differing position; saves every step as CSV and a picture as
    SVG and PNG. --set takes hyperparameters and the toy's own settings (suffix=8, say).

    \b
    disband simulate dpo --toy edit-one
    disband simulate simpo --toy edit-one --policy independent --set suffix=8
    disband simulate --loss "(w - l - 1)**2" --toy single-token
    """
    values = number_settings(settings)
    chosen = chosen_objective(name, loss, settings_of(loss, values) if loss is not None else {})
    require_writable(out)
    from numpy import errstate

    from disband.toys import run_toy, table, table_csv
    from sims.studies import TOYS
    from verify.store import write_text

    if toy == "single-token" and policy == "independent":
        raise Refusal(
            "a policy is shared or independent where there are several contexts: single-token has "
            "one; leave --policy out or take --toy edit-one"
        )
    setting = TOYS[toy if toy == "single-token" else f"{toy}-{policy}"]
    with user_input(), errstate(all="ignore"):
        study = run_toy(setting, chosen, steps=steps, lr=lr, settings=values)
    click.echo(table(setting, study))
    from figures.style import save
    from figures.toys import place_picture, trajectory_picture

    stem = f"{setting.name}-{chosen.name.lower()}"
    pictures = {stem: trajectory_picture(study.trajectory, f"{chosen.name}, {setting.name}")}
    if toy == "edit-one":
        pictures[f"{stem}-places"] = place_picture(study)
    with writing(out):
        write_text(out / f"{stem}.csv", table_csv(study))
        saved = [path for name, one in pictures.items() for path in save(one, out, name)]
    click.echo(f"\nsaved in {out}: {stem}.csv, {', '.join(path.name for path in saved)}")
