r"""Whether the ratio of incentives enters the band as training moves it, and whether it stays.

Scores held fixed and steps small, the log-probabilities move at :math:`D_w, D_l`, so the ratio
:math:`r = d_w/d_l` moves with the sign of :math:`N = \dot d_wd_l - d_w\dot d_l`, where

.. math:: \dot d = \partial_{\log\pi_w}d\,D_w + \partial_{\log\pi_l}d\,D_l

Below the band both fall, above it both rise: the band is approached where :math:`D_w < 0 < N` or
:math:`N < 0 < D_l`, and left at an edge, :math:`D_w = 0` or :math:`D_l = 0`, where N points out.
"""

from collections.abc import Callable, Sequence

from sympy import And, Expr, Function, Gt, Integer, Lt, Not, Or, Symbol
from sympy.logic.boolalg import Boolean

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective
from disband.theory.objectives import (
    BCE,
    BCO,
    CPO,
    DDRO,
    DPO,
    DPOP,
    IPO,
    KTO,
    LSIF,
    R_DPO,
    SIMPO,
    SLIC,
    SPPO,
    TIDPO,
    UKL,
)
from disband.theory.symbols import A, B, X, d_l, d_w, lam, logp_l, logp_w, ref_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff, implies

Motion = Callable[[Objective], Boolean]
LOCATOR = "Early stage"
FROZEN = "Scores held fixed, step size to zero, positive incentives; r rises with N."
D_w, D_l = first_order(d_w, d_l, Gram(A, B, X))
POSITIVE = (d_w > 0, d_l > 0)
# How the pull weakens as the chosen rises, and the push as the rejected falls.
p, q = Symbol("p", nonnegative=True), Symbol("q", nonnegative=True)
turn = -p * D_w * d_l - d_w * q * D_l
weight, share = Symbol("w", positive=True), Function("f")(logp_w, logp_l)
# Two contexts, two tokens: probabilities of the emitted ones, speeds of their log-odds.
p_w, p_l = Symbol("p_w", positive=True), Symbol("p_l", positive=True)
x_w, x_l = Symbol("x_w", real=True), Symbol("x_l", real=True)
centre_speed = p_w * x_w - p_l * x_l


def speeds(objective: Objective) -> tuple[Expr, Expr, Expr]:
    """Return the speeds of both log-probabilities, and N, of the sign of the ratio's speed."""
    pull, push = objective.d_w, objective.d_l
    up, down = first_order(pull, push, Gram(A, B, X))
    pull_speed, push_speed = (d.diff(logp_w) * up + d.diff(logp_l) * down for d in (pull, push))
    return up, down, pull_speed * push - pull * push_speed


def positive(objective: Objective) -> tuple[Boolean, ...]:
    """State that both incentives are positive, where that is not so by itself."""
    stated = (Gt(objective.d_w, 0), Gt(objective.d_l, 0))
    return tuple(dict.fromkeys(s for s in stated if s.free_symbols))


def entering(objective: Objective) -> Boolean:
    """State that outside the band the ratio moves towards it."""
    up, down, n = speeds(objective)
    return Or(And(Lt(up, 0), Gt(n, 0, evaluate=False)), And(Gt(down, 0), Lt(n, 0, evaluate=False)))


def leaving(objective: Objective) -> Boolean:
    """State that at an edge of the band the ratio moves out of it."""
    up, down, n = speeds(objective)
    low, high = (equal(speed, Integer(0)) for speed in (up, down))
    return Or(And(low, Lt(n, 0, evaluate=False)), And(high, Gt(n, 0, evaluate=False)))


def happens(motion: Motion, objectives: Sequence[Objective]) -> dict[str, Boolean]:
    """State for each objective that the motion happens, in symbols of its own."""
    cases = {}
    for objective in objectives:
        stated = every(*regime(objective), X > 0, X**2 <= A * B, motion(objective))
        own = {
            s: Symbol(f"{s.name}_{objective.name}", **s.assumptions0) for s in stated.free_symbols
        }
        cases[objective.name] = stated.xreplace(own)
    return cases


def never(motion: Motion, objectives: Sequence[Objective]) -> dict[str, Boolean]:
    """State for each objective that the motion happens nowhere."""
    return {o.name: Not(every(*regime(o), motion(o)), evaluate=False) for o in objectives}


def regime(objective: Objective) -> tuple[Boolean, ...]:
    """State where an objective is looked at: positive incentives, and a regularizer that acts."""
    acts = {CPO: (lam > 0,), DPOP: (lam > 0, logp_w < ref_w)}
    return (*positive(objective), *acts.get(objective, ()))


ENTER = happens(entering, (BCE, BCO, LSIF, UKL, DDRO, KTO, SPPO, CPO))
NEVER_ENTER = never(entering, (DPO, TIDPO, R_DPO, IPO, SIMPO, SLIC, DPOP))
LEAVE = happens(leaving, (LSIF, KTO, CPO))
NEVER_LEAVE = never(leaving, (DPO, TIDPO, R_DPO, IPO, SIMPO, BCE, BCO, UKL, DDRO, SPPO, SLIC, DPOP))
REGIMES = f"{FROZEN} SLiC while its hinge is active, DPOP below the reference of the chosen."

