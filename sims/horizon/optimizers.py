"""How much of a fall under Adam is its memory's, and how much that of its second moments."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from disband.theory.objective import Objective

from ..pairs.policies import Problem, view

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AdamParts:
    """Changes of the chosen in four runs of one problem at one rate, nats, ``(T + 1,)`` each.

    Args:
        frozen: In the metric of the first step, without a memory.
        memory: In that metric, with the memory.
        moments: With second moments that follow the run, without a memory.
        adam: With both: Adam.
    """

    frozen: Array
    memory: Array
    moments: Array
    adam: Array


def adam_parts(
    problem: Problem,
    objective: Objective,
    *,
    lr: float,
    steps: int,
    betas: tuple[float, float] = (0.9, 0.999),
    hyper: Mapping[str, float] | None = None,
) -> AdamParts:
    """Train one problem by Adam, and with each of its two averages taken away.

    Averages are corrected for their start. A parameter whose gradient has been zero stays.

    Args:
        problem: The toy, one problem.
        objective: The objective; its reference is the start.
        lr: Rate, positive.
        steps: How many, at least one.
        betas: Of the memory and of the second moments, in [0, 1).
        hyper: Hyperparameters by name.

    Raises:
        ValueError: A number out of its range.
    """
    if steps < 1 or not 0 < lr < np.inf or not all(0 <= keep < 1 for keep in betas):
        raise ValueError(
            "a run of Adam has at least one step, a positive finite rate and averages that forget: "
            f"got {steps} steps, {lr} and {betas}; set steps=100, lr=0.01 and betas=(0.9, 0.999)"
        )
    kernel = objective.kernel("incentives", "numpy", **(hyper or {}))
    start = view(problem.policy, problem.pair, problem.theta0)
    refs = (start.logp_w, start.logp_l, *problem.pair.lengths)
    runs = []
    for follows, remembers in product((False, True), repeat=2):
        theta, memory, square, first = problem.theta0, 0.0, 0.0, None
        changes = []
        for step in range(1, steps + 2):
            now = view(problem.policy, problem.pair, theta)
            changes.append(float(now.logp_w - start.logp_w))
            d_w, d_l = kernel(now.logp_w, now.logp_l, *refs)
            push = d_w * now.score_w - d_l * now.score_l
            memory = betas[0] * memory + (1 - betas[0]) * push
            square = betas[1] * square + (1 - betas[1]) * push**2
            first = push**2 if first is None else first
            moved = memory / (1 - betas[0] ** step) if remembers else push
            moment = square / (1 - betas[1] ** step) if follows else first
            scale = np.sqrt(moment)
            theta = theta + lr * np.divide(moved, scale, out=np.zeros_like(scale), where=scale > 0)
        runs.append(np.array(changes))
    return AdamParts(*runs)
