"""What the pictures of the band in motion are drawn from: runs of every objective and method."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from numpy.typing import NDArray

from disband.sims.methods.treatments import FOR_ONE_PAIR
from disband.sims.pairs.paths import Path, path
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.sims.surveys.adam import WORDS, Cloud, cloud
from disband.sims.surveys.maps import NORM_RATIO, STEP_SIZE, OutcomeMap, outcome_map
from disband.theory.objectives import DPO, OBJECTIVES

from .toys import run_toy

Arrays = Mapping[str, NDArray[Any]]

STEPS = 60
# Where the chosen response falls under DPO from the first step on, and the cosine moves.
TOY = {"prefix": 2, "suffix": 8, "offset": 4.0}
MAIN = ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO")
MAPPED = (
    "none", "reward calibration", "reward calibration, averaged", "nearest in band",
    "normalised gradients", "NLL term",
)  # fmt: skip


@dataclass(frozen=True)
class Motion:
    """The band in motion.

    Args:
        paths: A run of the edit-one toy, by objective and method.
        maps: Outcomes of DPO, by axis and method.
        clouds: Steps under Adam, by the way to calibrate.
    """

    paths: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    maps: Mapping[tuple[str, str], OutcomeMap] = field(default_factory=dict)
    clouds: Mapping[str, Cloud] = field(default_factory=dict)


def motion(after: Callable[[int, int, str], None] = lambda *_: None) -> Motion:
    """Run it all; ``after`` is called with what is done, what there is, and what it was."""
    runs = [(objective, method) for objective in OBJECTIVES for method in FOR_ONE_PAIR]
    views = list(product((NORM_RATIO, STEP_SIZE), MAPPED))
    total = len(runs) + len(views) + len(WORDS)
    paths, maps, clouds = {}, {}, {}
    for done, (objective, method) in enumerate(runs, start=1):
        study = run_toy(EDIT_ONE_SHARED, objective, steps=STEPS, settings=TOY, method=method)
        paths[objective.name, method] = path(study)
        after(done, total, f"{objective.name}, {method}")
    for done, (axis, method) in enumerate(views, start=len(runs) + 1):
        maps[axis, method] = outcome_map(DPO, method, axis)
        after(done, total, f"map over {axis}, {method}")
    for done, name in enumerate(WORDS, start=len(runs) + len(views) + 1):
        clouds[name] = cloud(DPO, name)
        after(done, total, f"Adam, {name}")
    return Motion(paths, maps, clouds)


def pack(found: Motion) -> dict[str, Arrays]:
    """Return it as groups of arrays; :func:`unpack` undoes it."""
    return dict(_packed(found))


def _packed(found: Motion) -> Iterator[tuple[str, Arrays]]:
    for (objective, method), one in found.paths.items():
        yield f"path/{objective}/{method}", asdict(one)
    for (axis, method), view in found.maps.items():
        yield f"map/{axis}/{method}", asdict(view)
    for name, steps in found.clouds.items():
        yield f"cloud/{name}", asdict(steps)


def unpack(groups: Mapping[str, Arrays]) -> Motion:
    """Return what :func:`pack` made ``groups`` from; other groups are passed over.

    Raises:
        TypeError: An array is missing or unknown.
        ValueError: A group's name has not as many parts as it should.
    """
    paths, maps, clouds = {}, {}, {}
    for name, arrays in groups.items():
        kind, _, rest = name.partition("/")
        if kind == "path":
            objective, method = rest.split("/")
            paths[objective, method] = Path(**arrays)
        elif kind == "map":
            axis, method = rest.split("/")
            maps[axis, method] = OutcomeMap(**arrays)
        elif kind == "cloud":
            clouds[rest] = Cloud(**arrays)
    return Motion(paths, maps, clouds)
