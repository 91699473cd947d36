r"""The smallest policies that can fail, by the hundred thousand: one token of two in each context.

A problem is n pairs, trained together. Response :math:`i` of the 2n emits one of two tokens in a
context with features :math:`\phi_i`; with :math:`x_i` the log-odds of that token,

.. math::
    \log\pi_i = \log\sigma(x_i), \qquad \nabla\log\pi_i = (1-p_i)\,\phi_i

A step :math:`\theta \leftarrow \theta + \eta P\sum_i c_i\nabla\log\pi_i`, with
:math:`c = (d_w, -d_l)/n`, moves the log-odds by exactly

.. math:: x \leftarrow x + \eta\,K\,[(1-p)\,c], \qquad K_{ij} = \langle\phi_i,P\phi_j\rangle

so that the products K are all that a run needs, finite steps included. What a method measures may
be other products than those that the step moves along: those of the head's parameters alone, or
Euclidean ones under an optimizer with a metric.

Chosen responses first, then the rejected ones; ``...`` is any shape of problems.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram
from disband.theory.kernels.primitives import logsigmoid, sigmoid

from .entry import Start, begin

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problems:
    """Problems of n pairs each, where they start.

    Args:
        odds: Log-odds of the emitted tokens, ``(..., 2n)``.
        ref: Log-probabilities under the reference, ``(..., 2n)``, nats.
        moved: K, products of the contexts' features in the metric of the step,
            ``(..., 2n, 2n)``.
        seen: The products that a method measures; those of the step if not given.

    Raises:
        ValueError: The shapes disagree.
    """

    odds: Array
    ref: Array
    moved: Array
    seen: Array | None = None

    def __post_init__(self) -> None:
        size = self.odds.shape[-1] if self.odds.ndim else 0
        shapes = [m.shape[-2:] for m in (self.moved, self.seen) if m is not None]
        if size < 2 or size % 2 or self.ref.shape[-1:] != (size,):
            raise ValueError(
                "n pairs have 2n log-odds and as many reference log-probabilities: got shapes "
                f"{self.odds.shape} and {self.ref.shape}; give the chosen, then the rejected"
            )
        if any(shape != (size, size) for shape in shapes):
            raise ValueError(
                f"{size // 2} pairs have {size} × {size} feature products: got {shapes}; give "
                "those of the chosen contexts and then of the rejected ones"
            )

    @property
    def pairs(self) -> int:
        """n, how many pairs a problem has."""
        return int(self.odds.shape[-1]) // 2

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the problems."""
        parts = [self.odds.shape[:-1], self.ref.shape[:-1], self.moved.shape[:-2]]
        if self.seen is not None:
            parts.append(self.seen.shape[:-2])
        return np.broadcast_shapes(*parts)

    def flat(self) -> "Problems":
        """The same problems in one row, ``(problems, ...)``."""
        size, shape = self.odds.shape[-1], self.shape
        count = int(np.prod(shape))

        def laid(values: Array, tail: tuple[int, ...]) -> Array:
            return np.broadcast_to(values, (*shape, *tail)).reshape(count, *tail)

        square = (size, size)
        return Problems(
            laid(self.odds, (size,)),
            laid(self.ref, (size,)),
            laid(self.moved, square),
            None if self.seen is None else laid(self.seen, square),
        )

    def part(self, where: slice) -> "Problems":
        """Some problems of one row."""
        seen = None if self.seen is None else self.seen[where]
        return Problems(self.odds[where], self.ref[where], self.moved[where], seen)


