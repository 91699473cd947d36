"""What the pictures of the band in motion are drawn from: runs of every objective and method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

from disband.sims.methods.treatments import FOR_ONE_PAIR
from disband.sims.pairs.paths import Path, path
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.sims.surveys.adam import WORDS, Cloud, cloud
from disband.sims.surveys.maps import NORM_RATIO, STEP_SIZE, OutcomeMap, outcome_map
from disband.theory.objectives import DPO, OBJECTIVES

from .toys import run_toy

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
