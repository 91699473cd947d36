r"""A step that suits every pair of a batch: Gordan's alternative, its certificates, its Gram.

With :math:`v = (a_1,…,a_n,-b_1,…,-b_n)` a step g suits all iff :math:`\langle v_i,g\rangle > 0` for
every i. The statements for two pairs are in the plane; those about the point of least norm hold in
any space, for they speak of products alone.
"""

from sympy import And, Expr, Gt, Integer, Lt, Or, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.symbols import A, B, X

from ...deciding.claim import Claim
from ...deciding.logic import equal, iff
from .batches import SUITS, W_l, W_w, a, b, c, d, dot, g, mix, weights
from .calibration import step

ZERO, ONE = Integer(0), Integer(1)
EAST = (ONE, ZERO)
NORMS = (A > 0, B > 0)
TURNED = [a, c, *(mix(Integer(-1), v, ZERO, v) for v in (b, d))]
# The step with these weights, and the Gram's quadratic form of them.
combined = mix(
    Integer(1), mix(weights[0], TURNED[0], weights[1], TURNED[1]),
    Integer(1), mix(weights[2], TURNED[2], weights[3], TURNED[3]),
)  # fmt: skip
quadratic: Expr = sum(
    (u * w * dot(p, q) for u, p in zip(weights, TURNED, strict=True)
     for w, q in zip(weights, TURNED, strict=True)), ZERO,
)  # fmt: skip
gains = [sum((w * dot(p, q) for w, q in zip(weights, TURNED, strict=True)), ZERO) for p in TURNED]
# One pair: weights and any step's products with the two scores.
u, w = Symbol("u", positive=True), Symbol("w", positive=True)
even_w, even_l = first_order(u, w, Gram(A, B, X))
# The least norm: G = ‖g‖², T = ⟨g,v−g⟩, Q = ‖v−g‖² of a point v of the hull; a way t towards it.
G, Q = Symbol("G", nonnegative=True), Symbol("Q", nonnegative=True)
T, way = Symbol("T", real=True), Symbol("t", positive=True)
half, other_half = Symbol("W_w", real=True), Symbol("W_l", real=True)

CLAIMS = (
    Claim(
        id="disband.batch.pair",
        locator="A step that suits every pair, one pair",
        says="Some step raises the chosen and lowers the rejected unless the scores are parallel: "
        r"incentives in the ratio $\|b\|/\|a\|$ do.",
        given=(*NORMS, equal(u**2 * A, w**2 * B), Or(X < 0, X**2 < A * B)),
        holds=And(Gt(even_w, 0), Lt(even_l, 0)),
    ),
    Claim(
        id="disband.batch.pair.obstacle",
        locator="A step that suits every pair, one pair",
        says="If the scores are parallel no step raises the chosen and lowers the rejected.",
        given=(equal(b[0], u * a[0]), equal(b[1], u * a[1])),
        holds=~And(Gt(dot(a, g), 0), Lt(dot(b, g), 0)),
        note="In the plane; any step g.",
    ),
    Claim(
        id="disband.batch.least-norm",
        locator="A step that suits every pair",
        says=r"If $\langle g,v - g\rangle < 0$ for a point v of the hull, then some way from g "
        r"towards it is shorter: so the point of least norm has $\langle g,v\rangle \ge \|g\|^2$ "
        "for all v of the hull.",
        given=(T < 0, way * Q <= -T),
        holds=Lt(G + 2 * way * T + way**2 * Q, G),
        note="In any space: G = ‖g‖², T = ⟨g,v−g⟩, Q = ‖v−g‖². A hull of finitely many points has "
        "a point of least norm.",
    ),
    Claim(
        id="disband.batch.least-norm.suits",
        locator="A step that suits every pair",
        says="So the point of least norm, if not $0$, suits every pair, whatever their number.",
        given=(G > 0, T >= 0),
        holds=Gt(G + T, 0),
        note="⟨g,v⟩ = G + T for each v of the hull, in any space.",
    ),
    Claim(
        id="disband.batch.certificate.step",
        locator="A step that suits every pair, certificates",
        says="The products alone certify a step: weights with every entry of their product with "
        "the Gram positive.",
        given=tuple(Gt(gain, 0) for gain in gains),
        holds=And(*(Gt(dot(v, combined), 0) for v in TURNED)),
        note="Two pairs in the plane.",
    ),
    Claim(
        id="disband.batch.certificate.obstacle",
        locator="A step that suits every pair, certificates",
        says="The products alone certify that there is none: weights of sum one whose quadratic "
        "form in the Gram is zero.",
        given=(equal(sum(weights), Integer(1)), equal(quadratic, ZERO)),
        holds=And(equal(combined[0], ZERO), equal(combined[1], ZERO)),
        note="Two pairs in the plane; with disband.batch.no-common-step.",
    ),
    Claim(
        id="disband.batch.no-weights-needed",
        locator="A step that suits every pair",
        says="Whatever suits every pair raises the mean chosen and lowers the mean rejected.",
        given=(SUITS,),
        holds=And(Gt(dot(a, g) + dot(c, g), 0), Lt(dot(b, g) + dot(d, g), 0)),
        note="Two pairs in the plane.",
    ),
    Claim(
        id="disband.batch.calibration-not-enough",
        locator="A step that suits every pair",
        says="Some step suits every pair, but no calibration factor of the batch does: one "
        "rejected response rises at every factor.",
        given=(Lt(b[0], 0), Gt(c[0], 0), Lt(d[0], 0)),
        holds=And(Gt(dot(b, mix(ONE, EAST, ONE, c)), 0), dot(b, mix(ONE, b, ONE, d)) <= 0),
        exists=True,
        note="Two pairs in the plane with a = (1, 0), all incentives one; the step (1, 0) suits "
        "both. The first pair's rejected changes by δ⟨b,a+c⟩ − ⟨b,b+d⟩/δ.",
    ),
    Claim(
        id="disband.batch.half-lines",
        locator="Batch band, products of any sign",
        says=r"The mean chosen does not fall iff $\delta^2W_w \ge W_l$, whatever the signs: each "
        r"mean allows a half-line of $\delta^2$.",
        holds=iff(step * half - other_half / step >= 0, step**2 * half >= other_half),
        note="W_w = ⟨ā,G_w⟩, W_l = ⟨ā,G_l⟩.",
    ),
    Claim(
        id="disband.batch.impossible",
        locator="Batch band, products of any sign",
        says="If the pull lowers the mean chosen and the push lowers it too, every factor does.",
        given=(half < 0,),
        holds=Lt(step * half - W_l / step, 0),
        note="W_w < 0 < W_l.",
    ),
    Claim(
        id="disband.batch.one-pair",
        locator="Batch band, products of any sign",
        says="Of one pair the batch band is never empty.",
        given=(*NORMS, X > 0, equal(W_w, A), equal(W_l, X)),
        holds=W_l / W_w <= B / X,
        note="In units d_w = d_l = 1.",
    ),
)
