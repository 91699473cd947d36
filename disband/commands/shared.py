"""Options that several commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    metavar="FOLDER",
    help="Where results go.",
)
SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A hyperparameter, such as beta=0.2. May be repeated.",
)

_PAIR = (
    click.option(
        "--cos", "cosine", type=float, required=True, help="Cosine ρ of the two scores, in [-1, 1]."
    ),
    click.option(
        "--norm-ratio", type=float, required=True, help="‖b‖/‖a‖, rejected over chosen; positive."
    ),
    click.option("--logp-w", type=float, default=-10.0, show_default=True, help="log π_w in nats."),
    click.option("--logp-l", type=float, default=-10.0, show_default=True, help="log π_l in nats."),
    click.option(
        "--ref-w", type=float, default=-10.0, show_default=True, help="Its reference, nats."
    ),
    click.option(
        "--ref-l", type=float, default=-10.0, show_default=True, help="Its reference, nats."
    ),
    click.option("--len-w", type=click.IntRange(1), default=10, show_default=True, help="Tokens."),
    click.option("--len-l", type=click.IntRange(1), default=10, show_default=True, help="Tokens."),
)


def pair_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is known of one pair, in this order."""
    for option in reversed(_PAIR):
        command = option(command)
    return command
