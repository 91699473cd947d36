"""Section B.2: the proof of Theorem 3, in the notation of section 4.2."""

from sympy import Add, Integer, exp, log

from tests.verify.second.alphabet import inner
from tests.verify.second.section_4_2 import (
    OF_L,
    OF_MIDDLE,
    OF_W,
    SHARED,
    STEP,
    SUFFIX,
    UNSHARED,
    after,
    after_l,
    after_w,
    at_middle,
    before,
    before_l,
    middle,
    of_14,
    of_22,
    suffix_l,
    suffix_w,
    weighted,
)
from tests.verify.second.statement import Second, named, same

logits = [named(f"logit{j}", f"entry {j} of a row of logits") for j in (1, 2, 3)]
LOGITS = [exp(logit) / Add(*map(exp, logits)) for logit in logits]
PROOF_MIDDLE = (
    middle[1] ** 2
    + middle[2] ** 2
    + (1 - middle[0]) ** 2
    - middle[2] ** 2
    + middle[0] * (1 - middle[0])
    + middle[1] * (1 - middle[1])
)


def _proof(key: str, words: str, **rest: object) -> Second:
    return Second(key=f"yuan2025 {key}", where="B.2", words=words, **rest)


ENTRIES = [
    _proof(
        "appendix B.2, gradient of a row",
        "the corresponding gradient matrices",
        given=(),
        states=tuple(
            same(log(LOGITS[0]).diff(logit), printed)
            for logit, printed in zip(logits, (1 - LOGITS[0], -LOGITS[1], -LOGITS[2]), strict=True)
        ),
        remark="The display before prints j*_{i+1} once for j*_i.",
    ),
    _proof(
        "eq. (22)",
        "where the last inequality is true because",
        given=OF_MIDDLE,
        states=(same(at_middle, PROOF_MIDDLE), same(PROOF_MIDDLE, of_22), of_22 >= 0),
        remark=f"{STEP} Stated of both steps of the chain.",
    ),
    _proof(
        "eq. (23)",
        "Chosen response: if",
        given=(*OF_W, *OF_L),
        states=(same(after, of_14(after_w, after_l)),),
        reading="with both gradients in one row of logits, after the differing token",
        remark=f"{UNSHARED} {STEP}",
    ),
    _proof(
        "eq. (23)",
        "Chosen response: if",
        given=SHARED,
        states=(same(of_14(before, before_l), Integer(0)),),
        reading="before the differing token, where the rows agree",
    ),
    _proof(
        "eq. (23)",
        "Chosen response: if",
        given=(*OF_W, *OF_L),
        states=(same(inner(suffix_w, suffix_w), of_14(after_w, after_l)),),
        reading="with s_{w,i} and s_{l,i} as logits of their own",
        remark=UNSHARED,
        fails_at=weighted("s_w_", "s_l_"),
    ),
    _proof(
        "appendix B.2, difference of gradients",
        "Connection to the derivation in Pal et al. (2024)",
        given=SUFFIX,
        states=tuple(
            same(u - v, lo - w)
            for u, v, w, lo in zip(suffix_w, suffix_l, after_w, after_l, strict=True)
        ),
        reading="as the vector of s_l - s_w",
    ),
    _proof(
        "appendix B.2, difference of gradients",
        "Connection to the derivation in Pal et al. (2024)",
        given=SUFFIX,
        states=tuple(u - v >= 0 for u, v in zip(suffix_w, suffix_l, strict=True)),
        reading="with every entry at least zero, as printed",
        remark="The entry of the common token is at most zero by the assumption.",
        fails_at=weighted("s_w_", "s_l_", s_w_=(2, 1, 1), s_l_=(1, 1, 1)),
    ),
    _proof(
        "appendix B.2, (22) and (23)",
        "always holds",
        given=(*OF_MIDDLE, *SUFFIX),
        states=(of_22 >= 0, of_14(after_w, after_l) <= 0),
    ),
]
