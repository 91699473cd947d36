"""Offline preferences about a toy world: the reference's own pairs, labelled by a noisy judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .worlds import Array, Events, World

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Preferences:
    """Labelled pairs of every world.

    Args:
        chosen: ``n`` responses a world.
        rejected: Likewise, to the same prompts.
        flipped: Whether the judge preferred the worse one, ``(S, n)``.
    """

    chosen: Events
    rejected: Events
    flipped: Flags

    @property
    def gap(self) -> Array:
        """True reward of the chosen less that of the rejected, ``(S, n)``."""
        return np.asarray(self.chosen.rewards - self.rejected.rewards)


def preferences(
    world: World, seeds: Sequence[int], *, pairs: int = 32, sharpness: float = 2.0
) -> Preferences:
    r"""Draw pairs from the reference and label them by the Bradley-Terry model.

    .. math:: P(y_1 \succ y_2) = \sigma(\kappa(R_1 - R_2))

    Args:
        world: Its seeds must be ``seeds``.
        seeds: One for each world.
        pairs: In all, dealt to the prompts in turn.
        sharpness: :math:`\kappa`; infinite for a judge who never errs.
    """
    probs = np.exp(world.policy.log_probs(world.start))
    depth = len(list(world.levels()))
    draws = [np.random.default_rng([seed, 1]) for seed in seeds]
    uniforms = np.stack([rng.random((2, pairs, depth)) for rng in draws], 1)
    judged = np.stack([rng.random(pairs) for rng in draws])
    prompts = np.tile(np.arange(pairs) % world.prompts, (len(seeds), 1))
    left, right = (world.sample(probs, prompts, uniform) for uniform in uniforms)
    with np.errstate(over="ignore", invalid="ignore"):
        odds = np.nan_to_num(sharpness * (left.rewards - right.rewards))
        first = judged < 1 / (1 + np.exp(-odds))
    chosen, rejected = (_either(left, right, which) for which in (first, ~first))
    return Preferences(chosen, rejected, chosen.rewards < rejected.rewards)


def _either(left: Events, right: Events, first: Flags) -> Events:
    token = first[..., None]
    return Events(
        np.where(token, left.contexts, right.contexts),
        np.where(token, left.tokens, right.tokens),
        np.where(first, left.rewards, right.rewards),
    )
