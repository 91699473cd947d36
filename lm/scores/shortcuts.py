"""Shorter ways through some layers, there and back, the same but for rounding.

Going back once for each response token costs most of what is done of a pair's tokens. A token's
slope is zero behind the token, and above the last attention everywhere but at the token: a linear
map need not be applied to zeros. Nor twice to a prompt that two responses have in common.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from transformers.activations import FastGELUActivation, NewGELUActivation, QuickGELUActivation
from transformers.pytorch_utils import Conv1D

from ..model.gpt2 import Model

LINEAR = (nn.Linear, Conv1D)
# They act on numbers one by one, but by many operations, each of which would be gone back through.
COMPOSED = (NewGELUActivation, FastGELUActivation, QuickGELUActivation)
# Leaving out fewer rows than this share would cost more than it saves.
WORTHWHILE = 1 / 16
# So many entries of a row mostly show that it is not zero.
GLANCE = 16


@contextmanager
def shortened(model: Model, common: int | None = None) -> Iterator[None]:
    """Let some layers of a frozen model be computed in shorter ways, until the context ends.

    Args:
        model: Its layers that compute something of their own, or that another has taken over,
            are left as they are.
        common: How many tokens two rows begin with in common, where two are read and one goes
            back once for each token; otherwise None.
    """
    head = model.get_output_embeddings()
    taken: list[nn.Module] = []
    try:
        for module in model.modules():
            way = None if module is head or "forward" in vars(module) else _way(module, common)
            if way is not None:
                module.forward = way
                taken.append(module)
        yield
    finally:
        for module in taken:
            del module.forward


def _way(module: nn.Module, common: int | None) -> Callable[[Tensor], Tensor] | None:
    plain = module.forward
    if type(module) in COMPOSED:
        return lambda value: _pointwise(plain, value)
    if common is None or type(module) not in LINEAR or type(module.weight) is not nn.Parameter:
        return None
    weight = module.weight if type(module) is nn.Linear else module.weight.T

    def mapped(value: Tensor) -> Tensor:
        output = _once(plain, value.detach(), common)
        result: Tensor = _Mapped.apply(value, output, weight)  # type: ignore[no-untyped-call]
        return result

    return mapped


def _pointwise(function: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    if not value.requires_grad:
        return function(value)
    inner = value.detach().requires_grad_()
    output = function(inner)
    (slope,) = torch.autograd.grad(output, inner, torch.ones_like(output))
    result: Tensor = _Pointwise.apply(value, output.detach(), slope)  # type: ignore[no-untyped-call]
    return result


def _once(function: Callable[[Tensor], Tensor], value: Tensor, common: int) -> Tensor:
    """A map of each position, that of what two rows have in common found once."""
    if value.dim() != 3 or len(value) != 2 or not torch.equal(value[0, :common], value[1, :common]):
        return function(value)
    length = value.shape[1]
    mapped = function(torch.cat([value[0], value[1, common:]]))
    both = torch.cat([mapped[:length], mapped[:common], mapped[length:]])
    return both.view(2, length, -1)


class _Pointwise(Function):
    """A function of numbers one by one, whose result and slope are known."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, output: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return output.data  # an input given back would count as a view of itself

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        return slope * ctx.saved_tensors[0], None, None


class _Mapped(Function):
    """A linear map, whose result is known, with a matrix ``(out, in)``."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, output: Tensor, matrix: Tensor) -> Tensor:
        ctx.save_for_backward(matrix)
        return output.data

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        (matrix,) = ctx.saved_tensors
        return _Sparse.apply(slope, matrix), None, None  # type: ignore[no-untyped-call]


class _Sparse(Function):
    """The product of rows, many of which may be zero, with a matrix."""

    @staticmethod
    def forward(slope: Tensor, matrix: Tensor) -> Tensor:
        rows = slope.reshape(-1, slope.shape[-1])
        kept = rows[:, :GLANCE].any(1)
        unsure = (~kept).nonzero()[:, 0]
        kept[unsure] = rows[unsure].any(1)
        index = kept.nonzero()[:, 0]
        if len(index) > (1 - WORTHWHILE) * len(rows):
            product = rows @ matrix
        else:
            product = rows.new_zeros(len(rows), matrix.shape[1])
            # Faster by far than rows[index].
            product.index_copy_(0, index, rows.index_select(0, index) @ matrix)
        return product.view(*slope.shape[:-1], matrix.shape[1])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Nothing is differentiated twice."""

    @staticmethod
    def vmap(
        _: Any, dims: tuple[int | None, ...], slope: Tensor, matrix: Tensor
    ) -> tuple[Any, int]:
        """Many slopes are so many more rows."""
        rows = slope.movedim(dims[0] or 0, 0)
        return _Sparse.apply(rows, matrix), 0  # type: ignore[no-untyped-call]
