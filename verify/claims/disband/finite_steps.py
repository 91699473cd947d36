"""Beyond first order: what holds at every step size in log-linear models."""

from sympy import Gt, IndexedBase, Integer, Lt, Sum, Symbol, exp

from theory.vocabulary import V, k
from verify.claim import Claim
from verify.logic import equal, iff

E = Symbol("E", positive=True)
p_w, p_l = Symbol("p_w", positive=True), Symbol("p_l", positive=True)
U, W = Symbol("U", nonnegative=True), Symbol("W", real=True)
kappa, D, change = (
    Symbol("kappa", nonnegative=True),
    Symbol("D", real=True),
    Symbol("Delta", real=True),
)
s, y = IndexedBase("s", nonnegative=True), IndexedBase("y", real=True)

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
        note="y_k is the change of the k-th logit, measured from its mean under s.",
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
        note="D is the first-order change, which bounds the exact one from above.",
    ),
)
