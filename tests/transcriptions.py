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
    """Wu et al. 2024: (log π/ref - (P - 1/2)/β)² with P = 1 of the chosen, 0 of the rejected."""
    half = m.mpf(1) / 2 if m is not math else 0.5
    return (w - ref_w - (1 - half) / beta) ** 2 + (l - ref_l - (0 - half) / beta) ** 2


def hinge(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, hinge: relu(1 - β·delta_score)."""
    return max(0, 1 - beta * ((w - ref_w) - (l - ref_l)))


def cdpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, epsilon, m=math):
    """Mitchell 2023, eq. 3: -(1 - ε) log σ(logits) - ε log σ(-logits)."""
    logits = beta * ((w - l) - (ref_w - ref_l))
    return -log_sigma(logits, m) * (1 - epsilon) - log_sigma(-logits, m) * epsilon


def robust(w, l, ref_w, ref_l, len_w, len_l, *, beta, epsilon, m=math):
    """TRL, robust: (clean - flipped) / (1 - 2ε)."""
    delta = (w - ref_w) - (l - ref_l)
    clean = -(1 - epsilon) * log_sigma(beta * delta, m)
    flipped = -epsilon * log_sigma(-beta * delta, m)
    return (clean - flipped) / (1 - 2 * epsilon)


def exo(w, l, ref_w, ref_l, len_w, len_l, *, beta, epsilon, m=math):
    """TRL, exo_pair: qw (log qw - log pw) + ql (log ql - log pl), p = (1 - ε, ε)."""
    delta = (w - ref_w) - (l - ref_l)
    q_w, q_l = sigma(beta * delta, m), sigma(-beta * delta, m)
    return q_w * (log_sigma(beta * delta, m) - m.log(1 - epsilon)) + q_l * (
        log_sigma(-beta * delta, m) - m.log(epsilon)
    )


def discopop(w, l, ref_w, ref_l, len_w, len_l, *, beta, tau, m=math):
    """TRL, discopop: logistic · (1 - modulation) + exponential · modulation."""
    logits = ((w - ref_w) - (l - ref_l)) * beta
    modulation = sigma(logits / tau, m)
    return -log_sigma(logits, m) * sigma(-logits / tau, m) + m.exp(-logits) * modulation


def ipo_p(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam, m=math):
    """Pal et al. 2024: IPO's square with λ max(0, log refw/πw) taken off the log-ratio."""
    h = w - ref_w - (l - ref_l)
    return (h - lam * max(0, ref_w - w) - 1 / (2 * beta)) ** 2


def wpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, omega, m=math):
    """TRL, use_weighting: per_sequence_loss *= weights, which no_grad made."""
    return -log_sigma(beta * ((w - ref_w) - (l - ref_l)), m) * omega


