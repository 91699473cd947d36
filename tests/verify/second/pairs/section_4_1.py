"""Section 4.1 and appendix B.1: a learnable last layer."""

from dataclasses import replace

from sympy import And, Expr, Gt, Integer, Lt, Max, Min, Piecewise, Symbol
from sympy.logic.boolalg import Boolean

from disband.theory.models.vocabulary import V
from disband.verify.claims.yuan2025 import last_layer, tokens
from disband.verify.deciding.logic import equal
from tests.verify.second.alphabet import inner
from tests.verify.second.pairs.pair import CLAIMS, Pair, row_of
from tests.verify.second.pairs.section_3_1 import STEP
from tests.verify.second.section_4_1 import (
    PREFIX_OF_REJECTED,
    M,
    common,
    first_row,
    g,
    h,
    i_l,
    i_w,
    last_l,
    last_w,
    prefix,
    theta,
)
from tests.verify.second.section_4_1 import V as TOKENS


def _whether(condition: Boolean) -> Expr:
    return Piecewise((Integer(1), condition), (Integer(0), True))


def _within(token: Expr, size: int) -> Expr:
    """The token, or the first ones where there are no more than ``size``."""
    return token - size * Max(0, Min(1, token - size))


_further = Symbol("further", positive=True, integer=True)
# The rejected token is another one than the chosen.
OTHER: dict[Expr, Expr] = {i_l: _within(i_w + _within(_further, TOKENS - 1), TOKENS)}
SUPPORT: dict[Expr, Expr] = {
    **STEP,
    **OTHER,
    V: Integer(TOKENS),
    last_layer.i_w: _whether(i_w <= M),
    last_layer.i_l: _whether(i_l <= M),
}
# One shared token before the last one; three tokens in the vocabulary, all in the support.
PREFIX: dict[Expr, Expr] = {
    **STEP,
    M: Integer(3),
    last_layer.H: inner(h, h),
    last_layer.H1: inner(g, g),
    last_layer.kappa: inner(g, h),
    **row_of(last_layer.q, first_row),
    **row_of(
        last_layer.e,
        [_whether(common <= 1), _whether((common > 1) & (common < 3)), _whether(common >= 3)],
    ),
}
_any = Symbol("any", positive=True, integer=True)
PRODUCTS: dict[Expr, Expr] = {
    common: _within(_any, 3),
    M: Integer(3),
    last_layer.H: inner(h, h),
    last_layer.P: inner(prefix, prefix),
    last_layer.P_w: inner(prefix, last_w),
    last_layer.P_l: inner(prefix, last_l),
}
# The columns of three tokens under a hidden state of one entry that is not zero.
COLUMNS: dict[Expr, Expr] = {
    h[1]: Integer(0),
    tokens.h: h[0],
    tokens.R: Integer(0),
    tokens.th_w: theta[0][0],
    tokens.th_l: theta[0][1],
    tokens.th_j: theta[0][2],
}
AMONG = "Theorem 1, read with both tokens among the M, increases as does not decrease"
STRICTLY = "Theorem 1, read with both tokens among the M and h ≠ 0, strictly"
NOT_PARALLEL = "In the ledger the two hidden states are not parallel."
DERIVED = "The ledger states an identity of numbers, the second derives it for tokens of four."
EARLIER = "yuan2025.theorem1"

PAIRS = (
    Pair(
        "theorem1.inner",
        AMONG,
        SUPPORT,
        states=(0,),
        first=replace(CLAIMS[f"{EARLIER}.inner"], given=last_layer.CONCENTRATED),
    ),
    Pair(
        "theorem1.norms",
        AMONG,
        SUPPORT,
        states=(1, 2),
        first=replace(CLAIMS[f"{EARLIER}.norms"], given=last_layer.CONCENTRATED),
    ),
    Pair(
        "theorem1.condition",
        AMONG,
        SUPPORT,
        states=(3, 4),
        assumes="In the ledger the tokens are anywhere in the vocabulary.",
    ),
    Pair(
        "theorem1.directions",
        STRICTLY,
        SUPPORT,
        states=(0, 1),
        first=replace(
            CLAIMS[f"{EARLIER}.directions"], given=(*last_layer.CONCENTRATED, last_layer.H > 0)
        ),
    ),
    Pair(
        "theorem1.support",
        "Theorem 1, read with tokens anywhere in the vocabulary",
        SUPPORT,
        assumes="In the ledger h is not zero and M ≥ 2, where it fails still.",
    ),
    Pair(
        "theorem1.negative",
        "Theorem 1, negative inner product, read with h ≠ 0",
        SUPPORT,
        first=replace(
            CLAIMS[f"{EARLIER}.negative"],
            given=(*last_layer.CONCENTRATED, last_layer.H > 0, M >= 2),
        ),
    ),
    Pair(
        "corollary2.equal-norms",
        "Corollary 2, read of whole responses: equal norms",
        PREFIX,
        assumes=NOT_PARALLEL,
    ),
    Pair(
        "corollary2.inner",
        "Corollary 2, read of whole responses: the gradient condition",
        PREFIX,
        states=(0,),
        assumes=NOT_PARALLEL,
    ),
    Pair(
        "corollary2.directions",
        "Corollary 2, read of whole responses: the changes",
        PREFIX,
        assumes=NOT_PARALLEL,
        first=replace(
            CLAIMS["yuan2025.corollary2.directions"],
            holds=And(Gt(last_layer.sentence_w, 0), Lt(last_layer.sentence_l, 0)),
        ),
    ),
    Pair(
        "b1.wlog",
        "appendix B.1, reduction to the last token, read for responses of more than one token",
        PRODUCTS,
        differs="'Without loss of generality': the ledger says when the reduction holds, the "
        "second reads it of all responses, of which it fails.",
        at={**PREFIX_OF_REJECTED, _any: 2},
        first=replace(
            CLAIMS["yuan2025.b1.wlog"],
            holds=equal(last_layer.ANY_PREFIX.dot, -last_layer.H / M),
        ),
    ),
    Pair("eq17", ("eq. (17)", "eq. (18)"), COLUMNS),
    Pair("eq21", "eq. (21)", OTHER, states=(0, 1), assumes=DERIVED),
    Pair("b1.norm", "appendix B.1, squared norms", OTHER, states=(0, 2), assumes=DERIVED),
)
