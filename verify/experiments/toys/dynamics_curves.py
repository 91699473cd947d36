"""What the figures of the toy courses show: means over worlds and how sure they are."""

import numpy as np

from disband.sims.worlds.target_study import Course
from disband.theory.models.targets import PARTS

from ...kept.store import Arrays
from .dynamics import WORLDS, Courses
from .dynamics_readings import Array, at_drift

SHOWN = ("DPO", "DPO, small batches", "PPO", "PPO, exact", "REINFORCE", "GRPO")
EXPLORING = ("DPO", "PPO", "PPO without negative", "PPO without positive")
# What is compared with what at equal divergence from the reference.
ABLATIONS = {
    "DPO": (
        "DPO without positive",
        "DPO without negative",
        "DPO without reweighting",
        "DPO, half reweighting",
        "DPO, steeper weights",
        "DPO, small batches",
    ),
    "PPO": (
        "PPO without positive",
        "PPO without negative",
        "PPO without reweighting",
        "PPO without largest third",
        "PPO, largest third",
        "PPO, controlled",
        "GRPO",
        "REINFORCE",
    ),
}


def curves(courses: Courses) -> Arrays:
    """Return mean, and the ends of its 95 % interval over worlds, ``(3, ...)`` of each series.

    ``world/method/parts`` is G and its three parts, ``(3, 4, T)``; ``world/method/entropy`` and
    ``.../reward`` are ``(3, T + 1)``; ``world/method/gain`` is what an ablation gains in reward
    at equal divergence from the reference, ``(3,)``.
    """
    found: Arrays = {}
    for world in WORLDS:
        for method in {*SHOWN, *EXPLORING}:
            if (course := courses.get((world, method))) is not None:
                found |= {f"{world}/{method}/{k}": v for k, v in _series(course).items()}
        for whole, others in ABLATIONS.items():
            for other in others:
                if (world, other) in courses and (world, whole) in courses:
                    gain = at_drift(courses[world, other], courses[world, whole], "reward")
                    if np.isfinite(gain).sum() > 1:
                        found[f"{world}/{other}/gain"] = _mean(gain)
    return dict(sorted(found.items()))


def _series(course: Course) -> Arrays:
    total = course.total[:, None]
    parts = np.concatenate([total, course.service], 1).swapaxes(0, 1)
    return {
        "parts": _mean(parts),
        "one": parts[:, :, 0],
        "entropy": _mean(course.entropy),
        "reward": _mean(course.reward),
    }


def _mean(values: Array) -> Array:
    count = np.isfinite(values).sum(-1)
    mean = np.nanmean(values, -1)
    half = 1.96 * np.nanstd(values, -1, ddof=1) / np.sqrt(count)
    return np.stack([mean, mean - half, mean + half])


LINES = ("G", *PARTS)
