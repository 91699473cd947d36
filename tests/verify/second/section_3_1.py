"""Sections 1 to 3.1 and appendix A.1: the losses (1) and (2), and entanglement in DPO."""

from fractions import Fraction

from sympy import And, Eq, Equivalent, Gt, Implies, Le, Min, Not, Or, exp, log

from disband.theory.symbols import A, B, X, beta, eta, logp_l, logp_w, ref_l, ref_w
from tests.verify.second.alphabet import (
    CAUCHY_SCHWARZ,
    GRAM_OF_GRADIENTS,
    C,
    a,
    b,
    c,
    change_l,
    change_w,
    inner,
    odds,
    other_logp_l,
    other_sq_l,
    other_sq_w,
    shift,
)
from tests.verify.second.general import JETS, loss_1, loss_6, regularizer
from tests.verify.second.statement import Second, same, sigma

log_ratio_w, log_ratio_l = logp_w - ref_w, logp_l - ref_l
dpo_loss = -log(sigma(beta * (log_ratio_w - log_ratio_l)))
# c(θ), of the implicit rewards r̂ = β log(π/π_ref).
c_theta = sigma(beta * log_ratio_l - beta * log_ratio_w)

gradient = [
    dpo_loss.diff(logp_w) * u + dpo_loss.diff(logp_l) * v for u, v in zip(a, b, strict=True)
]
# (3) as printed, and a step of gradient descent along it.
gradient_3 = [-beta * c * (u - v) for u, v in zip(a, b, strict=True)]
step = [-eta * entry for entry in gradient_3]
OF_C = (Eq(c, odds / (1 + odds)), Eq(C, eta * beta * c))

change_4 = Eq(change_w, C * (A - X))
change_5 = Eq(change_l, C * (X - B))
DPO = (*OF_C, CAUCHY_SCHWARZ, change_4, change_5)

CASES = {
    1: (And(change_w >= 0, change_l <= 0), And(X <= A, X <= B)),
    2: (And(change_w <= 0, change_l <= change_w), And(A <= X, X <= B)),
    3: (And(change_w >= change_l, change_l >= 0), And(B <= X, X <= A)),
}
IN_WORDS = {
    1: "Case 1 (Ideal)",
    2: "Case 2: ... both decreases but ... decreases more",
    3: "Case 3: ... both increases but ... increases more",
}
APPROX = "≈ is read as: equal up to terms of second order in η; nothing is said of a finite step."

