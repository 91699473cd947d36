"""The pictures of jian2025 on toys, from what their experiment kept."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from disband.figures.jian2025 import initialization_picture, misallocation_picture, simplex_picture
from disband.sims.simplex.initialization import initialization_map
from disband.sims.simplex.portraits import COURSE
from disband.verify.experiments.toys.probability_run import curves, drawn_portraits

from ..terminal.numbers import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrays = Mapping[str, NDArray[Any]]


def initialization() -> "Figure":
    """What the start decides in one context; closed forms, so nothing is kept."""
    return initialization_picture(initialization_map())


def simplex(kept: Arrays) -> "Figure":
    """Portraits of every method on three responses."""
    state = (
        f"three responses with a logit each; β = {number(COURSE.beta)}, of SPO λ = "
        f"{number(COURSE.weight)} and μ = {number(COURSE.strength)}"
    )
    return simplex_picture(drawn_portraits(kept), state)


def misallocation(kept: Arrays) -> "Figure":
    """Misallocated probability over the margin gained, by kind of world."""
    state = (
        "mean over drawn worlds of eight responses and its 95 % interval, while half of them "
        "gain the margin"
    )
    return misallocation_picture(curves(kept), state)
