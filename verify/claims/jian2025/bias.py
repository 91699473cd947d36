r"""Abstract, sentence 6: misallocation may reinforce bias, compromising stability and consistency.

Bias is what a policy prefers among responses that no pair speaks of; consistent is a policy that
ranks the chosen above the others.
"""

from sympy import Gt, Lt, Symbol

from ...deciding.claim import Claim, Kind
from ...deciding.logic import every, iff
from .evolution import STEP, E, Z, others, p_l, p_w, q_l, q_w

LOCATOR = "Abstract, sentence 6: bias and consistency"
# Two irrelevant responses' shares of what no pair speaks of.
x, y = Symbol("x", positive=True), Symbol("y", positive=True)
p_o, p_i = others * x, others * y
q_o, q_i = p_o / Z, p_i / Z
PLACED = (p_w + p_l < 1, E > 1, x <= 1)
BIASED = (*PLACED[:2], x > y, x + y <= 1)

CLAIMS = (
    Claim(
        id="jian2025.bias",
        locator=LOCATOR,
        says="The misallocation may reinforce bias: one irrelevant response is ahead of "
        "another by more probability than before.",
        quote="This misallocation may unintentionally reinforce model bias, thereby "
        "compromising both the stability of model alignment and the consistency with "
        "intended preferences.",
        given=(*BIASED, E * p_w < p_l),
        holds=Gt(q_o - q_i, p_o - p_i),
        exists=True,
        note=f"The odds of the two stay: jian2025.evolution.odds-kept. {STEP}",
    ),
    Claim(
        id="jian2025.bias.always",
        locator=LOCATOR,
        says="Wherever probability has gone to irrelevant responses, each is ahead of a "
        "less likely one by more probability than before.",
        whose=Kind.OURS,
        given=(*BIASED, E * p_w < p_l),
        holds=Gt(q_o - q_i, p_o - p_i),
        note=f"The odds stay: jian2025.evolution.odds-kept. {STEP}",
    ),
    Claim(
        id="jian2025.bias.unlearned",
        locator=LOCATOR,
        says="Without misallocation the gap between irrelevant responses shrinks.",
        whose=Kind.OURS,
        given=(*BIASED, E * p_w > p_l),
        holds=Lt(q_o - q_i, p_o - p_i),
        note=STEP,
    ),
    Claim(
        id="jian2025.bias.new-mode",
        locator=LOCATOR,
        says="While the margin grows, the most likely response can change from the rejected to an "
        "irrelevant one.",
        whose=Kind.OURS,
        given=(*PLACED, p_l > p_o),
        holds=every(Gt(q_o, q_l), Gt(q_o, q_w)),
        exists=True,
        note=STEP,
    ),
    Claim(
        id="jian2025.bias.consistency",
        locator=LOCATOR,
        says="A pair whose margin has grown can still be ranked against the preference, even by "
        "ten to one.",
        quote="This misallocation may unintentionally reinforce model bias, thereby "
        "compromising both the stability of model alignment and the consistency with "
        "intended preferences.",
        given=(p_w + p_l < 1, E > 1),
        holds=Gt(q_l, 10 * q_w),
        exists=True,
        note=f"A positive margin over the reference is what DPO's accuracy counts. {STEP}",
    ),
    Claim(
        id="jian2025.bias.consistency.condition",
        locator=LOCATOR,
        says=r"A pair is ranked as intended iff its margin has grown by more than "
        r"$\log(p_l/p_w)$.",
        whose=Kind.OURS,
        given=(p_w + p_l < 1,),
        holds=iff(Gt(q_w, q_l), Gt(E**2 * p_w, p_l)),
        note=STEP,
    ),
    Claim(
        id="jian2025.bias.in-the-end",
        locator=LOCATOR,
        says=r"The chosen is the most likely response iff $e^Cp_w$ exceeds every irrelevant "
        r"response's start and $e^{2C}p_w$ the rejected's.",
        whose=Kind.OURS,
        given=PLACED,
        holds=iff(every(Gt(q_w, q_o), Gt(q_w, q_l)), every(Gt(E * p_w, p_o), Gt(E**2 * p_w, p_l))),
        note=f"In one context every consistent ranking is reached in the end. {STEP}",
    ),
)
