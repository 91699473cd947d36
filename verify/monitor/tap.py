r"""Hears what a trainer's loss reads and how it pulls, where the log-probabilities are made.

A hook on the trained model's output sees the training batch itself, and a hook on the gradient of
that output sees the derivative of the loss by every token's log-probability, whatever the loss is:

.. math:: d_w = -n\,\partial L/\partial\log\pi_w, \qquad d_l = n\,\partial L/\partial\log\pi_l

with n the pairs that the loss is a mean over. There the gradient can also be multiplied, which
calibrates without changing any value.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from verify.gpt2 import Batch, padded


@dataclass(frozen=True)
class Heard:
    """One pair as the trainer gave it to the model, and how the loss pulls on it.

    Args:
        contexts: Prompt ids of the chosen and of the rejected row.
        answers: Response ids of either.
        d_w: Incentive on the chosen response's log-probability, a sum over its tokens. Where the
            loss pulls unequally on the tokens of a response (``ld_alpha``), the mean over them.
        d_l: Incentive on the rejected one's.
    """

    contexts: tuple[list[int], list[int]]
    answers: tuple[list[int], list[int]]
    d_w: float
    d_l: float


def batches(tokenizer: Any, heard: Sequence[Heard]) -> tuple[Batch, Batch]:
    """The chosen and the rejected rows as batches."""
    chosen, rejected = (
        padded(tokenizer, [h.contexts[side] for h in heard], [h.answers[side] for h in heard])
        for side in (0, 1)
    )
    return chosen, rejected


class Tap:
    """Listens at the trained model of a trainer of pairs, and multiplies gradients if asked to.

    Args:
        trainer: TRL's DPO, CPO or ORPO trainer.

    Attributes:
        factor: What the gradient through chosen log-probabilities is multiplied by, and that
            through rejected ones divided by; NaN leaves the gradient untouched.
        paused: Whether forward passes are somebody else's, and not listened to.
    """

    def __init__(self, trainer: Any) -> None:
        self.factor = math.nan
        self.paused = False
        self._trainer = trainer
        self._heard: list[Heard] = []
        self._wanted = 0
        self._parts_left = 1
        self._labels: Tensor | None = None
        self._undo: list[Callable[[], None]] = []

    def open(self) -> None:
        """Listen until ``close``."""
        self.close()
        trainer = self._trainer
        handle = trainer.model.register_forward_hook(self._hear, with_kwargs=True)
        self._undo.append(handle.remove)
        if hasattr(trainer, "concatenated_inputs"):
            # Such a trainer computes its loss from logits, and only these inputs have the labels.
            make = trainer.concatenated_inputs

            def labelled(*args: Any, **named: Any) -> Any:
                made = make(*args, **named)
                self._labels = made["concatenated_labels"]
                return made

            trainer.concatenated_inputs = labelled
            self._undo.append(lambda: delattr(trainer, "concatenated_inputs"))

    def close(self) -> None:
        """Leave the trainer as it was."""
        while self._undo:
            self._undo.pop()()

    def begin(self, wanted: int) -> None:
        """Listen for so many pairs of the optimizer step that begins, spread over its parts."""
        self._heard, self._wanted = [], wanted
        self._parts_left = int(self._trainer.current_gradient_accumulation_steps)

    def taken(self) -> list[Heard]:
        """The pairs heard since ``begin``; listen for no more."""
        heard, self._heard, self._wanted = self._heard, [], 0
        return heard

    def _hear(self, _: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        idle = self.paused or (self._wanted == 0 and math.isnan(self.factor))
        # The reference and an evaluation need no gradients.
        if idle or not torch.is_grad_enabled():
            return
        fused = bool(named.get("fused_lm_head"))
        labels = named.get("labels") if fused else self._labels
        seen = output.log_probs if fused else getattr(output, "logits", None)
        if labels is None or seen is None or not seen.requires_grad:
            return
        ids = named["input_ids"] if "input_ids" in named else args[0]
        attention = named.get("attention_mask")
        attention = torch.ones_like(ids) if attention is None else attention
        logits = None if fused else seen.detach()

        def pulled(gradient: Tensor) -> Tensor | None:
            if self._wanted:
                self._take(gradient, logits, ids, attention, labels)
            return self._calibrated(gradient)

        seen.register_hook(pulled)

    def _calibrated(self, gradient: Tensor) -> Tensor | None:
        if math.isnan(self.factor):
            return None
        factors = gradient.new_full((len(gradient),), 1 / self.factor)
        factors[: len(gradient) // 2] = self.factor
        return gradient * factors.view(-1, *[1] * (gradient.dim() - 1))

    def _take(
        self,
        gradient: Tensor,
        logits: Tensor | None,
        ids: Tensor,
        attention: Tensor,
        labels: Tensor,
    ) -> None:
        pairs = len(ids) // 2
        most = math.ceil((self._wanted - len(self._heard)) / max(self._parts_left, 1))
        self._parts_left -= 1
        counted = labels != -100
        given = attention.bool() & ~counted
        # A response needs a token, and a token before it.
        whole = (counted.any(1) & ~counted[:, 0]).view(2, pairs).all(0)
        picked = [int(i) for i in whole.nonzero()[:most, 0]]
        rows = [*picked, *(pairs + i for i in picked)]
        if logits is None:
            # An adapter that prepends virtual tokens has them in front.
            slopes = gradient[:, -(ids.shape[1] - 1) :]
            means = [slopes[row][counted[row, 1:]].double().mean() for row in rows]
        else:
            means = [_of_logits(gradient[row], logits[row], ids[row], counted[row]) for row in rows]
        scale = pairs * float(self._trainer.current_gradient_accumulation_steps) * self._scaling()
        found = [scale * float(mean) for mean in means]
        self._heard += [
            Heard(
                (ids[i][given[i]].tolist(), ids[pairs + i][given[pairs + i]].tolist()),
                (ids[i][counted[i]].tolist(), ids[pairs + i][counted[pairs + i]].tolist()),
                d_w=-found[k],
                d_l=found[len(picked) + k],
            )
            for k, i in enumerate(picked)
        ]

    def _scaling(self) -> float:
        """What the loss is divided by for half precision; 1 if by nothing."""
        scaler = getattr(self._trainer.accelerator, "scaler", None)
        return 1.0 if scaler is None else 1 / float(scaler.get_scale())


def _of_logits(slopes: Tensor, logits: Tensor, ids: Tensor, counted: Tensor) -> Tensor:
    r"""Mean derivative by a response's token log-probabilities, from those by logits.

    .. math:: \partial L/\partial z = s\,(\mathrm{onehot} - p), \qquad
        s = \frac{\langle\partial L/\partial z, \mathrm{onehot} - p\rangle}
        {\|\mathrm{onehot} - p\|^2}

    for a loss that reads no other token's; zero where a token has all the probability. Slopes and
    logits are of one row, ``(tokens, vocabulary)``.
    """
    places = counted.nonzero()[:, 0]
    direction = -logits[places - 1].double().softmax(-1)
    direction.scatter_add_(1, ids[places, None], torch.ones_like(direction[:, :1]))
    size = direction.square().sum(-1)
    along = (slopes[places - 1].double() * direction).sum(-1)
    return torch.where(size > 0, along / size.clamp(min=torch.finfo(size.dtype).tiny), 0.0).mean()
