r"""A batch with balanced labels: why a suffix falls although every product says otherwise.

n pairs, half with the label + chosen and half with −, m suffix tokens after it. The label logits
of a context move by :math:`\pm x` where the label is predicted, by :math:`\pm y` on the suffix,
the sign that of the pair's label. A suffix token is neither label.
"""

from sympy import Expr, Gt, Integer, Lt, Symbol, expand

from disband.theory.horizon.balanced import BalancedBatch, Overlap

from ....deciding.claim import Claim
from ....deciding.logic import equal, every

LOCATOR = "Many steps, balanced labels"
n, m = (Symbol(name, positive=True, integer=True) for name in "nm")
common, label, own, x, y = (Symbol(name, positive=True) for name in ("c", "e", "o", "x", "y"))
s_pos, s_neg, p_w, p_l, E, s, excess = (
    Symbol(name, positive=True) for name in ("s_pos", "s_neg", "p_w", "p_l", "E", "s", "h")
)
ZERO = Integer(0)
products = Overlap(common, label, own)
at, after = Overlap(ZERO, x, ZERO), Overlap(ZERO, y, ZERO)
batch = BalancedBatch(n, m, at, after, p_w, p_l, s_pos, s_neg)
EVEN = {s_pos: s, s_neg: s}
SUFFIX = (s_pos + s_neg < 1,)
LABEL = (p_w + p_l <= 1,)


def moments(row: tuple[Expr, ...], moves: tuple[Expr, ...], token: int) -> tuple[Expr, Expr]:
    """Return slope and curvature of a row."""
    mean = sum((u * v for u, v in zip(row, moves, strict=True)), ZERO)
    square = sum((u * v**2 for u, v in zip(row, moves, strict=True)), ZERO)
    return moves[token] - mean, mean**2 - square


suffix_row = (s_pos, s_neg, 1 - s_pos - s_neg)
suffixes = [moments(suffix_row, (sign * y, -sign * y, ZERO), 2) for sign in (1, -1)]
label_row = (p_w, p_l, 1 - p_w - p_l)
label_slope, label_bend = moments(label_row, (x, -x, ZERO), 0)
rejected_slope, _ = moments(label_row, (x, -x, ZERO), 1)

# Of the batch's pushes the pair's context feels those of both halves, and once more its own.
felt = n * (common + label) / 2 - n * (common - label) / 2 + own


def grown(size: Expr) -> Expr:
    """Return a suffix row's normaliser where the label logits have moved apart."""
    return 1 + s_pos * (size - 1) + s_neg * (1 / size - 1)


CLAIMS = (
    Claim(
        id="disband.horizon.labels.cancels",
        locator=LOCATOR,
        says="On the suffix the slopes of both labels cancel in the mean and their curvatures do "
        "not: each is minus the same variance.",
        given=SUFFIX,
        holds=every(
            equal(suffixes[0][0], -y * (s_pos - s_neg)),
            equal(suffixes[1][0], y * (s_pos - s_neg)),
            equal(suffixes[0][1], suffixes[1][1]),
            Lt(suffixes[0][1], 0),
        ),
        note="Row: probabilities of both labels on it; the update moves them apart, for the other "
        "label the other way.",
    ),
    Claim(
        id="disband.horizon.labels.closed-form",
        locator=LOCATOR,
        says="The mean chosen of the batch has the slope of its label alone, and a curvature that "
        "grows with every suffix token.",
        holds=every(
            equal(batch.slope(), label_slope + m * (suffixes[0][0] + suffixes[1][0]) / 2),
            equal(batch.curvature(), label_bend + m * (suffixes[0][1] + suffixes[1][1]) / 2),
        ),
        note="Slope x(1 − p_w + p_l); curvature of a suffix token −y²(s_pos + s_neg − (s_pos − "
        "s_neg)²).",
    ),
    Claim(
        id="disband.horizon.labels.suffix-falls",
        locator=LOCATOR,
        says="Exactly and at every number of steps the mean log-probability of the suffix is below "
        "its start, though its first-order change is zero.",
        given=(*SUFFIX, E > 1),
        holds=Gt(expand(E * grown(E)) * expand(E * grown(1 / E)), E**2),
        note="E is e to the yt; the two factors are E times the normalisers under both labels.",
    ),
    Claim(
        id="disband.horizon.labels.every-product",
        locator=LOCATOR,
        says="Where both labels are equally likely on the suffix a pair's own products say that "
        "the chosen rises and the rejected falls, and so does the sum of the batch's; and every "
        "single product says that no suffix token moves.",
        given=(*LABEL, *SUFFIX, equal(s_pos, s_neg)),
        holds=every(
            Gt(label_slope, 0),
            Lt(rejected_slope, 0),
            *(equal(suffix_slope, ZERO) for suffix_slope, _ in suffixes),
            Gt(products.alone() * (1 - p_w + p_l), 0),
            Lt(-products.alone() * (1 + p_w - p_l), 0),
        ),
        note="So each pair is in its own band and in the batch's. That s_pos + s_neg < 1 says only "
        "what they are: each label's probability on the suffix.",
    ),
    Claim(
        id="disband.horizon.labels.chosen-falls",
        locator=LOCATOR,
        says=r"And yet the chosen falls: with one suffix token it is down once $E = e^{xt}$ "
        r"exceeds $2 + \frac{1-p_w}{p_w s}$.",
        given=(
            *LABEL,
            2 * s < 1,
            excess > (1 - p_w) / (p_w * s),
        ),
        holds=Gt(
            (1 + p_w * (excess + 1) + p_l * (1 / (excess + 2) - 1)) * grown(excess + 2).subs(EVEN),
            excess + 2,
        ),
        note="s is each label's probability on the suffix, where its logits move as far as at the "
        "label. The label gains at most a factor 1/p_w, the suffix loses without end. That 2s < 1 "
        "says only what it is; E = 2 + h.",
    ),
    Claim(
        id="disband.horizon.labels.longer",
        locator=LOCATOR,
        says="The longer the suffix the sooner: to second order the mean chosen is down after at "
        r"most $\frac{2x(1-p_w+p_l)}{m y^2 (s_+ + s_- - (s_+-s_-)^2)}$.",
        given=(*LABEL, *SUFFIX),
        holds=Lt(
            batch.slope() * m * y**2 * (s_pos + s_neg - (s_pos - s_neg) ** 2),
            -batch.slope() * batch.curvature(),
        ),
        note="Multiplied out; the slope is x(1 − p_w + p_l). So the turning time goes to zero as "
        "one over m. That s_pos + s_neg < 1 says only what they are.",
    ),
    Claim(
        id="disband.horizon.labels.common-push",
        locator=LOCATOR,
        says="The push that all pairs have in common cancels in a balanced batch: of $c + e + o$ "
        "that a pair's own product promises, n pairs deliver $e + o/n$.",
        holds=equal(products.together(n), felt / n),
        note="Half the pairs have the pair's own label; c, e, o are what the products of hidden "
        "states have in common, by label, and with the pair itself.",
    ),
)
