"""Section 5: normalized gradients, and the loss of masked tokens."""

from dataclasses import replace

from sympy import Add, Expr, Ge, Integer, Le, Rational, Symbol, exp

from disband.theory.kernels.primitives import logsigmoid
from disband.theory.objectives import DPO
from disband.theory.symbols import beta, logp_l, logp_w, ref_l, ref_w
from disband.verify.claims.yuan2025 import designs, entanglement
from disband.verify.deciding.logic import equal, every
from tests.verify.second.pairs.pair import CLAIMS, Pair
from tests.verify.second.pairs.section_3_1 import ODDS
from tests.verify.second.pairs.section_3_2 import NORMS
from tests.verify.second.section_5 import factor, power, ratios, small

_parts = Symbol("parts", positive=True)
LOG_RATIOS: dict[Expr, Expr] = {
    logp_w: ref_w + Add(*ratios["w"]),
    logp_l: ref_l + Add(*ratios["l"]),
}

# As printed, without the factor β.
PRINTED = -logsigmoid((logp_w - ref_w) - (logp_l - ref_l))

PAIRS = (
    Pair(
        "section5.normalised",
        "section 5.1, update rule, read as a gradient to descend, with C < 0",
        {**NORMS, designs.Q: factor, entanglement.C: factor},
        assumes="The ledger has scores that are not parallel and C of either sign.",
        first=replace(
            CLAIMS["yuan2025.section5.normalised"],
            given=designs.NORMS,
            holds=every(Ge(-designs.unit_w, 0), Le(-designs.unit_l, 0)),
        ),
    ),
    Pair("section5.dpo-star", "section 5.1, modified DPO", {**NORMS, **ODDS}),
    Pair(
        "section5.masked",
        "section 5.2, masked loss, read with every token shown, against DPO with β = 1",
        {**LOG_RATIOS, beta: Integer(1)},
        states=(0,),
        exponential=True,
        assumes="The second says that every token is shown, the ledger that log-probabilities "
        "are negative.",
        first=replace(CLAIMS["yuan2025.section5.masked"], holds=equal(PRINTED, DPO.loss)),
    ),
    Pair(
        "section5.indicator",
        "section 5.2, sigmoid for the indicator, read for u ≠ r, as k grows",
        {power: exp(designs.sharp * designs.above), small: 1 / (1 + _parts)},
        apart="The ledger bounds the error at any k, the second finds a k for any error.",
        assumes="The second has u ≠ r; the ledger says what the error is at u = r.",
        first=replace(
            CLAIMS["yuan2025.section5.indicator"],
            given=(designs.sharp >= 1,),
            holds=Le(designs.off.subs(designs.sharp, 1000 * designs.sharp), Rational(1, 100)),
        ),
    ),
)
