"""Beyond first order: what holds at every step size in log-linear models."""

from sympy import And, Ge, Gt, IndexedBase, Integer, Lt, Sum, Symbol, exp

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.models.toys import single_token_gram
from disband.theory.models.vocabulary import V, k

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff

E = Symbol("E", positive=True)
p_w, p_l = Symbol("p_w", positive=True), Symbol("p_l", positive=True)
U, W = Symbol("U", positive=True), Symbol("W", real=True)
kappa, D, change = (
    Symbol("kappa", nonnegative=True),
    Symbol("D", real=True),
    Symbol("Delta", real=True),
)
s, y = IndexedBase("s", nonnegative=True), IndexedBase("y", real=True)
least, most = Symbol("y_min", real=True), Symbol("y_max", real=True)
IS_ROW = equal(Sum(s[k], (k, 1, V)), Integer(1))
CENTRED = equal(Sum(s[k] * y[k], (k, 1, V)), Integer(0))
INSIDE = Sum(s[k] * (most - y[k]) * (y[k] - least), (k, 1, V))
VARIANCE = Sum(s[k] * (y[k] - D) ** 2, (k, 1, V))
y_1, y_2 = Symbol("y_1", real=True), Symbol("y_2", real=True)
slope, curve, size = (Symbol(n, positive=True) for n in ("f_1", "f_2", "C"))
early, late, share = Symbol("f_e", real=True), Symbol("f_l", real=True), Symbol("t", positive=True)
# One hidden state: the squared probabilities sum to at most one.
collision, ratio = Symbol("Sigma", positive=True), Symbol("r", positive=True)
one_state = single_token_gram(p_w, p_l, collision, Integer(1))
state_w, state_l = first_order(
    ratio, Integer(1), Gram(one_state.sq_w, one_state.sq_l, one_state.dot)
)
ONE_ROW = (p_w + p_l <= 1, collision >= p_w**2 + p_l**2, collision <= 1)

