r"""Some coordinates of every score: enough for products in any diagonal metric.

Coordinates are drawn, with replacement, with chances :math:`q_p` in proportion to the root mean
square of a few scores there; with weights :math:`1/(D q_p)` sums over the D that are drawn are
those over all parameters, without bias.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..model.gpt2 import Batch, Model, logp
from ..scores.measurement import measuring
from ..scores.products.factors import Dense, Factor
from ..scores.products.terms import Part, shape_of
from ..scores.split import parts

LOOKED_AT = 16  # responses whose scores decide the chances
MEMORY = 1 << 30


@dataclass(frozen=True, eq=False)
class Sketch:
    """Which coordinates are kept.

    Args:
        places: Of each trained parameter, the flat indices that are kept, by its name.
        weights: Of all of them in that order, ``(coordinates,)``.
    """

    places: dict[str, Tensor]
    weights: npt.NDArray[np.float32]

    @classmethod
    def drawn(cls, model: Model, batch: Batch, size: int, seed: int) -> "Sketch":
        """Coordinates drawn by the scores of some of these responses."""
        named = {n: p for n, p in model.named_parameters() if p.requires_grad}
        sizes = [torch.zeros(p.numel(), dtype=torch.float64) for p in named.values()]
        rows = np.unique(np.linspace(0, len(batch) - 1, LOOKED_AT).astype(int))
        for row in rows:
            slopes = torch.autograd.grad(logp(model, batch.row(int(row)))[0], list(named.values()))
            for total, slope in zip(sizes, slopes, strict=True):
                total.add_(slope.detach().reshape(-1).double().cpu() ** 2)
        chances = torch.cat(sizes).sqrt().numpy()
        chances /= chances.sum()
        drawn = np.sort(np.random.default_rng(seed).choice(len(chances), size, p=chances))
        weights = 1 / (size * chances[drawn])
        ends = np.cumsum([0, *(p.numel() for p in named.values())])
        places = {
            name: torch.from_numpy(drawn[(drawn >= low) & (drawn < high)] - low)
            for name, low, high in zip(named, ends[:-1], ends[1:], strict=True)
        }
        return cls(places, weights.astype(np.float32))

    def weights_of(self, model: Model) -> npt.NDArray[np.float32]:
        """What the model's weights are at these places."""
        named = dict(model.named_parameters())
        kept = [
            named[n].detach().reshape(-1)[at.to(named[n].device)] for n, at in self.places.items()
        ]
        values: npt.NDArray[np.float32] = torch.cat(kept).float().numpy(force=True)
        return values

    def scores(self, model: Model, chosen: Batch, rejected: Batch) -> npt.NDArray[np.float32]:
        """Each response's score at these places, ``(2 pairs, coordinates)``, chosen first."""
        found = np.empty((2, len(chosen), len(self.weights)), np.float32)
        with measuring(model, None) as measurement:
            sides = measurement.take(chosen, rejected)
            costs = [measurement.pair_cost(*pair) for pair in zip(*sides, strict=True)]
            for group in measurement.groups(*sides):
                for some in parts([costs[i] for i in group], MEMORY, len(group)):
                    pairs = [group[i] for i in some]
                    both = measurement.pairs(*([side[i] for i in pairs] for side in sides))
                    for rows, scores in zip(found, both, strict=True):
                        kept = [entries(scores[n], at) for n, at in self.places.items()]
                        rows[pairs] = torch.cat(kept, 1).float().numpy(force=True)
        return found.reshape(-1, len(self.weights))


def entries(part: Part, places: Tensor) -> Tensor:
    """Entries of a parameter's gradients at flat places, ``(rows, places)``."""
    width = shape_of(part)[1]
    total: Tensor | None = None
    for term in part:
        left = _picked(term.left, places // width)
        right = None if term.right is None else _picked(term.right, places % width)
        found = (left if right is None else left * right).sum(1)
        total = found if total is None else total + found
    if total is None:
        raise ValueError("a gradient is a sum of terms: got none; give a measured parameter's part")
    return total


def _picked(factor: Factor, columns: Tensor) -> Tensor:
    """Some columns of a factor, ``(rows, positions, columns)``."""
    if isinstance(factor, Dense):
        return factor.value[:, :, columns.to(factor.value.device)]
    picked = factor.ids[:, :, None] == columns.to(factor.ids.device)
    return picked if factor.counts is None else picked & factor.counts[:, :, None]
