"""The batch with balanced labels: n pairs through one linear head, trained together."""

from collections.abc import Mapping
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disband.theory.first_order import first_order
from disband.theory.horizon.balanced import BalancedBatch, Overlap
from disband.theory.horizon.rays import Ray
from disband.theory.objective import Objective

from ..pairs.descent import first_order_tokens
from ..pairs.policies import LogLinear, Pair, view
from .courses import Course, course, held

Array = NDArray[np.float64]


def balanced_labels(
    *,
    pairs: int = 8,
    suffix: int = 6,
    common: float = 4.0,
    label: float = 1.0,
    own: float = 1.0,
    common_after: float = 2.0,
    label_after: float = 0.5,
    own_after: float = 0.3,
    p_w: float = 0.3,
    p_l: float = 0.3,
    s_pos: float = 0.1,
    s_neg: float = 0.1,
) -> BalancedBatch:
    """Return the toy of plain choices.

    Args:
        pairs: n, even.
        suffix: Tokens after the label.
        common: Product of any two hidden states where the label is predicted.
        label: What it has more where both have one label, and less where they have not.
        own: What a state's product with itself has more.
        common_after: The same of a suffix state with one where the label is predicted.
        label_after: Likewise.
        own_after: Likewise.
        p_w: Probability of the chosen label.
        p_l: Probability of the rejected one.
        s_pos: Probability of the label + on the suffix.
        s_neg: Probability of the label − on the suffix.
    """
    at, after = Overlap(common, label, own), Overlap(common_after, label_after, own_after)
    return BalancedBatch(pairs, suffix, at, after, p_w, p_l, s_pos, s_neg)


class BatchToy(NamedTuple):
    """A toy of a whole batch.

    Args:
        name: Its name on the command line.
        summary: One line for people.
        lr: A step size at which DPO shows what the toy is for.
        defaults: Its choices and their defaults.
    """

    name: str
    summary: str
    lr: float
    defaults: Mapping[str, Any]


BALANCED_LABELS = BatchToy(
    "balanced-labels",
    "a batch, each label chosen in half of it: by score products its suffix stays, and it falls",
    0.5,
    {choice.name: choice.default for choice in signature(balanced_labels).parameters.values()},
)


class Promise(NamedTuple):
    """First-order changes of mean chosen and mean rejected in one step, nats.

    Args:
        own: In a step on each pair alone.
        batch: In a step on the batch.
        suffix: What of the second is the suffix's.
    """

    own: tuple[float, float]
    batch: tuple[float, float]
    suffix: tuple[float, float]


def labelled(batch: BalancedBatch) -> tuple[LogLinear, Pair, Array]:
    """Return the toy as a policy, its n pairs and its start.

    Tokens: the label +, the label −, all others. Contexts: where each pair's label is predicted,
    then where each pair's m suffix tokens are. Hidden states have a common direction, one of the
    labels and one of each pair, with the products that the toy names.

    Raises:
        ValueError: A number of the toy is out of its range.
    """
    _check(batch)
    n = int(batch.pairs)
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
        ValueError: No step of positive size, or a number of the toy is out of its range.
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


def _check(batch: BalancedBatch) -> None:
    products = (*batch.at, *batch.after)
    if not np.isfinite(products).all() or min(batch.at) <= 0 or batch.pairs < 2 or batch.pairs % 2:
        raise ValueError(
            "a balanced batch has as many pairs of each label and positive finite products where "
            f"the label is predicted: got {batch.pairs} pairs and products {products}; set "
            "pairs=8, common=4, label=1 and own=1, say"
        )
    rows = ((batch.p_w, batch.p_l, 1.0), (batch.s_pos, batch.s_neg, 1 - 1e-9))
    impossible = [row for row in rows if not (min(row[:2]) > 0 and sum(row[:2]) <= row[2])]
    if batch.m < 0 or impossible:
        raise ValueError(
            "both labels have positive probabilities that leave room for others on the suffix: got "
            f"{rows[0][:2]}, there {rows[1][:2]}, and {batch.m} suffix tokens; set p_w=0.3 and "
            "s_pos=0.1, say"
        )


def _joined(rays: tuple[Ray, ...]) -> Ray:
    """Return the rays of several responses as one: the sum of their changes."""
    return Ray(*(np.concatenate(parts) for parts in zip(*rays, strict=True)))


def promises(
    batch: BalancedBatch, objective: Objective, *, lr: float, hyper: Mapping[str, float]
) -> Promise:
    """Return what score products say of the first step."""
    policy, pairs, theta = labelled(batch)
    start = view(policy, pairs, theta)
    d_w, d_l = _first_incentives(batch, objective, hyper)
    own = [float(np.mean(change)) for change in first_order(d_w, d_l, start.gram, lr)]
    pull, push = (d[:, None, None] for d in (d_w, d_l))
    update = lr * (pull * start.score_w - push * start.score_l).mean(0)
    tokens = first_order_tokens(policy, pairs, start, update)
    n = int(batch.pairs)
    whole = [float(part.sum(-1).mean()) for part in tokens]
    suffix = [float(part[:, n:].sum(-1).mean()) for part in tokens]
    return Promise((own[0], own[1]), (whole[0], whole[1]), (suffix[0], suffix[1]))


def first_push(batch: BalancedBatch, objective: Objective, hyper: Mapping[str, float]) -> float:
    """Return the largest incentive of the first step."""
    return float(np.abs(_first_incentives(batch, objective, hyper)).max())


def _first_incentives(
    batch: BalancedBatch, objective: Objective, hyper: Mapping[str, float]
) -> tuple[Array, Array]:
    policy, pairs, theta = labelled(batch)
    start = view(policy, pairs, theta)
    logps = (start.logp_w, start.logp_l)
    both = objective.kernel("incentives", "numpy", **hyper)(*logps, *logps, *pairs.lengths)
    d_w, d_l = (np.broadcast_to(np.asarray(d, float), len(logps[0])) for d in both)
    return d_w, d_l
