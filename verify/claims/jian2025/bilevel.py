r"""Abstract, sentences 7 and 8: the bilevel framework, and the chosen's absolute improvement.

The levels are those of :mod:`disband.theory.models.bilevel`, this project's reading: below,
supervised fine-tuning held near the upper variable by a strength μ; above, DPO with a reward λ log
π_w. A, B and X are the score products in the metric P = (I + H/μ)^{-2}; μ = ∞ is no lower level, P
= I.
"""

from sympy import Ge, Gt, Integer, Le, Or, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.models.bilevel import UPPER, effective_incentives
from disband.theory.models.evolution import elsewhere_velocity
from disband.theory.models.vocabulary import TokenVector, V, softmax_row
from disband.theory.symbols import A, B, X, d_l, d_w, lam, len_w, r_star

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff

FRAMEWORK = "Abstract, sentence 7: the bilevel framework"
IMPROVEMENT = "Abstract, sentence 8: absolute improvement of the chosen"
METRIC = "A, B and X in the metric of the lower level; d is DPO's incentive."
signed = Symbol("lam", real=True)
d, weight = Symbol("d", positive=True), Symbol("lam", nonnegative=True)
change_w, change_l = first_order(d + weight, d, Gram(A, B, X))
mu, h, force = Symbol("mu", positive=True), Symbol("h", nonnegative=True), Symbol("g", real=True)
v, w = Symbol("v", real=True), Symbol("w", real=True)

# Products in the plain metric and in P, for the effective incentives.
A_0, B_0 = Symbol("A_0", positive=True), Symbol("B_0", positive=True)
X_0 = Symbol("X_0", real=True)
e_w, e_l = effective_incentives(d + weight, d, Gram(A_0, B_0, X_0), Gram(A, B, X))
plain_w, plain_l = first_order(e_w, e_l, Gram(A_0, B_0, X_0))

p_w, p_l = Symbol("p_w", positive=True), Symbol("p_l", positive=True)
S = Symbol("S", positive=True)
others = 1 - p_w - p_l
ROW = (p_w + p_l < 1, others**2 >= S)
elsewhere = elsewhere_velocity(p_w, p_l, d + weight, d, S)

# The inverse of H = diag(p) − pp' on the scores: e_w/p_w and e_l/p_l, up to a constant.
row = softmax_row("s", 2)
up, down, _ = row.entries
inverse_w = TokenVector(row.sizes, (1 / up, Integer(0), Integer(0)))
inverse_l = TokenVector(row.sizes, (Integer(0), 1 / down, Integer(0)))
mean_w = row @ inverse_w

