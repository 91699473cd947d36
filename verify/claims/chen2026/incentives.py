r"""Incentives of the objectives that the paper compares, as its official implementation has them.

With z the log-probabilities: :math:`r_w = z_w - ref_w`, :math:`r_l = z_l - ref_l`,
:math:`m = z_w - z_l`, :math:`\tilde m = r_w - r_l`.
"""

from sympy import Expr, Integer, Rational, exp
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import sigmoid, step
from disband.theory.objective import Objective
from disband.theory.objectives import BCE, CPO, DDRO, DPO, IPO, KTO, LSIF, SIMPO, SLIC, TIDPO, UKL
from disband.theory.symbols import (
    beta,
    delta,
    gamma,
    kl,
    lam,
    lam_l,
    lam_w,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_l,
    ref_w,
)

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, implies

r_w, r_l = logp_w - ref_w, logp_l - ref_l
z_margin, margin = logp_w - logp_l, r_w - r_l
per_token = logp_w / len_w - logp_l / len_l
pull_dpo = beta * sigmoid(-beta * margin)
pull_simpo = beta * sigmoid(gamma - beta * per_token)
pull_cpo = beta * sigmoid(-beta * z_margin)
at_w, at_l = beta * (r_w - kl), beta * (kl - r_l)
LAST = 2 - Rational(1, 10**6)


def row(objective: Objective, d_w: Expr, d_l: Expr, *, where: Boolean | None = None) -> Boolean:
    """State the incentives of one objective, and where it has them."""
    stated = every(equal(objective.d_w, d_w), equal(objective.d_l, d_l))
    return stated if where is None else implies(where, stated)


ROWS = {
    "DPO": row(DPO, pull_dpo, pull_dpo),
    "TIDPO, of token-weighted log-probabilities": row(TIDPO, pull_dpo, pull_dpo),
    "SimPO, of means per token": row(SIMPO, pull_simpo / len_w, pull_simpo / len_l),
    "BCE": row(BCE, sigmoid(-r_w), sigmoid(r_l)),
    "LSIF": row(LSIF, exp(r_w), exp(2 * r_l)),
    "UKL": row(UKL, Integer(1), exp(r_l)),
    "DDRO": row(DDRO, Integer(1), exp(r_l) / (2 - exp(r_l)), where=exp(r_l) <= LAST),
    "DDRO, continued by its tangent": row(
        DDRO, Integer(1), 10**6 * exp(r_l), where=exp(r_l) >= LAST
    ),
    "IPO": row(IPO, 2 * (1 / (2 * beta) - margin), 2 * (1 / (2 * beta) - margin)),
    "CPO": row(CPO, pull_cpo + lam, pull_cpo),
    "SLiC": row(SLIC, step(delta - z_margin) + lam, step(delta - z_margin)),
    "KTO": row(
        KTO,
        lam_w * beta * sigmoid(at_w) * sigmoid(-at_w),
        lam_l * beta * sigmoid(at_l) * sigmoid(-at_l),
    ),
}

CLAIMS = (
    Claim(
        id="chen2026.incentives",
        locator="Official implementation, objectives",
        says="The objectives of the comparison have the incentives of the table.",
        holds=every(*ROWS.values()),
        cases=ROWS,
        note="β is the τ of IPO, δ the γ of SLiC, z_ref the detached K of KTO. SimPO divides by "
        "the lengths because its log-probabilities are means; one z serves incentives and norms. "
        "Capping d_l of DDRO instead of continuing its loss would change the objective.",
    ),
)
