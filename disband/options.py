"""Reads what people type: names of objectives and settings."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from disband.errors import Refusal, user_input

if TYPE_CHECKING:
    from theory.objective import Objective


def objective(name: str) -> "Objective":
    """Return the objective called ``name``.

    Raises:
        Refusal: There is none.
    """
    from theory.objectives import find

    with user_input():
        return find(name)


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


def hyper(chosen: "Objective", settings: Mapping[str, float]) -> dict[str, float]:
    """Return ``settings`` if they are hyperparameters of ``chosen`` with allowed values.

    Raises:
        Refusal: They are not.
    """
    with user_input():
        chosen.values(settings)
    return dict(settings)
