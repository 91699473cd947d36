r"""Reward calibration: :math:`\delta = \sqrt{r^*/r}` on the chosen, the inverse on the rejected.

The official implementation estimates :math:`\log d_w, \log d_l, \log\|a\|, \log\|b\|` by moving
averages of batch means, with scores of the head's (or adapters') parameters.
"""

from sympy import And, Gt, Integer, Lt, Or, Symbol, sqrt

from disband.theory.symbols import A, B, X, beta, r_star

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff

ABSTRACT = "Abstract, reward calibration"
CODE = "Official implementation, reward calibration"
step = Symbol("delta", positive=True)
e_w, e_l = Symbol("d_w", positive=True), Symbol("d_l", positive=True)
r = Symbol("r", positive=True)
z, stop = Symbol("z", real=True), Symbol("z_stop", real=True)
scaled = z * step + (1 - step) * stop
NORMS = (A > 0, B > 0)
AT_CENTRE = equal(step**2 * e_w * sqrt(A), e_l * sqrt(B))
IN_BAND = And(step * e_w * A >= e_l / step * X, step * e_w * X <= e_l / step * B)

# Two pairs, each with the error m_i = r*_i / r_i of its ratio and its cosine.
m_1, m_2 = Symbol("m_1", positive=True), Symbol("m_2", positive=True)
rho_1, rho_2 = Symbol("rho_1", positive=True), Symbol("rho_2", positive=True)
COSINES = (rho_1 <= 1, rho_2 <= 1)
pair_1, pair_2 = (
    And(rho * m <= step**2, step**2 <= m / rho) for m, rho in ((m_1, rho_1), (m_2, rho_2))
)
MEAN_OF_LOGS = equal(step**4, m_1 * m_2)

# The head's products and those of all other parameters; the whole's are the sums.
A_h, B_h, A_o, B_o = (Symbol(n, positive=True) for n in ("A_h", "B_h", "A_o", "B_o"))
X_h, X_o = Symbol("X_h", real=True), Symbol("X_o", real=True)
BLOCKS = (X_h**2 <= A_h * B_h, X_o**2 <= A_o * B_o)
HEAD_CENTRE = equal(e_w**2 * A_h, e_l**2 * B_h)
WHOLE = And(e_w * (A_h + A_o) >= e_l * (X_h + X_o), e_w * (X_h + X_o) <= e_l * (B_h + B_o))
CALIBRATED = "d_w and d_l are the calibrated incentives."

# Averages as sums and counts: S/N, the first batch counting 1/(1-β) times.
S, x, v = (Symbol(n, real=True) for n in ("S", "x", "v"))

# Norms of the scores and their cosine; the calibrated step's common speed.
n_w, n_l = Symbol("n_w", positive=True), Symbol("n_l", positive=True)
rho, speed = Symbol("rho", real=True), Symbol("g", positive=True)
pull, push = step * e_w, e_l / step
PLAIN = (rho >= -1, rho <= 1)

