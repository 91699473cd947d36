"""Section 5: normalized gradients, and the loss of masked tokens."""

from sympy import Add, Eq, Expr, Integer, Piecewise, exp, log

from disband.theory.symbols import A, B, X, beta, d_l, d_w, eta
from tests.verify.second.alphabet import CAUCHY_SCHWARZ, change_l, change_w, norm_l, norm_w, odds
from tests.verify.second.section_3_2 import chosen_9, rejected_10
from tests.verify.second.statement import Second, named, same, sigma

factor = named("factor", "C of section 5.1, a quantity relying on the loss")
r = named("r", "the threshold of the confidence")
u = named("u", "the confidence that a token is significant")
penalty = named("penalty", "η of section 5.2, the weight of the ℓ1 penalty", nonnegative=True)
power = named(
    "power", "the exponential of k |u - r|, which grows without bound in k", positive=True
)
small = named("small", "how near the sigmoid is to be to the indicator", positive=True)
ratios = {
    side: [named(f"log_ratio_{side}{i}", f"log-ratio of token {i} of y_{side}") for i in (1, 2)]
    for side in ("w", "l")
}
confidences = {
    side: [named(f"u_{side}{i}", f"confidence of token {i} of y_{side}") for i in (1, 2)]
    for side in ("w", "l")
}

NORMS = (Eq(A, norm_w**2), Eq(B, norm_l**2), CAUCHY_SCHWARZ)
# A step of descent along C (a/‖a‖ - b/‖b‖).
CHANGES = (
    Eq(change_w, -eta * factor * (norm_w - X / norm_l)),
    Eq(change_l, -eta * factor * (X / norm_w - norm_l)),
)


def shown(confidence: Expr) -> Expr:
    """The indicator of a confidence of at least r."""
    return Piecewise((Integer(1), confidence >= r), (Integer(0), True))


masked = Add(
    *(shown(c) * q for c, q in zip(confidences["w"], ratios["w"], strict=True)),
    *(-shown(c) * q for c, q in zip(confidences["l"], ratios["l"], strict=True)),
)
norms_of_masks = Add(*(shown(c) for side in confidences.values() for c in side))
masked_loss = -log(sigma(masked)) + penalty * norms_of_masks
whole_margin = Add(*ratios["w"]) - Add(*ratios["l"])
ALL_SHOWN = tuple(c >= r for side in confidences.values() for c in side)
MASKED = "could be a potential good candidate for adapting the original DPO objective"
NORMALIZED = "This leads to the following gradient update rule"

ENTRIES = [
    Second(
        key="yuan2025 section 5.1, ratio of norms",
        where="5.1",
        words="so that (9) and (10) will hold",
        given=(*NORMS, d_l > 0, Eq(d_w, d_l * norm_l / norm_w)),
        states=(chosen_9, rejected_10),
    ),
    Second(
        key="yuan2025 section 5.1, update rule",
        where="5.1",
        words=NORMALIZED,
        given=(Eq(d_w, 1 / norm_w), Eq(d_l, 1 / norm_l)),
        states=(same(d_w / d_l, norm_l / norm_w),),
        reading="of its coefficients",
    ),
    *(
        Second(
            key="yuan2025 section 5.1, update rule",
            where="5.1",
            words=NORMALIZED,
            given=(*NORMS, sign, *CHANGES),
            states=(change_w >= 0, change_l <= 0),
            reading=reading,
            remark="The sign of C is not printed; the modified DPO has it negative.",
            fails_at=fails_at,
        )
        for sign, reading, fails_at in (
            (factor < 0, "as a gradient to descend, with C < 0", None),
            (
                factor > 0,
                "as a gradient to descend, with C > 0",
                {norm_w: 1, norm_l: 1, X: 0, factor: 1, eta: 1},
            ),
        )
    ),
    Second(
        key="yuan2025 section 5.1, modified DPO",
        where="5.1",
        words="we can modify the gradient update for the DPO loss as",
        given=(*NORMS, Eq(factor, -beta * odds / (1 + odds)), *CHANGES),
        states=(change_w >= 0, change_l <= 0),
        remark="odds / (1 + odds) is σ(r̂(y_l) - r̂(y_w)).",
    ),
    *(
        Second(
            key="yuan2025 section 5.2, masked loss",
            where="5.2",
            words=MASKED,
            given=ALL_SHOWN,
            states=(
                same(exp(masked_loss - penalty * norms_of_masks), 1 + exp(-scale * whole_margin)),
                same(norms_of_masks, Integer(4)),
            ),
            reading=reading,
            remark=(
                "L = 2. The rejected token is printed given the chosen prefix, y_w^{<i}, once; "
                "the norms are separated by a comma and read as a sum; β is missing."
            ),
            fails_at=fails_at,
        )
        for scale, reading, fails_at in (
            (Integer(1), "with every token shown, against DPO with β = 1", None),
            (
                beta,
                "with every token shown, against DPO with any β",
                dict.fromkeys([*ratios["w"], *confidences["w"], *confidences["l"], penalty], 1)
                | {ratios["l"][0]: 0, ratios["l"][1]: 0, r: 0, beta: 2},
            ),
        )
    ),
    Second(
        key="yuan2025 section 5.2, sigmoid for the indicator",
        where="5.2",
        words="we can approximate the indicator ... with the sigmoid function",
        given=(small < 1, power > 1 / small),
        states=(1 - power / (1 + power) < small, 1 / power / (1 + 1 / power) < small),
        reading="for u ≠ r, as k grows",
        remark="The sigmoid of z is e^z/(1 + e^z); e^(k|u - r|) passes every bound.",
    ),
    Second(
        key="yuan2025 section 5.2, sigmoid for the indicator",
        where="5.2",
        words="we can approximate the indicator ... with the sigmoid function",
        given=(Eq(u, r),),
        states=(same(sigma(u - r), shown(u)),),
        reading="for u = r, at any k",
        remark="σ(0) is one half, and the indicator of u ≥ r is one.",
        fails_at={r: 0},
    ),
]
