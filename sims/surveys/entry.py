r"""Whether, when and for how long training brings the ratio of incentives into the band.

The toy is the smallest log-linear one whose cosine, norm ratio and margin are free: one token each,
in two contexts of two tokens. With :math:`x` the log-odds of the emitted token and :math:`p` its
probability, context features of norms :math:`1` and :math:`f` and cosine :math:`\rho`,

.. math::
    \|a\| = 1 - p_w, \qquad \|b\| = f\,(1 - p_l), \qquad \cos(a, b) = \rho

up to a common unit. The cosine is constant, the norm ratio moves with the probabilities, and as
these go to zero the scores stand still: :data:`FROZEN`.

What is proved, in the ledger under ``disband.early-stage``: with frozen scores a constant ratio
(DPO and all that see one margin) never enters and never leaves; separate convex losses (BCE, UKL,
DDRO, SPPO) only ever move towards the band; a likelihood term leads out of it above. In the toy the
band itself moves up while a pair is in it, so a constant ratio leaves it below. Everything else
that a map shows is measured: gradient flow, followed for a finite way in finite strides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.objective import Objective

Array = NDArray[np.float64]
Kernel = Callable[..., Any]

FROZEN = -50.0  # 1 - p is one in double precision
SLACK = 1e-9
FINEST = 2.0**-10
PATIENCE = 3


class Fate(IntEnum):
    """What became of a pair along its way."""

    INSIDE = 0
    ENTERS = 1
    LEAVES = 2
    RETURNS = 3
    OUTSIDE = 4
    LOST = 5

    @property
    def words(self) -> str:
        """The fate as a reader would say it."""
        return (
            "in the band from start to end",
            "enters the band and stays",
            "was in the band, is outside at the end",
            "leaves the band and is back at the end",
            "never in the band",
            "left the finite numbers",
        )[self]


class Start(NamedTuple):
    r"""Where pairs start; all broadcast, shape ``(...)``.

    Args:
        margin: :math:`\log\pi_w - \log\pi_l`, nats. The reference has margin zero, so this is the
            margin of the log-ratios too.
        norm_ratio: :math:`\|b\|/\|a\|`.
        cosine: :math:`\rho`, of the scores for ever.
        level: The mean of both log-probabilities, and both references, nats.
    """

    margin: Any
    norm_ratio: Any
    cosine: Any
    level: Any = -3.0


@dataclass(frozen=True, eq=False)
class Entry:
    """What became of each pair, ``(...)`` each.

    Args:
        fate: The :class:`Fate`.
        entered_at: Way until the pair is first in the band, in nats of log-odds; NaN if never.
        left_at: Way until it is first outside after it was in; NaN if never.
        gone: Way that the pair went; less than asked for where it came to rest or strode finely.
        margin: The margin at the end, nats.
    """

    fate: NDArray[np.int8]
    entered_at: Array
    left_at: Array
    gone: Array
    margin: Array

    def shares(self) -> dict[str, float]:
        """Return the share of pairs of each fate, by its words."""
        return {fate.words: float(np.mean(self.fate == fate)) for fate in Fate}


def grid(margins: Any, norm_ratios: Any, cosines: Any, level: float = -3.0) -> Start:
    """Return every combination: the axes of the map are margin, norm ratio, cosine."""
    margin, norm_ratio, cosine = np.meshgrid(margins, norm_ratios, cosines, indexing="ij")
    return Start(margin, norm_ratio, cosine, level)


def entry(
    objective: Objective,
    start: Start,
    *,
    way: float = 20.0,
    stride: float = 0.05,
    hyper: Mapping[str, float] | None = None,
) -> Entry:
    r"""Follow the gradient flow of each pair and say when it is in its band.

    .. math::
        \dot x_w = d_w(1-p_w) - d_l\,\rho f(1-p_l), \qquad
        \dot x_l = d_w\,\rho f(1-p_w) - d_l f^2(1-p_l)

    Every stride moves the faster of the two log-odds by ``stride`` nats (midpoint rule), so that
    objectives of any scale go the same way; by less where the motion would turn around or the
    log-ratio jump by a quarter of the band. A pair whose motion turns around at the least stride
    has arrived: it rests. In the band means, whatever the signs of the incentives: the chosen does
    not fall and the rejected does not rise, within rounding. A pair without incentives is in it.

    Args:
        objective: The objective; both responses have length one.
        start: Where the pairs start.
        way: How far to go at most, nats.
        stride: How far at a time, nats. Pairs that need finer strides have three times the number
            of strides that others take, and may not go the whole way.
        hyper: Hyperparameters by name.

    Raises:
        ValueError: A start out of its range, or a way or stride that is not positive.
    """
    if not 0 < stride <= way < np.inf:
        raise ValueError(f"0 < stride <= way < ∞: got stride {stride} and way {way}")
    setting = begin(start)
    kernels = [objective.kernel(d, "numpy", **(hyper or {})) for d in ("d_w", "d_l")]
    with np.errstate(all="ignore"):
        now = first = _point(kernels, setting, setting.x_w, setting.x_l)
        gone, size = np.zeros(now.x_w.shape), np.full(now.x_w.shape, stride)
        entered_at = np.where(now.inside, 0.0, np.nan)
        left_at, rests = np.full_like(gone, np.nan), np.zeros(gone.shape, bool)
        for _ in range(PATIENCE * round(way / stride)):
            size = np.minimum(size, way - gone)
            middle, ahead = _midpoint(kernels, setting, now, size)
            turned = _opposed(now, middle) | _opposed(now, ahead)
            jumped = np.abs(ahead.log_ratio - now.log_ratio) > setting.width / 4
            smallest = size <= stride * FINEST
            rests |= (turned & smallest) | _stands(now) | (gone >= way * (1 - SLACK))
            if rests.all():
                break
            taken = ~rests & ~turned & (~jumped | smallest)
            gone = gone + np.where(taken, size, 0.0)
            size = np.clip(np.where(taken, 2, 0.5) * size, stride * FINEST, stride)
            now = _Point(*(np.where(taken, *both) for both in zip(ahead, now, strict=True)))
            entered_at = np.where(np.isnan(entered_at) & now.inside, gone, entered_at)
            out = ~np.isnan(entered_at) & ~now.inside
            left_at = np.where(np.isnan(left_at) & out, gone, left_at)
    stayed = np.isnan(left_at)
    lost = ~np.isfinite(now.speed_w + now.speed_l)
    fate = np.select(
        [lost, now.inside & stayed & first.inside, now.inside & stayed, now.inside, ~stayed],
        [Fate.LOST, Fate.INSIDE, Fate.ENTERS, Fate.RETURNS, Fate.LEAVES],
        Fate.OUTSIDE,
    ).astype(np.int8)
    margin = logsigmoid.numpy(now.x_w) - logsigmoid.numpy(now.x_l)
    return Entry(fate, entered_at, left_at, gone, margin)


def scores(start: Start) -> Gram:
    """Return the Gram at the start, in units of the chosen context's features."""
    setting = begin(start)
    return _gram(setting, setting.x_w, setting.x_l)


