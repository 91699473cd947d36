"""What calibration does, what it costs, how much error it bears, and other metrics."""

from sympy import Abs, And, Gt, Integer, Symbol, sqrt

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import DPO
from disband.theory.symbols import A, B, X, beta, d_l, d_w, lam, logp_l, logp_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff, implies
from .bands import COSINE, NORMS, POSITIVE, rho, t

m, step = Symbol("m", positive=True), Symbol("delta", positive=True)
kappa, lag = Symbol("kappa", real=True), Symbol("L", real=True)
weight = Symbol("w", real=True)
ratio, room = Symbol("r", positive=True), Symbol("R", real=True)
low, high = Symbol("p_min", positive=True), Symbol("p_max", positive=True)
A_P, B_P = Symbol("A_P", positive=True), Symbol("B_P", positive=True)
X_P = Symbol("X_P", positive=True)
M_w, M_l = Symbol("M_w", real=True), Symbol("M_l", real=True)
e_w, e_l = Symbol("d_w", positive=True), Symbol("d_l", positive=True)

# Equal and opposite motion: incentives proportional to B + X and A + X.
even_w, even_l = first_order(B + X, A + X, Gram(A, B, X))
# Calibrated DPO in units ‖a‖ = 1, r* = t²: the incentives are t and 1/t.
calibrated = t * (1 + t**2) * (1 - rho)
plain = 1 - 2 * rho * t**2 + t**4

