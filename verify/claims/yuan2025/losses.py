r"""Table 2: each row read through the loss (6), :math:`\ell = -(m(h_w - h_l) + \Lambda)`.

A row instantiates an objective if both have the same incentives, that is, the same loss up to a
constant. The objectives are those of :mod:`disband.theory.objectives`, written from their own
papers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Gt, Integer, Ne
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import logsigmoid, relu, sigmoid
from disband.theory.objective import Objective
from disband.theory.objectives import CPO, DPO, DPOP, IPO, KTO, R_DPO, RRHF, SIMPO, SLIC_HF, SPPO
from disband.theory.symbols import (
    alpha,
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

from ...deciding.claim import Claim, Grade
from ...deciding.logic import equal, every

Scalar = Callable[[Expr], Expr]
c_ref = ref_w - ref_l


def identity(a: Expr) -> Expr:
    """The map a ↦ a."""
    return a


def nothing(a: Expr) -> Expr:
    """The absent regularizer."""
    return Integer(0) * a


@dataclass(frozen=True)
class Row:
    """One row of Table 2: the functions m, h_w, h_l and Λ."""

    m: Scalar
    h_w: Scalar
    h_l: Scalar
    regularizer: Scalar = nothing

    @property
    def loss(self) -> Expr:
        """The loss of eq. (6)."""
        return -(self.m(self.h_w(logp_w) - self.h_l(logp_l)) + self.regularizer(logp_w))

    def instantiates(self, objective: Objective) -> Expr:
        """State that the row has the incentives of ``objective``."""
        return every(
            equal(-self.loss.diff(logp_w), objective.d_w),
            equal(self.loss.diff(logp_l), objective.d_l),
        )


def scaled(factor: Expr) -> Scalar:
    """The map a ↦ factor · a."""
    return lambda a: factor * a


def row_claim(
    slug: str,
    says: str,
    row: Row,
    objective: Objective,
    *,
    quote: str = "",
    why: str = "",
    standing: tuple[str, ...] = (),
    regime: tuple[Boolean, ...] = (),
    note: str = "",
) -> Claim:
    """State that ``row`` instantiates ``objective``."""
    return Claim(
        id=f"yuan2025.table2.{slug}",
        locator=f"Table 2, row {objective.name}",
        says=says,
        quote=quote,
        standing=(EQ6, CONSTANTS, *standing) if quote else (),
        holds=row.instantiates(objective),
        grade=Grade.SIGN if why else None,
        why=why,
        regime=regime,
        note=note,
    )


# SPPO in the parametrisation of the paper, whose 1/β is twice as large as TRL's 1/(2β).
SPPO_HALVED = Objective(SPPO.name, SPPO.loss.subs(beta, beta / 2), SPPO.source, SPPO.defaults)

DPO_ROW = Row(lambda a: logsigmoid(a - c_ref), scaled(beta), scaled(beta))
DPO_MENDED = Row(lambda a: logsigmoid(a - beta * c_ref), scaled(beta), scaled(beta))
R_DPO_ROW = Row(
    lambda a: logsigmoid(a - (c_ref + alpha * (len_w - len_l))), scaled(beta), scaled(beta)
)
R_DPO_MENDED = Row(
    lambda a: logsigmoid(a - (beta * c_ref - alpha * (len_w - len_l))), scaled(beta), scaled(beta)
)
SIMPO_ROW = Row(lambda a: logsigmoid(a - gamma), scaled(beta / len_w), scaled(beta / len_l))
IPO_ROW = Row(lambda a: (a - (c_ref + 1 / (2 * beta))) ** 2, identity, identity)
IPO_MENDED = Row(lambda a: -((a - (c_ref + 1 / (2 * beta))) ** 2), identity, identity)
RRHF_ROW = Row(lambda a: -relu(-a), scaled(1 / len_w), scaled(1 / len_l), scaled(lam))
SLIC_ROW = Row(lambda a: -relu(-(a - delta)), identity, identity, scaled(lam))
CPO_ROW = Row(logsigmoid, scaled(beta), scaled(beta), scaled(lam))
DPOP_ROW = Row(
    lambda a: logsigmoid(a - c_ref), lambda a: beta * a - lam * relu(ref_w - a), scaled(beta)
)
DPOP_MENDED = Row(
    lambda a: logsigmoid(a - beta * c_ref),
    lambda a: beta * (a - lam * relu(ref_w - a)),
    scaled(beta),
)
KTO_ROW = Row(
    identity,
    lambda a: lam_w * sigmoid(beta * a - (ref_w + kl)),
    lambda a: lam_l * sigmoid((ref_l + kl) - a),
)
KTO_MENDED = Row(
    identity,
    lambda a: lam_w * sigmoid(beta * (a - (ref_w + kl))),
    lambda a: -lam_l * sigmoid(beta * ((ref_l + kl) - a)),
)
SPPO_ROW = Row(identity, lambda a: (a - 1 / beta) ** 2, lambda a: (a + 1 / beta) ** 2)
SPPO_MENDED = Row(
    identity, lambda a: -((a - ref_w - 1 / beta) ** 2), lambda a: (a - ref_l + 1 / beta) ** 2
)
EQ6 = r"The loss is (6), $\ell = -(m(h_w - h_l) + \Lambda)$."
CONSTANTS = "Terms that depend on the reference alone are constants."
SINGLE_LOG = r"$\log c^w_{ref}$ is read as $c^w_{ref} = \log\pi_{ref}(y_w|x)$ itself."

CLAIMS = (
    row_claim(
        "dpo",
        r"$m(a) = \log\sigma(a - c_{ref})$, $h_w(a) = h_l(a) = \beta a$ is DPO.",
        DPO_ROW,
        DPO,
        quote=r"DPO (Rafailov et al.) $\log \sigma(a-c_{\mathrm{ref}})$ $\beta a$ $\beta a$",
        why="The reference enters without the factor β that the log-probabilities carry, "
        "so that at β ≠ 1 it is weighed wrongly.",
        regime=(Ne(beta, 1), Ne(c_ref, 0)),
    ),
    row_claim(
        "dpo.repaired",
        r"$m(a) = \log\sigma(a - \beta c_{ref})$, $h_w(a) = h_l(a) = \beta a$ is DPO.",
        DPO_MENDED,
        DPO,
    ),
    row_claim(
        "r-dpo",
        r"$m(a) = \log\sigma(a - (c_{ref} + \alpha(|y_w| - |y_l|)))$, $h_w = h_l = \beta a$ "
        "is R-DPO.",
        R_DPO_ROW,
        R_DPO,
        quote=r"R-DPO (Park et al.) $\log \sigma(a - (c_{\text{ref}} + \alpha( y_w - y_l "
        r")))$ $\beta a$ $\beta a$",
        why="The difference of lengths has the wrong sign, so that a pair weighs more where its "
        "chosen response is the longer one, and not less; and the reference lacks the factor β.",
        standing=("Appendix C.3: α = 0.2, so positive.",),
        regime=(Gt(alpha, 0), Ne(len_w, len_l), equal(beta, Integer(1))),
    ),
    row_claim(
        "r-dpo.repaired",
        r"$m(a) = \log\sigma(a - (\beta c_{ref} - \alpha(|y_w| - |y_l|)))$, $h_w = h_l = \beta a$ "
        "is R-DPO.",
        R_DPO_MENDED,
        R_DPO,
        note="A penalty −α|y| on the reward makes the implicit reward β log(π/π_ref) + α|y|.",
    ),
    row_claim(
        "simpo",
        r"$m(a) = \log\sigma(a - \gamma)$, $h_w(a) = \frac{\beta}{|y_w|}a$, $h_l(a) = "
        r"\frac{\beta}{|y_l|}a$ is SimPO.",
        SIMPO_ROW,
        SIMPO,
        quote=r"SimPO (Meng et al.) $\log \sigma(a-\gamma)$ $\frac{\beta}{ y_w }a$ "
        r"$\frac{\beta}{ y_l }a$",
    ),
    row_claim(
        "ipo",
        r"$m(a) = (a - (c_{ref} + \frac{1}{2\beta}))^2$, $h_w(a) = h_l(a) = a$ is IPO.",
        IPO_ROW,
        IPO,
        quote=r"IPO (Azar et al.) $(a - (c_{\text{ref}} + \frac{1}{2\beta}))^2$",
        why="The square lacks the minus that the general loss (6) takes away, so that "
        "descent drives the margin away from its target.",
        regime=(Ne(logp_w - logp_l - c_ref, 1 / (2 * beta)),),
    ),
    row_claim(
        "ipo.repaired",
        r"$m(a) = -(a - (c_{ref} + \frac{1}{2\beta}))^2$, $h_w(a) = h_l(a) = a$ is IPO.",
        IPO_MENDED,
        IPO,
        note="The loss (6) is the negative of m: without the minus, descent maximises the square.",
    ),
    row_claim(
        "rrhf",
        r"$m(a) = \min(0, a)$, $h_w(a) = \frac{1}{|y_w|}a$, $h_l(a) = \frac{1}{|y_l|}a$, "
        r"$\Lambda(a) = \lambda a$ is RRHF.",
        RRHF_ROW,
        RRHF,
        quote=r"RRHF (Yuan et al.) $\min(0,a)$ $\frac{1}{ y_w }a$ $\frac{1}{ y_l }a$ "
        r"$\lambda a$",
    ),
    row_claim(
        "slic-hf",
        r"$m(a) = \min(0, a - \delta)$, $h_w = h_l = a$, $\Lambda(a) = \lambda a$ is SLiC-HF.",
        SLIC_ROW,
        SLIC_HF,
        quote=r"SlicHF (Zhao et al.) $\min(0, a - \delta)$",
    ),
    row_claim(
        "cpo",
        r"$m(a) = \log\sigma(a)$, $h_w(a) = h_l(a) = \beta a$, $\Lambda(a) = \lambda a$ is CPO.",
        CPO_ROW,
        CPO,
        quote=r"CPO (Xu et al.) $\log \sigma(a)$ eta a eta a $\lambda a$",
    ),
    row_claim(
        "dpop",
        r"$m(a) = \log\sigma(a - c_{ref})$, $h_w(a) = \beta a - \lambda\max(0, \log c^w_{ref} - a)"
        r"$, $h_l(a) = \beta a$ is DPOP.",
        DPOP_ROW,
        DPOP,
        note=SINGLE_LOG,
        quote=r"DPOP (Pal et al.) $\log \sigma(a-c_{ m ref})$ $\beta a - \lambda \max(0, "
        r"\log c_{\text{ref}}^w - a)$",
        why="The reference lacks the factor β that the log-probabilities carry; so does the "
        "penalty, which only another λ would make up for.",
        standing=("Appendix C.3: λ = 50.",),
        regime=(Ne(beta, 1), Gt(lam, 0), logp_w < ref_w),
    ),
    row_claim(
        "dpop.repaired",
        r"$m(a) = \log\sigma(a - \beta c_{ref})$, $h_w(a) = \beta(a - \lambda\max(0, c^w_{ref} - "
        r"a))$, $h_l(a) = \beta a$ is DPOP.",
        DPOP_MENDED,
        DPOP,
    ),
    row_claim(
        "kto",
        r"$m(a) = a$, $h_w(a) = \lambda_w\sigma(\beta a - (\log c^w_{ref} + z_{ref}))$, "
        r"$h_l(a) = \lambda_l\sigma((\log c^l_{ref} + z_{ref}) - a)$ is KTO.",
        KTO_ROW,
        KTO,
        note=SINGLE_LOG,
        quote=r"KTO (Ethayarajh et al.) a $\lambda_w \sigma(\beta a - (\log "
        r"c_{\text{ref}}^w + z_{\text{ref}}))$ $\lambda_l \sigma((\log c_{\text{ref}}^l + "
        r"z_{\text{ref}}) - a)$",
        why="The function of the rejected response lacks a minus, so that as printed "
        "descent raises the rejected; β is missing from it too, and from the reference.",
        regime=(equal(beta, Integer(1)), Gt(kl, 0)),
    ),
    row_claim(
        "kto.repaired",
        r"$m(a) = a$, $h_w(a) = \lambda_w\sigma(\beta(a - (c^w_{ref} + z_{ref})))$, "
        r"$h_l(a) = -\lambda_l\sigma(\beta((c^l_{ref} + z_{ref}) - a))$ is KTO.",
        KTO_MENDED,
        KTO,
        note="As printed $h_l$ falls in $\\log\\pi_l$, so $d_l < 0$ raises the rejected response.",
    ),
    row_claim(
        "sppo",
        r"$m(a) = a$, $h_w(a) = (a - \beta^{-1})^2$, $h_l(a) = (a + \beta^{-1})^2$ is SPPO.",
        SPPO_ROW,
        SPPO_HALVED,
        quote=r"SPPO (Wu et al.) a $(a - \beta^{-1})^2$ $(a+\beta^{-1})^2$",
        why="The square of the chosen lacks a minus, so that as printed descent drives the "
        "chosen away from its target; and the reference is missing.",
        regime=(Ne(logp_w, ref_w), Ne(logp_l, ref_l)),
    ),
    row_claim(
        "sppo.repaired",
        r"$m(a) = a$, $h_w(a) = -(a - c^w_{ref} - \beta^{-1})^2$, $h_l(a) = (a - c^l_{ref} + "
        r"\beta^{-1})^2$ is SPPO.",
        SPPO_MENDED,
        SPPO_HALVED,
        note="As printed $d_w < 0$ lowers the chosen response, and the reference is missing.",
    ),
    Claim(
        id="yuan2025.table2.log-of-log",
        locator="Table 2, rows DPOP and KTO; definition of $c^w_{ref}$ before it",
        says=r"$\log c^w_{ref}$ is a number, where $c^w_{ref} := \log\pi_{ref}(y_w|x)$.",
        quote=r"$\beta a - \lambda \max(0, \log c_{\text{ref}}^w - a)$",
        standing=(r"Before the table: $c_{\text{ref}}^w := \log\pi_{\text{ref}}(y_w|x)$.",),
        holds=Gt(ref_w, 0, evaluate=False),
        grade=Grade.MISPRINT,
        why="What is already the logarithm of a probability is negative and has no "
        "logarithm; the second log is one too many.",
        note="A real logarithm needs a positive argument; a log-probability is negative.",
    ),
)
