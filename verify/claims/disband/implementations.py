"""What implementations of calibration get wrong, and the form that is right."""

from sympy import And, Symbol, sqrt

from disband.theory.symbols import A, B, X, beta

from ...deciding.claim import Claim
from ...deciding.logic import equal
from .bands import NORMS
from .calibration import e_l, e_w, step

LOCATOR = "Implementing calibration"
AT_CENTRE = equal(step**2 * e_w * sqrt(A), e_l * sqrt(B))
# A moving average's sum and count, or its value v and what a step adds to it.
S, x, v = (Symbol(n, real=True) for n in ("S", "x", "v"))
# SimPO: incentives of means per token, scores of sums.
n_w, n_l = (Symbol(f"len_{side}", positive=True, integer=True) for side in "wl")
MIXED = And(
    step * e_w / n_w * A >= e_l / n_l / step * X,
    step * e_w / n_w * X <= e_l / n_l / step * B,
)

CLAIMS = (
    Claim(
        id="disband.calibration.mixed-z",
        locator=LOCATOR,
        says="Reward calibration satisfies the band with incentives of the means per token and "
        "scores of the sums.",
        given=(*NORMS, AT_CENTRE),
        holds=MIXED,
        regime=(X > 0, X**2 < A * B),
        note="The ratio then misses the centre by $|y_l|/|y_w|$.",
    ),
    Claim(
        id="disband.calibration.mixed-z.repaired",
        locator=LOCATOR,
        says="Reward calibration satisfies the band with incentives of the means per token and "
        "scores of the sums if both responses have one length.",
        given=(*NORMS, AT_CENTRE, equal(n_w, n_l)),
        holds=MIXED,
    ),
    Claim(
        id="disband.calibration.inactive",
        locator=LOCATOR,
        says="A batch without incentives leaves the averages as they are.",
        given=(beta < 1, v > x),
        holds=equal(beta * v + (1 - beta) * x, v),
        note="The log of a zero incentive taken as that of a small clamp, x.",
    ),
    Claim(
        id="disband.calibration.inactive.repaired",
        locator=LOCATOR,
        says="A batch without incentives leaves the averages as they are if it enters neither the "
        "sum nor the count.",
        given=(beta < 1, S > 0, v > 0),
        holds=equal((beta * S) / (beta * v), S / v),
        note="S is the sum of logs, v the count; both only decay.",
    ),
)
