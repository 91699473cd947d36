r"""The alphabet: every symbol that a formula of this project may contain.

=============== ========================================================= ============
symbol          meaning                                                   shape
=============== ========================================================= ============
logp_w, logp_l  policy log-probability of chosen, rejected (nats)         ``(batch,)``
ref_w, ref_l    reference log-probability (nats)                          ``(batch,)``
len_w, len_l    response length in tokens                                 ``(batch,)``
d_w, d_l        incentives :math:`-\partial\ell/\partial\log\pi_w`,       ``(batch,)``
                :math:`\partial\ell/\partial\log\pi_l`
A, B, X         :math:`\|a\|^2, \|b\|^2, \langle a,b\rangle` of the       ``(batch,)``
                scores :math:`a=\nabla\log\pi_w, b=\nabla\log\pi_l`
r_star          :math:`r^* = \|b\|/\|a\|`                                  ``(batch,)``
eta             step size of gradient descent                             ``()``
beta, ...       hyperparameters of an objective                           ``()``
kl, omega       detached quantities of a batch or pair: KTO's reference   ``()``
                point, WPO's weight; constants of the loss
gap             how much higher the chosen response is scored than the    ``(batch,)``
                rejected one, where somebody has scored them
adv_w, adv_l    how much better than average the chosen response is, and  ``()``
                how much worse the rejected one
=============== ========================================================= ============

A symbol carries its sign: sympy uses it to simplify, and a claim may not contradict it. What no
assumption of sympy can say, an upper bound, stands in ``BELOW``.
"""

from sympy import Expr, Integer, Rational, Symbol, symbols

# Two different responses of positive probability: neither has probability one.
logp_w, logp_l, ref_w, ref_l = symbols("logp_w logp_l ref_w ref_l", negative=True)
len_w, len_l = symbols("len_w len_l", positive=True, integer=True)
d_w, d_l = symbols("d_w d_l", real=True)
A, B = symbols("A B", nonnegative=True)
X = Symbol("X", real=True)
gap = Symbol("gap", real=True)
r_star = Symbol("r_star", positive=True)
eta = Symbol("eta", positive=True)
beta, delta, lam_w, lam_l = symbols("beta delta lam_w lam_l", positive=True)
alpha, gamma, kl, lam = symbols("alpha gamma kl lam", nonnegative=True)
epsilon, clip, omega, tau = symbols("epsilon clip omega tau", positive=True)
adv_w, adv_l = symbols("adv_w adv_l", positive=True)
alpha_f = Symbol("alpha_f", nonnegative=True)

DATA = (logp_w, logp_l, ref_w, ref_l, len_w, len_l)

# A hyperparameter is smaller than its bound: at half, flipped labels say nothing; a ratio is
# clipped between two positive numbers; the divergence of order one is a limit, the reverse KL.
BELOW: dict[Symbol, Expr] = {
    epsilon: Rational(1, 2),
    clip: Integer(1),
    alpha_f: Integer(1),
}

LATEX: dict[Symbol, str] = {
    logp_w: r"\log\pi_w",
    logp_l: r"\log\pi_l",
    ref_w: r"\log\pi^{\mathrm{ref}}_w",
    ref_l: r"\log\pi^{\mathrm{ref}}_l",
    len_w: r"|y_w|",
    len_l: r"|y_l|",
    A: r"\|a\|^2",
    B: r"\|b\|^2",
    X: r"\langle a,b\rangle",
    r_star: r"r^*",
    lam: r"\lambda",
    lam_w: r"\lambda_w",
    lam_l: r"\lambda_l",
    kl: r"z_{\mathrm{ref}}",
    epsilon: r"\varepsilon",
    clip: r"\epsilon_{\mathrm{clip}}",
    alpha_f: r"\alpha",
    adv_w: r"A_w",
    adv_l: r"A_l",
}
PLAIN: dict[Symbol, str] = {
    A: "‖a‖²",
    B: "‖b‖²",
    X: "⟨a,b⟩",
    r_star: "r*",
    len_w: "|y_w|",
    len_l: "|y_l|",
    logp_w: "log π_w",
    logp_l: "log π_l",
    ref_w: "log π_ref,w",
    ref_l: "log π_ref,l",
    beta: "β",
    gamma: "γ",
    delta: "δ",
    alpha: "α",
    eta: "η",
    lam: "λ",
    lam_w: "λ_w",
    lam_l: "λ_l",
    kl: "z_ref",
    epsilon: "ε",
    clip: "ε_clip",
    omega: "ω",
    tau: "τ",
    alpha_f: "α",
    adv_w: "A_w",
    adv_l: "A_l",
}
