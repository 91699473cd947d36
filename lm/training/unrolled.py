r"""Stable preference optimization on a language model, with one unrolled step of the lower level.

The lower level is one gradient step of supervised fine-tuning on the batch's chosen responses, and
the upper level's gradient goes through it:

.. math::
    \hat\theta(\varphi) = \varphi - \tfrac1\mu\nabla L_{SFT}(\varphi), \qquad
    \varphi \leftarrow \mathrm{rule}\,\bigl(\nabla_\varphi F(\hat\theta(\varphi))\bigr)

The toys' exact counterpart is :mod:`disband.sims.simplex.bilevel`, the definitions
:mod:`disband.theory.models.bilevel`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from disband.theory.models.bilevel import UPPER, require_strength

from ..model.gpt2 import Batch, Model, join, logp, token_logp
from .finetune import Pair
from .optimizers import Rule

Parameters = Mapping[str, Tensor]
AfterDeployed = Callable[[int, Model], None]


class Deployed:
    """A model with other parameters, to be called as the model itself is."""

    def __init__(self, model: Model, parameters: Parameters) -> None:
        self.model, self.parameters = model, parameters
        self.forward = model.forward

    def __call__(self, **inputs: Any) -> Any:
        """The forward pass with these parameters."""
        return functional_call(self.model, dict(self.parameters), (), inputs)


def lower_step(model: Model, chosen: Batch, strength: float, *, through: bool = False) -> Deployed:
    r"""The model one gradient step of supervised fine-tuning further.

    Args:
        model: At the upper level's variable.
        chosen: The responses to raise; the loss is the mean over their tokens.
        strength: :math:`\mu`; the step is its inverse.
        through: Keep what it takes to differentiate through the step.

    Raises:
        ValueError: A strength that is not positive.
    """
    require_strength(strength)
    named = dict(model.named_parameters())
    loss = -token_logp(model, chosen).sum() / chosen.lengths.sum()
    slopes = torch.autograd.grad(loss, list(named.values()), create_graph=through)
    moved = {n: p - s / strength for (n, p), s in zip(named.items(), slopes, strict=True)}
    if not through:
        moved = {name: value.detach() for name, value in moved.items()}
    return Deployed(model, moved)


def train_unrolled(
    model: Model,
    pairs: Sequence[Pair],
    *,
    strength: float,
    rule: Rule,
    after: AfterDeployed,
    **values: float,
) -> None:
    """Minimise the upper level through one lower step, one update per batch.

    The reference is the model as it comes in. Dropout is off.

    Args:
        model: The upper level's variable; trained in place.
        pairs: Chosen and rejected batches with the same prompts.
        strength: Of the lower level.
        rule: The optimizer of the upper level.
        after: Called with the number of updates done, 0 included, and the model that would be
            deployed then: one lower step on the last batch further (on the first, before any).
        values: Hyper-parameters of the upper level that differ from its defaults.
    """
    loss_of = UPPER.kernel("loss", "torch", **values)
    model.eval()
    with torch.no_grad():
        references = [_both(model, pair) for pair in pairs]
    optimizer = rule.build(model)
    after(0, lower_step(model, pairs[0][0], strength))
    # The fused kernels of attention have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        for number, (pair, reference) in enumerate(zip(pairs, references, strict=True), start=1):
            deployed = lower_step(model, pair[0], strength, through=True)
            losses = loss_of(*_both(deployed, pair), *reference, *(b.lengths for b in pair))
            optimizer.zero_grad()
            losses.mean().backward()
            optimizer.step()
            after(number, lower_step(model, pair[0], strength))


def _both(model: Model, pair: Pair) -> tuple[Tensor, Tensor]:
    logp_w, logp_l = logp(model, join(*pair)).chunk(2)
    return logp_w, logp_l
