"""Sections 4.2 and 4.3: a differing token in the middle, under learnable logits.

Vocabularies are three tokens, counted from one. At the differing position the chosen token is 1
and the rejected one 2; after it the common token is 1. A row of probabilities is a softmax, written
by the exponentials of its logits.
"""

from sympy import Add, Eq, Equivalent, Expr, Integer, Symbol

from tests.verify.second.alphabet import C, inner, minus, one_hot, outer
from tests.verify.second.statement import Second, named, same

COMMON = one_hot(1, 3)
J_STAR, K_STAR = one_hot(1, 3), one_hot(2, 3)


def _row(name: str, meaning: str) -> tuple[list[Symbol], tuple[Eq, ...]]:
    """A softmax row: its three probabilities, and their definitions."""
    weights = [
        named(f"w_{name}{j}", f"exponential of logit {j} of {meaning}", positive=True)
        for j in (1, 2, 3)
    ]
    row = [named(f"{name}{j}", f"probability of token {j} in {meaning}") for j in (1, 2, 3)]
    return row, tuple(Eq(p, w / Add(*weights)) for p, w in zip(row, weights, strict=True))


before, OF_BEFORE = _row("s_before_", "a chosen row before the differing token")
before_l = [named(f"s_before_l{j}", f"the same, rejected, token {j}") for j in (1, 2, 3)]
# s_{w,i} = s_{l,i} for i in [m].
SHARED = (*OF_BEFORE, *(Eq(u, v) for u, v in zip(before_l, before, strict=True)))
middle, OF_MIDDLE = _row("s_m_", "the row s_m of the differing token")
after_w, OF_W = _row("s_w_", "the chosen row s_{w,i} after the differing token")
after_l, OF_L = _row("s_l_", "the rejected row s_{l,i} after the differing token")
more_w, OF_MORE_W = _row("t_w_", "another chosen row after the differing token")
more_l, OF_MORE_L = _row("t_l_", "another rejected row after the differing token")
count = named("count", "the number of common tokens after", positive=True, integer=True)
token_before = named(
    "token_before", "the index of a common token before", positive=True, integer=True
)


def of_smaug(chosen: list[Symbol], rejected: list[Symbol]) -> tuple[Expr, ...]:
    """The assumption taken from Pal et al. on a row after the differing token."""
    first, *others = zip(chosen, rejected, strict=True)
    return first[0] >= first[1], *(w <= lo for w, lo in others)


SUFFIX = (*OF_W, *OF_L, *of_smaug(after_w, after_l))
MORE = (*OF_MORE_W, *OF_MORE_L, *of_smaug(more_w, more_l))


def score(token: list[Expr], row: list[Expr]) -> list[Expr]:
    """The gradient of log s[token] in the logits of the row."""
    return minus(token, row)


def change(own: list[Expr], chosen: list[Expr], rejected: list[Expr]) -> Expr:
    """The change of a token's log-probability for a step along chosen minus rejected gradient."""
    return inner(own, minus(chosen, rejected))


at_before = change(*(score(one_hot(token_before, 3), row) for row in (before, before, before_l)))
middle_w, middle_l = score(J_STAR, middle), score(K_STAR, middle)
at_middle = change(middle_w, middle_w, middle_l)
suffix_w, suffix_l = score(COMMON, after_w), score(COMMON, after_l)
after = change(suffix_w, suffix_w, suffix_l)
after_rejected = change(suffix_l, suffix_w, suffix_l)
more = change(*(2 * [score(COMMON, more_w)]), score(COMMON, more_l))

of_13 = 1 + (middle[0] - middle[1])
of_22 = 1 + (middle[1] - middle[0])


def of_14(chosen: list[Symbol], rejected: list[Symbol]) -> Expr:
    """The right side of (14) and (23)."""
    first, *others = zip(chosen, rejected, strict=True)
    return (1 - first[0]) * (first[1] - first[0]) - Add(*(w * (lo - w) for w, lo in others))


EVEN = {
    "s_m_": (2, 1, 1),
    "s_w_": (1, 1, 1),
    "s_l_": (1, 1, 1),
    "t_w_": (1, 1, 1),
    "t_l_": (1, 1, 1),
}


def weighted(*rows: str, **changed: tuple[int, int, int]) -> dict[Symbol, int]:
    """A point: the exponentials of the logits of rows."""
    values = {name: (EVEN | changed)[name] for name in rows}
    return {
        Symbol(f"w_{name}{j}", positive=True): weight
        for name, row in values.items()
        for j, weight in enumerate(row, 1)
    }