CLAIMS = (
    Claim(
        id="chen2026.calibration.ratio",
        locator=CODE,
        says=r"With $\delta = \sqrt{r^*/r}$ the realised ratio is $\delta^2r = r^*$.",
        holds=equal(sqrt(r_star / r) ** 2 * r, r_star),
    ),
    Claim(
        id="chen2026.calibration.gradient",
        locator=CODE,
        says=r"$z\delta + (1 - \delta)\,\mathrm{stopgrad}(z)$ has the value of $z$ and $\delta$ "
        "times its gradient.",
        holds=every(equal(scaled.subs(stop, z), z), equal(scaled.diff(z), step)),
    ),
    Claim(
        id="chen2026.calibration.satisfies",
        locator=ABSTRACT,
        says="Reward calibration satisfies the band.",
        quote="we propose reward calibration (RC), a plug-and-play method that adaptively "
        "rebalances the updates for chosen and rejected responses to satisfy the DB, "
        "without redesigning the base objective.",
        given=(*NORMS, AT_CENTRE),
        holds=IN_BAND,
        note="Exactly computed for every pair, with positive incentives.",
    ),
    Claim(
        id="chen2026.calibration.batch-means",
        locator=f"{ABSTRACT}; official implementation",
        says="Reward calibration with batch means of the logs satisfies the band.",
        quote="we propose reward calibration (RC), a plug-and-play method that adaptively "
        "rebalances the updates for chosen and rejected responses to satisfy the DB, "
        "without redesigning the base objective.",
        given=(*COSINES, MEAN_OF_LOGS),
        holds=And(pair_1, pair_2),
        why="One factor cannot suit pairs whose own ratios are off in different "
        "directions: the mean of the two leaves each by itself outside.",
        regime=(rho_1 < 1, rho_2 < 1),
        note="Two pairs with $m_i = r^*_i/r_i$, one factor $\\delta$ for both.",
    ),
    Claim(
        id="chen2026.calibration.batch-means.repaired",
        locator=f"{ABSTRACT}; official implementation",
        says="Reward calibration with batch means of the logs satisfies the band of every pair "
        r"whose own $\log(r^*/r)$ is within $-\log\rho$ of the mean.",
        given=(
            *COSINES,
            MEAN_OF_LOGS,
            *(rho**2 * m <= n for m, n, rho in ((m_1, m_2, rho_1), (m_2, m_1, rho_2))),
            *(rho**2 * n <= m for m, n, rho in ((m_1, m_2, rho_1), (m_2, m_1, rho_2))),
        ),
        holds=And(pair_1, pair_2),
        note="Two pairs: the mean is half-way, so m_1/m_2 lies between ρ² and ρ⁻² of both.",
    ),
    Claim(
        id="chen2026.calibration.batch-means.none",
        locator=CODE,
        says="Reward calibration with batch means of the logs can leave every pair outside its "
        "band, though one pair was inside before.",
        whose=Kind.OURS,
        given=(*COSINES, MEAN_OF_LOGS, rho_1 * m_1 <= 1, rho_1 <= m_1),
        holds=And(~pair_1, ~pair_2),
        exists=True,
    ),
    Claim(
        id="chen2026.calibration.head",
        locator=f"{ABSTRACT}; official implementation",
        says="Reward calibration with the scores of the head alone satisfies the band.",
        quote="we propose reward calibration (RC), a plug-and-play method that adaptively "
        "rebalances the updates for chosen and rejected responses to satisfy the DB, "
        "without redesigning the base objective.",
        given=(*BLOCKS, X_h + X_o > 0, HEAD_CENTRE),
        holds=WHOLE,
        why="The head sees a part of both scores alone; where the other parameters have "
        "another ratio of norms, the centre of the head is off the centre of the whole.",
        regime=(X_h**2 < A_h * B_h, X_o**2 < A_o * B_o),
        note=f"Two trained blocks of parameters, the head (h) and all others (o). {CALIBRATED}",
    ),
    Claim(
        id="chen2026.calibration.head.repaired",
        locator=f"{ABSTRACT}; official implementation",
        says="Reward calibration with the scores of the head alone satisfies the band if all other "
        "parameters have the head's ratio of norms.",
        given=(*BLOCKS, X_h + X_o > 0, HEAD_CENTRE, equal(A_h * B_o, A_o * B_h)),
        holds=WHOLE,
    ),
    Claim(
        id="chen2026.calibration.head-only-trained",
        locator=CODE,
        says="Where the measured parameters are the only trained ones, their centre is the band's.",
        given=(X_h**2 <= A_h * B_h, HEAD_CENTRE),
        holds=And(e_w * A_h >= e_l * X_h, e_w * X_h <= e_l * B_h),
        note=f"As with adapters. {CALIBRATED}",
    ),
    Claim(
        id="chen2026.calibration.head-hides",
        locator=CODE,
        says="A band measured on the head alone can hold while the whole model violates its own.",
        whose=Kind.OURS,
        given=BLOCKS,
        holds=And(
            Gt(e_w * A_h, e_l * X_h),
            Lt(e_w * X_h, e_l * B_h),
            Or(
                Lt(e_w * (A_h + A_o), e_l * (X_h + X_o)),
                Gt(e_w * (X_h + X_o), e_l * (B_h + B_o)),
            ),
        ),
        exists=True,
    ),
    Claim(
        id="chen2026.calibration.average",
        locator=CODE,
        says=r"The moving average $v \leftarrow \beta v + (1 - \beta)x$ from $v_0 = x_0$ is a "
        r"decayed sum over a decayed count, the first batch counting $\frac{1}{1-\beta}$ times.",
        given=(beta < 1, equal(S, v / (1 - beta))),
        holds=every(
            equal((beta * S + x) * (1 - beta), beta * v + (1 - beta) * x),
            equal(beta / (1 - beta) + 1, 1 / (1 - beta)),
        ),
        note="S is the sum of logs, and the count stays at 1/(1−β).",
    ),
    Claim(
        id="chen2026.calibration.zero-incentive",
        locator=CODE,
        says="No positive factor puts a pair with one zero incentive and an acute angle into its "
        "band.",
        whose=Kind.OURS,
        given=(X > 0,),
        holds=And(~And(step * e_w * A >= 0, step * e_w * X <= 0), ~(-e_l / step * X >= 0)),
        note="At d_l = 0 the rejected rises with every factor, at d_w = 0 the chosen falls.",
    ),
    Claim(
        id="chen2026.calibration.product",
        locator=ABSTRACT,
        says="Calibration adaptively rebalances the updates: it keeps the product of the "
        "incentives.",
        quote="we propose reward calibration (RC), a plug-and-play method that adaptively "
        "rebalances the updates for chosen and rejected responses to satisfy the DB, "
        "without redesigning the base objective.",
        holds=equal((step * e_w) * (e_l / step), e_w * e_l),
    ),
    Claim(
        id="chen2026.calibration.equal-speeds",
        locator=ABSTRACT,
        says="At the centre both log-probabilities move by equal amounts per norm of their scores.",
        whose=Kind.OURS,
        given=(*NORMS, AT_CENTRE),
        holds=equal(
            sqrt(B) * (step * e_w * A - e_l / step * X),
            -sqrt(A) * (step * e_w * X - e_l / step * B),
        ),
    ),
    Claim(
        id="chen2026.calibration.rates",
        locator=CODE,
        says=r"After exact calibration the chosen moves at $g\|a\|(1 - \rho)$ and the rejected at "
        r"$-g\|b\|(1 - \rho)$, with $g = \sqrt{d_wd_l\|a\|\|b\|}$, whatever the cosine.",
        whose=Kind.OURS,
        given=(equal(step**2 * e_w * n_w, e_l * n_l), equal(speed**2, e_w * e_l * n_w * n_l)),
        holds=every(
            equal(pull * n_w**2 - push * rho * n_w * n_l, speed * n_w * (1 - rho)),
            equal(pull * rho * n_w * n_l - push * n_l**2, -speed * n_l * (1 - rho)),
        ),
        note="n_w and n_l are the norms of a and b, δ the factor; g² is the product.",
    ),
    Claim(
        id="chen2026.calibration.never-longer",
        locator=CODE,
        says="Exact calibration never lengthens DPO's update.",
        whose=Kind.OURS,
        given=(*PLAIN, equal(step**2 * n_w, n_l)),
        holds=(step * n_w) ** 2 - 2 * rho * n_w * n_l + (n_l / step) ** 2
        <= n_w**2 - 2 * rho * n_w * n_l + n_l**2,
        tight={n_w: Integer(1), n_l: Integer(1), rho: Integer(0), step: Integer(1)},
        note="Squared norms of δa − b/δ and of a − b; DPO's incentives are equal.",
    ),
    Claim(
        id="chen2026.band.condition1",
        locator="Official implementation, the band; yuan2025, Condition 1",
        says=r"At $r = 1$ the band is Condition 1 of yuan2025.",
        whose=Kind.OURS,
        given=(A > 0, X > 0),
        holds=iff(And(X / A <= 1, B / X >= 1), And(X <= A, X <= B)),
    ),
)
