r"""How the probability of chosen, rejected and all other responses evolves, on worlds of any kind.

A world has C contexts with V responses each, and logits :math:`\langle x_{cv},\theta\rangle +
o_{cv}` linear in shared parameters. In every context response 0 is chosen, response 1 rejected and
the others are in no pair. Tabular softmax: :math:`x_{cv} = e_{cv}`; a linear head on hidden
states: :math:`x_{cv} = \varphi_c\otimes e_v`; responses that share features: any :math:`x`.

Shapes: ``...`` is a batch of worlds, C contexts, V responses, d parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram
from disband.theory.objective import Objective

from ..methods.calibrate import METHODS

Array = NDArray[np.float64]
Incentives = Callable[[Array, Array, Gram], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class SoftmaxWorld:
    """Contexts, their responses and where the policy starts, which is also the reference.

    Args:
        features: :math:`x`, ``(..., C, V, d)``.
        offsets: :math:`o`, the logits at the start, ``(..., C, V)``; the parameters start at zero.

    Raises:
        ValueError: The shapes disagree, or there are fewer than two responses.
    """

    features: Array
    offsets: Array

    def __post_init__(self) -> None:
        if self.features.shape[:-1] != self.offsets.shape or self.offsets.shape[-1] < 2:
            raise ValueError(
                "features are (..., contexts, responses, d) and offsets (..., contexts, "
                f"responses), of two responses or more: got {self.features.shape} and "
                f"{self.offsets.shape}; give both of the same world"
            )

    def log_probs(self, theta: Array) -> Array:
        """Log-probabilities of all responses, ``(..., C, V)`` nats."""
        logits = np.einsum("...cvd,...d->...cv", self.features, theta) + self.offsets
        logits = logits - logits.max(-1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))

    def scores(self, probs: Array) -> tuple[Array, Array]:
        """Scores of chosen and rejected, ``(..., C, d)`` each."""
        mean = np.einsum("...cv,...cvd->...cd", probs, self.features)
        return self.features[..., 0, :] - mean, self.features[..., 1, :] - mean

    @property
    def start(self) -> Array:
        """Parameters at the start, ``(..., d)``."""
        return np.zeros((*self.offsets.shape[:-2], self.features.shape[-1]))


@dataclass(frozen=True, eq=False)
class Evolution:
    """What a run went through: T steps, so T + 1 states.

    Args:
        log_probs: ``(T + 1, ..., C, V)`` nats.
        d_w: Incentive on the chosen response as it was used, ``(T + 1, ..., C)``.
        d_l: Incentive on the rejected one, the same shape.
    """

    log_probs: Array
    d_w: Array
    d_l: Array

    @property
    def probs(self) -> Array:
        """Probabilities, ``(T + 1, ..., C, V)``."""
        return np.exp(self.log_probs)

    @property
    def elsewhere(self) -> Array:
        """Mass of the responses in no pair, ``(T + 1, ..., C)``."""
        return np.asarray(self.probs[..., 2:].sum(-1))


def evolve(
    world: SoftmaxWorld,
    objective: Objective,
    *,
    lr: float,
    steps: int,
    hyper: Mapping[str, float] | None = None,
    method: str = "none",
    stride: float = np.inf,
) -> Evolution:
    r"""Train on all pairs at once by gradient descent on their mean loss.

    .. math:: \theta \leftarrow \theta + \frac{\eta}{C}\sum_c (d_{w,c}a_c - d_{l,c}b_c)

    Args:
        world: Where it happens.
        objective: The objective.
        lr: :math:`\eta`.
        steps: How many steps.
        hyper: Hyperparameters by name; the others take the objective's defaults.
        method: What is done to the incentives, a name of ``sims.methods.calibrate.METHODS``.
        stride: The longest step in parameters; a longer one is shortened, direction kept.

    Raises:
        ValueError: An unknown method or hyperparameter, or a run that leaves the finite numbers.
    """
    if method not in METHODS:
        raise ValueError(f"a method is one of {', '.join(METHODS)}: got {method!r}; choose one")
    kernel = objective.kernel("incentives", "numpy", **(hyper or {}))
    theta, states = world.start, []
    reference = world.log_probs(theta)
    ref_w, ref_l = reference[..., 0], reference[..., 1]
    for step in range(steps + 1):
        now = world.log_probs(theta)
        a, b = world.scores(np.exp(now))
        pull, push = kernel(now[..., 0], now[..., 1], ref_w, ref_l, 1, 1)
        shape = now.shape[:-1]
        d_w, d_l = METHODS[method](
            np.broadcast_to(pull, shape), np.broadcast_to(push, shape), Gram.of_scores(a, b)
        )
        if not all(np.isfinite(v).all() for v in (now[..., :2], d_w, d_l)):
            raise ValueError(
                f"a run keeps its log-probabilities and incentives finite: {objective.name} at lr "
                f"{lr} lost them at step {step}; lower lr"
            )
        states.append((now, d_w, d_l))
        move = lr * (d_w[..., None] * a - d_l[..., None] * b).mean(-2)
        length = np.linalg.norm(move, axis=-1, keepdims=True)
        theta = theta + move * np.minimum(1.0, stride / np.maximum(length, 1e-300))
    log_probs, d_ws, d_ls = (np.stack(column) for column in zip(*states, strict=True))
    return Evolution(log_probs, d_ws, d_ls)


def tabular(rows: Array) -> SoftmaxWorld:
    """A softmax with a logit of its own for every response: ``rows`` is ``(..., C, V)``.

    Raises:
        ValueError: A row is not positive, or does not sum to one.
    """
    rows = np.asarray(rows, float)
    if not (np.all(rows > 0) and np.allclose(rows.sum(-1), 1, rtol=0, atol=1e-9)):
        raise ValueError(
            "a row of a softmax is positive and sums to one: got rows between "
            f"{rows.min():g} and {rows.max():g} with sums up to {rows.sum(-1).max():g}; divide "
            "each by its sum"
        )
    *batch, contexts, vocabulary = rows.shape
    own = np.eye(contexts * vocabulary).reshape(contexts, vocabulary, -1)
    return SoftmaxWorld(np.broadcast_to(own, (*batch, *own.shape)), np.log(rows))


def drawn(
    seed: int,
    *,
    worlds: int,
    contexts: int = 1,
    vocabulary: int = 8,
    width: int | None = None,
    spread: float = 1.5,
) -> SoftmaxWorld:
    """Draw worlds: normal starting logits, and features of their own or normal ones.

    Args:
        seed: The same seed gives the same worlds.
        worlds: How many, the batch.
        contexts: C.
        vocabulary: V.
        width: d: responses share so many normal features, scaled to a length of one on average;
            None gives the tabular softmax.
        spread: Standard deviation of the starting logits.
    """
    rng = np.random.default_rng(seed)
    logits = spread * rng.standard_normal((worlds, contexts, vocabulary))
    if width is None:
        rows = np.exp(logits - logits.max(-1, keepdims=True))
        return tabular(rows / rows.sum(-1, keepdims=True))
    features = rng.standard_normal((worlds, contexts, vocabulary, width)) / np.sqrt(width)
    return SoftmaxWorld(features, logits)
