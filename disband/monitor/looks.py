"""One look at a model in training: score products and log-probabilities, leaving no trace."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from disband.lm.model.gpt2 import Batch, Model, join, logp
from disband.lm.scores.capture import undisturbed
from disband.lm.scores.explicit import plain_logp
from disband.lm.scores.layout import texts
from disband.lm.scores.measurement import measuring
from disband.lm.scores.products.metric import Preconditioner, direction_products, own_products
from disband.lm.scores.split import parts, shrinking
from disband.theory.gram import Gram

Array = npt.NDArray[np.float64]
Parameters = Mapping[str, Tensor]
MEMORY = 2 << 30  # bytes that scores held at once may take
LOGITS = 1 << 27  # entries of logits held at once
REACH = 0.3  # nats


@dataclass(frozen=True, eq=False)
class Look:
    """What one step finds at its pairs.

    Args:
        gram: Score products, ``(pairs,)`` each.
        logp: Log-probabilities, chosen then rejected, ``(2, pairs)``, nats.
        slopes: First-order changes by an update, chosen then rejected, ``(2, pairs)``, nats; None
            where no update was given.
    """

    gram: Gram
    logp: Array
    slopes: Array | None


def look(
    model: Model,
    batch_w: Batch,
    batch_l: Batch,
    *,
    select: Callable[[str], bool] | None = None,
    metric: Preconditioner | None = None,
    update: Parameters | None = None,
) -> Look:
    r"""Score products of pairs, and their scores' products with an update, from one pass.

    The same as ``pair_gram`` and ``directional`` (the latter without the metric), at the price of
    one of them. Raises as they do.
    """
    products = np.zeros((3, len(batch_w)))
    slopes, logp = np.zeros((2, 2, len(batch_w)))
    with own_precision(model), measuring(model, select) as measurement:
        chosen, rejected = measurement.take(batch_w, batch_l)
        metric = measurement.metric(metric)
        if update is not None:
            update = measurement.named("an update", update)
        costs = [measurement.pair_cost(*pair) for pair in zip(chosen, rejected, strict=True)]

        def measure(most: int) -> None:
            for some in parts(costs, MEMORY, most):
                both = measurement.pairs([chosen[i] for i in some], [rejected[i] for i in some])
                logp[:, some] = measurement.logp.reshape(2, -1)
                by_name = [p.numpy() for _, p in own_products(both[0], both[1], metric)]
                products[:, some] = np.sum(by_name, 0)
                if update is not None:
                    for side, scores in zip(slopes, both, strict=True):
                        along = [p.numpy() for _, p in direction_products(scores, update, None)]
                        side[some] = np.sum(along, 0)

        shrinking(measure, len(batch_w))
    return Look(Gram(*products), logp, None if update is None else slopes)


def logps(model: Model, batch_w: Batch, batch_l: Batch, *, alone: bool = False) -> Array:
    """Log-probabilities of the chosen and of the rejected, ``(2, pairs)``, nats, no dropout.

    Args:
        model: Left as it was.
        batch_w: The chosen responses.
        batch_l: The rejected ones.
        alone: Whether each text is read by itself, and not in a padded batch.
    """
    device = model.get_input_embeddings().weight.device
    both = join(batch_w, batch_l)
    size = int(both.lengths.max()) * model.get_input_embeddings().weight.shape[0]
    rows = max(1, LOGITS // size)
    with own_precision(model), undisturbed(model), torch.no_grad():
        if alone:
            return plain_logp(model, texts(both, device)).reshape(2, -1)
        values = [
            logp(model, Batch(*(t[i : i + rows].to(device) for t in _fields(both)))).double().cpu()
            for i in range(0, len(both), rows)
        ]
    padded: Array = torch.cat(values).numpy().reshape(2, -1)
    return padded


def bends(
    model: Model,
    batch_w: Batch,
    batch_l: Batch,
    start: Parameters,
    update: Parameters,
    found: tuple[Array, Array],
    *,
    alone: bool = False,
) -> Array:
    r"""Second derivatives of the log-probabilities along an update, ``(2, pairs)``, nats.

    .. math:: \frac{\log\pi(\theta+hu) - 2\log\pi(\theta) + \log\pi(\theta-hu)}{h^2}

    with h such that the fastest of them moves by ``REACH`` to first order: less drowns in
    rounding, which h² divides.

    Args:
        model: Its trained parameters are exchanged for others, and are back when this returns.
        batch_w: The chosen responses.
        batch_l: The rejected ones.
        start: The trained parameters from where the update was made.
        update: u.
        found: The log-probabilities there, and their slopes along the update, ``(2, pairs)`` each.
        alone: See :func:`logps`.
    """
    middle, slopes = found
    fastest = np.abs(slopes[np.isfinite(slopes)]).max(initial=0.0)
    if not fastest > 0:
        return np.full(slopes.shape, np.nan)
    reach = REACH / fastest
    named = dict(model.named_parameters())
    parameters = {name: named[name] for name in update}
    ends = []
    for sign in (1, -1):
        moved = {name: start[name] + sign * reach * u for name, u in update.items()}
        with at(parameters, moved):
            ends.append(logps(model, batch_w, batch_l, alone=alone))
    bent: Array = (ends[0] - 2 * middle + ends[1]) / reach**2
    return bent


def agree(padded: Array, proved: Array, model: Model) -> bool:
    """Whether log-probabilities of a padded batch are those of its texts, but for rounding."""
    half = next(model.parameters()).dtype in (torch.bfloat16, torch.float16)
    tolerance = 0.05 if half else 1e-3
    return np.allclose(padded, proved, rtol=tolerance, atol=tolerance, equal_nan=True)


def _fields(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return batch.ids, batch.attention, batch.response


@contextmanager
def at(parameters: Mapping[str, nn.Parameter], values: Parameters) -> Iterator[None]:
    """The model with other values of some parameters, by exchange: nothing is copied or rounded."""
    kept = {name: parameter.data for name, parameter in parameters.items()}
    try:
        for name, parameter in parameters.items():
            parameter.data = values[name]
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.data = kept[name]


@contextmanager
def own_precision(model: Any) -> Iterator[None]:
    """The model without the automatic casts that accelerate puts around its forward pass."""
    wrapped = model.__dict__.get("forward")
    if wrapped is None or "_original_forward" not in model.__dict__:
        yield
        return
    model.forward = model.__dict__["_original_forward"]
    try:
        yield
    finally:
        model.forward = wrapped
