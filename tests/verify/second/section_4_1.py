"""Sections 4.1 and B.1: one differing token under a learnable last layer.

Vocabularies are three or four tokens, counted from one, and hidden states have two entries.
"""

from sympy import Add, Eq, Expr, Ge, Implies, Integer, Ne, Piecewise, exp, log

from disband.theory.symbols import A, B, X
from tests.verify.second.alphabet import C, change_l, change_w, inner, minus, one_hot, outer
from tests.verify.second.statement import Second, named, same

h = [named(f"h{i}", f"entry {i} of the hidden state h_L of the last token") for i in (1, 2)]
H = named("H", "‖h_L‖²", nonnegative=True)
M = named("M", "the number of tokens that share the mass equally", positive=True, integer=True)
i_w = named("i_w", "the index of the chosen last token", positive=True, integer=True)
i_l = named("i_l", "the index of the rejected last token", positive=True, integer=True)
theta = [[named(f"theta{r}{j}", f"entry ({r}, {j}) of θ") for j in (1, 2, 3)] for r in (1, 2)]
V = 4
DESCENT = C > 0
NORM = Eq(H, inner(h, h))
INDICES = (i_w <= V, i_l <= V, Ne(i_w, i_l))
INSIDE = (i_w <= M, i_l <= M)


def uniform(size: int) -> list[Expr]:
    """Mass 1/M on each of the first M tokens."""
    return [Piecewise((1 / M, j <= M), (Integer(0), True)) for j in range(1, size + 1)]


def score(token: Expr | int, row: list[Expr], hidden: list[Expr]) -> list[Expr]:
    """The gradient of log s(hᵀθ)[token] in θ, as one vector."""
    return outer(hidden, minus(one_hot(token, len(row)), row))


def gram_of(left: list[Expr], right: list[Expr]) -> tuple[Eq, Eq, Eq]:
    return Eq(A, inner(left, left)), Eq(B, inner(right, right)), Eq(X, inner(left, right))


# (4) and (5).
CHANGES = (Eq(change_w, C * (A - X)), Eq(change_l, C * (X - B)))

# (17) and (18): the softmax of three tokens, differentiated.
logits = [inner(h, [theta[0][j], theta[1][j]]) for j in range(3)]
total = Add(*(exp(logit) for logit in logits))
softmax = [exp(logit) / total for logit in logits]


def differentiated(token: int) -> list[Expr]:
    value = log(softmax[token - 1])
    return [value.diff(entry) for row in theta for entry in row]


SINGLE = (NORM, *gram_of(score(i_w, uniform(V), h), score(i_l, uniform(V), h)))
INNER = same(X, -H / M)
SQUARES = (same(A, (M - 1) / M * H), same(B, (M - 1) / M * H))
CONDITION = (X <= A, X <= B)
UNIFORM = (M <= V, *INDICES)
ASSUMED = "the model prediction on the first token ... is uniformly concentrated on"
LIMIT = "A softmax is never zero: M < V is a limit, M = V is met exactly."

# Corollary 2: one common token before, with its own hidden state and distribution, V = 3.
g = [named(f"g{i}", f"entry {i} of the hidden state of the common first token") for i in (1, 2)]
common = named("common", "the index of the common first token", positive=True, integer=True)
weights = [
    named(f"u{j}", f"exponential of logit {j} of the common first token", positive=True)
    for j in (1, 2, 3)
]
first_row = [w / Add(*weights) for w in weights]
prefix = score(common, first_row, g)
last_w, last_l = score(1, uniform(3), h), score(2, uniform(3), h)
whole_w = [u + v for u, v in zip(prefix, last_w, strict=True)]
whole_l = [u + v for u, v in zip(prefix, last_l, strict=True)]
TWO_TOKENS = (common <= 3, M >= 2, M <= 3, DESCENT)
COROLLARY = "the chosen and rejected responses only differ at their last token"
PREFIX_OF_REJECTED = {
    **dict.fromkeys([*h, *g, *weights, C], 1),
    h[1]: 0,
    g[1]: 0,
    g[0]: 3,
    common: 2,
    M: 3,
}


