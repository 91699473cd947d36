r"""Objectives that estimate a ratio of densities: :math:`\pi/\pi_{ref}` classifies by itself."""

from sympy import exp, log

from ..kernels.primitives import linlog
from ..objective import Objective
from ..symbols import beta, logp_w
from .pointwise import BCO, reward_l, reward_w

BCE = Objective(
    name="BCE",
    loss=BCO.loss.subs(beta, 1),
    source="chen2026, official code: binary cross-entropy",
    note="BCO at β = 1.",
)

LSIF = Objective(
    name="LSIF",
    loss=-exp(reward_w) + exp(2 * reward_l) / 2,
    source="chen2026, official code: least-squares importance fitting",
)

UKL = Objective(
    name="UKL",
    loss=-logp_w + exp(reward_l),
    source="chen2026, official code: unnormalised Kullback-Leibler divergence",
)

DDRO = Objective(
    name="DDRO",
    loss=-reward_w - linlog(2 - exp(reward_l)) + 2 * log(2),
    source="Higuchi and Suzuki 2025; chen2026, official code",
    note="linlog is the logarithm, continued by its tangent where 2 - π_l/π_ref,l is below a "
    "millionth, as chen2026 has it.",
)

MECHANISM = "ratio of densities"
OBJECTIVES = (BCE, LSIF, UKL, DDRO)
