"""Where probability goes under DPO and stable preference optimization, on drawn toy worlds.

Sentences of jian2025 that no theorem covers;
:mod:`disband.verify.experiments.toys.probability_rules` says what counts for and against them.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disband.sims.simplex.misallocation import KINDS, RUNNERS, Reading, RunSettings, read

from ..judging.intervals import interval

Readings = Mapping[tuple[str, str], Reading]

EXPERIMENT = "probability evolution"
NEEDS = "torch"
GRID = 49


@dataclass(frozen=True)
class Evolution:
    """What is run.

    Args:
        seeds: Each draws its own worlds.
        worlds: Of each kind and seed.
        course: The numbers of the runs.
        margin: The gain of mean margin at which methods are compared, in nats.
        longest: The end of the grid of margins, in nats.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    worlds: int = 60
    course: RunSettings = field(default_factory=RunSettings)
    margin: float = 4.0
    longest: float = 12.0


def measure(settings: Evolution, report: Callable[[float, str], None]) -> Readings:
    """Run every method on every kind of world; all seeds together, in the order of the seeds.

    ``report`` hears of the share that is done and of what is next.
    """
    margins = np.linspace(0, settings.longest, GRID)
    readings: dict[tuple[str, str], Reading] = {}
    total = len(KINDS) * len(RUNNERS)
    for kind in KINDS:
        worlds = kind.worlds(settings.seeds, settings.worlds)
        for name, run in RUNNERS.items():
            report(len(readings) / total, f"{name}, {kind.name}")
            readings[kind.name, name] = read(run(worlds, settings.course), settings.margin, margins)
    return readings


def farthest(settings: Evolution, kind: str) -> NDArray[np.int64]:
    r"""Which irrelevant response lies farthest along :math:`\psi_w - \psi_l`, ``(worlds, C)``."""
    (drawn,) = (k for k in KINDS if k.name == kind)
    x = drawn.worlds(settings.seeds, settings.worlds).features
    along = np.einsum("...vd,...d->...v", x[..., 2:, :], x[..., 0, :] - x[..., 1, :])
    return np.asarray(along.argmax(-1))


def used(settings: Evolution) -> dict[str, Any]:
    """The settings as plain data."""
    return {**asdict(settings), "seeds": list(settings.seeds), "kinds": [k.name for k in KINDS]}


def of_worlds(reading: Reading, worlds: slice) -> Reading:
    """What a reading says of some of its worlds."""
    per_world = [field.name for field in fields(Reading) if field.name != "margins"]
    return replace(reading, **{name: getattr(reading, name)[worlds] for name in per_world})


class Curve(NamedTuple):
    """Misallocated mass over the margin gained, mean over worlds.

    Args:
        margins: ``(G,)`` nats.
        mean: ``(G,)``; NaN where fewer than half of the worlds get there.
        error: Half-width of its 95 % interval, ``(G,)``.
    """

    margins: NDArray[np.float64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]


def curve(reading: Reading) -> Curve:
    """Return the mean of a reading's misallocated mass over its worlds."""
    mean, low, _ = interval(reading.misallocated.T)
    shown = np.isfinite(reading.misallocated).mean(0) >= 0.5
    return Curve(reading.margins, *(np.where(shown, v, np.nan) for v in (mean, mean - low)))
