r"""Abstract, sentence 5: DPO shifts probability toward irrelevant or undesired responses.

Irrelevant is a response in no pair, undesired the rejected one.
"""

from sympy import Gt, IndexedBase, Integer, Le, Lt, Rational, Sum, Symbol

from disband.theory.models.evolution import basin_edge, elsewhere_velocity, most_elsewhere
from disband.theory.models.toys import single_token_gram
from disband.theory.models.vocabulary import V, k

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every, iff
from .evolution import STEP, E, Z, others, p_l, p_w, q_l, q_w

LOCATOR = "Abstract, sentence 5: misallocation of probability mass"
PLACED = (p_w + p_l < 1, E > 1)
rest = others / Z
F = Symbol("F", positive=True)
Z_later = Z.subs(E, F)
# The roots of both probabilities, so that the turning point is rational.
x_w, x_l = Symbol("x_w", positive=True), Symbol("x_l", positive=True)
ROOTS = (x_w**2 + x_l**2 < 1,)
Z_x = Z.subs({p_w: x_w**2, p_l: x_l**2})
PEAK = most_elsewhere(x_w, x_l)
r = Symbol("r", positive=True)
d_w, d_l = Symbol("d_w", positive=True), Symbol("d_l", positive=True)
squares = Symbol("S", positive=True)
row = single_token_gram(p_w, p_l, p_w**2 + p_l**2 + squares, Integer(1))

# One context whose responses have features: their logits move along u_k = ⟨ψ_k, ψ_w − ψ_l⟩, and
# any numbers with u_w > u_l are possible.
s_w, s_l, s_o = (Symbol(n, positive=True) for n in ("s_w", "s_l", "s_o"))
u_w, u_l, u_o = (Symbol(n, real=True) for n in ("u_w", "u_l", "u_o"))
mean = s_w * u_w + s_l * u_l + s_o * u_o
FEATURES = (equal(s_w + s_l + s_o, Integer(1)), u_w > u_l)
LINEAR = "One context, three responses with features ψ; logits move along ⟨ψ, ψ_w − ψ_l⟩."
s, u = IndexedBase("s", nonnegative=True), IndexedBase("u", real=True)

