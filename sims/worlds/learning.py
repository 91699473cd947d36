r"""DPO on offline pairs and policy gradients on the policy's own responses, component by component.

Both make updates :math:`\theta \leftarrow \theta + \frac{\eta}{m}\sum_j\epsilon_jw_js_j` whose
weights come from a declared objective: DPO's incentives, or those of the clipped surrogate times
the size of an advantage. Every update is kept in its three parts, so that what it did for the
final responses can be read off when training has ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from disband.theory.models.targets import WHOLE, Control, coefficients
from disband.theory.objective import Objective
from disband.theory.objectives import DPO, PPO_CLIP, find

from .offline import Preferences
from .worlds import Array, Events, Indices, World

Advantage = Literal["critic", "baseline", "group"]
GROUPS = 3


@dataclass(frozen=True)
class Offline:
    """Preference training on pairs.

    Args:
        objective: DPO, or another with the same hyperparameter β.
        beta: β.
        batch: Pairs in an update, drawn anew each time; all of them if zero.
        control: What is kept of each component.
    """

    objective: str = DPO.name
    beta: float = 0.5
    batch: int = 0
    control: Control = WHOLE


@dataclass(frozen=True)
class OnPolicy:
    """Policy gradient with a clipped surrogate.

    Args:
        advantage: Of a token, its value less that of its context, as a perfect ``critic`` knows
            them (PPO); of a response, its reward less the batch's mean for all its tokens
            (``baseline``: REINFORCE), or standardised within its prompt (``group``: GRPO).
        samples: Responses to each prompt in an update.
        epochs: Updates with the same responses; with one the ratio is 1 and nothing is clipped.
        exact: No sampling: every token of every context, as often as the policy emits it.
        control: What is kept of each component.
        keep: Of the groups of tokens by size of advantage, largest first, which are kept.
    """

    advantage: Advantage = "critic"
    samples: int = 8
    epochs: int = 2
    exact: bool = False
    control: Control = WHOLE
    keep: tuple[bool, ...] = (True,) * GROUPS


Method = Offline | OnPolicy


class Push(NamedTuple):
    """One update's tokens, each with how hard it is pushed; ``(S, m)`` each."""

    contexts: Indices
    tokens: Indices
    sign: Array
    weight: Array
    share: Array
    group: Indices


@dataclass(frozen=True, eq=False)
class Record:
    """What a training run went through: T updates of S worlds.

    Args:
        probs: Of every token in every context before each update and at the end,
            ``(T + 1, S, C, V)``.
        moves: What each part of each update adds to the logits, per unit of step size,
            ``(T, 3, S, C, V)``, in the order of :data:`disband.theory.models.targets.PARTS`.
        groups: The same by size of advantage, largest first, ``(T, 3, S, C, V)``.
        products: Score products of positive with positive, negative with negative and positive
            with negative learning, each part's sign taken off, ``(T, 3, S)``.
        weights: For DPO the weight of each pair of the data before each update, ``(T, S, n)``.
    """

    probs: Array
    moves: Array
    groups: Array
    products: Array
    weights: Array


def learn(
    world: World,
    method: Method,
    data: Preferences | None,
    seeds: Sequence[int],
    *,
    steps: int,
    lr: float,
) -> Record:
    """Train every world from its reference policy.

    Args:
        world: The worlds.
        method: How.
        data: Pairs, for offline training.
        seeds: One for each world; they draw the batches.
        steps: Updates.
        lr: Step size.

    Raises:
        ValueError: Offline training without pairs.
    """
    theta, kernel = world.start, world.overlaps
    features = np.swapaxes(world.policy.features, -1, -2)
    logs = world.policy.log_probs(theta)
    if isinstance(method, Offline):
        if data is None:
            raise ValueError(
                "offline training needs pairs: got none; give disband.sims.worlds.offline data"
            )
        pushes = _pairs(method, data, logs, seeds)
    else:
        pushes = _own_responses(world, method, seeds)
    records: list[tuple[Array, ...]] = []
    for step in range(steps):
        push, weights = pushes(step, logs)
        probs = np.exp(logs)
        parts = push.share * coefficients(push.sign, push.weight, method.control, push.share)
        whole = parts.sum(0)
        rows = np.stack([_scatter(push, probs, part) for part in parts])
        tiers = np.stack(
            [
                _scatter(push, probs, np.where(push.group == tier, whole, 0.0))
                for tier in range(GROUPS)
            ]
        )
        lifted, lowered = (
            _scatter(push, probs, np.where(push.sign * way > 0, whole * way, 0.0))
            for way in (1, -1)
        )
        products = [
            (left * (kernel @ right)).sum((-1, -2))
            for left, right in ((lifted, lifted), (lowered, lowered), (lifted, lowered))
        ]
        records.append((probs, kernel @ rows, kernel @ tiers, np.stack(products), weights))
        theta = theta + lr * (features @ rows.sum(0))
        logs = world.policy.log_probs(theta)
    probs, moves, groups, product, weight = map(np.stack, zip(*records, strict=True))
    return Record(np.concatenate([probs, np.exp(logs)[None]]), moves, groups, product, weight)


def _scatter(push: Push, probs: Array, amount: Array) -> Array:
    r"""Return the rows of :math:`\sum_j c_j(e_v - \pi(c))`, ``(S, C, V)``."""
    places = np.ravel_multi_index(
        (np.arange(len(probs))[:, None], push.contexts, push.tokens), probs.shape
    )
    sums = np.bincount(places.ravel(), amount.ravel(), probs.size)
    rows = np.asarray(sums.reshape(probs.shape), float)
    return np.asarray(rows - rows.sum(-1, keepdims=True) * probs)


