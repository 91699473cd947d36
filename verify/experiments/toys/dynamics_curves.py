"""What the figures of the toy courses show: means over worlds and how sure they are.

Over the worlds of all replicates; what decides a verdict is the same interval over the worlds of
each.
"""

import numpy as np

from disband.sims.worlds.target_study import TargetCourse
from disband.theory.models.targets import PARTS

from ...kept.store import Arrays
from ..judging.intervals import interval
from .dynamics import WORLDS, Courses
from .dynamics_readings import at_drift

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
    series: Arrays = {}
    for world in WORLDS:
        for method in {*SHOWN, *EXPLORING}:
            if (course := courses.get((world, method))) is not None:
                series |= {f"{world}/{method}/{k}": v for k, v in _series(course).items()}
        for whole, others in ABLATIONS.items():
            for other in others:
                if (world, other) in courses and (world, whole) in courses:
                    gain = at_drift(courses[world, other], courses[world, whole], "reward")
                    mean_and_ends = interval(gain)
                    if np.isfinite(mean_and_ends).all():
                        series[f"{world}/{other}/gain"] = mean_and_ends
    return dict(sorted(series.items()))


def _series(course: TargetCourse) -> Arrays:
    total = course.total[:, None]
    parts = np.concatenate([total, course.service], 1).swapaxes(0, 1)
    return {
        "parts": interval(parts),
        "one": parts[:, :, 0],
        "entropy": interval(course.entropy),
        "reward": interval(course.reward),
    }


LINES = ("G", *PARTS)
