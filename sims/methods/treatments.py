r"""Every method as one step of a training run, for many runs at once.

:mod:`disband.sims.methods.calibrate` and :mod:`disband.sims.methods.baselines` say what a method
makes of incentives; here each is given what it takes: the pairs' Gram, all products of the batch,
and for moving averages what was seen before. Arrays of incentives are ``(runs, n)``, n pairs in a
run's batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram

from .averages import BETA
from .baselines import ratio_clipped, with_nll
from .calibrate import (
    METHODS,
    Incentives,
    batch_band_calibrated,
    rescaled,
)

Array = NDArray[np.float64]

NLL_WEIGHT = 0.05  # as much again as DPO's pull at the reference, at its default beta
CLIP = (0.5, 2.0)


@dataclass(frozen=True)
class Past:
    """Decayed sums of log(r*/r) over usable pairs, and their count, ``(runs,)`` each."""

    total: Array
    count: Array


@dataclass(frozen=True, eq=False)
class Felt:
    """What a method is given at one step.

    Args:
        d_w: Incentives on the chosen responses, ``(runs, n)``, finite.
        d_l: Incentives on the rejected ones.
        gram: The pairs' score products as measured, ``(runs, n)`` each.
        all_products: Gives all products of each run's batch, ``(runs, 2n, 2n)``.
        past: What the method kept from the step before, if anything.
    """

    d_w: Array
    d_l: Array
    gram: Gram
    all_products: Callable[[], Array]
    past: Any = None

    @cached_property
    def products(self) -> Array:
        """All products of each run's batch, ``(runs, 2n, 2n)``."""
        return self.all_products()


Treatment = Callable[[Felt], tuple[Incentives, Any]]


def averaged(felt: Felt, *, beta: float = BETA, published_start: bool = True) -> Any:
    r"""Reward calibration with moving averages over a run's batches, one factor for a batch.

    .. math:: S \leftarrow \beta S + \sum_i \log(r^*_i/r_i), \qquad
        \log\delta = \tfrac12\,S/\mathrm{count}(S)

    :class:`disband.sims.methods.averages.Averages` for many runs at once: of the four averages
    only this sum enters the factor.
    """
    values = (felt.d_w, felt.d_l, felt.gram.sq_w, felt.gram.sq_l)
    usable = np.all([np.asarray(v) > 0 for v in values], 0)
    d_w, d_l, sq_w, sq_l = (np.where(usable, v, 1.0) for v in values)
    error = (np.log(sq_l) - np.log(sq_w)) / 2 - np.log(d_w) + np.log(d_l)
    total, count = error.sum(-1), usable.sum(-1).astype(float)
    past = felt.past or Past(np.zeros_like(total), np.zeros_like(total))
    first = 1 / (1 - beta) if published_start else 1.0
    weight = np.where(past.count == 0, first, 1.0)
    now = Past(beta * past.total + weight * total, beta * past.count + weight * count)
    mean = np.divide(now.total, now.count, out=np.full_like(total, np.nan), where=now.count > 0)
    return rescaled(felt.d_w, felt.d_l, np.exp(mean / 2)[:, None]), now


def _pairwise(method: Callable[[Any, Any, Gram], Incentives]) -> Treatment:
    return lambda felt: (method(felt.d_w, felt.d_l, felt.gram), None)


def _of_signs(method: Callable[[Any, Any, Gram], Incentives]) -> Treatment:
    """A method of positive incentives alone: other pairs keep what they have."""

    def treated(felt: Felt) -> tuple[Incentives, Any]:
        both = (felt.d_w > 0) & (felt.d_l > 0)
        d_w, d_l = (np.where(both, d, 1.0) for d in (felt.d_w, felt.d_l))
        got = method(d_w, d_l, felt.gram)
        old = (felt.d_w, felt.d_l)
        return Incentives(*(np.where(both, n, o) for n, o in zip(got, old, strict=True))), None

    return treated


def _batch_band(felt: Felt) -> tuple[Incentives, Any]:
    return batch_band_calibrated(felt.d_w, felt.d_l, felt.products), None


TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "none": _pairwise(METHODS["none"]),
        "reward calibration": _pairwise(METHODS["reward calibration"]),
        "reward calibration, batch": lambda felt: averaged(felt, beta=0.0),
        "reward calibration, averaged": averaged,
        "batch band": _batch_band,
        "nearest in band": _pairwise(METHODS["nearest in band"]),
        "equal and opposite": _pairwise(METHODS["equal and opposite"]),
        "normalised gradients": _of_signs(METHODS["normalised gradients"]),
        "NLL term": lambda felt: (with_nll(felt.d_w, felt.d_l, NLL_WEIGHT), None),
        "ratio clip": lambda felt: (ratio_clipped(felt.d_w, felt.d_l, *CLIP), None),
    }
)


# What differs for a batch of a single pair: of the others, these are the ones to look at.
FOR_ONE_PAIR = tuple(
    name for name in TREATMENTS if name not in {"reward calibration, batch", "batch band"}
)


class Alone:
    """A treatment of runs of one pair each, to be called once for each state in order.

    Args:
        name: Its name.

    Raises:
        ValueError: There is none of this name.
    """

    def __init__(self, name: str) -> None:
        self._treat, self._past = treatment(name), None

    def __call__(self, d_w: Any, d_l: Any, gram: Gram) -> Incentives:
        """Return what the method makes of the incentives, of any shape."""
        values = np.broadcast_arrays(
            *(np.asarray(v, float) for v in (d_w, d_l, gram.sq_w, gram.sq_l, gram.dot))
        )
        shape = values[0].shape
        up, down, sq_w, sq_l, dot = (v.reshape(-1, 1) for v in values)

        def products() -> Array:
            rows = (np.stack([sq_w, dot], -1), np.stack([dot, sq_l], -1))
            return np.concatenate(rows, -2)

        felt = Felt(up, down, Gram(sq_w, sq_l, dot), products, self._past)
        got, self._past = self._treat(felt)
        return Incentives(got.d_w.reshape(shape), got.d_l.reshape(shape))


def treatment(name: str) -> Treatment:
    """Return the treatment of this name.

    Raises:
        ValueError: There is none.
    """
    if name not in TREATMENTS:
        raise ValueError(
            f"a method is one of {', '.join(TREATMENTS)}: got {name!r}; choose one of these"
        )
    return TREATMENTS[name]
