r"""Margin objectives with a likelihood term on the chosen response beside the margin."""

from theory.objective import Objective
from theory.primitives import logsigmoid, relu
from theory.symbols import beta, delta, lam, len_l, len_w, logp_l, logp_w

CPO = Objective(
    name="CPO",
    loss=-logsigmoid(beta * (logp_w - logp_l)) - lam * logp_w,
    defaults={beta: 0.1, lam: 1.0},
    source="Xu et al. 2024, contrastive preference optimization",
)

RRHF = Objective(
    name="RRHF",
    loss=relu(logp_l / len_l - logp_w / len_w) - lam * logp_w,
    defaults={lam: 1.0},
    source="Yuan et al. 2023, ranking loss with a likelihood term",
)

SLIC_HF = Objective(
    name="SLiC-HF",
    loss=relu(delta - logp_w + logp_l) - lam * logp_w,
    defaults={delta: 1.0, lam: 1.0},
    source="Zhao et al. 2023, rank calibration loss with a likelihood term",
)
