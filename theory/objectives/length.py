r"""Objectives that read means per token: the margin is one of :math:`\log\pi / |y|`."""

from ..kernels.primitives import logsigmoid
from ..objective import Objective
from ..symbols import beta, gamma, len_l, len_w, logp_l, logp_w, ref_l, ref_w

SIMPO = Objective(
    name="SimPO",
    loss=-logsigmoid(beta * (logp_w / len_w - logp_l / len_l) - gamma),
    defaults={beta: 2.0, gamma: 0.5},
    source="Meng et al. 2024, eq. 6",
)

mean_margin = (logp_w - ref_w) / len_w - (logp_l - ref_l) / len_l

DPO_NORM = Objective(
    name="DPO-norm",
    loss=-logsigmoid(beta * mean_margin),
    defaults={beta: 0.1},
    source="Lambert et al. 2024 (Tülu 3); TRL 1.16: sigmoid_norm",
    note="The default β is TRL's; means are smaller than sums, and Tülu 3 takes 5.",
)

IPO_NORM = Objective(
    name="IPO-norm",
    loss=(mean_margin - 1 / (2 * beta)) ** 2,
    defaults={beta: 0.1},
    source="Azar et al. 2024, eq. 17, per token; TRL 1.16: ipo",
    note="TRL says that IPO's authors confirmed the means; their paper prints sums.",
)

MECHANISM = "per token"
OBJECTIVES = (SIMPO, DPO_NORM, IPO_NORM)
