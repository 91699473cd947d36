r"""DPO under other divergences from the reference than the reverse Kullback-Leibler divergence.

With :math:`t = \pi/\pi_{ref}`, a divergence :math:`D_f` gives the implicit reward
:math:`\beta f'(t)`; each function here is :math:`f'` of the log-ratio :math:`\log t`, up to a
constant, and may take the place of the log-ratio in any margin.

Source: Wang et al. 2024, "Beyond reverse KL" (f-DPO).
"""

from collections.abc import Callable

from sympy import Expr, exp, log

from ..kernels.primitives import expm1, logsigmoid
from ..objective import Objective
from ..symbols import alpha_f, beta, logp_l, logp_w, ref_l, ref_w


def forward_kl(log_ratio: Expr) -> Expr:
    r"""Score :math:`1 - 1/t`."""
    return 1 - exp(-log_ratio)


def jensen_shannon(log_ratio: Expr) -> Expr:
    r"""Score :math:`\log\frac{2t}{1 + t}`."""
    return log(2) + logsigmoid(log_ratio)


def alpha_divergence(log_ratio: Expr) -> Expr:
    r"""Score :math:`(t^{\alpha-1} - 1)/(\alpha - 1)`; :math:`\alpha \to 1` is the reverse KL."""
    return expm1((alpha_f - 1) * log_ratio) / (alpha_f - 1)


def margin(score: Callable[[Expr], Expr]) -> Expr:
    """Return how much more the chosen response scores than the rejected one."""
    return score(logp_w - ref_w) - score(logp_l - ref_l)


DPO_FKL = Objective(
    name="DPO-FKL",
    loss=-logsigmoid(beta * margin(forward_kl)),
    defaults={beta: 0.1},
    source="Wang et al. 2024 (f-DPO); TRL 1.16: forward_kl",
)

DPO_JS = Objective(
    name="DPO-JS",
    loss=-logsigmoid(beta * margin(jensen_shannon)),
    defaults={beta: 0.1},
    source="Wang et al. 2024 (f-DPO); TRL 1.16: js_divergence",
)

DPO_ALPHA = Objective(
    name="DPO-alpha",
    loss=-logsigmoid(beta * margin(alpha_divergence)),
    defaults={beta: 0.1, alpha_f: 0.5},
    source="Wang et al. 2024 (f-DPO); TRL 1.16: alpha_divergence",
    note="α = 0 is the forward KL; the default is TRL's.",
)

MECHANISM = "other divergences"
OBJECTIVES = (DPO_FKL, DPO_JS, DPO_ALPHA)
