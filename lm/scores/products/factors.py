r"""The two sides of an outer product, and their products at every two positions.

The gradient of a log-probability by a weight matrix is a sum over positions of outer products,
:math:`\sum_s u_s v_s^\top`; of two of them, only :math:`u_s\cdot u'_t` and :math:`v_s\cdot v'_t`
enter the inner product. For an embedding :math:`u_s` is the indicator of a token, which is never
written out.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# A float32 sum over more products than this loses digits that matter.
LONGEST_SUM = 1 << 16


@dataclass(frozen=True, eq=False)
class Dense:
    """Vectors, ``(rows, positions, width)``; one row may stand for all.

    Args:
        value: The vectors.
        common: Whether several terms have this very factor, so that its products are worth
            remembering.
    """

    value: Tensor
    common: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, positions, width."""
        rows, positions, width = self.value.shape
        return rows, positions, width


@dataclass(frozen=True, eq=False)
class OneHot:
    """Indicators of the entries ``ids``, ``(rows, positions)``, among ``width``.

    Where ``counts`` is given and False, the indicator is zero: an embedding's padding entry.
    """

    ids: Tensor
    width: int
    counts: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, positions, width."""
        rows, positions = self.ids.shape
        return rows, positions, self.width


Factor = Dense | OneHot
Dot = Callable[[Factor, Factor], Tensor]


def dense(value: Tensor, *, common: bool = False) -> Dense:
    """Vectors in at least float32, in which a half-precision model's products are summed."""
    return Dense(wide(value), common)


def wide(value: Tensor) -> Tensor:
    """The same values in at least float32."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def paired_dot(x: Factor, y: Factor) -> Tensor:
    """``x[i, s] · y[i, t]``, ``(rows, positions of x, positions of y)``; one row serves all."""
    if isinstance(x, OneHot):
        return _same(x, y) if isinstance(y, OneHot) else _picked(x, y)
    if isinstance(y, OneHot):
        return _picked(y, x).mT
    if x.shape[2] <= LONGEST_SUM:
        return x.value @ y.value.mT
    parts = zip(
        torch.split(x.value, LONGEST_SUM, -1), torch.split(y.value, LONGEST_SUM, -1), strict=True
    )
    return torch.stack([(a @ b.mT).double() for a, b in parts]).sum(0)


def all_dot(x: Factor, y: Factor) -> Tensor:
    """``x[i, s] · y[j, t]``, ``(rows of x, positions of x, rows of y, positions of y)``."""
    flat = paired_dot(_in_one_row(x), _in_one_row(y))[0]
    return flat.view(*x.shape[:2], *y.shape[:2])


def _same(x: OneHot, y: OneHot) -> Tensor:
    same = x.ids[:, :, None] == y.ids[:, None, :]
    same = same if x.counts is None else same & x.counts[:, :, None]
    return same if y.counts is None else same & y.counts[:, None, :]


def _picked(x: OneHot, y: Dense) -> Tensor:
    rows = max(x.shape[0], y.shape[0])
    index = x.ids[:, None, :].expand(rows, y.shape[1], -1)
    picked = y.value.expand(rows, -1, -1).gather(2, index).mT
    return picked if x.counts is None else picked * x.counts[:, :, None]


def _in_one_row(x: Factor) -> Factor:
    if isinstance(x, Dense):
        return Dense(x.value.reshape(1, -1, x.shape[2]))
    counts = None if x.counts is None else x.counts.reshape(1, -1)
    return OneHot(x.ids.reshape(1, -1), x.width, counts)


class Products:
    """Products of factors; the latest of common factors are remembered.

    Layers that read the same values, and responses that follow the same prompt, have factors in
    common.
    """

    LATEST = 16

    def __init__(self, dot: Dot) -> None:
        self._dot = dot
        # The factors are kept too, so that their identity does not become another's.
        self._known: OrderedDict[tuple[int, int], tuple[Factor, Factor, Tensor]] = OrderedDict()

    def __call__(self, x: Factor, y: Factor) -> Tensor:
        """The product of two factors."""
        if not (isinstance(x, Dense) and x.common and isinstance(y, Dense) and y.common):
            return self._dot(x, y)
        key = id(x), id(y)
        if key not in self._known:
            self._known[key] = x, y, self._dot(x, y)
            if len(self._known) > self.LATEST:
                self._known.popitem(last=False)
        return self._known[key][2]
