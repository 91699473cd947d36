"""The same name, another loss: where a paper, a library or an official code departs from here.

Each version is written from the catalogue's own declaration, so that it shows what differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Rational, Symbol, log

from ..kernels.primitives import expm1, linlog, relu
from ..objective import Objective
from ..symbols import alpha, beta, gamma, kl, lam, logp_l, logp_w, ref_l, ref_w
from .density_ratio import DDRO
from .divergence import DPO_ALPHA
from .length import DPO_NORM, IPO_NORM, SIMPO
from .margin import CDPO, DPO, DPOP, HINGE, IPO, R_DPO, ROBUST
from .pointwise import BCO, KTO, SPPO
from .regularized import CPO, CPO_SIMPO, MPO, ORPO, RRHF, SFT, SLIC_HF

DPO_TRAINER = "TRL 1.16, DPOTrainer"
CPO_TRAINER = "TRL 1.16, CPOTrainer"
TABLE2 = "yuan2025, Table 2"


@dataclass(frozen=True)
class Version:
    """An objective as somebody else has it.

    Args:
        objective: The objective of the catalogue.
        who: Whose version it is, and where it stands.
        loss: The loss of that version, an expression in :mod:`disband.theory.symbols`.
        differs: One phrase; it begins with "same loss" if the formula is the catalogue's.
        defaults: Hyperparameters that have other defaults there.
    """

    objective: Objective
    who: str
    loss: Expr
    differs: str
    defaults: Mapping[Symbol, float] = field(default_factory=dict)


# z_ref stands for the running mean of the rewards over β.
_shifted = BCO.loss.subs({logp_w: logp_w - kl, logp_l: logp_l - kl}, simultaneous=True)
_without_reference = {ref_w: 0, ref_l: 0}

VERSIONS = (
    Version(IPO, f"{DPO_TRAINER}, loss_type ipo", IPO_NORM.loss, "means per token, not sums"),
    Version(
        IPO,
        f"{CPO_TRAINER}, loss_type ipo",
        IPO_NORM.loss.subs(_without_reference) + lam * SFT.loss,
        "means per token, no reference, and a likelihood term unless cpo_alpha is 0",
        {lam: 1.0},
    ),
    Version(
        SIMPO,
        f"{CPO_TRAINER}, loss_type simpo",
        CPO_SIMPO.loss,
        "a likelihood term unless cpo_alpha is 0",
        {beta: 0.1, lam: 1.0},
    ),
    Version(
        SIMPO,
        "princeton-nlp/SimPO, gamma_beta_ratio",
        SIMPO.loss.subs(gamma, beta * gamma),
        "γ is given as a share of β",
        {gamma: 0.25},
    ),
    Version(
        CPO,
        f"{CPO_TRAINER}, loss_type sigmoid",
        CPO.loss + lam * logp_w + lam * SFT.loss,
        "the likelihood term is a mean over the batch's chosen tokens, not a sum",
    ),
    Version(
        CPO,
        f"{CPO_TRAINER}, loss_type hinge",
        HINGE.loss.subs(_without_reference) + lam * SFT.loss,
        "a hinge for the logistic loss",
    ),
    Version(
        R_DPO, TABLE2, R_DPO.loss.subs(alpha, -alpha), "the difference of lengths enters with minus"
    ),
    Version(DPOP, TABLE2, DPOP.loss.subs(lam, lam / beta), "λ stands outside of β"),
    Version(
        SPPO,
        "yuan2025, appendix A.2",
        SPPO.loss.subs({**_without_reference, beta: beta / 2}),
        "no reference, and targets twice as far",
    ),
    Version(
        SPPO,
        f"{DPO_TRAINER}, loss_type sppo_hard",
        SPPO.loss,
        "same loss, a larger default of β: targets ±5 and not ±500 nats",
        {beta: 0.1},
    ),
    Version(
        KTO,
        "TRL 1.16, KTOTrainer",
        KTO.loss,
        "same loss; z_ref is the mean log-ratio of responses to other prompts, at least zero",
    ),
    Version(
        BCO,
        "Jung et al. 2024",
        _shifted,
        "rewards are measured from their running mean, here βz_ref; TRL 1.16 has dropped it",
        {kl: 1.0},
    ),
    Version(
        MPO,
        "Wang et al. 2024 (InternVL)",
        MPO.loss + Rational(1, 5) * (_shifted - BCO.loss),
        "its BCO part measures rewards from their running mean",
        {kl: 1.0},
    ),
    Version(
        CDPO,
        f"{DPO_TRAINER}, loss_type sigmoid with label_smoothing",
        DPO.loss,
        "the smoothing is silently ignored",
    ),
    Version(
        ROBUST,
        f"{DPO_TRAINER}, loss_type robust",
        DPO.loss,
        "label_smoothing is 0 unless set, which leaves DPO",
    ),
    Version(
        SLIC_HF,
        f"{DPO_TRAINER}, loss_type hinge",
        HINGE.loss,
        "log-ratios to the reference, a margin of 1/β, and no likelihood term",
        {beta: 0.1},
    ),
    Version(
        RRHF,
        "GanjinZero/RRHF, train.py",
        100 * (RRHF.loss + lam * logp_w) + SFT.loss,
        "the hinge weighs 100, and the likelihood term is a mean over positions",
    ),
    Version(
        DPO_NORM,
        "Lambert et al. 2024 (Tülu 3)",
        DPO_NORM.loss,
        "same loss, a larger default of β for means are smaller than sums",
        {beta: 5.0},
    ),
    Version(
        DPO_ALPHA,
        f"{DPO_TRAINER}, f_divergence_type alpha_divergence",
        DPO_ALPHA.loss.replace(expm1, lambda u: expm1(80 - relu(80 - u))),
        "the exponent is cut at 80 (11 in half precision): beyond it, nothing pulls",
    ),
    Version(
        DDRO,
        "chen2026's formula without its continuation",
        DDRO.loss.replace(linlog, log),
        "undefined where π_l reaches twice π_ref,l",
    ),
    Version(
        SFT,
        f"{DPO_TRAINER}, loss_type sft",
        SFT.loss,
        "same loss of one response; a batch is averaged over tokens, so long responses count more",
    ),
    Version(
        ORPO,
        "TRL 1.16, experimental ORPOTrainer",
        ORPO.loss,
        "same loss but for the likelihood term, which is a mean over the prompt's tokens too",
    ),
)
