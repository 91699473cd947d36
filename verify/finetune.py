"""Training steps: language modelling, supervised fine-tuning, preference optimization."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR

from verify.gpt2 import Batch, Model, join, logp, token_logp

if TYPE_CHECKING:
    from theory.objective import Objective

After = Callable[[int], None]


def train_language_model(
    model: Model,
    stream: Tensor,
    *,
    steps: int,
    batch: int,
    block: int,
    rate: float,
    rng: np.random.Generator,
    after: After,
) -> float:
    """Train on random blocks of a token stream, with Adam and a rate that falls to zero.

    Args:
        model: Trained in place.
        stream: Token ids, ``(tokens,)``.
        steps: Number of updates.
        batch: Blocks in one update.
        block: Tokens in one block.
        rate: The first update's learning rate.
        rng: Draws the blocks.
        after: Called with the number of updates done, after each.

    Returns:
        Mean loss of the last tenth of the updates, nats per token.

    Raises:
        ValueError: The stream is shorter than a block.
    """
    if len(stream) < block:
        raise ValueError(
            f"a block has {block} tokens, but the corpus has only {len(stream)}; "
            "give more texts or a smaller block"
        )
    model.train()
    optimizer = Adam(model.parameters(), lr=rate)
    schedule = LambdaLR(optimizer, lambda step: 1 - step / steps)
    losses = []
    for step in range(1, steps + 1):
        starts = torch.from_numpy(rng.integers(0, len(stream) - block + 1, batch))
        ids = stream[starts[:, None] + torch.arange(block)]
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
        losses.append(_update(optimizer, cross_entropy(logits.transpose(1, 2), ids[:, 1:])))
        schedule.step()
        after(step)
    return float(np.mean(losses[-max(1, steps // 10) :]))


def sft(model: Model, batches: Sequence[Batch], *, rate: float, after: After) -> None:
    """Raise the log-probability of the responses, one Adam update per batch.

    The loss is the mean over response tokens; the prompts are not trained on. ``after`` is
    called with the number of updates done, after each.
    """
    model.train()
    optimizer = Adam(model.parameters(), lr=rate)
    for step, batch in enumerate(batches, start=1):
        _update(optimizer, -token_logp(model, batch).sum() / batch.lengths.sum())
        after(step)


def train_preferences(
    model: Model,
    pairs: Sequence[tuple[Batch, Batch]],
    objective: "Objective",
    *,
    rate: float,
    after: After,
    warmup: int = 0,
    **values: float,
) -> None:
    """Minimise a preference objective, one Adam update per batch of chosen and rejected.

    The reference is the model as it comes in. Dropout is off, for it would add noise to every
    log-ratio.

    Args:
        model: Trained in place.
        pairs: Chosen and rejected batches with the same prompts.
        objective: Whose loss is minimised, averaged over a batch.
        rate: Learning rate of Adam.
        after: Called with the number of updates done, 0 included.
        warmup: The rate rises linearly over so many updates.
        values: Hyper-parameters of the objective that differ from its defaults.
    """
    loss_of = objective.kernel("loss", "torch", **values)
    model.eval()
    with torch.no_grad():
        references = [_both(model, pair) for pair in pairs]
    optimizer = Adam(model.parameters(), lr=rate)
    schedule = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (warmup + 1)))
    after(0)
    for step, (pair, reference) in enumerate(zip(pairs, references, strict=True), start=1):
        losses = loss_of(*_both(model, pair), *reference, *(b.lengths for b in pair))
        _update(optimizer, losses.mean())
        schedule.step()
        after(step)


def _both(model: Model, pair: tuple[Batch, Batch]) -> tuple[Tensor, Tensor]:
    logp_w, logp_l = logp(model, join(*pair)).chunk(2)
    return logp_w, logp_l


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()
