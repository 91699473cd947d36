"""The command that says what a preference training would do, before it begins."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import Any

import click

from ..terminal.errors import Interrupted, Refusal, writing
from ..terminal.options import POSITIVE, number_settings
from .reading import named_objectives, reading_options
from .shared import JSON, OUT, aside, show


@click.command()
@reading_options("dpo,simpo,cpo,rpo,orpo")
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    help="Pairs measured, drawn at random.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=16, show_default=True, help="Pairs in a batch."
)
@click.option(
    "--batches",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Batches measured whole, every score with every other.",
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "adamw"]),
    default="sgd",
    show_default=True,
    help="Whose metric the score products are in; adamw's is estimated from gradients at the "
    "start and takes several times as long.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Forecast what becomes of the chosen after so many updates, with --rate and --optimizer.",
)
@click.option("--rate", type=POSITIVE, help="Learning rate of these updates.")
@click.option(
    "--margin",
    "margins",
    type=POSITIVE,
    multiple=True,
    default=(10.0,),
    show_default=True,
    help="Look also at incentives when the rejected has fallen by so many nats. May be repeated.",
)
@click.option(
    "--reference",
    metavar="NAME",
    help="A model of the same vocabulary as the reference; by default the model itself, so that "
    "every log-ratio is zero at the start.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Pairs looked into token by token.",
)
@click.option(
    "--longest",
    type=click.IntRange(2),
    default=120,
    show_default=True,
    help="Most response tokens, of both together, of such a pair.",
)
@click.option(
    "--memory",
    type=POSITIVE,
    default=2.0,
    show_default=True,
    help="GiB that scores may take at once, beside the model; where a batch does not fit, it "
    "takes longer.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.jsonl",
    help="Write a filtered copy of the data.",
)
@click.option(
    "--keep-rule",
    type=click.Choice(["sound", "apart", "ideal"]),
    default="sound",
    show_default=True,
    help="sound: no malformed, identical, repeated or contradictory pairs; apart: nor nearly "
    "identical ones; ideal: of the sampled pairs alone, those whose own step is ideal.",
)
@click.option("--fresh", is_flag=True, help="Measure every piece again.")
@OUT
@JSON
def probe(
    *,
    objectives: str,
    settings: tuple[str, ...],
    lora_targets: tuple[str, ...],
    out: Path,
    as_json: bool,
    **asked: Any,
) -> None:
    """Say what preference training would do to a model, before it begins.

    Measures the scores of a sample of preference pairs, and gives a verdict with at most three
    things to do; then for each objective in which share of pairs and batches the chosen and the
    rejected log-probability would rise or fall, the calibration that each would need, the pairs
    worst off with the tokens that cause it, and what was read of the data and what was not.
    Writes FOLDER/probe.html and FOLDER/probe.json.

    Finished pieces are kept in FOLDER/pieces; after an interrupt the same command goes on.

    \b
    disband probe --model smollm2 --data prefs.jsonl --sample 64
    disband probe --model ./mine --data prefs.jsonl --objective simpo --batch 32
    disband probe --model ./mine --data prefs.jsonl --lora 16 --optimizer adamw
    disband probe --model ./mine --data prefs.jsonl --optimizer adamw \\
                  --steps 48 --rate 1e-5
    disband probe --model ./mine --data prefs.jsonl --keep kept.jsonl
    disband probe --model ./mine --data qa.csv --prompt-column question \\
                  --prompt-column text
    disband probe --model ./mine --data prefs.jsonl --objective simpo \\
                  --loss "relu(1 - w + l)"
    """
    names = named_objectives(objectives)
    if not names and asked["loss"] is None:
        raise Refusal(
            f"a probe is of at least one objective: got {objectives!r}; name one, such as dpo"
        )
    try:
        from ..probe.inputs import Probe
        from ..probe.run import run
        from ..probe.terminal import show as tables

        wanted = Probe(
            objectives=names, settings=number_settings(settings), lora_targets=lora_targets,
            out=out, **asked,
        )  # fmt: skip
        with writing(out), aside(as_json):
            record = run(wanted)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted; finished pieces are kept in {out / 'pieces'}, run the same command to "
            "go on"
        ) from error
    if as_json:
        show(as_json, lambda: record, str)
    else:
        tables(record, out)
