r"""Scores as sums of outer products, and their inner products.

A score's part of one parameter, of shape ``(out, in)``, is
:math:`\sum_{\mathrm{terms}} \sum_s u_s v_s^\top`, with left sides :math:`u_s` of width ``out`` and
right sides :math:`v_s` of width ``in``. A linear map gives one term for each call; a weight that
is both embedding and head gives one for each use; a bias or a gain is a matrix with ``in = 1`` and
has no right side, which would be 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .factors import LONGEST_SUM, Dense, Factor, OneHot, Products


@dataclass(frozen=True, eq=False)
class Term:
    """One sum of outer products for each row."""

    left: Factor
    right: Dense | None

    @property
    def rows(self) -> int:
        """How many scores this is a part of."""
        return max(self.left.shape[0], 1 if self.right is None else self.right.shape[0])


Part = Sequence[Term]  # of one parameter
Scores = Mapping[str, Part]


def vectors(value: Tensor) -> Term:
    """A parameter's gradients at each position, ``(rows, positions, size)``."""
    return Term(Dense(value), None)


def shape_of(part: Part) -> tuple[int, int]:
    """The parameter's, ``(out, in)``."""
    right = part[0].right
    return part[0].left.shape[2], 1 if right is None else right.shape[2]


def like(part: Part, value: Tensor) -> Tensor:
    """A value of the parameter's shape, laid out and stored as the part is."""
    sides = (part[0].left, part[0].right)
    dense = next(side.value for side in sides if isinstance(side, Dense))
    return value.to(dense).reshape(shape_of(part))


def paired(x: Part, y: Part, products: Products) -> Tensor:
    r"""``⟨x_i, y_i⟩``, ``(rows,)`` in float64; ``products`` are of ``paired_dot``."""
    total = torch.zeros(x[0].rows, dtype=torch.float64)
    for i, first in enumerate(x):
        for j, second in enumerate(y):
            if x is not y or i <= j:
                blocks = _blocks(first, second, products)
                weight = 2 if x is y and i < j else 1
                total += weight * blocks.sum((1, 2), dtype=torch.float64).cpu()
    return total


def inner(x: Part, y: Part, products: Products) -> Tensor:
    r"""``⟨x_i, y_j⟩``, ``(rows of x, rows of y)`` in float64; ``products`` are of ``all_dot``."""
    total = torch.zeros(x[0].rows, y[0].rows, dtype=torch.float64)
    for i, first in enumerate(x):
        for j, second in enumerate(y):
            if x is not y or i <= j:
                block = _inner(first, second, products).cpu()
                total += block + block.T if x is y and i < j else block
    return total


def _blocks(x: Term, y: Term, products: Products) -> Tensor:
    left = products(x.left, y.left)
    return left if x.right is None or y.right is None else left * products(x.right, y.right)


def _inner(x: Term, y: Term, products: Products) -> Tensor:
    if min(x.rows, y.rows) > 1 and x.right is not None and y.right is not None:
        for (p, u), (q, v) in (
            ((x.right, x.left), (y.right, y.left)),
            ((x.left, x.right), (y.left, y.right)),
        ):
            if p.shape[0] == q.shape[0] == 1 and isinstance(u, Dense) and isinstance(v, Dense):
                # All rows have one side in common: mix the other side's positions by it first.
                mixed = products(p, q)[0, :, 0].to(v.value.dtype) @ v.value
                return _sums_of_products(u.value.flatten(1), mixed.flatten(1))
    return _blocks(x, y, products).sum((1, 3), dtype=torch.float64)


def _sums_of_products(x: Tensor, y: Tensor) -> Tensor:
    """``x[i] · y[j]`` in float64, however long the vectors are."""
    parts = zip(torch.split(x, LONGEST_SUM, 1), torch.split(y, LONGEST_SUM, 1), strict=True)
    return torch.stack([(a @ b.mT).double() for a, b in parts]).sum(0)


def along(x: Part, direction: Tensor) -> Tensor:
    r"""``⟨x_i, v⟩`` for a direction ``v`` of shape ``(out, in)``, ``(rows,)`` in float64."""
    total = torch.zeros(x[0].rows, dtype=torch.float64)
    for term in x:
        right = None if term.right is None else term.right.value
        if isinstance(term.left, OneHot):
            image = direction[term.left.ids]
            if term.left.counts is not None:
                image = image * term.left.counts[..., None]
            sides = image if right is None else image * right
        else:
            image = direction.T if right is None else right @ direction.T
            sides = image * term.left.value
        total += sides.sum((1, 2), dtype=torch.float64).cpu()
    return total