CLAIMS = (
    Claim(
        id="jian2025.misallocation",
        locator=LOCATOR,
        says="DPO can shift probability toward irrelevant responses.",
        quote="It also tends to misallocate probability mass, which can inadvertently "
        "shift probability toward irrelevant or undesired responses.",
        given=PLACED,
        holds=Gt(rest, others),
        exists=True,
        note=f"In one context. {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.condition",
        locator=LOCATOR,
        says=r"DPO has shifted probability toward irrelevant responses iff $e^C < p_l/p_w$, with "
        "the probabilities of the start.",
        whose=Kind.OURS,
        given=PLACED,
        holds=iff(Gt(rest, others), Lt(E * p_w, p_l)),
        note="C is half the margin gained. So an objective that stops at a margin, such as IPO at "
        f"1/(2τ), leaves the mass there for good iff that margin is below 2 log(p_l/p_w). {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.safe-start",
        locator=LOCATOR,
        says="If the chosen starts at least as likely as the rejected, irrelevant responses only "
        "ever lose.",
        whose=Kind.OURS,
        given=(*PLACED, p_w >= p_l),
        holds=Lt(rest, others),
        note="In one context supervised fine-tuning before DPO is a cure exactly if it brings "
        f"that about. {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.peak",
        locator=LOCATOR,
        says=r"Irrelevant responses never hold more than $\frac{q}{1 - (\sqrt{p_l} - "
        r"\sqrt{p_w})^2}$, with $q$ what they held at the start.",
        whose=Kind.OURS,
        given=ROOTS,
        holds=Le((1 - x_w**2 - x_l**2) / Z_x, PEAK),
        note=f"The x are the roots of the probabilities. {STEP}",
        tight={x_w: Rational(1, 4), x_l: Rational(1, 2), E: Integer(2)},
    ),
    Claim(
        id="jian2025.misallocation.peak.attained",
        locator=LOCATOR,
        says="They hold as much at the step that makes chosen and rejected equally likely.",
        whose=Kind.OURS,
        given=(*ROOTS, equal(E * x_w, x_l)),
        holds=every(
            equal((1 - x_w**2 - x_l**2) / Z_x, PEAK),
            equal(E * x_w**2, x_l**2 / E),
        ),
        note=f"The line p_w = p_l is the ridge of every margin objective's paths. {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.catastrophic",
        locator=LOCATOR,
        says="Irrelevant responses that start below 1 % together can end above 99 %.",
        whose=Kind.OURS,
        given=(*PLACED, others < Rational(1, 100)),
        holds=Gt(rest, Rational(99, 100)),
        exists=True,
        note=f"Any two shares are possible: take p_w small enough. {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.exchange",
        locator=LOCATOR,
        says="The mass has come back exactly when chosen and rejected have changed places.",
        whose=Kind.OURS,
        given=(*PLACED, equal(E * p_w, p_l)),
        holds=every(equal(rest, others), equal(q_w, p_l), equal(q_l, p_w)),
        note=STEP,
    ),
    Claim(
        id="jian2025.misallocation.turns-once",
        locator=LOCATOR,
        says="Once the chosen is the likelier one, irrelevant responses lose at every further "
        "step.",
        whose=Kind.OURS,
        given=(p_w + p_l < 1, E**2 * p_w >= p_l, F > E),
        holds=Gt(Z_later, Z),
        note="So in one context the misallocation passes, if training goes on for long enough. F "
        f"is a later E. {STEP}",
    ),
    Claim(
        id="jian2025.misallocation.undesired",
        locator=LOCATOR,
        says="Where responses share features, DPO can shift probability toward the rejected "
        "response.",
        quote="It also tends to misallocate probability mass, which can inadvertently "
        "shift probability toward irrelevant or undesired responses.",
        whose=Kind.READ,
        given=FEATURES,
        holds=Gt(u_l - mean, 0),
        exists=True,
        note=f"A third response loses more than both. {LINEAR}",
    ),
    Claim(
        id="jian2025.misallocation.undesired-never",
        locator=LOCATOR,
        says="With a logit of its own for each response, in one context, DPO never shifts "
        "probability toward the rejected response.",
        whose=Kind.OURS,
        given=PLACED,
        holds=Lt(q_l, p_l),
        note=STEP,
    ),
    Claim(
        id="jian2025.misallocation.chosen-falls",
        locator=LOCATOR,
        says="Where responses share features, DPO can lower chosen and rejected both, though the "
        "margin grows.",
        whose=Kind.OURS,
        given=FEATURES,
        holds=every(Lt(u_w - mean, 0), Lt(u_l - mean, 0)),
        exists=True,
        note=LINEAR,
    ),
    Claim(
        id="jian2025.misallocation.where-it-goes",
        locator=LOCATOR,
        says="What both lose then goes to a response that the step favours over the chosen.",
        whose=Kind.OURS,
        given=(*FEATURES, u_w < mean),
        holds=every(Gt(u_o, u_w), Gt(u_o - mean, 0)),
        note=f"It is farther than the chosen along ψ_w − ψ_l. {LINEAR}",
    ),
    Claim(
        id="jian2025.misallocation.no-one-farther",
        locator=LOCATOR,
        says="If no response is farther along $\\psi_w - \\psi_l$ than the chosen, the chosen does "
        "not fall.",
        whose=Kind.OURS,
        given=(equal(Sum(s[k], (k, 1, V)), Integer(1)), u[k] <= u_w),
        holds=Sum(s[k] * (u_w - u[k]), (k, 1, V)) >= 0,
        note="To first order, with a vocabulary of any size. Own logits are such features.",
    ),
    Claim(
        id="jian2025.misallocation.basin",
        locator=LOCATOR,
        says="With a constant ratio $d_w/d_l < 1/2$ an irrelevant response gains on the chosen iff "
        r"it holds more than $\frac{1}{2(1-r)}$, once the rejected is gone.",
        whose=Kind.OURS,
        given=(r < Rational(1, 2), p_w < 1),
        holds=iff(Gt((1 - r) * (1 - p_w) - r - (1 - r) * p_w, 0), Gt(1 - p_w, basin_edge(r))),
        note="Then it takes all. Along logits the flow is d_w(e_w − p) − d_l(e_l − p).",
    ),
    Claim(
        id="jian2025.misallocation.no-basin",
        locator=LOCATOR,
        says="With a ratio of at least $1/2$ the chosen gains on every response, wherever it "
        "starts.",
        whose=Kind.OURS,
        given=(r >= Rational(1, 2), s_w + s_o <= 1),
        holds=Lt((1 - r) * (s_o - s_w) - r, 0),
        note="DPO's ratio is one.",
    ),
    Claim(
        id="jian2025.misallocation.calibration",
        locator=LOCATOR,
        says="Reward calibration moves probability toward irrelevant responses from exactly the "
        "same starts as DPO: where the chosen is less likely than the rejected.",
        whose=Kind.OURS,
        given=(p_w + p_l < 1, squares <= others**2, equal(d_w**2 * row.sq_w, d_l**2 * row.sq_l)),
        holds=iff(Gt(elsewhere_velocity(p_w, p_l, d_w, d_l, squares), 0), Lt(p_w, p_l)),
        note="One context, any number of irrelevant responses, S their squared probabilities' sum; "
        "to first order. The band protects both responses of a pair, not the rest from gaining.",
    ),
    Claim(
        id="jian2025.misallocation.equal-others",
        locator=LOCATOR,
        says="Between two starts with the same mass elsewhere, the one whose chosen is less likely "
        "shifts more.",
        whose=Kind.OURS,
        given=(*PLACED, p_w > F),
        holds=Gt(others / Z.subs({p_w: F, p_l: p_w + p_l - F}, simultaneous=True), rest),
        note=f"F is that start's p_w. {STEP}",
    ),
)
