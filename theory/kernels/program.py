"""Straight-line programs: what a formula compiles to, and how numpy and torch run one.

A program is data, numbers and names of functions, so that it can be stored and read back without
sympy and without running anything from the store as code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stable import Backend, functions

Kernel = Callable[..., Any]

# Points that numpy works on at once: the temporaries of so many stay in the processor's cache.
BLOCK = 32_768


@dataclass(frozen=True)
class Program:
    """Numbers to start from and steps that each compute one more.

    A number is known by its place: first the arguments, then the constants, then the results of
    the steps in order.

    Args:
        arguments: The names of what it is a function of.
        constants: Numbers that it begins with.
        steps: The function that makes each further number, and the places it reads.
        results: The places of what it returns.
    """

    arguments: tuple[str, ...]
    constants: tuple[float, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    results: tuple[int, ...]

    @cached_property
    def places_read(self) -> list[int]:
        """The places of the arguments that matter, in order."""
        used = {place for _, read in self.steps for place in read} | {*self.results}
        return sorted(place for place in used if place < len(self.arguments))

    @cached_property
    def rooms(self) -> list[int]:
        """For each step the number of a room in memory that nothing still needed is in.

        A step never writes where it reads.
        """
        first = len(self.arguments) + len(self.constants)
        last = {place: i for i, (_, read) in enumerate(self.steps) for place in read}
        slots, free, built = list[int](), list[int](), 0
        for i, (_, read) in enumerate(self.steps):
            if not free:
                free, built = [built], built + 1
            slots.append(free.pop())
            done = {place for place in read if place >= first and last[place] == i}
            free += [slots[place - first] for place in done - {*self.results}]
        return slots

    def bound(self, values: Mapping[str, float]) -> "Program":
        """Return the program with ``values`` for some arguments, everything they decide computed.

        Overflow and division by zero give infinities and NaN, as everywhere in numpy.
        """
        builder = Builder([name for name in self.arguments if name not in values])
        return builder.program(self.written(builder, values))

    def written(self, builder: "Builder", values: Mapping[str, float]) -> list[int]:
        """Write the program into ``builder``, ``values`` for some arguments; return its results."""
        nodes = [
            builder.constant(values[name]) if name in values else builder.argument(name)
            for name in self.arguments
        ]
        nodes += [builder.constant(value) for value in self.constants]
        with np.errstate(all="ignore"):
            for function, read in self.steps:
                nodes.append(builder.step(function, *(nodes[i] for i in read)))
        return [nodes[i] for i in self.results]


class Builder:
    """Writes a program: equal numbers are computed once, and constants at once.

    Args:
        arguments: The names of what the program is a function of.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        self._nodes: list[Any] = []  # an argument's name, a number, or a function and its nodes
        self._known: dict[Any, int] = {}

    def argument(self, name: str) -> int:
        """Return the node of an argument."""
        return self._node(name)

    def constant(self, value: float) -> int:
        """Return the node of a number."""
        return self._node(float(value))

    def step(self, function: str, *nodes: int) -> int:
        """Return the node of a function's value at other nodes."""
        read = [self._nodes[i] for i in nodes]
        if all(isinstance(value, float) for value in read):
            return self.constant(functions("numpy")[function](*map(np.float64, read)))
        if function in {"multiply", "divide"} and read[-1] == 1.0:
            return nodes[0]
        if function == "multiply" and read[0] == 1.0:
            return nodes[1]
        return self._node((function, *nodes))

    def program(self, results: Any) -> Program:
        """Return the program that computes the nodes ``results``, and nothing else."""
        results = tuple(results)
        needed, waiting = set[int](), list(results)
        while waiting:
            if (node := waiting.pop()) not in needed:
                needed.add(node)
                waiting += self._nodes[node][1:] if isinstance(self._nodes[node], tuple) else ()
        constants = [i for i in sorted(needed) if isinstance(self._nodes[i], float)]
        steps = [i for i in sorted(needed) if isinstance(self._nodes[i], tuple)]
        place = {i: len(self._arguments) + at for at, i in enumerate((*constants, *steps))}
        place |= {
            self._known[name]: at for at, name in enumerate(self._arguments) if name in self._known
        }
        return Program(
            self._arguments,
            tuple(self._nodes[i] for i in constants),
            tuple((self._nodes[i][0], tuple(place[j] for j in self._nodes[i][1:])) for i in steps),
            tuple(place[i] for i in results),
        )

    def _node(self, content: Any) -> int:
        key = (content, np.signbit(content)) if isinstance(content, float) else content
        if key not in self._known:
            self._known[key] = len(self._nodes)
            self._nodes.append(content)
        return self._known[key]


@dataclass(frozen=True)
class Node:
    """A number of a program that is being written; products and differences are further ones."""

    builder: Builder
    place: int

    def __mul__(self, other: "Node") -> "Node":
        return Node(self.builder, self.builder.step("multiply", self.place, other.place))

    def __sub__(self, other: "Node") -> "Node":
        return Node(self.builder, self.builder.step("subtract", self.place, other.place))


