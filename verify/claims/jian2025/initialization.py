r"""Abstract, sentence 4: DPO is highly sensitive to initialization.

Two readings: of how far the margin gets, and of what becomes of the probabilities.
"""

from sympy import Gt, Integer, Lt, Rational, Symbol

from disband.theory.kernels.primitives import sigmoid
from disband.theory.models.evolution import after, chosen_share
from disband.theory.symbols import beta, gamma

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff
from .evolution import STEP, E, p_l, p_w, q_l, q_w

LOCATOR = "Abstract, sentence 4: sensitivity to initialization"
u_w, u_l = Symbol("u_w", positive=True), Symbol("u_l", positive=True)
v_w, v_l, _ = after(u_w, u_l, E)
# What the odds of chosen against rejected are multiplied by, from two starts.
gain_p, gain_u = Symbol("G_p", positive=True), Symbol("G_u", positive=True)
GAINS = (equal(gain_p * p_w * q_l, q_w * p_l), equal(gain_u * u_w * v_l, v_w * u_l))
ROWS = (p_w + p_l < 1, u_w + u_l < 1)
share = chosen_share(p_w, p_l)
HUNDREDTH = Rational(1, 100)
m_1, m_2 = Symbol("m_1", real=True), Symbol("m_2", real=True)
x, alpha = Symbol("x", real=True), Symbol("alpha", positive=True)

CLAIMS = (
    Claim(
        id="jian2025.initialization.share",
        locator=LOCATOR,
        says="DPO is highly sensitive to initialization: what share of the margin is a rise of the "
        "chosen depends on where it starts, and can be less than 1 % or more than 99 %.",
        quote="Our analysis reveals that DPO is highly sensitive to initialization.",
        whose=Kind.READ,
        given=(*ROWS, p_w < HUNDREDTH, u_w > 1 - HUNDREDTH),
        holds=every(Gt(share, 1 - HUNDREDTH), Lt(chosen_share(u_w, u_l), HUNDREDTH)),
        exists=True,
        note="To first order: the share is (1 − p_w + p_l)/2. Read of the margin itself it "
        "would be false: jian2025.initialization.margin-alike.",
    ),
    Claim(
        id="jian2025.initialization.margin-alike",
        locator=LOCATOR,
        says="In one context a step multiplies the odds of chosen against rejected by $E^2$, "
        "wherever it starts.",
        whose=Kind.OURS,
        given=ROWS,
        holds=every(equal(q_w * p_l, E**2 * p_w * q_l), equal(v_w * u_l, E**2 * u_w * v_l)),
        note=f"DPO's incentive depends on the margin alone, so the whole course of the margin is "
        f"one curve. {STEP}",
    ),
    Claim(
        id="jian2025.initialization.split",
        locator=LOCATOR,
        says="The chosen's share of the margin is above one half iff the chosen is less likely "
        "than the rejected.",
        whose=Kind.OURS,
        given=ROWS[:1],
        holds=every(Gt(share, 0), Lt(share, 1), iff(Gt(share, Rational(1, 2)), Lt(p_w, p_l))),
        note="To first order.",
    ),
    Claim(
        id="jian2025.initialization.never-forgotten",
        locator=LOCATOR,
        says="Two policies that DPO trains, each from its own reference, keep the ratio of their "
        "odds for ever.",
        whose=Kind.OURS,
        given=ROWS,
        holds=equal(q_w * v_l * p_l * u_w, v_w * q_l * u_l * p_w),
        note=f"Odds of chosen against rejected, cleared of denominators. {STEP}",
    ),
    Claim(
        id="jian2025.initialization.reference-free",
        locator=LOCATOR,
        says="Without a reference, two policies' margins approach each other: SimPO forgets.",
        whose=Kind.OURS,
        given=(Gt(m_1, m_2),),
        holds=Lt(sigmoid(gamma - beta * m_1) - sigmoid(gamma - beta * m_2), 0),
        note="Gradient flow in one context: the margins move at 2β times these incentives.",
    ),
    Claim(
        id="jian2025.initialization.label-noise",
        locator=LOCATOR,
        says="Even at its optimum under label noise DPO has multiplied the odds of its start: "
        r"$\sigma(\beta\tilde m) = \alpha$, whatever the start.",
        whose=Kind.OURS,
        given=(alpha < 1,),
        holds=iff(
            equal(alpha * sigmoid(-x) - (1 - alpha) * sigmoid(x), Integer(0)),
            equal(sigmoid(x), alpha),
        ),
        note="α of the labels are right; x is β times the margin over the reference. The odds at "
        "the end are those of the reference times (α/(1 − α)) to the 1/β.",
    ),
    Claim(
        id="jian2025.initialization.slow-start",
        locator=LOCATOR,
        says=r"A chosen response that starts at $p_w$ has at most $E^2p_w$ after the step.",
        whose=Kind.OURS,
        given=(*ROWS[:1], E > 1),
        holds=q_w <= E**2 * p_w,
        note="So to reach a probability c it takes a margin of at least log(c/p_w): one as "
        f"unlikely as a sentence of a model takes hundreds of nats. {STEP}",
    ),
)