ENTRIES = [
    Second(
        key="yuan2025 Theorem 1",
        where="4.1",
        words=ASSUMED,
        given=(*UNIFORM, *INSIDE, DESCENT, *SINGLE, *CHANGES),
        states=(INNER, *SQUARES, *CONDITION, change_w >= 0, change_l <= 0),
        reading="with both tokens among the M, increases as does not decrease",
        remark=f"{LIMIT} Two different tokens among the M need M ≥ 2. In general: any V and d.",
    ),
    Second(
        key="yuan2025 Theorem 1",
        where="4.1",
        words=ASSUMED,
        given=(*UNIFORM, *INSIDE, DESCENT, *SINGLE, *CHANGES),
        states=(change_w > 0, change_l < 0),
        reading="with both tokens among the M, increases as strictly increases",
        remark="h ≠ 0 is not printed.",
        fails_at={h[0]: 0, h[1]: 0, M: 2, i_w: 1, i_l: 2, C: 1},
    ),
    Second(
        key="yuan2025 Theorem 1",
        where="4.1",
        words=ASSUMED,
        given=(*UNIFORM, *INSIDE, NORM, H > 0, DESCENT, *SINGLE[1:], *CHANGES),
        states=(change_w > 0, change_l < 0, X < 0),
        reading="with both tokens among the M and h ≠ 0, strictly",
    ),
    Second(
        key="yuan2025 Theorem 1",
        where="4.1",
        words=ASSUMED,
        given=(*UNIFORM, *SINGLE),
        states=(INNER, *SQUARES),
        reading="with tokens anywhere in the vocabulary",
        remark=(
            "That y_w and y_l are among the M tokens is not printed in the theorem; the proof "
            "puts s(i_w) = s(i_l) = 1/M. At M = 1 one of two different tokens is outside."
        ),
        fails_at={h[0]: 1, h[1]: 0, M: 2, i_w: 1, i_l: 3},
    ),
    Second(
        key="yuan2025 Theorem 1",
        where="4.1",
        words="tokens in the vocabulary",
        given=(M <= V, Eq(X, -H / M), Eq(A, (M - 1) / M * H), Eq(B, (M - 1) / M * H)),
        states=(X**2 <= A * B,),
        reading="with M = 1 allowed, as M ≤ V prints it",
        remark="At M = 1 the printed values break the Cauchy-Schwarz inequality.",
        fails_at={H: 1, M: 1},
    ),
    *(
        Second(
            key="yuan2025 Theorem 1, negative inner product",
            where="4.1",
            words="Theorem 1 shows that for single-token prediction",
            given=(*UNIFORM, *INSIDE, NORM, *given, *SINGLE[1:]),
            states=(X < 0,),
            reading=reading,
            fails_at=fails_at,
        )
        for given, reading, fails_at in (
            ((H > 0,), "with h ≠ 0", None),
            ((), "for any h", {h[0]: 0, h[1]: 0, M: 2, i_w: 1, i_l: 2}),
        )
    ),
    *(
        Second(
            key=f"yuan2025 eq. ({number})",
            where="B.1",
            words="Compute the gradient with chain rule",
            given=(),
            states=tuple(
                same(left, right)
                for left, right in zip(differentiated(token), score(token, softmax, h), strict=True)
            ),
            remark=(
                "V = 3 and d = 2, chosen token 1, rejected token 2; in general column j is "
                "(1{j = i} - s(j)) h. Called a logit there, s(i) is a probability."
            ),
        )
        for number, token in ((17, 1), (18, 2))
    ),
    *(
        Second(
            key=f"yuan2025 eq. ({number})",
            where="B.1",
            words="for M entries and the rest V - M entries have",
            given=(*UNIFORM, *INSIDE),
            states=tuple(
                Implies(column(j), same(entry, printed))
                for j, entry, printed in zip(
                    [*range(1, V + 1)] * 2,
                    score(token, uniform(V), h),
                    score(token, [1 / M] * V, h),
                    strict=True,
                )
            ),
            reading=reading,
            remark=remark,
            fails_at=fails_at,
        )
        for number, token, remark in (
            (19, i_w, "Printed to the last column, outside the M entries too."),
            (20, i_l, "The second brace is printed i_v-th for i_l-th."),
        )
        for column, reading, fails_at in (
            (
                lambda _: Ge(M, 0, evaluate=False),
                "with all V columns",
                {h[0]: 1, h[1]: 1, M: 2, i_w: 1, i_l: 2},
            ),
            (lambda j: j <= M, "with the columns of the M tokens", None),
        )
    ),
    Second(
        key="yuan2025 eq. (21)",
        where="B.1",
        words="is negative",
        given=(*UNIFORM, *INSIDE, NORM, H > 0, *SINGLE[1:]),
        states=(
            same(X, (M - 2) / M**2 * H - 2 * (1 / M) * ((M - 1) / M) * H),
            INNER,
            X < 0,
        ),
    ),
    Second(
        key="yuan2025 appendix B.1, squared norms",
        where="B.1",
        words="in comparison, the norm of ... is large",
        given=(*UNIFORM, *INSIDE, *SINGLE),
        states=(
            same(A, (M - 1) / M**2 * H + (1 - 1 / M) ** 2 * H),
            same(B, (M - 1) / M**2 * H + (1 - 1 / M) ** 2 * H),
            *SQUARES,
            A >= -X,
        ),
        remark="Large is read as at least |⟨a, b⟩|; at M = 2 they are equal.",
    ),
    Second(
        key="yuan2025 appendix B.1, reduction to the last token",
        where="B.1",
        words="WLOG, assume",
        given=TWO_TOKENS,
        states=(same(inner(whole_w, whole_l), inner(last_w, last_l)),),
        reading="for responses of more than one token",
        remark="Drops what the common tokens add; for responses of one token nothing is said.",
        fails_at=PREFIX_OF_REJECTED,
    ),
    Second(
        key="yuan2025 Corollary 2",
        where="4.1",
        words=COROLLARY,
        given=(*TWO_TOKENS, *gram_of(whole_w, whole_l)),
        states=(same(A, B),),
        reading="of whole responses: equal norms",
        remark="V = 3, d = 2, one common token before; tokens 1 and 2 differ and are among the M.",
        fails_at=PREFIX_OF_REJECTED,
    ),
    Second(
        key="yuan2025 Corollary 2",
        where="4.1",
        words=COROLLARY,
        given=(*TWO_TOKENS, *gram_of(whole_w, whole_l)),
        states=CONDITION,
        reading="of whole responses: the gradient condition",
        remark="The common prefix holds the rejected token under a hidden state along h_L.",
        fails_at=PREFIX_OF_REJECTED,
    ),
    Second(
        key="yuan2025 Corollary 2",
        where="4.1",
        words=COROLLARY,
        given=(*TWO_TOKENS, *gram_of(whole_w, whole_l), *CHANGES),
        states=(change_w >= 0, change_l <= 0),
        reading="of whole responses: the changes",
        fails_at=PREFIX_OF_REJECTED,
    ),
    Second(
        key="yuan2025 Corollary 2",
        where="4.1",
        words=COROLLARY,
        given=(*TWO_TOKENS, *gram_of(last_w, last_l), *CHANGES),
        states=(same(A, B), X <= A, change_w >= 0, change_l <= 0),
        reading="of the gradients at the last token alone, as in appendix B.1",
    ),
    Second(
        key="yuan2025 Corollary 2",
        where="4.1",
        words=COROLLARY,
        given=(
            *TWO_TOKENS,
            Eq(g[0], -h[1]),
            Eq(g[1], h[0]),
            *gram_of(whole_w, whole_l),
            *CHANGES,
        ),
        states=(same(A, B), X <= A, change_w >= 0, change_l <= 0),
        reading="of whole responses, hidden states before the last at right angles to it",
    ),
]
