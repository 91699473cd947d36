r"""What one optimizer step is made of: the batch's gradient, memory, decay, in the step's metric.

Every step here is :math:`\Delta\theta = -P g + m + w`: the gradient :math:`g` of this batch in a
diagonal metric :math:`P`, what momentum remembers of earlier batches, and weight decay. For a
preference objective :math:`-g = \frac1n\sum_j (d_{w,j} a_j - d_{l,j} b_j)`, so with the scores'
products in the metric the change of any log-probability splits into its own pair's part, the
other pairs' part, memory and decay.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

Parameters = Mapping[str, Tensor]
Kind = Literal["sgd", "momentum", "adam", "adamw"]
KINDS: tuple[Kind, ...] = ("sgd", "momentum", "adam", "adamw")


@dataclass(frozen=True)
class Rule:
    """An optimizer and its numbers.

    Args:
        kind: ``sgd``, ``momentum`` (heavy ball), ``adam`` or ``adamw``.
        rate: Learning rate.
        warmup: The rate rises linearly over so many updates.
        momentum: Of heavy ball.
        betas: Decay of Adam's two moments.
        epsilon: Added to the root of Adam's second moment.
        decay: AdamW's weight decay.

    Raises:
        ValueError: An unknown kind, or a negative rate.
    """

    kind: Kind = "adam"
    rate: float = 1e-5
    warmup: int = 0
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    decay: float = 0.01

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"an optimizer is one of {', '.join(KINDS)}: got {self.kind!r}; choose one"
            )
        if not self.rate >= 0:
            raise ValueError(f"a learning rate is not negative: got {self.rate}; give one above 0")

    def build(self, model: Any) -> Optimizer:
        """The torch optimizer of the model's trained parameters."""
        trained = [p for p in model.parameters() if p.requires_grad]
        if self.kind in ("sgd", "momentum"):
            return SGD(trained, lr=self.rate, momentum=self.momentum * (self.kind == "momentum"))
        if self.kind == "adam":
            return Adam(trained, lr=self.rate, betas=self.betas, eps=self.epsilon)
        return AdamW(
            trained, lr=self.rate, betas=self.betas, eps=self.epsilon, weight_decay=self.decay
        )

    def schedule(self, optimizer: Optimizer) -> LambdaLR:
        """Of the optimizer's rate: it rises linearly over the warm-up."""
        return LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (self.warmup + 1)))


@dataclass(frozen=True, eq=False)
class Update:
    """One step, parameter by parameter: ``total`` is ``gradient + memory + decay`` to rounding.

    Args:
        metric: The diagonal :math:`P`, learning rate and bias correction included.
        gradient: :math:`-P g`.
        memory: What momentum adds.
        decay: What weight decay adds.
        total: The change that the optimizer made, in float64.
    """

    metric: Parameters
    gradient: Parameters
    memory: Parameters
    decay: Parameters
    total: Parameters


@contextmanager
def observed(optimizer: Optimizer, model: Any) -> Iterator[list[Update]]:
    """Take apart the one step that the optimizer makes inside; its gradients stay until the end.

    Yields a list that holds the :class:`Update` when the context ends.

    Raises:
        TypeError: The optimizer is not SGD, Adam or AdamW of torch, or uses an option (Nesterov,
            dampening, AMSGrad, SGD's weight decay, maximize) whose parts are not known here.
    """
    _require_known(optimizer)
    named = {n: p for n, p in model.named_parameters() if p.requires_grad}
    before = {name: p.detach().double().clone() for name, p in named.items()}
    remembered = {name: _memory(optimizer.state.get(p, {})) for name, p in named.items()}
    updates: list[Update] = []
    yield updates
    group_of = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    parts: dict[str, dict[str, Tensor]] = {
        part: {} for part in ("metric", "gradient", "memory", "decay", "total")
    }
    for name, p in named.items():
        if p.grad is None:
            continue
        group = group_of[id(p)]
        metric, keep = _metric(optimizer, group, p)
        parts["metric"][name] = metric
        parts["gradient"][name] = -metric * p.grad.double()
        past = remembered[name]
        parts["memory"][name] = torch.zeros_like(metric) if past is None else -keep * past
        decay = group["lr"] * group["weight_decay"] if isinstance(optimizer, AdamW) else 0.0
        parts["decay"][name] = -decay * before[name]
        parts["total"][name] = p.detach().double() - before[name]
    updates.append(Update(**parts))


def _memory(state: Mapping[str, Any]) -> Tensor | None:
    past = state.get("exp_avg", state.get("momentum_buffer"))
    return None if past is None else past.detach().double().clone()


def _metric(optimizer: Optimizer, group: Mapping[str, Any], p: Tensor) -> tuple[Tensor, Tensor]:
    """The factor on this batch's gradient, and the factor on the remembered one."""
    if isinstance(optimizer, SGD):
        rate = torch.full_like(p, group["lr"], dtype=torch.float64)
        return rate, rate * group["momentum"]
    state, (beta_1, beta_2) = optimizer.state[p], group["betas"]
    steps = float(state["step"])
    root = (state["exp_avg_sq"].double() / (1 - beta_2**steps)).sqrt() + group["eps"]
    rate = group["lr"] / (1 - beta_1**steps) / root
    return rate * (1 - beta_1), rate * beta_1


def _require_known(optimizer: Optimizer) -> None:
    unknown = {"nesterov", "dampening", "amsgrad", "maximize"}
    if not isinstance(optimizer, AdamW):
        unknown = unknown | {"weight_decay"}
    used = {key for group in optimizer.param_groups for key in unknown if group.get(key)}
    if not isinstance(optimizer, SGD | Adam) or used:
        came = f"{type(optimizer).__name__} with {', '.join(sorted(used)) or 'its own rule'}"
        raise TypeError(
            "a step is taken apart for torch's SGD (with momentum), Adam and AdamW: "
            f"got {came}; use one of these, or give its actual "
            "update to slopes of disband.lm.training.slopes"
        )