class EntrySetting(NamedTuple):
    """The start and what stays: both log-odds, norm of the rejected features, cosine, level."""

    x_w: Array
    x_l: Array
    norm_l: Array
    cosine: Array
    level: Array

    @property
    def width(self) -> Array:
        """Half the width of the band in logs; infinite at an angle that is not acute."""
        return np.where(self.cosine > 0, -np.log(np.abs(self.cosine)), np.inf)


class _Point(NamedTuple):
    """Where each pair is, whether in its band, how fast it moves, and its log-ratio if it has."""

    x_w: Array
    x_l: Array
    inside: NDArray[np.bool_]
    speed_w: Array
    speed_l: Array
    log_ratio: Array


def begin(start: Start) -> EntrySetting:
    margin, ratio, cosine, level = np.broadcast_arrays(*(np.asarray(v, float) for v in start))
    if not np.all(np.abs(margin) < -2 * level):
        raise ValueError(
            "both log-probabilities are negative, so |margin| < -2 level: got margins up to "
            f"{np.abs(margin).max()} at levels up to {level.max()}; start at a lower level"
        )
    if not np.all((ratio > 0) & (ratio < np.inf) & (np.abs(cosine) <= 1)):
        raise ValueError(
            "a norm ratio is positive and finite and a cosine lies in [-1, 1]: got ratios from "
            f"{ratio.min()} to {ratio.max()} and cosines from {cosine.min()} to {cosine.max()}"
        )
    # The log-odds of a probability p are log p - log(1 - p).
    x_w, x_l = (z - np.log(-np.expm1(z)) for z in (level + margin / 2, level - margin / 2))
    norm_l = ratio * sigmoid.numpy(-x_w) / sigmoid.numpy(-x_l)
    return EntrySetting(x_w, x_l, norm_l, cosine, level)


