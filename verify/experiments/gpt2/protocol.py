"""One preference training run, from a kept language model to log-probabilities.

Supervised fine-tuning teaches the response style, then any objective of the catalogue trains with
any optimizer; what is watched on the way is decided by the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disband.lm.data.messages import Text
from disband.lm.data.tweets import SplitSettings
from disband.lm.model.gpt2 import Batch, Model, TextTokenizer, join, token_logp
from disband.lm.model.load import positions
from disband.lm.training.finetune import Pair, Step, sft, train_preferences
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import find

from .items import GIVEN, Given, Item, answers, divide, encoded, labels_of
from .preparation import Draw, both_labels, first

Array = npt.NDArray[Any]
Shown = Literal["both labels", "correct"]
Labels = Literal["true", "shuffled"]
Mix = Literal["balanced", "drawn"]
Precision = Literal["float64", "float32", "mixed"]


@dataclass(frozen=True)
class Supervision:
    """Supervised fine-tuning before the preferences.

    Args:
        shown: ``correct`` responses only, or the correct one for half of each batch and the
            wrong one for the other half (``both labels``), which teaches the style alone.
        steps, batch, rate: Updates of Adam, tweets in one, learning rate.
    """

    shown: Shown = "both labels"
    steps: int = 72
    batch: int = 16
    rate: float = 3e-4


# A pretrained model knows words: little fine-tuning is enough for the style, on few texts.
LIGHT = Supervision("both labels", 12, 8, 2e-5)


@dataclass(frozen=True)
class Contest:
    """Preference training.

    Args:
        objective: A name of the catalogue.
        hyper: Hyperparameters that differ from the objective's defaults.
        rule: The optimizer.
        steps, batch: Updates, pairs in one.
        labels: ``shuffled`` gives each tweet the label of another, and exchanges the responses
            of pairs of one's own by the toss of a coin: which response is chosen says nothing.
        mix: ``balanced`` batches have as many tweets of one label as of the other; ``drawn``
            ones have what chance gives.
    """

    objective: str = "DPO"
    hyper: tuple[tuple[str, float], ...] = ()
    rule: Rule = field(default_factory=lambda: Rule("adam", 1e-5))
    steps: int = 36
    batch: int = 32
    labels: Labels = "true"
    mix: Mix = "balanced"


@dataclass(frozen=True)
class Protocol:
    """What one run does.

    Args:
        style: A response style; see :func:`disband.lm.data.styles.find_style`.
        supervision, contest: The two stages.
        eval_pairs: Held-out pairs that are followed.
        longest_prompt: Tokens kept of a tweet.
        split: How tweets are divided into training and held-out ones.
        precision: Of the preference training and of all that is measured; in float32 a change
            of less than a thousandth of a nat is rounding. ``mixed`` trains in bfloat16 where
            autocast does, and measures in float32.
    """

    style: str
    supervision: Supervision = field(default_factory=Supervision)
    contest: Contest = field(default_factory=Contest)
    eval_pairs: int = 64
    longest_prompt: int = 24
    split: SplitSettings = field(default_factory=SplitSettings)
    precision: Precision = "float64"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A fine-tuned model and the data of its preference training.

    Args:
        model: In the protocol's precision.
        tokenizer: Its tokenizer.
        batches: Chosen and rejected responses of every update.
        labels: The label that decided each pair of an update, index into ``LABELS``,
            ``(steps, batch)``.
        held_out: The pairs that are followed.
        mixed: Whether training runs in bfloat16.
    """

    model: Model
    tokenizer: TextTokenizer
    batches: Sequence[Pair]
    labels: Array
    held_out: Pair
    mixed: bool = False

    def copy(self) -> "Prepared":
        """The same data and a model of its own to train."""
        return replace(self, model=deepcopy(self.model))


@dataclass(frozen=True, eq=False)
class Dealt:
    """The batches of a run.

    Args:
        taught: Of the supervised fine-tuning.
        batches: Chosen and rejected responses of every update of the preference training.
        labels: The label that decided each pair of an update, index into ``LABELS``,
            ``(steps, batch)``.
        held_out: The pairs that are followed.
    """

    taught: Sequence[Batch]
    batches: Sequence[Pair]
    labels: Array
    held_out: Pair


def deal(
    protocol: Protocol,
    seed: int,
    items: Sequence[Item],
    model: Model,
    tokenizer: TextTokenizer,
) -> Dealt:
    """Deal the batches of both stages.

    The same seed shows every style, objective and optimizer the same tweets in the same order,
    and no tweet in both stages.

    Raises:
        ValueError: An unknown style, or too few tweets.
    """
    training, held_out = divide(items, protocol.split)
    supervision, contest = protocol.supervision, protocol.contest

    def batch(group: Sequence[Item], said: Sequence[Text]) -> Batch:
        read = encoded(tokenizer, group, said, protocol.longest_prompt, positions(model))
        return read.to(model.device)

    def pairs(group: Sequence[Item], labels: Sequence[str]) -> Pair:
        both = [answers(protocol.style, t, s) for t, s in zip(group, labels, strict=True)]
        chosen, rejected = zip(*both, strict=True)
        return batch(group, chosen), batch(group, rejected)

    groups = _groups(contest, training, np.random.default_rng([seed, 2]))
    contested = {item.text for group in groups for item in group}
    rest = [item for item in training if item.text not in contested]
    order = Draw(rest, np.random.default_rng([seed, 1]))
    taught = []
    for _ in range(supervision.steps):
        group = order.batch(supervision.batch)
        if supervision.shown == "both labels":
            said = both_labels(protocol.style, group)
        else:
            said = [answers(protocol.style, t, t.label)[0] for t in group]
        taught.append(batch(group, said))
    labels = _labels(contest, groups, np.random.default_rng([seed, 3]))
    watched = first(held_out, protocol.eval_pairs)
    return Dealt(
        taught,
        [pairs(group, said) for group, said in zip(groups, labels, strict=True)],
        np.array([[labels_of(items).index(s) for s in said] for said in labels]),
        pairs(watched, [t.label for t in watched]),
    )