def logp(logs: Array, events: Events) -> Array:
    """Log-probability of each response, ``(S, N)`` nats."""
    worlds = np.arange(len(logs))[:, None, None]
    return np.asarray(logs[worlds, events.contexts, events.tokens].sum(-1))


Pushes = Callable[[int, Array], tuple[Push, Array]]


def _pairs(method: Offline, data: Preferences, reference: Array, seeds: Sequence[int]) -> Pushes:
    d_w, d_l = _incentives(find(method.objective), beta=method.beta)
    worlds, size = len(reference), data.gap.shape[1]
    depth = data.chosen.contexts.shape[-1]
    refs = [logp(reference, side) for side in (data.chosen, data.rejected)]
    both = [np.stack([getattr(e, f) for e in (data.chosen, data.rejected)], 1)
            for f in ("contexts", "tokens")]  # fmt: skip
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    batch = method.batch or size

    def push(_step: int, logs: Array) -> tuple[Push, Array]:
        state = [logp(logs, side) for side in (data.chosen, data.rejected)]
        numbers = (*state, *refs, depth, depth)
        up, down = d_w(*numbers), d_l(*numbers)
        order = [rng.permutation(size)[:batch] if method.batch else range(size) for rng in rngs]
        taken = np.array([list(indices) for indices in order])

        def flat(values: Any) -> Any:
            picked = np.take_along_axis(values, taken[:, None, :, None], 2)
            return picked.reshape(worlds, -1)

        signed = np.broadcast_to(np.stack([up, -down], 1)[..., None], (worlds, 2, size, depth))
        sign, weight = np.sign(signed), np.abs(signed)
        contexts, tokens = (flat(values) for values in both)
        share = np.full(contexts.shape, 1 / batch)
        tier = np.zeros(contexts.shape, int)
        return Push(contexts, tokens, flat(sign), flat(weight), share, tier), up

    return push


def _own_responses(world: World, method: OnPolicy, seeds: Sequence[int]) -> Pushes:
    d_w, d_l = _incentives(PPO_CLIP)
    count, depth = world.prompts * method.samples, len(list(world.levels()))
    prompts = np.tile(np.arange(count) % world.prompts, (len(seeds), 1))
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    none = np.zeros((len(seeds), 0))
    index = np.arange(len(seeds))[:, None]
    held: list[tuple[Events, Array, Array]] = []

    def draw(logs: Array) -> None:
        probs = np.exp(logs)
        uniforms = np.stack([rng.random((count, depth)) for rng in rngs])
        events = world.sample(probs, prompts, uniforms)
        at = (index[..., None], events.contexts, events.tokens)
        held[:] = [(events, _advantages(world, method, probs, events), logs[at])]

    def push(step: int, logs: Array) -> tuple[Push, Array]:
        if method.exact:
            return _every_token(world, method, logs), none
        if step % method.epochs == 0:
            draw(logs)
        events, advantage, old = held[0]
        now = logs[index[..., None], events.contexts, events.tokens]
        numbers = (now, now, old, old, 1, 1)
        ratio = np.where(advantage > 0, d_w(*numbers), d_l(*numbers))
        shape = (len(seeds), -1)
        contexts, tokens = (v.reshape(shape) for v in (events.contexts, events.tokens))
        advantage, ratio = (v.reshape(shape) for v in (advantage, ratio))
        tier = _tiers(np.abs(advantage))
        sign = np.sign(advantage) * np.asarray(method.keep)[tier]
        share = np.full(contexts.shape, 1 / count)
        return Push(contexts, tokens, sign, np.abs(advantage) * ratio, share, tier), none

    return push


def _every_token(world: World, method: OnPolicy, logs: Array) -> Push:
    """The expectation over responses of the first epoch's update with a perfect critic."""
    probs = np.exp(logs)
    advantage = world.advantages(probs).reshape(len(probs), -1)
    often = (world.visits(probs)[..., None] * probs).reshape(len(probs), -1)
    contexts, tokens = (
        np.broadcast_to(i.ravel(), advantage.shape) for i in np.indices(probs.shape[1:])
    )
    tier = _tiers(np.abs(advantage))
    sign = np.sign(advantage) * np.asarray(method.keep)[tier]
    return Push(contexts, tokens, sign, np.abs(advantage), often, tier)


def _advantages(world: World, method: OnPolicy, probs: Array, events: Events) -> Array:
    """Return the advantage of every token, ``(S, N, depth)``."""
    if method.advantage == "critic":
        index = np.arange(len(probs))[:, None, None]
        return np.asarray(world.advantages(probs)[index, events.contexts, events.tokens])
    rewards = events.rewards
    if method.advantage == "baseline":
        whole = rewards - rewards.mean(-1, keepdims=True)
    else:
        by_prompt = rewards.reshape(len(rewards), -1, world.prompts)
        spread = by_prompt.std(1, keepdims=True)
        centred = by_prompt - by_prompt.mean(1, keepdims=True)
        scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
        whole = scaled.reshape(rewards.shape)
    return np.broadcast_to(whole[..., None], events.tokens.shape)


def _tiers(size: Array) -> Indices:
    """Return the third of the tokens that each belongs to: 0 the largest, ``(S, m)``."""
    rank = np.argsort(np.argsort(-size, -1, kind="stable"), -1, kind="stable")
    return np.asarray(rank * GROUPS // size.shape[-1])


def _incentives(objective: Objective, **hyper: float) -> tuple[Callable[..., Array], ...]:
    return tuple(objective.kernel(what, "numpy", **hyper) for what in ("d_w", "d_l"))
