"""Numbers that statements about toy courses are judged by, one for each world."""

import numpy as np
from numpy.typing import NDArray

from disband.sims.worlds.target_study import TargetCourse, level

Array = NDArray[np.float64]

# Where two courses are compared: at this share of what both have reached.
LEVEL = 0.7


def unsteadiness(course: TargetCourse) -> Array:
    """Mean change of G from one update to the next over its mean size, ``(S,)``."""
    total = course.total
    return np.asarray(np.abs(np.diff(total, axis=0)).mean(0) / np.abs(total).mean(0))


def at_drift(one: TargetCourse, other: TargetCourse, field: str) -> Array:
    """How much more one course has of a field than another where both have drifted as far."""
    at = LEVEL * np.minimum(one.drift[-1], other.drift[-1])
    mine, theirs = (level(c.drift, getattr(c, field), at) for c in (one, other))
    return np.asarray(mine - theirs)


def at_reward(one: TargetCourse, other: TargetCourse, field: str) -> Array:
    """The same where both earn as much; NaN where either has gained nothing."""
    start = one.reward[0]
    gained = np.minimum(one.reward[-1], other.reward[-1]) - start
    mine, theirs = (
        level(c.reward, getattr(c, field), start + LEVEL * gained) for c in (one, other)
    )
    return np.asarray(np.where(gained > 0, mine - theirs, np.nan))


def distance(one: TargetCourse, other: TargetCourse) -> Array:
    """Total variation between the final policies, mean over prompts, ``(S,)``."""
    return np.asarray(np.abs(one.final - other.final).sum(-1).mean(-1) / 2)


def agreement(one: TargetCourse, other: TargetCourse) -> Array:
    """Share of the prompts whose likeliest response is the same at the end, ``(S,)``."""
    return np.asarray((one.final.argmax(-1) == other.final.argmax(-1)).mean(-1))


def cosine(course: TargetCourse) -> Array:
    """Cosine of positive with negative learning's scores, mean over updates with both, ``(S,)``."""
    lifted, lowered, both = np.moveaxis(course.products, 1, 0)
    norms = np.sqrt(lifted * lowered)
    cosines = np.divide(both, norms, out=np.zeros_like(both), where=norms > 0)
    return np.asarray(cosines.sum(0) / (norms > 0).sum(0))


def shares(course: TargetCourse) -> Array:
    """Share of each third of the tokens in G over the run, largest advantages first, ``(3, S)``."""
    groups = course.groups.sum(0)
    return np.asarray(groups / groups.sum(0))


def opposed(course: TargetCourse) -> Array:
    """Share of the late updates whose two parts of G have opposite signs, ``(S,)``."""
    late = course.service[len(course.service) // 2 :]
    return np.asarray((late[:, 0] * late[:, 1] < 0).mean(0))
