r"""Batches: what a common step can do for many pairs, and calibration from batch means.

For one step :math:`\delta G_w - G_l/\delta` with :math:`G_w = \mathrm{mean}(d_w a)`,
:math:`G_l = \mathrm{mean}(d_l b)`, the mean chosen log-probability changes by
:math:`\delta W_w - W_l/\delta`, the mean rejected one by :math:`\delta L_w - L_l/\delta`.
"""

from sympy import And, Expr, Gt, Integer, Lt, Or, Symbol

from disband.theory.symbols import A, B, X, d_l, d_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, iff
from .calibration import step

W_w, W_l, L_w, L_l = (Symbol(name, positive=True) for name in ("W_w", "W_l", "L_w", "L_l"))
mean_w, mean_l = step * W_w - W_l / step, step * L_w - L_l / step

# Two pairs in the plane; the first pair has d_w = d_l = 1, the second d_w = 1, d_l = t.
Vector = tuple[Expr, Expr]
t = Symbol("t", positive=True)


def vector(name: str) -> Vector:
    """Return a vector of two real entries."""
    return Symbol(f"{name}_1", real=True), Symbol(f"{name}_2", real=True)


def dot(u: Vector, v: Vector) -> Expr:
    """Inner product."""
    return u[0] * v[0] + u[1] * v[1]


def mix(s: Expr, u: Vector, r: Expr, v: Vector) -> Vector:
    """Return s·u + r·v."""
    return s * u[0] + r * v[0], s * u[1] + r * v[1]


ONE = Integer(1)
a, b, c, d, g = (vector(name) for name in "abcdg")
chosen_mean, rejected_mean = mix(ONE, a, ONE, c), mix(ONE, b, ONE, d)
pull, push = chosen_mean, mix(ONE, b, t, d)
products = (
    dot(chosen_mean, pull),
    dot(chosen_mean, push),
    dot(rejected_mean, pull),
    dot(rejected_mean, push),
)
own_w = (dot(a, a) - dot(a, b), dot(c, c) - t * dot(c, d))
own_l = (dot(a, b) - dot(b, b), dot(c, d) - t * dot(d, d))
weights = [Symbol(f"lam_{i}", nonnegative=True) for i in range(1, 5)]
hull_point = mix(ONE, mix(weights[0], a, weights[1], c), -ONE, mix(weights[2], b, weights[3], d))
SUITS = And(Gt(dot(a, g), 0), Gt(dot(c, g), 0), Lt(dot(b, g), 0), Lt(dot(d, g), 0))

CLAIMS = (
    Claim(
        id="disband.batch.band",
        locator="Batch band",
        says=r"The mean chosen does not fall and the mean rejected does not rise iff "
        r"$\frac{W_l}{W_w} \le \delta^2 \le \frac{L_l}{L_w}$.",
        holds=iff(And(mean_w >= 0, mean_l <= 0), And(W_l / W_w <= step**2, step**2 <= L_l / L_w)),
        note="W_w = ⟨ā,G_w⟩, W_l = ⟨ā,G_l⟩, L_w = ⟨b̄,G_w⟩, L_l = ⟨b̄,G_l⟩, all positive.",
    ),
    Claim(
        id="disband.batch.empty",
        locator="Batch band",
        says="The batch band can be empty although all four products are positive.",
        given=tuple(Gt(p, 0) for p in products),
        holds=Gt(products[1] * products[2], products[0] * products[3]),
        exists=True,
        note="Two pairs in the plane; d_w = 1 for both, d_l = 1 and t. Sums stand for means.",
    ),
    Claim(
        id="disband.batch.equal-incentives",
        locator="Batch band",
        says="Where every pair has the same incentives, as under DPO at the reference, the batch "
        "band is not empty.",
        given=(A > 0, X > 0, d_w > 0, d_l > 0),
        holds=d_l * X / (d_w * A) <= d_l * B / (d_w * X),
        note="A, B and X are those of the mean scores, whose Gram matrix obeys Cauchy and Schwarz "
        "as any does. For X ≤ 0 every factor suits the means.",
    ),
    Claim(
        id="disband.batch.mean-hides",
        locator="Batch band",
        says="The mean can stand in its band while every pair violates its own.",
        given=(Or(own_w[0] < 0, own_l[0] > 0), Or(own_w[1] < 0, own_l[1] > 0)),
        holds=And(Gt(products[0] - products[1], 0), Lt(products[2] - products[3], 0)),
        exists=True,
        note="Two pairs in the plane; d_w = 1 for both, d_l = 1 and t.",
    ),
    Claim(
        id="disband.batch.pairs-hide",
        locator="Batch band",
        says="Every pair can stand in its own band while the mean violates its band.",
        given=(own_w[0] > 0, own_l[0] < 0, own_w[1] > 0, own_l[1] < 0),
        holds=Or(Lt(products[0] - products[1], 0), Gt(products[2] - products[3], 0)),
        exists=True,
        note="Two pairs in the plane; d_w = 1 for both, d_l = 1 and t.",
    ),
    Claim(
        id="disband.batch.no-common-step",
        locator="A step that suits every pair",
        says="If $0$ is a convex combination of the $a_i$ and $-b_j$, no step raises every chosen "
        "and lowers every rejected.",
        given=(equal(sum(weights), ONE), *(equal(x, Integer(0)) for x in hull_point)),
        holds=~SUITS,
        note="Two pairs in the plane.",
    ),
    Claim(
        id="disband.batch.common-step",
        locator="A step that suits every pair",
        says="The point of least norm in the convex hull of the $a_i$ and $-b_j$, if it is not "
        "$0$, is a step that raises every chosen and lowers every rejected.",
        given=(
            dot(g, g) > 0,
            *(dot(g, x) >= dot(g, g) for x in (a, c)),
            *(-dot(g, x) >= dot(g, g) for x in (b, d)),
        ),
        holds=SUITS,
        note="Two pairs in the plane; what is assumed of g characterises the point of least norm.",
    ),
)
