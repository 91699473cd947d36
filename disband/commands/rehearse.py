"""The command that trains copies of a model, to see what each way to train it would do."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import Any

import click

from ..terminal.errors import Interrupted, Refusal, writing
from ..terminal.options import POSITIVE, number_settings
from .reading import named_objectives, reading_options
from .shared import CLUSTER, JSON, OUT, aside, show

_OF_THE_REHEARSAL = (
    "steps", "rate", "held_out", "optimizer", "warmup", "schedule", "clip", "foretell", "quick",
    "workers", "cluster",
)  # fmt: skip


@click.command()
@reading_options("dpo,simpo,ipo")
@click.option(
    "--remedy",
    "remedies",
    default="pairs,likelihood=0.1",
    show_default=True,
    metavar="NAME,...",
    help="Tried on the first objective: pairs, batch or band (calibrated by each pair's scores, by "
    "the batch's means, into the batch's band), normalised, likelihood=WEIGHT; or none.",
)
@click.option(
    "--steps", type=click.IntRange(1), required=True, help="Updates that each copy is trained for."
)
@click.option(
    "--rate",
    type=POSITIVE,
    required=True,
    help="Learning rate, as you will train.",
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "adam", "adamw"]),
    default="adamw",
    show_default=True,
    help="What makes the updates.",
)
@click.option(
    "--warmup",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Updates over which the rate rises.",
)
@click.option(
    "--schedule",
    type=click.Choice(["constant", "linear"]),
    default="constant",
    show_default=True,
    help="linear: the rate falls to zero at the last of these updates.",
)
@click.option(
    "--clip",
    type=POSITIVE,
    metavar="NORM",
    help="Cut longer gradients to this norm; trainers often do, at 1.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=16, show_default=True, help="Pairs in an update."
)
@click.option(
    "--sample",
    type=click.IntRange(4),
    default=320,
    show_default=True,
    help="Pairs drawn at random, trained on and held out together.",
)
@click.option(
    "--held-out",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Pairs of these that are followed and not trained on; at most a quarter.",
)
@click.option(
    "--forecast/--no-forecast",
    "foretell",
    default=True,
    show_default=True,
    help="Set a forecast beside; it needs one rate and no clipping, and a pilot has none.",
)
@click.option(
    "--quick", is_flag=True, help="A pilot: a quarter of the updates at four times the rate."
)
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Copies at once."
)
@CLUSTER
@click.option("--fresh", is_flag=True, help="Train every copy again.")
@OUT
@JSON
def rehearse(
    *,
    objectives: str,
    remedies: str,
    settings: tuple[str, ...],
    lora_targets: tuple[str, ...],
    out: Path,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train copies of a model on a sample of preference data, and say what each does.

    A copy is trained for each objective as it is, and for the first one with each remedy, all on
    the same batches. Held-out pairs say what became of chosen, rejected and margin, in which
    cases the pairs ended, when the chosen turned, and what it cost. Writes FOLDER/rehearse.html
    and FOLDER/rehearse.json.

    Finished copies are kept in FOLDER/pieces, as numbers; after an interrupt the same command
    goes on.

    \b
    disband rehearse --model smollm2 --data prefs.jsonl --quick \\
                     --steps 48 --rate 1e-5
    disband rehearse --model ./mine --data prefs.jsonl --steps 100 --rate 1e-6 \\
                     --objective dpo,ipo --remedy batch,likelihood=0.05
    disband rehearse --model ./mine --data prefs.jsonl --steps 50 --rate 1e-4 \\
                     --lora 16
    """
    names = named_objectives(objectives)
    if not names and asked["loss"] is None:
        raise Refusal(
            f"a rehearsal is of at least one objective: got {objectives!r}; name one, such as dpo"
        )
    treated = [name for name in named_objectives(remedies) if name != "none"]
    try:
        from ..probe.inputs import Probe
        from ..rehearse.inputs import Rehearsal
        from ..rehearse.run import run
        from ..rehearse.terminal import show as table

        of_training = {name: asked.pop(name) for name in _OF_THE_REHEARSAL}
        read = Probe(
            objectives=names, settings=number_settings(settings), lora_targets=lora_targets,
            out=out, **asked,
        )  # fmt: skip
        with writing(out), aside(as_json):
            record = run(Rehearsal(read, remedies=treated, **of_training))
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted; finished copies are kept in {out / 'pieces'}, run the same command to "
            "go on"
        ) from error
    if as_json:
        show(as_json, lambda: record, str)
    else:
        table(record, out)
