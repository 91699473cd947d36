r"""One softmax row exactly: its logits move by :math:`u` a step, it emits token j.

After t steps its log-probability has changed by :math:`-\log\sum_k s_ke^{t(u_k-u_j)}`.
"""

from sympy import Ge, Gt, IndexedBase, Integer, Sum, Symbol, exp

from disband.theory.models.vocabulary import V, k

from ....deciding.claim import Claim
from ....deciding.logic import equal, every

LOCATOR = "Many steps, log-linear models"
s, y, E = (
    IndexedBase("s", nonnegative=True),
    IndexedBase("y", real=True),
    IndexedBase("E", nonnegative=True),
)
IS_ROW = equal(Sum(s[k], (k, 1, V)), Integer(1))
R, D = Symbol("R", positive=True), Symbol("D", real=True)
MEAN = equal(Sum(s[k] * y[k], (k, 1, V)), D)
SQUARE, CUBE = (Sum(s[k] * y[k] ** power, (k, 1, V)) for power in (2, 3))
VARIANCE, THIRD = SQUARE - D**2, CUBE - 3 * D * SQUARE + 2 * D**3
LEFT = Sum(s[k] * (1 - E[k]), (k, 1, V))
BELOW, ABOVE = (
    Sum(s[k] * (y[k] - D) ** 2 * (R - sign * (y[k] - D)), (k, 1, V)) for sign in (1, -1)
)
p_w, p_l, gain = (Symbol(name, positive=True) for name in ("p_w", "p_l", "E"))
s_i, s_j, s_o, x, t = (Symbol(name, positive=True) for name in ("s_i", "s_j", "s_o", "x", "t"))
others = Symbol("u", nonnegative=True)

CLAIMS = (
    Claim(
        id="disband.horizon.third-moment",
        locator=LOCATOR,
        says="The curvature of a row changes by a share of at most R a step, R the range of its "
        "logits' moves: the third derivative is at most R times the variance, of either sign.",
        given=(IS_ROW, MEAN, y[k] - D <= R, y[k] - D >= -R),
        holds=every(
            Ge(BELOW, 0, evaluate=False),
            Ge(ABOVE, 0, evaluate=False),
            equal(BELOW, R * VARIANCE - THIRD),
            equal(ABOVE, R * VARIANCE + THIRD),
        ),
        note="y_k is the move of the k-th logit, D its mean under the row s; variance and third "
        "derivative in raw moments. So the exact change lies between two curves that slope, "
        "curvature and R alone give.",
    ),
    Claim(
        id="disband.horizon.lasting",
        locator=LOCATOR,
        says="If no possible token's logit moves more than that of the emitted one, no number of "
        "steps lowers the response.",
        given=(IS_ROW, E[k] <= 1),
        holds=every(Ge(LEFT, 0, evaluate=False), equal(LEFT, 1 - Sum(s[k] * E[k], (k, 1, V)))),
        note="E_k is the growth of the k-th logit beside the emitted one's, e to the t(u_k − u_j): "
        "their mean under the row s is at most one, and the change is minus its logarithm.",
    ),
    Claim(
        id="disband.horizon.outrun",
        locator=LOCATOR,
        says="If in one context another token's logit gains x a step on the emitted one's, the "
        r"whole response is down for good after at most $\frac{1/s_i - s_j}{s_o x}$ steps.",
        given=(s_j + s_o <= 1, t >= (1 / s_i - s_j) / (s_o * x)),
        holds=Gt((s_i + others) * (s_j + s_o * exp(t * x)), 1),
        note="s_j and s_o are the probabilities of the emitted and of the faster token, which the "
        "first assumption says, s_i that of all else that the response emits; its normaliser is "
        "s_i and what other tokens add. So a response stays up for ever only if in each of its "
        "contexts no token moves more than the emitted one.",
    ),
    Claim(
        id="disband.horizon.parabola-false-alarm",
        locator=LOCATOR,
        says="In one context with one pair DPO's chosen never turns, and yet second order says at "
        "every prediction that it does.",
        given=(p_w + p_l <= 1, gain > 1),
        holds=every(
            Gt(gain, 1 + p_w * (gain - 1) + p_l * (1 / gain - 1)),
            Gt(1 - p_w + p_l, 0),
            Gt(p_w + p_l - (p_w - p_l) ** 2, 0),
        ),
        note="The logits of the two tokens move by ±C and E = e^C; then slope and minus the "
        "curvature. Curvature bends a rise, and only tokens that move more than the emitted one "
        "undo it.",
    ),
)