STEP = "The step is read as along the printed gradient with factor one: η = 1, and η β c(θ) too."
UNSHARED = (
    "Model Setup 2 calls s_{w,i} and s_{l,i} variables to optimize, and calls them not "
    "independent; the proof puts both gradients in the same row."
)
# Section 4.1's layer: one differing token, then one common one, of two hidden entries each.
hidden, hidden_w, hidden_l = (
    [named(f"{name}{i}", f"entry {i} of {meaning}") for i in (1, 2)]
    for name, meaning in (
        ("k", "the hidden state of the differing token"),
        ("k_w", "the chosen hidden state of the common token"),
        ("k_l", "the rejected hidden state of the common token"),
    )
)
linear_w, linear_l = outer(hidden, middle_w), outer(hidden, middle_l)
longer_w = [u + v for u, v in zip(linear_w, outer(hidden_w, suffix_w), strict=True)]
longer_l = [u + v for u, v in zip(linear_l, outer(hidden_l, suffix_l), strict=True)]


def _theorem(key: str, words: str, **rest: object) -> Second:
    return Second(key=f"yuan2025 {key}", where="4.2", words=words, **rest)


BEFORE = "before the differing token stays unchanged"
AT = "the chosen log-probability at the differing position will increase"
AFTER = "the chosen log-probability at these positions will decrease"
LONGER = "as the same suffix following the differing tokens gets longer"
BOTH = "the chosen and rejected will likely both decrease after one DPO gradient descent step"
ENTRIES = [
    _theorem(
        "eq. (12)",
        BEFORE,
        given=(token_before <= 3, *SHARED),
        states=(same(at_before, Integer(0)),),
        remark=f"{STEP} Positions before share one row and one token.",
    ),
    _theorem(
        "eq. (13)",
        AT,
        given=OF_MIDDLE,
        states=(same(at_middle, of_13),),
        reading="as the value printed",
        remark=f"(22), what its proof ends with, has the two probabilities the other way. {STEP}",
        fails_at=weighted("s_m_"),
    ),
    _theorem(
        "eq. (13)",
        AT,
        given=OF_MIDDLE,
        states=(same(at_middle, of_22), at_middle >= 0, of_13 >= 0),
        reading="with the probabilities as in (22), and of the signs of both",
        remark=STEP,
    ),
    _theorem(
        "eq. (14)",
        AFTER,
        given=SUFFIX,
        states=(same(after, of_14(after_w, after_l)), of_14(after_w, after_l) <= 0),
        reading="with both gradients in one row of logits, decrease as does not increase",
        remark=f"{UNSHARED} {STEP}",
    ),
    _theorem(
        "eq. (14)",
        AFTER,
        given=SUFFIX,
        states=(of_14(after_w, after_l) < 0,),
        reading="with both gradients in one row of logits, decrease as strictly decreases",
        remark="The assumption allows s_w = s_l.",
        fails_at=weighted("s_w_", "s_l_"),
    ),
    _theorem(
        "eq. (14)",
        AFTER,
        given=SUFFIX,
        states=(same(inner(suffix_w, suffix_w), of_14(after_w, after_l)),),
        reading="with s_{w,i} and s_{l,i} as logits of their own: the value",
        remark=f"{UNSHARED} Then the rejected response does not reach the chosen row.",
        fails_at=weighted("s_w_", "s_l_"),
    ),
    _theorem(
        "eq. (14)",
        AFTER,
        given=SUFFIX,
        states=(inner(suffix_w, suffix_w) <= 0,),
        reading="with s_{w,i} and s_{l,i} as logits of their own: the sign",
        remark=UNSHARED,
        fails_at=weighted("s_w_", "s_l_"),
    ),
    _theorem(
        "eq. (14)",
        AFTER,
        given=(*OF_W, *OF_L),
        states=(of_14(after_w, after_l) <= 0,),
        reading="without the assumption of Pal et al.",
        fails_at=weighted("s_w_", "s_l_", s_w_=(1, 1, 1), s_l_=(2, 1, 1)),
    ),
    _theorem(
        "Theorem 3, longer suffix",
        LONGER,
        given=(*OF_MIDDLE, *SUFFIX, *MORE),
        states=(at_middle + after + more <= at_middle + after,),
        reading="with decreases more as: falls at least as much",
        remark="One more common token, whose rows meet the same assumption.",
    ),
    _theorem(
        "Theorem 3, longer suffix",
        LONGER,
        given=(*OF_MIDDLE, *SUFFIX, *MORE),
        states=(at_middle + after + more < at_middle + after,),
        reading="with decreases more as: falls by strictly more",
        fails_at=weighted("s_m_", "s_w_", "s_l_", "t_w_", "t_l_"),
    ),
    _theorem(
        "section 4.2, both decrease",
        BOTH,
        given=(*OF_MIDDLE, *SUFFIX),
        states=(at_middle + count * after < 0, change(middle_l, middle_w, middle_l) < 0),
        exists=True,
        reading="of whole responses, likely as: somewhere",
        remark="Common tokens after the differing one have like rows here.",
    ),
    _theorem(
        "section 4.2, both decrease",
        BOTH,
        given=(*OF_MIDDLE, *SUFFIX),
        states=(at_middle + count * after <= 0,),
        reading="of the whole chosen response, likely as: always",
        fails_at=weighted("s_m_", "s_w_", "s_l_") | {count: 1},
    ),
    _theorem(
        "section 4.2, both decrease",
        BOTH,
        given=(*OF_MIDDLE, *SUFFIX),
        states=(change(middle_l, middle_w, middle_l) <= 0, after_rejected <= 0),
        reading="of the rejected response, at and after the differing token",
        remark="Not printed as a formula.",
    ),
    _theorem(
        "section 4.2, condition of a token",
        "can also be derived with a per-token gradient inner product condition",
        given=(*OF_W, *OF_L),
        states=(Equivalent(after <= 0, inner(suffix_w, suffix_l) >= inner(suffix_w, suffix_w)),),
        reading="with both gradients in one row of logits",
    ),
    _theorem(
        "section 4.2, lower bound",
        "the gradient inner product between chosen and rejected can be lower bounded",
        given=SUFFIX,
        states=(inner(suffix_w, suffix_l) >= inner(suffix_w, suffix_w),),
        remark="The bound is not printed; read as the squared norm of the chosen gradient.",
    ),
    _theorem(
        "section 4.2, shared tokens",
        "the gradient inner product increases as the chosen and rejected responses share more",
        given=(*OF_MIDDLE, *SUFFIX),
        states=(
            inner(middle_w, middle_l) + inner(suffix_w, suffix_l) >= inner(middle_w, middle_l),
        ),
        reading="under Model Setup 2, with both gradients in one row of logits",
    ),
    _theorem(
        "section 4.2, shared tokens",
        "the gradient inner product increases as the chosen and rejected responses share more",
        given=(*OF_MIDDLE, *SUFFIX),
        states=(inner(longer_w, longer_l) >= inner(linear_w, linear_l),),
        reading="under Model Setup 1",
        remark="The hidden states after a differing token may differ, even in direction.",
        fails_at=weighted("s_m_", "s_w_", "s_l_")
        | dict.fromkeys(hidden + hidden_w + hidden_l, 0)
        | {hidden_w[0]: 1, hidden_l[0]: -1},
    ),
    _theorem(
        "section 4.2, sentence and tokens",
        "may not necessarily reflect the individual token-wise gradient inner product",
        given=(*OF_MIDDLE, *SUFFIX),
        states=(
            inner(middle_w, middle_l) < 0,
            inner(middle_w, middle_l) + count * inner(suffix_w, suffix_l) > 0,
        ),
        exists=True,
        remark="Common tokens after the differing one have like rows here (footnote 13).",
    ),
    Second(
        key="yuan2025 section 4.3, differing token",
        where="4.3",
        words="the token-wise gradient inner product would be negative",
        given=OF_MIDDLE,
        states=(inner(middle_w, middle_l) < 0,),
        reading="for any row",
        remark="Theorem 1 says it of uniform rows; a likely third token makes it positive.",
        fails_at=weighted("s_m_", s_m_=(1, 1, 18)),
    ),
    Second(
        key="yuan2025 section 4.3, differing token",
        where="4.3",
        words="the token-wise gradient inner product would be negative",
        given=(*OF_MIDDLE, middle[2] ** 2 <= middle[0] ** 2 + middle[1] ** 2),
        states=(inner(middle_w, middle_l) < 0,),
        reading="where the third token is not likely",
    ),
    Second(
        key="yuan2025 section 4.3, identical tokens",
        where="4.3",
        words="for other identical tokens, the token-wise gradient inner product would be positive",
        given=(*OF_W, *OF_L),
        states=(inner(suffix_w, suffix_l) > 0,),
        remark="Needs no assumption on the rows but that no probability is one.",
    ),
    _theorem(
        "Theorem 3",
        "the per-token log-probability change in chosen response",
        given=(*OF_MIDDLE, *SUFFIX, C > 0),
        states=(
            same(C * at_middle, of_22),
            same(C * after, of_14(after_w, after_l)),
        ),
        reading="with a step of any factor η β c(θ)",
        remark="The values are printed without η β c(θ), which one DPO step has.",
        fails_at=weighted("s_m_", "s_w_", "s_l_") | {C: 2},
    ),
    _theorem(
        "Theorem 3",
        "the per-token log-probability change in chosen response",
        given=(*OF_MIDDLE, *SUFFIX, C > 0),
        states=(
            same(C * at_middle, C * of_22),
            same(C * after, C * of_14(after_w, after_l)),
            C * at_middle >= 0,
            C * after <= 0,
        ),
        reading="up to the factor η β c(θ), with (22) for (13), both gradients in one row",
    ),
]
