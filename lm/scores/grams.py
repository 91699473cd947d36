r"""Score products of a real model: the Gram of pairs, of a batch, of the tokens of one pair.

A score is the gradient of a response's (or token's) log-probability by the trained parameters.
Only inner products of scores are ever needed, and they follow from what the layers read and from
the gradients of what they give, so that no gradient of the size of the parameters is formed where
that can be avoided.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt
from torch import Tensor

from disband.theory.gram import Gram

from ..model.gpt2 import Batch, Model
from .adam import adam_preconditioner
from .layers import Selection
from .layout import Text
from .measurement import Measurement, SlowScores, measuring
from .products.metric import (
    Preconditioner,
    all_products,
    direction_products,
    own_products,
)
from .products.places import place_products
from .products.terms import Scores
from .proof import SeparateReading
from .split import SmallerParts, halves_of_memory, parts, shrinking

__all__ = [
    "How", "SeparateReading", "SlowScores", "SmallerParts",
    "adam_preconditioner", "batch_gram", "contributions",
    "cosines", "directional", "pair_gram", "position_gram", "token_gram",
]  # fmt: skip

Array = npt.NDArray[np.float64]


class What(TypedDict, total=False):
    """What may be said of any products.

    Args:
        parameters: Names of the trained parameters to measure, or a predicate of names; all of
            them by default.
        preconditioner: A positive scale ``P`` for each measured parameter, by name and of its
            shape, so that products are ``⟨x, P y⟩``; see ``adam_preconditioner``.
    """

    parameters: Selection | None
    preconditioner: Preconditioner | None


class How(What, total=False):
    """What may be said about a measurement of many responses or tokens.

    Args:
        memory: Bytes that the scores held at once may take, beside the model; 2 GiB by default.
        progress: Called with the fraction done, from time to time.
    """

    memory: int
    progress: Callable[[float], None] | None


def pair_gram(model: Model, batch_w: Batch, batch_l: Batch, **how: Unpack[How]) -> Gram:
    r"""Gram of each pair, :math:`a = \nabla\log\pi_w` and :math:`b = \nabla\log\pi_l`.

    The gradients are those of all parameters that require one, without dropout, as a trainer gets
    them: an embedding's padding entry has none.

    Returns:
        A Gram of float64 arrays of shape ``(batch,)``, nats² per squared parameter.

    Raises:
        ValueError: The batches differ in size, a response is empty, a selection or preconditioner
            does not fit the model, or no parameter requires a gradient.
        MemoryError: A single pair does not fit into memory.
    """
    by_name = contributions(model, batch_w, batch_l, **how)
    grams = by_name.values()
    return Gram(*(sum(getattr(g, part) for g in grams) for part in ("sq_w", "sq_l", "dot")))


def contributions(
    model: Model, batch_w: Batch, batch_l: Batch, **how: Unpack[How]
) -> dict[str, Gram]:
    """What each parameter contributes to the Gram of each pair, by the parameter's name.

    The sum over all is the pairs' Gram. A tied weight stands under its first name, with all it
    does. Raises as ``pair_gram`` does.
    """
    with measuring(model, how.get("parameters")) as measurement:
        chosen, rejected = measurement.take(batch_w, batch_l)
        metric = measurement.metric(how.get("preconditioner"))
        by_name = {name: np.zeros((3, len(chosen))) for name in measurement.parameters}

        def measure(some: list[int]) -> None:
            a, b = measurement.pairs([chosen[i] for i in some], [rejected[i] for i in some])
            for name, products in own_products(a, b, metric):
                by_name[name][:, some] = products.numpy()

        _each(measurement, chosen, rejected, how, measure)
    return {name: Gram(*products) for name, products in by_name.items()}


def batch_gram(model: Model, batch_w: Batch, batch_l: Batch, **how: Unpack[How]) -> Array:
    r"""Products of all scores of a batch, which say who moves whom.

    Where not all scores fit the memory budget at once, they are found again for every two parts.

    Returns:
        float64 of shape ``(2 batch, 2 batch)``: the chosen responses, then the rejected ones.

    Raises:
        ValueError, MemoryError: As ``pair_gram``.
    """
    with measuring(model, how.get("parameters")) as measurement:
        chosen, rejected = measurement.take(batch_w, batch_l)
        metric = measurement.metric(how.get("preconditioner"))
        costs = [measurement.pair_cost(*pair) for pair in zip(chosen, rejected, strict=True)]
        n = len(chosen)

        def groups_of(some: list[int]) -> list[list[int]]:
            sides = [chosen[i] for i in some], [rejected[i] for i in some]
            return [[some[i] for i in group] for group in measurement.groups(*sides)]

        def scores(some: list[int]) -> Sequence[Scores]:
            return [
                side
                for group in groups_of(some)
                for side in measurement.pairs(
                    [chosen[i] for i in group], [rejected[i] for i in group]
                )
            ]

        def measure(most: int) -> Array:
            groups = halves_of_memory(costs, _memory(how), most)
            rows = [
                [i for group in groups_of(some) for i in (*group, *(n + i for i in group))]
                for some in groups
            ]
            return _blockwise(groups, rows, scores, metric, how)

        return shrinking(measure, n)


def token_gram(model: Model, batch_w: Batch, batch_l: Batch, **how: Unpack[How]) -> Array:
    r"""Products of the token scores :math:`\nabla\log\pi(y^i \mid x, y^{<i})` of one pair.

    Returns:
        float64 of shape ``(len_w + len_l, len_w + len_l)``: the chosen response's tokens, then
        the rejected one's. The sums of its blocks are the pair's Gram.

    Raises:
        ValueError: Either batch has more than one row; or as ``pair_gram``.
        MemoryError: The score of a single token does not fit into memory.
    """
    _refuse_many("a token Gram", batch_w, batch_l)
    with measuring(model, how.get("parameters")) as measurement:
        (w,), (l,) = measurement.take(batch_w, batch_l, apart=True)  # noqa: E741
        metric = measurement.metric(how.get("preconditioner"))
        len_w = len(w.counted)
        costs = [measurement.token_cost(t) for t in (w, l) for _ in t.counted]

        def scores(some: list[int]) -> Sequence[Scores]:
            return measurement.tokens(
                (w, l), ([i for i in some if i < len_w], [i - len_w for i in some if i >= len_w])
            )

        def measure(most: int) -> Array:
            parted = halves_of_memory(costs, _memory(how), most)
            groups = [sorted(some) for some in parted]
            return _blockwise(groups, groups, scores, metric, how)

        return shrinking(measure, len(costs))


def position_gram(
    model: Model, batch_w: Batch, batch_l: Batch, **how: Unpack[What]
) -> dict[str, Array]:
    """What every two positions of a pair contribute to its products, by parameter.

    A position is one at which a layer reads; at the head, one that predicts a response token.

    Returns:
        For each parameter's name, float64 over the positions of the chosen text, then of the
        rejected one, each without its last token, which nothing reads. The sums of the blocks,
        over all parameters, are the pair's Gram.

    Raises:
        ValueError: Either batch has more than one row; a parameter's layer is not known to work
            position by position; or as ``pair_gram``.
    """
    _refuse_many("a Gram of positions", batch_w, batch_l)
    with measuring(model, how.get("parameters")) as measurement:
        (w,), (l,) = measurement.take(batch_w, batch_l, apart=True)  # noqa: E741
        metric = measurement.metric(how.get("preconditioner"))
        products = place_products((w, l), measurement.resolved((w, l)), metric)
        return {name: matrix.numpy() for name, matrix in products}


def directional(
    model: Model,
    batch_w: Batch,
    batch_l: Batch,
    update: Mapping[str, Tensor],
    **how: Unpack[How],
) -> Array:
    r"""Products :math:`\langle\nabla\log\pi, v\rangle` of each score with an update of the weights.

    To first order, these are the changes of the log-probabilities that the update makes.

    Args:
        model: As of ``pair_gram``.
        batch_w: Likewise.
        batch_l: Likewise.
        update: What is added to each measured parameter, by name and of its shape.

    Returns:
        float64 of shape ``(2 batch,)``: the chosen responses, then the rejected ones; nats.

    Raises:
        ValueError: The update lacks a measured parameter, or has one in another shape; or as
            ``pair_gram``.
    """
    with measuring(model, how.get("parameters")) as measurement:
        chosen, rejected = measurement.take(batch_w, batch_l)
        metric = measurement.metric(how.get("preconditioner"))
        update = measurement.named("an update", update)
        changes = np.zeros((2, len(chosen)))

        def measure(some: list[int]) -> None:
            both = measurement.pairs([chosen[i] for i in some], [rejected[i] for i in some])
            for side, scores in zip(changes, both, strict=True):
                side[some] = sum(p.numpy() for _, p in direction_products(scores, update, metric))

        _each(measurement, chosen, rejected, how, measure)
    return changes.reshape(-1)


def cosines(gram: Array) -> Array:
    """Cosine of every two scores, from their Gram matrix; NaN where a norm is zero."""
    norms = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
    scale = norms[..., :, None] * norms[..., None, :]
    cosine: Array = np.divide(gram, scale, out=np.full_like(gram, np.nan), where=scale > 0)
    return cosine


def _refuse_many(what: str, batch_w: Batch, batch_l: Batch) -> None:
    if len(batch_w) != 1 or len(batch_l) != 1:
        raise ValueError(
            f"{what} is that of one pair: got {len(batch_w)} chosen and {len(batch_l)} "
            "rejected responses; take one row of each with batch.row(i)"
        )


def _memory(how: How) -> int:
    return how.get("memory", 2 << 30)


def _each(
    measurement: Measurement,
    chosen: Sequence[Text],
    rejected: Sequence[Text],
    how: How,
    measure: Callable[[list[int]], None],
) -> None:
    """Measure all pairs, as many at once as the memory budget allows."""
    costs = [measurement.pair_cost(*pair) for pair in zip(chosen, rejected, strict=True)]
    report = how.get("progress") or _quiet
    waiting = measurement.groups(chosen, rejected)

    def go_on(most: int) -> None:
        while waiting:
            group = waiting[0]
            some = [group[i] for i in parts([costs[i] for i in group], _memory(how), most)[0]]
            measure(some)
            waiting[:1] = [left] if (left := [i for i in group if i not in set(some)]) else []
            report(1 - sum(map(len, waiting)) / len(chosen))

    shrinking(go_on, len(chosen))


def _blockwise(
    groups: Sequence[list[int]],
    rows: Sequence[list[int]],
    scores: Callable[[list[int]], Sequence[Scores]],
    metric: Preconditioner | None,
    how: How,
) -> Array:
    """The Gram matrix of scores of which two groups are held at a time."""
    size = sum(map(len, rows))
    gram = np.empty((size, size))
    report = how.get("progress") or _quiet
    pairs = len(groups) * (len(groups) + 1) // 2
    done = 0
    for i, first in enumerate(groups):
        xs = scores(first)
        for j in range(i, len(groups)):
            ys = xs if i == j else scores(groups[j])
            by_name = [products.numpy() for _, products in all_products(xs, ys, metric)]
            block: Array = np.sum(by_name, 0)
            gram[np.ix_(rows[i], rows[j])] = block
            gram[np.ix_(rows[j], rows[i])] = block.T
            done += 1
            report(done / pairs)
    return gram


def _quiet(_: float) -> None:
    pass
