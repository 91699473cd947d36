"""Second finding, DPO: two parts that offset each other, and weights that regularise."""

from sympy import And, Ge, Gt, Integer, Le, Lt, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.primitives import sigmoid
from disband.theory.models.toys import single_token_gram
from disband.theory.models.vocabulary import V
from disband.theory.objectives import DPO
from disband.theory.symbols import A, B, X, beta, d_l, d_w

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff

JOINT = "Abstract, in DPO positive and negative learning"
WEIGHTS = "Abstract, loss reweighting in DPO"
OFFSET = (
    "Two parts offset each other iff together they move the parameters less than at right angles."
)
c, p_w, p_l, p_k, p_m = (Symbol(n, positive=True) for n in ("c", "p_w", "p_l", "p_k", "p_m"))
second = Symbol("Sigma", positive=True)
SIZE = d_w**2 * A - 2 * d_w * d_l * X + d_l**2 * B
one_row = single_token_gram(p_w, p_l, second, Integer(1))
together_w, together_l = first_order(d_w, d_l, Gram(A, B, X))
alone_w, _ = first_order(Integer(0), d_l, Gram(A, B, X))
_, alone_l = first_order(d_w, Integer(0), Gram(A, B, X))

# The logits of one prompt: positive learning moves them along e_w - p, negative along p - e_l.
gains = [c * (Integer(0) - p_k), c * (Integer(0) - p_m)]
losses = [c * (p_k - Integer(0)), c * (p_m - Integer(0))]

epsilon = Symbol("epsilon", nonnegative=True)
P = Symbol("P", positive=True)
push = (1 - epsilon) * (1 - P) - epsilon * P
margin = Symbol("m", real=True)
noise_push = (1 - epsilon) * sigmoid(-beta * margin) - epsilon * sigmoid(beta * margin)
other = Symbol("m_2", real=True)
grown = Symbol("E", positive=True)