def prepare(
    protocol: Protocol,
    seed: int,
    items: Sequence[Item],
    model: Model,
    tokenizer: TextTokenizer,
) -> Prepared:
    """Fine-tune ``model`` on the style and deal the batches of the preference training.

    Raises:
        ValueError: As :func:`deal`.
    """
    dealt = deal(protocol, seed, items, model, tokenizer)
    mixed = protocol.precision == "mixed"
    sft(model, dealt.taught, rate=protocol.supervision.rate, after=lambda _: None, mixed=mixed)
    if protocol.precision == "float64":
        model.double()
    return Prepared(model, tokenizer, dealt.batches, dealt.labels, dealt.held_out, mixed)


def train(
    prepared: Prepared,
    contest: Contest,
    *,
    watch: Callable[[Step], None] | None = None,
    until: Callable[[int, Array], bool] = lambda _step, _logp: False,
    every: int = 1,
) -> dict[str, Array]:
    """Train on the prepared batches and follow the held-out pairs.

    Args:
        prepared: Its model is trained in place.
        contest: As it was prepared for, or with another objective or rule.
        watch: See :func:`disband.lm.training.finetune.train_preferences`.
        until: Called at each measurement with the updates done and all ``token_logp`` so far;
            training ends when it is true.
        every: Updates between two measurements; the last is always measured.

    Returns:
        ``steps``: updates done at each measurement, ``(times,)``. ``token_logp``:
        ``(times, 2, pairs, tokens)``, nats, chosen first, aligned at the right.
        ``reference``: its first entry summed over tokens, ``(2, pairs)``; ``lengths``: response
        tokens, ``(2, pairs)``.
    """
    held = join(*prepared.held_out)
    found: list[Array] = []
    steps: list[int] = []

    def after(step: int) -> None:
        if step % every and step != contest.steps:
            return
        steps.append(step)
        with torch.no_grad():
            values: Tensor = token_logp(prepared.model, held)
        found.append(np.stack(np.split(values.double().numpy(force=True), 2)))
        if until(step, np.stack(found)):
            raise _Enough

    with suppress(_Enough):
        train_preferences(
            prepared.model,
            prepared.batches[: contest.steps],
            find(contest.objective),
            rule=contest.rule,
            after=after,
            watch=watch,
            mixed=prepared.mixed,
            shared=False,
            **dict(contest.hyper),
        )
    lengths = np.stack([b.lengths.numpy(force=True) for b in prepared.held_out])
    followed = np.stack(found)
    return {
        "steps": np.array(steps),
        "token_logp": followed,
        "reference": followed[0].sum(-1),
        "lengths": lengths,
    }


class _Enough(Exception):  # noqa: N818 (nothing is wrong: the run has what it was for)
    """The run is over before its last update."""


def _groups(
    contest: Contest, training: Sequence[Item], rng: np.random.Generator
) -> list[list[Item]]:
    if contest.mix == "balanced" and contest.batch > 1:
        draw = Draw(training, rng)
        return [draw.batch(contest.batch) for _ in range(contest.steps)]
    wanted = contest.steps * contest.batch
    if wanted > len(training):
        raise ValueError(
            "each text is trained on at most once: "
            f"{contest.steps} batches of {contest.batch} need {wanted} of them, and there are "
            f"{len(training)}; give more, or fewer or smaller batches"
        )
    order = iter(rng.permutation(len(training)))
    return [[training[next(order)] for _ in range(contest.batch)] for _ in range(contest.steps)]


def _labels(
    contest: Contest, groups: Sequence[Sequence[Item]], rng: np.random.Generator
) -> list[list[str]]:
    true = [[t.label for t in group] for group in groups]
    if contest.labels == "true":
        return true
    if isinstance(groups[0][0], Given):
        return [[GIVEN[i] for i in rng.integers(0, 2, len(group))] for group in groups]
    return [[said[i] for i in rng.permutation(len(said))] for said in true]


def leading(pair: Pair, count: int) -> Pair:
    """The first ``count`` pairs of a batch."""
    return pair[0].rows(slice(count)), pair[1].rows(slice(count))


def summed(run: Mapping[str, Array]) -> tuple[Array, Array]:
    """Chosen and rejected log-probabilities of a run, ``(updates + 1, pairs)`` each, nats."""
    logp_w, logp_l = np.moveaxis(run["token_logp"].sum(-1), 1, 0)
    return logp_w, logp_l
