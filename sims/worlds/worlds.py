r"""Toy worlds of several prompts, all responses to them, and a reward that is known.

A response is a path of ``depth`` tokens from its prompt; every prefix of one is a context with
its own row of logits, so that with a depth of one a token is a whole response. Contexts stand
level by level: the context that token v leads to from number i of a level is number iV + v of the
next. All arrays begin with the worlds, ``S`` of them; C contexts, V tokens, P prompts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pairs.policies import LogLinear

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Events:
    """Responses as the tokens that they are made of.

    Args:
        contexts: Where each token was emitted, ``(S, N, depth)``.
        tokens: Which one it was, the same shape.
        rewards: Of the whole response, ``(S, N)``.
    """

    contexts: Indices
    tokens: Indices
    rewards: Array


@dataclass(frozen=True, eq=False)
class World:
    """Prompts, responses and their rewards, in ``S`` versions.

    Args:
        policy: Starts at the reference: offsets ``(S, C, V)``, features ``(S, C, d)``.
        rewards: Of the last tokens, ``(S, P * V ** (depth - 1), V)``.
        prompts: P.
    """

    policy: LogLinear
    rewards: Array
    prompts: int

    @property
    def vocabulary(self) -> int:
        """V."""
        return int(self.rewards.shape[-1])

    @property
    def start(self) -> Array:
        """Parameters of the reference policy, ``(S, d, V)``."""
        features = self.policy.features
        return np.zeros((len(features), features.shape[-1], self.vocabulary))

    @property
    def overlaps(self) -> Array:
        """Products of the features of every two contexts, ``(S, C, C)``."""
        features = self.policy.features
        return np.asarray(features @ np.swapaxes(features, -1, -2))

    def levels(self) -> Iterator[slice]:
        """Contexts of each level, those of the prompts first."""
        contexts, size, first = self.policy.offsets.shape[-2], self.prompts, 0
        while first < contexts:
            yield slice(first, first + size)
            first, size = first + size, size * self.vocabulary

    def visits(self, probs: Array) -> Array:
        """How often a policy passes each context, ``(S, C)``, for prompts of equal frequency.

        Args:
            probs: Of every token in every context, ``(S, C, V)``.
        """
        levels = list(self.levels())
        reached = [np.full((len(probs), self.prompts), 1 / self.prompts)]
        for level in levels[:-1]:
            flow = reached[-1][..., None] * probs[:, level]
            reached.append(flow.reshape(len(probs), -1))
        return np.concatenate(reached, 1)

    def values(self, probs: Array) -> Array:
        """Expected reward after each token in each context, ``(S, C, V)``."""
        by_level = [self.rewards]
        for level in list(self.levels())[:0:-1]:
            value = (probs[:, level] * by_level[0]).sum(-1)
            by_level.insert(0, value.reshape(len(probs), -1, self.vocabulary))
        return np.concatenate(by_level, 1)

    def advantages(self, probs: Array) -> Array:
        """Value of each token in each context less that of the context, ``(S, C, V)``.

        A token whose choice changes nothing has none at all, free of rounding.
        """
        values = self.values(probs)
        over = values - (probs * values).sum(-1, keepdims=True)
        return np.where(
            np.abs(over) > ROUNDING * np.abs(values).max((-1, -2), keepdims=True), over, 0.0
        )

    def reward(self, probs: Array) -> Array:
        """Expected reward of a policy, ``(S,)``."""
        first = probs[:, : self.prompts] * self.values(probs)[:, : self.prompts]
        return np.asarray(first.sum(-1).mean(-1))

    def responses(self, probs: Array) -> Array:
        """Probability of every whole response, ``(S, P, V ** depth)``."""
        *_, last = self.levels()
        flow = self.prompts * self.visits(probs)[:, last, None] * probs[:, last]
        return np.asarray(flow.reshape(len(probs), self.prompts, -1))

    def sample(self, probs: Array, prompts: Indices, uniforms: Array) -> Events:
        """Draw responses.

        Args:
            probs: ``(S, C, V)``.
            prompts: Which prompt each answers, ``(S, N)``.
            uniforms: A number in [0, 1) for each token, ``(S, N, depth)``.
        """
        worlds = np.arange(len(probs))[:, None]
        place, contexts, tokens = prompts, [], []
        edges = np.cumsum(probs, -1)
        for level, uniform in zip(self.levels(), np.moveaxis(uniforms, -1, 0), strict=True):
            context = level.start + place
            token = (edges[worlds, context] < uniform[..., None]).sum(-1)
            token = np.minimum(token, self.vocabulary - 1)
            contexts.append(context)
            tokens.append(token)
            place = place * self.vocabulary + token
        rewards = self.rewards.reshape(len(probs), -1)[worlds, place]
        return Events(np.stack(contexts, -1), np.stack(tokens, -1), rewards)


def build(
    seeds: Sequence[int],
    *,
    prompts: int = 4,
    vocabulary: int = 8,
    depth: int = 1,
    width: int | None = None,
    spread: float = 1.0,
    contrary: float = 0.0,
    verifiable: bool = False,
) -> World:
    """Draw one world for each seed; the same seed gives the same world in any company.

    Rewards are standard normal numbers. With a depth of three or more the middle tokens are idle:
    the reward is that of the first and the last token, and contexts that differ in middle tokens
    alone share their logits, so that no choice of a middle token changes what follows.

    Args:
        seeds: One world each.
        prompts: P.
        vocabulary: V.
        depth: Tokens of a response.
        width: Features of a context: random ones of norm about one, so that contexts overlap;
            without it they do not.
        spread: Standard deviation of the reference policy's logits.
        contrary: How much a unit of reward of a whole response lowers its logit there; with one
            token a response only.
        verifiable: A response is right, with a reward of one, or wrong, with none, at even odds.

    Raises:
        ValueError: A count out of its range.
    """
    if min(prompts, depth) < 1 or vocabulary < 2 or (width is not None and width < 1):
        raise ValueError(
            "a world has at least one prompt, two tokens, one position and one feature: got "
            f"prompts {prompts}, vocabulary {vocabulary}, depth {depth}, width {width}; raise them"
        )
    own = np.concatenate(_own_rows(prompts, vocabulary, depth))
    rows = int(own.max()) + 1
    features, offsets, rewards = [], [], []
    for seed in seeds:
        rng = np.random.default_rng([seed, 0])
        ends = rng.standard_normal((prompts, *[vocabulary] * min(depth, 2)))
        ends = (ends > 0).astype(float) if verifiable else ends
        whole = ends[(slice(None), *[slice(None)] * (depth > 1), *[None] * (depth - 2))]
        shape = (prompts, *[vocabulary] * depth)
        rewards.append(np.broadcast_to(whole, shape).reshape(-1, vocabulary))
        logits = spread * rng.standard_normal((rows, vocabulary))[own]
        offsets.append(logits - contrary * rewards[-1] if depth == 1 else logits)
        overlapping = rng.standard_normal((rows, width or 1)) / np.sqrt(width or 1)
        features.append((np.eye(rows) if width is None else overlapping)[own])
    return World(LogLinear(np.stack(features), np.stack(offsets)), np.stack(rewards), prompts)


def _own_rows(prompts: int, vocabulary: int, depth: int) -> list[Indices]:
    """Return for each level the number of the row of logits that each of its contexts has."""
    rows, first = [], 0
    for level in range(depth):
        places = np.arange(prompts * vocabulary**level)
        places = places // vocabulary ** (level - 1) if 1 < level == depth - 1 else places
        rows.append(first + places)
        first += int(places[-1]) + 1
    return rows
