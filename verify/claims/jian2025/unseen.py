r"""Abstract, sentence 5, for data of several pairs: what becomes of responses in none of them.

Seen responses have probabilities p_k at the start and, at DPO's optimum, logits moved by t_k;
unseen ones hold the mass q and do not move. Pairs add e_w − e_l, so the t_k sum to zero.
"""

from sympy import Gt, IndexedBase, Integer, Lt, Sum, Symbol, exp

from disband.theory.models.vocabulary import V, k

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, iff
from .evolution import direction

LOCATOR = "Abstract, sentence 5: misallocation, several pairs"
p, t = IndexedBase("p", nonnegative=True), IndexedBase("t", real=True)
q, W = Symbol("q", positive=True), Symbol("W", positive=True)


def over_seen(term: object) -> Sum:
    """Sum over all seen responses."""
    return Sum(term, (k, 1, V))


CENTRED = equal(over_seen(t[k]), Integer(0))
SETTING = "V counts the seen responses, t are the moves of their logits."

CLAIMS = (
    Claim(
        id="jian2025.unseen.mean",
        locator=LOCATOR,
        says="DPO gives every unseen response the mean implicit reward of the seen ones.",
        whose=Kind.OURS,
        holds=equal(direction.total(), Integer(0)),
        note="In one context with a logit for each response: a pair's step adds nothing to the sum "
        "of the logits, and an unseen logit does not move. So any seen response that is worse than "
        "the average falls behind the unseen ones.",
    ),
    Claim(
        id="jian2025.unseen.gain",
        locator=LOCATOR,
        says=r"Unseen responses gain iff $\sum_k p_ke^{t_k} < \sum_k p_k$.",
        whose=Kind.OURS,
        given=(q < 1,),
        holds=iff(Gt(q / (q + W), q), Lt(W, 1 - q)),
        note=f"W is the sum on the left, 1 − q that on the right. {SETTING}",
    ),
    Claim(
        id="jian2025.unseen.uniform",
        locator=LOCATOR,
        says="If all seen responses start equally likely, unseen ones never gain.",
        whose=Kind.OURS,
        given=(CENTRED,),
        holds=over_seen(exp(t[k])) >= V,
        note=f"Any number of seen responses and any pairs. {SETTING}",
    ),
    Claim(
        id="jian2025.unseen.aligned",
        locator=LOCATOR,
        says="If the seen responses that DPO raises are on average the likelier ones, unseen ones "
        r"never gain: $\sum_k p_kt_k \ge 0$ is enough.",
        whose=Kind.OURS,
        given=(over_seen(p[k] * t[k]) >= 0,),
        holds=over_seen(p[k] * exp(t[k])) >= over_seen(p[k]),
        note=f"So misallocation needs a reference that is at odds with the preferences. {SETTING}",
    ),
)
