"""Commands about objectives: their formulas, and where they stand in their band."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from typing import Any

import click

from disband.commands.shared import SET
from disband.errors import user_input
from disband.options import hyper, number_settings, objective


@click.command()
@click.argument("name", metavar="OBJECTIVE")
def derive(name: str) -> None:
    """Print the formulas of an objective.

    Its loss in nats, the incentives d_w and d_l with the regions where they are positive, zero
    or negative, their ratio, the band, and the conditions under which the chosen response is
    preserved and the rejected one suppressed.

    \b
    disband derive dpo
    disband derive slic-hf
    """
    chosen = objective(name)
    from disband.derive import derivation

    click.echo(derivation(chosen))


@click.command()
@click.argument("name", metavar="OBJECTIVE")
@click.option(
    "--cos", "cosine", type=float, required=True, help="Cosine ρ of the two scores, in [-1, 1]."
)
@click.option(
    "--norm-ratio", type=float, required=True, help="‖b‖/‖a‖, rejected over chosen; positive."
)
@click.option("--logp-w", type=float, default=-10.0, show_default=True, help="log π_w in nats.")
@click.option("--logp-l", type=float, default=-10.0, show_default=True, help="log π_l in nats.")
@click.option("--ref-w", type=float, default=-10.0, show_default=True, help="Its reference, nats.")
@click.option("--ref-l", type=float, default=-10.0, show_default=True, help="Its reference, nats.")
@click.option("--len-w", type=click.IntRange(1), default=10, show_default=True, help="Tokens.")
@click.option("--len-l", type=click.IntRange(1), default=10, show_default=True, help="Tokens.")
@SET
def band(
    *, name: str, cosine: float, norm_ratio: float, settings: tuple[str, ...], **pair: Any
) -> None:
    """Print where an objective stands in its band.

    For a pair whose scores have the given cosine and norm ratio: the disentanglement band of ratios
    r = d_w/d_l, the ratio of the objective, which of the two log-probabilities rise and fall in
    a small step, and the calibration that would centre the ratio in the band.

    \b
    disband band dpo --cos 0.9 --norm-ratio 1.3
    disband band simpo --cos 0.5 --norm-ratio 1 --set beta=2.5 --len-w 20
    """
    chosen = objective(name)
    values = hyper(chosen, number_settings(settings))
    from disband.place import Pair, placement

    with user_input():
        click.echo(placement(chosen, values, Pair(**pair), cosine, norm_ratio))
