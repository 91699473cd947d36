"""The command that runs the experiments on language models."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import Any

import click

from ..terminal.errors import Interrupted, writing
from ..terminal.options import POSITIVE
from .shared import CLUSTER, OUT


@click.command()
@click.option(
    "--question",
    "questions",
    multiple=True,
    metavar="NAME",
    help="steps, courses, objectives, regimes, runs, targets, methods, mass, learnt or horizon. "
    "May be repeated. By default the first five, at scale laptop all but the last.",
)
@click.option(
    "--scale",
    type=click.Choice(["small", "laptop", "pretrained", "full"]),
    default="small",
    show_default=True,
    help="How much is run: minutes, or an hour and more; a pretrained model by the paper's "
    "protocol, for hours; or the same with more of everything, for a GPU.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--first-seed", type=click.IntRange(0), default=0, show_default=True, help="Of them.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option(
    "--model",
    metavar="NAME",
    help="Start from this causal language model: a folder, a .gguf file, smollm2 (at scale "
    "pretrained and full, unless another is named) or a hub id.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Of that model, as torch names it; auto is a GPU where there is one.",
)
@click.option("--style", metavar="NAME", help="Response style, such as 'edit one 3+6'.")
@click.option("--objective", metavar="NAME", help="Instead of the objectives of the questions.")
@click.option(
    "--optimizer", type=click.Choice(["sgd", "momentum", "adam", "adamw"]), help="With --rate."
)
@click.option("--rate", type=POSITIVE, help="Learning rate.")
@click.option("--steps", type=click.IntRange(1), help="Updates of the preference training.")
@click.option("--batch", type=click.IntRange(1), help="Pairs in one.")
@click.option("--eval-pairs", "eval_pairs", type=click.IntRange(2), help="Held-out pairs followed.")
@click.option("--logp-every", type=click.IntRange(1), help="Steps between log-probabilities.")
@click.option("--gram-every", type=click.IntRange(1), help="And between Grams; a multiple of it.")
@click.option("--sft-steps", type=click.IntRange(0), help="Updates of the fine-tuning before.")
@click.option(
    "--sft-shown",
    type=click.Choice(["both labels", "correct"]),
    help="What it shows: right and wrong responses alike, or right ones.",
)
@click.option("--data", metavar="SOURCE", help="Tweets; see disband verify --help.")
@click.option(
    "--pairs",
    metavar="SOURCE",
    help="Preference data instead of tweets: prompt, chosen and rejected as JSONL, JSON, CSV or "
    "Parquet, or a hub id. Needs --model.",
)
@click.option("--skip-malformed", is_flag=True, help="Leave out rows of --pairs that are none.")
@click.option(
    "--checkpoints",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Save the models of the question runs, before and after, for --model.",
)
@click.option("--fresh", is_flag=True, help="Do every piece again; use nothing kept earlier.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="At scale full: all of it with a tiny model and few updates, to see that it works here.",
)
@click.option("--finished", is_flag=True, help="Run nothing: record the pieces finished so far.")
@CLUSTER
@OUT
def gpt2(*, seeds: int, first_seed: int, out: Path, **study: Any) -> None:
    """Ask small language models whether the theory holds in training.

    A GPT-2 is trained on tweets for each seed, then fine-tuned and trained on preferences. steps:
    how well the own pair's Gram and the whole batch's predict one update. courses: how much of a
    run is first order, and in which tokens. objectives: who preserves the chosen at equal margin.
    regimes: where the predictions of yuan2025, section 4.3, hold. runs: whole trainings, with
    log-probabilities, Grams, incentives and cases on the way. targets: what each update does for
    the responses that training ends with. methods: what calibration and normalised gradients do to
    six objectives, what they cost, and which labels the model writes. mass: probability on tokens
    that are neither label, under DPO and stable preference optimization. learnt: section 4.3 and
    first order on a model that has been taught to answer right. horizon: whether the chosen is up
    or down after many updates, beside what was forecast by several means.

    Finished pieces are kept in FOLDER/steps; after an interrupt the same command goes on.

    \b
    disband gpt2
    disband gpt2 --question steps --seeds 3 --first-seed 10
    disband gpt2 --scale pretrained --question runs --seeds 3 --workers 1
    disband gpt2 --scale full --dry-run
    disband gpt2 --model ./mine --pairs prefs.jsonl --question runs --steps 20
    """
    try:
        from ..job.gpt2 import Study, run, summary

        seeds_run = range(first_seed, first_seed + seeds)
        with writing(out):
            record = run(Study(out=out, seeds=seeds_run, **study))
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted; finished pieces are kept in {out / 'steps'}, run the same command to "
            "go on"
        ) from error
    click.echo()
    if study["dry_run"]:
        click.echo(f"every step ran; a tiny model finds nothing, so see {out / 'dry-run'} for form")
        return
    click.echo(summary(record, out))
