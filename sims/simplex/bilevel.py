r"""Stable preference optimization on toy worlds: exact, and with one unrolled step.

Levels and symbols are those of :mod:`disband.theory.models.bilevel`. Exact: the lower level is
solved by Newton's method and differentiated implicitly. One step: the lower level is one gradient
step,

.. math:: \hat\theta(\varphi) = \varphi - \tfrac1\mu\nabla L_{SFT}(\varphi)

and the upper gradient goes through it. Both in torch with ``torch.func``, in float64; torch is
imported when a run begins.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from disband.theory.models.bilevel import UPPER, require_strength

from .evolution import SoftmaxWorld

Array = NDArray[np.float64]
Solver = Literal["exact", "one step"]
SOLVERS: tuple[Solver, ...] = ("exact", "one step")
# A lower level is solved when its gradient is this short; Newton's method squares the error.
SOLVED, NEWTON, HALVINGS = 1e-8, 30, 20
# What may be left of it, and how far from the reference a run may begin.
REACHED = 1e-6


@dataclass(frozen=True)
class Levels:
    r"""The numbers of both levels.

    Args:
        strength: :math:`\mu`, of the pull of the lower level towards the upper level's variable.
        weight: :math:`\lambda`, of the chosen's own log-probability in the upper level.
        beta: DPO's.
        lr: Step size of the upper level.
        steps: Its steps.

    Raises:
        ValueError: A number is out of its range.
    """

    strength: float = 1.0
    weight: float = 0.05
    beta: float = 0.1
    lr: float = 1.0
    steps: int = 200

    def __post_init__(self) -> None:
        require_strength(self.strength)
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < np.inf:
                raise ValueError(
                    f"{field.name} of a bilevel run is finite and not negative: got {value}"
                )


@dataclass(frozen=True, eq=False)
class Bilevel:
    """A run: T upper steps, so T + 1 states of the model that is deployed, the lower solution.

    Args:
        log_probs: ``(T + 1, worlds, C, V)`` nats.
        theta: Parameters deployed, ``(T + 1, worlds, d)``.
        phi: The upper level's variable, the same shape.
        residual: The longest gradient of the lower level at what was taken for its solution.
    """

    log_probs: Array
    theta: Array
    phi: Array
    residual: float


def solve(world: SoftmaxWorld, levels: Levels, solver: Solver = "exact") -> Bilevel:
    r"""Descend the upper level; what is deployed starts at the reference.

    Args:
        world: A batch of worlds, features ``(worlds, C, V, d)``.
        levels: The numbers.
        solver: ``exact`` or ``one step``.

    Raises:
        ValueError: An unknown solver, worlds without a batch, or a lower level held too loosely
            to be solved, or for one step of it to lead to the reference.
    """
    import torch
    from torch.func import grad, hessian, vmap

    if solver not in SOLVERS:
        raise ValueError(f"a solver is one of {', '.join(SOLVERS)}: got {solver!r}; choose one")
    if world.features.ndim != 4:
        raise ValueError(
            "bilevel runs are over a batch of worlds, features (worlds, contexts, responses, d): "
            f"got {world.features.shape}; add an axis in front"
        )
    features, offsets = torch.tensor(world.features), torch.tensor(world.offsets)
    upper_loss = UPPER.kernel("loss", "torch", beta=levels.beta, lam=levels.weight)

    def log_probs(theta: Any, x: Any, o: Any) -> Any:
        return torch.log_softmax(x @ theta + o, -1)

    def lower(theta: Any, x: Any, o: Any) -> Any:
        return -log_probs(theta, x, o)[:, 0].mean()

    def upper(theta: Any, x: Any, o: Any) -> Any:
        now, ref = log_probs(theta, x, o), torch.log_softmax(o, -1)
        return upper_loss(now[:, 0], now[:, 1], ref[:, 0], ref[:, 1], 1, 1).mean()

    slope, curve, pull = (vmap(f) for f in (grad(lower), hessian(lower), grad(upper)))
    eye, strength = torch.eye(features.shape[-1], dtype=torch.float64), levels.strength

    def lower_step(phi: Any, x: Any, o: Any) -> Any:
        return phi - grad(lower)(phi, x, o) / strength

    through = vmap(grad(lambda phi, x, o: upper(lower_step(phi, x, o), x, o)))

    def lower_force(phi: Any, t: Any) -> Any:
        return slope(t, features, offsets) + strength * (t - phi)

    def lower_bend(t: Any) -> Any:
        return curve(t, features, offsets) + strength * eye

    theta = torch.zeros((len(features), features.shape[-1]), dtype=torch.float64)
    if solver == "exact":
        phi = theta + slope(theta, features, offsets) / strength
    else:
        # The variable whose one step leads to the reference, from the exact one's.
        phi = _newton(
            theta + slope(theta, features, offsets) / strength,
            lambda p: p - slope(p, features, offsets) / strength,
            lambda p: eye - curve(p, features, offsets) / strength,
        )
    states, residual, shown = [], 0.0, vmap(log_probs)
    for _ in range(levels.steps + 1):
        if solver == "exact":
            theta = _newton(theta, partial(lower_force, phi), lower_bend)
            bend = eye + curve(theta, features, offsets) / strength
            gradient = torch.linalg.solve(bend, pull(theta, features, offsets)[..., None])[..., 0]
        else:
            theta = phi - slope(phi, features, offsets) / strength
            gradient = through(phi, features, offsets)
        residual = max(residual, float(lower_force(phi, theta).norm(dim=-1).max()))
        states.append((shown(theta, features, offsets), theta, phi))
        phi = phi - levels.lr * gradient
        if solver == "exact":
            # Where the next solution is, to first order: Newton's method has little left to do.
            theta = theta - levels.lr * torch.linalg.solve(bend, gradient[..., None])[..., 0]
    rows, thetas, phis = (
        np.stack([state.numpy() for state in part]) for part in zip(*states, strict=True)
    )
    if np.abs(thetas[0]).max() > REACHED or (solver == "exact" and residual > REACHED):
        raise ValueError(
            f"a lower level held by {strength:g} was not solved: the gradient that is left is "
            f"{residual:.2g}; raise the strength, or lower lr"
        )
    return Bilevel(rows, thetas, phis, residual)


def _newton(theta: Any, force: Callable[[Any], Any], bend: Callable[[Any], Any]) -> Any:
    """Solve ``force = 0`` from ``theta`` in every world, halving the steps that do not help."""
    import torch

    f = force(theta)
    for _ in range(NEWTON):
        worst = f.norm(dim=-1)
        if worst.max() < SOLVED:
            break
        step = torch.linalg.solve(bend(theta), f[..., None])[..., 0]
        size = torch.ones_like(worst)
        for _ in range(HALVINGS):
            f = force(theta - size[:, None] * step)
            worse = f.norm(dim=-1) > worst
            if not worse.any():
                break
            size = torch.where(worse, size / 2, size)
        else:
            f = force(theta - size[:, None] * step)
        theta = theta - size[:, None] * step
    return theta
