r"""Section 4.1: a learnable last linear layer; responses that differ in their last token.

With logits :math:`h^\top\theta` the score of a token :math:`y` is :math:`h \otimes (e_y - s)`, so
an inner product of two scores is that of the hidden states times that of :math:`e_y - s`.
"""

from sympy import And, Ge, Gt, Integer, Le, Lt, Not, Or, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.models.vocabulary import TokenVector, V, one_hot, softmax_row

from ...deciding.claim import Claim, Grade, Kind, Quantity
from ...deciding.logic import equal, every, iff
from .entanglement import C

# Theorem 1: tokens y_w, y_l, the rest of the support, everything else. i_w and i_l say whether
# y_w and y_l are among the M tokens on which the prediction is concentrated.
M = Symbol("M", integer=True, positive=True)
H = Symbol("H", nonnegative=True)
i_w, i_l = Symbol("i_w", real=True), Symbol("i_l", real=True)
in_support = M - i_w - i_l
classes = (Integer(1), Integer(1), in_support, V - 2 - in_support)
uniform = TokenVector(classes, (i_w / M, i_l / M, 1 / M, Integer(0)))
score_w, score_l = one_hot(classes, 0) - uniform, one_hot(classes, 1) - uniform
SINGLE = Gram(H * (score_w @ score_w), H * (score_l @ score_l), H * (score_w @ score_l))
chosen, rejected = first_order(C, C, SINGLE)

CONCENTRATED = (
    M <= V,
    V >= 2,
    Or(equal(i_w, 0), equal(i_w, 1)),
    Or(equal(i_l, 0), equal(i_l, 1)),
    in_support >= 0,
    V - 2 - in_support >= 0,
)
both_in_support = And(equal(i_w, Integer(1)), equal(i_l, Integer(1)))
certain = And(equal(M, Integer(1)), Or(equal(i_w, Integer(1)), equal(i_l, Integer(1))))
SUPPORT_NOTE = (
    "H stands for ‖h‖². The theorem does not say that y_w and y_l are among the M tokens, though "
    "its proof has s(i_w) = s(i_l) = 1/M; i_w and i_l say whether they are."
)

# Corollary 2: one shared position before the last, with hidden state h₁ and prediction q, then
# the position where the responses differ, with hidden state h and a uniform prediction.
H1 = Symbol("H_1", positive=True)
kappa = Symbol("kappa", real=True)
q = softmax_row("q", 2)
e = softmax_row("e", 2)
sizes = q.sizes
flat = TokenVector(sizes, (1 / V, 1 / V, 1 / V))
last_w, last_l = one_hot(sizes, 0) - flat, one_hot(sizes, 1) - flat
prefix = e - q


def product(one: TokenVector, other: TokenVector) -> object:
    """Inner product of two sentence scores: prefix ⊗ h₁ plus last ⊗ h, ⟨h₁,h⟩ = κ."""
    return (
        H1 * (prefix @ prefix)
        + kappa * (prefix @ one)
        + kappa * (prefix @ other)
        + H * (one @ other)
    )


SENTENCE = Gram(product(last_w, last_w), product(last_l, last_l), product(last_w, last_l))
sentence_w, sentence_l = first_order(C, C, SENTENCE)
y_1, y_2, y_k = e.entries
# The prefix token is one token; the hidden states are not parallel, so that any two rows of
# predictions belong to some θ.
ONE_PREFIX_TOKEN = (
    V >= 2,
    H > 0,
    kappa**2 < H1 * H,
    equal(q.total(), Integer(1)),
    *(Gt(entry, 0) for entry in q.entries),
    equal(e.total(), Integer(1)),
    *(Or(equal(entry, Integer(0)), equal(entry, Integer(1))) for entry in e.entries),
)
PREFIX_NOTE = (
    "An instance of the corollary: one shared token before the differing one, M = V. H = ‖h_L‖², "
    "H_1 = ‖h_1‖², κ = ⟨h_1,h_L⟩; q is the prediction at the shared token, e its indicator "
    "(entry 1: y_w's token, entry 2: y_l's)."
)

