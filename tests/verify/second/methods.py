"""Sections 2.2, 3.2.1 and 3.3: what Condition 2 says of the methods of Table 2."""

from fractions import Fraction

from sympy import And, Eq, Equivalent, Gt, Implies, Min, Ne

from disband.theory.symbols import (
    A,
    B,
    X,
    beta,
    d_l,
    d_w,
    delta,
    lam_l,
    lam_w,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_w,
)
from tests.verify.second.alphabet import (
    CAUCHY_SCHWARZ,
    change_l,
    change_w,
    lambda_,
    other_lam_l,
    other_lam_w,
    ratio,
    shift,
    z_ref,
)
from tests.verify.second.section_3_1 import DPO
from tests.verify.second.section_3_2 import change_general_l, change_general_w
from tests.verify.second.statement import Second, named, same
from tests.verify.second.table_2 import BY_NAME, DATA

slope_of_regularizer = named("slope_of_regularizer", "Λ'(log π_w)")

row = BY_NAME
kto_ratio = row["KTO"].by_7 / row["KTO"].by_8
simpo_11 = And(
    X / (len_w * len_l) <= A / len_w**2,
    X / (len_w * len_l) <= B / len_l**2,
)
simpo_9_10 = And(ratio * A >= X, B / ratio >= X)
ALONE = "with similar forms that solely depend on the margin"
REGULARIZED = ("CPO", "RRHF", "SlicHF")


def _second(key: str, where: str, words: str, **rest: object) -> Second:
    return Second(key=f"yuan2025 {key}", where=where, words=words, **rest)


def moved(expression, by_w, by_l):
    return expression.subs({logp_w: logp_w + by_w, logp_l: logp_l + by_l}, simultaneous=True)


