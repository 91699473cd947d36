r"""Products of scores, plain or under a diagonal preconditioner.

Without one, most parameters' gradients are never formed. Under :math:`P` the products are
:math:`\langle x, P y\rangle`, and a diagonal on a weight matrix does not factor over its two
sides: gradients are formed, one block of one parameter at a time, and scaled by
:math:`P^{1/2}`, so that Gram matrices stay positive semidefinite.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from .factors import Products, all_dot, paired_dot
from .terms import (
    Part,
    Scores,
    along,
    condensed,
    explicit,
    inner,
    like,
    paired,
    shape_of,
    vectors,
)

Preconditioner = Mapping[str, Tensor]
# Entries of gradients formed at once under a preconditioner.
BLOCK = 1 << 23


def own_products(
    a: Scores, b: Scores, metric: Preconditioner | None
) -> Iterator[tuple[str, Tensor]]:
    r"""Yield, per parameter, :math:`\|a_i\|^2`, :math:`\|b_i\|^2`, ``⟨a_i, b_i⟩``: ``(3, n)``."""
    common = Products(paired_dot)
    for name in a:
        total = torch.zeros(3, a[name][0].rows, dtype=torch.float64)
        for x, y in _blocks((a[name], b[name]), 2, metric, name):
            products = common if x is a[name] else Products(paired_dot)
            total += torch.stack([paired(p, q, products) for p, q in ((x, x), (y, y), (x, y))])
        yield name, total


def all_products(
    xs: Sequence[Scores], ys: Sequence[Scores], metric: Preconditioner | None
) -> Iterator[tuple[str, Tensor]]:
    r"""Yield, per parameter, ``⟨x_i, y_j⟩`` of all rows of the ``xs`` with all of the ``ys``."""
    common = Products(all_dot)
    for name in xs[0]:
        mine, others = ([group[name] for group in groups] for groups in (xs, ys))
        parts = mine if xs is ys else [*mine, *others]
        rows = sum(part[0].rows for part in parts)
        total: Tensor | None = None
        for blocks in _blocks(parts, rows, metric, name):
            products = common if blocks[0] is parts[0] else Products(all_dot)
            block = _matrix(blocks[: len(xs)], blocks[-len(ys) :], products, twice=xs is ys)
            total = block if total is None else total + block
        if total is not None:
            yield name, total


def _matrix(xs: Sequence[Part], ys: Sequence[Part], products: Products, *, twice: bool) -> Tensor:
    blocks: dict[tuple[int, int], Tensor] = {}
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            known = blocks[j, i].T if twice and j < i else None
            blocks[i, j] = inner(x, y, products) if known is None else known
    rows = [torch.cat([blocks[i, j] for j in range(len(ys))], 1) for i in range(len(xs))]
    return torch.cat(rows)


def direction_products(
    x: Scores, direction: Mapping[str, Tensor], metric: Preconditioner | None
) -> Iterator[tuple[str, Tensor]]:
    r"""Yield, per parameter, ``⟨x_i, v⟩``, or ``⟨x_i, P v⟩``: ``(rows,)``."""
    for name, part in x.items():
        v = like(part, direction[name])
        yield name, along(part, v if metric is None else v * like(part, metric[name]))


def _blocks(
    parts: Sequence[Part], partners: int, metric: Preconditioner | None, name: str
) -> Iterator[list[Part]]:
    """Yield parts whose products add up to those under the metric."""
    if metric is None:
        yield condensed(parts, partners)
        return
    out, width = shape_of(parts[0])
    scale = like(parts[0], metric[name]).sqrt()
    height = max(1, BLOCK // (width * sum(part[0].rows for part in parts)))
    for start in range(0, out, height):
        rows = slice(start, start + height)
        yield [
            [vectors((explicit(part, rows) * scale[rows]).flatten(1)[:, None])] for part in parts
        ]