CLAIMS = (
    Claim(
        id="jian2025.bilevel.ratio",
        locator=FRAMEWORK,
        says=r"The upper level pulls the chosen with $d_w = d + \lambda$ and pushes the rejected "
        "with $d_l = d$, DPO's incentive.",
        holds=equal(UPPER.d_w.subs(len_w, 1) - UPPER.d_l, lam),
        note="The reward counts whole responses. So its ratio is 1 + λ/d: it starts at 1 + 2λ/β "
        "and grows without end as the margin does.",
    ),
    Claim(
        id="jian2025.bilevel.metric",
        locator=FRAMEWORK,
        says=r"Along a direction of curvature $h$ of the lower level, the model that is deployed "
        r"moves by $(1 + h/\mu)^{-2}$ times the upper level's own force.",
        given=(equal((h + mu) * v, mu * w), equal((h + mu) * w, mu * force)),
        holds=equal(v * (1 + h / mu) ** 2, force),
        note="v is the motion of the lower solution, w that of the upper variable along the "
        "implicit gradient. So the bilevel problem is the incentives d + λ and d in a metric.",
    ),
    Claim(
        id="jian2025.bilevel.band",
        locator=FRAMEWORK,
        says=r"The chosen does not fall and the rejected does not rise iff $d(X/A - 1) \le "
        r"\lambda \le d(B/X - 1)$, for $X > 0$.",
        whose=Kind.OURS,
        given=(X > 0,),
        holds=iff(
            every(change_w >= 0, change_l <= 0),
            every(Ge(weight, d * (X / A - 1)), Le(weight, d * (B / X - 1))),
        ),
        note=METRIC,
    ),
    Claim(
        id="jian2025.bilevel.centre",
        locator=FRAMEWORK,
        says=r"The bilevel solution is reward-calibrated DPO in the metric of its lower level iff "
        r"$\lambda = d(\sqrt{B/A} - 1)$.",
        whose=Kind.OURS,
        given=(A > 0, B > 0, equal(B, r_star**2 * A)),
        holds=iff(
            equal((d + signed) ** 2 * A, d**2 * B),
            Or(equal(signed, d * (r_star - 1)), equal(signed, -d * (r_star + 1))),
        ),
        note="r* is ‖b‖/‖a‖. The second root has d_w < 0. A reward, λ ≥ 0, does so only "
        "where the rejected's score is the longer one, and only one that falls with d.",
    ),
    Claim(
        id="jian2025.bilevel.effective",
        locator=FRAMEWORK,
        says="Without a metric the same two changes are made by the incentives "
        r"$e_w = \frac{BD_w - XD_l}{AB - X^2}$ and $e_l = \frac{XD_w - AD_l}{AB - X^2}$.",
        whose=Kind.OURS,
        given=(A_0 * B_0 > X_0**2,),
        holds=every(equal(plain_w, change_w), equal(plain_l, change_l)),
        note="A, B, X of the formula are the plain products (here with index 0); D_w and D_l the "
        "changes in the metric. Their ratio is the effective one: it may leave the positive "
        "numbers, then no pair of positive incentives does what the bilevel solution does.",
    ),
    Claim(
        id="jian2025.bilevel.effective-in-band",
        locator=FRAMEWORK,
        says="The effective ratio is in the plain band iff the bilevel ratio is in that of the "
        "metric.",
        whose=Kind.OURS,
        given=(A_0 * B_0 > X_0**2,),
        holds=iff(every(plain_w >= 0, plain_l <= 0), every(change_w >= 0, change_l <= 0)),
        note="Both say that the chosen does not fall and the rejected does not rise.",
    ),
    Claim(
        id="jian2025.bilevel.natural",
        locator=FRAMEWORK,
        says="In one softmax row the lower level's curvature undoes the scores: $H$ takes "
        "$e_w/p_w$ to $e_w - p$.",
        whose=Kind.OURS,
        given=(up > 0,),
        holds=every(equal(up * (1 / up - mean_w), 1 - up), equal(down * (0 - mean_w), -down)),
        note="H x is p(x − p·x) entry by entry, here of the chosen and of any other token; the "
        "mean p·x is taken over a vocabulary of any size.",
    ),
    Claim(
        id="jian2025.bilevel.strong-lower-level",
        locator=FRAMEWORK,
        says="In one softmax row, as the lower level is held ever more loosely, the scores come "
        r"to stand at an obtuse angle in its metric: $X \to -\mu^2\frac{1}{Vp_wp_l}$.",
        whose=Kind.OURS,
        given=(up > 0, down > 0, V >= 2),
        holds=equal(
            (inverse_w @ inverse_l) - inverse_w.total() * inverse_l.total() / V,
            -1 / (V * up * down),
        ),
        note="P tends to μ² times the squared inverse of H, on vectors that sum to zero. There "
        "every positive ratio is good: a lower level that learns much makes any λ safe in one "
        "context.",
    ),
    Claim(
        id="jian2025.penalty.band",
        locator="Second version, as notes on it have it: preference loss plus a supervised penalty",
        says=r"With chosen responses as the supervised data the penalty form $L_{pref} + \lambda "
        r"\mathrm{NLL}$ keeps the chosen from falling iff $\lambda \ge d_l\frac{X}{A} - d_w$, for "
        "any objective.",
        whose=Kind.READ,
        given=(A > 0,),
        holds=iff(
            first_order(d_w + weight, d_l, Gram(A, B, X))[0] >= 0, Ge(weight, d_l * X / A - d_w)
        ),
        note="The penalty adds λ to d_w and leaves d_l: it is met at the lower edge of the band, "
        "ρ‖b‖/‖a‖ = X/A. Plain products, to first order.",
    ),
    Claim(
        id="jian2025.improvement.encourages",
        locator=IMPROVEMENT,
        says="The reward for the own probability of the chosen works for its absolute "
        "improvement: the chosen changes by more with it than without.",
        quote="Our approach introduces a principled regularization scheme to explicitly "
        "encourage absolute probability improvement for preferred outputs, while "
        "maintaining stable optimization dynamics.",
        given=(A > 0, weight > 0),
        holds=change_w > change_w.subs(weight, 0),
        note=f"Any positive reward, to first order. {METRIC}",
    ),
    Claim(
        id="jian2025.improvement.preserves",
        locator=IMPROVEMENT,
        says=r"A reward of $\lambda \ge d(X/A - 1)$ keeps the chosen from falling, and no smaller "
        "one does.",
        whose=Kind.OURS,
        given=(A > 0,),
        holds=iff(change_w >= 0, Ge(weight, d * (X / A - 1))),
        note=f"d is largest at the start: λ ≥ β/2 times (X/A − 1). {METRIC}",
    ),
    Claim(
        id="jian2025.improvement.suppresses",
        locator=IMPROVEMENT,
        says=r"A reward of $\lambda \le d(B/X - 1)$ leaves the rejected falling; at $X \le 0$ any "
        "does.",
        whose=Kind.OURS,
        given=(weight * X <= d * (B - X),),
        holds=change_l <= 0,
        note=METRIC,
    ),
    Claim(
        id="jian2025.improvement.leaves-above",
        locator=IMPROVEMENT,
        says="With any constant reward the rejected rises in the end wherever the scores are at "
        r"an acute angle: once $d(B - X) < \lambda X$.",
        whose=Kind.OURS,
        given=(X > 0, d * (B - X) < weight * X),
        holds=Gt(change_l, 0),
        note=f"As the margin grows d falls to zero, λ does not. {METRIC}",
    ),
    Claim(
        id="jian2025.improvement.mass",
        locator=IMPROVEMENT,
        says="With the reward no probability moves to irrelevant responses if the chosen is at "
        "least as likely as the rejected.",
        whose=Kind.OURS,
        given=(*ROW, p_w >= p_l),
        holds=elsewhere <= 0,
        note="The same condition as without the reward, jian2025.misallocation.safe-start.",
    ),
    Claim(
        id="jian2025.improvement.sft-misallocates",
        locator=IMPROVEMENT,
        says="Even supervised fine-tuning on the chosen alone can raise irrelevant responses.",
        whose=Kind.OURS,
        given=ROW,
        holds=Gt(elsewhere_velocity(p_w, p_l, Integer(1), Integer(0), S), 0),
        exists=True,
        note="One context: the score e_w − p lowers the likely responses most, and they are not "
        "the irrelevant ones where the rejected dominates.",
    ),
)
