"""Reads what people type: names of objectives, losses of their own, and settings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from .errors import Refusal, user_input

if TYPE_CHECKING:
    from disband.theory.objective import Objective

LOSS = click.option(
    "--loss",
    metavar="TEXT",
    help="A loss of your own in place of OBJECTIVE; disband derive --help has the grammar.",
)


class _Positive(click.FloatRange):
    """A finite number above 0: a range alone lets nan through, and inf."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number above 0", param, ctx)
        return number


POSITIVE = _Positive()


def objective(name: str) -> "Objective":
    """Return the objective called ``name``.

    Raises:
        Refusal: There is none.
    """
    from disband.theory.objectives import find

    with user_input():
        return find(name)


def chosen_objective(
    name: str | None, loss: str | None, settings: Mapping[str, float], *, gaps: bool = False
) -> "Objective":
    """Return the objective called ``name``, or the one whose loss is typed as ``loss``.

    Its ``defaults`` are what ``settings`` says, and for an objective of the catalogue its own
    where ``settings`` is silent. ``gaps`` is as of ``typed_objective``.

    Raises:
        click.UsageError: Not exactly one of ``name`` and ``loss`` is given.
        Refusal: There is no such objective, the loss cannot be read, or the settings are not the
            values of its hyperparameters.
    """
    if (name is None) == (loss is None):
        came = "neither" if name is None else "both"
        raise click.UsageError(
            f"give either OBJECTIVE or --loss: got {came}", click.get_current_context(silent=True)
        )
    from disband.theory.own_loss.declare import typed_objective

    if loss is not None:
        with user_input():
            return typed_objective(loss, settings, gaps=gaps)
    found = objective(name or "")
    with user_input():
        return replace(found, defaults=found.values(settings)) if settings else found


def settings_of(loss: str, settings: Mapping[str, float]) -> dict[str, float]:
    """Return those of ``settings`` that the typed ``loss`` names.

    Raises:
        Refusal: The loss cannot be read.
    """
    from disband.theory.own_loss.declare import hyperparameters_of

    with user_input():
        return {name: settings[name] for name in hyperparameters_of(loss) if name in settings}


def number_settings(texts: Sequence[str]) -> dict[str, float]:
    """Return the numbers of ``NAME=NUMBER`` texts by name.

    Raises:
        Refusal: A text is not of that form, its number is not finite, or a name comes twice.
    """
    settings: dict[str, float] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not name or not math.isfinite(number):
            raise Refusal(
                f"a setting is NAME=NUMBER with a finite number: got {text!r}; "
                "write it as --set beta=0.1"
            )
        if name in settings:
            raise Refusal(f"a setting is given once: got {name} twice; keep one of them")
        settings[name] = number
    return settings
