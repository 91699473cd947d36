"""Sections 4.2 and 4.3 and appendix B.2: learnable logits."""

from dataclasses import replace

from sympy import Expr, Ge, Integer, Lt

from disband.verify.claims.yuan2025 import learnable_logits as logits
from disband.verify.deciding.logic import equal
from tests.verify.second.pairs.pair import CLAIMS, Pair, row_of
from tests.verify.second.pairs.section_3_1 import STEP
from tests.verify.second.section_4_2 import (
    after_l,
    after_w,
    before,
    before_l,
    count,
    middle,
    token_before,
    weighted,
)

ROWS: dict[Expr, Expr] = {
    **STEP,
    **row_of(logits.s, middle),
    **row_of(logits.p, after_w),
    **row_of(logits.q, after_l),
    logits.suffix: count,
}
BEFORE: dict[Expr, Expr] = {
    **row_of(logits.p, before),
    **row_of(logits.q, before_l),
    token_before: Integer(1),
}
OF_22 = "eq. (13), read with the probabilities as in (22), and of the signs of both"
ONE_ROW = "eq. (14), read with both gradients in one row of logits"
REJECTED = (
    "section 4.2, both decrease, read of the rejected response, at and after the differing token"
)
OF_PAL = "The second has the assumption of Pal et al., the ledger any rows."

PAIRS = (
    Pair("eq12", "eq. (12)", BEFORE),
    Pair("eq13", "eq. (13), read as the value printed", ROWS),
    Pair("eq13.repaired", OF_22, ROWS, states=(0,)),
    Pair("eq13.nonnegative", OF_22, ROWS, states=(2,)),
    Pair("theorem3.at-differing", OF_22, ROWS, states=(1,)),
    Pair(
        "theorem3.step-size",
        "Theorem 3, read up to the factor η β c(θ), with (22) for (13), both gradients in one row",
        ROWS,
        states=(0,),
        assumes="The second has C > 0 for the signs.",
    ),
    Pair(
        "eq14",
        "eq. (14), read with s_{w,i} and s_{l,i} as logits of their own: the value",
        ROWS,
    ),
    Pair("eq14.repaired", f"{ONE_ROW}, decrease as does not increase", ROWS, states=(0,)),
    Pair("eq14.nonpositive", f"{ONE_ROW}, decrease as does not increase", ROWS, states=(1,)),
    Pair("theorem3.suffix-decreases", f"{ONE_ROW}, decrease as strictly decreases", ROWS),
    Pair(
        "theorem3.chosen-falls",
        "section 4.2, both decrease, read of whole responses, likely as: somewhere",
        ROWS,
        first=replace(
            CLAIMS["yuan2025.theorem3.chosen-falls"],
            given=(
                *logits.SIMPLEX,
                *logits.ROWS,
                *logits.PAL,
                logits.p_j > logits.q_j,
                equal(logits.s_j, logits.s_k),
            ),
            holds=Lt(logits.differing_w + logits.shared_change, 0),
            exists=False,
        ),
    ),
    Pair("theorem3.rejected-falls", REJECTED, ROWS),
    Pair("theorem3.rejected-token-falls", (OF_22, REJECTED), ROWS, states=(1, 3)),
    Pair("theorem3.lower-bound", "section 4.2, lower bound", ROWS),
    Pair(
        "shared-tokens",
        "section 4.2, shared tokens, read under Model Setup 2, with both gradients in one row of "
        "logits",
        ROWS,
        assumes=OF_PAL,
    ),
    Pair(
        "section1.token-level",
        "section 4.2, sentence and tokens",
        {**ROWS, count: Integer(1)},
        assumes=OF_PAL,
    ),
    Pair("token-products", "section 4.3, differing token, read for any row", ROWS),
    Pair("token-products.identical", "section 4.3, identical tokens", ROWS),
    Pair("eq22", "eq. (22)", ROWS, states=(0, 1)),
    Pair("eq22.nonnegative", "eq. (22)", ROWS, states=(2,)),
    Pair("eq22.expansion", "eq. (22)", ROWS, states=(1,)),
    Pair(
        "eq23",
        "eq. (23), read with both gradients in one row of logits, after the differing token",
        ROWS,
    ),
    Pair(
        "b2.one-direction",
        (f"{ONE_ROW}, decrease as does not increase", REJECTED),
        ROWS,
        states=(1, 3),
        first=replace(
            CLAIMS["yuan2025.b2.one-direction"],
            given=logits.ROWS,
            holds=Ge(logits.shared_change * logits.rejected_change, 0),
        ),
    ),
    Pair(
        "b2.vector",
        "appendix B.2, difference of gradients, read with every entry at least zero, as printed",
        ROWS,
        differs="Which entries the display calls at least zero is open: the ledger reads all but "
        "the one of the common token, as the assumption has it, the second every one.",
        at=weighted("s_w_", "s_l_", s_w_=(2, 1, 1), s_l_=(1, 1, 1)),
        first=replace(CLAIMS["yuan2025.b2.vector"], holds=Ge(logits.q_j - logits.p_j, 0)),
    ),
)
