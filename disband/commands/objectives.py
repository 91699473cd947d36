"""Commands about objectives: their formulas, and where they stand in their band."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import Any

import click

from ..terminal.errors import require_writable, user_input, writing
from ..terminal.options import LOSS, chosen_objective, number_settings
from .shared import JSON, OUT, SET, pair_options, show


@click.command()
@click.argument("name", metavar="[OBJECTIVE]", required=False)
@LOSS
@SET
@JSON
def derive(*, name: str | None, loss: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Print the formulas of an objective, or of a loss of your own.

    Its loss in nats, the incentives d_w and d_l with the regions where they are positive, zero
    or negative, their ratio, the band, and the conditions under which the chosen response is
    preserved and the rejected one suppressed.

    \b
    disband derive dpo
    disband derive simpo --set beta=2.5
    disband derive --loss "relu(1 - beta*(w - l)) - lam*w/len_w" \\
                   --set beta=0.1 --set lam=1

    A loss is that of one pair, in nats, written with

    \b
    names      w, l          log π of chosen, rejected; also logp_w, logp_l
               ref_w, ref_l  the same under the reference
               len_w, len_l  lengths in tokens
               gap           score of chosen less that of rejected, of each pair:
                             disband probe reads it from the data; elsewhere, or
                             with --set gap=NUMBER, it is a hyperparameter
               any other     a hyperparameter, which needs --set NAME=NUMBER
    numbers    12, 0.5, 1e-3; read exactly
    operators  + - * / ( ), and ** with a whole exponent up to 64
    functions  exp(x)   log(x)   sqrt(x)   abs(x)
               sigmoid(x)      1/(1 + exp(-x))
               logsigmoid(x)   log(sigmoid(x))
               relu(x)         max(0, x)
               step(x)         1 where x > 0, else 0
               expm1(x)        exp(x) - 1
               logodds(x)      log(exp(x)/(1 - exp(x))) for x < 0
               linlog(x)       log(x), from x = 1e-6 down its tangent
               min(x, ...)  max(x, ...)   of two or more
               stop(x)         x, held constant in derivatives: a stop-gradient,
                               detach() in a trainer

    A hyperparameter is named by up to 20 small letters, digits and _, beginning with a letter.
    Names that the catalogue uses keep their range, so that beta is positive and lam at least
    zero; others may have any value. Logarithms are natural. At a kink relu and abs have slope 0,
    min and max that of their last argument. A text has at most 1000 characters, and a loss
    whose derivatives would fill pages is refused. Nothing that is typed is evaluated as code.
    """
    chosen = chosen_objective(name, loss, number_settings(settings), gaps=True)
    from ..terminal.derive import derivation, record

    show(as_json, lambda: record(chosen), lambda: derivation(chosen))


@click.command()
@click.argument("name", metavar="[OBJECTIVE]", required=False)
@LOSS
@pair_options
@SET
@click.option("--figure", is_flag=True, help="Draw the band with the pair in it too.")
@OUT
@JSON
def band(
    *,
    name: str | None,
    loss: str | None,
    cosine: float,
    norm_ratio: float,
    settings: tuple[str, ...],
    figure: bool,
    out: Path,
    as_json: bool,
    **pair: Any,
) -> None:
    """Print where an objective stands in its band.

    For a pair whose scores have the given cosine and norm ratio: the disentanglement band of ratios
    r = d_w/d_l, the ratio of the objective, which of the two log-probabilities rise and fall in
    a small step, and the calibration that would centre the ratio in the band.

    \b
    disband band dpo --cos 0.9 --norm-ratio 1.3 --figure
    disband band simpo --cos 0.5 --norm-ratio 1 --set beta=2.5 --len-w 20
    disband band --loss "(w - l - 1)**2" --cos 0.9 --norm-ratio 1.3
    """
    values = number_settings(settings)
    if figure:
        require_writable(out)
    from disband.theory.catalogue import catalogue

    from ..terminal.pair import Pair, band_text, compare

    with user_input():
        # an objective of the catalogue is there as numbers, without deriving anything
        chosen, hyper = (
            (catalogue().find(name), values)
            if name is not None and loss is None
            else (chosen_objective(name, loss, values), {})
        )
        found = compare([(chosen, hyper)], cosine=cosine, norm_ratio=norm_ratio, pair=Pair(**pair))
    show(as_json, found.record, lambda: band_text(found))
    if figure:
        from disband.figures.chen2026 import pair_picture
        from disband.figures.drawing import save

        (one,) = found.placements
        with writing(out):
            drawing = pair_picture(one.name, cosine, norm_ratio, one.ratio, one.delta)
            svg, png = save(drawing, out, "band")
        click.echo(f"\nsaved {svg} and {png.name}", err=as_json)
