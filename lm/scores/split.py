"""Work in parts that fit a memory budget, and in smaller ones where they turn out not to."""

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

T = TypeVar("T")


class SmallerParts(UserWarning):
    """Memory ran out, and the work went on in smaller parts."""


def parts(costs: Sequence[int], memory: int, most: int) -> list[list[int]]:
    """Indices of items in parts of at most ``most``, whose costs stay within the memory.

    The costliest come first, so that memory runs out early if at all, and items of similar cost,
    thus of similar length, are together. An item that exceeds the memory is a part alone.
    """
    groups: list[list[int]] = []
    spent = 0
    for index in sorted(range(len(costs)), key=lambda i: -costs[i]):
        if not groups or spent + costs[index] > memory or len(groups[-1]) == most:
            groups.append([])
            spent = 0
        groups[-1].append(index)
        spent += costs[index]
    return groups


def halves_of_memory(costs: Sequence[int], memory: int, most: int) -> list[list[int]]:
    """Parts of which two fit into the memory at a time, or one part if all do."""
    whole = parts(costs, memory, most)
    return whole if len(whole) == 1 else parts(costs, memory // 2, most)


def shrinking(work: Callable[[int], T], most: int) -> T:
    """Do ``work(most)``; where memory runs out, with half as much in a part, and so on.

    Raises:
        MemoryError: Memory runs out with a single item in a part.
    """
    while True:
        try:
            return work(most)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if most == 1:
                raise MemoryError(
                    "one pair (or token) at a time must fit into memory, but it ran out on one; "
                    "measure fewer parameters, shorter texts, or a model of lower precision"
                ) from error
        most = most // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        warnings.warn(
            f"memory ran out: going on with {most} at once; give a smaller memory= to begin so",
            SmallerParts,
            stacklevel=1,
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of whatever device."""
    # The CPU's allocator raises a plain RuntimeError.
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
