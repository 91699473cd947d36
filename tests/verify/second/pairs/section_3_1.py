"""Section 3.1 and the part of appendix A.1 that is about DPO."""

from sympy import Expr, Integer, Symbol, exp

from disband.theory.symbols import A, B, X, beta, eta, logp_l, logp_w, ref_l, ref_w
from disband.verify.claims.yuan2025 import entanglement
from tests.verify.second.alphabet import C, a, b, odds
from tests.verify.second.pairs.pair import Pair

STEP = {entanglement.C: C}
ODDS = {odds: exp(beta * (logp_l - ref_l) - beta * (logp_w - ref_w))}
# The two gradients as the first and the second unit vector: an entry of a combination of them
# is its coefficient.
BASIS: dict[Expr, Expr] = {
    a[0]: Integer(1),
    a[1]: Integer(0),
    b[0]: Integer(0),
    b[1]: Integer(1),
}
# Two squared norms near an inner product.
_above_w, _above_l = Symbol("above_w", real=True), Symbol("above_l", real=True)
NEAR = {A: X * (1 + _above_w / 200), B: X * (1 + _above_l / 200)}
NOT_ZERO = "The ledger asks for two different gradients, neither zero, where it fails still."

PAIRS = (
    Pair("c-positive", "section 3.1, c(θ) > 0"),
    Pair("eq3", "eq. (3)", BASIS),
    Pair("eq4", "eq. (4)", ODDS, states=(1,)),
    Pair("eq5", "eq. (5)", ODDS, states=(1,)),
    Pair(
        "box.rejected",
        "eq. (5)",
        ODDS,
        states=(1,),
        differs="The sentence before (5) prints Δ log π_w for the rejected change: the ledger "
        "takes it at its word, the second reads what (5) says.",
        at={
            a[0]: 1,
            a[1]: 0,
            b[0]: 0,
            b[1]: 1,
            eta: 1,
            beta: 1,
            logp_w: -1,
            logp_l: -1,
            ref_w: -1,
            ref_l: -1,
        },
        assumes=NOT_ZERO,
    ),
    Pair("box.absence", "section 3.1, without the inner product, read with C as one number", STEP),
    Pair("margin", "section 3.1.1, change of the margin", STEP, states=(0,)),
    Pair("margin.nonnegative", "section 3.1.1, change of the margin", STEP, states=(1,)),
    Pair(
        "condition1.chosen", "Condition 1, chosen, read with increases as does not decrease", STEP
    ),
    Pair(
        "condition1.rejected",
        "Condition 1, rejected, read with decreases as does not increase",
        STEP,
    ),
    Pair(
        "condition1.strict",
        (
            "Condition 1, chosen, read with increases as strictly increases",
            "Condition 1, rejected, read with decreases as strictly decreases",
        ),
        STEP,
        assumes=NOT_ZERO,
    ),
    *(Pair(f"table1.row{number}", f"Table 1, case {number}", STEP) for number in (1, 2, 3)),
    Pair("table1.exhaustive", ("Table 1, all cases", "Table 1, case 2"), STEP),
    Pair(
        "ideal-only-if",
        "section 3.1.1, ideal case, read with less as at most, or strictly on both sides",
        STEP,
        states=(1,),
    ),
    Pair(
        "high-correlation",
        "section 3.1.1, high correlation, read with high as a cosine near one, here at least 9/10",
        {**STEP, **NEAR},
        assumes="High is a cosine of 99/100 and below one in the ledger, of 9/10 in the second.",
    ),
    Pair(
        "high-correlation.repaired",
        "section 3.1.1, high correlation, read with high as an inner product above the smaller "
        "squared norm",
        STEP,
        assumes="The second has this high correlation, the ledger says what it is equivalent to.",
    ),
    Pair("a1.dpo-step", "appendix A.1, DPO, read as printed, with ∇ℓ the gradient (3)", ODDS),
    Pair(
        "a1.dpo-step.repaired",
        "appendix A.1, DPO, read with the step -η∇ℓ for decreasing the loss",
        ODDS,
    ),
)
