"""Section 3.1: gradient entanglement in DPO, its gradient condition, Table 1."""

from sympy import And, Ge, Gt, Le, Lt, Min, Or, Rational, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.primitives import sigmoid
from disband.theory.objectives import DPO
from disband.theory.symbols import A, B, X, beta, eta, logp_l, logp_w, ref_l, ref_w

from ...deciding.claim import Claim, Grade, Kind, Quantity
from ...deciding.logic import equal, every, iff, implies

GRAM = Gram(A, B, X)
C = Symbol("C", positive=True)

# The change of both log-probabilities under DPO, with the paper's C = ηβc(θ) > 0.
chosen, rejected = first_order(C, C, GRAM)

reward_w, reward_l = beta * (logp_w - ref_w), beta * (logp_l - ref_l)
c = sigmoid(reward_l - reward_w)
exact_w, exact_l = first_order(DPO.d_w, DPO.d_l, GRAM, eta)

case_1 = And(chosen >= 0, rejected <= 0)
case_2 = And(Le(chosen, 0), chosen >= rejected)
case_3 = And(chosen >= rejected, rejected >= 0)
between_2 = And(A <= X, X <= B)
between_3 = And(B <= X, X <= A)
# Two different scores, neither zero.
PROPER = (A > 0, B > 0, A - 2 * X + B > 0)
both_fall = And(Lt(chosen, 0), Lt(rejected, chosen))
both_rise = And(Gt(rejected, 0), Gt(chosen, rejected))