tells_apart = kappa * ((y_1 - q.entries[0]) - (y_2 - q.entries[1]))
c = Symbol("c", real=True)
SETUP = (
    "Model Setup 1: frozen hidden states, a learnable last linear layer.",
    "The responses differ in their last token only; the prediction there is uniform.",
)
PREFIX_PARTS = (
    Quantity("H", H, "‖h_L‖², of the state that predicts the last token"),
    Quantity("H_1", H1, "‖h_1‖², of the state that predicts the shared token"),
    Quantity("κ", kappa, "⟨h_1,h_L⟩"),
    Quantity("q", q.entries[0], "the prediction at the shared token, of y_w's token and of y_l's"),
    Quantity("e", y_1, "which token the shared one is"),
    Quantity("c", tells_apart, "how much more the shared token is like y_w's than like y_l's"),
)

# The repaired form speaks of any prefix, through its products with the last token's scores.
P, P_w, P_l = Symbol("P", nonnegative=True), Symbol("P_w", real=True), Symbol("P_l", real=True)
ANY_PREFIX = Gram(
    P + 2 * P_w + H * (M - 1) / M, P + 2 * P_l + H * (M - 1) / M, P + P_w + P_l - H / M
)
any_w, any_l = first_order(C, C, ANY_PREFIX)

