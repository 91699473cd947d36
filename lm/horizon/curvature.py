r"""Curvature of every log-probability along an update: :math:`v^\top\nabla^2\log\pi\,v`.

With the slope :math:`s = \langle\nabla\log\pi, v\rangle` it says what t such updates do to second
order, :math:`t\,s + \tfrac12 t^2 c`. Exactly, by reverse mode along the one number t, which gives
the derivatives of all tokens at once (forward mode over forward mode is wrong for some of torch's
layers and does not say so); or by log-probabilities at two points beside the model, whose distance
balances rounding against the fourth order.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..model.gpt2 import Batch, Model, token_logp
from ..training.slopes import Reader

Array = npt.NDArray[np.float64]
Update = Mapping[str, Tensor]


# Nats that a token may change by along the step of a difference, and what is aimed at elsewhere.
LEAST, AIMED, MOST = 0.01, 0.1, 0.5


@dataclass(frozen=True, eq=False)
class Curvature:
    """What an update does to each response token's log-probability, to second order.

    Args:
        slope: First derivative along the update, ``(batch, longest response)``, nats per update,
            aligned at the right, 0 before a shorter response.
        curvature: Second derivative, nats per update squared, likewise.
        step: Length of the step in updates that a difference was taken with; 0 where it is exact.
        rounding: What rounding may have made of a token's curvature; 0 where it is exact.
    """

    slope: Array
    curvature: Array
    step: float
    rounding: float

    @property
    def responses(self) -> tuple[Array, Array]:
        """Slope and curvature of whole responses, ``(batch,)`` each."""
        return self.slope.sum(1), self.curvature.sum(1)


def curvature(
    model: Model, batch: Batch, update: Update, *, exact: bool = True, step: float | None = None
) -> Curvature:
    r"""Slope and curvature of each response token's log-probability along an update.

    Args:
        model: Measured as it is, without dropout; neither its gradients nor its mode change.
        batch: Prompts with responses.
        update: What one update adds to the parameters, a tensor for each name, in whatever metric
            the optimizer has; parameters left out stay. A gradient is one after multiplication with
            minus the rate and, for Adam, with ``adam_preconditioner``.
        exact: By derivatives; else by differences, of three forward passes, or four.
        step: Of the differences, in updates; chosen from rounding, if not given.

    Returns:
        Both per token; :attr:`Curvature.responses` sums them.

    Raises:
        ValueError: A name or a shape that is not the model's, or an update of zero.

    The second difference is wrong by :math:`\epsilon|\log\pi|/h^2` through rounding and by
    :math:`h^2` through the fourth order; a step that moves the weights by :math:`\epsilon^{1/4}` of
    their norm balances both where log-probabilities vary on the weights' scale. Where no token, or
    some by far too much, changes along it, it is made 0.1 nats long, for a fourth forward pass.
    """
    own = _checked(model, update)
    update = {name: value.to(own[name]) for name, value in update.items()}
    with _measuring(model):
        if not exact:
            return _by_differences(model, batch, own, update, step)
        # The fused attention kernels have no second derivatives.
        with sdpa_kernel(SDPBackend.MATH):
            return _exact(model, batch, own, update)


def _exact(model: Model, batch: Batch, own: Mapping[str, Tensor], update: Update) -> Curvature:
    with torch.enable_grad():
        distance = torch.zeros((), dtype=next(iter(own.values())).dtype, requires_grad=True)
        values = _read(model, batch, {n: own[n] + distance * v for n, v in update.items()})
        # What a number weighs is the handle by which derivatives of all of them are had at once.
        handle = torch.ones_like(values, requires_grad=True)
        (first,) = torch.autograd.grad((handle * values).sum(), distance, create_graph=True)
        (slope,) = torch.autograd.grad(first, handle, retain_graph=True)
        (second,) = torch.autograd.grad(first, distance, create_graph=True)
        (bend,) = torch.autograd.grad(second, handle)
    return Curvature(_numbers(slope), _numbers(bend), 0.0, 0.0)


def _read(model: Model, batch: Batch, moved: Mapping[str, Tensor]) -> Tensor:
    """Log-probabilities of the response tokens with some parameters in place of the model's."""
    parameters = {f"model.{name}": value for name, value in moved.items()}
    values: Tensor = functional_call(Reader(model), parameters, (batch,))
    return values


def _by_differences(
    model: Model, batch: Batch, own: Mapping[str, Tensor], update: Update, step: float | None
) -> Curvature:
    moved = {name: torch.empty_like(own[name]) for name in update}

    def at(distance: float) -> Tensor:
        for name, value in update.items():
            torch.add(own[name], value, alpha=distance, out=moved[name])
        return _read(model, batch, moved).double()

    middle = token_logp(model, batch).double()
    chosen = _balanced(own, update) if step is None else step
    ahead = at(chosen)
    change = float((ahead - middle).abs().max())
    if step is None and not LEAST <= change <= MOST:
        # Of a steep direction the weights' norm says nothing.
        chosen *= AIMED / change if change else 1 / AIMED
        ahead = at(chosen)
    step, behind = chosen, at(-chosen)
    slope = (ahead - behind) / (2 * step)
    bend = ((ahead - middle) - (middle - behind)) / step**2
    rounding = 4 * torch.finfo(torch.float32).eps * float(middle.abs().max()) / step**2
    return Curvature(_numbers(slope), _numbers(bend), step, rounding)


def _balanced(own: Mapping[str, Tensor], update: Update) -> float:
    """A step that moves the weights by the fourth root of their precision, beside their norm."""
    weights = _norm(own[name] for name in update)
    length = _norm(update.values())
    # Many models have float32 inside, whatever the type of their weights.
    types = {own[name].dtype for name in update} | {torch.float32}
    precision = max(torch.finfo(kind).eps for kind in types)
    return float(precision**0.25 * (weights or 1.0) / length)


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(torch.stack([t.float().norm() for t in tensors]).norm())


def _checked(model: Model, update: Update) -> dict[str, Tensor]:
    own = {name: p.detach() for name, p in model.named_parameters()}
    for name, value in update.items():
        if name not in own or own[name].shape != value.shape:
            raise ValueError(
                "an update has the names and shapes of the model's parameters: got "
                f"{name} of shape {tuple(value.shape)}; take both from model.named_parameters()"
            )
    if not any(bool(value.any()) for value in update.values()):
        raise ValueError(
            "curvature is along an update: got one of zeros alone; give what a step adds to the "
            "parameters, such as minus the rate times the gradient"
        )
    return own


@contextmanager
def _measuring(model: Model) -> Iterator[None]:
    """Without dropout; then all as before."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def _numbers(values: Tensor) -> Array:
    numbers: Array = values.double().numpy(force=True)
    return numbers
