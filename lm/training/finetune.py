"""Training steps: language modelling, supervised fine-tuning, preference optimization."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR

from ..model.gpt2 import Batch, Model, join, token_logp
from ..model.shared import require_shareable, shared_token_logp
from .optimizers import Rule, Update, observed

if TYPE_CHECKING:
    from disband.theory.objective import Objective

After = Callable[[int], None]
Pair = tuple[Batch, Batch]


@dataclass(frozen=True, eq=False)
class Step:
    """One update of preference training, with what it takes to explain it.

    Args:
        number: 1 for the first.
        model: A copy of the model as it was before.
        pair: The batch that was trained on.
        reference: Its reference log-probabilities, chosen and rejected, ``(batch,)`` each.
        update: What the optimizer did.
    """

    number: int
    model: Model
    pair: Pair
    reference: tuple[Tensor, Tensor]
    update: Update


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
    mixed: bool = False,
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
        mixed: Forward passes in bfloat16, as far as autocast takes them.

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
        ids = stream[starts[:, None] + torch.arange(block)].to(model.device)
        with precision(model, mixed=mixed):
            logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
        losses.append(_update(optimizer, cross_entropy(logits.float().transpose(1, 2), ids[:, 1:])))
        schedule.step()
        after(step)
    return float(np.mean(losses[-max(1, steps // 10) :]))


def sft(
    model: Model, batches: Sequence[Batch], *, rate: float, after: After, mixed: bool = False
) -> None:
    """Raise the log-probability of the responses, one Adam update per batch.

    The loss is the mean over response tokens; the prompts are not trained on. ``after`` is
    called with the number of updates done, after each; ``mixed`` runs forward passes in bfloat16.
    """
    model.train()
    optimizer = Adam(model.parameters(), lr=rate)
    for step, batch in enumerate(batches, start=1):
        with precision(model, mixed=mixed):
            values = token_logp(model, batch)
        _update(optimizer, -values.sum() / batch.lengths.sum())
        after(step)


def train_preferences(
    model: Model,
    pairs: Sequence[Pair],
    objective: "Objective",
    *,
    rule: Rule,
    after: After,
    watch: Callable[[Step], None] | None = None,
    mixed: bool = False,
    shared: bool = False,
    **values: float,
) -> None:
    """Minimise a preference objective, one update per batch of chosen and rejected.

    The reference is the model as it comes in. Dropout is off, for it would add noise to every
    log-ratio.

    Args:
        model: Trained in place.
        pairs: Chosen and rejected batches with the same prompts.
        objective: Whose loss is minimised, averaged over a batch.
        rule: The optimizer.
        after: Called with the number of updates done, 0 included.
        watch: Called with every update, taken apart, before ``after``; it costs a copy of the
            model and some of its parameters' memory.
        mixed: Forward passes in bfloat16, as far as autocast takes them.
        shared: Read each prompt once, for both of its responses: the same to rounding, and less
            work.
        values: Hyper-parameters of the objective that differ from its defaults.

    Raises:
        ValueError: ``shared``, and the model cannot, or a prompt is not of both responses.
    """
    loss_of = objective.kernel("loss", "torch", **values)
    model.eval()
    if shared and pairs:
        require_shareable(model, *pairs[0])
    with torch.no_grad(), precision(model, mixed=mixed):
        references = [both_logps(model, pair, shared=shared) for pair in pairs]
    optimizer = rule.build(model)
    schedule = rule.schedule(optimizer)
    after(0)
    for number, (pair, reference) in enumerate(zip(pairs, references, strict=True), start=1):
        with precision(model, mixed=mixed):
            both = both_logps(model, pair, shared=shared)
        losses = loss_of(*both, *reference, *(b.lengths for b in pair))
        if watch is None:
            _update(optimizer, losses.mean())
        else:
            before = deepcopy(model)
            with observed(optimizer, model) as updates:
                _update(optimizer, losses.mean())
            watch(Step(number, before, pair, reference, updates[0]))
        schedule.step()
        after(number)


def precision(model: Model, *, mixed: bool) -> AbstractContextManager[Any]:
    """Where forward passes run in bfloat16, as far as autocast takes them, or as they are."""
    return torch.autocast(model.device.type, torch.bfloat16) if mixed else nullcontext()


def recompute(model: Model) -> None:
    """Have the layers of a model compute what they hold for the backward pass again there.

    They do so in training mode alone; so that this mode is as good as the other, dropout is off
    from here on.
    """
    for module in model.modules():
        for name, value in vars(module).items():
            if isinstance(value, float) and (name == "p" or name.endswith("dropout")):
                setattr(module, name, 0.0)
    # Versions of transformers call it by different names.
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)({"use_reentrant": False})
    # Some also mark the embeddings' output, which no transform of a gradient lets pass.
    if any(name.startswith("_require_grads_hook") for name in vars(model)):
        model.disable_input_require_grads()


def training_mode(model: Model) -> None:
    """Put a model into the mode that preferences are trained in: without dropout."""
    model.train(any(getattr(m, "gradient_checkpointing", False) for m in model.modules()))


def both_logps(model: Model, pair: Pair, *, shared: bool = False) -> tuple[Tensor, Tensor]:
    """Log-probabilities of chosen and rejected; ``shared`` reads each prompt once for both."""
    values = shared_token_logp(model, *pair) if shared else token_logp(model, join(*pair))
    logp_w, logp_l = values.sum(1).chunk(2)
    return logp_w, logp_l


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()
