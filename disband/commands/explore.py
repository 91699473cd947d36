"""The command that writes the explorer."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

from importlib.util import find_spec
from pathlib import Path

import click

from ..terminal.errors import Refusal, require_writable, user_input, writing
from ..terminal.options import chosen_objective, number_settings
from .shared import SET


@click.command()
@click.option(
    "--loss",
    metavar="TEXT",
    help="A loss of your own to begin with; disband derive --help has the grammar.",
)
@SET
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Where disband verify left the token scores to show; else those that come with disband.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("out", "explore.html"),
    show_default=True,
    metavar="FILE",
    help="The page.",
)
def explore(*, loss: str | None, settings: tuple[str, ...], data: Path | None, out: Path) -> None:
    """Write a page to explore objectives in.

    One HTML file that works without a server or a network: every objective of the catalogue, and a
    loss of your own, with sliders for its hyperparameters, the pair and the scores; the toy
    settings, trained step by step; and the token scores of real pairs. The address keeps what is
    set, so that a view can be shared.

    \b
    disband explore
    disband explore --loss "(w - l - delta)**2" --set delta=1 --out mine.html
    """
    values = number_settings(settings)
    if loss is None and values:
        raise Refusal(
            "--set gives the hyperparameters of --loss; got no --loss; set those of the catalogue "
            "in the page"
        )
    if find_spec("bokeh") is None:
        raise Refusal(
            "disband explore draws with bokeh: not installed; run pip install 'disband[explore]'"
        )
    own = chosen_objective(None, loss, values) if loss is not None else None
    require_writable(out.parent)
    from disband.verify.kept.files import write_text
    from disband.verify.kept.provenance import provenance

    from ..explorer.page import page
    from ..explorer.tokens import recorded, saved

    with user_input():
        tokens = recorded() if data is None else saved(data)
        text = page(tokens, own, loss=loss or "", command=provenance()["command"])
    with writing(out.parent):
        write_text(out, text)
    click.echo(f"{out}  ({len(text.encode()) / 1e6:.1f} MB): open it in a browser")
