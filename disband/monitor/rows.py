"""The rows that a trainer of pairs gives its model at once: chosen responses, then rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disband.lm.model.gpt2 import Batch, padded

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tokens:
    """One pair as the trainer gave it to the model.

    Args:
        contexts: Prompt ids of the chosen and of the rejected row.
        answers: Response ids of either.
    """

    contexts: tuple[list[int], list[int]]
    answers: tuple[list[int], list[int]]

    @property
    def identical(self) -> bool:
        """Whether both rows are the same tokens."""
        return self.answers[0] == self.answers[1] and self.contexts[0] == self.contexts[1]


def batches(tokenizer: Any, pairs: Sequence[Tokens]) -> tuple[Batch, Batch]:
    """The chosen and the rejected rows as batches."""
    chosen, rejected = (
        padded(tokenizer, [p.contexts[side] for p in pairs], [p.answers[side] for p in pairs])
        for side in (0, 1)
    )
    return chosen, rejected


@dataclass(frozen=True, eq=False)
class Rows:
    """What the model reads in one call, ``(2 pairs, length)`` each, the chosen rows first.

    Args:
        ids: Token ids.
        attention: 1 on tokens and 0 on padding.
        labels: Ids of response tokens, -100 elsewhere.
    """

    ids: Tensor
    attention: Tensor
    labels: Tensor

    @staticmethod
    def of_call(args: tuple[Any, ...], named: dict[str, Any], labels: Tensor) -> "Rows":
        """The rows of one call of the model."""
        ids = named["input_ids"] if "input_ids" in named else args[0]
        attention = named.get("attention_mask")
        return Rows(ids, torch.ones_like(ids) if attention is None else attention, labels)

    @property
    def pairs(self) -> int:
        """How many."""
        return len(self.ids) // 2

    @property
    def counted(self) -> Tensor:
        """True on response tokens."""
        return self.labels != -100

    def whole(self) -> list[int]:
        """Pairs of which both responses have a token, and a token before it."""
        counted = self.counted
        found = (counted.any(1) & ~counted[:, 0]).view(2, self.pairs).all(0)
        return [int(i) for i in found.nonzero()[:, 0]]

    def tokens(self, pair: int) -> Tokens:
        """A pair's prompts and responses, without padding."""
        rows, counted = (pair, self.pairs + pair), self.counted
        given = self.attention.bool() & ~counted
        chosen, rejected = ((self.ids[r][given[r]], self.ids[r][counted[r]]) for r in rows)
        return Tokens(
            (chosen[0].tolist(), rejected[0].tolist()), (chosen[1].tolist(), rejected[1].tolist())
        )

    def slopes(self, gradient: Tensor, logits: Tensor | None, pairs: Sequence[int]) -> Array:
        """Mean derivative of the loss by the token log-probabilities of responses.

        Args:
            gradient: By log-probabilities of tokens, each at the column before its own; or by
                logits.
            logits: Those, if the gradient is by them.
            pairs: Which ones.

        Returns:
            ``(2, pairs)``, the chosen first.
        """
        counted = self.counted
        found = []
        for row in (*pairs, *(self.pairs + i for i in pairs)):
            if logits is None:
                # An adapter that prepends virtual tokens has them in front.
                slopes = gradient[row, -(self.ids.shape[1] - 1) :][counted[row, 1:]]
                found.append(float(slopes.double().mean()))
            else:
                places = counted[row].nonzero()[:, 0]
                by_logits, at = gradient[row, places - 1], logits[row, places - 1]
                found.append(float(_of_logits(by_logits, at, self.ids[row, places]).mean()))
        return np.array(found, float).reshape(2, -1)


def _of_logits(slopes: Tensor, logits: Tensor, tokens: Tensor) -> Tensor:
    r"""Derivatives by the log-probabilities of tokens, from those by logits.

    .. math:: \partial L/\partial z = s\,(\mathrm{onehot} - p), \qquad
        s = \frac{\langle\partial L/\partial z, \mathrm{onehot} - p\rangle}
        {\|\mathrm{onehot} - p\|^2}

    for a loss that reads no other token's; zero where a token has all the probability. Slopes and
    logits are ``(tokens, vocabulary)``.
    """
    direction = -logits.double().softmax(-1)
    direction.scatter_add_(1, tokens[:, None], torch.ones_like(direction[:, :1]))
    size = direction.square().sum(-1)
    along = (slopes.double() * direction).sum(-1)
    return torch.where(size > 0, along / size.clamp(min=torch.finfo(size.dtype).tiny), 0.0)
