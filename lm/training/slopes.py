r"""How fast every token's log-probability changes along a direction in parameter space.

Forward-mode differentiation: one pass gives :math:`\langle\nabla\log\pi(y^k), v\rangle` for all
tokens of all responses, and no score is ever formed.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..model.gpt2 import Batch, Model, token_logp

Array = npt.NDArray[np.float64]


def slopes(model: Model, batch: Batch, direction: Mapping[str, Tensor]) -> Array:
    r"""Slope of each token's log-probability along ``direction``, nats per unit of it.

    Args:
        model: Measured as it is; neither its gradients nor its mode change.
        batch: Prompts with responses.
        direction: A tensor for each parameter's name; parameters left out stay where they are.

    Returns:
        float64 of shape ``(batch, longest response)``, aligned at the right, 0 before a shorter
        response; the sum of a row is :math:`\langle\nabla\log\pi(y \mid x), v\rangle`.

    Raises:
        ValueError: A name or a shape that is not the model's.
    """
    own = {name: p.detach() for name, p in model.named_parameters()}
    for name, value in direction.items():
        if name not in own or own[name].shape != value.shape:
            raise ValueError(
                "a direction has the names and shapes of the model's parameters: got "
                f"{name} of shape {tuple(value.shape)}; take both from model.named_parameters()"
            )
    reader = Reader(model)
    moved = {f"model.{name}": own[name] for name in direction}
    tangent = {f"model.{name}": value.to(own[name]) for name, value in direction.items()}

    def read(parameters: dict[str, Tensor]) -> Tensor:
        along: Tensor = functional_call(reader, parameters, (batch,))
        return along

    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        # The fused attention kernels have no forward mode.
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            slope: Tensor = jvp(read, (moved,), (tangent,))[1]
    finally:
        for module, training in modes:
            module.training = training
    along: Array = slope.double().numpy(force=True)
    return along


class Reader(torch.nn.Module):
    """Reads a batch as a module, so that its model's parameters can be exchanged."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Tensor:
        """Log-probabilities of the response tokens."""
        return token_logp(self.model, batch)
