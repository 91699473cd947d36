"""One batch of a TRL trainer, taken apart: what its loss reads, and how it pulls on each token."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer
from trl.experimental.tpo import TPOConfig, TPOTrainer

from disband.lm.model.gpt2 import new_model, train_tokenizer

# On so small a model, threads only wait for each other.
torch.set_num_threads(1)

CONFIGS = {
    DPOTrainer: DPOConfig,
    KTOTrainer: KTOConfig,
    CPOTrainer: CPOConfig,
    ORPOTrainer: ORPOConfig,
    TPOTrainer: TPOConfig,
}
BYTES = 257  # every byte and the end of text: no merges
PAIRS = tuple(
    {"prompt": prompt, "chosen": chosen, "rejected": rejected, "reference": "so be it"}
    for prompt, chosen, rejected in (
        ("is it late? ", "it is", "no clock here"),
        ("hello ", "good morning", "go"),
        ("two and two? ", "four", "five"),
        ("name a colour ", "blue as a sea", "seven"),
        ("and a fruit ", "fig", "a long train"),
        ("sing ", "la la la", "la"),
        ("rain or sun? ", "sun", "neither one"),
        ("spell it ", "i t", "i-t-!"),
        ("why? ", "x", "because of it"),
        ("where to? ", "north by east", "nowhere"),
        ("say ", "out of the blue", "empty"),
        ("count ", "one two three", "three two one"),
    )
)


@dataclass(frozen=True, eq=False)
class Step:
    """A trainer's loss on a batch of B pairs, as a function of token log-probabilities.

    Rows are responses, ``(2B, T)``, the chosen ones first; a column is a predicted token.
    """

    trainer: Any
    batch: dict[str, Any]
    loss: float
    ids: torch.Tensor
    attention: torch.Tensor
    mask: torch.Tensor  # response tokens
    tokens: torch.Tensor  # log-probabilities that the loss was computed from, float32, 0 elsewhere
    ref_tokens: torch.Tensor
    slopes: torch.Tensor  # derivatives of the loss by these log-probabilities
    gradient: torch.Tensor  # derivative of the loss by all parameters
    through: Callable[[torch.Tensor], torch.Tensor]  # what such slopes give as that derivative

    @property
    def lengths(self):
        return array(self.mask.sum(1)).reshape(2, -1)

    @property
    def mean_len_w(self):
        return self.lengths[0].mean()

    def sums(self, tokens, weights):
        """Weighted sums of token log-probabilities, rounded as the trainer rounds them."""
        return array((tokens * weights.float()).sum(1)).reshape(2, -1)


@dataclass(frozen=True, eq=False)
class Pull:
    """Losses of the pairs, ``(B,)``, and what one step adds to the chosen responses' tokens and
    takes off the rejected ones', ``(B, T)`` both."""

    loss: np.ndarray
    chosen: np.ndarray
    rejected: np.ndarray
    __array_ufunc__ = None  # numpy leaves products to __rmul__

    def __add__(self, other):
        return Pull(*(getattr(self, n) + getattr(other, n) for n in self.__dict__))

    def __rmul__(self, factor):
        """Multiply by a number, or by one number for each pair."""
        rows = np.broadcast_to(factor, self.loss.shape)[:, None]
        return Pull(factor * self.loss, rows * self.chosen, rows * self.rejected)


def array(tensor):
    return tensor.detach().double().numpy()


def models():
    """A policy and a reference with other weights, both decided enough to disagree by nats."""
    made = []
    for seed in (2, 1):
        model = new_model(vocabulary=BYTES, layers=2, heads=2, width=32, positions=64, seed=seed)
        model.transformer.wte.weight.data *= 9
        made.append(model)
    return made


def take(kind, folder: Path, **settings) -> Step:
    """Build a trainer from its configuration and take its loss on its first batch apart."""
    policy, reference = models()
    own = {"train_sampling_strategy": "sequential"} if kind is KTOTrainer else {}
    config = CONFIGS[kind](
        output_dir=str(folder),
        report_to=[],
        use_cpu=True,
        bf16=False,
        max_steps=1,
        per_device_train_batch_size=len(PAIRS) * (2 if kind is KTOTrainer else 1),
        remove_unused_columns=kind in {DPOTrainer, KTOTrainer, TPOTrainer},
        **own,
        **settings,
    )
    own = {"ref_model": reference} if kind in {DPOTrainer, KTOTrainer} else {}
    trainer = kind(
        model=policy,
        args=config,
        train_dataset=Dataset.from_list([*PAIRS]),
        processing_class=train_tokenizer([], [], BYTES),
        **own,
    )
    batch = next(iter(trainer.get_train_dataloader()))
    calls = {policy: [], reference: []}
    for model, made in calls.items():
        model.register_forward_hook(
            lambda _, args, named, output, made=made: made.append((args, named, output)),
            with_kwargs=True,
        )
    loss = trainer.compute_loss(trainer.model, batch)
    return _apart(trainer, batch, loss, calls[policy][-1], calls[reference])


