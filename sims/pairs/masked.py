r"""DPO by masked token incentives: a run that keeps only the tokens that are worth their price.

.. math::
    \theta \leftarrow \theta + \eta_{lr}\Bigl(\sum_i d_w^ia_i - \sum_j d_l^jb_j\Bigr), \qquad
    d_w^i = \beta\,\sigma(-z)\,m_w^i, \quad d_l^j = \beta\,\sigma(-z)\,m_l^j

with z the masked margin. The first steps keep every token; then the masks are
:func:`disband.sims.methods.masks.best_masks`, chosen anew before each step.

Source: yuan2025, section 5.2; the choice of the masks is this project's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..methods.masks import Masks, best_masks, masked_incentives
from .descent import first_order_tokens
from .policies import Pair, Problem, view

Array = NDArray[np.float64]

PLAIN_STEPS = 2


@dataclass(frozen=True, eq=False)
class MaskedRun:
    """What a masked run went through: T steps over C contexts, in nats.

    Args:
        tokens_w: What each context adds to the chosen log-probability, ``(T + 1, C)``.
        tokens_l: What each context adds to the rejected one, ``(T + 1, C)``.
        ahead_w: First-order change of ``tokens_w`` by the step from each state, ``(T, C)``.
        ahead_l: First-order change of ``tokens_l``, ``(T, C)``.
        masks: Those of each step, ``(T, C)`` each; zero where a response has no token.
        needed: The price under which any token would have been kept after the first steps.
    """

    tokens_w: Array
    tokens_l: Array
    ahead_w: Array
    ahead_l: Array
    masks: Masks
    needed: float


def masked_run(problem: Problem, *, price: float, beta: float, lr: float, steps: int) -> MaskedRun:
    r"""Train one problem by masked token incentives, from the start that is its reference.

    Args:
        problem: The toy, one token to a context.
        price: :math:`\eta`, what a token must be worth to be kept, nats.
        beta: :math:`\beta`; 1 as published.
        lr: Step size.
        steps: How many steps, at least one.

    Raises:
        ValueError: A price below zero, or a run that leaves the finite numbers.
    """
    policy, pair, theta = problem.policy, problem.pair, problem.theta0
    start = view(policy, pair, theta)
    present = Masks(pair.counts_w.sum(-1), pair.counts_l.sum(-1))
    states, aheads, kept, needed = [], [], [], 0.0
    for step in range(steps + 1):
        now = view(policy, pair, theta)
        states.append((now.tokens_w, now.tokens_l))
        if step == steps:
            break
        ratios = (now.tokens_w - start.tokens_w, now.tokens_l - start.tokens_l)
        masks = best_masks(*ratios, beta=beta, eta=price)
        if step < PLAIN_STEPS:
            masks = present
        elif step == PLAIN_STEPS:
            needed = beta * max(ratios[0].max(), -ratios[1].min()) / 2
        kept.append(masks)
        pull, push = masked_incentives(*ratios, masks, beta=beta)
        weighted = Pair(pair.counts_w * pull[:, None], pair.counts_l * push[:, None])
        scores = view(policy, weighted, theta)
        move = lr * (scores.score_w - scores.score_l)
        aheads.append(first_order_tokens(policy, pair, now, move))
        theta = theta + move
    tokens_w, tokens_l, ahead_w, ahead_l = (
        np.stack(column) for rows in (states, aheads) for column in zip(*rows, strict=True)
    )
    series = Masks(*map(np.stack, zip(*kept, strict=True)))
    return MaskedRun(tokens_w, tokens_l, ahead_w, ahead_l, series, needed)
