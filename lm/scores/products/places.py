r"""What every two positions of a pair contribute to its products, parameter by parameter.

A score's part of a parameter is a sum over positions, so a product of two is a sum over pairs of
positions, :math:`\sum_{s,t} (u_s \cdot u'_t)(v_s \cdot v'_t)`, or under a diagonal :math:`P`,
:math:`\sum_{s,t} (u_s \circ u'_t)^\top P\, (v_s \circ v'_t)`.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..layout import Text
from .factors import Dense, paired_dot
from .metric import Preconditioner
from .terms import Part, Scores, Term, like


def place_products(
    pair: Sequence[Text], scores: Sequence[Scores], metric: Preconditioner | None
) -> Iterator[tuple[str, Tensor]]:
    """Yield, per parameter, a matrix over the positions of the chosen, then of the rejected."""
    for name, part in scores[0].items():
        scale = None
        if metric is not None:
            scale = like(part, metric[name])
        rows = [
            [
                _matrix(mine[name], others[name], (text, other), scale)
                for other, others in zip(pair, scores, strict=True)
            ]
            for text, mine in zip(pair, scores, strict=True)
        ]
        yield name, torch.cat([torch.cat(row, 1) for row in rows])


def _matrix(x: Part, y: Part, texts: tuple[Text, Text], scale: Tensor | None) -> Tensor:
    total = torch.zeros(texts[0].needed, texts[1].needed, dtype=torch.float64)
    for first in x:
        for second in y:
            block = _plain(first, second) if scale is None else _scaled(first, second, scale)
            rows, columns = (_places(t, n) for t, n in zip(texts, block.shape, strict=True))
            kept = block[: len(rows), : len(columns)].double().cpu()
            total.index_put_((rows[:, None], columns), kept, accumulate=True)
    return total


def _places(text: Text, count: int) -> Tensor:
    # The head is only given the positions that predict; the other layers are given all, perhaps
    # followed by padding.
    predicting = len(text.counted)
    return torch.arange(text.needed) if count > predicting else text.counted.cpu() - 1


def _plain(x: Term, y: Term) -> Tensor:
    left = paired_dot(x.left, y.left)
    right = None if x.right is None or y.right is None else paired_dot(x.right, y.right)
    return (left if right is None else left * right)[0]


def _scaled(x: Term, y: Term, scale: Tensor) -> Tensor:
    if isinstance(x.left, Dense) and isinstance(y.left, Dense):
        u, w = x.left.value[0], y.left.value[0]
        if x.right is None or y.right is None:
            return (u * scale[:, 0]) @ w.T
        v, z = x.right.value[0], y.right.value[0]
        rows = [((p * w) @ scale * (q * z)).sum(1) for p, q in zip(u, v, strict=True)]
        return torch.stack(rows)
    if isinstance(x.left, Dense):
        return _scaled(y, x, scale).T
    if x.right is None or y.right is None:
        raise TypeError("an embedding has a right side, its output's gradient: got none")
    picked = scale[x.left.ids[0]] * x.right.value[0]
    return paired_dot(x.left, y.left)[0] * (picked @ y.right.value[0].T)
