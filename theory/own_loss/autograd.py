"""An objective whose loss is a function of tensors: torch differentiates it, nobody has a formula.

It answers the same questions as an :class:`~disband.theory.objective.Objective`, by number. Torch
is imported when the first such objective is made.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import Integer, Symbol

from ..kernels.compiled import Quantity
from ..kernels.program import Kernel
from ..kernels.stable import Backend
from ..objective import Objective
from ..symbols import DATA
from .names import hyperparameter, is_number, require_numbers

NO_FORMULA = "from autograd: no formula"

# Pairs that a new loss is tried on, one row each: logp_w, logp_l, ref_w, ref_l, len_w, len_l.
_TRIAL = np.array(
    [
        [-10.0, -12.0, -11.0, -11.5, 10.0, 12.0],
        [-31.0, -8.0, -29.0, -9.5, 25.0, 7.0],
        [-3.0, -4.5, -4.0, -3.5, 4.0, 5.0],
    ]
)


@dataclass(frozen=True, eq=False)
class TorchObjective:
    r"""A pairwise loss that torch differentiates.

    Args:
        name: The name in tables and figures.
        loss: A function of ``logp_w, logp_l, ref_w, ref_l, len_w, len_l``, tensors ``(batch,)``,
            and of the hyperparameters by name; it returns the loss of each pair, ``(batch,)``.
            The loss of a pair must not depend on other pairs. That is tried on a few pairs when
            :func:`torch_objective` makes the objective, and cannot be known for all.
        source: Which function it is.
        defaults: The value of each hyperparameter.
        note: What a reader must know beside the function.
    """

    name: str
    loss: Callable[..., Any]
    source: str
    defaults: Mapping[Symbol, float] = field(default_factory=dict)
    note: str = ""

    def kernel(self, what: Quantity = "loss", backend: Backend = "numpy", **hyper: float) -> Kernel:
        r"""Return ``loss``, ``d_w``, ``d_l`` or both ``incentives`` as a function of six arrays.

        By autograd, :math:`d_w = -\partial\ell/\partial\log\pi_w` and
        :math:`d_l = \partial\ell/\partial\log\pi_l`. The function takes
        ``(logp_w, logp_l, ref_w, ref_l, len_w, len_l)``, each ``(batch,)`` or broadcastable, and
        returns ``(batch,)``, of ``incentives`` the pair: arrays in doubles for numpy; for torch
        tensors of the given type, through which autograd goes on.

        Raises:
            ValueError: ``hyper`` names a hyperparameter that the objective does not have; or,
                when called, the loss is not one number for each pair.
        """
        values = {symbol.name: value for symbol, value in self.values(hyper).items()}
        if backend == "torch":
            return lambda *data: _quantity(self, what, data, values)

        def kernel(*data: Any) -> Any:
            import torch

            tensors = [torch.as_tensor(np.array(v, float)) for v in data]
            result = _quantity(self, what, tensors, values)
            if isinstance(result, tuple):
                return tuple(incentive.detach().numpy() for incentive in result)
            return result.detach().numpy()

        return kernel

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arrays that a kernel takes, in order."""
        return tuple(symbol.name for symbol in DATA)

    def values(self, hyper: Mapping[str, float]) -> dict[Symbol, float]:
        """Return every hyperparameter's value: its default, or what ``hyper`` says.

        Raises:
            ValueError: As :meth:`disband.theory.objective.Objective.values`.
        """
        return self._declared.values(hyper)

    def settings(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """Return every hyperparameter's value as :meth:`values`, but by how it is printed."""
        return self._declared.settings(hyper)

    @property
    def _declared(self) -> Objective:
        return Objective(self.name, Integer(0), self.source, self.defaults)


def torch_objective(
    loss: Callable[..., Any], values: Mapping[str, float], name: str = "own"
) -> TorchObjective:
    """Return the objective whose losses ``loss`` computes; it is tried on a few pairs.

    Hyperparameters that are not in ``values`` take the function's own defaults.

    Raises:
        ValueError: The function does not take six tensors and ``values``, does not return one
            loss for each pair, looks at other pairs, or torch cannot differentiate it.
    """
    require_numbers(values)
    called = getattr(loss, "__qualname__", type(loss).__name__)
    numbers = _in_order(loss, values)
    try:
        inspect.signature(loss).bind(*_TRIAL.T, **numbers)
    except TypeError as error:
        raise ValueError(
            "a loss is a function of logp_w, logp_l, ref_w, ref_l, len_w, len_l and of its "
            f"hyperparameters by name: got {called} and {', '.join(numbers) or 'none'} ({error})"
        ) from None
    defaults = {hyperparameter(n): value for n, value in numbers.items()}
    made = TorchObjective(name, loss, f"the function {called}", defaults)
    made.values(numbers)
    _try(made)
    return made


def _in_order(loss: Callable[..., Any], values: Mapping[str, float]) -> dict[str, float]:
    """Return ``values`` and the function's own defaults, as its parameters come."""
    later = list(inspect.signature(loss).parameters.values())[6:]
    own = {p.name: values.get(p.name, p.default) for p in later}
    return {**{name: v for name, v in own.items() if is_number(v)}, **values}


def _try(made: TorchObjective) -> None:
    together = made.kernel()(*_TRIAL.T)
    alone = np.concatenate([made.kernel()(*row[:, None]) for row in _TRIAL])
    if not np.allclose(together, alone, rtol=1e-6, atol=1e-9, equal_nan=True):
        raise ValueError(
            f"the loss of a pair does not depend on other pairs: got {together.tolist()} for "
            f"three pairs together, {alone.tolist()} one by one; leave out what averages them"
        )
    if not any(made.kernel(what)(*_TRIAL.T).any() for what in ("d_w", "d_l")):
        raise ValueError(
            f"a loss changes with logp_w or logp_l: torch finds no slope of {made.source}; compute "
            "it with torch from these two tensors"
        )


def _quantity(
    objective: TorchObjective, what: Quantity, data: Any, values: Mapping[str, float]
) -> Any:
    import torch

    wanted = torch.is_grad_enabled() and any(
        isinstance(v, torch.Tensor) and v.requires_grad for v in data
    )
    like = next(v for v in data if isinstance(v, torch.Tensor))
    tensors = torch.broadcast_tensors(  # type: ignore[no-untyped-call]
        *(torch.as_tensor(v, dtype=like.dtype, device=like.device) for v in data)
    )
    with torch.enable_grad():
        pairs = [v.reshape(-1).clone() for v in tensors]
        for policy in pairs[:2]:
            if not policy.requires_grad:
                policy.requires_grad_()
        loss = objective.loss(*pairs, **values)
        _require_losses(loss, len(pairs[0]), objective.source)
        slopes = {"d_w": (-1, pairs[0]), "d_l": (1, pairs[1])}
        results = [loss] if what == "loss" else []
        for name, (sign, policy) in slopes.items():
            if what in {name, "incentives"}:
                results.append(sign * _slope(loss, policy, graph=wanted))
    shaped = (r if wanted else r.detach() for r in results)
    whole = tuple(r.reshape(tensors[0].shape) for r in shaped)
    return whole if what == "incentives" else whole[0]


def _slope(loss: Any, by: Any, *, graph: bool) -> Any:
    import torch

    if not loss.requires_grad:
        return torch.zeros_like(by)
    (slope,) = torch.autograd.grad(
        loss.sum(), by, create_graph=graph, retain_graph=True, allow_unused=True
    )
    return torch.zeros_like(by) if slope is None else slope


def _require_losses(loss: Any, pairs: int, source: str) -> None:
    import torch

    if not isinstance(loss, torch.Tensor):
        raise ValueError(  # noqa: TRY004 (what the function returned is a value of the user's)
            f"a loss returns a tensor: got {type(loss).__name__} from {source}; use torch in it"
        )
    if loss.shape != (pairs,):
        raise ValueError(
            f"a loss returns one number for each pair, ({pairs},): got {tuple(loss.shape)} from "
            f"{source}; leave out its mean or sum over pairs"
        )
