r"""The disentanglement band, as the paper's official implementation writes it, and its edges.

:math:`\rho` is the cosine of the scores, :math:`r^* = \|b\|/\|a\|`, :math:`r = d_w/d_l`; so
:math:`\rho r^* = X/A` and :math:`r^*/\rho = B/X`.
"""

from sympy import And, Gt, Integer, Lt, Max, Not, Or, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.symbols import A, B, X, d_l, d_w, r_star

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff

ABSTRACT = "Abstract, the disentanglement band"
CODE = "Official implementation, the band"
D_w, D_l = first_order(d_w, d_l, Gram(A, B, X))
POSITIVE = (d_w > 0, d_l > 0)
NORMS = (A > 0, B > 0)
rho = Symbol("rho", real=True)
r = Symbol("r", positive=True)
IN_BAND = every(d_w / d_l >= X / A, d_w / d_l <= B / X)
GOOD = And(D_w >= 0, D_l <= 0)
good = And(r - rho * r_star >= 0, r * rho * r_star - r_star**2 <= 0)

# One row of two tokens that the chosen response visits twice, emitting each token once. Its
# log-probability is log p + log(1 - p); the odds o of the first token become oE by the step.
odds, E = Symbol("o", positive=True), Symbol("E", positive=True)
after, before = odds * E / (1 + odds * E) ** 2, odds / (1 + odds) ** 2

