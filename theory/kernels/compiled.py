"""Objectives as numbers: their kernels and the values of their hyperparameters, without sympy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple, Protocol

from .program import Kernel, Program, kernel_of
from .stable import Backend

Quantity = Literal["loss", "d_w", "d_l", "incentives"]
Sign = Literal["positive", "nonnegative", "real"]
QUANTITIES: tuple[Quantity, ...] = ("loss", "d_w", "d_l", "incentives")


class HasKernels(Protocol):
    """What anything must answer that numbers are asked of: an objective in any form."""

    @property
    def name(self) -> str:
        """The name in tables."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arrays that a kernel takes, in order."""

    def kernel(self, what: Quantity, backend: Backend, **hyper: float) -> Kernel:
        """Return a quantity as a function of six arrays."""

    def settings(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """Return every hyperparameter's value by how it is printed."""


class Hyperparameter(NamedTuple):
    """A number that an objective's loss has beside the data, and the values that it can have.

    Args:
        name: What it is called where a person sets it, such as ``beta``.
        label: How it is printed, such as ``β``.
        default: Its value where nothing else is said.
        sign: ``positive``, ``nonnegative`` or, where any number will do, ``real``.
        below: A bound that it is smaller than, if there is one.
    """

    name: str
    label: str
    default: float
    sign: Sign = "real"
    below: Fraction | None = None


@dataclass(frozen=True, eq=False)
class Compiled:
    """What numbers need of an objective: programs for its loss and its incentives.

    Args:
        name: The name in tables and on the command line.
        source: Where the loss was published.
        note: What a reader must know beside the formula.
        hyperparameters: Those of its loss.
        program: The program of each quantity, a function of the data and the hyperparameters.
    """

    name: str
    source: str
    note: str
    hyperparameters: tuple[Hyperparameter, ...]
    program: Callable[[Quantity], Program]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arrays that a kernel takes, in order: see ``Objective.arguments``."""
        own = {parameter.name for parameter in self.hyperparameters}
        return tuple(name for name in self.program("incentives").arguments if name not in own)

    def kernel(self, what: Quantity = "loss", backend: Backend = "numpy", **hyper: float) -> Kernel:
        """Return a quantity as a function of six arrays: see ``Objective.kernel``.

        Raises:
            ValueError: ``hyper`` is not a hyperparameter with a value that it can have.
        """
        return _kernel(self, what, backend, tuple(sorted(hyper.items())))

    def values(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """Return every hyperparameter's value by name: its default, or what ``hyper`` says.

        Raises:
            ValueError: ``hyper`` is not a hyperparameter with a value that it can have.
        """
        own = {parameter.name: parameter for parameter in self.hyperparameters}
        if unknown := set(hyper) - set(own):
            raise ValueError(
                f"{self.name} has the hyperparameters {', '.join(own) or '(none)'}: got "
                f"{', '.join(sorted(unknown))}; set one of these"
            )
        for name, value in hyper.items():
            sign, below = own[name].sign, own[name].below
            if (sign == "positive" and not value > 0) or (sign == "nonnegative" and not value >= 0):
                said = "positive" if sign == "positive" else "at least zero"
                raise ValueError(
                    f"{name} of {self.name} is {said}: got {value}; set such a value, or in a "
                    "loss of your own take a name that the catalogue does not use"
                )
            if below is not None and not value < below:
                raise ValueError(f"{name} of {self.name} is smaller than {below}: got {value}")
        return {name: hyper.get(name, parameter.default) for name, parameter in own.items()}

    def settings(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """Return every hyperparameter's value as :meth:`values`, but by how it is printed."""
        values = self.values(hyper)
        return {parameter.label: values[parameter.name] for parameter in self.hyperparameters}


@cache
def _kernel(
    objective: Compiled, what: Quantity, backend: Backend, hyper: tuple[tuple[str, float], ...]
) -> Kernel:
    return kernel_of(objective.program(what).bound(objective.values(dict(hyper))), backend)
