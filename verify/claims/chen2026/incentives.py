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
from ...deciding.logic import equal, every

r_w, r_l = logp_w - ref_w, logp_l - ref_l
z_margin, margin = logp_w - logp_l, r_w - r_l
per_token = logp_w / len_w - logp_l / len_l
pull_dpo = beta * sigmoid(-beta * margin)
pull_simpo = beta * sigmoid(gamma - beta * per_token)
pull_cpo = beta * sigmoid(-beta * z_margin)
at_w, at_l = beta * (r_w - kl), beta * (kl - r_l)
LAST = 2 - Rational(1, 10**6)
SAME = "Also the norm ratio is that of the same log-probabilities: one z serves both."


def row(
    objective: Objective,
    d_w: Expr,
    d_l: Expr,
    printed: str,
    *,
    given: tuple[Boolean, ...] = (),
    slug: str = "",
    note: str = "",
) -> Claim:
    """State the incentives of one objective."""
    return Claim(
        id=f"chen2026.incentives.{slug or objective.name.lower()}",
        locator=f"Official implementation, {objective.name}",
        says=rf"{objective.name}: {printed}",
        given=given,
        holds=every(equal(objective.d_w, d_w), equal(objective.d_l, d_l)),
        note=note,
    )


CLAIMS = (
    row(DPO, pull_dpo, pull_dpo, r"$d_w = d_l = \beta\sigma(-\beta\tilde m)$"),
    row(
        TIDPO,
        pull_dpo,
        pull_dpo,
        r"$d_w = d_l = \beta\sigma(-\beta\tilde m)$ with token-weighted log-probabilities",
        note=SAME,
    ),
    row(
        SIMPO,
        pull_simpo / len_w,
        pull_simpo / len_l,
        r"$d_w = d_l = \beta\sigma(\gamma - \beta m)$ with respect to the means per token",
        note="The division by the length is the mean's. " + SAME,
    ),
    row(BCE, sigmoid(-r_w), sigmoid(r_l), r"$d_w = \sigma(-r_w)$, $d_l = \sigma(r_l)$"),
    row(LSIF, exp(r_w), exp(2 * r_l), r"$d_w = e^{r_w}$, $d_l = e^{2r_l}$"),
    row(UKL, Integer(1), exp(r_l), r"$d_w = 1$, $d_l = e^{r_l}$"),
    row(
        DDRO,
        Integer(1),
        exp(r_l) / (2 - exp(r_l)),
        r"$d_w = 1$, $d_l = \frac{e^{r_l}}{2 - e^{r_l}}$ for $e^{r_l} \le 2 - 10^{-6}$",
        given=(exp(r_l) <= LAST,),
    ),
    row(
        DDRO,
        Integer(1),
        10**6 * exp(r_l),
        r"$d_w = 1$, $d_l = 10^6e^{r_l}$ for $e^{r_l} \ge 2 - 10^{-6}$, where the loss is "
        "continued by its tangent",
        given=(exp(r_l) >= LAST,),
        slug="ddro-tangent",
        note="Capping d_l instead would change the objective.",
    ),
    row(
        IPO,
        2 * (1 / (2 * beta) - margin),
        2 * (1 / (2 * beta) - margin),
        r"$d_w = d_l = 2(\frac{1}{2\tau} - \tilde m)$",
        note="β is the τ of print.",
    ),
    row(
        CPO,
        pull_cpo + lam,
        pull_cpo,
        r"$d_w = \beta\sigma(-\beta m) + \lambda$, $d_l = \beta\sigma(-\beta m)$",
    ),
    row(
        SLIC,
        step(delta - z_margin) + lam,
        step(delta - z_margin),
        r"$d_w = 1[m < \gamma] + \lambda$, $d_l = 1[m < \gamma]$",
        note="δ is the γ of print.",
    ),
    row(
        KTO,
        lam_w * beta * sigmoid(at_w) * sigmoid(-at_w),
        lam_l * beta * sigmoid(at_l) * sigmoid(-at_l),
        r"$d_w = \lambda_D\beta\sigma'(\beta(r_w - K))$, $d_l = \lambda_U\beta\sigma'(\beta(K - "
        r"r_l))$",
        note="K, here z_ref, is a detached estimate of the batch.",
    ),
)