CLAIMS = (
    Claim(
        id="disband.early-stage.separate",
        locator=LOCATOR,
        says="If each incentive depends on its own response alone, the pull never growing as the "
        "chosen rises nor the push as the rejected falls, then outside the band and on its edges "
        "the ratio never moves away from it: who is in the band stays.",
        given=POSITIVE,
        holds=every(implies(D_w <= 0, turn >= 0), implies(D_l >= 0, turn <= 0)),
        note="Convex losses f(log π_w) + g(log π_l); p and q are the slopes −∂d_w/∂log π_w and "
        f"∂d_l/∂log π_l. {FROZEN}",
    ),
    Claim(
        id="disband.early-stage.proportional",
        locator=LOCATOR,
        says="If the two incentives are proportional, the ratio never changes: it never enters the "
        "band and never leaves it.",
        holds=equal(
            (weight * share).diff(logp_w) * share - weight * share * share.diff(logp_w),
            Integer(0),
        ),
        note="d_w = w·f and d_l = f; the same holds for the slope in log π_l.",
    ),
    Claim(
        id="disband.early-stage.likelihood-term",
        locator=LOCATOR,
        says="If a margin objective has a likelihood term, $d_w = d_l + \\lambda$, and its "
        "incentives weaken as the margin grows, the ratio rises iff the margin grows.",
        given=(*POSITIVE, p > 0, lam > 0, equal(d_w, d_l + lam)),
        holds=iff(Gt(-p * (D_w - D_l) * d_l + d_w * p * (D_w - D_l), 0), Gt(D_w - D_l, 0)),
        note=f"p is the slope of d_l against the margin, turned around. {FROZEN}",
    ),
    Claim(
        id="disband.early-stage.likelihood-term.leaves",
        locator=LOCATOR,
        says="It leaves the band above: on the upper edge the ratio rises, unless the scores are "
        "parallel.",
        given=(
            *POSITIVE,
            p > 0,
            lam > 0,
            equal(d_w, d_l + lam),
            equal(D_l, Integer(0)),
            X**2 < A * B,
        ),
        holds=Gt(-p * (D_w - D_l) * d_l + d_w * p * (D_w - D_l), 0),
        note="So both responses rise in the end, as long as the scores stay what they are.",
    ),
    Claim(
        id="disband.early-stage.exponential",
        locator=LOCATOR,
        says=r"If $d_w = e^{-\log\pi_w}$ and $d_l = e^{\log\pi_l}$ up to factors, the ratio rises "
        "iff it is below that of equal and opposite motion.",
        given=POSITIVE,
        holds=iff(Gt(turn.subs({p: d_w, q: d_l}), 0), Lt(d_w * (A + X), d_l * (B + X))),
        note="So it enters the band, whose interior holds that ratio where it is positive, and "
        f"stays; BCE, BCO and every logistic loss have these tails. {FROZEN}",
    ),
    Claim(
        id="disband.early-stage.hinge",
        locator=LOCATOR,
        says="Past its hinge a margin loss with a likelihood term is above the band wherever the "
        "scores are at an acute angle: the rejected rises too.",
        given=(d_w > 0, equal(d_l, Integer(0)), X > 0),
        holds=And(Gt(D_l, 0), Gt(D_w, 0)),
        note="SLiC-HF and RRHF.",
    ),
    Claim(
        id="disband.early-stage.moving-scores",
        locator=f"{LOCATOR}, two contexts of two tokens",
        says="In the band the scores' own change moves the band up, never down.",
        given=(p_w < 1, p_l < 1, x_w >= 0, x_l <= 0),
        holds=centre_speed >= 0,
        note="The norms are (1 − p) times constants, so d log s/dt = p_w·ẋ_w − p_l·ẋ_l, with x "
        "the log-odds of the emitted tokens; the cosine is that of the contexts.",
    ),
    Claim(
        id="disband.early-stage.moving-scores.edges",
        locator=f"{LOCATOR}, two contexts of two tokens",
        says="There a constant ratio, such as DPO's, enters the band through its upper edge and "
        "leaves it through its lower edge, never the other way.",
        given=(p_w < 1, p_l < 1),
        holds=every(
            implies(And(equal(x_w, Integer(0)), x_l <= 0), centre_speed >= 0),
            implies(And(equal(x_l, Integer(0)), x_w >= 0), centre_speed >= 0),
        ),
        note="The lower edge is ẋ_w = 0, the upper one ẋ_l = 0; on both the centre moves up.",
    ),
    Claim(
        id="disband.early-stage.enters",
        locator=f"{LOCATOR}, which objectives enter",
        says="With these objectives, from some states outside the band the ratio moves towards it.",
        holds=every(*ENTER.values()),
        cases=ENTER,
        exists=True,
        note=FROZEN,
    ),
    Claim(
        id="disband.early-stage.never-enters",
        locator=f"{LOCATOR}, which objectives enter",
        says="With these objectives the ratio never moves towards the band from outside.",
        holds=every(*NEVER_ENTER.values()),
        cases=NEVER_ENTER,
        note=f"{REGIMES} The ratio of DPO, TIDPO, R-DPO and IPO is 1 for ever, that of SimPO the "
        "ratio of the lengths.",
    ),
    Claim(
        id="disband.early-stage.leaves",
        locator=f"{LOCATOR}, which objectives leave",
        says="With these objectives, at some edge of the band the ratio moves out of it.",
        holds=every(*LEAVE.values()),
        cases=LEAVE,
        exists=True,
        note=FROZEN,
    ),
    Claim(
        id="disband.early-stage.never-leaves",
        locator=f"{LOCATOR}, which objectives leave",
        says="With these objectives the ratio never moves out of the band at an edge.",
        holds=every(*NEVER_LEAVE.values()),
        cases=NEVER_LEAVE,
        note=REGIMES,
    ),
)
