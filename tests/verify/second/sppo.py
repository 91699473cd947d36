"""Sections 3.2.1 and A.2: what Condition 2 says of SPPO."""

from fractions import Fraction

from sympy import And, Eq, Equivalent, Implies, Ne

from disband.theory.symbols import A, B, X, beta, logp_l, logp_w
from tests.verify.second.alphabet import CAUCHY_SCHWARZ, change_l, change_w, ratio
from tests.verify.second.statement import Second, named, same
from tests.verify.second.table_2 import BY_NAME, sppo_loss

alpha_sppo = named("alpha_sppo", "α of appendix A.2, (β⁻¹ - log π_w)/(β⁻¹ + log π_l)")
sppo_ratio = (1 / beta - logp_w) / (1 / beta + logp_l)
LARGE = 1 / beta > -logp_l
row = BY_NAME["SPPO"]
SPPO_FLOW = (
    Eq(change_w, -(logp_w - 1 / beta) * A - (logp_l + 1 / beta) * X),
    Eq(change_l, -(logp_w - 1 / beta) * X - (logp_l + 1 / beta) * B),
)

ENTRIES = [
    Second(
        key="yuan2025 section 3.2.1, SPPO, ratio (footnote 7)",
        where="3.2.1",
        words="where ... is a large constant",
        given=(Ne(1 / beta + logp_l, 0),),
        states=(same(row.by_7 / row.by_8, sppo_ratio),),
        reading="of the row of Table 2 by (7) and (8)",
        fails_at={logp_w: -1, logp_l: -1, beta: Fraction(1, 2)},
    ),
    Second(
        key="yuan2025 section 3.2.1, SPPO, ratio (footnote 7)",
        where="3.2.1",
        words="where ... is a large constant",
        given=(Ne(1 / beta + logp_l, 0),),
        states=(same(-sppo_loss.diff(logp_w) / sppo_loss.diff(logp_l), sppo_ratio),),
        reading="of the loss of appendix A.2",
    ),
    *(
        Second(
            key="yuan2025 section 3.2.1, SPPO, ratio above one",
            where="3.2.1",
            words="where ... is a large constant",
            given=(given,),
            states=(sppo_ratio > 1,),
            reading=reading,
            remark="Both log-probabilities are negative: at two zeros the ratio would be one.",
            fails_at=fails_at,
        )
        for given, reading, fails_at in (
            (LARGE, "with large as β⁻¹ > -log π_l", None),
            (
                Ne(1 / beta + logp_l, 0),
                "for any β > 0",
                {logp_w: -1, logp_l: -2, beta: 1},
            ),
        )
    ),
    Second(
        key="yuan2025 section 3.2.1, SPPO, easier and harder",
        where="3.2.1",
        words="easier for ... to increase based on (9) and harder for ... to decrease due to (10)",
        given=(A > 0, B > 0, LARGE, Eq(ratio, sppo_ratio)),
        states=(ratio * A > A, B / ratio < B),
        remark="Read of the bounds of (9) and (10) against those of DPO.",
    ),
    *(
        Second(
            key="yuan2025 appendix A.2, gradient",
            where="A.2",
            words="Now we take a look at non-pairwise loss",
            given=(),
            states=(
                same(sppo_loss.diff(logp_w), factor * (logp_w - 1 / beta)),
                same(sppo_loss.diff(logp_l), factor * (logp_l + 1 / beta)),
            ),
            reading=reading,
            fails_at=fails_at,
        )
        for factor, reading, fails_at in (
            (1, "as printed, without the factor two", {logp_w: -1, logp_l: -1, beta: 2}),
            (2, "up to a positive factor, here two", None),
        )
    ),
    *(
        Second(
            key=f"yuan2025 appendix A.2, {name}",
            where="A.2",
            words=words,
            given=(CAUCHY_SCHWARZ, A > 0, B > 0, LARGE, Eq(alpha_sppo, sppo_ratio), *SPPO_FLOW),
            states=(states,),
            remark=(
                "The flow is read up to a positive factor. β⁻¹ + log π_l > 0 is said there to be "
                "assumed; both gradients are not zero."
            ),
        )
        for name, words, states in (
            ("chosen", "to increase, we need", Equivalent(change_w > 0, alpha_sppo > X / A)),
            ("rejected", "to decrease, we need", Equivalent(change_l < 0, 1 / alpha_sppo > X / B)),
            (
                "easier",
                "goes up more easily but also make ... goes up more easily",
                And(
                    alpha_sppo > 1,
                    Implies(X < A, change_w > 0),
                    Implies(X >= B, change_l > 0),
                ),
            ),
        )
    ),
]