ENTRIES = [
    Second(
        key="yuan2025 eq. (1)",
        where="1",
        words="margin-based preference optimization loss of the following general form",
        given=(),
        states=(same(loss_1, loss_6 + regularizer),),
        reading="as (6) without its regularizer, with the same m",
        remark="(6) has a minus before m and (1) has none: m of (1) is -m of (6).",
        fails_at=dict.fromkeys(JETS, 1) | {logp_w: -1, logp_l: -2},
    ),
    Second(
        key="yuan2025 eq. (1)",
        where="1",
        words="margin-based preference optimization loss of the following general form",
        given=(),
        states=(same(loss_1, -(loss_6 + regularizer)),),
        reading="as (6) without its regularizer, with m of the other sign",
    ),
    Second(
        key="yuan2025 eq. (2)",
        where="2.2",
        words="They further derive the DPO loss for any triplet",
        given=(),
        states=(
            same(exp(dpo_loss), 1 + exp(-beta * (logp_w - logp_l) + beta * (ref_w - ref_l))),
            same(
                exp(dpo_loss),
                exp(dpo_loss).subs(
                    {logp_w: logp_w + shift, logp_l: logp_l + shift}, simultaneous=True
                ),
            ),
        ),
        remark="A definition; stated is its value and that it depends on the margin alone.",
    ),
    Second(
        key="yuan2025 section 3.1, c(θ) > 0",
        where="3.1",
        words="> 0",
        given=(),
        states=(Gt(c_theta, 0, evaluate=False),),
    ),
    Second(
        key="yuan2025 eq. (3)",
        where="3.1",
        words="the DPO gradient can be rewritten as",
        given=(Eq(c, c_theta),),
        states=tuple(same(g, g3) for g, g3 in zip(gradient, gradient_3, strict=True)),
        remark="For every number of parameters; here two. β > 0 is printed under Table 2 only.",
    ),
    Second(
        key="yuan2025 eq. (4)",
        where="3.1",
        words="The chosen log-probability change ... depends on the rejected gradient",
        given=(*OF_C, *GRAM_OF_GRADIENTS),
        states=(C > 0, same(inner(a, step), C * (A - X))),
        remark=APPROX,
    ),
    Second(
        key="yuan2025 eq. (5)",
        where="3.1",
        words="similarly, the rejected log-probability ... change depends on the chosen gradient",
        given=(*OF_C, *GRAM_OF_GRADIENTS),
        states=(C > 0, same(inner(b, step), C * (X - B))),
        remark=f"{APPROX} The sentence prints Δ log π_w and ∇ log π_l for the other ones.",
    ),
    Second(
        key="yuan2025 section 3.1, without the inner product",
        where="3.1",
        words="will not depend on each other",
        given=(*OF_C, Eq(X, 0)),
        states=(
            same(C * (A - X), (C * (A - X)).subs(B, other_sq_l)),
            same(C * (X - B), (C * (X - B)).subs(A, other_sq_w)),
        ),
        reading="with C as one number",
        remark="Each change is a function of the other response's gradient, here at fixed C.",
    ),
    Second(
        key="yuan2025 section 3.1, without the inner product",
        where="3.1",
        words="will not depend on each other",
        given=(),
        states=(
            same(beta * eta * c_theta * A, (beta * eta * c_theta * A).subs(logp_l, other_logp_l)),
        ),
        reading="with C as the function of both log-probabilities that it is",
        fails_at={
            A: 1,
            beta: 1,
            eta: 1,
            logp_w: -1,
            ref_w: -1,
            ref_l: -1,
            logp_l: -1,
            other_logp_l: -2,
        },
    ),
    Second(
        key="yuan2025 section 3.1.1, change of the margin",
        where="3.1.1",
        words="the Cauchy–Schwarz inequality ensures",
        given=DPO,
        states=(same(change_w - change_l, C * (A - 2 * X + B)), change_w - change_l >= 0),
        remark=APPROX,
    ),
    Second(
        key="yuan2025 Condition 1, chosen",
        where="3.1.1",
        words="to increase ... and decrease ... individually",
        given=DPO,
        states=(Equivalent(X <= A, change_w >= 0),),
        reading="with increases as does not decrease",
        remark=f"{APPROX} C > 0 follows from η, β, c(θ) > 0.",
    ),
    Second(
        key="yuan2025 Condition 1, chosen",
        where="3.1.1",
        words="to increase ... and decrease ... individually",
        given=DPO,
        states=(Equivalent(X <= A, change_w > 0),),
        reading="with increases as strictly increases",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 Condition 1, rejected",
        where="3.1.1",
        words="to increase ... and decrease ... individually",
        given=DPO,
        states=(Equivalent(X <= B, change_l <= 0),),
        reading="with decreases as does not increase",
    ),
    Second(
        key="yuan2025 Condition 1, rejected",
        where="3.1.1",
        words="to increase ... and decrease ... individually",
        given=DPO,
        states=(Equivalent(X <= B, change_l < 0),),
        reading="with decreases as strictly decreases",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    *(
        Second(
            key=f"yuan2025 Table 1, case {number}",
            where="3.1.1",
            words=IN_WORDS[number],
            given=DPO,
            states=(Equivalent(changes, condition),),
            remark="Changes and condition are read as equivalent; uses ⟨a, b⟩² ≤ ‖a‖²‖b‖².",
        )
        for number, (changes, condition) in CASES.items()
    ),
    Second(
        key="yuan2025 Table 1, all cases",
        where="3.1.1",
        words="three cases that depict all possible changes",
        given=DPO,
        states=(
            Or(*(condition for _, condition in CASES.values())),
            Not(And(change_w < 0, change_l > 0)),
        ),
        remark="Uses ⟨a, b⟩² ≤ ‖a‖²‖b‖².",
    ),
    Second(
        key="yuan2025 Table 1, all cases",
        where="3.1.1",
        words="three cases that depict all possible changes",
        given=DPO,
        states=tuple(Not(And(CASES[i][1], CASES[j][1])) for i, j in ((1, 2), (1, 3), (2, 3))),
        reading="as cases that exclude one another",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 Table 1, case 2 in words",
        where="3.1.1",
        words="both decreases but ... decreases more",
        given=(*DPO, A <= X, X <= B),
        states=(change_w < 0, change_l < change_w),
        reading="strictly",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 Table 1, case 3 in words",
        where="3.1.1",
        words="both increases but ... increases more",
        given=(*DPO, B <= X, X <= A),
        states=(change_l > 0, change_w > change_l),
        reading="strictly",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 section 3.1.1, ideal case",
        where="3.1.1",
        words="only happens when the gradient inner product ... is less than the smaller one",
        given=DPO,
        states=(Implies(CASES[1][0], Min(A, B) > X),),
        reading="with less as strictly less and the ideal case as in Table 1",
        fails_at={A: 1, B: 1, X: 1, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 section 3.1.1, ideal case",
        where="3.1.1",
        words="only happens when the gradient inner product ... is less than the smaller one",
        given=DPO,
        states=(
            Implies(CASES[1][0], Le(X, Min(A, B))),
            Implies(And(change_w > 0, change_l < 0), Min(A, B) > X),
        ),
        reading="with less as at most, or strictly on both sides",
    ),
    Second(
        key="yuan2025 section 3.1.1, high correlation",
        where="3.1.1",
        words="when the correlation between the two gradients is high ... will cause",
        given=(*DPO, 100 * X**2 >= 81 * A * B, X > 0),
        states=(change_w * change_l > 0,),
        reading="with high as a cosine near one, here at least 9/10",
        remark="Equal norms refute any cosine below one: a cosine is not compared with norms.",
        fails_at={A: 1, B: 1, X: Fraction(99, 100), eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 section 3.1.1, high correlation",
        where="3.1.1",
        words="when the correlation between the two gradients is high ... will cause",
        given=(*DPO, Min(A, B) < X),
        states=(change_w * change_l > 0,),
        reading="with high as an inner product above the smaller squared norm",
        remark="So the cosine is above the ratio of the smaller norm to the larger.",
    ),
    Second(
        key="yuan2025 appendix A.1, DPO",
        where="A.1",
        words="can be approximated by the first-order Taylor expansion",
        given=(*OF_C, *GRAM_OF_GRADIENTS),
        states=(
            same(inner(a, [eta * g for g in gradient_3]), eta * beta * c * (A - X)),
            same(inner(b, [eta * g for g in gradient_3]), eta * beta * c * (X - B)),
        ),
        reading="as printed, with ∇ℓ the gradient (3)",
        remark="A step of descent is along -∇ℓ: the middle of the printed chain lacks the minus.",
        fails_at={a[0]: 1, a[1]: 0, b[0]: 0, b[1]: 0, eta: 1, beta: 1, odds: 1},
    ),
    Second(
        key="yuan2025 appendix A.1, DPO",
        where="A.1",
        words="can be approximated by the first-order Taylor expansion",
        given=(*OF_C, *GRAM_OF_GRADIENTS),
        states=(
            same(inner(a, step), eta * beta * c * (A - X)),
            same(inner(b, step), eta * beta * c * (X - B)),
        ),
        reading="with the step -η∇ℓ for decreasing the loss",
    ),
]
