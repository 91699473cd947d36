"""Sections 1 and 3: what the running text says about entanglement, rows and methods."""

from sympy import And, Derivative, Expr, Ge, Gt, Integer, Le, Lt, Min, Ne, Not, Or, Rational, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective
from disband.theory.objectives import (
    CPO,
    DPO,
    DPOP,
    IPO,
    KTO,
    R_DPO,
    RRHF,
    SIMPO,
    SLIC_HF,
    SPPO,
)
from disband.theory.symbols import (
    A,
    B,
    X,
    beta,
    d_l,
    d_w,
    delta,
    eta,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_l,
    ref_w,
)

from ...deciding.claim import Claim, Grade, Kind
from ...deciding.logic import equal, every, iff, implies
from .entanglement import PROPER, C, c, chosen, exact_w, rejected
from .general import Lambda, loss
from .methods import AVERAGED, LARGE, simpo_l, simpo_w, sppo_l, sppo_w

GRAM = Gram(A, B, X)
# A common shift of both log-probabilities leaves their margin as it is.
t = Symbol("t", positive=True)


def sees_only_the_margin(objective: Objective) -> Expr:
    """State that a common shift of both log-probabilities changes no incentive."""
    lower = {logp_w: logp_w - t, logp_l: logp_l - t}
    return every(
        equal(objective.d_w.subs(lower, simultaneous=True), objective.d_w),
        equal(objective.d_l.subs(lower, simultaneous=True), objective.d_l),
    )


SIMILAR = (d_w > 0, d_l > 0, equal(A, B), Rational(9, 10) * A <= X, X < A)
eq9, eq10 = d_w / d_l * A >= X, d_l / d_w * B >= X
exactly_one = Or(And(eq9, Not(eq10)), And(eq10, Not(eq9)))
easier_w, harder_l = sppo_w / sppo_l * A >= X, sppo_l / sppo_w * B >= X
sppo_moves = first_order(sppo_w, sppo_l, GRAM)
gap = (logp_w - ref_w) / len_w - (logp_l - ref_l) / len_l - 1 / (2 * beta)
ipo_w, ipo_l = first_order(-AVERAGED.diff(logp_w), AVERAGED.diff(logp_l), GRAM)