CLAIMS = (
    Claim(
        id="wang2025.dpo-offset",
        locator=JOINT,
        says="In DPO positive and negative learning mutually offset each other.",
        quote="In DPO, positive and negative learning jointly shape the learning targets "
        "meanwhile mutually offset each other.",
        given=(d_w > 0, d_l > 0),
        holds=Le(SIZE, d_w**2 * A + d_l**2 * B),
        why="Where the scores of chosen and rejected have a negative product the two parts "
        "push the parameters the same way.",
        regime=(X**2 < A * B,),
        note=f"{OFFSET} Equality is let pass.",
    ),
    Claim(
        id="wang2025.dpo-offset.repaired",
        locator=JOINT,
        says="In DPO positive and negative learning mutually offset each other iff the scores of "
        "chosen and rejected have a positive product.",
        given=(d_w > 0, d_l > 0),
        holds=iff(Lt(SIZE, d_w**2 * A + d_l**2 * B), Gt(X, 0)),
        note=f"{OFFSET} With a batch's own products, of a batch.",
    ),
    Claim(
        id="wang2025.dpo-offset.one-prompt",
        locator=JOINT,
        says="Between whole responses to one prompt they offset each other iff two draws from the "
        "policy agree more often than one draw is of the pair.",
        whose=Kind.OURS,
        holds=iff(Gt(one_row.dot, 0), second > p_w + p_l),
        note="Σ is the sum of the squared probabilities: a third response must be likely.",
    ),
    Claim(
        id="wang2025.dpo-offset.even",
        locator=JOINT,
        says="While the policy is even over the responses they reinforce each other.",
        whose=Kind.OURS,
        given=(equal(p_w, 1 / V), equal(p_l, 1 / V), equal(second, 1 / V)),
        holds=Lt(one_row.dot, 0),
        note="A regime in which the finding is reversed: the start of training on one prompt.",
    ),
    Claim(
        id="wang2025.dpo-offset.others",
        locator=JOINT,
        says="On one prompt they offset each other exactly in all other responses: no two of them "
        "change their odds under both parts together.",
        whose=Kind.OURS,
        holds=equal((gains[0] + losses[0]) - (gains[1] + losses[1]), Integer(0)),
        note="k and m are any two responses other than the pair; DPO's incentives are equal.",
    ),
    Claim(
        id="wang2025.dpo-offset.others-alone",
        locator=JOINT,
        says="Each part alone changes their odds: positive learning in favour of the less likely, "
        "negative learning in favour of the likelier.",
        whose=Kind.OURS,
        given=(p_k > p_m,),
        holds=And(Lt(gains[0], gains[1]), Gt(losses[0], losses[1])),
        note="k is likelier than m. So dropping negative learning spreads what is left, dropping "
        "positive learning concentrates it.",
    ),
    Claim(
        id="wang2025.dpo-joint",
        locator=JOINT,
        says="Positive and negative learning jointly shape the targets: one alone does not do to "
        "the pair what both do.",
        quote="In DPO, positive and negative learning jointly shape the learning targets "
        "meanwhile mutually offset each other.",
        given=(d_w > 0, d_l > 0, together_w > 0, together_l < 0),
        holds=And(Le(alone_w, 0), Ge(alone_l, 0)),
        why="Where the product of the scores is negative, either part alone raises the "
        "chosen and lowers the rejected.",
        regime=(X**2 < A * B,),
        note="Read of an update that raises the chosen and lowers the rejected; without positive "
        "learning the chosen, without negative learning the rejected goes the wrong way.",
    ),
    Claim(
        id="wang2025.dpo-joint.repaired",
        locator=JOINT,
        says="Where they offset each other they jointly shape the targets: negative learning alone "
        "lowers the chosen too, and positive learning alone raises the rejected too.",
        given=(d_w > 0, d_l > 0, X > 0),
        holds=And(Lt(alone_w, 0), Gt(alone_l, 0)),
        note="Where the product is negative, either part alone raises the chosen and lowers "
        "the rejected.",
    ),
    Claim(
        id="wang2025.dpo-weights.own-signal",
        locator=WEIGHTS,
        says="The weight in DPO acts less as a reward signal: a pair weighs less, the larger the "
        "gap of rewards that the policy itself gives it.",
        quote="loss reweighting in DPO acts less as a reward signal but more as a "
        "regularizer to mitigate overfitting.",
        given=(margin < other,),
        holds=Gt(sigmoid(-beta * margin), sigmoid(-beta * other)),
        note="Of the implicit rewards β log π/π_ref; the true gap of rewards enters nowhere.",
    ),
    Claim(
        id="wang2025.dpo-weights.bounded",
        locator=WEIGHTS,
        says="The weight in DPO never exceeds β, whatever the gap of rewards, and is β/2 at the "
        "start.",
        whose=Kind.OURS,
        holds=every(
            Gt(DPO.d_w, 0, evaluate=False),
            Lt(DPO.d_w, beta, evaluate=False),
            equal(beta * sigmoid(Integer(0)), beta / 2),
        ),
    ),
    Claim(
        id="wang2025.dpo-weights.regulariser",
        locator=WEIGHTS,
        says="Loss reweighting in DPO mitigates overfitting: it ends the growth of a margin at a "
        "finite value.",
        quote="loss reweighting in DPO acts less as a reward signal but more as a "
        "regularizer to mitigate overfitting.",
        given=(epsilon < Integer(1) / 2, equal(push, 0)),
        holds=Lt(P, 1),
        why="On labels that never disagree the margins of DPO grow without end, weights or "
        "not.",
        note="P = σ(β margin) of a pair of which a share ε of the labels says the opposite; the "
        "push is what its labels add up to, and P = 1 is an infinite margin. On labels that never "
        "disagree DPO's margins grow for ever.",
    ),
    Claim(
        id="wang2025.dpo-weights.regulariser.repaired",
        locator=WEIGHTS,
        says="Where labels of a pair disagree, loss reweighting in DPO ends the growth of its "
        "margin at a finite value.",
        given=(epsilon > 0, equal(push, 0)),
        holds=Lt(P, 1),
        note="At P = 1 − ε: the judge's own probability.",
    ),
    Claim(
        id="wang2025.dpo-weights.calibrated",
        locator=WEIGHTS,
        says="With loss reweighting a margin stands still exactly where its probability is the "
        "judge's own.",
        whose=Kind.OURS,
        holds=iff(equal(noise_push, 0), equal(sigmoid(beta * margin), 1 - epsilon)),
    ),
    Claim(
        id="wang2025.dpo-weights.unweighted",
        locator=WEIGHTS,
        says="Without loss reweighting no margin ever stands still while most of its labels agree.",
        whose=Kind.OURS,
        given=(epsilon < Integer(1) / 2,),
        holds=Gt((1 - epsilon) * c - epsilon * c, 0),
        note="c is the common weight of all pairs.",
    ),
    Claim(
        id="wang2025.dpo-weights.slow",
        locator=WEIGHTS,
        says="With loss reweighting the exponential of a margin grows by at most a constant per "
        "unit of time, so that the margin grows like a logarithm; without, in proportion to it.",
        whose=Kind.OURS,
        holds=Lt(grown / (1 + grown), 1, evaluate=False),
        note="E = exp(β margin), dE/dt = βE · dm/dt, and dm/dt is the weight 1/(1 + E) times what "
        "does not depend on it. One pair, scores fixed.",
    ),
    Claim(
        id="wang2025.dpo-weights.errors",
        locator=WEIGHTS,
        says="Loss reweighting gives the mislabelled of two pairs of equal size the larger weight, "
        "wherever the policy ranks them by the truth.",
        whose=Kind.OURS,
        given=(margin > 0,),
        holds=Gt(sigmoid(beta * margin), sigmoid(-beta * margin)),
        note="Of one margin m in truth the mislabelled pair shows −m. The abstract says "
        "nothing of labels; a weight that mitigated overfitting to them would be the "
        "smaller one.",
    ),
)  # fmt: skip
