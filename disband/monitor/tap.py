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
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from disband.theory.band import calibration
from disband.theory.gram import Gram

from .rows import Rows, Tokens

Array = npt.NDArray[np.float64]
# From pairs that are about to be trained on to their score products, NaN where not known.
Scores = Callable[[Sequence[Tokens]], Gram]


@dataclass(frozen=True)
class Heard(Tokens):
    """One pair as the trainer gave it to the model, and how the loss pulls on it.

    Args:
        d_w: Incentive on the chosen response's log-probability, a sum over its tokens. Where the
            loss pulls unequally on the tokens of a response (``ld_alpha``), the mean over them.
        d_l: Incentive on the rejected one's.
        factor: What the step multiplies ``d_w`` by and divides ``d_l`` by; 1 without calibration.
    """

    d_w: float
    d_l: float
    factor: float


class Tap:
    """Listens at the trained model of a trainer of pairs, and multiplies gradients if asked to.

    It has its hooks on the model only while the trainer computes its loss, however that ends.

    Args:
        trainer: TRL's DPO, CPO or ORPO trainer.

    Attributes:
        factor: What the gradient through chosen log-probabilities is multiplied by, and that
            through rejected ones divided by; NaN leaves the gradient untouched.
        scores: Measures pairs before they are trained on, so that each gets the factor of its own
            (:func:`disband.theory.band.calibration`), or none where that does not exist; None
            measures nothing, and ``factor`` is that of all pairs.
    """

    def __init__(self, trainer: Any) -> None:
        self.factor = math.nan
        self.scores: Scores | None = None
        self._trainer = trainer
        self._heard: list[Heard] = []
        self._wanted = 0
        self._parts_left = 1
        self._passed = np.zeros(2)
        self._labels: Tensor | None = None
        self._own: Gram | None = None
        self._replaced: dict[str, tuple[Any, Any]] = {}  # ours, and the instance's own before

    def open(self) -> None:
        """Listen until ``close``."""
        self.close()
        trainer = self._trainer
        if hasattr(trainer, "concatenated_inputs"):
            # Such a trainer computes its loss from logits, and only these inputs have the labels.
            make = trainer.concatenated_inputs

            @wraps(make)
            def labelled(*args: Any, **named: Any) -> Any:
                made = make(*args, **named)
                self._labels = made["concatenated_labels"]
                return made

            self._replace("concatenated_inputs", labelled)
        compute = trainer.compute_loss

        @wraps(compute)
        def heard(*args: Any, **named: Any) -> Any:
            if not self._replaced:
                return compute(*args, **named)
            hooks = (
                trainer.model.register_forward_pre_hook(self._measure, with_kwargs=True),
                trainer.model.register_forward_hook(self._hear, with_kwargs=True),
            )
            try:
                return compute(*args, **named)
            finally:
                for hook in hooks:
                    hook.remove()
                self._labels = self._own = None

        self._replace("compute_loss", heard)

    def close(self) -> None:
        """Leave the trainer as it was, with whatever others have put on it."""
        own = vars(self._trainer)
        for name, (ours, before) in self._replaced.items():
            # What was put over ours meanwhile stays, and calls what no longer listens.
            if own.get(name) is not ours:
                continue
            if before is None:
                delattr(self._trainer, name)
            else:
                setattr(self._trainer, name, before)
        self._replaced = {}

    def begin(self, wanted: int) -> None:
        """Listen for so many pairs of the optimizer step that begins, spread over its parts."""
        self._heard, self._wanted = [], wanted
        self._parts_left = int(self._trainer.current_gradient_accumulation_steps)

    def taken(self) -> list[Heard]:
        """The pairs heard since ``begin``; listen for no more."""
        heard, self._heard, self._wanted = self._heard, [], 0
        return heard

    def passed(self) -> Array:
        """How many pairs were heard since the last call of this, and how many had no factor."""
        passed, self._passed = self._passed, np.zeros(2)
        return passed

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        self._replaced[name] = function, vars(self._trainer).get(name)
        setattr(self._trainer, name, function)

    @property
    def _idle(self) -> bool:
        quiet = self._wanted == 0 and math.isnan(self.factor) and self.scores is None
        # The reference and an evaluation need no gradients.
        return quiet or not torch.is_grad_enabled()

    def _measure(self, _: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        labels = self._labels_of(named)
        if self.scores is None or self._idle or labels is None:
            return
        rows = Rows.of_call(args, named, labels)
        products = np.full((3, rows.pairs), np.nan)
        if whole := rows.whole():
            # The measurement calls the model too, and is not listened to.
            self._labels = None
            found = self.scores([rows.tokens(i) for i in whole])
            self._labels = labels
            products[:, whole] = found.sq_w, found.sq_l, found.dot
        self._own = Gram(*products)

    def _labels_of(self, named: dict[str, Any]) -> Tensor | None:
        return named.get("labels") if named.get("fused_lm_head") else self._labels

    def _hear(self, _: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        fused = bool(named.get("fused_lm_head"))
        labels = self._labels_of(named)
        seen = output.log_probs if fused else getattr(output, "logits", None)
        if self._idle or labels is None or seen is None or not seen.requires_grad:
            return
        rows, own = Rows.of_call(args, named, labels), self._own
        logits = None if fused else seen.detach()
        self._own = None

        def pulled(gradient: Tensor) -> Tensor | None:
            factors = self._factors(rows, own, gradient, logits)
            self._passed += len(factors), np.isnan(factors).sum()
            if self._wanted:
                self._take(rows, factors, gradient, logits)
            return _multiplied(gradient, factors)

        seen.register_hook(pulled)

    def _factors(
        self, rows: Rows, own: Gram | None, gradient: Tensor, logits: Tensor | None
    ) -> Array:
        """The factor of each pair, NaN where there is none."""
        found = np.full(rows.pairs, self.factor)
        if self.scores is None:
            return found
        found[:] = math.nan
        if own is not None and (whole := rows.whole()):
            slopes = rows.slopes(gradient, logits, whole)
            known = Gram(*(part[whole] for part in (own.sq_w, own.sq_l, own.dot)))
            found[whole] = calibration(-slopes[0], slopes[1], known)
        # Of numbers that are not finite, there is none either.
        return np.where((found > 0) & np.isfinite(found), found, math.nan)

    def _take(self, rows: Rows, factors: Array, gradient: Tensor, logits: Tensor | None) -> None:
        most = math.ceil((self._wanted - len(self._heard)) / max(self._parts_left, 1))
        self._parts_left -= 1
        picked = rows.whole()[:most]
        parts = float(self._trainer.current_gradient_accumulation_steps)
        scale = rows.pairs * parts * self._scaling()
        pull, push = scale * rows.slopes(gradient, logits, picked)
        for i, d_w, d_l in zip(picked, -pull, push, strict=True):
            pair, factor = rows.tokens(i), float(factors[i])
            self._heard.append(
                Heard(
                    pair.contexts, pair.answers, float(d_w), float(d_l),
                    1.0 if math.isnan(factor) else factor,
                )
            )  # fmt: skip

    def _scaling(self) -> float:
        """What the loss is divided by for half precision; 1 if by nothing."""
        scaler = getattr(self._trainer.accelerator, "scaler", None)
        return 1.0 if scaler is None else 1 / float(scaler.get_scale())


def _multiplied(gradient: Tensor, factors: Array) -> Tensor | None:
    """The gradient with each pair's factor on its rows; None, which leaves it, without any."""
    known = np.where(np.isnan(factors), 1.0, factors)
    if (known == 1).all():
        return None
    # A factor has more digits than half precision.
    digits = torch.promote_types(gradient.dtype, torch.float32)
    by_row = torch.tensor(np.concatenate([known, 1 / known]), dtype=digits)
    shape = (-1, *[1] * (gradient.dim() - 1))
    return (gradient * by_row.to(gradient.device).view(shape)).to(gradient.dtype)
