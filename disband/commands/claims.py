"""Commands about claims: show one, list them, search for a counterexample."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path

import click

from ..terminal.errors import Refusal, user_input
from ..terminal.options import POSITIVE
from .shared import JSON, KEPT, show

PATIENCE = 15.0  # seconds for deciding a typed statement
VERDICTS = ("proved", "refuted", "supported", "contradicted", "open")


@click.command()
@click.argument("identifier", metavar="ID")
@click.option("--full", is_flag=True, help="Leave nothing out, however long.")
@click.option("--latex", "tex", is_flag=True, help="Formulas in LaTeX.")
@click.option("--fresh", is_flag=True, help="Decide it again; use nothing kept.")
@JSON
@KEPT
def claim(*, identifier: str, full: bool, tex: bool, fresh: bool, as_json: bool, out: Path) -> None:
    """Show one claim of the ledger, its verdict and what decided it.

    Its statement as printed, where it fails with every comparison worked through, why, and the
    repaired form. The verdict is that of your last disband verify in FOLDER, or the one kept with
    disband, where its evidence holds when it is put in again; else the claim is decided anew.
    The beginning of an id lists the claims that have it.

    \b
    disband claim yuan2025.eq9
    disband claim yuan2025.corollary2.directions --full
    disband claim yuan2025.corollary2
    """
    from ..terminal.claims import find_claim, find_claims, kept_records, record_of
    from ..terminal.statement import claim_text, listing

    with user_input():
        found = find_claims(identifier)
        kept = {} if fresh else kept_records(out)[0]
    if [one.id for one in found] != [identifier]:
        records = [record_of(one, kept) for one in found]
        show(as_json, lambda: records, lambda: listing(records))
        return
    record = record_of(found[0], kept)
    mended = record["repaired"] and record_of(find_claim(record["repaired"]), kept)
    show(as_json, lambda: record, lambda: claim_text(found[0], record, mended, full=full, tex=tex))


@click.command()
@click.option("--verdict", type=click.Choice(VERDICTS), help="Only claims that came to this.")
@click.option("--paper", metavar="KEY", help="Only those of one paper, such as yuan2025.")
@click.option("--search", "words", multiple=True, metavar="WORD", help="In id, place or statement.")
@JSON
@KEPT
def claims(
    *, verdict: str | None, paper: str | None, words: tuple[str, ...], as_json: bool, out: Path
) -> None:
    """List the ledger: verdict, id and statement of every claim, or of those that are asked for.

    --search may be repeated: every word must be there, whatever its case.

    \b
    disband claims --verdict refuted --paper yuan2025
    disband claims --search calibration --search batch
    """
    from ..terminal.claims import listed
    from ..terminal.statement import listing, not_confirmed

    with user_input():
        found, where = listed(out, verdict, paper, words)
    show(
        as_json,
        lambda: found,
        lambda: f"{listing(found)}\n\n{len(found)} claims, decided {where}\n{not_confirmed(found)}",
    )


@click.command()
@click.argument("identifiers", metavar="[ID]...", nargs=-1)
@click.option("--statement", metavar="TEXT", help="A statement of your own; see below.")
@click.option("--given", multiple=True, metavar="TEXT", help="An assumption. May be repeated.")
@click.option("--seconds", type=POSITIVE, default=5.0, show_default=True, help="For each one.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random points.")
@JSON
def falsify(
    *,
    identifiers: tuple[str, ...],
    statement: str | None,
    given: tuple[str, ...],
    seconds: float,
    seed: int,
    as_json: bool,
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
    from disband.verify.claims import LEDGER
    from disband.verify.deciding.claim import Claim, Prediction

    from ..terminal.claims import attempted, find_claim, own_claim
    from ..terminal.statement import falsify_text

    with user_input():
        if statement is not None:
            asked: list[Claim | Prediction] = [own_claim(statement, given)]
        else:
            asked = [find_claim(i) for i in identifiers] or list(LEDGER)
        measured = next((one for one in asked if isinstance(one, Prediction)), None)
    if measured is not None and identifiers:
        raise Refusal(
            f"a search is for statements of mathematics: {measured.id} is decided by an "
            f"experiment; run {measured.command}"
        )
    records = []
    for one in asked:
        if isinstance(one, Claim):
            with user_input():
                record, attempt = attempted(
                    one, seconds, seed, None if statement is None else PATIENCE
                )
            records.append(record)
            if not as_json:
                click.echo(falsify_text(one, record, attempt, seconds) + "\n")
    if as_json:
        show(as_json, lambda: records, str)
