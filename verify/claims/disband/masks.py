"""Token masks: when none is kept, and how many are kept in part."""

from sympy import Integer, Symbol, exp

from disband.theory.kernels.primitives import logsigmoid
from disband.theory.symbols import beta

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff, implies

price = Symbol("eta", positive=True)
t_w, t_l = Symbol("t_w", real=True), Symbol("t_l", real=True)
m_w, m_l = Symbol("m_w", nonnegative=True), Symbol("m_l", nonnegative=True)

# The masked loss of section 5.2 for one chosen and one rejected token, and its slopes in the masks.
loss = -logsigmoid(beta * (m_w * t_w - m_l * t_l)) + price * (m_w + m_l)
slope_w, slope_l = (loss.diff(mask).rewrite(exp) for mask in (m_w, m_l))
EMPTY = {m_w: Integer(0), m_l: Integer(0)}

CLAIMS = (
    Claim(
        id="disband.masks.empty",
        locator="Token masks",
        says=r"Of one chosen and one rejected token, at empty masks neither's mask lowers the "
        r"masked loss iff $t_w \le 2\eta/\beta$ and $-t_l \le 2\eta/\beta$.",
        holds=iff(
            every(slope_w.subs(EMPTY) >= 0, slope_l.subs(EMPTY) >= 0),
            every(t_w <= 2 * price / beta, -t_l <= 2 * price / beta),
        ),
        note="The loss of two tokens is convex in their masks, so empty masks are then the best.",
    ),
    Claim(
        id="disband.masks.reference",
        locator="Token masks",
        says=r"At the reference, $t_w = t_l = 0$, any mask on one chosen and one rejected token "
        r"adds exactly its price to the masked loss: for $\eta > 0$ the empty ones are best.",
        given=(m_w + m_l > 0,),
        holds=every(
            equal((loss - loss.subs(EMPTY)).subs({t_w: 0, t_l: 0}), price * (m_w + m_l)),
            price * (m_w + m_l) > 0,
        ),
    ),
    Claim(
        id="disband.masks.in-part",
        locator="Token masks",
        says=r"Of one chosen and one rejected token, the best masks keep both in part only where "
        r"they are worth the same, $t_w = -t_l$.",
        holds=implies(every(equal(slope_w, 0), equal(slope_l, 0)), equal(t_w, -t_l)),
        note="Inside (0, 1) both slopes of the loss are zero. So of two unlike tokens at most one "
        "is kept in part.",
    ),
)
