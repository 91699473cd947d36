r"""Preconditioners and momentum, beyond what the claims on calibration say of them.

A metric P with eigenvalues between :math:`p_{min}` and :math:`p_{max}` acts on the plane of the two
scores as one with a condition number of at most :math:`c = p_{max}/p_{min}`. In its own units the
scores are unit vectors x and y at the angle that P sees, and their Euclidean squared norms are
:math:`x^\top Qx` and :math:`y^\top Qy` with :math:`Q = P^{-1}`, here diag(1, k), :math:`k = 1/c`.
"""

from sympy import Abs, And, Gt, Integer, Lt, Symbol, sqrt

from ...deciding.claim import Claim
from ...deciding.logic import equal, iff

step = Symbol("delta", positive=True)
A_P, B_P = Symbol("A_P", positive=True), Symbol("B_P", positive=True)
X_P = Symbol("X_P", real=True)
M_w, M_l = Symbol("M_w", real=True), Symbol("M_l", real=True)
e_w, e_l = Symbol("d_w", positive=True), Symbol("d_l", positive=True)
chosen = step * e_w * A_P - e_l / step * X_P + M_w
rejected = step * e_w * X_P - e_l / step * B_P + M_l

k = Symbol("k", positive=True)
x_1, x_2 = Symbol("x_1", real=True), Symbol("x_2", real=True)
y_1, y_2 = Symbol("y_1", real=True), Symbol("y_2", real=True)
X, W = x_1 * y_1 + x_2 * y_2, x_1 * y_2 - x_2 * y_1
NORM_X, NORM_Y = x_1**2 + x_2**2, y_1**2 + y_2**2
Q_X, Q_Y = x_1**2 + k * x_2**2, y_1**2 + k * y_2**2
# Calibrated incentives d_w² Q_X = d_l² Q_Y, squared to be rid of the roots.
SAFE = And(Q_Y * NORM_X**2 >= Q_X * X**2, Q_X * NORM_Y**2 >= Q_Y * X**2)
PROPER = (k < 1, NORM_X > 0, NORM_Y > 0, X > 0)

CLAIMS = (
    Claim(
        id="disband.metric.centre-sharp",
        locator="Preconditioned band, the sharp bound",
        says=r"The Euclidean centre is safe under $P$ if $\rho_P \le (c - 1 + 1/c)^{-1/2}$, with "
        r"$c = \mathrm{cond}(P)$.",
        given=(*PROPER, X**2 * (1 - k) ** 2 <= k * W**2),
        holds=SAFE,
        note="In the plane of the two scores, where any P acts as one with at most its condition. "
        "As $|W|/X$ is the tangent of the angle that P sees: the bound is $\\tan\\ge\\sqrt c "
        "- 1/\\sqrt c$. It is weaker than $\\rho_P \\le c^{-1/2}$ for every c > 1.",
    ),
    Claim(
        id="disband.metric.centre-sharp.attained",
        locator="Preconditioned band, the sharp bound",
        says="At $c = 4$ it is sharp: just beyond it some scores have an unsafe centre.",
        given=(
            *PROPER,
            equal(k, Integer(1) / 4),
            X**2 * (1 - k) ** 2 < k * W**2 * Integer(101) / 100,
        ),
        holds=Lt(Q_Y * NORM_X**2, Q_X * X**2),
        exists=True,
        note="Within one part in a hundred of the squared bound.",
    ),
    Claim(
        id="disband.metric.bounds-compared",
        locator="Preconditioned band, the sharp bound",
        says=r"$c^{-1/2} < (c - 1 + 1/c)^{-1/2}$ for $c > 1$.",
        given=(k < 1,),
        holds=Gt(1 / (1 / k - 1 + k), k),
        note="With k = 1/c, squared.",
    ),
    Claim(
        id="disband.momentum.any-angle",
        locator="Momentum band",
        says=r"With momentum memory $M_w$ the chosen is preserved iff $\delta \ge "
        r"\frac{-M_w + \sqrt{M_w^2 + 4d_wd_lA_PX_P}}{2d_wA_P}$, whatever the angle.",
        given=(M_w**2 + 4 * e_w * e_l * A_P * X_P >= 0,),
        holds=iff(
            chosen >= 0,
            2 * e_w * A_P * step + M_w >= sqrt(M_w**2 + 4 * e_w * e_l * A_P * X_P),
        ),
        note="Cleared of the denominator 2 d_w A_P > 0.",
    ),
    Claim(
        id="disband.momentum.any-angle.repaired",
        locator="Momentum band",
        says=r"If $X_P \le 0$ and the root is real, the chosen falls iff $\delta$ lies strictly "
        r"between $\frac{-M_w \mp \sqrt{M_w^2 + 4d_wd_lA_PX_P}}{2d_wA_P}$: what is good is in two "
        "pieces.",
        given=(X_P <= 0, M_w**2 + 4 * e_w * e_l * A_P * X_P >= 0),
        holds=iff(
            chosen < 0,
            Abs(2 * e_w * A_P * step + M_w) < sqrt(M_w**2 + 4 * e_w * e_l * A_P * X_P),
        ),
        note="Cleared of the denominator 2 d_w A_P > 0.",
    ),
    Claim(
        id="disband.momentum.no-root",
        locator="Momentum band",
        says="If the root is not real, the chosen is preserved at every factor.",
        given=(M_w**2 + 4 * e_w * e_l * A_P * X_P < 0,),
        holds=chosen > 0,
    ),
    Claim(
        id="disband.momentum.good-memory",
        locator="Momentum band",
        says=r"At $X_P \le 0$ a memory that raises the chosen and lowers the rejected leaves every "
        "factor good.",
        given=(X_P <= 0, M_w >= 0, M_l <= 0),
        holds=And(chosen >= 0, rejected <= 0),
    ),
    Claim(
        id="disband.momentum.forbids-all",
        locator="Momentum band",
        says="A memory can forbid every factor.",
        given=(X_P > 0, X_P**2 < A_P * B_P, M_w < 0, M_l > 0),
        # At this factor the chosen stands still, and the rejected rises here and beyond.
        holds=And(equal(chosen, Integer(0)), Gt(rejected, 0)),
        exists=True,
        note="Below that factor the chosen falls, above it the rejected rises: both changes grow "
        "with the factor.",
    ),
)