CLAIMS = (
    Claim(
        id="disband.one-context.chosen",
        locator="One context, one pair",
        says="On one context DPO raises the chosen token at every step size.",
        given=(p_w < 1, p_l < 1, p_w + p_l <= 1, E > 1),
        holds=Gt(E, 1 + p_w * (E - 1) + p_l * (1 / E - 1)),
        note="The logits of the two tokens move by ±C and E = e^C: the probability is multiplied "
        "by E over the new normaliser.",
    ),
    Claim(
        id="disband.one-context.rejected",
        locator="One context, one pair",
        says="On one context DPO lowers the rejected token at every step size.",
        given=(p_w < 1, p_l < 1, p_w + p_l <= 1, E > 1),
        holds=Lt(1 / E, 1 + p_w * (E - 1) + p_l * (1 / E - 1)),
        note="As for the chosen token.",
    ),
    Claim(
        id="disband.first-order-bound",
        locator="Finite steps, log-linear models",
        says="In a log-linear model the exact change of a log-probability is at most its "
        r"first-order change: $\log\sum_k s_k e^{y_k} \ge \sum_k s_k y_k$.",
        given=(
            equal(Sum(s[k], (k, 1, V)), Integer(1)),
            equal(Sum(s[k] * y[k], (k, 1, V)), Integer(0)),
        ),
        holds=Sum(s[k] * exp(y[k]), (k, 1, V)) >= 1,
        note="y_k is the change of the k-th logit, measured from its mean under s. So on "
        "the lower edge of the band, where the first-order change of the chosen is zero, "
        "no step raises it.",
    ),
    Claim(
        id="disband.overlap",
        locator="Edit distance one, gradient overlap",
        says=r"Where two contexts overlap by $\kappa$, the chosen suffix token falls iff "
        r"$\kappa > \frac{\|u_w\|^2}{\langle u_w,u_l\rangle}$.",
        holds=iff(Lt(U - kappa * W, 0), kappa > U / W),
        note="U = ‖u_w‖², W = ⟨u_w,u_l⟩; κ = 0 are independent rows, κ = 1 shared ones.",
    ),
    Claim(
        id="disband.overlap.repaired",
        locator="Edit distance one, gradient overlap",
        says=r"Where two contexts overlap by $\kappa$ and $\langle u_w,u_l\rangle > 0$, the chosen "
        r"suffix token falls iff $\kappa > \frac{\|u_w\|^2}{\langle u_w,u_l\rangle}$.",
        given=(W > 0,),
        holds=iff(Lt(U - kappa * W, 0), kappa > U / W),
        note="U = ‖u_w‖², W = ⟨u_w,u_l⟩.",
    ),
    Claim(
        id="disband.first-order-sign.chosen",
        locator="Finite steps, log-linear models",
        says="A chosen response that falls to first order falls at every step size.",
        given=(D < 0, change <= D),
        holds=Lt(change, 0),
        note="D is the first-order change, which bounds the exact one from above. One that rises "
        "to first order need not rise at every step size: chen2026.band.finite-step.",
    ),
    Claim(
        id="disband.first-order-sign.rejected",
        locator="Finite steps, log-linear models",
        says="If the rejected rises at some step size, it rises to first order.",
        given=(change > 0, change <= D),
        holds=Gt(D, 0),
        note="So a first-order fall of the rejected is sufficient for a real one.",
    ),
    Claim(
        id="disband.safe-step.variance",
        locator="Finite steps, a safe step size",
        says=r"A softmax row's logits that move by $y_k$ have a variance of at most "
        r"$\frac{(y_{max} - y_{min})^2}{4}$.",
        given=(IS_ROW, CENTRED, y[k] >= least, y[k] <= most),
        holds=every(
            INSIDE >= 0,
            equal(INSIDE, -least * most - Sum(s[k] * y[k] ** 2, (k, 1, V))),
            -least * most <= (most - least) ** 2 / 4,
        ),
        note="Measured from their mean; so the variance Σ s_k y_k² is at most −y_min y_max.",
    ),
    Claim(
        id="disband.safe-step.range",
        locator="Finite steps, a safe step size",
        says=r"Two entries of a vector differ by at most $\sqrt2$ times its norm.",
        holds=(y_1 - y_2) ** 2 <= 2 * (y_1**2 + y_2**2),
        note="So along g a context with features h has a variance of at most ½‖h‖²‖g‖².",
        tight={y_1: Integer(1), y_2: Integer(-1)},
    ),
    Claim(
        id="disband.safe-step",
        locator="Finite steps, a safe step size",
        says=r"In a log-linear model a step $C < \frac{4\langle a,g\rangle}{\sum_i\|h_i\|^2"
        r"\|g\|^2}$ along $g$ surely raises the chosen.",
        given=(change >= size * slope - size**2 * curve / 4, size < 4 * slope / curve),
        holds=Gt(change, 0),
        note="f_1 = ⟨a,g⟩ > 0, f_2 = Σ‖h_i‖²‖g‖²; minus the second derivative is the sum of the "
        "contexts' variances, at most ½f_2.",
    ),
    Claim(
        id="disband.edit-one.concave",
        locator="Edit distance one, shared logits",
        says="The exact change is concave in the step: minus its second derivative is a variance.",
        given=(IS_ROW, equal(Sum(s[k] * y[k], (k, 1, V)), D)),
        holds=every(
            Ge(VARIANCE, 0, evaluate=False),
            equal(VARIANCE, Sum(s[k] * y[k] ** 2, (k, 1, V)) - D**2),
        ),
        note="s is the row after the step, y the direction, D its mean.",
    ),
    Claim(
        id="disband.edit-one.flips-once",
        locator="Edit distance one, shared logits",
        says="Once a step lowers the chosen, every larger step does: there is one flip step.",
        given=(early < 0, early >= share * late, share < 1),
        holds=Lt(late, 0),
        note="f_e and f_l are the changes at two steps in the ratio t, and 0 at no step; the "
        "inequality between them is concavity.",
    ),
    Claim(
        id="disband.one-state.band",
        locator="One hidden state, one token each",
        says=r"Whatever the prediction, every ratio from $\frac{1}{2}$ to $2$ is in the band.",
        given=(*ONE_ROW, ratio >= Integer(1) / 2, ratio <= 2),
        holds=And(state_w >= 0, state_l <= 0),
        note="Σ is the sum of the squared probabilities. DPO has the ratio 1.",
    ),
    Claim(
        id="disband.one-state.band-tight",
        locator="One hidden state, one token each",
        says="No smaller ratio is always in the band: at some predictions the chosen falls.",
        given=(
            ratio < Integer(1) / 2,
            equal(p_w, (1 - 2 * ratio) / 16),
            equal(p_l, p_w),
            equal(collision, 2 * p_w**2 + (1 - 2 * p_w) ** 2),
        ),
        holds=Lt(state_w, 0),
        note="A third token takes what the pair leaves, nearly all probability.",
    ),
)