def one_pair(start: Start, *, seen_ratio: Any = 1.0, seen_cosine: Any = None) -> Problems:
    r"""Problems of one pair, with the margin, norm ratio and cosine that ``start`` asks for.

    Args:
        start: Where they start, shape ``(...)``; the chosen context's features have norm one.
        seen_ratio: What a method measures for :math:`\|b\|/\|a\|`, as a share of what it is.
        seen_cosine: What it measures for :math:`\rho`; what it is if not given.

    Raises:
        ValueError: A start out of its range, or a share that is not positive and finite.
    """
    setting = begin(start)
    share = np.asarray(seen_ratio, float)
    if not np.all((share > 0) & (share < np.inf)):
        raise ValueError(
            f"a measured norm ratio is positive and finite: got a share of {seen_ratio}; give 1 "
            "where the measurement is right"
        )
    odds = np.stack([setting.x_w, setting.x_l], -1)
    ref = np.stack([setting.level, setting.level], -1)
    moved = _products(setting.norm_l, setting.cosine)
    if seen_cosine is None and np.all(share == 1):
        return Problems(odds, ref, moved)
    cosine = setting.cosine if seen_cosine is None else np.asarray(seen_cosine, float)
    return Problems(odds, ref, moved, _products(setting.norm_l * share, cosine))


def crowds(
    problems: int,
    pairs: int,
    *,
    dimensions: int,
    cosine: float = 0.5,
    spread: float = 0.5,
    margin: float = 1.0,
    level: float = -3.0,
    seed: int = 0,
) -> Problems:
    r"""Batches whose contexts have a common direction and random ones.

    .. math:: \phi_i = f_i\bigl(\sqrt{\kappa}\,u + \sqrt{1-\kappa}\,v_i\bigr), \qquad
        v_i \sim \mathcal N(0, I/D)

    The fewer dimensions D for the 2n contexts, the more the pairs are in each other's way.

    Args:
        problems: How many batches.
        pairs: n, pairs in each.
        dimensions: D.
        cosine: :math:`\kappa`, expected cosine of two contexts, in [0, 1].
        spread: Standard deviation of :math:`\log f_i`.
        margin: Standard deviation of each pair's margin at the start, nats; the reference has
            none. It is cut at what ``level`` allows.
        level: The mean of both log-probabilities, and the reference, nats.
        seed: The same seed gives the same batches.

    Raises:
        ValueError: A number out of its range.
    """
    if not (problems > 0 and pairs > 0 and dimensions > 0 and 0 <= cosine <= 1 and level < 0):
        raise ValueError(
            "a crowd has problems, pairs and dimensions, a cosine in [0, 1] and a negative level: "
            f"got {problems}, {pairs}, {dimensions}, {cosine} and {level}"
        )
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((problems, 2 * pairs, dimensions)) / np.sqrt(dimensions)
    size = np.exp(spread * rng.standard_normal((problems, 2 * pairs)))
    products = cosine + (1 - cosine) * (own @ np.swapaxes(own, -1, -2))
    half = np.clip(margin * rng.standard_normal((problems, pairs)) / 2, 0.9 * level, -0.9 * level)
    logp = level + np.concatenate([half, -half], -1)
    return Problems(
        logp - np.log(-np.expm1(logp)),
        np.full_like(logp, level),
        size[..., :, None] * products * size[..., None, :],
    )


@dataclass(frozen=True, eq=False)
class State:
    """Where problems of one row stand.

    Args:
        logp: Log-probabilities, ``(problems, 2n)``, nats.
        left: :math:`1 - p`, the same shape.
    """

    logp: Array
    left: Array

    @staticmethod
    def of(odds: Array) -> "State":
        """The state at these log-odds."""
        return State(logsigmoid.numpy(odds), sigmoid.numpy(-odds))

    def gram(self, products: Array) -> Gram:
        """Score products of each pair, ``(problems, n)`` each."""
        n = self.logp.shape[-1] // 2
        w, rest = self.left[:, :n], self.left[:, n:]
        own = np.einsum("bii->bi", products)
        across = np.einsum("bii->bi", products[:, :n, n:])
        return Gram(own[:, :n] * w * w, own[:, n:] * rest * rest, across * w * rest)

    def scores(self, products: Array) -> Array:
        """All score products of each problem, ``(problems, 2n, 2n)``."""
        return self.left[:, :, None] * products * self.left[:, None, :]


def _products(norm_l: Array, cosine: Any) -> Array:
    norm_l, cosine = np.broadcast_arrays(norm_l, np.asarray(cosine, float))
    across = cosine * norm_l
    rows = [np.stack([np.ones_like(norm_l), across], -1), np.stack([across, norm_l**2], -1)]
    return np.stack(rows, -2)
