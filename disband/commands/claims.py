"""Commands about claims: decide one, search for a counterexample."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

import click

from ..terminal.errors import Refusal, user_input


@click.command()
@click.argument("identifier", metavar="ID")
def claim(identifier: str) -> None:
    """Decide one claim of the ledger and show it whole.

    Its statement and assumptions as printed, the verdict and what decided it, a counterexample
    with the numbers worked through, and the repaired form. docs/claims.md lists the ids.

    \b
    disband claim yuan2025.eq9
    disband claim yuan2025.corollary2.directions
    """
    from ..terminal.claims import claim_text, find_claim

    with user_input():
        found = find_claim(identifier)
    click.echo(claim_text(found))


@click.command()
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
    from disband.verify.claims import LEDGER
    from disband.verify.deciding.claim import Claim, Prediction
    from disband.verify.deciding.decide import decide
    from disband.verify.deciding.falsify import falsify as search

    from ..terminal.claims import falsify_text, find_claim, own_claim

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
                f"run {one.command}"
            )
