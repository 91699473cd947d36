"""The losses once more, each written down from its own paper, for one pair and plain numbers.

``m`` is :mod:`math`, or :mod:`mpmath` for many digits. Nothing here knows the package.
"""

# ruff: noqa: ARG001, E741 -- every loss is handed what any of them needs

import math


def log_sigma(x, m):
    return -m.log(1 + m.exp(-x))


def sigma(x, m):
    return 1 / (1 + m.exp(-x))


def dpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """Rafailov et al. 2023, eq. 7: -log σ(β log πw/refw - β log πl/refl)."""
    return -log_sigma(beta * (w - ref_w) - beta * (l - ref_l), m)


def r_dpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, alpha, m=math):
    """Park et al. 2024: the implicit reward is β log π/ref + α|y|."""
    reward_w = beta * (w - ref_w) + alpha * len_w
    reward_l = beta * (l - ref_l) + alpha * len_l
    return -log_sigma(reward_w - reward_l, m)


def simpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, gamma, m=math):
    """Meng et al. 2024, eq. 6: -log σ(β/|yw| log πw - β/|yl| log πl - γ)."""
    return -log_sigma(beta / len_w * w - beta / len_l * l - gamma, m)


def ipo(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """Azar et al. 2024, eq. 17: (log(πw refl / (πl refw)) - 1/(2τ))², τ our β."""
    return (w + ref_l - l - ref_w - 1 / (2 * beta)) ** 2


def rrhf(w, l, ref_w, ref_l, len_w, len_l, *, lam, m=math):
    """Yuan et al. 2023: max(0, pl - pw) of length-normalised p, and -λ log πw."""
    return max(0, l / len_l - w / len_w) - lam * w


def slic_hf(w, l, ref_w, ref_l, len_w, len_l, *, delta, lam, m=math):
    """Zhao et al. 2023: max(0, δ - log πw + log πl) - λ log πw."""
    return max(0, delta - w + l) - lam * w


def cpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam, m=math):
    """Xu et al. 2024: -log σ(β log πw - β log πl) - λ log πw."""
    return -log_sigma(beta * w - beta * l, m) - lam * w


def dpop(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam, m=math):
    """Pal et al. 2024: -log σ(β(log πw/refw - log πl/refl - λ max(0, log refw/πw)))."""
    return -log_sigma(beta * (w - ref_w - (l - ref_l) - lam * max(0, ref_w - w)), m)


def kto(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam_w, lam_l, kl, m=math):
    """Ethayarajh et al. 2024, eq. 8: λ - v of either, with v = λ σ(β(r - z0)) or λ σ(β(z0 - r))."""
    value_w = lam_w * sigma(beta * (w - ref_w - kl), m)
    value_l = lam_l * sigma(beta * (kl - (l - ref_l)), m)
    return (lam_w - value_w) + (lam_l - value_l)


def sppo(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """Wu et al. 2024: (log π/ref - (P - 1/2)/β)² with P = 1 of the winner, 0 of the loser."""
    half = m.mpf(1) / 2 if m is not math else 0.5
    return (w - ref_w - (1 - half) / beta) ** 2 + (l - ref_l - (0 - half) / beta) ** 2


TRANSCRIPTIONS = {
    "DPO": dpo,
    "R-DPO": r_dpo,
    "SimPO": simpo,
    "IPO": ipo,
    "RRHF": rrhf,
    "SLiC-HF": slic_hf,
    "CPO": cpo,
    "DPOP": dpop,
    "KTO": kto,
    "SPPO": sppo,
}
