"""The command that puts objectives side by side."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..terminal.errors import Refusal, require_writable, user_input, writing
from ..terminal.options import LOSS, chosen_objective, number_settings, settings_of
from .shared import JSON, OUT, SET, pair_options, show

if TYPE_CHECKING:
    from disband.theory.kernels.compiled import HasKernels

_FEW = 6  # objectives whose picture has three margins each


@click.command()
@click.argument("names", metavar="[OBJECTIVE]...", nargs=-1)
@LOSS
@pair_options
@SET
@click.option("--figure", is_flag=True, help="Draw phase diagrams too: cosine by norm ratio.")
@OUT
@JSON
def compare(
    *,
    names: tuple[str, ...],
    loss: str | None,
    cosine: float,
    norm_ratio: float,
    settings: tuple[str, ...],
    figure: bool,
    out: Path,
    as_json: bool,
    **numbers: Any,
) -> None:
    """Put objectives side by side on one pair.

    A line for each objective, in the order given, or for the whole catalogue without names: its
    incentives and their ratio, where the ratio lies relative to the band, the first-order change
    of both log-probabilities, the factor of reward calibration, and what happens in words. A
    setting goes to every objective that has it. A loss of your own is the last line.

    \b
    disband compare dpo simpo cpo --cos 0.95 --norm-ratio 1.4
    disband compare --cos 0.8 --norm-ratio 1.1 --logp-l -30 --figure
    disband compare dpo --loss "(w - l - 1)**2" --cos 0.9 --norm-ratio 1.3
    """
    values = number_settings(settings)
    if figure:
        require_writable(out)
    from disband.theory.catalogue import catalogue

    from ..terminal.pair import Pair, shared_settings
    from ..terminal.pair import compare as compared

    with user_input():
        listed = catalogue()
        found = list(dict.fromkeys(listed.find(name) for name in names))
        if len(found) + (loss is not None) == 1:
            raise Refusal(
                "a comparison is of at least two objectives: got one; name another, or leave all "
                "out for the whole catalogue"
            )
        found = found or list(listed.objectives)
        owned = [objective.values({}) for objective in found]
        own = {} if loss is None else settings_of(loss, values)
        given = shared_settings(values, [*owned, own])
        chosen: list[tuple[HasKernels, dict[str, float]]] = list(zip(found, given, strict=False))
        if loss is not None:
            chosen.append((chosen_objective(None, loss, own), {}))
        pair = Pair(**numbers)
        placed = compared(chosen, cosine=cosine, norm_ratio=norm_ratio, pair=pair)
    show(as_json, placed.record, lambda: str(placed))
    if figure:
        from disband.figures.drawing import save
        from disband.figures.objectives import phase_picture
        from disband.sims.surveys.phases import over_margins, phases

        state = vars(pair)
        with writing(out):
            diagrams = (
                over_margins(chosen, state)
                if len(chosen) <= _FEW
                else [phases(objective, state, hyper=hyper) for objective, hyper in chosen]
            )
            svg, png = save(phase_picture(diagrams), out, "compare")
        click.echo(f"\nsaved {svg} and {png.name}", err=as_json)
