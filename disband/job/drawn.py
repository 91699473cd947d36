"""What the pictures of a run are drawn from, and the one file that keeps it for drawing again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from disband.sims.pairs.gallery import Line
from disband.sims.pairs.studies import Study
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT as SENTIMENT
from disband.verify.kept.codec import decode, encode
from disband.verify.kept.sealed import read_arrays, write_arrays

from .motion import Motion

FILE = "pictures.npz"


@dataclass(frozen=True)
class Drawn:
    """What the pictures are drawn from.

    Args:
        toys: The DPO run of each toy, by its name.
        sentiment: The sentiment check, by seed and style; empty where it was left out.
        gallery: The ratio along one toy, by objective.
        experiments: What the experiments on toys left to draw, by name.
        motion: The band in motion.
    """

    toys: Mapping[str, Study]
    sentiment: Mapping[tuple[int, str], Mapping[str, NDArray[Any]]] = field(default_factory=dict)
    gallery: Mapping[str, Line] = field(default_factory=dict)
    experiments: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)

    def has(self, experiment: str) -> bool:
        """Whether the run made this experiment."""
        return bool(self.sentiment if experiment == SENTIMENT else self.experiments.get(experiment))


def keep(data: Drawn, folder: Path) -> None:
    """Write ``data`` to ``folder`` in one file, complete or not at all."""
    write_arrays(folder / FILE, encode(data))


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
    try:
        return decode(Drawn, read_arrays(path))
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(
            f"{path} is no file of an earlier run ({error}); run disband verify again"
        ) from error