CLAIMS = (
    Claim(
        id="yuan2025.section1.all-rely-on-the-margin",
        locator="Section 1, after eq. (1)",
        says=r"At the core, the losses of Table 2 all rely on the margin between $\log\pi_w$ and "
        r"$\log\pi_l$: SPPO does.",
        quote="At the core, they all rely on the margin between the chosen "
        r"log-probability $\log \pi_{\theta}(y_w|x)$ and the rejected log-probability $\log "
        r"\pi_{\theta}(y_l|x)$ .",
        whose=Kind.READ,
        standing=(
            ("Section 2.2: KTO and SPPO do not consider the difference between the likelihood."),
        ),
        holds=sees_only_the_margin(SPPO),
        why="KTO and SPPO look at each response by itself, as section 2.2 says, so that "
        "both incentives change while the margin stays.",
        note="Read as: what leaves the margin as it is leaves the incentives as they are. Section "
        "2.2 says itself that KTO and SPPO do not consider the difference.",
    ),
    Claim(
        id="yuan2025.section1.all-rely-on-the-margin.repaired",
        locator="Section 1, after eq. (1)",
        says=r"DPO, R-DPO, IPO, SLiC-HF and CPO rely on the margin between $\log\pi_w$ and "
        r"$\log\pi_l$, up to the regularizer's constant.",
        holds=every(*(sees_only_the_margin(o) for o in (DPO, R_DPO, IPO, SLIC_HF, CPO))),
    ),
    Claim(
        id="yuan2025.box.rejected",
        locator="Section 3.1, box Gradient Entanglement (DPO), first sentence",
        says=r"The rejected log-probability change $\Delta\log\pi_w$ is that of (5), and it "
        r"depends on the chosen gradient $\nabla\log\pi_l$.",
        quote=r"the rejected log-probability $\Delta \log \pi_w$ change depends on the "
        r"chosen gradient $\nabla \log \pi_l$ :",
        standing=("Eq. (5), which follows, has the right letters.",),
        given=PROPER,
        holds=equal(exact_w, eta * beta * c * (X - B)),
        grade=Grade.MISPRINT,
        why="The letters are swapped: Δ log π_w is the change of the chosen, and the "
        "gradient with l that of the rejected.",
        regime=(X < A, X > 0, Ne(A, B)),
        note="Δlog π_w, which is (4), in the place of the rejected change.",
    ),
    Claim(
        id="yuan2025.box.rejected.repaired",
        locator="Section 3.1, box Gradient Entanglement (DPO), first sentence",
        says=r"The rejected log-probability change $\Delta\log\pi_l$ is that of (5), and it "
        r"depends on the chosen gradient $\nabla\log\pi_w$.",
        holds=every(
            equal(Derivative(rejected, X), C),
            equal(Derivative(rejected, A), Integer(0)),
        ),
        note="It depends on it through the inner product, at the rate C, and not through its norm.",
    ),
    Claim(
        id="yuan2025.box.through-inner-product",
        locator="Section 3.1, after eq. (5)",
        says="The entanglement effect is passed through the inner product between chosen and "
        "rejected gradients.",
        quote=r"the entanglement effect is passed through the inner product $\langle "
        r"\nabla \log \pi_w, \nabla \log \pi_l \rangle$ between chosen and rejected "
        "gradients.",
        holds=every(
            equal(Derivative(chosen, B), Integer(0)),
            equal(Derivative(rejected, A), Integer(0)),
            equal(Derivative(chosen, X), -C),
            equal(Derivative(rejected, X), C),
        ),
    ),
    Claim(
        id="yuan2025.box.absence",
        locator="Section 3.1, after eq. (5)",
        says=r"In the absence of $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle$, the changes "
        r"$\Delta\log\pi_w$ and $\Delta\log\pi_l$ do not depend on each other.",
        quote=r"the log-probability changes $\Delta \log \pi_w$ and $\Delta \log \pi_l$ "
        "will not depend on each other.",
        given=(equal(X, Integer(0)),),
        holds=every(equal(chosen, C * A), equal(rejected, -C * B)),
        note="Neither change sees the other's gradient. The common factor C stays, which depends "
        "on both log-probabilities.",
    ),
    Claim(
        id="yuan2025.condition2.instantiate",
        locator="Section 3.2, after Condition 2",
        says=r"$d_l > 0$ always holds for DPO, R-DPO, SimPO, CPO, DPOP and KTO; for IPO iff the "
        r"margin is below its target, for RRHF and SLiC-HF iff the hinge is active, for SPPO iff "
        r"$\log\frac{\pi_l}{\pi_{ref,l}} > -\frac{1}{2\beta}$.",
        whose=Kind.OURS,
        holds=every(
            *(Gt(o.d_l, 0, evaluate=False) for o in (DPO, R_DPO, SIMPO, CPO, DPOP, KTO)),
            iff(Gt(IPO.d_l, 0), (logp_w - ref_w) - (logp_l - ref_l) < 1 / (2 * beta)),
            iff(Gt(RRHF.d_l, 0), logp_w / len_w < logp_l / len_l),
            iff(Gt(SLIC_HF.d_l, 0), logp_w - logp_l < delta),
            iff(Gt(SPPO.d_l, 0), logp_l - ref_l > -1 / (2 * beta)),
        ),
        note="(9) divides by d_l and needs it positive. The rows as their authors mean them.",
    ),
    Claim(
        id="yuan2025.similar-norms",
        locator="Section 3.2, after Condition 2",
        says="It is likely that at similar norms and a positive correlation one of (9) and "
        "(10) holds while the other fails.",
        quote=r"When $\nabla \log \pi_w$ and $\nabla \log \pi_l$ have similar norms and "
        "are positively correlated, it is likely that one of (9) and (10) holds while the "
        "other fails,",
        given=SIMILAR,
        holds=exactly_one,
        exists=True,
        note="Likely is read as: it happens. Similar is read as equal, positively "
        "correlated as a cosine of at least 0.9, below 1.",
    ),
    Claim(
        id="yuan2025.similar-norms.iff",
        locator="Section 3.2, after Condition 2",
        says=r"At equal norms one of (9) and (10) holds while the other fails iff the cosine "
        r"exceeds $\min(d_w/d_l, d_l/d_w)$: never for DPO.",
        whose=Kind.OURS,
        given=(d_w > 0, d_l > 0, equal(A, B), A > 0),
        holds=iff(exactly_one, Gt(X, Min(d_w / d_l, d_l / d_w) * A)),
        note="⟨a,b⟩ is the cosine times ‖a‖². With d_w = d_l it cannot exceed ‖a‖².",
    ),
    Claim(
        id="yuan2025.regularizer.only-chosen",
        locator="Section 3.2.1, explicit regularization",
        says=r"$\Lambda'$ only appears in (7), not in (8).",
        quote=r"as $\Lambda' \geq 0$ and only appears in (7).",
        holds=every(
            equal(Derivative(loss, logp_l), (loss + Lambda(logp_w)).diff(logp_l)),
            equal(
                -Derivative(loss, logp_w),
                -(loss + Lambda(logp_w)).diff(logp_w) + Lambda(logp_w).diff(logp_w),
            ),
        ),
        note="That Λ' ≥ 0 needs λ ≥ 0 besides, which the caption of Table 2 omits.",
    ),
    Claim(
        id="yuan2025.sppo.easier",
        locator="Section 3.2.1, SPPO; appendix A.2, last sentence",
        says=r"Compared with DPO, it is easier for $\log\pi_w$ to increase based on (9).",
        quote=r"SPPO loss ensures that it is easier for $\log \pi_w$ to increase based on "
        r"(9) and harder for $\log \pi_l$ to decrease due to (10).",
        given=(LARGE, X <= A),
        holds=easier_w,
        note="What meets DPO's condition meets SPPO's; the loss of appendix A.2.",
    ),
    Claim(
        id="yuan2025.sppo.harder",
        locator="Section 3.2.1, SPPO; appendix A.2, last sentence",
        says=r"Compared with DPO, it is harder for $\log\pi_l$ to decrease due to (10).",
        quote=r"SPPO loss ensures that it is easier for $\log \pi_w$ to increase based on "
        r"(9) and harder for $\log \pi_l$ to decrease due to (10).",
        given=(LARGE, harder_l),
        holds=X <= B,
        note="What meets SPPO's condition meets DPO's; the loss of appendix A.2.",
    ),
    Claim(
        id="yuan2025.section3.3.sppo",
        locator="Section 3.3, SPPO",
        says="That under SPPO the chosen increases and the rejected decreases matches the gradient "
        "conditions of section 3.2: where DPO does so, SPPO does.",
        quote="This matches the theoretical intuition obtained from the specialized "
        "gradient conditions for SPPO in Section 3.2.",
        whose=Kind.READ,
        standing=("Section 3.2.1: under SPPO it is harder for the rejected to decrease.",),
        given=(LARGE, X <= A, X <= B),
        holds=every(Ge(sppo_moves[0], 0), Le(sppo_moves[1], 0)),
        regime=(X < A, X < B),
        why="SPPO pulls the chosen harder than it pushes the rejected, which makes the "
        "fall of the rejected harder and not easier, as section 3.2.1 says itself.",
        note="Section 3.2.1 says the opposite of the rejected one.",
    ),
    Claim(
        id="yuan2025.section3.3.sppo.repaired",
        locator="Section 3.3, SPPO",
        says="Where under DPO the chosen increases and the rejected decreases, under SPPO the "
        r"chosen does, and the rejected does iff $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle "
        r"\le \frac{\beta^{-1} + \log\pi_l}{\beta^{-1} - \log\pi_w}\|\nabla\log\pi_l\|^2$.",
        given=(LARGE, X <= A, X <= B),
        holds=every(Ge(sppo_moves[0], 0), iff(Le(sppo_moves[1], 0), harder_l)),
    ),
    Claim(
        id="yuan2025.section3.3.margin",
        locator="Section 3.3, SimPO and IPO",
        says="An increase in the length-normalized margin is guaranteed: under SimPO, and "
        "under averaged IPO below its target.",
        quote="Again, an increase in the margin is guaranteed, but not necessarily an "
        "increase in the average chosen log-probability due to the gradient entanglement "
        "effect.",
        standing=("Footnote 10: IPO is the averaged one here.",),
        holds=every(
            Ge(simpo_w / len_w - simpo_l / len_l, 0),
            implies(Lt(gap, 0), Ge(ipo_w / len_w - ipo_l / len_l, 0)),
        ),
        note="To first order; read as: it does not decrease. IPO starts below its target; "
        "past it, it lowers the margin on purpose.",
    ),
    Claim(
        id="yuan2025.section3.3.average-may-fall",
        locator="Section 3.3, SimPO and IPO",
        says="An increase in the average chosen log-probability is not guaranteed.",
        quote="but not necessarily an increase in the average chosen log-probability due "
        "to the gradient entanglement effect.",
        given=(Gt(simpo_w / len_w - simpo_l / len_l, 0),),
        holds=Lt(simpo_w / len_w, 0),
        exists=True,
    ),
    Claim(
        id="yuan2025.section4.3.negative-product",
        locator="Section 4.3, prediction (1)",
        says="A negative inner product of the two gradients lets DPO raise the chosen and lower "
        "the rejected log-probability.",
        quote="the chosen and rejected gradients will have negative inner product and thus "
        "DPO will allow the chosen log-probability to increase while the rejected to "
        "decrease",
        given=(X < 0,),
        holds=every(Gt(chosen, 0), Lt(rejected, 0)),
    ),
)
