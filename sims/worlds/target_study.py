"""What training on a toy world went through: target, reward, exploration, overfitting."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from disband.theory.objectives import DPO

from .learning import Method, Offline, Record, learn, logp
from .offline import Preferences, preferences
from .worlds import Array, World, build


@dataclass(frozen=True)
class TargetSetting:
    """A toy world and how long one trains in it.

    Args:
        prompts, vocabulary, depth, width: See :func:`disband.sims.worlds.worlds.build`.
        spread, contrary, verifiable: Likewise.
        pairs, sharpness: See :func:`disband.sims.worlds.offline.preferences`.
        steps: Updates.
        lr: Step size.
    """

    prompts: int = 4
    vocabulary: int = 8
    depth: int = 1
    width: int | None = None
    spread: float = 1.0
    contrary: float = 0.0
    verifiable: bool = False
    pairs: int = 32
    sharpness: float = 2.0
    steps: int = 120
    lr: float = 2.0


@dataclass(frozen=True, eq=False)
class TargetCourse:
    r"""One method in one setting: T updates of S worlds.

    Args:
        service: The three parts of :math:`G`, ``(T, 3, S)``, nats per unit of step size.
        groups: :math:`G` by size of advantage, largest first, ``(T, 3, S)``.
        products: See :class:`disband.sims.worlds.learning.Record`, ``(T, 3, S)``.
        exploring: What each part does to the entropy to first order, ``(T, 3, S)``, nats per unit
            of step size.
        turning: Cosine of the movements of the logits by successive updates, ``(T - 1, S)``.
        reward: Expected true reward, ``(T + 1, S)``.
        best_mass: Probability of the response with the highest reward, mean over prompts, the
            same shape.
        entropy: Of the distribution over responses, mean over prompts, the same shape, nats.
        drift: Divergence from the reference, the same shape, nats.
        idle_drift: The part of it that lies in the tokens that earn nothing, the same shape.
        changes: How often a prompt's likeliest response became another, mean over prompts,
            ``(S,)``.
        weight_reward: Correlation over pairs of DPO's weights with the true gap of rewards,
            ``(T, S)``; of no pairs, NaN.
        weight_error: Mean weight of the mislabelled pairs over that of the others, ``(T, S)``.
        train_loss, true_loss: DPO's loss on the pairs of the data, and on all pairs of the
            reference's responses with the judge's own probabilities, ``(T + 1, S)``; NaN on
            policy, and where a response has several tokens.
        final: Probability of each response at the end, ``(S, P, V ** depth)``.
    """

    service: Array
    groups: Array
    products: Array
    exploring: Array
    turning: Array
    reward: Array
    best_mass: Array
    entropy: Array
    drift: Array
    idle_drift: Array
    changes: Array
    weight_reward: Array
    weight_error: Array
    train_loss: Array
    true_loss: Array
    final: Array

    @property
    def total(self) -> Array:
        """:math:`G`, ``(T, S)``."""
        return np.asarray(self.service.sum(1))

    def arrays(self) -> dict[str, Array]:
        """All fields by name, to be stored."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def run(setting: TargetSetting, method: Method, seeds: Sequence[int]) -> TargetCourse:
    """Train one world for each seed and read off what happened; seeds do not touch each other."""
    world = build(
        seeds,
        prompts=setting.prompts,
        vocabulary=setting.vocabulary,
        depth=setting.depth,
        width=setting.width,
        spread=setting.spread,
        contrary=setting.contrary,
        verifiable=setting.verifiable,
    )
    data = preferences(world, seeds, pairs=setting.pairs, sharpness=setting.sharpness)
    record = learn(world, method, data, seeds, steps=setting.steps, lr=setting.lr)
    return _read(world, data, setting, method, record)


def services(world: World, record: Record, moves: Array) -> Array:
    r"""Return :math:`\langle\bar s, v\rangle` for movements of the logits, ``(T, 3, S)``.

    The mean score of the final responses is
    :math:`\sum_c\nu_T(c)\,\phi_c\otimes(\pi_T(c) - \pi_t(c))`.
    """
    last = record.probs[-1]
    towards = world.visits(last)[..., None] * (last - record.probs[:-1])
    return np.asarray((towards[:, None] * moves).sum((-1, -2)))


def entropy_slopes(world: World, probs: Array) -> Array:
    r"""Return the slope of the entropy of the responses in every logit, ``(S, C, V)``.

    The entropy is the expectation of :math:`-\log\pi(y)`, so this is a policy gradient whose
    reward is :math:`-\log\pi(y)`, averaged over prompts.
    """
    unlikely = replace(world, rewards=-np.log(world.responses(probs)).reshape(world.rewards.shape))
    return np.asarray(world.visits(probs)[..., None] * probs * unlikely.advantages(probs))


