"""Options that several commands take."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
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
# Where a run was left that a command reads.
KEPT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    metavar="FOLDER",
    help="Where your last disband verify left its report.",
)
CLUSTER = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Of a Dask scheduler, such as tcp://127.0.0.1:8786: its workers do the pieces, not "
    "processes here. See disband cluster.",
)
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else."
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


def show(as_json: bool, record: Callable[[], Any], text: Callable[[], str]) -> None:  # noqa: FBT001 (the option's)
    """Print a result: its record as one JSON document, or else as text."""
    if not as_json:
        click.echo(text())
        return
    from disband.verify.kept.files import json_text

    click.echo(json_text(record()))


@contextmanager
def aside(as_json: bool) -> Iterator[None]:  # noqa: FBT001 (the option's)
    """Let what is printed on the way go to stderr where one JSON document is asked for."""
    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        yield
