"""The three components: positive learning, negative learning and loss reweighting add up."""

from sympy import Integer, Rational, Symbol

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, iff

LOCATOR = "Abstract, three key components"
OURS = "That the weights are compared with their mean is this project's choice."
h_w, h_l = ([Symbol(f"h_{side}{i}", real=True) for i in (1, 2)] for side in "wl")
w = [Symbol(f"w_{i}", positive=True) for i in (1, 2)]
w_mean = (w[0] + w[1]) / 2
half = Rational(1, 2)
served = [one - other for one, other in zip(h_w, h_l, strict=True)]
G = half * (w[0] * served[0] + w[1] * served[1])
positive = w_mean * half * (h_w[0] + h_w[1])
negative = -w_mean * half * (h_l[0] + h_l[1])
reweighting = half * ((w[0] - w_mean) * served[0] + (w[1] - w_mean) * served[1])

CLAIMS = (
    Claim(
        id="wang2025.components.add-up",
        locator=LOCATOR,
        says="Positive learning, negative learning and loss reweighting together are the update: "
        "what they do for a target adds up.",
        whose=Kind.OURS,
        holds=equal(positive + negative + reweighting, G),
        note=f"{OURS} Two pairs; h is the product of a response's score with the target's.",
    ),
    Claim(
        id="wang2025.components.covariance",
        locator=LOCATOR,
        says="What reweighting does for a target is the covariance of the weights with "
        "what each pair does for it.",
        whose=Kind.OURS,
        holds=equal(reweighting, (w[0] - w[1]) * (served[0] - served[1]) / 4),
        note=f"{OURS} Of two pairs it is a quarter of the product of the differences.",
    ),
    Claim(
        id="wang2025.components.reweighting-sign",
        locator=LOCATOR,
        says="Reweighting serves a target iff the heavier pair serves it more.",
        whose=Kind.OURS,
        holds=iff(reweighting > 0, (w[0] - w[1]) * (served[0] - served[1]) > 0),
        note=f"{OURS} Two pairs.",
    ),
    Claim(
        id="wang2025.components.reweighting-magnitude",
        locator=LOCATOR,
        says="Equal weights leave nothing to reweighting, however large they are.",
        whose=Kind.OURS,
        given=(equal(w[0], w[1]),),
        holds=equal(reweighting, Integer(0)),
        note=f"{OURS} So the size of a loss, and β's share in it, counts as learning rate.",
    ),
)
