"""What is measured along a few runs of one model, from which other runs are forecast."""

from dataclasses import dataclass, fields, replace
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..objective import Objective

Array = npt.NDArray[np.float64]
Order = list[npt.NDArray[np.int64]]


def in_epochs(pairs: int, batch_size: int, steps: int, seed: int) -> Order:
    """The pairs of every update, ``(batch_size,)`` each: shuffled epochs of whole batches.

    Raises:
        ValueError: A batch has no pair.
    """
    size = min(batch_size, pairs)
    if size < 1:
        raise ValueError(f"a batch has one pair or more: got {size}; give pairs and a batch size")
    rng = np.random.default_rng(seed)
    order: Order = []
    while len(order) < steps:
        shuffled = rng.permutation(pairs)
        order += [shuffled[i : i + size] for i in range(0, pairs - size + 1, size)]
    return order[:steps]


class Setting(NamedTuple):
    """How the measured runs were trained; the names are those of :attr:`Path.settings`."""

    rate: float
    momentum: float
    first_beta: float
    second_beta: float
    epsilon: float
    batch: float
    updates: float


@dataclass(frozen=True, eq=False)
class Path:
    r"""Scores, log-probabilities and displacement at places along a few runs from one start.

    Of each score :math:`\nabla\log\pi` only some coordinates are kept, drawn with chances in
    proportion to their size. The sum of ``weights`` times what is kept of two vectors is their
    product without bias, in every diagonal metric, so that Adam's own moments can be followed.

    Args:
        scores: ``(anchors, responses, coordinates)`` in float32; responses are the trained chosen,
            the trained rejected, and the same held out.
        logps: ``(anchors, responses)``, nats. The first anchor is the start.
        moves: What the weights have moved by at each anchor, ``(anchors, coordinates)``.
        weights: ``(coordinates,)``.
        branches: The run that each anchor is on, ``(anchors,)``; the start is on the first.
        steps: Updates done there, ``(anchors,)``.
        lengths: Tokens of the trained responses, ``(2 pairs,)``.
        objectives: Name of each run's objective, joined by semicolons.
        optimizer: Its kind: ``sgd``, ``momentum``, ``adam`` or ``adamw``, whose decay is left out.
        settings: The numbers of a :class:`Setting`, in its order.
        seconds: Processor time of the measurement, and of one update.
    """

    scores: npt.NDArray[np.float32]
    logps: Array
    moves: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    branches: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    lengths: Array
    objectives: str
    optimizer: str
    settings: Array
    seconds: Array

    @property
    def pairs(self) -> int:
        """How many pairs are trained on."""
        return len(self.lengths) // 2

    @property
    def setting(self) -> Setting:
        """The settings by name."""
        return Setting(*map(float, self.settings))

    @property
    def worth(self) -> float:
        """How many whole runs, of as many updates, cost as much as this measurement."""
        return float(self.seconds[0] / (self.seconds[1] * self.setting.updates))

    def thinned(self, keep: npt.NDArray[np.bool_]) -> "Path":
        """The same with some of the anchors alone; the start stays."""
        some = keep | (np.arange(len(self.steps)) == 0)
        by_anchor = ("scores", "logps", "moves", "branches", "steps")
        return replace(self, **{name: getattr(self, name)[some] for name in by_anchor})

    def save(self, file: File | str) -> None:
        """Write it as one compressed archive of arrays."""
        values: Mapping[str, Any] = {
            f.name: np.asarray(getattr(self, f.name)) for f in fields(self)
        }
        np.savez_compressed(file, **values)

    @classmethod
    def load(cls, file: File | str) -> "Path":
        """Read what :meth:`save` wrote."""
        with np.load(file) as archive:
            words = ("objectives", "optimizer")
            values: dict[str, Any] = {n: str(v) if n in words else v for n, v in archive.items()}
        return cls(**values)


def incentives(
    objective: "Objective",
    logps: Array,
    start: Array,
    lengths: Array,
    rows: npt.NDArray[np.int64],
    **hyper: float,
) -> tuple[Array, Array]:
    """``d_w`` and ``d_l`` of some pairs, ``(rows,)`` each; the start is the reference.

    Args:
        objective: Whose incentives.
        logps: Of the trained responses, chosen then rejected, ``(2 pairs, ...)``.
        start: The reference's, likewise.
        lengths: ``(2 pairs,)``.
        rows: Which pairs.
        hyper: Hyperparameters that differ from the objective's defaults.
    """
    pairs = len(lengths) // 2
    # A forecast of a probability may pass one; no objective is defined there.
    now = np.minimum(logps, -1e-6)
    sides = (side[at] for side in (now, start, lengths) for at in (rows, pairs + rows))
    d_w, d_l = objective.kernel("incentives", "numpy", **hyper)(*sides)
    return np.broadcast_to(d_w, rows.shape), np.broadcast_to(d_l, rows.shape)


def strength(objective: "Objective", start: Array, lengths: Array, **hyper: float) -> float:
    """Root mean square of all incentives at the start; arguments as of :func:`incentives`."""
    rows = np.arange(len(lengths) // 2)
    both = incentives(objective, start, start, lengths, rows, **hyper)
    return float(np.sqrt(np.mean(np.square(both))))