def projected(x: Part, left: Tensor, right: Tensor) -> Tensor:
    r"""Sum over all rows of :math:`l_k^\top x_i r_k`, ``(probes,)`` in float64.

    Args:
        x: Of a parameter of shape ``(out, in)``.
        left: ``(probes, out)``.
        right: ``(in, probes)``.
    """
    total = torch.zeros(len(left), dtype=torch.float64)
    for term in x:
        if isinstance(term.left, OneHot):
            sides = left.T[term.left.ids]
            if term.left.counts is not None:
                sides = sides * term.left.counts[..., None]
        else:
            sides = term.left.value @ left.T
        sides = sides * (right[0] if term.right is None else term.right.value @ right)
        total += sides.sum((0, 1), dtype=torch.float64).cpu()
    return total


def weighted(*sums: tuple[Part, Tensor]) -> Tensor:
    r"""``Σ_i w_i x_i`` over all given parts, of shape ``(out, in)``: no score is written out.

    Args:
        sums: Parts of one parameter, each with weights of its scores, ``(rows,)``.
    """
    part = sums[0][0]
    total = like(part, torch.zeros(shape_of(part), device=_device(part[0])))
    for terms, weights in sums:
        for term in terms:
            _add_weighted(total, term, weights)
    return total


def _device(term: Term) -> torch.device:
    side = term.left.ids if isinstance(term.left, OneHot) else term.left.value
    return side.device


def _add_weighted(total: Tensor, term: Term, weights: Tensor) -> None:
    scale = weights.to(total)[:, None, None]
    if isinstance(term.left, OneHot):
        if term.right is None:
            raise TypeError("an embedding has a right side, its output's gradient: got none")
        source = term.right.value * scale
        if term.left.counts is not None:
            source = source * term.left.counts[:, :, None]
        ids = term.left.ids.expand(source.shape[:2]).reshape(-1)
        total.index_add_(0, ids, source.reshape(-1, source.shape[2]))
        return
    left = term.left.value
    if term.right is None:
        total += (left * scale).sum((0, 1))[:, None]
        return
    right = term.right.value
    if left.shape[2] <= right.shape[2]:
        left = left * scale
    else:
        right = right * scale
    left, right = left.expand(term.rows, -1, -1), right.expand(term.rows, -1, -1)
    total.addmm_(left.reshape(-1, left.shape[2]).mT, right.reshape(-1, right.shape[2]))


def explicit(x: Part, out: slice = slice(None)) -> Tensor:
    """The scores' parts themselves, in the rows ``out`` of the parameter: ``(rows, out, in)``."""
    total = _explicit(x[0], out)
    for term in x[1:]:
        total = total + _explicit(term, out)
    return total


def _explicit(term: Term, out: slice) -> Tensor:
    if isinstance(term.left, Dense):
        left = term.left.value[:, :, out]
        return left.mT @ term.right.value if term.right is not None else left.sum(1)[:, :, None]
    if term.right is None:
        raise TypeError("an embedding has a right side, its output's gradient: got none")
    right = term.right.value
    start, stop, _ = out.indices(term.left.width)
    inside = (term.left.ids >= start) & (term.left.ids < stop)
    if term.left.counts is not None:
        inside = inside & term.left.counts
    total = right.new_zeros(term.rows, stop - start, right.shape[2])
    index = (term.left.ids - start).clamp(0, stop - start - 1)[:, :, None]
    source = right * inside[:, :, None]
    return total.scatter_add_(1, index.expand_as(source), source)


def condensed(parts: Sequence[Part], partners: int) -> list[Part]:
    """The same scores, written out where that costs less than products at every two positions.

    Args:
        parts: Of one parameter, of scores to be multiplied with each other.
        partners: With how many others each score is multiplied.
    """
    positions = max(sum(term.left.shape[1] for term in part) for part in parts)
    out, width = shape_of(parts[0])
    if (
        any(isinstance(term.left, OneHot) for part in parts for term in part)
        or (positions + partners) * out * width > partners * positions**2 * (out + width)
        # Nor is more memory spent than the terms themselves need a few times over.
        or out * width > 8 * positions * (out + width)
        or width == 1
    ):
        return list(parts)
    return [[vectors(explicit(part).flatten(1)[:, None])] for part in parts]
