r"""Abstract, sentence 3: an analysis of DPO from a probability evolution perspective.

Token 1 of a softmax row is chosen, token 2 rejected, and any number of others are in no pair. The
logits move by C along e_w − e_l, with E = e^C; p are probabilities before, q after the step.
"""

from sympy import Gt, Lt, Symbol

from disband.theory.models.evolution import after
from disband.theory.models.vocabulary import TokenVector, one_hot, softmax_row

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every

LOCATOR = "Abstract, sentence 3: probability evolution"
E = Symbol("E", positive=True)
p_w, p_l, p_o, p_i = (Symbol(n, positive=True) for n in ("p_w", "p_l", "p_o", "p_i"))
others = 1 - p_w - p_l
q_w, q_l, Z = after(p_w, p_l, E)
q_o, q_i = p_o / Z, p_i / Z
STEP = "In one context, with a logit for each response: a step of C along e_w − e_l; E = e^C."

row = softmax_row("s", 2)
w, l = one_hot(row.sizes, 0), one_hot(row.sizes, 1)  # noqa: E741 (rejected)
up, down, _ = row.entries
direction = w - l
kappa = Symbol("kappa", real=True)
shared = TokenVector(direction.sizes, tuple(kappa * entry for entry in direction.entries))
mean = row @ direction
# The slopes of the log-probabilities: chosen, rejected, and any other response.
slope_w, slope_l, slope_o = 1 - mean, -1 - mean, -mean

CLAIMS = (
    Claim(
        id="jian2025.evolution.first-order",
        locator=LOCATOR,
        says=r"To first order $\log\pi_w$ moves by $1 - p_w + p_l$, $\log\pi_l$ by $-(1 + p_w - "
        r"p_l)$, and every other response by $p_l - p_w$, per unit of $C$.",
        whose=Kind.OURS,
        holds=every(
            equal(slope_w, 1 - up + down),
            equal(slope_l, -(1 + up - down)),
            equal(slope_o, down - up),
        ),
        note=f"A vocabulary of any size. {STEP}",
    ),
    Claim(
        id="jian2025.evolution.odds-kept",
        locator=LOCATOR,
        says="Two responses in no pair keep their odds, at every step size.",
        whose=Kind.OURS,
        holds=equal(q_o * p_i, q_i * p_o),
        note=STEP,
    ),
    Claim(
        id="jian2025.evolution.invariant",
        locator=LOCATOR,
        says=r"$\pi_w\pi_l/\pi_o^2$ never changes, under DPO and every other margin objective.",
        whose=Kind.OURS,
        holds=equal(q_w * q_l * p_o**2, p_w * p_l * q_o**2),
        note="So with three responses every path is a conic, and objectives differ only in how "
        f"far along it they go. {STEP}",
    ),
    Claim(
        id="jian2025.evolution.all-or-none",
        locator=LOCATOR,
        says="The responses in no pair gain together or lose together, each in proportion to what "
        "it has.",
        whose=Kind.OURS,
        given=(p_w + p_l < 1, Gt(q_o, p_o)),
        holds=every(Gt(q_i, p_i), equal((q_i - p_i) * p_o, (q_o - p_o) * p_i)),
        note=STEP,
    ),
    Claim(
        id="jian2025.evolution.chosen-overtakes",
        locator=LOCATOR,
        says="Every response loses against the chosen, at every step size.",
        whose=Kind.OURS,
        given=(p_w + p_l < 1, E > 1),
        holds=every(Lt(q_o * p_w, q_w * p_o), Lt(q_l * p_w, q_w * p_l)),
        note=f"So in one context the chosen takes all in the end. {STEP}",
    ),
    Claim(
        id="jian2025.evolution.other-context",
        locator=LOCATOR,
        says="In another context, whose state overlaps by $\\kappa$ with the trained one's, the "
        r"responses in no pair move by $\kappa(p_l - p_w)$, with that context's probabilities.",
        whose=Kind.OURS,
        holds=equal(-(row @ shared), kappa * (down - up)),
        note="A linear head on fixed states: the other context's logits move along κ(e_w − e_l). "
        "A vocabulary of any size.",
    ),
)
