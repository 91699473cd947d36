"""Sections 3.2 and A.1: the general loss (6), its coefficients (7) and (8), and Condition 2."""

from fractions import Fraction

from sympy import And, Eq, Equivalent, Implies, Ne, Xor

from disband.theory.symbols import A, B, X, d_l, d_w, eta, logp_l, logp_w
from tests.verify.second.alphabet import (
    CAUCHY_SCHWARZ,
    GRAM_OF_GRADIENTS,
    a,
    b,
    change_l,
    change_w,
    inner,
    norm_l,
    norm_w,
    ratio,
)
from tests.verify.second.general import at, d_l_8, d_w_7, h_l, h_w, loss_6, m, regularizer
from tests.verify.second.section_3_1 import APPROX
from tests.verify.second.statement import Second, same

gradient = [loss_6.diff(logp_w) * u + loss_6.diff(logp_l) * v for u, v in zip(a, b, strict=True)]
DEFINED = (Eq(d_w, d_w_7), Eq(d_l, d_l_8))

change_general_w = Eq(change_w, eta * (d_w * A - d_l * X))
change_general_l = Eq(change_l, eta * (d_w * X - d_l * B))
GENERAL = (CAUCHY_SCHWARZ, change_general_w, change_general_l)
chosen_9 = d_w / d_l * A >= X
rejected_10 = d_l / d_w * B >= X
SIGN = (
    "The signs of d_w and d_l are not printed. A quotient of them needs both not zero, and the "
    "equivalence needs the denominator positive."
)

