r"""Small exact statements on the work of others: remedies as points in the plane of the band.

Each is this project's derivation of what a neighbouring paper's proposal does to the incentives, or
of the example that it gives. :math:`r = d_w/d_l`.
"""

from sympy import Ge, Gt, Integer, Lt, Symbol, exp

from disband.theory.kernels.primitives import logsigmoid, relu, sigmoid
from disband.theory.symbols import beta, logp_l, logp_w, ref_l, ref_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, every

reward_w, reward_l = logp_w - ref_w, logp_l - ref_l
f, g = Symbol("f", positive=True), Symbol("g", positive=True)
shifted = -logsigmoid(beta * (reward_w - f * reward_l))
e_w, e_l = Symbol("d_w", positive=True), Symbol("d_l", positive=True)
# Three responses with rewards 2, 3 and 1, and one parameter t: π ∝ (e^t, e^-t, 1); E = e^t.
E = Symbol("E", positive=True)
mass = E + 1 / E + 1
# The logarithm of a ratio t of probabilities.
u, v = Symbol("u", nonnegative=True), Symbol("v", real=True)
m, m_ref = Symbol("m", real=True), Symbol("m_ref", real=True)
step, slope, mode, sharp = (Symbol(n, positive=True) for n in ("eta", "mu", "lambda_k", "rho"))
pulled = step * slope * (mode + sharp * mode**2)

CLAIMS = (
    Claim(
        id="disband.neighbours.auxdpo",
        locator="AuxDPO (arXiv 2510.20413), three responses and one parameter",
        says="With one parameter, DPO on the pair of the first and the third response lowers the "
        "second, which is the best, and the expected reward, however far it goes.",
        given=(E > 1,),
        holds=every(Lt((1 / E) / mass, Integer(1) / 3), Lt((2 * E + 3 / E + 1) / mass, 2)),
        note="Rewards 2, 3, 1 and π ∝ (e^t, e^-t, 1) from t = 0, where the expected reward is 2; "
        "E = e^t.",
    ),
    Claim(
        id="disband.neighbours.displacement",
        locator="Displacement resistance (arXiv 2602.06788), argmin f ≥ 1",
        says=r"DPO's $f = t\log t$ has no minimum at $t \ge 1$, while $(\log t)^2/2$ has its "
        "minimum at 1.",
        holds=every(Gt(exp(u) * u, -exp(-1), evaluate=False), Ge(v**2 / 2, 0, evaluate=False)),
        note="u = log t ≥ 0; at t = 1/e the former is −1/e, below all that it is from 1 on. v = "
        "log t of any t; at t = 1 the latter is 0.",
    ),
    Claim(
        id="disband.neighbours.hypo",
        locator="HyPO (arXiv 2602.11902), the positive part of the reference's margin",
        says="With the positive part of the reference's margin in its place, a pair weighs at "
        "least as much as under DPO, and as without a reference.",
        holds=every(
            sigmoid(beta * (relu(m_ref) - m)) >= sigmoid(beta * (m_ref - m)),
            sigmoid(beta * (relu(m_ref) - m)) >= sigmoid(-beta * m),
        ),
        note="m is the policy's margin, m_ref the reference's; the weight is σ of −β times the "
        "margin over it.",
    ),
    Claim(
        id="disband.neighbours.logits-sam",
        locator="logits-SAM (arXiv 2603.18258), a mode of the residual",
        says=r"A step that multiplies a mode by $1 - \eta\mu(\lambda_k + \rho\lambda_k^2)$ pulls "
        "it in by more than without the perturbation; a negative step drives it out by more.",
        holds=every(
            Lt(1 - pulled, 1 - step * slope * mode), Gt(1 + pulled, 1 + step * slope * mode)
        ),
        note="While η is small enough for the factor to be positive that is a faster contraction; "
        "the negative step is the squeezing of the rejected response.",
    ),
    Claim(
        id="disband.neighbours.dpo-shift",
        locator="DPO-Shift (arXiv 2502.07599), a factor on the rejected reward",
        says=r"A factor $f$ on the rejected's reward gives the ratio $r = 1/f$.",
        holds=equal(-shifted.diff(logp_w) * f, shifted.diff(logp_l)),
        note="Cleared of the denominator. So with f ≤ 1 it is a fixed ratio of at least 1: "
        "disband.fixed-ratio.",
    ),
    Claim(
        id="disband.neighbours.gate",
        locator="Gate-DPO (arXiv 2605.02626), a damped push",
        says="Damping the push on the rejected raises the ratio of the incentives.",
        given=(g < 1,),
        holds=Gt(e_w / (g * e_l), e_w / e_l),
        note="g is the factor of the gate, below 1 where the rejected is unlikely.",
    ),
)
