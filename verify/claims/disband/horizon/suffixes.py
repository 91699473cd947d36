r"""The toy with m shared tokens after the one that differs, held along one update.

Two tokens everywhere. The gap of logits moves by x where the responses differ and by y on each
suffix row; the chosen has changed by :math:`-\log(s + (1-s)e^{-xt}) - m\log(p + (1-p)e^{-yt})`.
"""

from sympy import And, Expr, Gt, Integer, Lt, Rational, Symbol, exp

from disband.theory.first_order import first_order
from disband.theory.horizon.suffix import SharedSuffix
from disband.theory.symbols import lam, len_l, len_w

from ....deciding.claim import Claim, Quantity
from ....deciding.logic import equal, every, iff

LOCATOR = "Many steps, a shared suffix"
m = Symbol("m", positive=True, integer=True)
p, q, s, d, t, pull, push, ratio = (
    Symbol(name, positive=True) for name in ("p", "q", "s", "d", "t", "d_w", "d_l", "r")
)
ROWS = (p < 1, q < 1, s < 1)
toy = SharedSuffix(m, p, q, s)
x, y = toy.moves(pull, push)
x_name, y_name = (Quantity(name, value) for name, value in (("x", x), ("y", y)))
slope, _ = first_order(pull, push, toy.gram)
bend, _ = toy.curvatures.along(pull, push)
ONE = Integer(1)


def course(tokens: Expr, r: Expr) -> tuple[Expr, Expr]:
    """Return slope and minus the curvature of the chosen for d_w = r, d_l = 1."""
    at, after = toy.moves(r, ONE)
    return (
        (1 - s) * at + tokens * (1 - p) * after,
        s * (1 - s) * at**2 + tokens * p * (1 - p) * after**2,
    )


(rise_few, bend_few), (rise_more, bend_more) = course(m, ONE), course(m + 1, ONE)
rise_ratio, bend_ratio = course(m, ratio)
lasts = toy.lasting_ratio
LASTS = {
    "DPO": iff(lasts <= ONE, p <= q),
    "CPO": iff((d + lam) / d >= lasts, lam >= d * (p - q) / (1 - p)),
    "SimPO, DPO-norm": iff(len_l / len_w >= lasts, len_l * (1 - p) >= len_w * (1 - q)),
}

CLAIMS = (
    Claim(
        id="disband.horizon.suffix.second-order",
        locator=LOCATOR,
        says="Each suffix token adds $(1-p)y$ to the chosen's slope and $-p(1-p)y^2$ to its "
        r"curvature, so it turns at $\frac{2((1-s)x + m(1-p)y)}{s(1-s)x^2 + mp(1-p)y^2}$.",
        holds=every(
            equal(slope, (1 - s) * x + m * (1 - p) * y),
            equal(bend, -(s * (1 - s) * x**2 + m * p * (1 - p) * y**2)),
        ),
        note="Slope and curvature from score products and second derivatives along both scores; p "
        "and q are the emitted suffix token's probabilities after the chosen and after the "
        "rejected token, s that of the chosen token where they differ.",
        where=(x_name, y_name),
    ),
    Claim(
        id="disband.horizon.suffix.sooner",
        locator=LOCATOR,
        says="Under DPO, where the chosen context favours the suffix, $p > q$, each further "
        "suffix token makes the chosen turn sooner, to second order.",
        given=(p < 1, s < 1, p > q),
        holds=rise_more * bend_few < rise_few * bend_more,
        note="Slope over curvature, as above, with m + 1 and with m tokens, multiplied out; a time "
        "below zero is that of a chosen which falls at once.",
    ),
    Claim(
        id="disband.horizon.suffix.lasts",
        locator=LOCATOR,
        says=r"At a ratio of incentives of at least $\frac{1-q}{1-p}$ the chosen never turns: "
        "neither row is ever below its start.",
        given=(p < 1, s < 1, pull * (1 - p) >= push * (1 - q)),
        holds=every(
            exp(x * t) >= s * exp(x * t) + 1 - s,
            exp(y * t) >= p * exp(y * t) + 1 - p,
        ),
        note="Exactly, for every number of steps: both sides times e to the −xt or −yt are the "
        "normalisers.",
        where=(x_name, y_name),
    ),
    Claim(
        id="disband.horizon.suffix.turns",
        locator=LOCATOR,
        says=r"At a smaller ratio than $\frac{1-q}{1-p}$ one suffix token is enough: the chosen is "
        r"down for good after $\frac{1-s}{s(1-p)(-y)}$, whatever one step promises.",
        given=(p < 1, s < 1, Lt(y, 0), t >= (1 - s) / (s * (1 - p) * -y)),
        holds=Gt((s + (1 - s) * exp(-x * t)) * (p + (1 - p) * exp(-y * t)), 1),
        note="Exactly. What differs gains at most a factor 1/s, what is shared loses without end; "
        "more suffix tokens multiply the loss. The limit of many steps: the lower edge of the band "
        "goes to (1 − q)/(1 − p).",
        where=(x_name, y_name),
    ),
    Claim(
        id="disband.horizon.suffix.rejected",
        locator=LOCATOR,
        says="At every ratio, however large, the rejected ends below its start, latest after "
        r"$\frac{1-q}{qsx}$ with one suffix token.",
        given=(q < 1, s < 1, t >= (1 - q) / (q * s * x)),
        holds=Gt((1 - s + s * exp(x * t)) * (q + (1 - q) * exp(-y * t)), 1),
        note="Exactly: in the limit of many steps the band has no upper edge.",
        where=(x_name, y_name),
    ),
    Claim(
        id="disband.horizon.suffix.who-lasts",
        locator=LOCATOR,
        says=r"Whose ratio reaches $\frac{1-q}{1-p}$: DPO's iff $p \le q$; with a likelihood "
        r"term iff $\lambda \ge \frac{d(p-q)}{1-p}$; with lengths iff "
        r"$|y_l|(1-p) \ge |y_w|(1-q)$.",
        given=(p < 1,),
        holds=every(*LASTS.values()),
        cases=LASTS,
        note="The likelihood term has d_w = d + λ and d_l = d, and holds for ever while λ does "
        "not fade; length normalisation moves the horizon only if the lengths differ.",
    ),
    Claim(
        id="disband.horizon.suffix.calibrated",
        locator=LOCATOR,
        says="Calibration puts the chosen on the centre of the band and does not make it last: "
        r"$r^* < \frac{1-q}{1-p}$ where $p > q$ and the chosen token is not the likelier one.",
        given=(p < 1, p > q, s <= Rational(1, 2)),
        holds=Lt(toy.gram.sq_l * (1 - p) ** 2, toy.gram.sq_w * (1 - q) ** 2),
        note="In squares, r* being ‖b‖/‖a‖. With the rows before: the calibrated chosen rises at "
        "first, and is down in the end.",
    ),
    Claim(
        id="disband.horizon.suffix.parabola-misleads",
        locator=LOCATOR,
        says="A likelihood term can make the chosen last for ever and yet bring forward the "
        "turning time of second order.",
        given=(*ROWS, p > q, ratio > 1, Gt(rise_few, 0)),
        holds=And(ratio >= lasts, rise_ratio * bend_few < rise_few * bend_ratio),
        exists=True,
        note="d_l = 1 and d_w = r. The longer update curves more where it does no harm.",
    ),
)
