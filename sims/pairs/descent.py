"""Gradient descent on one pair per problem, for any log-linear policy and any objective."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective

from .policies import LogLinear, Pair, View, view

Array = NDArray[np.float64]

Method = Callable[[Any, Any, Gram], tuple[Any, Any]]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a run went through: T steps, so T + 1 states; ``...`` is the batch of problems.

    Args:
        logp_w: Chosen log-probability of each state, ``(T + 1, ...)`` nats.
        logp_l: Rejected log-probability, ``(T + 1, ...)`` nats.
        tokens_w: What each context adds to ``logp_w``, ``(T + 1, ..., C)``.
        tokens_l: What each context adds to ``logp_l``, ``(T + 1, ..., C)``.
        ahead_w: First-order change of ``tokens_w`` by the step from each state, the same shape.
        ahead_l: First-order change of ``tokens_l``, the same shape.
        d_w: Incentive on the chosen response, ``(T + 1, ...)``: what the step uses, after the
            method if there is one.
        d_l: Incentive on the rejected response, ``(T + 1, ...)``.
        gram: Score products, ``(T + 1, ...)`` each.
        lr: Step size, ``(...)`` or a number.
        theta: The parameters at the end, ``(..., d, V)``.
        watched: Log-probabilities of all tokens in the watched context, ``(T + 1, ..., V)``.
    """

    logp_w: Array
    logp_l: Array
    tokens_w: Array
    tokens_l: Array
    ahead_w: Array
    ahead_l: Array
    d_w: Array
    d_l: Array
    gram: Gram
    lr: Any
    theta: Array
    watched: Array | None = None

    @property
    def predicted(self) -> tuple[Array, Array]:
        """First-order changes of both log-probabilities from each state, ``(T + 1, ...)``."""
        return first_order(self.d_w, self.d_l, self.gram, self.lr)

    @property
    def measured(self) -> tuple[Array, Array]:
        """Exact changes of both log-probabilities by each step, ``(T, ...)``."""
        return np.diff(self.logp_w, axis=0), np.diff(self.logp_l, axis=0)


def train(
    policy: LogLinear,
    pair: Pair,
    theta0: Array,
    objective: Objective,
    *,
    lr: Any,
    steps: int,
    hyper: Mapping[str, float] | None = None,
    watch: int | None = None,
    method: Method | None = None,
) -> Trajectory:
    r"""Train by gradient descent from ``theta0``, which is also the reference.

    .. math:: \theta \leftarrow \theta + \eta\,(d_w a - d_l b)

    Args:
        policy: The policy.
        pair: The pair, or a batch of them: each problem trains on its own pair alone.
        theta0: Parameters at the start, ``(..., d, V)``.
        objective: The objective.
        lr: :math:`\eta`, one number or one per problem, ``(...)``.
        steps: How many steps.
        hyper: Hyperparameters by name; the others take the objective's defaults.
        watch: A context whose whole distribution is to be kept.
        method: What is done to the incentives before each step; see
            :mod:`disband.sims.methods.calibrate`. It is called once for each state, in order.

    Raises:
        ValueError: A step count below zero, a step size that is not positive, an unknown
            hyperparameter, shapes that disagree, or a run that leaves the finite numbers.
    """
    _check(policy, pair, theta0, lr, steps)
    d_w, d_l = (objective.kernel(what, "numpy", **(hyper or {})) for what in ("d_w", "d_l"))
    lengths = pair.lengths
    rate = np.asarray(lr, float)[..., None, None]
    theta, start = theta0, view(policy, pair, theta0)
    states = []
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            now = view(policy, pair, theta)
            data = (now.logp_w, now.logp_l, start.logp_w, start.logp_l, *lengths)
            up, down = d_w(*data), d_l(*data)
            _check_finite((now.logp_w, now.logp_l, up, down), step, objective.name, lr)
            gram = now.gram
            if method is not None:
                up, down = method(up, down, gram)
            seen = now.log_probs[..., watch or 0, :]
            scalars = (now.logp_w, now.logp_l, up, down, gram.sq_w, gram.sq_l, gram.dot)
            push = down[..., None, None] * now.score_l
            move = rate * (up[..., None, None] * now.score_w - push)
            ahead = first_order_tokens(policy, pair, now, move)
            states.append((now.tokens_w, now.tokens_l, *ahead, seen, *scalars))
            if step < steps:
                theta = theta + move
    tokens_w, tokens_l, ahead_w, ahead_l, watched, logp_w, logp_l, up, down, *products = map(
        np.stack, zip(*states, strict=True)
    )
    return Trajectory(
        logp_w=logp_w,
        logp_l=logp_l,
        tokens_w=tokens_w,
        tokens_l=tokens_l,
        ahead_w=ahead_w,
        ahead_l=ahead_l,
        d_w=up,
        d_l=down,
        gram=Gram(*products),
        lr=lr,
        theta=theta,
        watched=None if watch is None else watched,
    )


def first_order_tokens(
    policy: LogLinear, pair: Pair, now: View, move: Array
) -> tuple[Array, Array]:
    r"""Return :math:`\sum_v N_{cv}(u_{cv} - \sum_k s_{ck}u_{ck})`, the logits moving by u."""
    logits = policy.features @ move
    slope = logits - (np.exp(now.log_probs) * logits).sum(-1, keepdims=True)
    return (pair.counts_w * slope).sum(-1), (pair.counts_l * slope).sum(-1)


def _check(policy: LogLinear, pair: Pair, theta0: Array, lr: Any, steps: int) -> None:
    if steps < 0:
        raise ValueError(f"a run has at least zero steps: got {steps}; set steps to 1 or more")
    if not np.all((np.asarray(lr) > 0) & np.isfinite(lr)):
        raise ValueError(f"a step size is positive and finite: got {lr}; set lr to 0.1, say")
    contexts, width = policy.features.shape[-2:]
    vocabulary = policy.offsets.shape[-1]
    if theta0.shape[-2:] != (width, vocabulary):
        raise ValueError(
            f"parameters are (..., d, vocabulary): got {theta0.shape} for {width} features and "
            f"{vocabulary} tokens; start from np.zeros(({width}, {vocabulary})), say"
        )
    if pair.counts_w.shape[-2:] != (contexts, vocabulary):
        raise ValueError(
            f"a pair is counted over the policy's {contexts} contexts and {vocabulary} tokens: got "
            f"{pair.counts_w.shape}; build the pair for this policy"
        )


def _check_finite(values: tuple[Array, ...], step: int, name: str, lr: Any) -> None:
    fine = np.all([np.isfinite(v) for v in np.broadcast_arrays(*values)], 0)
    if fine.all():
        return
    if step == 0:
        raise ValueError(
            "a run starts where both responses are possible: a log-probability or an incentive "
            "of the start is not finite; give every emitted token a finite offset"
        )
    raise ValueError(
        f"a run keeps its log-probabilities and incentives finite: {name} at lr {lr} lost them in "
        f"{np.size(fine) - np.count_nonzero(fine)} of {np.size(fine)} problems at step {step}; "
        "lower lr"
    )
