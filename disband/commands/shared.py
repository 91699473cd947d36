"""Options that several commands take."""

from pathlib import Path

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
