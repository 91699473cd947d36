r"""Toy policies: all of the papers' are one, a softmax whose logits are linear in the parameters.

In context :math:`c` the logits are :math:`\phi_c^\top\theta + o_c`, with fixed features
:math:`\phi_c` and offsets :math:`o_c`. A response is how often it emits each token in each
context, a matrix :math:`N`; then

.. math::
    \log\pi = \sum_{c,v} N_{cv}\log s_{cv}, \qquad
    U = N - \mathrm{diag}(N\mathbf 1)\,s, \qquad
    \nabla_\theta\log\pi = \phi^\top U

Shapes: C contexts, V tokens, d features; ``...`` is any batch shape, and all broadcast.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.gram import Gram

Array = NDArray[np.float64]

BEFORE, AT, AFTER = "before", "at", "after"
PLACES = (BEFORE, AT, AFTER)
MOST_ENTRIES = 10_000_000


@dataclass(frozen=True, eq=False)
class LogLinear:
    r"""A log-linear policy; its parameters :math:`\theta` have shape ``(..., d, V)``.

    Args:
        features: :math:`\phi`, ``(..., C, d)``.
        offsets: :math:`o`, ``(..., C, V)``; minus infinity where a token is impossible.

    Raises:
        ValueError: The shapes disagree.
    """

    features: Array
    offsets: Array

    def __post_init__(self) -> None:
        if self.features.shape[-2:-1] != self.offsets.shape[-2:-1] or self.offsets.ndim < 2:
            raise ValueError(
                "features are (..., contexts, d) and offsets (..., contexts, vocabulary): got "
                f"{self.features.shape} and {self.offsets.shape}; give one row of each per context"
            )

    def log_probs(self, theta: Array) -> Array:
        r"""Log-probability of every token in every context, ``(..., C, V)`` nats."""
        logits = self.features @ theta + self.offsets
        logits = logits - logits.max(-1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))


@dataclass(frozen=True, eq=False)
class Pair:
    """A chosen and a rejected response.

    Args:
        counts_w: How often the chosen one emits each token in each context, ``(..., C, V)``.
        counts_l: The same of the rejected one.

    Raises:
        ValueError: The shapes disagree, or a count is negative.
    """

    counts_w: Array
    counts_l: Array

    def __post_init__(self) -> None:
        if self.counts_w.shape[-2:] != self.counts_l.shape[-2:]:
            raise ValueError(
                "both responses are counted over the same contexts and tokens: got shapes "
                f"{self.counts_w.shape} and {self.counts_l.shape}; give zeros where a response "
                "does not pass"
            )
        if (low := min(self.counts_w.min(), self.counts_l.min())) < 0:
            raise ValueError(f"a count is at least zero: got {low}; count each emission once")

    @property
    def lengths(self) -> tuple[Array, Array]:
        """Lengths in tokens of the chosen and the rejected response, ``(...)`` each."""
        return self.counts_w.sum((-1, -2)), self.counts_l.sum((-1, -2))


@dataclass(frozen=True, eq=False)
class View:
    """What a pair sees of a policy at one value of the parameters.

    Args:
        log_probs: Every token's log-probability in every context, ``(..., C, V)``.
        tokens_w: What each context adds to the chosen log-probability, ``(..., C)``.
        tokens_l: What each context adds to the rejected log-probability, ``(..., C)``.
        score_w: The gradient of the chosen log-probability, ``(..., d, V)``.
        score_l: The gradient of the rejected log-probability, ``(..., d, V)``.
    """

    log_probs: Array
    tokens_w: Array
    tokens_l: Array
    score_w: Array
    score_l: Array

    @property
    def logp_w(self) -> Array:
        """Chosen log-probability, ``(...)`` nats."""
        return np.asarray(self.tokens_w.sum(-1))

    @property
    def logp_l(self) -> Array:
        """Rejected log-probability, ``(...)`` nats."""
        return np.asarray(self.tokens_l.sum(-1))

    @property
    def gram(self) -> Gram:
        """Score products, ``(...)`` each."""
        a, b = (s.reshape(*s.shape[:-2], -1) for s in (self.score_w, self.score_l))
        return Gram.of_scores(a, b)


def view(policy: LogLinear, pair: Pair, theta: Array) -> View:
    """Return the log-probabilities and scores of a pair under a policy, exactly."""
    log_probs = policy.log_probs(theta)
    probs = np.exp(log_probs)
    tokens, scores = [], []
    for counts in (pair.counts_w, pair.counts_l):
        emitted = np.where(counts > 0, log_probs, 0.0)
        tokens.append((counts * emitted).sum(-1))
        residual = counts - counts.sum(-1, keepdims=True) * probs
        scores.append(np.swapaxes(policy.features, -1, -2) @ residual)
    return View(log_probs, tokens[0], tokens[1], scores[0], scores[1])


@dataclass(frozen=True, eq=False)
class Problem:
    """A toy policy with a pair and its starting point.

    Args:
        policy: The policy.
        pair: Its pair.
        theta0: The parameters at the start, ``(..., d, V)``.
        places: Where each context lies: before, at or after the differing position, ``(C,)``.
    """

    policy: LogLinear
    pair: Pair
    theta0: Array
    places: tuple[str, ...]


def single_token(*, vocabulary: int = 10, candidates: int = 5, hidden_norm: float = 1.0) -> Problem:
    r"""One token each, from one hidden state through a learnable linear head.

    The prediction starts uniform over the first ``candidates`` tokens and the others are
    impossible; token 0 is chosen, token 1 rejected. Only :math:`\|h\|` matters of the hidden
    state, so it has one entry.

    Raises:
        ValueError: Fewer than two candidates, more than tokens, or a norm that is not positive.

    Source: yuan2025, Model Setup 1, Data Setup 1 and Theorem 1.
    """
    if not 2 <= candidates <= vocabulary:
        raise ValueError(
            "the start is uniform over candidates that include the chosen and the rejected token, "
            f"so 2 <= candidates <= vocabulary: got candidates {candidates} and vocabulary "
            f"{vocabulary}; set candidates between 2 and {max(vocabulary, 2)}"
        )
    if not 0 < hidden_norm < np.inf:
        raise ValueError(
            f"a hidden state that teaches has a positive finite norm: got {hidden_norm}; "
            "set hidden_norm to 1, say"
        )
    offsets = np.where(np.arange(vocabulary) < candidates, 0.0, -np.inf)[None]
    return Problem(
        LogLinear(np.array([[hidden_norm]]), offsets),
        Pair(_emits(1, vocabulary, {0: 0}), _emits(1, vocabulary, {0: 1})),
        np.zeros((1, vocabulary)),
        (AT,),
    )


def edit_one_shared(
    *,
    vocabulary: int = 10,
    prefix: int = 2,
    suffix: int = 4,
    offset: float = 2.0,
    spread: float = 1.0,
    seed: int = 0,
    batch: tuple[int, ...] = (),
) -> Problem:
    r"""Responses that differ in one token, with logits shared up to an offset of the context.

    Both responses emit token 0 everywhere, but the rejected one token 1 at the differing
    position. Each position has its own row of logits, which starts at ``spread`` times standard
    normal numbers. After the differing position the chosen context adds ``offset`` to the logit
    of the emitted token, so that for ``offset >= 0`` the assumption of Theorem 3 holds:
    :math:`s_w[j^*] \ge s_l[j^*]` and :math:`s_w[j] \le s_l[j]` elsewhere.

    Args:
        vocabulary: V, at least 2.
        prefix: Equal tokens before the differing position.
        suffix: Equal tokens after it.
        offset: How much more the chosen context favours the suffix tokens, in nats.
        spread: Standard deviation of the starting logits.
        seed: The same seed gives the same start.
        batch: Shape of a batch of problems that differ in their starting logits.

    Raises:
        ValueError: A number is out of its range.

    Source: yuan2025, Data Setup 2 and appendix B.2, which multiplies chosen with rejected
    gradients row by row and so shares the rows.
    """
    rows = _checked(vocabulary, prefix, suffix, spread, offset, seed)
    start = spread * np.random.default_rng(seed).standard_normal((*batch, rows, vocabulary))
    shared = np.concatenate([np.eye(rows), np.eye(rows)[prefix + 1 :]])
    return _edit_one(shared, start, prefix, offset)


def edit_one_independent(
    *,
    vocabulary: int = 10,
    prefix: int = 2,
    suffix: int = 4,
    offset: float = 2.0,
    spread: float = 1.0,
    seed: int = 0,
    batch: tuple[int, ...] = (),
) -> Problem:
    r"""As :func:`edit_one_shared` at the start, but every context owns its row of logits.

    Chosen and rejected suffix rows then learn apart from each other.

    Source: yuan2025, Model Setup 2 as it is printed: :math:`s_{w,i}` and :math:`s_{l,i}` are
    variables to optimize.
    """
    rows = _checked(vocabulary, prefix, suffix, spread, offset, seed)
    start = spread * np.random.default_rng(seed).standard_normal((*batch, rows, vocabulary))
    doubled = np.concatenate([start, start[..., prefix + 1 :, :]], -2)
    return _edit_one(np.eye(rows + suffix), doubled, prefix, offset)


def _edit_one(features: Array, start: Array, prefix: int, offset: float) -> Problem:
    contexts, vocabulary = len(features), start.shape[-1]
    suffix = (contexts - prefix - 1) // 2
    after_w = range(prefix + 1, prefix + 1 + suffix)
    after_l = range(prefix + 1 + suffix, contexts)
    offsets = np.zeros((contexts, vocabulary))
    offsets[after_w, 0] = offset
    equal = dict.fromkeys(range(prefix), 0)
    chosen = equal | {prefix: 0} | dict.fromkeys(after_w, 0)
    rejected = equal | {prefix: 1} | dict.fromkeys(after_l, 0)
    return Problem(
        LogLinear(features, offsets),
        Pair(_emits(contexts, vocabulary, chosen), _emits(contexts, vocabulary, rejected)),
        start,
        (BEFORE,) * prefix + (AT,) + (AFTER,) * (2 * suffix),
    )


def _emits(contexts: int, vocabulary: int, tokens: dict[int, int]) -> Array:
    counts = np.zeros((contexts, vocabulary))
    counts[list(tokens), list(tokens.values())] = 1
    return counts


def _checked(
    vocabulary: int, prefix: int, suffix: int, spread: float, offset: float, seed: int
) -> int:
    """Return how many rows a response has."""
    ranges: tuple[tuple[str, Any, int], ...] = (
        ("vocabulary", vocabulary, 2),
        ("prefix", prefix, 0),
        ("suffix", suffix, 0),
        ("spread", spread, 0),
        ("seed", seed, 0),
    )
    for name, value, least in ranges:
        if not least <= value < np.inf:
            raise ValueError(
                f"{name} is finite and at least {least}: got {value}; set it to {least} or more"
            )
    if not np.isfinite(offset):
        raise ValueError(f"offset is finite: got {offset}; set it to 2 nats, say")
    if (entries := vocabulary * (prefix + 1 + 2 * suffix)) > MOST_ENTRIES:
        raise ValueError(
            f"a toy has at most {MOST_ENTRIES:.0e} logits: got {entries:.0e}; take a smaller "
            "vocabulary or shorter responses"
        )
    return prefix + 1 + suffix
