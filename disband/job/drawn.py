"""What the pictures of a run are drawn from, and the one file that keeps it for drawing again."""

import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.sims.pairs.gallery import Line
from disband.sims.pairs.studies import Study
from disband.verify.kept.files import whole_file

from .motion import Motion
from .motion import pack as pack_motion
from .motion import unpack as unpack_motion
from .toys import pack, unpack

Arrays = Mapping[str, NDArray[Any]]
FILE = "pictures.npz"


@dataclass(frozen=True)
class Drawn:
    """What the pictures are drawn from.

    Args:
        toys: The DPO run of each toy, by its name.
        sentiment: The sentiment check, by seed and style; empty where it was left out.
        gallery: The ratio along one toy, by objective; empty in data of earlier versions.
        experiments: What the experiments on toys left to draw, by name.
        motion: The band in motion; empty in data of earlier versions.
    """

    toys: Mapping[str, Study]
    sentiment: Mapping[tuple[int, str], Arrays]
    gallery: Mapping[str, Line] = field(default_factory=dict)
    experiments: Mapping[str, Arrays] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)


def keep(data: Drawn, folder: Path) -> None:
    """Write ``data`` to ``folder`` in one file, complete or not at all."""
    toys = {f"toy/{name}": pack(study) for name, study in data.toys.items()}
    runs = {f"sentiment/{seed}/{style}": run for (seed, style), run in data.sentiment.items()}
    lines = {f"gallery/{name}": asdict(line) for name, line in data.gallery.items()}
    found = {f"experiment/{name}": arrays for name, arrays in data.experiments.items()}
    moving = pack_motion(data.motion)
    with whole_file(folder / FILE) as file:
        np.savez_compressed(file, allow_pickle=False, **flat(toys | runs | lines | found | moving))


def kept(folder: Path) -> Drawn:
    """Return what the last run kept in ``folder``.

    Raises:
        ValueError: There is none, or it is not such a file.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(
            f"pictures are redrawn from the data of an earlier run: there is no {path}; "
            "run disband verify first, or name its folder with --out"
        )
    toys, sentiment, gallery, motion = {}, {}, {}, Motion()
    experiments: dict[str, dict[str, NDArray[Any]]] = {}
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            found = groups(file)
            motion = unpack_motion(found)
            for name, arrays in found.items():
                kind, *which = name.split("/")
                if kind == "toy":
                    toys[which[0]] = unpack(arrays)
                elif kind == "gallery":
                    gallery[which[0]] = Line(**arrays)
                elif kind == "experiment":
                    its = experiments.setdefault(which[0], {})
                    its |= {"/".join([*which[1:], key]): value for key, value in arrays.items()}
                elif kind == "sentiment":
                    sentiment[int(which[0]), which[1]] = arrays
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no file of an earlier run ({error}); run disband verify again"
        ) from error
    return Drawn(toys, sentiment, gallery, experiments, motion)


def flat(arrays: Mapping[str, Arrays]) -> dict[str, NDArray[Any]]:
    """Return groups of arrays as one, each named ``group/array``."""
    return {f"{name}/{key}": value for name, its in arrays.items() for key, value in its.items()}


def groups(arrays: Arrays) -> dict[str, dict[str, NDArray[Any]]]:
    """Undo :func:`flat`."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for path, value in arrays.items():
        name, _, key = path.rpartition("/")
        found.setdefault(name, {})[key] = value
    return found
