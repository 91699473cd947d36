"""Sections 3.2.1 and 3.3 and appendix A.2: what Condition 2 says of the methods."""

from dataclasses import replace

from sympy import Ge, Integer

from disband.theory.objectives import IPO, RRHF, SIMPO
from disband.theory.symbols import d_l, d_w, lam, len_l, len_w, logp_w
from disband.verify.claims.yuan2025 import methods
from disband.verify.deciding.logic import equal
from tests.verify.second.alphabet import lambda_
from tests.verify.second.methods import slope_of_regularizer
from tests.verify.second.pairs.pair import CLAIMS, Pair
from tests.verify.second.pairs.sections_1_and_2 import AUTHORS, LAMBDA_NOT_ZERO

LAMBDA = {lam: lambda_}
SIMPO_PUSH = {d_l: SIMPO.d_l}
CLEARED = "The ledger clears the denominators, the second divides."
BOTH_NOT_ZERO = "The second has both gradients not zero."

PAIRS = (
    Pair("dpo.ratio", "section 3.2.1, DPO", apart=CLEARED),
    Pair(
        "sppo.ratio",
        "section 3.2.1, SPPO, ratio (footnote 7), read of the loss of appendix A.2",
        first=replace(
            CLAIMS["yuan2025.sppo.ratio"],
            holds=equal(methods.sppo_w / methods.sppo_l, logp_w / methods.beta / methods.sppo_l),
        ),
    ),
    Pair(
        "sppo.above-one",
        "section 3.2.1, SPPO, ratio above one, read with large as β⁻¹ > -log π_l",
    ),
    Pair(
        "sppo.easier",
        "section 3.2.1, SPPO, easier and harder",
        states=(0,),
        assumes="The ledger has what DPO's condition asks, the second gradients that are not zero.",
    ),
    Pair(
        "sppo.harder",
        "section 3.2.1, SPPO, easier and harder",
        states=(1,),
        assumes="The ledger has what SPPO's condition asks, the second gradients not zero.",
    ),
    Pair(
        "kto.ratio",
        "section 3.2.1, KTO, read with ∝ as a factor that does not depend on λ_w and λ_l",
        apart=AUTHORS,
    ),
    *(
        Pair(
            f"regularizer.{slug}",
            f"section 3.2.1, regularizer of {name}, read with λ > 0",
            LAMBDA,
            assumes=LAMBDA_NOT_ZERO,
        )
        for slug, name in (("cpo", "CPO"), ("rrhf", "RRHF"), ("slic-hf", "SlicHF"))
    ),
    Pair(
        "regularizer.dpop",
        "section 3.2.1, regularizer of DPOP, read of d_l",
        LAMBDA,
        apart=AUTHORS,
        assumes=LAMBDA_NOT_ZERO,
    ),
    Pair(
        "regularizer.lenient",
        "section 3.2.1, regularizers and (9)",
        {lam: (d_w + slope_of_regularizer) / d_l},
        assumes="The ledger has the larger ratio λ of either sign of d_l, and (9) for the smaller.",
    ),
    Pair("simpo.ratio", "section 3.2.1, SimPO, ratio", apart=CLEARED),
    Pair("eq11.chosen", ("eq. (11)", "eq. (11), sufficient and necessary"), SIMPO_PUSH),
    Pair("eq11.rejected", ("eq. (11)", "eq. (11), sufficient and necessary"), SIMPO_PUSH),
    Pair(
        "simpo.more-lenient",
        "eq. (11), more lenient than DPO, read as implied by the condition of DPO, "
        "longer meaning larger",
        assumes="One norm is at least twice the other in the ledger, larger in the second.",
    ),
    Pair(
        "simpo.proportional",
        "eq. (11), more lenient than DPO, read as implied by the condition of DPO, "
        "for norms in proportion to lengths",
    ),
    Pair(
        "ipo.length",
        "section 3.2.1, the same reasoning for IPO (footnote 9), read with h_w(a) = a/|y_w| and "
        "h_l(a) = a/|y_l|, as footnote 9 says of TRL",
        apart="The ledger averages the reference too and clears the denominators.",
        first=replace(CLAIMS["yuan2025.ipo.length"], holds=equal(IPO.d_w * len_w, IPO.d_l * len_l)),
    ),
    Pair(
        "rrhf.length",
        "section 3.2.1, the same reasoning for RRHF, read without the regularizer, "
        "below the margin",
        LAMBDA,
        apart=f"{CLEARED} The ledger says besides what the regularizer adds.",
        assumes="The second is below the margin; the ledger has λ > 0 for what it adds.",
        first=replace(
            CLAIMS["yuan2025.rrhf.length"],
            given=(),
            holds=equal(RRHF.d_w * len_w, RRHF.d_l * len_l),
        ),
    ),
    Pair(
        "section3.3.margin",
        "section 3.3, SimPO, average margin",
        SIMPO_PUSH,
        apart="The ledger says it of averaged IPO too, the second of SimPO alone.",
        first=replace(
            CLAIMS["yuan2025.section3.3.margin"],
            holds=Ge(methods.simpo_w / len_w - methods.simpo_l / len_l, 0),
        ),
    ),
    Pair(
        "section3.3.average-may-fall",
        "section 3.3, SimPO, average chosen",
        SIMPO_PUSH,
        assumes="In the ledger the margin grows.",
    ),
    Pair(
        "a2.flow",
        "appendix A.2, gradient, read as printed, without the factor two",
        scales=(Integer(-1),),
    ),
    Pair(
        "a2.flow.repaired",
        "appendix A.2, gradient, read up to a positive factor, here two",
        scales=(Integer(-1),),
    ),
    Pair("a2.chosen", "appendix A.2, chosen", assumes=BOTH_NOT_ZERO),
    Pair("a2.rejected", "appendix A.2, rejected", assumes=BOTH_NOT_ZERO),
)