def _apart(trainer, batch, loss, call, reference_calls):
    args, named, output = call
    ids = named["input_ids"] if "input_ids" in named else args[0]
    attention, mask = named["attention_mask"], _response(trainer, batch)
    # KTO's rows are chosen or rejected by their label; the others' are in order.
    order = torch.argsort(batch["label"].int(), descending=True, stable=True) if (
        "label" in batch
    ) else torch.arange(len(ids))  # fmt: skip
    if hasattr(output, "log_probs"):
        seen, tokens = output.log_probs, output.log_probs
        (slopes,) = torch.autograd.grad(loss, seen, retain_graph=True)
        ref_tokens = reference_calls[-1][2].log_probs
    else:
        seen, tokens = output.logits, _of_ids(output.logits, ids)
        (slope,) = torch.autograd.grad(loss, seen, retain_graph=True)
        slopes = _through_softmax(slope[:, :-1], seen[:, :-1], ids[:, 1:])
        ref_tokens = torch.zeros_like(tokens)
    parameters = list(trainer.model.parameters())

    def through(weights):
        back = torch.empty_like(weights)
        back[order] = weights
        return _flat(torch.autograd.grad(tokens, parameters, back, retain_graph=True))

    return Step(
        trainer=trainer,
        batch=batch,
        loss=float(loss.detach()),
        ids=ids[order],
        attention=attention[order],
        mask=mask[order],
        tokens=tokens.detach()[order] * mask[order],
        ref_tokens=ref_tokens[order] * mask[order],
        slopes=slopes[order],
        gradient=_flat(torch.autograd.grad(loss, parameters, retain_graph=True)),
        through=through,
    )


def _response(trainer, batch):
    if "completion_mask" in batch:
        return batch["completion_mask"][:, 1:].bool()
    return trainer.concatenated_inputs(batch)["concatenated_labels"][:, 1:] != -100


def _of_ids(logits, ids):
    return logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]


def _through_softmax(slopes, logits, ids):
    """Derivatives by log-probabilities of the tokens, from derivatives by their logits.

    One is the other times (one-hot minus probabilities), if the loss reads no other token.
    """
    direction = torch.nn.functional.one_hot(ids, logits.shape[-1]) - logits.double().softmax(-1)
    found = (slopes * direction).sum(-1) / direction.square().sum(-1)
    rest = slopes - found[..., None] * direction
    if rest.abs().max() > 1e-6 * slopes.abs().max():
        raise ValueError("the loss reads more than the log-probabilities of the batch's tokens")
    return found


def _flat(gradients):
    return torch.cat([g.flatten() for g in gradients])


def plain(model, ids, attention):
    """Token log-probabilities by an ordinary forward pass."""
    with torch.no_grad():
        return _of_ids(model(input_ids=ids, attention_mask=attention).logits.double(), ids)


def pull(objective, step: Step, *, weights=None, refs=True, **hyper) -> Pull:
    """What our objective makes of the batch.

    Args:
        objective: One of pairs.
        step: The batch.
        weights: Log-probabilities are sums of the tokens' with these weights, ``(2B, T)``; one on
            responses if not given.
        refs: Whether the reference counts; without it, its log-probabilities are zero.
        hyper: Hyperparameters, numbers or one number for each pair.
    """
    weights = step.mask.double() if weights is None else weights
    logps, ref_logps = step.sums(step.tokens, weights), step.sums(step.ref_tokens, weights)
    columns = np.stack([*logps, *(ref_logps if refs else 0 * ref_logps), *step.lengths])
    rows = [
        {key: float(np.broadcast_to(value, columns.shape[1:])[i]) for key, value in hyper.items()}
        for i in range(columns.shape[1])
    ]
    loss, d_w, d_l = (
        np.array([
            float(objective.kernel(what, "numpy", **row)(*columns[:, i]))
            for i, row in enumerate(rows)
        ])
        for what in ("loss", "d_w", "d_l")
    )  # fmt: skip
    of_tokens_w, of_tokens_l = array(weights).reshape(2, len(rows), -1)
    return Pull(loss, d_w[:, None] * of_tokens_w, d_l[:, None] * of_tokens_l)


def pull_together(objective, step: Step, **hyper) -> Pull:
    """What our objective of a whole batch makes of it."""
    weights = step.mask.double()
    columns = [*step.sums(step.tokens, weights), *step.sums(step.ref_tokens, weights)]
    d_w, d_l = objective.incentives(*columns, **hyper)
    of_tokens_w, of_tokens_l = array(weights).reshape(2, len(d_w), -1)
    loss = objective.loss(*columns, **hyper)
    return Pull(loss, d_w[:, None] * of_tokens_w, d_l[:, None] * of_tokens_l)


def errors(step: Step, expected: Pull) -> dict[str, float]:
    """Relative errors of the loss, of d_w and d_l on each token, and of the gradient.

    The largest of all tokens; of the gradient, the norm. An entry is compared with itself, or with
    a tenth of the largest, if that is more: where a sigmoid is almost one, its float32 has no more
    digits.
    """
    pairs = len(expected.loss)
    mask = array(step.mask).reshape(2, pairs, -1).astype(bool)
    pulled, pushed = pairs * array(step.slopes).reshape(2, pairs, -1) * [[[-1]], [[1]]]
    ours = np.concatenate([-expected.chosen, expected.rejected]) / pairs
    return {
        "loss": relative(expected.loss.mean(), step.loss),
        "d_w": relative(expected.chosen[mask[0]], pulled[mask[0]]),
        "d_l": relative(expected.rejected[mask[1]], pushed[mask[1]]),
        "gradient": float((step.through(torch.from_numpy(ours).float()) - step.gradient).norm())
        / float(step.gradient.norm()),
    }


def relative(ours, theirs) -> float:
    ours, theirs = (np.atleast_1d(v).astype(float) for v in (ours, theirs))
    scale = np.maximum(np.abs(theirs), 0.1 * np.abs(theirs).max())
    wrong = np.where(ours == theirs, 0.0, np.inf)
    return float(np.divide(np.abs(ours - theirs), scale, out=wrong, where=scale > 0).max())
