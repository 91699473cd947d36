r"""What each update does for the responses that the trained model gives, on a small GPT-2.

With the products of the final responses' scores with those of the batch,
:math:`h_j = \frac1m\sum_i\langle\nabla\log\pi(y'_i), s_j\rangle`, and the batch's incentives, G and
its three parts are those of :func:`disband.theory.models.targets.service`. Training runs twice:
once to find the final model and let it answer, once more, the same, to measure.

Source: wang2025 for G; that the answers are as long as the labelled ones is this project's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.model.gpt2 import Batch, Model, TextTokenizer, join, logp, padded
from disband.lm.scores.grams import batch_gram
from disband.lm.training.finetune import Step
from disband.lm.training.optimizers import Rule
from disband.theory.models.targets import service
from disband.theory.objectives import find

from ..explained import push_of
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import (
    Contest,
    Prepared,
    Protocol,
    Supervision,
    prepare,
    train,
)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Target:
    """One piece: DPO on one style.

    Args:
        style: The response style.
        rule: The optimizer.
        batch: Pairs in an update.
        steps: Updates.
        pairs: Held-out texts that the final model answers, at least two; of an odd number
            the last is left out.
        supervision: The fine-tuning before.
        objective: A name of the catalogue.
    """

    style: str
    rule: Rule = Rule("adam", 1e-5)  # noqa: RUF009 (frozen)
    batch: int = 16
    steps: int = 36
    pairs: int = 16
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    objective: str = "DPO"

    def __str__(self) -> str:
        how = f"{self.rule.kind} {self.rule.rate:g}, batches of {self.batch}"
        return f"{self.objective} on {self.style}, {how}"


def run_target(
    piece: Target, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece twice and measure what every update does for the end.

    Returns:
        ``service``: the three parts of G, ``(updates, metrics, 3)``, in the orders of
        ``METRICS`` of its findings and :data:`disband.theory.models.targets.PARTS`;
        ``products``: of positive with positive, negative with negative and positive with negative
        learning, signs taken off, ``(updates, metrics, 3)``; ``weights``: of each pair,
        ``(updates, batch)``; ``answers``: how many final
        responses are the chosen one, the rejected one and neither, ``(3,)``.
    """
    contest = Contest(piece.objective, rule=piece.rule, steps=piece.steps, batch=piece.batch)
    protocol = Protocol(piece.style, piece.supervision, contest, eval_pairs=piece.pairs)
    ready = prepare(protocol, seed, items, *restore(base))
    trained = ready.copy()
    train(trained, contest)
    report(0.2)
    final = answers(trained.model, ready.tokenizer, ready.held_out[0], seed)
    objective = find(contest.objective)
    measured: list[tuple[Array, Array, Array]] = []

    def watch(step: Step) -> None:
        with torch.no_grad():
            before = logp(step.model, join(*step.pair)).double().numpy(force=True)
        push = push_of(step, objective, before, {})
        both = [serve(step, final, push, m) for m in (None, dict(step.update.metric))]
        size = len(step.pair[0])
        services, products = (np.stack(part) for part in zip(*both, strict=True))
        measured.append((services, products, size * push[:size]))
        report(0.2 + 0.8 * step.number / piece.steps)

    train(ready.copy(), contest, watch=watch)
    services, products, weights = (np.stack(part) for part in zip(*measured, strict=True))
    return {
        "service": services,
        "products": products,
        "weights": weights,
        "answers": _kinds(final, ready),
    }


def serve(step: Step, final: Batch, push: Array, metric: Any) -> tuple[Array, Array]:
    """Return the three parts of G of one update, and its three products, ``(3,)`` each.

    Args:
        step: The update.
        final: The final responses, of which an odd last one is left out.
        push: See :func:`disband.verify.experiments.gpt2.explained.push_of`.
        metric: A diagonal metric by parameter, or none.
    """
    chosen, rejected = step.pair
    n, half = len(chosen), len(final) // 2
    ends = [_rows(final, slice(0, half)), _rows(final, slice(half, 2 * half))]
    gram = batch_gram(
        step.model, join(chosen, ends[0]), join(rejected, ends[1]), preconditioner=metric
    )
    place = np.arange(n + half)
    batch = np.concatenate([place[:n], n + half + place[:n]])
    watched = np.setdiff1d(np.arange(len(gram)), batch)
    alignment = gram[np.ix_(watched, batch)].mean(0)
    sign, weight = np.sign(push), n * np.abs(push)
    # The mean over 2n samples of theory.models.targets is half of the mean over n pairs.
    parts = 2 * service(alignment, sign, weight)
    own = gram[np.ix_(batch, batch)] * np.outer(np.abs(push), np.abs(push))
    products = [own[:n, :n].sum(), own[n:, n:].sum(), own[:n, n:].sum()]
    return parts, np.array(products)


def answers(model: Model, tokenizer: TextTokenizer, like: Batch, seed: int) -> Batch:
    """Draw a response to each prompt of ``like``, of as many tokens as it has there.

    Args:
        model: Answers.
        tokenizer: Its tokenizer, for the padding.
        like: Prompts with responses, whose lengths alone count.
        seed: The same seed draws the same responses.
    """
    generator = torch.Generator(device=like.ids.device).manual_seed(seed)
    contexts, drawn = [], []
    with torch.no_grad():
        for row in map(like.row, range(len(like))):
            length = int(row.lengths)
            ids = row.ids[:, :-length]
            for _ in range(length):
                logits = model(input_ids=ids, use_cache=False).logits[:, -1]
                probs = logits.double().softmax(-1)
                token = torch.multinomial(probs, 1, generator=generator)
                ids = torch.cat([ids, token], 1)
            contexts.append(ids[0, :-length].tolist())
            drawn.append(ids[0, -length:].tolist())
    return padded(tokenizer, contexts, drawn).to(like.ids.device)


def _rows(batch: Batch, some: slice) -> Batch:
    return Batch(batch.ids[some], batch.attention[some], batch.response[some])


def _kinds(final: Batch, ready: Prepared) -> Array:
    said = [_words(final, i) for i in range(len(final))]
    chosen, rejected = ([_words(b, i) for i in range(len(b))] for b in ready.held_out)
    right = sum(one == other for one, other in zip(said, chosen, strict=True))
    wrong = sum(one == other for one, other in zip(said, rejected, strict=True))
    return np.array([right, wrong, len(said) - right - wrong])


def _words(batch: Batch, index: int) -> list[int]:
    row = batch.row(index)
    ids: list[int] = row.ids[row.response].tolist()
    return ids


_PIECES = (
    *(Target(style) for style in ("single token", "short suffix", "long suffix")),
    Target("long suffix", batch=4),
    Target("long suffix", Rule("sgd", 1e-2)),
)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("targets", run_target, _PIECES, 70, asked=False),
    "laptop": Inquiry("targets", run_target, (*_PIECES, Target("prefix+suffix")), 70),
}
