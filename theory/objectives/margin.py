r"""Objectives that see the pair only through one margin: :math:`\ell = m(h_w - h_l)`."""

from theory.objective import Objective
from theory.primitives import logsigmoid, relu
from theory.symbols import (
    alpha,
    beta,
    gamma,
    lam,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_l,
    ref_w,
)

margin = (logp_w - ref_w) - (logp_l - ref_l)

DPO = Objective(
    name="DPO",
    loss=-logsigmoid(beta * margin),
    defaults={beta: 0.1},
    source="Rafailov et al. 2023, eq. 7; yuan2025, eq. 2",
)

# A length penalty -α|y| on the reward makes the implicit reward β log(π/π_ref) + α|y|, so the
# difference of lengths enters with a plus; yuan2025's Table 2 prints a minus.
R_DPO = Objective(
    name="R-DPO",
    loss=-logsigmoid(beta * margin + alpha * (len_w - len_l)),
    defaults={beta: 0.1, alpha: 0.2},
    source="Park et al. 2024, length-regularised DPO",
)

SIMPO = Objective(
    name="SimPO",
    loss=-logsigmoid(beta * (logp_w / len_w - logp_l / len_l) - gamma),
    defaults={beta: 2.0, gamma: 0.5},
    source="Meng et al. 2024, eq. 6",
)

IPO = Objective(
    name="IPO",
    loss=(margin - 1 / (2 * beta)) ** 2,
    defaults={beta: 0.1},
    source="Azar et al. 2024, eq. 17",
)

DPOP = Objective(
    name="DPOP",
    loss=-logsigmoid(beta * (margin - lam * relu(ref_w - logp_w))),
    defaults={beta: 0.1, lam: 50.0},
    source="Pal et al. 2024, DPO-Positive",
)
