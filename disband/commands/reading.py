"""Options of the commands that read a model and preference data."""

from collections.abc import Callable
from typing import Any

import click

from .shared import SET

_WHAT = (
    click.option(
        "--model",
        required=True,
        metavar="NAME",
        help="Causal language model: a folder, a .gguf file, smollm2 or a hub id.",
    ),
    click.option(
        "--data",
        required=True,
        metavar="SOURCE",
        help="Preference data as JSONL, JSON, CSV or Parquet, a folder, or a hub id. Columns are "
        "told by their names.",
    ),
)
_TRAINED = (
    click.option(
        "--loss",
        metavar="TEXT",
        help="A loss of your own, the one meant to be trained; disband derive --help has the "
        "grammar.",
    ),
    SET,
)
_HOW = (
    click.option(
        "--prompt-column",
        multiple=True,
        metavar="NAME",
        help="Column that both responses answer, or none; told by its name if not given. Several "
        "are joined by line breaks.",
    ),
    click.option("--system-column", metavar="NAME", help="Column of the system turn, or none."),
    click.option("--chosen-column", metavar="NAME", help="Column of the preferred response."),
    click.option("--rejected-column", metavar="NAME", help="Column of the other response."),
    click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sample."
    ),
    click.option(
        "--part", default="train", show_default=True, help="Of a folder or a hub data set."
    ),
    click.option("--lora", type=click.IntRange(1), metavar="RANK", help="Train adapters alone."),
    click.option(
        "--lora-alpha",
        type=click.IntRange(1),
        default=16,
        show_default=True,
        help="Scale of the adapters, over their rank.",
    ),
    click.option(
        "--lora-target",
        "lora_targets",
        multiple=True,
        metavar="LAYER",
        help="A layer that gets one. May be repeated.",
    ),
    click.option(
        "--max-length",
        type=click.IntRange(2),
        default=1024,
        show_default=True,
        help="Most tokens of a text, which loses its end; set it as in the trainer.",
    ),
    click.option("--device", default="auto", show_default=True, help="As torch names it."),
    click.option(
        "--dtype",
        type=click.Choice(["float32", "float64", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="Precision that the model is loaded in.",
    ),
)


def reading_options(objectives: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that say what is read and how, and the objectives, with these by default."""
    named = click.option(
        "--objective",
        "objectives",
        default=objectives,
        show_default=True,
        metavar="NAME,...",
        help="The first is the one meant to be trained, unless --loss is; the others are compared "
        "with it.",
    )

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((*_WHAT, named, *_TRAINED, *_HOW)):
            command = option(command)
        return command

    return decorated


def named_objectives(text: str) -> list[str]:
    """The names in ``NAME,...``."""
    return [name.strip() for name in text.split(",") if name.strip()]
