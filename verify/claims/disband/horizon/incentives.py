r"""Scores frozen, incentives alive: what turns a response without any curvature.

:math:`\dot z_w = d_wA - d_lX` and :math:`\dot z_l = d_wX - d_lB` with z over the reference,
:math:`m = z_w - z_l`, :math:`Q = A - 2X + B`.
"""

from sympy import And, Ge, Gt, Integer, Lt, Rational, Symbol, exp

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.horizon.incentives import distance
from disband.theory.symbols import A, B, X, beta, d_l, lam

from ....deciding.claim import Claim
from ....deciding.logic import equal, every, implies
from ..batches import a, dot, mix

LOCATOR = "Many steps, scores frozen"
GRAM = Gram(A, B, X)
Q = distance(GRAM)
margin, t = Symbol("m", real=True), Symbol("t", positive=True)
ZERO, ONE = Integer(0), Integer(1)
even = beta / (1 + exp(beta * margin))
even_w, even_l = first_order(even, even, GRAM)
target = 1 / (2 * beta)
ipo_path = target * (1 - exp(-2 * Q * t))
# CPO: d_w = d_l + λ. BCE: each incentive a sigmoid of its own response.
cpo_w, cpo_l = first_order(d_l + lam, d_l, GRAM)
push = Symbol("d", positive=True)
ddro_w, ddro_l = first_order(ONE, push, GRAM)
z_w = Symbol("z_w", negative=True)
bce_w, _ = first_order(1 / (1 + exp(z_w)), push, GRAM)
# Two pairs in the plane: a the first chosen, c_i = a_i − b_i the directions of both margins.
c_1, c_2 = ((Symbol(f"c_{i}1", real=True), Symbol(f"c_{i}2", real=True)) for i in (1, 2))
own_1, cross, own_2 = dot(c_1, c_1), dot(c_1, c_2), dot(c_2, c_2)
end = mix(own_2 - cross, c_1, own_1 - cross, c_2)

CLAIMS = (
    Claim(
        id="disband.horizon.incentives.dpo",
        locator=LOCATOR,
        says=r"Under DPO the margin follows $e^{\beta m} + \beta m = 1 + \beta^2Qt$, and both "
        "responses move in proportion to it for ever: what rises at first never turns.",
        holds=every(
            equal((beta * exp(beta * margin) + beta) * (even_w - even_l), beta**2 * Q),
            equal(even_w * Q, (A - X) * (even_w - even_l)),
        ),
        note="The first line is the derivative of what is said. There is no fixed point: the "
        "margin grows as a logarithm. So a DPO run on one pair that turns has turned scores, not "
        "incentives.",
    ),
    Claim(
        id="disband.horizon.incentives.ipo",
        locator=LOCATOR,
        says=r"Under IPO the margin goes to its target, $m = \frac{1}{2\beta}(1 - e^{-2Qt})$: "
        "the only rest, and the chosen's share of it is as under DPO.",
        holds=equal(ipo_path.diff(t), 2 * (target - ipo_path) * Q),
        note="β is IPO's τ; the chosen ends at (A − X)/(2βQ).",
    ),
    Claim(
        id="disband.horizon.incentives.cpo",
        locator=LOCATOR,
        says=r"Under CPO a margin that stands still has $d_l = \lambda\frac{X-A}{Q}$, and then "
        r"both responses rise together, at $\lambda\frac{AB-X^2}{Q}$.",
        given=(equal(cpo_w, cpo_l),),
        holds=every(
            equal(d_l * Q, lam * (X - A)),
            equal(cpo_w * Q, lam * (A * B - X**2)),
            Ge(cpo_w, 0),
        ),
        note="It takes X > A. There the likelihood term, which saves the chosen, ends the margin's "
        "growth and lifts the rejected.",
    ),
    Claim(
        id="disband.horizon.incentives.ddro",
        locator=LOCATOR,
        says=r"Under DDRO and UKL the rejected rests where $d_l = \frac{X}{B}$, from either side, "
        "and there the chosen rises, however it began.",
        holds=every(
            implies(equal(ddro_l, ZERO), And(Ge(ddro_w, 0), equal(ddro_w * B, A * B - X**2))),
            implies(push > X / B, ddro_l < 0),
            implies(push < X / B, ddro_l > 0),
        ),
        note="d_w = 1 and d_l grows with the rejected's probability: falling, it takes its own "
        "push away. So frozen scores would save the chosen in time; scores that turn need not.",
    ),
    Claim(
        id="disband.horizon.incentives.bce",
        locator=LOCATOR,
        says=r"Under BCE, while the rejected is below its reference, the chosen stops falling at "
        r"$-\log\frac{X}{2A-X}$ at the latest, where X is less than 2A.",
        given=(
            push <= Rational(1, 2),
            exp(z_w) <= (2 * A - X) / X,
        ),
        holds=Ge(bce_w, 0),
        note="d_w is a sigmoid of −z_w and d_l one of z_l, at most a half below the reference.",
    ),
    Claim(
        id="disband.horizon.incentives.batch-ends-below",
        locator=LOCATOR,
        says="What a batch adds: under IPO a chosen that rises at first can end below its start, "
        "with scores frozen and both margins at their target.",
        given=(
            Gt(own_1 * own_2, cross**2),
            Gt(dot(a, mix(ONE, c_1, ONE, c_2)), 0),
        ),
        holds=Lt(dot(a, end), 0),
        exists=True,
        note="Two pairs in the plane; c_i = a_i − b_i. At the start both pushes are equal; the end "
        "is the combination of c_1 and c_2 that gives both margins the same.",
    ),
)
