"""The pairs worst off, token by token: which tokens pull the chosen response down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.data.tokenize import TokenPair, batches
from disband.lm.model.load import Loaded
from disband.lm.scores.grams import cosines, token_gram
from disband.lm.scores.products.metric import Preconditioner
from disband.theory.gram import Gram
from disband.verify.kept.store import Store

from .measure import Array, Plan
from .shares import drag


@dataclass(frozen=True)
class TokenEffects:
    """One pair, token by token; chosen tokens first where both are in one array.

    Args:
        index: Of the pair in the sample.
        drag: Of :func:`disband.probe.shares.drag`.
        words: The text of each response token.
        len_w: How many of them are the chosen response's.
        effects: What training on each token does to the chosen response's log-probability, to
            first order and per unit of step size; they sum to its change.
        changes: What the step does to each token's own log-probability.
        cosines: Of every two token scores.
    """

    index: int
    drag: float
    words: tuple[str, ...]
    len_w: int
    effects: Array
    changes: Array
    cosines: Array


def worst_off(
    d_w: Array, d_l: Array, gram: Gram, plan: Plan, *, count: int, longest: int
) -> list[int]:
    """Pairs whose chosen response falls, the most dragged first, of at most so many tokens.

    Of the same texts, only the first is named.
    """
    dragged = drag(d_w, d_l, gram)
    picked: dict[TokenPair, int] = {}
    for index in np.argsort(-np.nan_to_num(dragged, nan=-np.inf), kind="stable").tolist():
        if len(picked) == count:
            break
        pair = plan.pairs[index]
        fits = len(pair.chosen) + len(pair.rejected) <= longest
        # Equal responses have a drag of one but for rounding.
        if fits and dragged[index] > 1 and pair.chosen != pair.rejected:
            picked.setdefault(pair, index)
    return list(picked.values())


def by_token(
    loaded: Loaded,
    plan: Plan,
    picked: Sequence[int],
    incentives: tuple[Array, Array],
    gram: Gram,
    store: Store,
    settings: Mapping[str, Any],
    advance: Callable[[float], None],
    metric: Preconditioner | None = None,
) -> list[TokenEffects]:
    """Look into these pairs token by token; what was measured is kept.

    Args:
        loaded: The model.
        plan: The sample.
        picked: Indices into it.
        incentives: ``d_w`` and ``d_l`` of each pair of the sample.
        gram: Score products of each pair of the sample.
        store: Where what was measured is kept.
        settings: What else it depends on.
        advance: Called with the fraction done.
        metric: Of the products; plain ones if there is none.
    """
    dragged = drag(*incentives, gram)
    looked = []
    for done, index in enumerate(picked):
        pair = plan.pairs[index]
        key = _key(loaded, plan, settings, index)
        kept = store.load("tokens", key)
        if kept is None:
            both = batches(loaded.tokenizer, [pair])
            matrix = token_gram(loaded.model, *both, memory=plan.memory, preconditioner=metric)
            kept = {"products": matrix}
            store.save("tokens", key, kept)
        d_w, d_l = (float(d[index]) for d in incentives)
        looked.append(
            _tokens(index, float(dragged[index]), pair, kept["products"], d_w, d_l, loaded)
        )
        advance((done + 1) / len(picked))
    return looked


def is_looked_into(
    loaded: Loaded, plan: Plan, picked: Sequence[int], store: Store, settings: Mapping[str, Any]
) -> bool:
    """Whether what :func:`by_token` would measure is kept already."""
    return all(
        store.load("tokens", _key(loaded, plan, settings, index)) is not None for index in picked
    )


def _key(loaded: Loaded, plan: Plan, settings: Mapping[str, Any], index: int) -> dict[str, Any]:
    """What the token products of a pair depend on."""
    pair = plan.pairs[index]
    tokens = [pair.context, pair.chosen, pair.rejected]
    return {**settings, "model": loaded.provenance, "tokens": tokens}


def _tokens(
    index: int,
    dragged: float,
    pair: TokenPair,
    products: npt.NDArray[np.float64],
    d_w: float,
    d_l: float,
    loaded: Loaded,
) -> TokenEffects:
    len_w = len(pair.chosen)
    step = np.concatenate([np.full(len_w, d_w), np.full(len(pair.rejected), -d_l)])
    return TokenEffects(
        index,
        dragged,
        tuple(loaded.tokenizer.decode([token]) for token in (*pair.chosen, *pair.rejected)),
        len_w,
        effects=step * products[:len_w].sum(0),
        changes=products @ step,
        cosines=cosines(products),
    )
