r"""Models that are not log-linear: the softmax's part of the curvature and the model's own.

.. math:: \frac{d^2}{dt^2}\log\pi_j = \Big[z_j'' - \sum_k s_kz_k''\Big] - \mathrm{Var}_s(z')
"""

from sympy import Function, Gt, Integer, Le, Rational, Symbol, exp, log

from ....deciding.claim import Claim
from ....deciding.logic import equal

LOCATOR = "Many steps, any model"
t = Symbol("t", real=True)
logits = tuple(Function(f"z_{i}")(t) for i in range(1, 4))
total = sum(exp(z) for z in logits)
row = tuple(exp(z) / total for z in logits)
speeds, bends = (tuple(z.diff(t, order) for z in logits) for order in (1, 2))
mean_speed, mean_bend = (
    sum((s * v for s, v in zip(row, values, strict=True)), Integer(0)) for values in (speeds, bends)
)
variance = sum((s * v**2 for s, v in zip(row, speeds, strict=True)), Integer(0)) - mean_speed**2
# One logit that is a product of two parameters, the other zero; at θ_2 = 0 both tokens are even.
theta, v_1, v_2 = (Symbol(name, real=True) for name in ("theta_1", "v_1", "v_2"))
HALF = Rational(1, 2)
product_speed, product_bend = theta * v_2, 2 * v_1 * v_2
slope = HALF * product_speed
curvature = HALF * product_bend - HALF * HALF * product_speed**2
BILINEAR = (
    "Two tokens; the logit of the one looked at is θ_1·θ_2, the other's 0, at θ_2 = 0, as in a "
    "network of two linear layers or an adapter."
)

CLAIMS = (
    Claim(
        id="disband.horizon.split",
        locator=LOCATOR,
        says="Along any path the curvature of a log-probability is what its own logit curves more "
        "than the mean logit, minus the variance of the logits' speeds.",
        holds=equal((logits[0] - log(total)).diff(t, 2), bends[0] - mean_bend - variance),
        note="Three tokens. The variance is the softmax's part, never positive; the rest is the "
        "model's own, and zero where logits are linear.",
    ),
    Claim(
        id="disband.horizon.concave",
        locator=LOCATOR,
        says="Along every update a log-probability is curved down.",
        holds=Le(curvature, 0),
        note=f"{BILINEAR} It fails: the two layers' moves multiply.",
    ),
    Claim(
        id="disband.horizon.concave.repaired",
        locator=LOCATOR,
        says="Where its own logit does not curve up more than the mean, a log-probability is "
        "curved down.",
        given=(product_bend <= 0,),
        holds=Le(curvature, 0),
        note=BILINEAR,
    ),
    Claim(
        id="disband.horizon.comes-back",
        locator=LOCATOR,
        says="In a model that is not log-linear a rejected that falls can come back up.",
        given=(slope < 0,),
        holds=Gt(curvature, 0),
        exists=True,
        note=BILINEAR,
    ),
    Claim(
        id="disband.horizon.adapter-start",
        locator=LOCATOR,
        says="The first update of an adapter that starts at zero moves one factor alone, and along "
        "it the model is log-linear: no part of the curvature is the model's own.",
        given=(equal(v_1, Integer(0)),),
        holds=equal(curvature, -(slope**2)),
        note=f"{BILINEAR} The gradient with respect to θ_1 is a multiple of θ_2 = 0. Minus the "
        "square of the slope is the variance of an even row.",
    ),
)