CLAIMS = (
    Claim(
        id="disband.calibration.centre",
        locator="Reward calibration",
        says=r"Scaling $d_w$ by $\delta$ and $d_l$ by $1/\delta$ with $\delta^2 = r^*/r$ puts the "
        r"ratio on the centre: $\delta^2 d_w\|a\| = d_l\|b\|$.",
        given=(*POSITIVE, *NORMS, equal(step**2, (sqrt(B) / sqrt(A)) / (d_w / d_l))),
        holds=equal(step**2 * d_w * sqrt(A), d_l * sqrt(B)),
        note="That the centre is in the band: chen2026.calibration.satisfies.",
    ),
    Claim(
        id="disband.calibration.price",
        locator="Price of calibration",
        says=r"With $d_w = d_l = 1$ the margin of calibrated DPO grows at "
        r"$(\|a\|\|b\|)^{1/2}(\|a\| + \|b\|)(1 - \rho) \le \|a - b\|^2$, no faster than DPO's.",
        given=COSINE,
        holds=calibrated <= plain,
        note="In units ‖a‖ = 1, with ‖b‖ = t².",
        tight={t: Integer(1), rho: Integer(0)},
    ),
    Claim(
        id="disband.calibration.price-zero",
        locator="Price of calibration",
        says=r"Calibration costs nothing, for $-1 < \rho < 1$, only at $\|a\| = \|b\|$.",
        given=(rho > -1, rho < 1),
        holds=iff(equal(calibrated, plain), equal(t, Integer(1))),
        note="In units ‖a‖ = 1, with ‖b‖ = t².",
    ),
    Claim(
        id="disband.even.opposite",
        locator="Equal and opposite motion",
        says=r"$r = \frac{\|b\|^2 + \langle a,b\rangle}{\|a\|^2 + \langle a,b\rangle}$ moves both "
        "log-probabilities by equal and opposite amounts, the chosen up.",
        holds=every(equal(even_w, -even_l), even_w >= 0),
        note="Incentives proportional to ‖b‖² + ⟨a,b⟩ and ‖a‖² + ⟨a,b⟩.",
    ),
    Claim(
        id="disband.even.positive",
        locator="Equal and opposite motion",
        says="That choice has positive incentives.",
        given=NORMS,
        holds=And(Gt(B + X, 0), Gt(A + X, 0)),
    ),
    Claim(
        id="disband.even.positive.repaired",
        locator="Equal and opposite motion",
        says=r"That choice has positive incentives if $\langle a,b\rangle > "
        r"-\min(\|a\|^2, \|b\|^2)$.",
        given=(*NORMS, X > -A, X > -B),
        holds=And(Gt(B + X, 0), Gt(A + X, 0)),
    ),
    Claim(
        id="disband.even.min-norm",
        locator="Equal and opposite motion",
        says=r"It is the point of least norm on the line through $a$ and $-b$.",
        given=(A + 2 * X + B > 0,),
        holds=weight**2 * A - 2 * weight * (1 - weight) * X + (1 - weight) ** 2 * B
        >= (A * B - X**2) / (A + 2 * X + B),
        note="Any point wa − (1−w)b against the one with w : (1−w) = (‖b‖²+X) : (‖a‖²+X).",
        tight={A: Integer(1), B: Integer(1), X: Integer(0), weight: Integer(1) / 2},
    ),
    Claim(
        id="disband.tolerance",
        locator="Tolerance of calibration",
        says=r"A calibrated ratio that is wrong by a factor $m$ lies in the band iff $|\log m| \le "
        r"-\log\rho$.",
        given=(rho > 0, rho <= 1),
        holds=iff(And(rho * t <= m * t, m * t <= t / rho), And(rho <= m, m <= 1 / rho)),
        note="t is the centre.",
    ),
    Claim(
        id="disband.ema-lag",
        locator="Tolerance of calibration",
        says=r"A moving average with factor $\beta$ lags a drift of $\kappa$ per step by "
        r"$\frac{\kappa\beta}{1-\beta}$ once it is steady.",
        given=(beta < 1,),
        holds=implies(equal(lag, beta * (lag + kappa)), equal(lag, kappa * beta / (1 - beta))),
        note="Lag L after a step: β of the old lag and of the drift.",
    ),
    Claim(
        id="disband.metric.centre",
        locator="Preconditioned band",
        says=r"The Euclidean centre is safe under a preconditioner $P$ if $\rho_P \le "
        r"\mathrm{cond}(P)^{-1/2}$.",
        given=(
            low <= high,
            *(low * n <= p for n, p in ((A, A_P), (B, B_P))),
            *(p <= high * n for n, p in ((A, A_P), (B, B_P))),
            X_P**2 * high <= low * A_P * B_P,
            A > 0,
            B > 0,
            equal(e_w**2 * A, e_l**2 * B),
        ),
        holds=And(e_w * A_P >= e_l * X_P, e_w * X_P <= e_l * B_P),
        note="A_P, B_P, X_P are the products ⟨a,Pa⟩, ⟨b,Pb⟩, ⟨a,Pb⟩ > 0; p_min and p_max the "
        "extreme eigenvalues of P.",
    ),
    Claim(
        id="disband.momentum.chosen",
        locator="Momentum band",
        says=r"With momentum memory $M_w$ the chosen is preserved iff $\delta \ge "
        r"\frac{-M_w + \sqrt{M_w^2 + 4d_wd_lA_PX_P}}{2d_wA_P}$.",
        holds=iff(
            step * e_w * A_P - e_l / step * X_P + M_w >= 0,
            2 * e_w * A_P * step + M_w >= sqrt(M_w**2 + 4 * e_w * e_l * A_P * X_P),
        ),
        note="Cleared of the denominator 2 d_w A_P > 0.",
    ),
    Claim(
        id="disband.momentum.rejected",
        locator="Momentum band",
        says=r"With momentum memory $M_l$ the rejected is suppressed iff $\delta \le "
        r"\frac{-M_l + \sqrt{M_l^2 + 4d_wd_lX_PB_P}}{2d_wX_P}$.",
        holds=iff(
            step * e_w * X_P - e_l / step * B_P + M_l <= 0,
            2 * e_w * X_P * step + M_l <= sqrt(M_l**2 + 4 * e_w * e_l * X_P * B_P),
        ),
        note="Cleared of the denominator 2 d_w X_P > 0.",
    ),
    Claim(
        id="disband.even.segment",
        locator="Equal and opposite motion",
        says="It is the point of least norm of the segment between $a$ and $-b$.",
        given=(A + 2 * X + B > 0,),
        holds=And((B + X) / (A + 2 * X + B) >= 0, (B + X) / (A + 2 * X + B) <= 1),
        note="The point of least norm of the line lies on the segment.",
    ),
    Claim(
        id="disband.even.segment.repaired",
        locator="Equal and opposite motion",
        says=r"It is the point of least norm of the segment between $a$ and $-b$ if $\langle "
        r"a,b\rangle \ge -\min(\|a\|^2, \|b\|^2)$.",
        given=(A + 2 * X + B > 0, X >= -A, X >= -B),
        holds=And((B + X) / (A + 2 * X + B) >= 0, (B + X) / (A + 2 * X + B) <= 1),
        note="Else the segment's own point is an end: one score alone.",
    ),
    Claim(
        id="disband.even.in-band",
        locator="Equal and opposite motion",
        says="That choice lies in the band where the band has two ends.",
        given=(*NORMS, X > 0),
        holds=And(X / A <= (B + X) / (A + X), (B + X) / (A + X) <= B / X),
    ),
    Claim(
        id="disband.normalised-is-calibrated",
        locator="Pairwise normalised gradients",
        says="Pairwise normalised gradients and reward calibration have one direction: they differ "
        "in the length of the step alone.",
        given=(*NORMS, equal(step**2 * e_w * sqrt(A), e_l * sqrt(B))),
        holds=equal((step * e_w) / (e_l / step), (1 / sqrt(A)) / (1 / sqrt(B))),
        note="The ratio of the calibrated incentives against that of 1/‖a‖ and 1/‖b‖.",
    ),
    Claim(
        id="disband.normalised.length",
        locator="Pairwise normalised gradients",
        says=r"The normalised step has the squared length $2 - 2\rho$, whatever the norms.",
        given=(*NORMS,),
        holds=equal(A / A - 2 * X / (sqrt(A) * sqrt(B)) + B / B, 2 - 2 * X / sqrt(A * B)),
        note="In units C = 1: it does not settle as the scores vanish.",
    ),
    Claim(
        id="disband.calibration.no-loss",
        locator="Reward calibration",
        says="Calibrated DPO at fixed norms is the gradient of no loss of the two "
        r"log-probabilities unless $\|a\| = \|b\|$.",
        holds=iff(
            equal((t * DPO.d_w).diff(logp_l), -(DPO.d_l / t).diff(logp_w)), equal(t, Integer(1))
        ),
        note="A loss has ∂d_w/∂log π_l = −∂d_l/∂log π_w; r* = t², δ = t.",
    ),
    Claim(
        id="disband.ema-lag.reached",
        locator="Tolerance of calibration",
        says=r"From any start the lag's distance to $\frac{\kappa\beta}{1-\beta}$ shrinks by the "
        r"factor $\beta$ each step.",
        given=(beta < 1,),
        holds=equal(
            beta * (lag + kappa) - kappa * beta / (1 - beta),
            beta * (lag - kappa * beta / (1 - beta)),
        ),
    ),
    Claim(
        id="disband.ema-lag.tolerated",
        locator="Tolerance of calibration",
        says=r"The lag of a moving average keeps calibration in the band iff $|\kappa| \le "
        r"-\log\rho\,\frac{1-\beta}{\beta}$.",
        given=(beta < 1, room >= 0),
        holds=iff(Abs(kappa * beta / (1 - beta)) <= room, Abs(kappa) <= room * (1 - beta) / beta),
        note="R is −log ρ.",
    ),
    Claim(
        id="disband.likelihood-term.above",
        locator="Likelihood term",
        says=r"With $d_w = d_l + \lambda$ and $d_l < \frac{\lambda\langle a,b\rangle}{\|b\|^2}$ "
        "the rejected rises.",
        given=(*NORMS, X > 0, d_l >= 0, lam > 0, d_l < lam * X / B),
        holds=Gt((d_l + lam) * X - d_l * B, 0),
    ),
    Claim(
        id="disband.fixed-ratio",
        locator="Fixed ratio",
        says="No fixed ratio is in every band.",
        given=(A > 0, equal(X, 2 * ratio * A), equal(B, 4 * ratio**2 * A)),
        holds=Gt(X, ratio * A),
        note="Every ratio r is below the band of two parallel scores with ‖b‖ = 2r‖a‖. So "
        "is a clip to fixed bounds, the ratio 1 of DPO, the 1 + λ of a likelihood term.",
    ),
    Claim(
        id="disband.fixed-ratio.safe",
        locator="Fixed ratio",
        says=r"A fixed ratio $r$ is in the band of every pair with $\rho \le \min(r/r^*, r^*/r)$.",
        given=(*NORMS, ratio**2 * A**2 >= X**2, ratio**2 * X**2 <= B**2),
        holds=And(ratio * A >= X, ratio * X <= B),
        note="X² ≤ r²A² says |ρ| ≤ r/r*, and r²X² ≤ B² says |ρ| ≤ r*/r.",
    ),
)
