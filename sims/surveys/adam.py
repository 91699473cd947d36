r"""Reward calibration under Adam: as published, exact, and in the optimizer's own metric.

Many pairs, each with parameters of its own, in the toy of one token of two per context: features
:math:`\phi` of the contexts, of which the first few entries are the head's. Adam's step is along
:math:`P(d_wa - d_lb) + \mu Pm`, so that a pair's band is that of :math:`P`, and its memory adds to
both changes. What was measured is set against that band, and the direction of every step is that
of the log-probabilities before and after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram
from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.metric import metric_gram
from disband.theory.objective import Objective

from ..methods.averages import Averages, log_sums
from ..methods.calibrate import Incentives, momentum_calibrated, rescaled, reward_calibrated

Array = NDArray[np.float64]

PUBLISHED, EXACT = "as published", "exact"
METRIC, MEMORY = "in the optimizer's metric", "in its metric, with its memory"
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "none": "no calibration",
        PUBLISHED: "moving averages of the batch's means, scores of the head alone",
        EXACT: "every pair, all parameters, Euclidean",
        METRIC: "every pair, all parameters, Adam's second moments",
        MEMORY: "the same, and the momentum",
    }
)


@dataclass(frozen=True)
class AdamSetting:
    r"""The toy and its optimizer.

    Args:
        pairs: How many pairs.
        head: Parameters of a pair's head.
        body: Its other parameters.
        body_scale: Standard deviation of the body's features; the head's have 1.
        cosine: Share of the features' variance that both contexts have in common.
        level: Both log-probabilities at the start, nats.
        steps: Steps of Adam.
        lr: Its rate.
        betas: Its two factors.
        epsilon: What it adds to the root.
        seed: The same seed gives the same pairs.
    """

    pairs: int = 64
    head: int = 4
    body: int = 12
    body_scale: float = 0.6
    cosine: float = 0.8
    level: float = -3.0
    steps: int = 40
    lr: float = 0.003
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    seed: int = 0


@dataclass(frozen=True)
class Cloud:
    r"""Where every step of every pair stood, in the metric of that step, ``(steps, pairs)`` each.

    Args:
        cosine: :math:`\rho_P`.
        offset: :math:`\log r - \log r^*_P`; NaN where the incentives are not both positive.
        change_w: Real change of the chosen log-probability, nats.
        change_l: Real change of the rejected.
    """

    cosine: Array
    offset: Array
    change_w: Array
    change_l: Array

    @property
    def right(self) -> float:
        """Share of the steps in which the chosen did not fall and the rejected did not rise."""
        return float(((self.change_w >= 0) & (self.change_l <= 0)).mean())


def clouds(objective: Objective, setting: AdamSetting | None = None) -> dict[str, Cloud]:
    """Return the cloud of each way to calibrate, from the same start."""
    return {name: cloud(objective, name, setting) for name in WORDS}


def cloud(objective: Objective, name: str, setting: AdamSetting | None = None) -> Cloud:
    """Train with one way to calibrate.

    Raises:
        ValueError: There is no such way.
    """
    if name not in WORDS:
        raise ValueError(f"a way to calibrate is one of {', '.join(WORDS)}: got {name!r}")
    toy = setting or AdamSetting()
    kernel = objective.kernel("incentives", "numpy")
    features = _features(toy)
    theta = np.zeros((toy.pairs, toy.head + toy.body))
    offset = toy.level - np.log(-np.expm1(toy.level))
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    averages, rows = Averages.as_published(), []
    beta_1, beta_2 = toy.betas
    for step in range(1, toy.steps + 1):
        odds = np.einsum("spd,pd->sp", features, theta) + offset
        logp = logsigmoid.numpy(odds)
        a, b = sigmoid.numpy(-odds)[:, :, None] * features
        ref = np.full(toy.pairs, toy.level)
        d_w, d_l = (
            np.broadcast_to(d, (toy.pairs,)) for d in kernel(logp[0], logp[1], ref, ref, 1.0, 1.0)
        )
        plain = d_w[:, None] * a - d_l[:, None] * b
        metric = _metric(toy, second, plain, step)
        if name == PUBLISHED:
            averages = averages.update(
                log_sums(d_w, d_l, Gram.of_scores(a[:, : toy.head], b[:, : toy.head]))
            )
        # The step is along P((1 - β₁)g + β₁m): in units of the gradient, m weighs β₁/(1 - β₁).
        memory = beta_1 / (1 - beta_1) * first
        got = _calibrated(name, d_w, d_l, (a, b), metric, memory, averages)
        gradient = got.d_w[:, None] * a - got.d_l[:, None] * b
        first = beta_1 * first + (1 - beta_1) * gradient
        second = beta_2 * second + (1 - beta_2) * gradient**2
        root = np.sqrt(second / (1 - beta_2**step)) + toy.epsilon
        theta = theta + toy.lr / (1 - beta_1**step) * first / root
        after = logsigmoid.numpy(np.einsum("spd,pd->sp", features, theta) + offset)
        moved = metric_gram(a, b, 1 / root)
        rows.append((*_place(got, moved), *(after - logp)))
    return Cloud(*(np.stack(values) for values in zip(*rows, strict=True)))


def _features(toy: AdamSetting) -> Array:
    """Features of both contexts of every pair, ``(2, pairs, parameters)``."""
    rng = np.random.default_rng(toy.seed)
    size = toy.head + toy.body
    common, own = rng.standard_normal((toy.pairs, size)), rng.standard_normal((2, toy.pairs, size))
    scale = np.concatenate([np.ones(toy.head), np.full(toy.body, toy.body_scale)])
    # The norms of head and body differ from pair to pair, each in its own way.
    head, body = np.exp(0.4 * rng.standard_normal((2, 2, toy.pairs, 1)))
    parts = np.concatenate(
        [np.broadcast_to(head, (2, toy.pairs, toy.head)),
         np.broadcast_to(body, (2, toy.pairs, toy.body))], -1
    )  # fmt: skip
    mixed = np.sqrt(toy.cosine) * common + np.sqrt(1 - toy.cosine) * own
    return np.asarray(mixed * scale * parts)


def _metric(toy: AdamSetting, second: Array, gradient: Array, step: int) -> Array:
    """Adam's diagonal as the step would find it with the gradient as it is."""
    beta_2 = toy.betas[1]
    expected = beta_2 * second + (1 - beta_2) * gradient**2
    return np.asarray(1 / (np.sqrt(expected / (1 - beta_2**step)) + toy.epsilon))


def _calibrated(
    name: str,
    d_w: Array,
    d_l: Array,
    scores: tuple[Array, Array],
    metric: Array,
    memory: Array,
    averages: Averages,
) -> Incentives:
    a, b = scores
    if name == PUBLISHED:
        return rescaled(d_w, d_l, np.full(d_w.shape, averages.factor))
    if name == EXACT:
        return reward_calibrated(d_w, d_l, Gram.of_scores(a, b))
    gram = metric_gram(a, b, metric)
    if name == METRIC:
        return reward_calibrated(d_w, d_l, gram)
    if name == MEMORY:
        felt = [(metric * s * memory).sum(-1) for s in (a, b)]
        return momentum_calibrated(d_w, d_l, gram, *felt)
    return Incentives(np.array(d_w), np.array(d_l))


def _place(used: Incentives, gram: Gram) -> tuple[Any, Any]:
    both = (used.d_w > 0) & (used.d_l > 0)
    ratio = [np.log(np.where(both, d, np.nan)) for d in used]
    return gram.cosine, ratio[0] - ratio[1] - np.log(gram.norm_ratio)
