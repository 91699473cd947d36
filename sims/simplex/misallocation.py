r"""How much probability goes to responses that no pair speaks of, to which, and when.

The same worlds under several methods, read where each has gained the same margin and at the end:
what a method does per step depends on its scale, what it does per margin does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from disband.theory.objectives import DPO, IPO, RPO, SIMPO

from .bilevel import Levels, solve
from .evolution import SoftmaxWorld, drawn, evolve

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
PARTS = ("features", "offsets")
Runner = Callable[[SoftmaxWorld, "RunSettings"], Array]


@dataclass(frozen=True)
class Kind:
    """A kind of world.

    Args:
        name: Its name.
        contexts: C.
        width: Features that responses share; None for a logit of its own each.
        vocabulary: V.
    """

    name: str
    contexts: int
    width: int | None
    vocabulary: int = 8

    def worlds(self, seeds: Sequence[int], count: int) -> SoftmaxWorld:
        """Draw ``count`` worlds of this kind for each seed, seed by seed."""
        each = [
            drawn(
                seed,
                worlds=count,
                contexts=self.contexts,
                vocabulary=self.vocabulary,
                width=self.width,
            )
            for seed in seeds
        ]
        return SoftmaxWorld(*(np.concatenate([getattr(w, n) for w in each]) for n in PARTS))


OWN = Kind("own logits", 1, None)
FEATURES = Kind("shared features", 1, 4)
CONTEXTS = Kind("four contexts", 4, 12)
KINDS = (OWN, FEATURES, CONTEXTS)


@dataclass(frozen=True)
class RunSettings:
    r"""The numbers of all runs.

    Args:
        lr: Step size of those with DPO's scale.
        steps: Steps of each.
        strength: :math:`\mu` of the bilevel ones.
        weight: :math:`\lambda` of the chosen's own term.
        beta: DPO's.
    """

    lr: float = 4.0
    steps: int = 75
    strength: float = 2.0
    weight: float = 0.05
    beta: float = 0.1

    @property
    def levels(self) -> Levels:
        """The same for a bilevel run."""
        return Levels(self.strength, self.weight, self.beta, self.lr, self.steps)


def _dpo(world: SoftmaxWorld, course: RunSettings) -> Array:
    hyper = {"beta": course.beta}
    return evolve(world, DPO, lr=course.lr, steps=course.steps, hyper=hyper).log_probs


def _ipo(world: SoftmaxWorld, course: RunSettings) -> Array:
    # Its incentive at the start is 1/β, DPO's β/2: the first steps are of one length.
    lr = course.lr * course.beta**2 / 2
    hyper = {"beta": course.beta}
    return evolve(world, IPO, lr=lr, steps=course.steps, hyper=hyper).log_probs


def _simpo(world: SoftmaxWorld, course: RunSettings) -> Array:
    hyper = {"beta": course.beta, "gamma": 0.0}
    return evolve(world, SIMPO, lr=course.lr, steps=course.steps, hyper=hyper).log_probs


def _calibrated(world: SoftmaxWorld, course: RunSettings) -> Array:
    return evolve(
        world,
        DPO,
        lr=course.lr,
        steps=course.steps,
        hyper={"beta": course.beta},
        method="reward calibration",
    ).log_probs


def _likelihood(world: SoftmaxWorld, course: RunSettings) -> Array:
    hyper = {"beta": course.beta, "lam": course.weight}
    return evolve(world, RPO, lr=course.lr, steps=course.steps, hyper=hyper).log_probs


def _exact(world: SoftmaxWorld, course: RunSettings) -> Array:
    return solve(world, course.levels, "exact").log_probs


def _one_step(world: SoftmaxWorld, course: RunSettings) -> Array:
    return solve(world, course.levels, "one step").log_probs


PLAIN, TERM, EXACT, ONE_STEP = "DPO", "DPO with the term", "SPO", "SPO, one step"
REFERENCE_FREE, CALIBRATED, TARGET = "SimPO", "calibrated DPO", "IPO"
# SPO is stable preference optimization as theory.models.bilevel reads it; the term alone is its
# upper level without the lower one.
RUNNERS: Mapping[str, Runner] = MappingProxyType(
    {
        PLAIN: _dpo,
        TARGET: _ipo,
        REFERENCE_FREE: _simpo,
        CALIBRATED: _calibrated,
        TERM: _likelihood,
        EXACT: _exact,
        ONE_STEP: _one_step,
    }
)


@dataclass(frozen=True, eq=False)
class Reading:
    """One method on the same worlds.

    Args:
        start: Log-probabilities before, ``(worlds, C, V)`` nats.
        reached: Whether a world's mean margin grew by as much as was asked, ``(worlds,)``.
        there: Log-probabilities at the first state where it had, ``(worlds, C, V)``.
        end: Log-probabilities at the end, the same shape.
        most: The most mass elsewhere at any time, ``(worlds, C)``.
        margins: A grid of mean margins gained, ``(G,)`` nats.
        misallocated: What irrelevant responses hold there beyond what they held at the start,
            zero where they hold less, mean over contexts; NaN where a world does not get there,
            ``(worlds, G)``.
    """

    start: Array
    reached: Flags
    there: Array
    end: Array
    most: Array
    margins: Array
    misallocated: Array


def gained(log_probs: Array) -> Array:
    """Mean margin gained since the start, ``(T + 1, worlds)`` nats."""
    odds = log_probs[..., 0] - log_probs[..., 1]
    return np.asarray((odds - odds[0]).mean(-1))


def read(log_probs: Array, margin: float, margins: Array) -> Reading:
    """Read a run at a margin gained, over a grid of margins, and at the end.

    Args:
        log_probs: ``(T + 1, worlds, C, V)`` nats.
        margin: The margin in nats.
        margins: The grid, rising.
    """
    growth = gained(log_probs)
    reached = growth.max(0) >= margin
    first = np.argmax(growth >= margin, 0)
    mass = np.exp(log_probs[..., 2:]).sum(-1)
    beyond = np.maximum(mass - mass[0], 0).mean(-1)
    along = np.full((growth.shape[1], len(margins)), np.nan)
    for i in range(growth.shape[1]):
        # A margin can shrink for a step; the first time it gets somewhere is what counts.
        rising = np.maximum.accumulate(growth[:, i])
        known = margins <= rising[-1]
        along[i, known] = np.interp(margins[known], rising, beyond[:, i])
    return Reading(
        log_probs[0],
        reached,
        log_probs[first, np.arange(growth.shape[1])],
        log_probs[-1],
        mass.max(0),
        margins,
        along,
    )
