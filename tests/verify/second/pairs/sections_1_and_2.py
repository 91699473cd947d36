"""Sections 1 and 2: the general form, and what is said of existing methods."""

from dataclasses import replace

from sympy import Integer

from disband.theory.objectives import RRHF
from disband.theory.symbols import beta, lam, len_l, len_w, logp_l, logp_w
from disband.verify.claims.yuan2025 import entanglement
from disband.verify.deciding.logic import equal
from tests.verify.second.alphabet import C, lambda_, shift
from tests.verify.second.general import JETS
from tests.verify.second.pairs.pair import CLAIMS, Pair

# One step of one size: both formalisations call it C.
STEP = {entanglement.C: C}
# DPO's functions h, an m through zero, and a margin of one.
m1, m2, hw1, hw2, hl1, hl2, _, _ = JETS
OF_DPO = {
    m1: Integer(1),
    m2: Integer(0),
    hw1: beta,
    hw2: Integer(0),
    hl1: beta,
    hl2: Integer(0),
    logp_l: logp_w - 1,
}
SLOPES = "The ledger states the slopes of DPO's loss, the second the losses for any m, h_w, h_l."
SHIFTED = (
    "The ledger compares the two incentives, the second what is before and after a shift of both "
    "log-probabilities."
)
AUTHORS = "The ledger takes the loss of the method's authors, the second the row of Table 2."
LAMBDA_NOT_ZERO = "The second has λ > 0, the ledger λ ≥ 0."
SIGN_OF_LAMBDA = "The ledger has λ ≥ 0, which the caption of Table 2 does not print."

PAIRS = (
    Pair(
        "eq1",
        "eq. (1), read as (6) without its regularizer, with m of the other sign",
        OF_DPO,
        apart=SLOPES,
    ),
    Pair(
        "eq1.table2",
        "eq. (1), read as (6) without its regularizer, with the same m",
        OF_DPO,
        apart=SLOPES,
    ),
    Pair(
        "eq1.table2.repaired",
        "eq. (1), read as (6) without its regularizer, with m of the other sign",
        OF_DPO,
        apart=SLOPES,
    ),
    Pair(
        "section1.chosen-may-fall",
        "section 3.3, DPO",
        STEP,
        assumes="The ledger takes the fall of the rejected and the growth of the margin for given.",
    ),
    Pair("eq2", "eq. (2)", states=(0,), exponential=True),
    Pair("section2.ipo-margin", "section 2.2, margin alone, IPO", scales=(Integer(-1),)),
    Pair(
        "section2.slic-hf-margin",
        "section 2.2, margin alone, SlicHF",
        {lam: lambda_},
        apart=SHIFTED,
        assumes=SIGN_OF_LAMBDA,
    ),
    Pair("section2.r-dpo-margin", "section 2.2, margin alone, R-DPO", apart=AUTHORS),
    Pair("section2.simpo-margin", "section 2.2, margin alone, SimPO", scales=(len_w,)),
    Pair(
        "section2.rrhf-margin",
        "section 2.2, margin alone, RRHF",
        {lam: lambda_},
        apart=SHIFTED,
        differs="'Dependent on the length-normalized margin': the ledger takes the regularizer "
        "of Table 2 aside, the second reads 'on it alone', which the regularizer breaks.",
        at={logp_w: -2, logp_l: -1, len_w: 1, len_l: 1, lambda_: 1, shift: 1},
        first=replace(
            CLAIMS["yuan2025.section2.rrhf-margin"],
            holds=equal(RRHF.d_w * len_w, RRHF.d_l * len_l),
        ),
    ),
    Pair(
        "section2.dpop-like-dpo",
        "Table 2, DPOP above the reference",
        {lam: lambda_},
        apart=AUTHORS,
        assumes=SIGN_OF_LAMBDA,
    ),
    Pair(
        "section2.cpo-regularizes",
        (
            "section 3.2.1, regularizer of CPO, read with λ > 0",
            "section 3.2.1, regularizer of SlicHF, read with λ > 0",
        ),
        {lam: lambda_},
        assumes=LAMBDA_NOT_ZERO,
    ),
)
