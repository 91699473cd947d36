r"""Objectives that see the pair only through one margin: :math:`\ell = m(h_w - h_l)`."""

from dataclasses import replace

from sympy import exp, log

from ..kernels.primitives import logsigmoid, relu, sigmoid
from ..objective import Objective
from ..symbols import (
    alpha,
    beta,
    epsilon,
    lam,
    len_l,
    len_w,
    logp_l,
    logp_w,
    omega,
    ref_l,
    ref_w,
    tau,
)

margin = (logp_w - ref_w) - (logp_l - ref_l)
# What DPO-Positive takes off a margin: how far the chosen response has fallen below its reference.
penalty = lam * relu(ref_w - logp_w)

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

IPO = Objective(
    name="IPO",
    loss=(margin - 1 / (2 * beta)) ** 2,
    defaults={beta: 0.1},
    source="Azar et al. 2024, eq. 17",
)

HINGE = Objective(
    name="Hinge",
    loss=relu(1 - beta * margin),
    defaults={beta: 0.1},
    source="Liu et al. 2024 (RSO), after Zhao et al. 2023; TRL 1.16: hinge",
    note="SLiC's hinge on the log-ratios to the reference; the default β is TRL's.",
)

# -(1-ε) log σ(x) - ε log σ(-x), in which log σ(-x) is log σ(x) - x; so below too.
CDPO = Objective(
    name="cDPO",
    loss=-logsigmoid(beta * margin) + epsilon * beta * margin,
    defaults={beta: 0.1, epsilon: 0.1},
    source="Mitchell 2023, conservative DPO, eq. 3",
    note="ε is the share of flipped labels. TRL's sigmoid loss ignores its label_smoothing.",
)

ROBUST = Objective(
    name="rDPO",
    loss=-logsigmoid(beta * margin) - epsilon / (1 - 2 * epsilon) * beta * margin,
    defaults={beta: 0.1, epsilon: 0.1},
    source="Chowdhury et al. 2024, robust DPO; TRL 1.16: robust",
    note="ε is the share of flipped labels, here at the 0.1 that TRL recommends.",
)

# The Kullback-Leibler divergence of (σ(x), σ(-x)) from the smoothed label (1-ε, ε).
EXO = Objective(
    name="EXO",
    loss=sigmoid(beta * margin) * (logsigmoid(beta * margin) - log(1 - epsilon))
    + sigmoid(-beta * margin) * (logsigmoid(-beta * margin) - log(epsilon)),
    defaults={beta: 0.1, epsilon: 0.001},
    source="Ji et al. 2024, eq. 16; TRL 1.16: exo_pair",
    note="ε smooths the label, here by the 0.001 that TRL recommends.",
)

DISCOPOP = Objective(
    name="DiscoPOP",
    loss=-logsigmoid(beta * margin) * sigmoid(-beta * margin / tau)
    + exp(logsigmoid(beta * margin / tau) - beta * margin),
    defaults={beta: 0.1, tau: 0.05},
    source="Lu et al. 2024, eq. 5; TRL 1.16: discopop",
    note="A blend of the logistic and the exponential loss; it is not convex.",
)

DPOP = Objective(
    name="DPOP",
    loss=-logsigmoid(beta * (margin - penalty)),
    defaults={beta: 0.1, lam: 50.0},
    source="Pal et al. 2024, DPO-Positive",
)

IPO_P = Objective(
    name="IPO-P",
    loss=(1 / (2 * beta) - (margin - penalty)) ** 2,
    defaults={beta: 0.1, lam: 50.0},
    source="after Pal et al. 2024: the penalty of DPO-Positive in IPO's margin",
    note="The default λ is that of DPOP.",
)

WPO = Objective(
    name="WPO",
    loss=omega * DPO.loss,
    defaults={beta: 0.1, omega: 1.0},
    source="Zhou et al. 2024, eq. 2; TRL 1.16: use_weighting",
    note="The weight ω of a pair, detached and so a constant here, is the product over both "
    "responses of the exponential of the mean over tokens of log p − log Σ p², p over the "
    "vocabulary: it may exceed 1.",
)

TIDPO = replace(
    DPO,
    name="TIDPO",
    source="chen2026, official code: DPO on token-weighted log-probabilities",
    note="log π and log π_ref are sums of token log-probabilities weighted by importance; the "
    "scores are the gradients of the same sums.",
)

LD_DPO = replace(
    DPO,
    name="LD-DPO",
    source="Liu et al. 2024, length-desensitised DPO; TRL 1.16: ld_alpha",
    note="log π and log π_ref count tokens beyond the shorter response's length with a weight "
    "from 0 to 1 (1 is DPO); the scores are the gradients of the same sums.",
)

MECHANISM = "one margin"
OBJECTIVES = (DPO, R_DPO, IPO, HINGE, CDPO, ROBUST, EXO, DISCOPOP, DPOP, IPO_P, WPO, TIDPO, LD_DPO)
