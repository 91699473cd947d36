r"""Where a change of log-probability comes from: own pair, other pairs, memory, decay, curvature.

With the batch's score products in the optimizer's metric, :math:`K`, and the incentives
:math:`c = (d_w, -d_l)/n`, one step changes the log-probability of response :math:`i` to first
order by :math:`\sum_j K_{ij} c_j`, plus what memory and weight decay add; what is left of the
measured change is curvature.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disband.lm.model.gpt2 import Batch, Model, join, logp
from disband.lm.scores.grams import batch_gram
from disband.lm.training.finetune import Step
from disband.lm.training.slopes import slopes
from disband.theory.objective import Objective

from .readings import PARTS

Array = npt.NDArray[Any]


def one_step(
    step: Step, after: Model, objective: Objective, labels: Array, **values: float
) -> dict[str, Array]:
    """Explain the change of every response in the batch that the step was made for.

    Args:
        step: The update, with the model as it was before.
        after: The model as it is after it.
        objective: Whose loss was minimised.
        labels: The label of each pair, ``(batch,)``.
        values: Hyperparameters of the objective that differ from its defaults.

    Returns:
        Each ``(2, batch)``, chosen first, nats: ``measured``; ``own``, ``same`` and ``other``:
        what the own pair, other pairs of the own label and those of the other label contribute
        in the optimizer's metric; ``memory``, ``decay``; ``plain_own`` and ``plain_batch``: what
        the own pair and the whole batch would do to it under one plain gradient step of size 1.
    """
    pair = step.pair
    size = len(pair[0])
    held = join(*pair)
    with torch.no_grad():
        before = logp(step.model, held).double().numpy(force=True)
        change = logp(after, held).double().numpy(force=True) - before
    push = push_of(step, objective, before, values)
    plain = batch_gram(step.model, *pair) * push
    scaled = batch_gram(step.model, *pair, preconditioner=dict(step.update.metric)) * push
    own = np.tile(np.eye(size, dtype=bool), (2, 2))
    alike = np.tile(labels[:, None] == labels, (2, 2))
    changes = {
        "measured": change,
        "own": (scaled * own).sum(1),
        "same": (scaled * (alike & ~own)).sum(1),
        "other": (scaled * ~alike).sum(1),
        "memory": _slope(step.model, held, step.update.memory),
        "decay": _slope(step.model, held, step.update.decay),
        "plain_own": (plain * own).sum(1),
        "plain_batch": plain.sum(1),
    }
    return {name: value.reshape(2, size) for name, value in changes.items()}


def token_parts(step: Step, held: Batch) -> Array:
    """First-order change of every token of ``held`` by each part of a step.

    Returns:
        ``(parts, rows, tokens)``, in the order of ``PARTS``, nats.
    """
    directions = (getattr(step.update, part) for part in PARTS)
    return np.stack([_slopes(step.model, held, direction) for direction in directions])


def push_of(step: Step, objective: Objective, before: Array, values: Mapping[str, float]) -> Array:
    """Coefficient of each score in the batch's descent step, chosen first, ``(2 batch,)``.

    Args:
        step: The update.
        objective: Whose loss was minimised.
        before: Log-probabilities as the update found them, ``(2 batch,)``, nats.
        values: Hyperparameters of the objective that differ from its defaults.
    """
    reference = [r.double().numpy(force=True) for r in step.reference]
    lengths = [b.lengths.numpy(force=True) for b in step.pair]
    state = (*np.split(before, 2), *reference, *lengths)
    d_w, d_l = (objective.kernel(what, "numpy", **values)(*state) for what in ("d_w", "d_l"))
    return np.concatenate([d_w, -d_l]) / len(d_w)


def _slope(model: Model, held: Batch, direction: Mapping[str, Tensor]) -> Array:
    summed: Array = _slopes(model, held, direction).sum(1)
    return summed


def _slopes(model: Model, held: Batch, direction: Mapping[str, Tensor]) -> Array:
    if any(bool(part.any()) for part in direction.values()):
        return slopes(model, held, direction)
    return np.zeros((len(held), int(held.lengths.max())))
