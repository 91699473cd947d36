"""What became of the chosen and the rejected: measured on many toy problems at once.

Directions are those of the log-probabilities before and after each step, whatever the incentives
and score products promised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.band import Case, case_of
from disband.theory.kernels.compiled import HasKernels

from ..methods.treatments import Felt, Treatment, treatment
from .entry import in_band
from .two_tokens import Problems, State

Array = NDArray[np.float64]
Kernel = Callable[..., Any]

LOST = -1  # beside the cases of theory.band.Case: the run left the finite numbers
BLOCK = 8192  # runs at a time, so that what a step touches stays in cache


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What runs did to each of their n pairs, ``(..., n)`` each.

    Args:
        case: The :class:`Case` of the changes from start to end, or ``LOST``.
        change_w: Change of the chosen log-probability from start to end, nats; NaN if lost.
        change_l: The same of the rejected.
        fell: Share of the steps in which the chosen fell.
        rose: Share of the steps in which the rejected rose.
        inside_first: Whether the first step's incentives are in the pair's own band, in the
            metric of the step: to first order the chosen does not fall nor the rejected rise.
        inside_last: The same of the last step.
        inside: Share of the steps of which it is true.
        cosine: Cosine of the pair's scores, in the metric of the step, at the start.
    """

    case: NDArray[np.int8]
    change_w: Array
    change_l: Array
    fell: Array
    rose: Array
    inside_first: NDArray[np.bool_]
    inside_last: NDArray[np.bool_]
    inside: Array
    cosine: Array

    @property
    def margin(self) -> Array:
        """Margin gained from start to end, nats."""
        return self.change_w - self.change_l

    def shares(self) -> dict[str, float]:
        """Share of the pairs of each case, by its words, and of the lost ones."""
        shares = {case.words: float((self.case == case).mean()) for case in Case}
        return shares | {"left the finite numbers": float((self.case == LOST).mean())}

    def at(self, pair: int) -> "Outcomes":
        """The outcomes of one pair of every run, ``(...)`` each."""
        return Outcomes(*(getattr(self, f.name)[..., pair] for f in fields(self)))


def outcomes(
    objective: HasKernels,
    problems: Problems,
    *,
    lr: Any,
    steps: int,
    method: str | Treatment = "none",
    hyper: Mapping[str, float] | None = None,
) -> Outcomes:
    """Train every problem by gradient descent and say what became of its pairs.

    A run that leaves the finite numbers stands still from then on, and counts as lost.

    Args:
        objective: The objective; all responses have length one.
        problems: Where they start, shape ``(...)``.
        lr: Step size, one number or one per problem, ``(...)``.
        steps: How many, at least one.
        method: A name of :data:`disband.sims.methods.treatments.TREATMENTS`, or such a function.
        hyper: Hyperparameters by name.

    Raises:
        ValueError: No step, a step size that is not positive, or an unknown method.
    """
    if steps < 1 or not np.all((np.asarray(lr) > 0) & np.isfinite(lr)):
        raise ValueError(
            f"a run has at least one step of positive finite size: got {steps} of {lr}; set "
            "steps=20 and lr=1, say"
        )
    shape = np.broadcast_shapes(problems.shape, np.shape(lr))
    wide = Problems(
        np.broadcast_to(problems.odds, (*shape, problems.odds.shape[-1])),
        problems.ref, problems.moved, problems.seen,
    ).flat()  # fmt: skip
    rates = np.broadcast_to(np.asarray(lr, float), shape).reshape(-1)
    treat = treatment(method) if isinstance(method, str) else method
    kernel = objective.kernel("incentives", "numpy", **(hyper or {}))
    parts = []
    with np.errstate(all="ignore"):
        for start in range(0, len(rates), BLOCK):
            some = slice(start, start + BLOCK)
            parts.append(_run(kernel, wide.part(some), rates[some, None], steps, treat))
    names = [f.name for f in fields(Outcomes)]
    whole = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
    return Outcomes(**{n: v.reshape(*shape, -1) for n, v in whole.items()})


def _run(kernel: Kernel, problems: Problems, rate: Array, steps: int, treat: Treatment) -> Outcomes:
    n, odds, moved = problems.pairs, problems.odds, problems.moved
    seen = moved if problems.seen is None else problems.seen
    first = now = State.of(odds)
    size = now.logp[:, :n].shape
    fell, rose, inside = (np.zeros(size, np.int32) for _ in range(3))
    alive, past = np.ones((len(odds), 1), bool), None
    inside_first = inside_last = np.zeros(size, bool)
    cosine = now.gram(moved).cosine
    for step in range(steps):
        d_w, d_l = _incentives(kernel, problems, now)
        alive = alive & np.isfinite(d_w + d_l).all(-1, keepdims=True)
        d_w, d_l = (np.where(alive, d, 0.0) for d in (d_w, d_l))
        gram = now.gram(moved)
        measured = gram if seen is moved else now.gram(seen)
        felt = Felt(d_w, d_l, measured, partial(now.scores, seen), past)
        (d_w, d_l), past = treat(felt)
        inside_last = in_band(d_w, d_l, gram)
        inside_first = inside_last if step == 0 else inside_first
        inside += inside_last
        push = np.concatenate([d_w, -d_l], -1) * now.left / n
        after = odds + rate * _along(moved, push)
        alive = alive & np.isfinite(after).all(-1, keepdims=True)
        odds = np.where(alive, after, odds)
        then = State.of(odds)
        change = then.logp - now.logp
        fell += change[:, :n] < 0
        rose += change[:, n:] > 0
        now = then
    total = np.where(alive, now.logp - first.logp, np.nan)
    change_w, change_l = total[:, :n], total[:, n:]
    known = case_of(np.nan_to_num(change_w), np.nan_to_num(change_l))
    return Outcomes(
        case=np.where(alive, known, np.int8(LOST)),
        change_w=change_w,
        change_l=change_l,
        fell=fell / steps,
        rose=rose / steps,
        inside_first=inside_first,
        inside_last=inside_last,
        inside=inside / steps,
        cosine=cosine,
    )


def _along(products: Array, push: Array) -> Array:
    """``K push`` of each problem; for one pair written out, which is faster."""
    if push.shape[-1] == 2:
        return products[:, :, 0] * push[:, :1] + products[:, :, 1] * push[:, 1:]
    return np.asarray((products @ push[:, :, None])[:, :, 0])


def _incentives(kernel: Kernel, problems: Problems, now: State) -> tuple[Array, Array]:
    n = problems.pairs
    logp, ref = now.logp, problems.ref
    incentives = kernel(logp[:, :n], logp[:, n:], ref[:, :n], ref[:, n:], 1.0, 1.0)
    d_w, d_l = (np.broadcast_to(np.asarray(d, float), logp[:, :n].shape) for d in incentives)
    return d_w, d_l