ENTRIES = [
    Second(
        key="yuan2025 eq. (6)",
        where="3.2",
        words="we additionally consider regularizers used in these losses",
        given=(),
        states=(same(loss_6 + regularizer, -at(m, at(h_w, logp_w) - at(h_l, logp_l))),),
        remark="A definition; stated is that all but Λ depends on the margin of h_w and h_l.",
    ),
    Second(
        key="yuan2025 section 3.2, general entanglement",
        where="3.2",
        words="The chosen log-probability change depends on the rejected gradient, and vice versa",
        given=(*DEFINED, *GRAM_OF_GRADIENTS),
        states=(
            same(inner(a, [-eta * g for g in gradient]), eta * (d_w * A - d_l * X)),
            same(inner(b, [-eta * g for g in gradient]), eta * (d_w * X - d_l * B)),
        ),
        remark=APPROX,
    ),
    Second(
        key="yuan2025 eq. (7)",
        where="3.2",
        words="are scalars defined as",
        given=(),
        states=(same(-loss_6.diff(logp_w), d_w_7),),
        remark="A definition; stated is that it is minus the slope of (6) in log π_w.",
    ),
    Second(
        key="yuan2025 eq. (8)",
        where="3.2",
        words="are scalars defined as",
        given=(),
        states=(same(loss_6.diff(logp_l), d_l_8),),
        remark="A definition; stated is that it is the slope of (6) in log π_l.",
    ),
    Second(
        key="yuan2025 eq. (9)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, Ne(d_l, 0)),
        states=(Equivalent(chosen_9, change_w >= 0),),
        reading="as printed, for incentives of any sign",
        remark=f"{SIGN} Increases is read as does not decrease.",
        fails_at={A: 1, B: 1, X: 0, d_w: 1, d_l: -1, eta: 1},
    ),
    Second(
        key="yuan2025 eq. (9)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, d_l > 0),
        states=(Equivalent(chosen_9, change_w >= 0),),
        reading="with d_l > 0",
        remark=f"{SIGN} Here d_w may have any sign.",
    ),
    Second(
        key="yuan2025 eq. (9)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, d_w > 0, d_l > 0),
        states=(Equivalent(chosen_9, change_w > 0),),
        reading="with positive incentives, and increases as strictly increases",
        fails_at={A: 1, B: 1, X: 1, d_w: 1, d_l: 1, eta: 1},
    ),
    Second(
        key="yuan2025 eq. (10)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, Ne(d_w, 0)),
        states=(Equivalent(rejected_10, change_l <= 0),),
        reading="as printed, for incentives of any sign",
        remark=f"{SIGN} Decreases is read as does not increase.",
        fails_at={A: 1, B: 1, X: 0, d_w: -1, d_l: -1, eta: 1},
    ),
    Second(
        key="yuan2025 eq. (10)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, d_w > 0),
        states=(Equivalent(rejected_10, change_l <= 0),),
        reading="with d_w > 0",
        remark=f"{SIGN} Here d_l may have any sign.",
    ),
    Second(
        key="yuan2025 eq. (10)",
        where="3.2",
        words="the conditions for ... to increase and for ... to decrease are",
        given=(*GENERAL, d_w > 0, d_l > 0),
        states=(Equivalent(rejected_10, change_l < 0),),
        reading="with positive incentives, and decreases as strictly decreases",
        fails_at={A: 1, B: 1, X: 1, d_w: 1, d_l: 1, eta: 1},
    ),
    Second(
        key="yuan2025 section 3.2, lenient and strict",
        where="3.2",
        words="for one condition to be more lenient ... the other condition becomes more strict",
        given=(A > 0, B > 0, Ne(d_w, 0), Ne(d_l, 0), Eq(ratio, d_w / d_l)),
        states=(
            Implies(ratio > 1, And(ratio * A > A, B / ratio < B)),
            Implies(1 / ratio > 1, And(B / ratio > B, ratio * A < A)),
        ),
        remark="Lenient and strict are read as a bound on ⟨a, b⟩ above and below that of DPO.",
        reading="for the condition that is more lenient than DPO's",
    ),
    Second(
        key="yuan2025 section 3.2, lenient and strict",
        where="3.2",
        words="for one condition to be more lenient ... the other condition becomes more strict",
        given=(A > 0, B > 0, Ne(d_w, 0), Ne(d_l, 0), Eq(ratio, d_w / d_l)),
        states=(Equivalent(ratio > 1, 1 / ratio < 1),),
        reading="as an equivalence, for ratios of any sign",
        fails_at={A: 1, B: 1, d_w: -1, d_l: 1},
    ),
    Second(
        key="yuan2025 section 3.2, similar norms",
        where="3.2",
        words="it is likely that one of (9) and (10) holds while the other fails",
        given=(Eq(A, B), CAUCHY_SCHWARZ, X > 0, d_w > 0, d_l > 0),
        states=(Xor(chosen_9, rejected_10),),
        exists=True,
        remark="Similar norms are read as equal; likely as: there are such incentives.",
    ),
    Second(
        key="yuan2025 section 3.2, similar norms",
        where="3.2",
        words="it is likely that one of (9) and (10) holds while the other fails",
        given=(Eq(A, B), CAUCHY_SCHWARZ, X > 0, d_w > 0, d_l > 0),
        states=(Xor(chosen_9, rejected_10),),
        reading="as always",
        fails_at={B: 1, X: Fraction(1, 2), d_w: 1, d_l: 1},
    ),
    Second(
        key="yuan2025 section 3.2, reweighed incentives",
        where="3.2",
        words="which ensures that both parts in Condition 2 are satisfied at the same time",
        given=(
            Eq(A, norm_w**2),
            Eq(B, norm_l**2),
            CAUCHY_SCHWARZ,
            Ne(d_l, 0),
            Eq(d_w, d_l * norm_l / norm_w),
        ),
        states=(chosen_9, rejected_10),
        reading="with the parts as the inequalities (9) and (10)",
        remark="Holds for incentives of either common sign; needs both gradients not zero.",
    ),
    *(
        Second(
            key="yuan2025 section 3.2, reweighed incentives",
            where="3.2",
            words="which ensures that both parts in Condition 2 are satisfied at the same time",
            given=(
                Eq(A, norm_w**2),
                Eq(B, norm_l**2),
                sign,
                Eq(d_w, d_l * norm_l / norm_w),
                *GENERAL,
            ),
            states=(change_w >= 0, change_l <= 0),
            reading=reading,
            fails_at=fails_at,
        )
        for sign, reading, fails_at in (
            (
                Ne(d_l, 0),
                "with the parts as the changes, for incentives of any sign",
                {norm_w: 1, norm_l: 1, X: 0, d_l: -1, eta: 1},
            ),
            (d_l > 0, "with the parts as the changes, for positive incentives", None),
        )
    ),
    Second(
        key="yuan2025 appendix A.1, gradient of the general loss",
        where="A.1",
        words="the gradient of (6) can be written as",
        given=DEFINED,
        states=tuple(same(g, d_w * u - d_l * v) for g, u, v in zip(gradient, a, b, strict=True)),
        reading="as printed",
        remark="(6) has a minus, so its gradient has one too.",
        fails_at=dict.fromkeys(loss_6.free_symbols, 1)
        | {logp_w: -1, logp_l: -2, a[0]: 1, a[1]: 0, b[0]: 0, b[1]: 0},
    ),
    Second(
        key="yuan2025 appendix A.1, gradient of the general loss",
        where="A.1",
        words="the gradient of (6) can be written as",
        given=DEFINED,
        states=tuple(same(g, -(d_w * u - d_l * v)) for g, u, v in zip(gradient, a, b, strict=True)),
        reading="with the other sign",
    ),
    Second(
        key="yuan2025 appendix A.1, general changes",
        where="A.1",
        words="for decreasing the loss",
        given=(*DEFINED, *GRAM_OF_GRADIENTS),
        states=(
            same(inner(a, [eta * g for g in gradient]), eta * (d_w * A - d_l * X)),
            same(inner(b, [eta * g for g in gradient]), eta * (d_w * X - d_l * B)),
        ),
        reading="as printed, with ∇ℓ the gradient of (6)",
        remark=(
            "The missing minus of the gradient and that of the descent undo one another: the "
            "result is the one of section 3.2."
        ),
        fails_at=dict.fromkeys(loss_6.free_symbols, 1)
        | {logp_w: -1, logp_l: -2, a[0]: 1, a[1]: 0, b[0]: 0, b[1]: 0, eta: 1},
    ),
]
