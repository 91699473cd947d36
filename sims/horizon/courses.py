"""One response over many steps: what first order says, what second, what is, and the run."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.horizon.band import change, turning_time
from disband.theory.horizon.rays import Bounds, Ray, turning_bounds

from ..pairs.descent import Trajectory
from ..pairs.policies import LogLinear, Pair, Problem, view

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """Changes of one response over T steps, nats, ``(T + 1,)`` each from zero.

    All but the run hold the update of the first step.

    Args:
        first: First order.
        second: Second order.
        exact: What the update does.
        run: The run, whose incentives and scores change on the way.
        turns: When the exact change is back at zero: 0 if it never rises, infinite if never.
        turns_second: The same to second order; infinite for a response that falls at once.
        surely: Between what, by slope, curvature and the range of the logits' moves alone.
        run_turns: The first step after which the run, having risen, is below its start, if one is.
    """

    first: Array
    second: Array
    exact: Array
    run: Array
    turns: float
    turns_second: float
    surely: Bounds
    run_turns: int | None

    @property
    def rises(self) -> bool:
        """Whether the response rises in the first step, to first order."""
        return bool(self.first[-1] > 0)


def course(ray: Ray, run: Array, responses: int = 1) -> Course:
    """Return the course of one response, or of the mean of several.

    Args:
        ray: What the response goes through under the update of the first step; of several
            responses the rows of all.
        run: Changes of the real run from its start, ``(T + 1,)``, of their mean.
        responses: How many there are.
    """
    steps = np.arange(len(run), dtype=float)
    slope, bend, spread = (float(v) for v in (ray.slope, ray.curvature, ray.spread))
    fallen = np.flatnonzero((run < 0) & (np.maximum.accumulate(run) > 0))
    rises = slope > 0
    return Course(
        first=change(slope, 0.0, steps) / responses,
        second=change(slope, bend, steps) / responses,
        exact=ray.change(steps) / responses,
        run=run,
        turns=float(ray.turning_time()),
        turns_second=float(turning_time(slope, bend)) if rises else 0.0,
        surely=turning_bounds(slope, bend, spread),
        run_turns=int(fallen[0]) if fallen.size else None,
    )


def pair_courses(problem: Problem, run: Trajectory) -> tuple[Course, Course]:
    """Return the courses of chosen and rejected over the steps of a run of one problem.

    Raises:
        ValueError: The run is of several problems at once.
    """
    if run.logp_w.ndim > 1:
        raise ValueError(
            f"a course is of one problem: got a run of {run.logp_w[0].size}; run one at a time"
        )
    start = view(problem.policy, problem.pair, problem.theta0)
    push = run.d_w[0] * start.score_w - run.d_l[0] * start.score_l
    rays = held(problem.policy, problem.pair, problem.theta0, run.lr * push)
    chosen, rejected = (
        course(ray, logp - logp[0])
        for ray, logp in zip(rays, (run.logp_w, run.logp_l), strict=True)
    )
    return chosen, rejected


def held(policy: LogLinear, pair: Pair, theta: Array, update: Array) -> tuple[Ray, Ray]:
    """Return what chosen and rejected of one pair go through under an update that is repeated.

    Args:
        policy: The policy.
        pair: One pair, whole counts.
        theta: The parameters at the start, ``(d, V)``.
        update: What a step adds to them, the same shape.
    """
    rows, moves = np.exp(policy.log_probs(theta)), policy.features @ update
    chosen, rejected = (_ray(rows, moves, counts) for counts in (pair.counts_w, pair.counts_l))
    return chosen, rejected


def _ray(rows: Array, moves: Array, counts: Array) -> Ray:
    contexts, tokens = np.nonzero(counts)
    often = counts[contexts, tokens].astype(int)
    each: tuple[Any, Any] = (np.repeat(contexts, often), np.repeat(tokens, often))
    return Ray(rows[each[0]], moves[each[0]], each[1])