def dpo_norm(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, sigmoid_norm: -log σ(β·delta) of average scores."""
    average_w, average_l = (w - ref_w) / len_w, (l - ref_l) / len_l
    return -log_sigma(beta * (average_w - average_l), m)


def ipo_norm(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, ipo: (ipo_delta - 1/(2β))² of average scores."""
    return ((w - ref_w) / len_w - (l - ref_l) / len_l - 1 / (2 * beta)) ** 2


def dpo_fkl(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, forward_kl: scores 1 - exp(-logratio)."""
    score_w, score_l = 1 - m.exp(-(w - ref_w)), 1 - m.exp(-(l - ref_l))
    return -log_sigma(beta * (score_w - score_l), m)


def dpo_js(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, js_divergence: scores log(2t/(t + 1))."""
    t_w, t_l = m.exp(w - ref_w), m.exp(l - ref_l)
    score_w, score_l = m.log(2 * t_w / (t_w + 1)), m.log(2 * t_l / (t_l + 1))
    return -log_sigma(beta * (score_w - score_l), m)


def dpo_alpha(w, l, ref_w, ref_l, len_w, len_l, *, beta, alpha_f, m=math):
    """TRL, alpha_divergence: scores (t^(α - 1) - 1)/(α - 1), without the clamp."""
    coef = 1 / (alpha_f - 1)
    score_w = (m.exp((alpha_f - 1) * (w - ref_w)) - 1) * coef
    score_l = (m.exp((alpha_f - 1) * (l - ref_l)) - 1) * coef
    return -log_sigma(beta * (score_w - score_l), m)


def bco(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, bco_pair: -log σ(chosen_rewards) - log σ(-rejected_rewards)."""
    return -log_sigma(beta * (w - ref_w), m) - log_sigma(-beta * (l - ref_l), m)


def nca(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, nca_pair."""
    reward_w, reward_l = beta * (w - ref_w), beta * (l - ref_l)
    half = m.mpf(1) / 2 if m is not math else 0.5
    return -log_sigma(reward_w, m) - half * log_sigma(-reward_w, m) - half * log_sigma(-reward_l, m)


def apo_zero(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, apo_zero: 1 - σ(β·chosen_logratios) + σ(β·rejected_logratios)."""
    return sigma(-beta * (w - ref_w), m) + sigma(beta * (l - ref_l), m)


def apo_down(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, apo_down: σ(β·chosen) + 1 - σ(β(chosen - rejected))."""
    chosen, rejected = w - ref_w, l - ref_l
    return sigma(beta * chosen, m) + 1 - sigma(beta * (chosen - rejected), m)


def bce(w, l, ref_w, ref_l, len_w, len_l, *, m=math):
    """chen2026's table: -log σ(r_w) - log σ(-r_l)."""
    return -log_sigma(w - ref_w, m) - log_sigma(-(l - ref_l), m)


def lsif(w, l, ref_w, ref_l, len_w, len_l, *, m=math):
    """chen2026's table: -e^{r_w} + e^{2 r_l}/2."""
    return -m.exp(w - ref_w) + m.exp(2 * (l - ref_l)) / 2


def ukl(w, l, ref_w, ref_l, len_w, len_l, *, m=math):
    """chen2026's table: -z_w + e^{r_l}."""
    return -w + m.exp(l - ref_l)


def ddro(w, l, ref_w, ref_l, len_w, len_l, *, m=math):
    """chen2026's table: -r_w - log(2 - e^{r_l}) + 2 log 2, linear beyond e^{r_l} = 2 - 10⁻⁶."""
    ratio = m.exp(l - ref_l)
    end = 2 - m.mpf(10) ** -6 if m is not math else 2 - 1e-6
    if ratio <= end:
        return -(w - ref_w) - m.log(2 - ratio) + 2 * m.log(2)
    return -(w - ref_w) - m.log(2 - end) + (ratio - end) / (2 - end) + 2 * m.log(2)


def slic(w, l, ref_w, ref_l, len_w, len_l, *, delta, lam, m=math):
    """chen2026's table: max(0, γ - m) - λ z_w."""
    return max(0, delta - (w - l)) - lam * w


def sft(w, l, ref_w, ref_l, len_w, len_l, *, m=math):
    """Mean negative log-likelihood of the chosen tokens."""
    return -w / len_w


def orpo(w, l, ref_w, ref_l, len_w, len_l, *, lam, m=math):
    """Hong et al. 2024: NLL - λ log σ(log odds_w/odds_l), odds = P/(1 - P), P = π^{1/|y|}."""
    p_w, p_l = m.exp(w / len_w), m.exp(l / len_l)
    return -w / len_w - lam * log_sigma(m.log(p_w / (1 - p_w)) - m.log(p_l / (1 - p_l)), m)


def rpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam, m=math):
    """Pang et al. 2024: -log σ(DPO's argument) - α log πw/|yw|."""
    return -log_sigma(beta * (w - ref_w) - beta * (l - ref_l), m) - lam * w / len_w


def cpo_simpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, gamma, lam, m=math):
    """TRL's CPO, simpo: -log σ(β(logits - γ/β)) + cpo_alpha · NLL, logits of average logps."""
    return -log_sigma(beta * (w / len_w - l / len_l - gamma / beta), m) + lam * (-w / len_w)


def mpo(w, l, ref_w, ref_l, len_w, len_l, *, beta, m=math):
    """TRL, loss_type sigmoid, bco_pair, sft with loss_weights 0.8, 0.2, 1.0."""
    tenth = m.mpf(1) / 10 if m is not math else 0.1
    chosen, rejected = beta * (w - ref_w), beta * (l - ref_l)
    quality = -log_sigma(chosen, m) - log_sigma(-rejected, m)
    return 8 * tenth * -log_sigma(chosen - rejected, m) + 2 * tenth * quality - w / len_w


def ppo_clip(w, l, ref_w, ref_l, len_w, len_l, *, adv_w, adv_l, clip, m=math):
    """Schulman et al. 2017, eq. 7, negated: -min(rA, clip(r, 1 - ε, 1 + ε)A) of either."""

    def surrogate(ratio, advantage):
        clipped = min(max(ratio, 1 - clip), 1 + clip)
        return min(ratio * advantage, clipped * advantage)

    return -surrogate(m.exp(w - ref_w), adv_w) - surrogate(m.exp(l - ref_l), -adv_l)


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
    "Hinge": hinge,
    "cDPO": cdpo,
    "rDPO": robust,
    "EXO": exo,
    "DiscoPOP": discopop,
    "IPO-P": ipo_p,
    "WPO": wpo,
    "TIDPO": dpo,
    "LD-DPO": dpo,
    "DPO-norm": dpo_norm,
    "IPO-norm": ipo_norm,
    "DPO-FKL": dpo_fkl,
    "DPO-JS": dpo_js,
    "DPO-alpha": dpo_alpha,
    "BCO": bco,
    "NCA": nca,
    "APO-zero": apo_zero,
    "APO-down": apo_down,
    "BCE": bce,
    "LSIF": lsif,
    "UKL": ukl,
    "DDRO": ddro,
    "SFT": sft,
    "SLiC": slic,
    "ORPO": orpo,
    "RPO": rpo,
    "CPO-SimPO": cpo_simpo,
    "MPO": mpo,
    "PPO-clip": ppo_clip,
}
