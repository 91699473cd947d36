r"""Any model, any metric, to second order: :math:`tf_1 + \tfrac12t^2f_2` after t steps.

:math:`f_1 = \langle s,v\rangle` is the slope of a log-probability along the update v and
:math:`f_2 = v^\top\nabla^2\log\pi\,v` its curvature.
"""

from sympy import Abs, And, Expr, Gt, Integer, Symbol
from sympy.logic.boolalg import Boolean

from disband.theory.gram import Gram
from disband.theory.horizon.band import Curvatures, change, horizon_changes
from disband.theory.objective import Objective
from disband.theory.objectives import DPO, DPO_NORM
from disband.theory.symbols import A, B, X, beta, len_l, len_w, logp_l, logp_w, ref_l, ref_w

from ....deciding.claim import Claim
from ....deciding.logic import equal, every, iff, implies

LOCATOR = "Many steps, second order"
t, early = (Symbol(name, positive=True) for name in ("t", "t_e"))
slope, bend = Symbol("f_1", real=True), Symbol("f_2", real=True)
slope_l, bend_l = Symbol("g_1", real=True), Symbol("g_2", real=True)
after = change(slope, bend, t)
turn = -2 * slope / bend
after_l, turn_l = change(slope_l, bend_l, t), -2 * slope_l / bend_l
r_1, r_2, share = (
    Symbol("r_1", positive=True),
    Symbol("r_2", positive=True),
    Symbol("lam", real=True),
)
W_ww, W_wl, W_ll = (Symbol(f"W_{name}", real=True) for name in ("ww", "wl", "ll"))
ZERO, ONE = Integer(0), Integer(1)


def chosen(ratio: Expr) -> Expr:
    """Return the chosen's change at a ratio of incentives."""
    return horizon_changes(
        ratio, ONE, Gram(A, B, X), Curvatures(W_ww, W_wl, W_ll, ZERO, ZERO, ZERO), t
    )[0]


def clock(objective: Objective, steps: Expr) -> Boolean:
    """State that the chosen is after ``steps`` where it is after t with incentives of one half."""
    at_reference = {logp_w: ref_w, logp_l: ref_l, len_l: len_w}
    d_w, d_l = (d.subs(at_reference) for d in (objective.d_w, objective.d_l))
    gram, curvatures = Gram(A, B, X), Curvatures(W_ww, W_wl, W_ll, ZERO, ZERO, ZERO)
    slow, _ = horizon_changes(d_w, d_l, gram, curvatures, steps)
    plain, _ = horizon_changes(ONE / 2, ONE / 2, gram, curvatures, t)
    return equal(slow, plain)


CLOCKS = {"DPO": clock(DPO, t / beta), "DPO-norm": clock(DPO_NORM, t * len_w / beta)}

CLAIMS = (
    Claim(
        id="disband.horizon.chosen",
        locator=LOCATOR,
        says="A chosen that is curved down is up before $t^* = -2f_1/f_2$ steps, and down after.",
        given=(bend < 0,),
        holds=every(iff(after > 0, t < turn), iff(after < 0, t > turn)),
        note="f_1 is the slope of the log-probability along the update and f_2 its curvature. In "
        "every log-linear model f_2 is at most zero. A chosen that falls at once has t* < 0.",
    ),
    Claim(
        id="disband.horizon.rejected",
        locator=LOCATOR,
        says="A rejected that is curved down and falls is never back; one that rises is down after "
        "$t^* = -2f_1/f_2$ steps.",
        given=(bend < 0,),
        holds=every(implies(slope <= 0, after < 0), implies(And(slope > 0, t > turn), after < 0)),
        note="So where both are curved down it is the chosen's side of the band that time breaks.",
    ),
    Claim(
        id="disband.horizon.peak",
        locator=LOCATOR,
        says=r"A change that is curved down gains at most $\frac{f_1^2}{-2f_2}$, at half of $t^*$, "
        "and no number of steps holds more.",
        given=(bend < 0,),
        holds=after <= slope**2 / (-2 * bend),
        note="To second order. The step size drops out: f_1 grows with it and f_2 with its square.",
        tight={slope: Integer(1), bend: Integer(-1), t: Integer(1)},
    ),
    Claim(
        id="disband.horizon.short",
        locator=LOCATOR,
        says="Before $t^*$ a change has the sign that one step gives it, whatever the curvature: "
        r"for $t \to 0$ the horizon's band is the disentanglement band.",
        given=(t * Abs(bend) < 2 * Abs(slope),),
        holds=Gt(slope * after, 0),
        note="t* = 2|f_1|/|f_2|.",
    ),
    Claim(
        id="disband.horizon.interval",
        locator=LOCATOR,
        says="Where the chosen is curved down along its own score, the ratios at which it is up "
        "after t steps are an interval: with two ratios all between them.",
        given=(
            W_ww <= 0,
            share >= 0,
            share <= 1,
            chosen(r_1) >= 0,
            chosen(r_2) >= 0,
        ),
        holds=chosen(share * r_1 + (1 - share) * r_2) >= 0,
        note="W holds the second derivatives of the chosen along both scores; t counts steps times "
        "step size times d_l. The interval has an upper end too: to pull too hard overshoots.",
    ),
    Claim(
        id="disband.horizon.nested",
        locator=LOCATOR,
        says="Where both are curved down, a chosen that is up is up at every earlier step, and a "
        "rejected that is down is down at every later one: time moves both edges of the band "
        "towards more pull.",
        given=(bend <= 0, bend_l <= 0, early < t),
        holds=every(
            implies(after >= 0, change(slope, bend, early) >= 0),
            implies(change(slope_l, bend_l, early) <= 0, after_l <= 0),
        ),
        note="f of the chosen, g of the rejected.",
    ),
    Claim(
        id="disband.horizon.clock",
        locator=LOCATOR,
        says=r"At the reference $\beta$ and a common length turn the clock alone: what incentives "
        r"of one half make of a pair in t steps DPO makes in $t/\beta$ and DPO-norm in "
        r"$t\,|y|/\beta$, no sign and no height moved.",
        holds=every(*CLOCKS.values()),
        cases=CLOCKS,
        note="Incentives as declared, both responses of one length. So does the step size.",
    ),
    Claim(
        id="disband.horizon.both",
        locator=LOCATOR,
        says="Of two responses that are curved down the case is ideal exactly between their two "
        "turning times, the rejected's and the chosen's; after both, both are down.",
        given=(bend < 0, bend_l < 0),
        holds=every(
            iff(And(after > 0, after_l < 0), And(turn_l < t, t < turn)),
            iff(And(after < 0, after_l < 0), And(turn_l < t, t > turn)),
        ),
        note="f of the chosen, g of the rejected. So time leads from both rising to ideal or "
        "reversed, and from there to both falling.",
    ),
)