class Run:
    """A program on arrays of one length, with numpy, in memory that every call uses again.

    What it returns is overwritten by the next call.

    Args:
        program: The program.
        size: The longest length.
    """

    def __init__(self, program: Program, size: int) -> None:
        self._start: list[Any] = [None] * len(program.arguments) + list(program.constants)
        self._reads, self._results = program.places_read, program.results
        table = functions("numpy")
        self._steps = [
            (table[name], read, room)
            for (name, read), room in zip(program.steps, program.rooms, strict=True)
        ]
        self._memory = [np.empty(size) for _ in range(max(program.rooms, default=-1) + 1)]

    def __call__(self, *values: NDArray[np.float64]) -> list[Any]:
        """Return the results from the arguments that the program reads, in their order."""
        numbers = self._start.copy()
        for place, value in zip(self._reads, values, strict=True):
            numbers[place] = value
        memory = self._memory
        if values and memory and len(values[0]) < len(memory[0]):
            memory = [array[: len(values[0])] for array in memory]
        for function, read, room in self._steps:
            numbers.append(function(*[numbers[i] for i in read], out=memory[room]))
        return [numbers[i] for i in self._results]


def kernel_of(program: Program, backend: Backend) -> Kernel:
    """Return ``program`` as a function of arrays or tensors that broadcast.

    With numpy everything is computed in float64, whatever comes, and a large array in blocks;
    with torch in the widest floating type that comes, on its device. The result has the shape of
    all arguments together, those that do not matter too; a program of several results returns a
    tuple.
    """
    compute = _with_numpy if backend == "numpy" else _with_torch
    single = len(program.results) == 1

    def kernel(*values: Any) -> Any:
        if len(values) != len(program.arguments):
            raise TypeError(
                f"a kernel takes {', '.join(program.arguments)}: got {len(values)} arguments; "
                "pass each of these by place"
            )
        results = compute(program, values)
        return results[0] if single else results

    return kernel


def _with_numpy(program: Program, values: Sequence[Any]) -> tuple[Any, ...]:
    return in_blocks(program, values, [np.float64 for _ in program.results])


def in_blocks(
    program: Program, values: Sequence[Any], types: Sequence[Any], last: Kernel | None = None
) -> tuple[NDArray[Any], ...]:
    """Return the results of ``program`` from numbers or arrays that broadcast, block by block.

    Args:
        program: The program.
        values: Its arguments, taken as float64.
        types: The type of each result.
        last: What is still done with the program's results, arrays of one length; it returns as
            many numbers or arrays as there are ``types``.
    """
    arrays = [np.asarray(value, np.float64) for value in values]
    shape = _common((array.shape for array in arrays), np.broadcast_shapes)
    inputs = [arrays[i] for i in program.places_read]
    run = Run(program, min(prod(shape), BLOCK))
    results = tuple(np.empty(shape, kind) for kind in types)
    if not inputs or (prod(shape) <= BLOCK and all(a.shape == shape for a in inputs)):
        blocks: Any = [[a.reshape(-1) for a in (*inputs, *results)]]
    elif prod(shape) == 0:
        blocks = []
    else:
        blocks = np.nditer(  # type: ignore[call-overload]
            [*(np.broadcast_to(a, shape) for a in inputs), *results],
            flags=["external_loop", "buffered"],
            op_flags=[["readonly"] for _ in inputs] + [["writeonly"] for _ in results],
            op_dtypes=[np.float64 for _ in inputs] + list(types),
            casting="same_kind",
            buffersize=BLOCK,
        )
    with blocks if isinstance(blocks, np.nditer) else nullcontext():
        for block in blocks:
            returned = run(*block[: len(inputs)])
            for out, value in zip(
                block[len(inputs) :], last(*returned) if last else returned, strict=True
            ):
                out[...] = value
    return results


def _with_torch(program: Program, values: Sequence[Any]) -> tuple[Any, ...]:
    import torch

    numbers = list(values)
    kinds = {(v.dtype, v.device) if isinstance(v, torch.Tensor) else None for v in values}
    if None in kinds or len(kinds) > 1 or not values[0].is_floating_point():
        given = [torch.as_tensor(value) for value in values]
        floats = [value for value in given if value.is_floating_point()] or [torch.tensor(0.0)]
        kind = reduce(torch.promote_types, (value.dtype for value in floats))
        numbers = [value.to(floats[0].device, kind) for value in given]
    first, table = numbers[0], functions("torch")
    shape = _common((number.shape for number in numbers), torch.broadcast_shapes)
    numbers += program.constants
    for name, read in program.steps:
        numbers.append(table[name](*[numbers[i] for i in read]))
    results: list[Any] = []
    for at, place in enumerate(program.results):
        result = numbers[place]
        result = result if isinstance(result, torch.Tensor) else first.new_tensor(result)
        # what is changed in place changes no other result
        result = result.clone() if place in program.results[:at] else result
        results.append(result.expand(shape))
    return tuple(results)


def _common(shapes: Iterable[Any], broadcast: Callable[..., Any]) -> Any:
    several = set(shapes)
    return several.pop() if len(several) == 1 else broadcast(*several)