CLAIMS = (
    Claim(
        id="yuan2025.theorem1.inner",
        locator="Section 4.1, Theorem 1, first display",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle = -\frac{1}{M}\|h\|^2$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle = -\frac{1}{M} "
        r"||h||^2, \quad ||\nabla \log \pi_w||^2 = ||\nabla \log \pi_l||^2 = \frac{M-1}{M} "
        "||h||^2$",
        standing=(
            ("Appendix B.1, the proof: both tokens are among the M, s(i_w) = s(i_l) = 1/M."),
        ),
        given=(*CONCENTRATED, both_in_support),
        holds=equal(SINGLE.dot, -H / M),
        note="H stands for ‖h‖².",
    ),
    Claim(
        id="yuan2025.theorem1.support.repaired",
        locator="Section 4.1, Theorem 1, first display; appendix B.1",
        says=r"If $h \ne 0$: the displayed product and norms hold iff both tokens are among "
        "the $M$.",
        given=(*CONCENTRATED, H > 0),
        holds=iff(
            And(
                equal(SINGLE.dot, -H / M),
                equal(SINGLE.sq_w, (M - 1) / M * H),
                equal(SINGLE.sq_l, (M - 1) / M * H),
            ),
            both_in_support,
        ),
        note=SUPPORT_NOTE,
    ),
    Claim(
        id="yuan2025.theorem1.norms",
        locator="Section 4.1, Theorem 1, first display",
        says=r"$\|\nabla\log\pi_w\|^2 = \|\nabla\log\pi_l\|^2 = \frac{M-1}{M}\|h\|^2$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle = -\frac{1}{M} "
        r"||h||^2, \quad ||\nabla \log \pi_w||^2 = ||\nabla \log \pi_l||^2 = \frac{M-1}{M} "
        "||h||^2$",
        standing=(
            ("Appendix B.1, the proof: both tokens are among the M, s(i_w) = s(i_l) = 1/M."),
        ),
        given=(*CONCENTRATED, both_in_support),
        holds=every(equal(SINGLE.sq_w, (M - 1) / M * H), equal(SINGLE.sq_l, (M - 1) / M * H)),
        note="H stands for ‖h‖².",
    ),
    Claim(
        id="yuan2025.theorem1.condition",
        locator="Section 4.1, Theorem 1, conclusion",
        says=r"Both parts of Condition 1 hold.",
        quote=r"both parts of Condition 1 hold, resulting in $\log \pi_w$ increases and "
        r"$\log \pi_l$ decreases.",
        given=CONCENTRATED,
        holds=And(SINGLE.dot <= SINGLE.sq_w, SINGLE.dot <= SINGLE.sq_l),
        note=SUPPORT_NOTE,
    ),
    Claim(
        id="yuan2025.theorem1.directions",
        locator="Section 4.1, Theorem 1, conclusion",
        says=r"$\log\pi_w$ increases and $\log\pi_l$ decreases.",
        quote=r"both parts of Condition 1 hold, resulting in $\log \pi_w$ increases and "
        r"$\log \pi_l$ decreases.",
        standing=(
            ("Appendix B.1, the proof: both tokens are among the M, s(i_w) = s(i_l) = 1/M."),
        ),
        given=(*CONCENTRATED, both_in_support, H > 0),
        holds=And(Gt(chosen, 0), Lt(rejected, 0)),
        note="Strictly, to first order, where h is not zero. H stands for ‖h‖².",
    ),
    Claim(
        id="yuan2025.theorem1.support",
        locator="Section 4.1, Theorem 1, its assumptions as stated",
        says=r"If the prediction is uniformly concentrated on $M \ge 2$ tokens, whichever "
        r"they are: $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle = -\frac{1}{M}\|h\|^2$ "
        r"and $\|\nabla\log\pi_w\|^2 = \|\nabla\log\pi_l\|^2 = \frac{M-1}{M}\|h\|^2$.",
        quote="the model prediction on the first token in response is uniformly "
        r"concentrated on $M \leq V$ tokens in the vocabulary V, then we have",
        standing=(
            ("Appendix B.1, the proof: both tokens are among the M, s(i_w) = s(i_l) = 1/M."),
        ),
        given=(*CONCENTRATED, M >= 2, H > 0),
        holds=every(
            equal(SINGLE.dot, -H / M),
            equal(SINGLE.sq_w, (M - 1) / M * H),
            equal(SINGLE.sq_l, (M - 1) / M * H),
        ),
        grade=Grade.ASSUMPTION,
        why="The theorem does not say that both responses are among the tokens that the "
        "model predicts, which its proof uses; the directions hold without it, the "
        "products do not.",
        note=SUPPORT_NOTE,
    ),
    Claim(
        id="yuan2025.theorem1.certain",
        locator="Section 4.1, Theorem 1, conclusion",
        says=r"$\log\pi_w$ increases and $\log\pi_l$ decreases iff $h \ne 0$ and the model is not "
        "certain of either token, be they among the $M$ or not.",
        whose=Kind.OURS,
        given=CONCENTRATED,
        holds=iff(And(Gt(chosen, 0), Lt(rejected, 0)), And(H > 0, Not(certain))),
        note="Certain: M = 1 and that one token is y_w or y_l.",
    ),
    Claim(
        id="yuan2025.theorem1.negative",
        locator="Section 4.1, after Theorem 1",
        says=r"For single-token prediction, $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle < 0$.",
        quote=r"for single-token prediction, $\langle \nabla \log \pi_w, \nabla \log \pi_l "
        r"\rangle < 0$ .",
        standing=(
            ("Appendix B.1, the proof: both tokens are among the M, s(i_w) = s(i_l) = 1/M."),
        ),
        given=(*CONCENTRATED, both_in_support, H > 0),
        holds=Lt(SINGLE.dot, 0),
        note="H stands for ‖h‖².",
    ),
    Claim(
        id="yuan2025.corollary2.equal-norms",
        locator="Section 4.1, Corollary 2",
        says=r"$\|\nabla\log\pi_w\|^2 = \|\nabla\log\pi_l\|^2$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \le ||\nabla \log "
        r"\pi_w||^2 = ||\nabla \log \pi_l||^2$",
        standing=SETUP,
        given=ONE_PREFIX_TOKEN,
        holds=equal(SENTENCE.sq_w, SENTENCE.sq_l),
        grade=Grade.THEOREM,
        why="The score of the shared tokens points more towards one of the two last tokens "
        "than towards the other, which lengthens one sentence score and shortens the "
        "other.",
        where=(
            Quantity("‖∇log π_w‖²", SENTENCE.sq_w),
            Quantity("‖∇log π_l‖²", SENTENCE.sq_l),
            *PREFIX_PARTS,
        ),
        note=PREFIX_NOTE,
    ),
    Claim(
        id="yuan2025.corollary2.inner",
        locator="Section 4.1, Corollary 2",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_w\|^2$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \le ||\nabla \log "
        r"\pi_w||^2 = ||\nabla \log \pi_l||^2$",
        standing=SETUP,
        given=ONE_PREFIX_TOKEN,
        holds=Le(SENTENCE.dot, SENTENCE.sq_w),
        grade=Grade.THEOREM,
        why="What the shared tokens add to the product of the two scores can exceed what "
        "they add to the chosen norm.",
        where=(
            Quantity("⟨∇log π_w,∇log π_l⟩", SENTENCE.dot),
            Quantity("‖∇log π_w‖²", SENTENCE.sq_w),
            *PREFIX_PARTS,
        ),
        note=PREFIX_NOTE,
    ),
    Claim(
        id="yuan2025.corollary2.directions",
        locator="Section 4.1, Corollary 2, conclusion",
        says=r"$\log\pi_w$ increases and $\log\pi_l$ decreases: the one does not fall, nor "
        "does the other rise.",
        quote=r"and thus $\log \pi_w$ increases and $\log \pi_l$ decreases.",
        standing=SETUP,
        given=ONE_PREFIX_TOKEN,
        holds=And(sentence_w >= 0, sentence_l <= 0),
        grade=Grade.THEOREM,
        why="The shared tokens before the last one are learnt too, and what they teach the last "
        "layer can favour the rejected token by more than the last token itself favours the "
        "chosen one.",
        where=(
            Quantity("Δlog π_w", sentence_w, "the chosen's first-order change", C * (H + c)),
            Quantity("Δlog π_l", sentence_l, "the rejected's first-order change", -C * (H - c)),
            *PREFIX_PARTS,
        ),
        note=PREFIX_NOTE,
    ),
    Claim(
        id="yuan2025.corollary2.equal-norms.repaired",
        locator="Section 4.1, Corollary 2",
        says=r"$\|\nabla\log\pi_w\|^2 = \|\nabla\log\pi_l\|^2$ iff $c = 0$, where $c = \sum_{i<L}"
        r"\langle h_i,h_L\rangle([y_i{=}y_w] - s_i[y_w] - [y_i{=}y_l] + s_i[y_l])$.",
        given=(M >= 2,),
        holds=iff(equal(ANY_PREFIX.sq_w, ANY_PREFIX.sq_l), equal(P_w - P_l, Integer(0))),
        note="P, P_w, P_l: the prefix score's squared norm and its products with the last tokens' "
        "scores, c = P_w − P_l. Any prefix length, any support containing both tokens.",
    ),
    Claim(
        id="yuan2025.corollary2.inner.repaired",
        locator="Section 4.1, Corollary 2",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \|\nabla\log\pi_w\|^2$ iff "
        r"$c \ge -\|h_L\|^2$, with the same $c$.",
        given=(M >= 2,),
        holds=iff(ANY_PREFIX.dot <= ANY_PREFIX.sq_w, P_w - P_l >= -H),
        note="Symbols as in the repaired equality of norms.",
    ),
    Claim(
        id="yuan2025.corollary2.directions.repaired",
        locator="Section 4.1, Corollary 2, conclusion",
        says=r"$\log\pi_w$ increases and $\log\pi_l$ decreases iff $|c| < \|h_L\|^2$, with the "
        "same $c$: the shared prefix must not tell the two tokens apart too strongly.",
        given=(M >= 2,),
        holds=iff(And(Gt(any_w, 0), Lt(any_l, 0)), And(P_w - P_l < H, P_l - P_w < H)),
        note="Symbols as in the repaired equality of norms.",
    ),
    Claim(
        id="yuan2025.b1.wlog",
        locator="Appendix B.1, first display",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle$ is the product at the last "
        "token iff $P + P_w + P_l = 0$ for the score of the shared prefix; so for the "
        "single token that the proof speaks of.",
        whose=Kind.OURS,
        given=(M >= 2,),
        holds=iff(equal(ANY_PREFIX.dot, -H / M), equal(P + P_w + P_l, Integer(0))),
        note="The display has it of all responses, without loss of generality; of Corollary 2's, "
        "which share a prefix, it is not true. Symbols as in the repaired equality of norms.",
    ),
    Claim(
        id="yuan2025.shared-tokens.last-layer",
        locator="Section 1; section 4.2, after the Remark",
        says="The gradient inner product increases as the responses share more similar tokens.",
        quote="we find that the gradient inner product increases as the chosen and "
        "rejected responses share more similar tokens.",
        whose=Kind.READ,
        given=ONE_PREFIX_TOKEN,
        holds=Ge(SENTENCE.dot, H * (last_w @ last_l)),
        why="A shared token before the one that differs adds its own product with the last "
        "ones, which is negative where it tells against both.",
        note="Under Model Setup 1; increases is read as: does not decrease. " + PREFIX_NOTE,
    ),
    Claim(
        id="yuan2025.shared-tokens.last-layer.repaired",
        locator="Section 1; section 4.2, after the Remark",
        says=r"Under Model Setup 1 a shared prefix raises the gradient inner product iff $P + P_w "
        r"+ P_l > 0$.",
        given=(M >= 2,),
        holds=iff(Gt(ANY_PREFIX.dot, -H / M), Gt(P + P_w + P_l, 0)),
        note="Symbols as in the repaired equality of norms.",
    ),
)