def _gram(setting: EntrySetting, x_w: Array, x_l: Array) -> Gram:
    a, b = sigmoid.numpy(-x_w), setting.norm_l * sigmoid.numpy(-x_l)
    return Gram(a * a, b * b, setting.cosine * a * b)


def in_band(d_w: Any, d_l: Any, gram: Gram) -> NDArray[np.bool_]:
    """Whether the chosen does not fall and the rejected does not rise, but for rounding."""
    change_w, change_l = first_order(d_w, d_l, gram)
    away = Gram(gram.sq_w, gram.sq_l, -np.abs(gram.dot))
    size_w, size_l = first_order(np.abs(d_w), np.abs(d_l), away)
    return np.asarray((change_w >= -SLACK * size_w) & (change_l <= -SLACK * size_l))


def _point(kernels: list[Kernel], setting: EntrySetting, x_w: Array, x_l: Array) -> _Point:
    level = setting.level
    data = (logsigmoid.numpy(x_w), logsigmoid.numpy(x_l), level, level, 1.0, 1.0)
    d_w, d_l = (kernel(*data) for kernel in kernels)
    gram = _gram(setting, x_w, x_l)
    inside = in_band(d_w, d_l, gram)
    left_w, left_l = sigmoid.numpy(-x_w), sigmoid.numpy(-x_l)
    cross = setting.cosine * setting.norm_l
    speed_w = d_w * left_w - d_l * cross * left_l
    speed_l = d_w * cross * left_w - d_l * setting.norm_l**2 * left_l
    both = (d_w > 0) & (d_l > 0)
    log_ratio = np.where(both, np.log(d_w) - np.log(d_l), np.nan)
    return _Point(x_w, x_l, inside, speed_w, speed_l, log_ratio)


def _midpoint(
    kernels: list[Kernel], setting: EntrySetting, now: _Point, size: Array
) -> tuple[_Point, _Point]:
    """Return where each pair is half a stride on, and a stride on; where it is if it stands."""
    half = _along(now, now, size / 2)
    middle = _point(kernels, setting, *half)
    return middle, _point(kernels, setting, *_along(now, middle, size))


def _along(now: _Point, speeds: _Point, size: Array) -> tuple[Array, Array]:
    speed = np.maximum(np.abs(speeds.speed_w), np.abs(speeds.speed_l))
    time = np.divide(size, speed, out=np.zeros_like(size), where=speed > 0)
    return now.x_w + time * speeds.speed_w, now.x_l + time * speeds.speed_l


def _opposed(before: _Point, after: _Point) -> NDArray[np.bool_]:
    return np.asarray(before.speed_w * after.speed_w + before.speed_l * after.speed_l < 0)


def _stands(now: _Point) -> NDArray[np.bool_]:
    return np.asarray((now.speed_w == 0) & (now.speed_l == 0))
