"""Table 2 of yuan2025, fault by fault: what is left of a row once one fault is set aside."""

from sympy import Integer
from sympy.logic.boolalg import Boolean

from disband.theory.objective import Objective
from disband.theory.objectives import DPO, DPOP, KTO, R_DPO, SPPO
from disband.theory.symbols import beta, logp_l, logp_w, ref_l, ref_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, iff
from ..yuan2025.losses import (
    DPO_ROW,
    DPOP_ROW,
    KTO_ROW,
    R_DPO_ROW,
    SINGLE_LOG,
    SPPO_HALVED,
    Row,
    identity,
)

SPPO_NO_REFERENCE = Row(identity, lambda a: -((a - 1 / beta) ** 2), lambda a: (a + 1 / beta) ** 2)
UNIT = (equal(beta, Integer(1)),)


def remaining(
    slug: str,
    says: str,
    row: Row,
    objective: Objective,
    *,
    note: str = "",
    given: tuple[Boolean, ...] = (),
) -> Claim:
    """State that a row has no fault but the one that is set aside."""
    return Claim(
        id=f"disband.table2.{slug}",
        locator=f"Table 2 of yuan2025, row {objective.name}",
        says=says,
        holds=row.instantiates(objective),
        given=given,
        note=note,
    )


CLAIMS = (
    remaining(
        "dpo.beta-one",
        r"At $\beta = 1$ the printed row is DPO: only the factor of $c_{ref}$ is missing.",
        DPO_ROW,
        DPO,
        given=UNIT,
    ),
    remaining(
        "r-dpo.beta-one",
        r"At $\beta = 1$ the printed row is R-DPO.",
        R_DPO_ROW,
        R_DPO,
        note="What fails beside the factor of c_ref: the sign of the length term.",
        given=UNIT,
    ),
    remaining(
        "dpop.beta-one",
        r"At $\beta = 1$ the printed row is DPOP: only factors $\beta$ are missing.",
        DPOP_ROW,
        DPOP,
        note=SINGLE_LOG,
        given=UNIT,
    ),
    remaining(
        "kto.beta-one",
        r"At $\beta = 1$ the printed row is KTO.",
        KTO_ROW,
        KTO,
        note="What fails beside factors β: the sign of $h_l$. " + SINGLE_LOG,
        given=UNIT,
    ),
    remaining(
        "sppo.no-reference",
        r"$m(a) = a$, $h_w(a) = -(a - \beta^{-1})^2$, $h_l(a) = (a + \beta^{-1})^2$ is SPPO: with "
        "the sign of $h_w$ mended nothing else is missing.",
        SPPO_NO_REFERENCE,
        SPPO_HALVED,
        note="What fails beside the sign: the reference policy. This is the loss of appendix A.2.",
    ),
    Claim(
        id="disband.sppo.signs",
        locator="Signs of the incentives, SPPO",
        says=r"SPPO pulls the chosen up and pushes the rejected down iff $\log\frac{\pi_w}"
        r"{\pi_{ref,w}} < \frac{1}{2\beta}$ and $\log\frac{\pi_l}{\pi_{ref,l}} > "
        r"-\frac{1}{2\beta}$: it regresses both to targets.",
        holds=iff(
            (SPPO.d_w > 0) & (SPPO.d_l > 0),
            (logp_w - ref_w < 1 / (2 * beta)) & (logp_l - ref_l > -1 / (2 * beta)),
        ),
    ),
)
