"""Experiments on toys: small enough for ``disband verify`` to run them itself, without models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...kept.store import Arrays
from ..judging.prediction import Prediction

Report = Callable[[float, float, str], None]


@dataclass(frozen=True)
class ToyExperiment:
    """One experiment that statements of the ledger rest on.

    Args:
        name: As the predictions of the ledger call it.
        module: The module that computes it; a change in it makes kept results unknown.
        settings: What it is run with, as plain data.
        run: Returns the outcomes, and arrays to draw by name; hears of work done, work in total,
            and what was done.
    """

    name: str
    module: str
    settings: Mapping[str, Any]
    run: Callable[[Report], tuple[Sequence[Prediction], Arrays]]
