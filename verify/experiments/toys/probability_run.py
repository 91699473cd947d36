"""The experiment on where probability goes, as ``disband verify`` runs it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from disband.sims.simplex.portraits import Portrait, portraits

from ...kept.store import Arrays
from ..judging.prediction import Prediction
from .experiment import Report, ToyExperiment
from .probability import EXPERIMENT, Curve, Evolution, curve, measure, used
from .probability_rules import predictions

# The share of the work that the portraits are, for the progress bar alone.
_PORTRAITS = 0.2
_PARTS = ("paths", "rows", "gain", "separatrix")


def run(report: Report) -> tuple[Sequence[Prediction], Arrays]:
    """Run it with its own settings; return the outcomes, and curves and portraits as arrays."""
    settings = Evolution()
    readings = measure(settings, lambda share, name: report(share * (1 - _PORTRAITS), 1.0, name))
    arrays: Arrays = {}
    for (kind, method), reading in readings.items():
        line = curve(reading)._asdict()
        arrays |= {f"curve/{kind}/{method}/{name}": value for name, value in line.items()}
    report(1 - _PORTRAITS, 1.0, "portraits")
    for one in portraits():
        arrays |= {f"portrait/{one.name}/{part}": getattr(one, part) for part in _PARTS}
    return predictions(readings, settings), arrays


def curves(arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, dict[str, Curve]]:
    """The curves among what :func:`run` returned, by kind of world and method."""
    by_kind: dict[str, dict[str, Curve]] = {}
    for path in arrays:
        what, *names = path.split("/")
        if what == "curve" and names[-1] == "mean":
            kind, method, _ = names
            parts = (arrays[f"curve/{kind}/{method}/{part}"] for part in Curve._fields)
            by_kind.setdefault(kind, {})[method] = Curve(*parts)
    return by_kind


def drawn_portraits(arrays: Mapping[str, NDArray[np.float64]]) -> list[Portrait]:
    """The portraits among what :func:`run` returned, in its order."""
    names = [p.split("/")[1] for p in arrays if p.startswith("portrait/") and p.endswith("/paths")]
    return [
        Portrait(
            name,
            *(arrays[f"portrait/{name}/{part}"] for part in _PARTS),
        )
        for name in names
    ]


PROBABILITY_EVOLUTION = ToyExperiment(EXPERIMENT, __name__, used(Evolution()), run)