ENTRIES = [
    *(
        _second(
            f"section 2.2, margin alone, {name}",
            "2.2",
            words,
            given=row[name].given,
            states=(
                same(moved(row[name].by_7, by_w, by_l), row[name].by_7),
                same(moved(row[name].loss, by_w, by_l), row[name].loss),
            )[: 1 if name in ("R-DPO", "SimPO") else 2],
            remark=remark,
            fails_at=fails_at,
        )
        for name, words, by_w, by_l, remark, fails_at in (
            ("IPO", ALONE, shift, shift, "", None),
            (
                "SlicHF",
                ALONE,
                shift,
                shift,
                "Table 2 adds λ log π_w, which the sentence leaves out.",
                DATA | {logp_w: -2, logp_l: -2, delta: 1, lambda_: 1, shift: 1},
            ),
            (
                "R-DPO",
                "but the gradient still relies on the margin",
                shift,
                shift,
                "Stated of d_w = d_l.",
                None,
            ),
            (
                "SimPO",
                "derive a loss dependent on the length-normalized margin",
                shift * len_w,
                shift * len_l,
                "Stated of d_w.",
                None,
            ),
            (
                "RRHF",
                "derive a loss dependent on the length-normalized margin",
                shift * len_w,
                shift * len_l,
                "Table 2 adds λ log π_w, which the sentence leaves out.",
                DATA | {logp_w: -3, logp_l: -2, len_w: 1, len_l: 1, lambda_: 1, shift: 1},
            ),
        )
    ),
    _second(
        "section 3.2.1, DPO",
        "3.2.1",
        "reproducing the Condition 1",
        given=(),
        states=(same(row["DPO"].by_7 / row["DPO"].by_8, 1 + 0 * beta),),
    ),
    _second(
        "section 3.2.1, KTO",
        "3.2.1",
        "no general conclusion on the chosen/rejected probability change can be made",
        given=(),
        states=(
            same(
                kto_ratio * lam_l / lam_w,
                (kto_ratio * lam_l / lam_w).subs({lam_w: other_lam_w, lam_l: other_lam_l}),
            ),
        ),
        reading="with ∝ as a factor that does not depend on λ_w and λ_l",
    ),
    _second(
        "section 3.2.1, KTO",
        "3.2.1",
        "no general conclusion on the chosen/rejected probability change can be made",
        given=(),
        states=(same(kto_ratio * lam_l / lam_w, moved(kto_ratio * lam_l / lam_w, 0, -1)),),
        reading="with ∝ as a factor that does not depend on the pair either",
        fails_at=DATA | {lam_w: 1, lam_l: 1, z_ref: 0},
    ),
    _second(
        "section 3.2.1, KTO",
        "3.2.1",
        "no general conclusion on the chosen/rejected probability change can be made",
        given=(),
        states=(Gt(kto_ratio * lam_l / lam_w, 0, evaluate=False),),
        reading="with ∝ as a positive factor",
        remark="The h_l printed in Table 2 falls in log π_l, so d_l < 0.",
        fails_at=DATA | {lam_w: 1, lam_l: 1, z_ref: 0},
    ),
    *(
        _second(
            f"section 3.2.1, regularizer of {name}",
            "3.2.1",
            "enlarges ... while having no influence on",
            given=(*row[name].given, *sign),
            states=(
                same(row[name].by_7, row[name].by_7.subs(lambda_, 0) + lambda_),
                lambda_ >= 0,
                same(row[name].by_8, row[name].by_8.subs(lambda_, 0)),
            ),
            reading=reading,
            remark="Λ' = λ ≥ 0 is printed; that λ ≥ 0 is not among the constants of Table 2.",
            fails_at=fails_at,
        )
        for name in REGULARIZED
        for sign, reading, fails_at in (
            ((lambda_ > 0,), "with λ > 0", None),
            (
                (),
                "for any λ",
                DATA | {logp_w: -3, len_w: 1, len_l: 1, delta: 1, lambda_: -1},
            ),
        )
    ),
    _second(
        "section 3.2.1, regularizer of DPOP",
        "3.2.1",
        "enlarges ... while having no influence on",
        given=(lambda_ > 0, *row["DPOP"].given),
        states=(same(row["DPOP"].by_8, row["DPOP"].by_8.subs(lambda_, 0)),),
        reading="of d_l",
        remark="Footnote 8 says that it stands in h_w, so it moves m' and with it d_l.",
        fails_at=DATA | {logp_w: -2, lambda_: 1},
    ),
    _second(
        "section 3.2.1, regularizer of DPOP (footnote 8)",
        "3.2.1",
        "As a result, larger",
        given=(lambda_ > 0, logp_w < ref_w),
        states=(
            same(row["DPOP"].by_7 / row["DPOP"].by_8, 1 + lambda_ / beta),
            1 + lambda_ / beta > row["DPO"].by_7 / row["DPO"].by_8,
        ),
        reading="of the ratio below the reference, against DPO",
    ),
    _second(
        "section 3.2.1, regularizers and (9)",
        "3.2.1",
        "makes condition (9) more lenient",
        given=(d_l > 0, slope_of_regularizer >= 0),
        states=(
            (d_w + slope_of_regularizer) / d_l * A >= d_w / d_l * A,
            Implies(d_w / d_l * A >= X, (d_w + slope_of_regularizer) / d_l * A >= X),
        ),
        remark="Needs d_l > 0: RRHF and SlicHF have d_l = 0 once the margin is reached.",
    ),
    _second(
        "section 3.2.1, SimPO, ratio",
        "3.2.1",
        "Length-normalization",
        given=(),
        states=(same(row["SimPO"].by_7 / row["SimPO"].by_8, len_l / len_w),),
    ),
    _second(
        "eq. (11)",
        "3.2.1",
        "condition (9) and (10) can be rewritten as",
        given=(CAUCHY_SCHWARZ, Eq(ratio, len_l / len_w)),
        states=(Equivalent(simpo_9_10, simpo_11),),
    ),
    _second(
        "eq. (11), sufficient and necessary",
        "3.2.1",
        "to ensure increasing chosen log-probability while decreasing rejected",
        given=(
            CAUCHY_SCHWARZ,
            d_l > 0,
            Eq(d_w, d_l * len_l / len_w),
            change_general_w,
            change_general_l,
        ),
        states=(Equivalent(And(change_w >= 0, change_l <= 0), simpo_11),),
    ),
    *(
        _second(
            "eq. (11), more lenient than DPO",
            "3.2.1",
            "more lenient ... when the length ... is biased",
            given=(*given, CAUCHY_SCHWARZ),
            states=(Implies(Min(A, B) >= X, simpo_11),),
            reading=reading,
            remark=(
                "How the norms go with the lengths is open: 'resulting in either the chosen or "
                "rejected gradient norm being significantly higher'."
            ),
            fails_at=fails_at,
        )
        for given, reading, fails_at in (
            (
                (),
                "as implied by the condition of DPO, for all lengths and norms",
                {A: 1, B: 1, X: Fraction(3, 4), len_w: 2, len_l: 1},
            ),
            (
                (len_w > len_l, A > B),
                "as implied by the condition of DPO, longer meaning larger",
                {A: Fraction(5, 4), B: 1, X: Fraction(3, 4), len_w: 2, len_l: 1},
            ),
            (
                (Eq(A, B * len_w**2 / len_l**2),),
                "as implied by the condition of DPO, for norms in proportion to lengths",
                None,
            ),
            (
                (len_w > len_l, A * len_l >= B * len_w),
                "as implied by the condition of DPO, for ‖a‖²/‖b‖² ≥ |y_w|/|y_l| > 1",
                None,
            ),
        )
    ),
    _second(
        "eq. (11), more lenient than DPO",
        "3.2.1",
        "more lenient ... when the length ... is biased",
        given=(CAUCHY_SCHWARZ, Ne(len_w, len_l), Min(A, B) < X),
        states=(simpo_11,),
        exists=True,
        reading="as met somewhere where the condition of DPO is not",
    ),
    *(
        _second(
            f"section 3.2.1, the same reasoning for {name}",
            "3.2.1",
            "The same reasoning also applies to RRHF and IPO",
            given=given,
            states=(same(d_of_w / d_of_l, len_l / len_w),),
            reading=reading,
            remark=remark,
            fails_at=fails_at,
        )
        for name, given, d_of_w, d_of_l, reading, remark, fails_at in (
            (
                "RRHF",
                (logp_w / len_w < logp_l / len_l,),
                row["RRHF"].by_7,
                row["RRHF"].by_8,
                "as printed in Table 2, below the margin",
                "The regularizer adds λ|y_l| to the ratio; above the margin d_l = 0.",
                DATA | {logp_w: -2, len_w: 1, len_l: 1, lambda_: 1},
            ),
            (
                "RRHF",
                (logp_w / len_w < logp_l / len_l,),
                row["RRHF"].by_7.subs(lambda_, 0),
                row["RRHF"].by_8,
                "without the regularizer, below the margin",
                "",
                None,
            ),
            (
                "IPO (footnote 9)",
                (Ne(row["IPO"].by_8, 0),),
                row["IPO"].by_7,
                row["IPO"].by_8,
                "as printed in Table 2",
                "The h_w and h_l of Table 2 are not divided by the length.",
                DATA | {len_w: 1, len_l: 2},
            ),
            (
                "IPO (footnote 9)",
                (Ne(moved(row["IPO"].by_8, logp_w / len_w - logp_w, logp_l / len_l - logp_l), 0),),
                moved(row["IPO"].by_7, logp_w / len_w - logp_w, logp_l / len_l - logp_l) / len_w,
                moved(row["IPO"].by_8, logp_w / len_w - logp_w, logp_l / len_l - logp_l) / len_l,
                "with h_w(a) = a/|y_w| and h_l(a) = a/|y_l|, as footnote 9 says of TRL",
                "",
                None,
            ),
        )
    ),
    _second(
        "section 3.3, DPO",
        "3.3",
        "might result in both terms decreasing, with the rejected ... decreasing more",
        given=DPO,
        states=(change_w < 0, change_l < change_w),
        exists=True,
    ),
    *(
        _second(
            f"section 3.3, SimPO, {what}",
            "3.3",
            words,
            given=(
                CAUCHY_SCHWARZ,
                d_l > 0,
                Eq(d_w, d_l * len_l / len_w),
                change_general_w,
                change_general_l,
            ),
            states=(states,),
            exists=exists,
        )
        for what, words, states, exists in (
            (
                "average margin",
                "an increase in the margin is guaranteed",
                change_w / len_w - change_l / len_l >= 0,
                False,
            ),
            (
                "average chosen",
                "not necessarily an increase in the average chosen log-probability",
                change_w / len_w < 0,
                True,
            ),
        )
    ),
]
