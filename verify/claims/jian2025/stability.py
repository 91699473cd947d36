r"""Abstract, sentence 8: stable optimization dynamics.

x = h/μ is a curvature of the lower level over its strength. The exact lower level gives that
direction the factor (1 + x)^{-2}, one unrolled step (1 − x)².
"""

from sympy import Gt, Lt, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.models.toys import single_token_gram

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff

LOCATOR = "Abstract, sentence 8: stable optimization dynamics"
x = Symbol("x", nonnegative=True)
exact, unrolled = (1 + x) ** -2, (1 - x) ** 2
d, lam = Symbol("d", positive=True), Symbol("lam", positive=True)
p_w, p_l, u_w, u_l = (Symbol(n, positive=True) for n in ("p_w", "p_l", "u_w", "u_l"))
Sigma, T = Symbol("Sigma", positive=True), Symbol("T", positive=True)
ROW = (p_w + p_l < 1,)


def speed(up: Symbol, down: Symbol, collision: Symbol) -> Symbol:
    """Speed of the margin under the upper level's incentives, in one softmax row."""
    one = single_token_gram(up, down, collision, 1)
    rise, fall = first_order(d + lam, d, Gram(one.sq_w, one.sq_l, one.dot))
    return rise - fall


CLAIMS = (
    Claim(
        id="jian2025.stability.exact",
        locator=LOCATOR,
        says="The exact lower level speeds no direction up and turns none around.",
        quote="Our approach introduces a principled regularization scheme to explicitly "
        "encourage absolute probability improvement for preferred outputs, while "
        "maintaining stable optimization dynamics.",
        holds=every(Gt(exact, 0), exact <= 1),
        note="So a step that is stable without it is stable with it.",
    ),
    Claim(
        id="jian2025.stability.one-step",
        locator=LOCATOR,
        says=r"One unrolled step turns no direction around, and speeds one up iff its curvature "
        r"is above $2\mu$; a curvature of $\mu$ stands still.",
        whose=Kind.OURS,
        holds=every(unrolled >= 0, iff(unrolled > 1, x > 2), equal(unrolled.subs(x, 1), 0)),
        note="A softmax row with its own logits has "
        "curvatures of at most 1/2, so μ ≥ 1/4 is enough there.",
    ),
    Claim(
        id="jian2025.stability.approximation",
        locator=LOCATOR,
        says=r"One unrolled step is exact to first order in $h/\mu$: up to $h = \mu$ it errs by at "
        r"most $2(h/\mu)^2$, on the slow side.",
        whose=Kind.OURS,
        given=(x <= 1,),
        holds=every(unrolled <= exact, exact - unrolled <= 2 * x**2),
        note="x = h/μ.",
    ),
    Claim(
        id="jian2025.stability.no-optimum",
        locator=LOCATOR,
        says="The upper level never comes to rest in one softmax row: the logit of the chosen is "
        "pulled up everywhere.",
        whose=Kind.OURS,
        given=ROW,
        holds=Gt((d + lam) * (1 - p_w) + d * p_w, 0),
        note="Nor does DPO. Stable is not settled: what stops it is the end of training.",
    ),
    Claim(
        id="jian2025.stability.margin-speed",
        locator=LOCATOR,
        says=r"In one softmax row the margin grows at $2d + \lambda(1 - p_w + p_l)$.",
        whose=Kind.OURS,
        holds=equal(speed(p_w, p_l, Sigma), 2 * d + lam * (1 - p_w + p_l)),
        note="Without the lower level. Σ, the sum of the squared probabilities, drops out.",
    ),
    Claim(
        id="jian2025.stability.forgets",
        locator=LOCATOR,
        says="Of two policies with the same margin gained, the reward moves the one faster whose "
        "chosen is further behind its rejected.",
        whose=Kind.OURS,
        given=(*ROW, u_w + u_l < 1, Lt(p_w - p_l, u_w - u_l)),
        holds=Gt(speed(p_w, p_l, Sigma), speed(u_w, u_l, T)),
        note="So it forgets the start a little, which DPO never does. Without the lower level.",
    ),
)
