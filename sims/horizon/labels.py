"""The batch with balanced labels: n pairs through one linear head, trained together."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from disband.theory.horizon.balanced import BalancedBatch
from disband.theory.horizon.rays import Ray
from disband.theory.objective import Objective

from ..pairs.policies import LogLinear, Pair, view
from .courses import Course, course, held

Array = NDArray[np.float64]


def labelled(batch: BalancedBatch) -> tuple[LogLinear, Pair, Array]:
    """Return the toy as a policy, its n pairs and its start.

    Tokens: the label +, the label −, all others. Contexts: where each pair's label is predicted,
    then where each pair's m suffix tokens are. Hidden states have a common direction, one of the
    labels and one of each pair, with the products that the toy names.

    Raises:
        ValueError: An odd number of pairs, or a product of the label's states that is not positive.
    """
    n = int(batch.pairs)
    if n % 2 or n < 2 or min(batch.at) <= 0:
        raise ValueError(
            "a balanced batch has as many pairs of each label, and label states with positive "
            f"products: got {n} pairs and {tuple(batch.at)}; give 2, 4, … and three positive parts"
        )
    signs = np.where(np.arange(n) % 2, -1.0, 1.0)
    roots = np.sqrt(np.array(batch.at, float))
    parts = (np.ones((n, 1)), signs[:, None], np.eye(n))
    at = np.hstack([size * part for size, part in zip(roots, parts, strict=True)])
    sizes = np.array(batch.after, float) / roots
    after = np.hstack([size * part for size, part in zip(sizes, parts, strict=True)])
    own = np.array([[batch.p_w, batch.p_l], [batch.p_l, batch.p_w]])[(signs < 0).astype(int)]
    label_rows = np.hstack([own, 1 - own.sum(1, keepdims=True)])
    suffix_row = np.array([batch.s_pos, batch.s_neg, 1 - batch.s_pos - batch.s_neg])
    with np.errstate(divide="ignore"):
        offsets = np.log(np.vstack([label_rows, np.tile(suffix_row, (n, 1))]))
    counts = np.zeros((2, n, 2 * n, 3))
    for pair, sign in enumerate(signs):
        label = int(sign < 0)
        counts[0, pair, pair, label] = counts[1, pair, pair, 1 - label] = 1
        counts[:, pair, n + pair, 2] = batch.m
    features = np.vstack([at, after])
    return LogLinear(features, offsets), Pair(*counts), np.zeros((features.shape[1], 3))


def label_courses(
    batch: BalancedBatch,
    objective: Objective,
    *,
    lr: float,
    steps: int,
    hyper: Mapping[str, float] | None = None,
) -> tuple[Course, Course]:
    """Return the courses of the mean chosen and the mean rejected, all pairs trained together.

    Args:
        batch: The toy.
        objective: The objective; its reference is the start.
        lr: Step size of gradient descent on the mean loss.
        steps: How many.
        hyper: Hyperparameters by name.

    Raises:
        ValueError: What :func:`labelled` raises, or no step of positive size.
    """
    if steps < 1 or not 0 < lr < np.inf:
        raise ValueError(
            f"a run has at least one step of positive finite size: got {steps} of {lr}; set "
            "steps=100 and lr=1, say"
        )
    policy, pairs, theta = labelled(batch)
    kernel = objective.kernel("incentives", "numpy", **(hyper or {}))
    n = int(batch.pairs)
    start = view(policy, pairs, theta)
    first = np.zeros_like(theta)
    logps = []
    for step in range(steps + 1):
        now = view(policy, pairs, theta)
        logps.append((now.logp_w.mean(), now.logp_l.mean()))
        d_w, d_l = (
            np.broadcast_to(np.asarray(d, float), n)[:, None, None]
            for d in kernel(now.logp_w, now.logp_l, start.logp_w, start.logp_l, *pairs.lengths)
        )
        update = lr * (d_w * now.score_w - d_l * now.score_l).mean(0)
        first = update if step == 0 else first
        theta = theta + update
    changes = np.array(logps) - logps[0]
    each = [
        held(policy, Pair(*counts), np.zeros_like(first), first)
        for counts in zip(pairs.counts_w, pairs.counts_l, strict=True)
    ]
    chosen, rejected = (
        course(_joined(rays), changes[:, side], n)
        for side, rays in enumerate(zip(*each, strict=True))
    )
    return chosen, rejected


def _joined(rays: tuple[Ray, ...]) -> Ray:
    """Return the rays of several responses as one: the sum of their changes."""
    return Ray(*(np.concatenate(parts) for parts in zip(*rays, strict=True)))