CLAIMS = (
    Claim(
        id="chen2026.band",
        locator=ABSTRACT,
        says=r"If $d_w, d_l > 0$ and $\rho > 0$: the condition $\rho r^* \le r \le r^*/\rho$ tells "
        "when a step suppresses the rejected while preserving the chosen.",
        quote="we identify the disentanglement band (DB), a simple, testable condition "
        "that tells us when training can follow the desired path: suppress the loser while "
        "preserving the winner, possibly after an early stage.",
        whose=Kind.READ,
        standing=(
            (
                "Official implementation: incentives are positive, for their logarithms "
                "are taken, and the band is left undefined where the cosine is not "
                "positive."
            ),
        ),
        given=(*POSITIVE, X > 0),
        holds=iff(IN_BAND, GOOD),
        note="To first order; the edges have entries of their own.",
    ),
    Claim(
        id="chen2026.band.suppresses",
        locator=ABSTRACT,
        says="Inside the band, off its edges, the rejected falls and the chosen rises.",
        quote="we identify the disentanglement band (DB), a simple, testable condition "
        "that tells us when training can follow the desired path: suppress the loser while "
        "preserving the winner, possibly after an early stage.",
        whose=Kind.READ,
        given=(*POSITIVE, X > 0, d_w / d_l > X / A, d_w / d_l < B / X),
        holds=And(Lt(D_l, 0), Gt(D_w, 0)),
    ),
    Claim(
        id="chen2026.band.finite-step",
        locator=ABSTRACT,
        says="A step that is too large can lower the chosen of a pair that is inside its band.",
        whose=Kind.OURS,
        given=(odds < 1, E > 1),
        holds=after < before,
        exists=True,
        note="Scores without a common parameter are in the band at every ratio. The chosen "
        "response emits both tokens of one row, whose odds o a step multiplies by E.",
    ),
    Claim(
        id="chen2026.band.finite-step.row",
        locator=ABSTRACT,
        says=r"In that row the chosen is preserved iff $oE \le 1/o$, for a step that raises "
        "the odds $o < 1$ of its rarer token.",
        whose=Kind.OURS,
        given=(odds < 1, E > 1),
        holds=iff(after >= before, E * odds**2 <= 1),
        note="Of this row alone. Strictly inside the band some step is small enough in "
        "every log-linear model: disband.safe-step; on its lower edge none is: "
        "disband.first-order-bound.",
    ),
    Claim(
        id="chen2026.band.log",
        locator=CODE,
        says=r"$|\log r - \log r^*| \le -\log\rho$ is the same band.",
        given=(rho > 0, rho <= 1),
        holds=iff(
            Max(r / r_star, r_star / r) <= 1 / rho, And(rho * r_star <= r, r <= r_star / rho)
        ),
        note="Without the logarithms.",
    ),
    Claim(
        id="chen2026.band.log-decides",
        locator=CODE,
        says=r"$|\log r - \log r^*| \le -\log\rho$ iff the chosen is preserved and the rejected "
        "suppressed.",
        given=(rho > 0, rho <= 1),
        holds=iff(Max(r / r_star, r_star / r) <= 1 / rho, good),
        note="In units ‖a‖ = d_l = 1.",
    ),
    Claim(
        id="chen2026.band.edge.negative-cosine",
        locator=CODE,
        says=r"At $\rho < 0$ every positive ratio is good, though none meets the inequalities.",
        whose=Kind.OURS,
        given=(*POSITIVE, *NORMS, X < 0),
        holds=And(GOOD, Not(IN_BAND)),
        note="So an empty interval is no failure there.",
    ),
    Claim(
        id="chen2026.band.edge.zero-cosine",
        locator=CODE,
        says=r"At $\rho = 0$ every pair of non-negative incentives is good.",
        whose=Kind.OURS,
        given=(d_w >= 0, d_l >= 0, equal(X, Integer(0))),
        holds=GOOD,
    ),
    Claim(
        id="chen2026.band.edge.parallel",
        locator=CODE,
        says=r"At $\rho = 1$ the ratio $r^*$ is good, and neither response moves.",
        whose=Kind.OURS,
        given=(*POSITIVE, X > 0, equal(X**2, A * B), equal(d_w**2 * A, d_l**2 * B)),
        holds=And(equal(D_w, Integer(0)), equal(D_l, Integer(0))),
    ),
    Claim(
        id="chen2026.band.edge.zero-norm",
        locator=CODE,
        says="If the chosen score is zero, every positive ratio is good and the chosen stands "
        "still.",
        whose=Kind.OURS,
        given=(*POSITIVE, equal(A, Integer(0))),
        holds=And(GOOD, equal(D_w, Integer(0))),
    ),
    Claim(
        id="chen2026.band.edge.zero-incentives",
        locator=CODE,
        says="Without incentives nothing moves, whatever the scores.",
        whose=Kind.OURS,
        given=(equal(d_w, Integer(0)), equal(d_l, Integer(0))),
        holds=And(GOOD, equal(D_w - D_l, Integer(0))),
        note="An inactive hinge.",
    ),
    Claim(
        id="chen2026.band.edge.zero-chosen-incentive",
        locator=CODE,
        says=r"If $d_w = 0 < d_l$ the rejected is suppressed; the chosen is preserved iff "
        r"$\rho \le 0$.",
        whose=Kind.OURS,
        given=(d_l > 0, equal(d_w, Integer(0))),
        holds=And(D_l <= 0, iff(D_w >= 0, X <= 0)),
    ),
    Claim(
        id="chen2026.band.edge.both-negative",
        locator=CODE,
        says="With two negative incentives no ratio is good unless the scores are parallel.",
        whose=Kind.OURS,
        given=(d_w < 0, d_l < 0, X**2 < A * B),
        holds=Not(GOOD),
    ),
    Claim(
        id="chen2026.band.edge.negative-push",
        locator=CODE,
        says=r"If $d_w > 0 > d_l$: the ratio is good iff the rejected is suppressed, which needs "
        r"$\rho < 0$.",
        whose=Kind.OURS,
        given=(d_w > 0, d_l < 0, B > 0),
        holds=And(iff(GOOD, D_l <= 0), Or(D_l > 0, X < 0)),
    ),
    Claim(
        id="chen2026.band.edge.negative-pull",
        locator=CODE,
        says=r"If $d_w < 0 < d_l$: the ratio is good iff the chosen is preserved, which needs "
        r"$\rho < 0$.",
        whose=Kind.OURS,
        given=(d_w < 0, d_l > 0, A > 0),
        holds=And(iff(GOOD, D_w >= 0), Or(D_w < 0, X < 0)),
    ),
)