CLAIMS = (
    Claim(
        id="yuan2025.c-positive",
        locator="Section 3.1, definition of c(θ)",
        says=r"$c(\theta) := \sigma(\hat r_\theta(x,y_l) - \hat r_\theta(x,y_w)) > 0$",
        quote=r"$c(\theta) := \sigma(\hat{r}_\theta(x, y_l) - \hat{r}_\theta(x, y_w)) > 0$",
        holds=Gt(c, 0, evaluate=False),
    ),
    Claim(
        id="yuan2025.eq3",
        locator="Section 3.1, eq. (3)",
        says=r"$\nabla\ell_{DPO} = -\beta c(\theta)\,(\nabla\log\pi_w - \nabla\log\pi_l)$",
        quote=r"$\nabla_{\theta} \ell_{\text{DPO}} = -\beta c(\theta) \cdot "
        r"(\nabla_{\theta} \log \pi_w(\theta) - \nabla_{\theta} \log \pi_l(\theta))$",
        holds=every(
            equal(DPO.loss.diff(logp_w), -beta * c),
            equal(DPO.loss.diff(logp_l), beta * c),
        ),
        note="By the chain rule the gradient is this combination of the two scores.",
    ),
    Claim(
        id="yuan2025.eq4",
        locator="Section 3.1, eq. (4)",
        says=r"$\Delta\log\pi_w \approx C(\|\nabla\log\pi_w\|^2 - "
        r"\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$ with $C = \eta\beta c(\theta)$",
        quote=r"$\Delta \log \pi_w \approx C \cdot (\|\nabla \log \pi_w\|^2 - \langle "
        r"\nabla \log \pi_w, \nabla \log \pi_l \rangle)$",
        holds=equal(exact_w, eta * beta * c * (A - X)),
        note="≈ is read as: to first order in the step size.",
    ),
    Claim(
        id="yuan2025.eq5",
        locator="Section 3.1, eq. (5)",
        says=r"$\Delta\log\pi_l \approx C(\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle - "
        r"\|\nabla\log\pi_l\|^2)$",
        quote=r"$\Delta \log \pi_l \approx C \cdot \left( \left\langle \nabla \log \pi_w, "
        r"\nabla \log \pi_l \right\rangle - \|\nabla \log \pi_l\|^2 \right)$",
        holds=equal(exact_l, eta * beta * c * (X - B)),
        note="≈ is read as: to first order in the step size.",
    ),
    Claim(
        id="yuan2025.margin",
        locator="Section 3.1.1, first display",
        says=r"$\Delta(\log\pi_w - \log\pi_l) \approx C(\|\nabla\log\pi_w\|^2 - 2\langle"
        r"\nabla\log\pi_w,\nabla\log\pi_l\rangle + \|\nabla\log\pi_l\|^2)$",
        quote=r"$\Delta(\log \pi_w - \log \pi_l) \approx C \cdot (\|\nabla \log \pi_w\|^2 "
        r"- 2\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle + \|\nabla \log "
        r"\pi_l\|^2) \ge 0$",
        holds=equal(chosen - rejected, C * (A - 2 * X + B)),
    ),
    Claim(
        id="yuan2025.margin.nonnegative",
        locator="Section 3.1.1, first display",
        says=r"The Cauchy–Schwarz inequality ensures $\Delta(\log\pi_w - \log\pi_l) \ge 0$.",
        quote=r"$\Delta(\log \pi_w - \log \pi_l) \approx C \cdot (\|\nabla \log \pi_w\|^2 "
        r"- 2\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle + \|\nabla \log "
        r"\pi_l\|^2) \ge 0$",
        holds=chosen - rejected >= 0,
    ),
    Claim(
        id="yuan2025.condition1.chosen",
        locator="Section 3.1.1, Condition 1, first line",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_w\|^2 "
        r"\iff \Delta\log\pi_w \ge 0$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \leq \|\nabla \log "
        r"\pi_w\|^2 \iff \Delta \log \pi_w \geq 0, \log \pi_w \text{ increases}$",
        holds=iff(X <= A, chosen >= 0),
    ),
    Claim(
        id="yuan2025.condition1.rejected",
        locator="Section 3.1.1, Condition 1, second line",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_l\|^2 "
        r"\iff \Delta\log\pi_l \le 0$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \leq \|\nabla \log "
        r"\pi_l\|^2 \iff \Delta \log \pi_l \leq 0, \log \pi_l \text{ decreases}$",
        holds=iff(X <= B, rejected <= 0),
    ),
    Claim(
        id="yuan2025.condition1.strict",
        locator="Section 3.1.1, Condition 1; Table 1, caption; Condition 2",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_w\|^2 "
        r"\iff \log\pi_w$ increases, and $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le "
        r"\|\nabla\log\pi_l\|^2 \iff \log\pi_l$ decreases.",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \leq \|\nabla \log "
        r"\pi_w\|^2 \iff \Delta \log \pi_w \geq 0, \log \pi_w \text{ increases}$",
        whose=Kind.READ,
        standing=(
            "Condition 1 explains increases by ≥ 0: so read it holds, yuan2025.condition1.chosen.",
            "After Table 1 the inner product is to be less than the smaller squared norm.",
        ),
        given=PROPER,
        holds=every(iff(X <= A, Gt(chosen, 0)), iff(X <= B, Lt(rejected, 0))),
        why="On the edge of a condition the log-probability stands still, which is neither "
        "an increase nor a decrease.",
        note="Increases and decreases read strictly. One remark for Condition 1, both cases "
        "that move together in the caption of Table 1 (both decrease, both increase, one "
        "more than the other), and Condition 2.",
    ),
    Claim(
        id="yuan2025.condition1.strict.repaired",
        locator="Section 3.1.1, Condition 1; Table 1, caption",
        says=r"$\log\pi_w$ increases iff $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle < "
        r"\|\nabla\log\pi_w\|^2$ and $\log\pi_l$ decreases iff it is below "
        r"$\|\nabla\log\pi_l\|^2$; in case 2 of Table 1 both decrease and the rejected "
        r"decreases more iff it exceeds $\|\nabla\log\pi_w\|^2$, in case 3 both increase "
        r"and the chosen increases more iff it exceeds $\|\nabla\log\pi_l\|^2$.",
        holds=every(
            iff(X < A, Gt(chosen, 0)),
            iff(X < B, Lt(rejected, 0)),
            implies(between_2, iff(both_fall, A < X)),
            implies(between_3, iff(both_rise, B < X)),
        ),
    ),
    Claim(
        id="yuan2025.table1.row1",
        locator="Table 1, case 1",
        says=r"$\Delta\log\pi_w \ge 0 \ge \Delta\log\pi_l$ iff $\langle\nabla\log\pi_w,\nabla\log"
        r"\pi_l\rangle \le \min(\|\nabla\log\pi_w\|^2, \|\nabla\log\pi_l\|^2)$",
        quote=r"$\Delta \log \pi_w \ge 0 \ge \Delta \log \pi_l$ $\log \pi_w \uparrow \log "
        r"\pi_l \downarrow$",
        holds=iff(Min(A, B) >= X, case_1),
    ),
    Claim(
        id="yuan2025.table1.row2",
        locator="Table 1, case 2",
        says=r"$0 \ge \Delta\log\pi_w \ge \Delta\log\pi_l$ iff $\|\nabla\log\pi_w\|^2 \le \langle"
        r"\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_l\|^2$",
        quote=r"$0 \ge \Delta \log \pi_w \ge \Delta \log \pi_l$ $\log \pi_w \downarrow \log "
        r"\pi_l \downarrow$",
        holds=iff(between_2, case_2),
    ),
    Claim(
        id="yuan2025.table1.row3",
        locator="Table 1, case 3",
        says=r"$\Delta\log\pi_w \ge \Delta\log\pi_l \ge 0$ iff $\|\nabla\log\pi_l\|^2 \le \langle"
        r"\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_w\|^2$",
        quote=r"$\Delta \log \pi_w \ge \Delta \log \pi_l \ge 0$ $\log \pi_w \uparrow \log "
        r"\pi_l \uparrow$",
        holds=iff(between_3, case_3),
    ),
    Claim(
        id="yuan2025.table1.exhaustive",
        locator="Section 3.1.1, before Table 1",
        says="The three cases depict all possible changes of the two log-probabilities.",
        quote="we summarize three cases that depict all possible changes on the chosen and "
        "rejected log-probabilities",
        holds=Or(case_1, case_2, case_3),
    ),
    Claim(
        id="yuan2025.ideal-only-if",
        locator="Section 3.1.1, after Table 1",
        says=r"The ideal case, $\log\pi_w$ increases and $\log\pi_l$ decreases, only happens when "
        r"the inner product is less than the smaller of the two squared gradient norms.",
        quote=r"the ideal case where the chosen log-probability $\log \pi_w$ increases and "
        r"rejected log-probability $\log \pi_l$ decreases only happens when the gradient "
        r"inner product $\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle$ is less than "
        "the smaller one in the two squared gradient norms",
        holds=implies(And(Gt(chosen, 0), Lt(rejected, 0)), Min(A, B) > X),
    ),
    Claim(
        id="yuan2025.high-correlation",
        locator="Section 3.1.1, after Table 1",
        says="It suggests that when the correlation between the two gradients is high, both "
        "log-probabilities increase or decrease synchronously.",
        quote="It suggests when the correlation between the two gradients is high, the gradient "
        "entanglement will cause the chosen and rejected log-probability to "
        "increase/decrease synchronously.",
        standing=(
            (
                "It is the sentence before: the ideal case only happens where the inner product is "
                "less than the smaller of the two squared norms."
            ),
            "The abstract has the inner product large relative to the individual gradient norms.",
        ),
        given=(X > 0, Ge(X**2, Rational(99, 100) ** 2 * A * B), X**2 < A * B),
        holds=Gt(chosen * rejected, 0),
        grade=Grade.ASSUMPTION,
        why="At equal norms the inner product stays below both squared norms however high "
        "the correlation, so that the chosen rises and the rejected falls; besides a high "
        "correlation it takes unequal norms.",
        where=(
            Quantity("Δlog π_w", chosen, "the chosen's first-order change", C * (A - X)),
            Quantity("Δlog π_l", rejected, "the rejected's first-order change", C * (X - B)),
        ),
        regime=(equal(A, B),),
        note="High correlation is made concrete as a cosine of at least 0.99, below 1.",
    ),
    Claim(
        id="yuan2025.high-correlation.repaired",
        locator="Section 3.1.1, after Table 1",
        says=r"Both move the same way iff the cosine exceeds $\min(r^*, 1/r^*)$ with $r^* = "
        r"\|\nabla\log\pi_l\|/\|\nabla\log\pi_w\|$: unequal norms are needed too.",
        given=(A > 0, B > 0),
        holds=iff(Gt(chosen * rejected, 0), And(X > 0, Min(A, B) < X)),
        note="ρ > min(r*, 1/r*) times ‖a‖‖b‖ reads ⟨a,b⟩ > min(‖a‖², ‖b‖²).",
    ),
)
