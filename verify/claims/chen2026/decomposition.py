r"""Sentences 1 to 3 of the abstract: suppression of the chosen, the incentive-score decomposition.

Along any path :math:`\theta(t)` of the parameters the two log-probabilities are functions of t, and
their slopes are the scores' products with the path's direction.
"""

from sympy import Expr, Function, Gt, Integer, Lt, Symbol
from sympy.logic.boolalg import Boolean

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective
from disband.theory.objectives import OBJECTIVES
from disband.theory.symbols import A, B, X, d_l, d_w, logp_l, logp_w

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every

ABSTRACT = "Abstract"
D_w, D_l = first_order(d_w, d_l, Gram(A, B, X))
t = Symbol("t", real=True)
path_w, path_l, ell = Function("p_w")(t), Function("p_l")(t), Function("ell")

# Two tokens of a response and their scores in the plane; weights of an importance-weighted sum.
tok_1, tok_2 = ((Symbol(f"{n}_x", real=True), Symbol(f"{n}_y", real=True)) for n in ("u", "v"))
om_1, om_2 = Symbol("omega_1", positive=True), Symbol("omega_2", positive=True)
weighted = [om_1 * u + om_2 * v for u, v in zip(tok_1, tok_2, strict=True)]
plain = [u + v for u, v in zip(tok_1, tok_2, strict=True)]
same_line = equal(weighted[0] * plain[1] - weighted[1] * plain[0], Integer(0))


def along(loss: Expr) -> Expr:
    """Return the slope of a loss along the path."""
    return loss.subs({logp_w: path_w, logp_l: path_l}).diff(t)


def decomposes(objective: Objective) -> Boolean:
    """State that an objective's descent direction is ``d_w a - d_l b``."""
    # The derivatives as they come: the catalogue's tidied forms are compared in its own tests.
    slopes = (-objective.loss.diff(logp_w), objective.loss.diff(logp_l))
    pull, push = (d.subs({logp_w: path_w, logp_l: path_l}) for d in slopes)
    return equal(-along(objective.loss), pull * path_w.diff(t) - push * path_l.diff(t))


TABLE = {objective.name: decomposes(objective) for objective in OBJECTIVES}

CLAIMS = (
    Claim(
        id="chen2026.abstract.chosen-suppressed",
        locator=f"{ABSTRACT}, second sentence",
        says="Margin-based methods can suppress the chosen response when they try to suppress the "
        "rejected one.",
        quote="many margin-based methods also suppress the chosen response when they try "
        "to suppress the rejected one",
        given=(equal(d_w, d_l), d_w > 0, Gt(D_w - D_l, 0)),
        holds=(D_w < 0) & (D_l < 0),
        exists=True,
        note="To first order, for an objective that sees the margin alone; the margin grows.",
    ),
    Claim(
        id="chen2026.abstract.no-objective-is-safe",
        locator=f"{ABSTRACT}, second sentence",
        says="Whatever the positive incentives of an objective, at some scores they suppress the "
        "chosen response along with the rejected one.",
        whose=Kind.OURS,
        given=(
            d_w > 0,
            d_l > 0,
            A > 0,
            equal(B * d_l**2, 4 * A * d_w**2),
            equal(X * d_l, 2 * A * d_w),
        ),
        holds=(D_w < 0) & (D_l < 0),
        note="Parallel scores with ‖b‖ = 2r‖a‖, for any ratio r.",
    ),
    Claim(
        id="chen2026.abstract.decomposition",
        locator=f"{ABSTRACT}, third sentence",
        says="Preference optimization has an incentive-score decomposition: every loss of the two "
        r"log-probabilities descends along $d_w\nabla\log\pi_w - d_l\nabla\log\pi_l$.",
        quote="We address this issue with a unified incentive-score decomposition of "
        "preference optimization, revealing that different objectives share the same local "
        "update directions and differ only in their scalar weights.",
        holds=equal(
            -along(ell(logp_w, logp_l)),
            -ell(path_w, path_l).diff(path_w) * path_w.diff(t)
            - ell(path_w, path_l).diff(path_l) * path_l.diff(t),
        ),
        note="Along any path of the parameters; d_w = −∂ℓ/∂log π_w, d_l = ∂ℓ/∂log π_l.",
    ),
    Claim(
        id="chen2026.decomposition",
        locator=f"{ABSTRACT}, third sentence; official implementation",
        says=r"Descent on the loss of each objective moves along $d_w\nabla\log\pi_w - "
        r"d_l\nabla\log\pi_l$.",
        holds=every(*TABLE.values()),
        cases=TABLE,
        note="The chain rule, loss by loss, along any path of the parameters. Objectives with one "
        "formula, such as DPO, TIDPO and LD-DPO, differ in what their log-probabilities are of.",
    ),
    Claim(
        id="chen2026.abstract.same-directions",
        locator=f"{ABSTRACT}, third sentence",
        says="Different objectives share the same local update directions and differ only in their "
        "scalar weights.",
        quote="We address this issue with a unified incentive-score decomposition of "
        "preference optimization, revealing that different objectives share the same local "
        "update directions and differ only in their scalar weights.",
        holds=same_line,
        why="A log-probability whose tokens carry weights of their own has another score "
        "than the plain sum, and a step along it is another direction.",
        note="For an objective of token-weighted log-probabilities, such as TIDPO, beside one of "
        "plain sums: a response of two tokens with scores u and v in the plane.",
    ),
    Claim(
        id="chen2026.abstract.same-directions.repaired",
        locator=f"{ABSTRACT}, third sentence",
        says="Objectives of the same two log-probabilities share the same local update directions "
        "and differ only in their scalar weights.",
        given=(equal(om_1, om_2),),
        holds=same_line,
        note="The weights of all tokens are equal; a length-normalised log-probability is one.",
    ),
    Claim(
        id="chen2026.abstract.weights-decide",
        locator=f"{ABSTRACT}, third sentence",
        says="At the same scores one choice of positive weights suppresses the chosen response and "
        "another preserves it.",
        whose=Kind.OURS,
        given=(d_w > 0, d_l > 0, Lt(D_w, 0)),
        holds=Gt((d_w + d_l) * A - d_l * X, 0),
        exists=True,
        note="The other choice is (d_w + d_l, d_l).",
    ),
)