def _read(
    world: World, data: Preferences, setting: TargetSetting, method: Method, record: Record
) -> TargetCourse:
    whole = record.moves.sum(1)
    norms = np.sqrt((whole**2).sum((-1, -2)))
    along = (whole[1:] * whole[:-1]).sum((-1, -2))
    product = norms[1:] * norms[:-1]
    responses = np.stack([world.responses(probs) for probs in record.probs])
    start = responses[0]
    logs = np.log(responses)
    if isinstance(method, Offline) and setting.depth == 1:
        train, true = _losses(world, data, setting.sharpness, record.probs, logs)
    else:
        train = true = np.full(responses.shape[:2], np.nan)
    pull, error = _weights(record.weights, data)
    best = world.rewards.reshape(len(start), world.prompts, -1).argmax(-1)
    likeliest = responses.argmax(-1)
    slopes = np.stack([entropy_slopes(world, probs) for probs in record.probs[:-1]])
    *_, last = world.levels()
    middle = slice(world.prompts, last.start)
    rows = np.log(record.probs) - np.log(record.probs[0])
    visits = np.stack([world.visits(probs) for probs in record.probs])
    apart = visits * (record.probs * rows).sum(-1)
    return TargetCourse(
        service=services(world, record, record.moves),
        groups=services(world, record, record.groups),
        products=record.products,
        exploring=(slopes[:, None] * record.moves).sum((-1, -2)),
        turning=np.divide(along, product, out=np.zeros_like(along), where=product > 0),
        reward=np.stack([world.reward(probs) for probs in record.probs]),
        best_mass=np.take_along_axis(responses, best[None, ..., None], -1)[..., 0].mean(-1),
        entropy=-(responses * logs).sum(-1).mean(-1),
        drift=(responses * (logs - logs[0])).sum(-1).mean(-1),
        idle_drift=apart[..., middle].sum(-1),
        changes=(np.diff(likeliest, axis=0) != 0).sum(0).mean(-1),
        weight_reward=pull,
        weight_error=error,
        train_loss=train,
        true_loss=true,
        final=responses[-1],
    )


def _losses(
    world: World, data: Preferences, sharpness: float, probs: Array, logs: Array
) -> tuple[Array, Array]:
    loss = DPO.kernel("loss", "numpy", beta=Offline().beta)
    refs = [logp(np.log(probs[0]), side) for side in (data.chosen, data.rejected)]
    train = [
        loss(*(logp(np.log(p), side) for side in (data.chosen, data.rejected)), *refs, 1, 1).mean(
            -1
        )
        for p in probs
    ]
    rewards = world.rewards.reshape(*logs.shape[1:])
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.nan_to_num(sharpness * (rewards[..., :, None] - rewards[..., None, :]))
        wins = 1 / (1 + np.exp(-gap))
    seen = np.exp(logs[0])[..., :, None] * np.exp(logs[0])[..., None, :] * wins
    true = []
    for now in logs:
        pair = (now[..., :, None], now[..., None, :], logs[0][..., :, None], logs[0][..., None, :])
        losses = loss(*np.broadcast_arrays(*pair), 1, 1)
        true.append((2 * seen * losses).sum((-1, -2)).mean(-1))
    return np.stack(train), np.stack(true)


def _weights(weights: Array, data: Preferences) -> tuple[Array, Array]:
    if not weights.shape[-1]:
        nothing = np.full(weights.shape[:2], np.nan)
        return nothing, nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = weights - weights.mean(-1, keepdims=True)
        gap = data.gap - data.gap.mean(-1, keepdims=True)
        along = (centred * gap).sum(-1)
        pull = along / np.sqrt((centred**2).sum(-1) * (gap**2).sum(-1))
        wrong = np.where(data.flipped, weights, 0.0).sum(-1) / data.flipped.sum(-1)
        right = np.where(data.flipped, 0.0, weights).sum(-1) / np.logical_not(data.flipped).sum(-1)
        return pull, wrong / right


def level(along: Array, value: Array, at: Array) -> Array:
    """Return what ``value`` was when ``along`` first reached ``at``, NaN where it never did.

    Args:
        along: ``(T + 1, S)``, below ``at`` at the start.
        value: The same shape.
        at: ``(S,)``.
    """
    values = np.full(along.shape[1], np.nan)
    for world in np.flatnonzero((along >= at).any(0)):
        after = int(np.argmax(along[:, world] >= at[world]))
        before = max(after - 1, 0)
        ends = along[[before, after], world]
        values[world] = np.interp(at[world], ends, value[[before, after], world])
    return values
