"""Section 3.2 and the rest of appendix A.1: the general loss, Condition 2, Table 2."""

from dataclasses import replace

from sympy import Integer, Ne, Symbol

from disband.theory.symbols import (
    A,
    B,
    X,
    alpha,
    d_l,
    kl,
    lam,
    ref_w,
)
from disband.verify.claims.yuan2025 import general
from tests.verify.second.alphabet import alpha_, lambda_, norm_l, norm_w, z_ref
from tests.verify.second.general import Lambda, at, h_l, h_w, m
from tests.verify.second.pairs.pair import CLAIMS, Pair
from tests.verify.second.pairs.section_3_1 import BASIS
from tests.verify.second.table_2 import ref_prob_w

FUNCTIONS = {
    general.m: lambda argument: at(m, argument),
    general.h_w: lambda argument: at(h_w, argument),
    general.h_l: lambda argument: at(h_l, argument),
    general.Lambda: lambda argument: at(Lambda, argument),
}
NORMS = {A: norm_w**2, B: norm_l**2}
_below = Symbol("below", positive=True)
NOT_ZERO = "In the ledger neither gradient is zero."
CONSTANTS = {alpha: alpha_, lam: lambda_, kl: z_ref}
ROW = (
    "The second states the coefficients of the row by (7) and (8), the ledger that they are those "
    "of the loss that the row is named for."
)
OPEN_SIGNS = "The ledger has α, λ, z_ref ≥ 0, which the caption of Table 2 does not print."

PAIRS = (
    Pair("eq7", "eq. (7)", functions=FUNCTIONS),
    Pair("eq8", "eq. (8)", functions=FUNCTIONS),
    Pair("general.chosen", "section 3.2, general entanglement", functions=FUNCTIONS, states=(0,)),
    Pair("general.rejected", "section 3.2, general entanglement", functions=FUNCTIONS, states=(1,)),
    Pair("eq9", "eq. (9), read as printed, for incentives of any sign", assumes=NOT_ZERO),
    Pair("eq9.repaired", "eq. (9), read with d_l > 0"),
    Pair("eq10", "eq. (10), read as printed, for incentives of any sign", assumes=NOT_ZERO),
    Pair("eq10.repaired", "eq. (10), read with d_w > 0"),
    Pair(
        "lenient-strict",
        "section 3.2, lenient and strict, read for the condition that is more lenient than DPO's",
        assumes="The second has both gradients not zero.",
    ),
    Pair(
        "calibrated-ratio",
        "section 3.2, reweighed incentives, read with the parts as the inequalities (9) and (10)",
        NORMS,
    ),
    Pair(
        "calibrated-ratio", "section 5.1, ratio of norms", NORMS, assumes="The second has d_l > 0."
    ),
    Pair(
        "calibrated-ratio.ideal",
        "section 3.2, reweighed incentives, read with the parts as the changes, "
        "for positive incentives",
        NORMS,
        first=replace(
            CLAIMS["yuan2025.calibrated-ratio.ideal"],
            given=(A > 0, B > 0, Ne(d_l, 0), general.CENTRE),
        ),
    ),
    Pair(
        "similar-norms",
        "section 3.2, similar norms",
        {X: B * (1 - _below / 20)},
        assumes="Positively correlated: of a cosine of 9/10 in the ledger, of any in the second.",
        first=replace(CLAIMS["yuan2025.similar-norms"], exists=False),
    ),
    Pair(
        "a1.general-gradient",
        "appendix A.1, general changes, read as printed, with ∇ℓ the gradient of (6)",
        assumes=NOT_ZERO,
    ),
    Pair(
        "a1.general-gradient.repaired",
        "appendix A.1, gradient of the general loss, read with the other sign",
        {**BASIS, A: Integer(1), B: Integer(1), X: Integer(0)},
        functions=FUNCTIONS,
        scales=(Integer(-1),),
    ),
    Pair("regularizer.only-chosen", ("eq. (7)", "eq. (8)"), functions=FUNCTIONS),
    *(
        Pair(f"table2.{slug}", f"Table 2, {name}", CONSTANTS, assumes=assumes)
        for slug, name, assumes in (
            ("simpo", "SimPO", ""),
            ("rrhf", "RRHF", OPEN_SIGNS),
            ("slic-hf", "SlicHF", OPEN_SIGNS),
            ("cpo", "CPO", OPEN_SIGNS),
        )
    ),
    *(
        Pair(f"table2.{slug}", f"Table 2, {name}", CONSTANTS, row=ROW, assumes=assumes)
        for slug, name, assumes in (
            ("dpo", "DPO", ""),
            ("r-dpo", "R-DPO", OPEN_SIGNS),
            ("ipo", "IPO", ""),
            ("dpop", "DPOP", OPEN_SIGNS),
            ("kto", "KTO", OPEN_SIGNS),
            ("sppo", "SPPO", ""),
        )
    ),
    Pair(
        "table2.dpo",
        "Table 2, DPO against (2), read as printed",
        apart="The ledger compares the slopes of the two losses, the second their values.",
    ),
    Pair(
        "table2.dpo.repaired",
        "Table 2, DPO against (2), read with β c_ref for c_ref",
        apart="The ledger compares the slopes of the two losses, the second their values.",
    ),
    Pair(
        "table2.sppo",
        "Table 2, SPPO against appendix A.2, read as printed",
        apart="The ledger has the loss of SPPO's authors, the second that of appendix A.2.",
    ),
    Pair(
        "table2.log-of-log",
        "Table 2, logarithm of c_ref^w, read literally: log c_ref^w needs c_ref^w > 0, "
        "where c_ref^w is log π_ref(y_w|x)",
        {ref_w: ref_prob_w},
    ),
)
