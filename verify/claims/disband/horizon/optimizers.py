"""What the optimizer adds to a fall: memory, second moments that change, and its clock."""

from sympy import Expr, Gt, Integer, Lt, Symbol

from ....deciding.claim import Claim
from ....deciding.logic import equal, every, implies

LOCATOR = "Many steps, the optimizer"
keep, keep_2 = Symbol("beta_1", positive=True), Symbol("beta_2", positive=True)
slope, decline, t, scale, v = (Symbol(name, positive=True) for name in ("D", "c", "t", "S", "v"))
g = Symbol("g", real=True)
lag = decline * keep / (1 - keep)
rising, falling, factor, other, most = (
    Symbol(name, positive=True) for name in ("P", "N", "h_1", "h_2", "K")
)


def moment(past: Expr, square: Expr) -> Expr:
    """Return the second moment that a step divides by."""
    return keep_2 * past + (1 - keep_2) * square


step_sq = g**2 / moment(v, g**2)

CLAIMS = (
    Claim(
        id="disband.horizon.memory-delays",
        locator=LOCATOR,
        says="A memory of gradients turns a response later than its own slope: where the slope "
        r"falls by c a step, from D, the peak is $\frac{\beta_1}{1-\beta_1}$ steps after "
        r"$\frac{D}{c}$.",
        given=(keep < 1,),
        holds=every(
            equal(
                keep * (slope - decline * (t - 1) + lag) + (1 - keep) * (slope - decline * t),
                slope - decline * t + lag,
            ),
            equal(slope - decline * (slope / decline + keep / (1 - keep)) + lag, Integer(0)),
        ),
        note="The first line: a slope behind by c·β_1/(1−β_1) is what the moving average of such "
        "slopes is. So memory hides a turn at first and carries the fall on after the gradient "
        "has come back. That β_1 < 1 says only what it is.",
    ),
    Claim(
        id="disband.horizon.adam-clock",
        locator=LOCATOR,
        says="Adam's clock does not see the size of a loss: with every gradient S times as large "
        r"its step is the same, so that $\beta$ and a common length move its horizon through the "
        "incentives' shape alone.",
        holds=equal(
            (scale * g) ** 2 * moment(v, g**2), g**2 * moment(scale**2 * v, (scale * g) ** 2)
        ),
        note="Squares of steps, multiplied out, without ε; v is the second moment before the step.",
    ),
    Claim(
        id="disband.horizon.stale-moments",
        locator=LOCATOR,
        says="Adam's stale second moments make a gradient that grows step longer than one, up to "
        r"$\frac{1}{\sqrt{1-\beta_2}}$, and one that shrinks step shorter.",
        given=(keep_2 < 1,),
        holds=every(
            implies(g**2 > v, (step_sq > 1) & (step_sq < 1 / (1 - keep_2))),
            implies(g**2 < v, Lt(step_sq, 1)),
        ),
        note="The square of the step, in units of the rate. A run that runs away is fed by it, one "
        "that converges damped.",
    ),
    Claim(
        id="disband.horizon.metric-turns",
        locator=LOCATOR,
        says="Second moments that change can turn a response although its score and the gradient "
        "stay: a slope that is the rest of two parts changes its sign.",
        given=(rising > falling, factor <= 2, other <= 2, factor >= 1, other >= 1),
        holds=Lt(factor * rising, other * falling),
        exists=True,
        note="P and N are what the rising and the falling entries add to the slope; the metric "
        "multiplies them by h_1 and h_2, both between 1 and 2.",
    ),
    Claim(
        id="disband.horizon.metric-keeps",
        locator=LOCATOR,
        says="A slope whose rising entries outweigh the falling ones more than K times keeps its "
        "sign in every metric whose entries change by factors at most K apart.",
        given=(rising > most * falling, other <= most * factor),
        holds=Gt(factor * rising, other * falling),
        note="P and N as above, h_1 the least factor of a rising entry and h_2 the largest of a "
        "falling one.",
    ),
)
