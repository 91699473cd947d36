r"""Section 4.2: learnable logits; responses with edit distance one (Theorem 3).

Rows are softmax rows of any vocabulary size. Changes are in units of the step C = ηβc(θ), as in
the paper, except where a claim is about that factor.
"""

from sympy import And, Gt, Integer, Lt, Rational, Symbol

from disband.theory.models.vocabulary import TokenVector, one_hot, softmax_row

from ...deciding.claim import Claim, Grade, Kind, Quantity
from ...deciding.logic import equal, every, iff, implies
from .entanglement import C

# The differing position: a row s with the tokens j* of y_w and k* of y_l.
s = softmax_row("s", 2)
at_w, at_l = one_hot(s.sizes, 0) - s, one_hot(s.sizes, 1) - s
s_j, s_k = s.entries[:2]
# A softmax has no entry equal to zero or one.
SIMPLEX = (equal(s.total(), Integer(1)), s_j > 0, s_k > 0, s.entries[2] > 0)
differing_w = at_w @ (at_w - at_l)
differing_l = at_l @ (at_w - at_l)

# A suffix position: rows p in the chosen context and q in the rejected one, the same token j*.
p, q = softmax_row("p", 1), softmax_row("q", 1)
token = one_hot(p.sizes, 0)
suffix_w, suffix_l = token - p, token - q
p_j, q_j = p.entries[0], q.entries[0]
ROWS = (
    equal(p.total(), Integer(1)),
    equal(q.total(), Integer(1)),
    *(entry > 0 for entry in (*p.entries, *q.entries)),
    p_j < 1,
    q_j < 1,
)
PAL = (p_j >= q_j, p.entries[1] <= q.entries[1])
printed_14 = (1 - p_j) * (q_j - p_j) - TokenVector(p.sizes[1:], p.entries[1:]) @ (
    TokenVector(q.sizes[1:], q.entries[1:]) - TokenVector(p.sizes[1:], p.entries[1:])
)
shared_change = suffix_w @ (suffix_w - suffix_l)
own_change = suffix_w @ suffix_w
rejected_change = suffix_l @ (suffix_w - suffix_l)
suffix = Symbol("n", integer=True, positive=True)

CLAIMS = (
    Claim(
        id="yuan2025.eq12",
        locator="Section 4.2, Theorem 3, eq. (12)",
        says=r"Before the differing token, $\Delta\log\pi(y_w^i\mid x,y_w^{<i}) \approx 0$.",
        quote=r"$\Delta \log \pi(y_w^i \mid x, y_w^{< i}) \approx 0$",
        given=(*ROWS, equal(p_j, q_j), equal(p.entries[1], q.entries[1])),
        holds=equal(shared_change, Integer(0)),
        note="The same row and the same token in both responses.",
    ),
    Claim(
        id="yuan2025.eq13",
        locator="Section 4.2, Theorem 3, eq. (13)",
        says=r"$\Delta\log\pi(y_w^m\mid x,y_w^{<m}) \approx 1 + (s_{w,m}[j^*] - s_{w,m}[k^*])$",
        quote=r"$\Delta \log \pi(y_w^m \mid x, y_w^{< m}) \approx 1 + (s_{w,m}[j^*] - "
        r"s_{w,m}[k^*]) \ge 0$",
        standing=(
            ("Appendix B.2: learning rate 1, changes up to the positive factor of the loss."),
        ),
        given=SIMPLEX,
        holds=equal(differing_w, 1 + (s_j - s_k)),
        grade=Grade.SIGN,
        why="The two entries are swapped: a token that is already likely has less to gain, "
        "as eq. (22) of the appendix has it.",
        where=(
            Quantity(
                "Δlog π(y_w^m)",
                differing_w,
                "the chosen token's first-order change per unit of step",
            ),
            Quantity("s[j*]", s_j, "probability of the chosen token"),
            Quantity("s[k*]", s_k, "probability of the rejected token"),
        ),
        note="In units of the step; s_1 and s_2 are the entries at j* and k*.",
    ),
    Claim(
        id="yuan2025.eq13.repaired",
        locator="Section 4.2, Theorem 3, eq. (13); appendix B.2, eq. (22)",
        says=r"$\Delta\log\pi(y_w^m\mid x,y_w^{<m}) \approx 1 + (s_{w,m}[k^*] - s_{w,m}[j^*])$",
        given=SIMPLEX,
        holds=equal(differing_w, 1 + (s_k - s_j)),
    ),
    Claim(
        id="yuan2025.eq13.nonnegative",
        locator="Section 4.2, Theorem 3, eq. (13)",
        says=r"$1 + (s_{w,m}[j^*] - s_{w,m}[k^*]) \ge 0$",
        quote=r"$\Delta \log \pi(y_w^m \mid x, y_w^{< m}) \approx 1 + (s_{w,m}[j^*] - "
        r"s_{w,m}[k^*]) \ge 0$",
        given=SIMPLEX,
        holds=1 + (s_j - s_k) >= 0,
    ),
    Claim(
        id="yuan2025.theorem3.at-differing",
        locator="Section 4.2, Theorem 3, before eq. (13)",
        says="The chosen log-probability at the differing position will increase.",
        quote="the chosen log-probability at the differing position will increase",
        given=SIMPLEX,
        holds=Gt(differing_w, 0),
    ),
    Claim(
        id="yuan2025.theorem3.step-size",
        locator="Section 4.2, Theorem 3, eqs. (13) and (14)",
        says="After one DPO step, the change at the differing position is "
        r"$\eta\beta c(\theta)(1 + s_{w,m}[k^*] - s_{w,m}[j^*])$.",
        quote="after one DPO step, the per-token log-probability change in chosen "
        "response $y_w$ can be characterized with first-order Taylor expansion",
        whose=Kind.READ,
        standing=("Appendix B.2: learning rate 1, and a gradient given up to a factor.",),
        given=SIMPLEX,
        holds=equal(C * differing_w, C * (1 + s_k - s_j)),
        note="C is ηβc(θ) of eq. (4), which (13) and (14) leave out. Sign of (13) as in (22).",
    ),
    Claim(
        id="yuan2025.eq14",
        locator="Section 4.2, Model Setup 2 and Theorem 3, eq. (14)",
        says=r"With $s_{w,i}$ and $s_{l,i}$ the variables to optimize, $\Delta\log\pi(y_w^i\mid "
        r"x,y_w^{<i}) \approx (1 - s_{w,i}[j_i^*])(s_{l,i}[j_i^*] - s_{w,i}[j_i^*]) - "
        r"\sum_{j\ne j_i^*}s_{w,i}[j](s_{l,i}[j] - s_{w,i}[j])$ after the differing position.",
        quote=r"$\Delta \log \pi(y_w^i \mid x, y_w^{< i}) \approx (1 - "
        r"s_{w,i}[j_i^*])(s_{l,i}[j_i^*] - s_{w,i}[j_i^*]) - \sum_{j \neq j_i^*} "
        r"s_{w,i}[j](s_{l,i}[j] - s_{w,i}[j]) \le 0$",
        standing=(
            ("Model Setup 2: $s_{w,i}$ and $s_{l,i}$ are configured as variables to optimize."),
            (
                "Since a shared model predicts them, they are not independent; the "
                "assumption of Pal et al. relates their values."
            ),
        ),
        given=(*ROWS, *PAL),
        holds=equal(own_change, printed_14),
        grade=Grade.ASSUMPTION,
        why="If the rows of the two contexts are variables of their own, the rejected "
        "response cannot pull the chosen one down there: the formula needs logits that "
        "both contexts share, which the proof assumes when it subtracts one gradient from "
        "the other.",
        where=(
            Quantity("Δlog π(y_w^i)", own_change, "the change with logits of its own"),
            Quantity("(14)", printed_14, "the right-hand side of (14)"),
        ),
        regime=(p_j > q_j,),
        note="Read literally: the logits of the two contexts are separate variables, so the "
        "rejected response's gradient does not reach the chosen one's rows.",
    ),
    Claim(
        id="yuan2025.eq14.repaired",
        locator="Section 4.2, Theorem 3, eq. (14); appendix B.2, eq. (23)",
        says="Eq. (14) holds if both contexts read the same learnable logits, up to fixed offsets.",
        given=(*ROWS, *PAL),
        holds=equal(shared_change, printed_14),
        note="Then both scores live in the same coordinates, as the proof's subtraction requires.",
    ),
    Claim(
        id="yuan2025.eq14.nonpositive",
        locator="Section 4.2, Theorem 3, eq. (14)",
        says=r"The right-hand side of (14) is at most zero, since $s_{l,i}[j_i^*] \le "
        r"s_{w,i}[j_i^*]$ and $s_{l,i}[j] \ge s_{w,i}[j]$ for $j \ne j_i^*$.",
        quote=r"$\Delta \log \pi(y_w^i \mid x, y_w^{< i}) \approx (1 - "
        r"s_{w,i}[j_i^*])(s_{l,i}[j_i^*] - s_{w,i}[j_i^*]) - \sum_{j \neq j_i^*} "
        r"s_{w,i}[j](s_{l,i}[j] - s_{w,i}[j]) \le 0$",
        given=(*ROWS, *PAL),
        holds=printed_14 <= 0,
    ),
    Claim(
        id="yuan2025.theorem3.suffix-decreases",
        locator="Section 4.2, Theorem 3, before eq. (14) and last sentence",
        says="After the differing position the chosen log-probability will decrease, and "
        r"$\log\pi_w$ decreases more as the same suffix gets longer.",
        quote=r"For $i \in [m+1:L]$ , the chosen log-probability at these positions will "
        "decrease:",
        whose=Kind.READ,
        standing=("Eq. (14), which the sentence announces, has ≤ 0: yuan2025.eq14.nonpositive.",),
        given=(*ROWS, *PAL),
        holds=Lt(shared_change, 0),
        why="Where the two contexts predict the same row the suffix token stands still; it "
        "falls wherever they differ.",
        note="Read strictly, with shared logits. A longer suffix adds one such change a token.",
    ),
    Claim(
        id="yuan2025.theorem3.suffix-decreases.repaired",
        locator="Section 4.2, Theorem 3, before eq. (14)",
        says="With shared logits the chosen log-probability never rises at a suffix "
        "position, and decreases iff the rows differ at the token; so a longer suffix "
        "lowers it the more.",
        given=(*ROWS, *PAL),
        holds=every(shared_change <= 0, iff(Lt(shared_change, 0), p_j > q_j)),
    ),
    Claim(
        id="yuan2025.theorem3.chosen-falls",
        locator="Section 4.2, before Theorem 3",
        says="Under the assumption, the log-probabilities of the chosen and the rejected "
        "will likely both decrease after one DPO gradient descent step.",
        quote="in this case the log-probability of the chosen and rejected will likely "
        "both decrease after one DPO gradient descent step.",
        given=(*SIMPLEX, *ROWS, *PAL),
        holds=And(
            Lt(differing_w + suffix * shared_change, 0),
            Lt(differing_l + suffix * rejected_change, 0),
        ),
        exists=True,
        note="Likely is read as: it happens; with shared logits, and n suffix tokens of "
        "the same rows.",
    ),
    Claim(
        id="yuan2025.theorem3.suffix-length",
        locator="Section 4.2, before Theorem 3",
        says="Under the assumption, one suffix token lowers the chosen log-probability by at most "
        "half a step: where the start prefers neither response, fewer than three suffix tokens "
        "never make the chosen fall.",
        whose=Kind.OURS,
        given=(*SIMPLEX, *ROWS, *PAL, equal(s_j, s_k)),
        holds=And(shared_change >= -Rational(1, 2), differing_w + 2 * shared_change >= 0),
        note="To first order, with shared logits; the second part takes the same row twice.",
    ),
    Claim(
        id="yuan2025.theorem3.rejected-falls",
        locator="Section 4.2, before Theorem 3",
        says="Under the assumption, the log-probability of the rejected decreases after "
        "one DPO gradient descent step.",
        quote="in this case the log-probability of the chosen and rejected will likely "
        "both decrease after one DPO gradient descent step.",
        whose=Kind.READ,
        given=(*SIMPLEX, *ROWS, *PAL),
        holds=Lt(differing_l + rejected_change, 0),
        note="Likely is dropped, for it always holds: with shared logits and one suffix "
        "token. The chosen one is another claim.",
    ),
    Claim(
        id="yuan2025.theorem3.rejected-token-falls",
        locator="Section 4.2, after the Remark; appendix B.2, after eq. (22)",
        says="If two contrastive tokens are picked under a similar context, the chosen token's "
        "probability increases while the rejected's decreases.",
        quote="if two contrastive tokens are picked by chosen and rejected responses under "
        "a similar context, then the chosen token probability will increase while the "
        "rejected decreases.",
        given=SIMPLEX,
        holds=And(Gt(differing_w, 0), Lt(differing_l, 0)),
    ),
    Claim(
        id="yuan2025.theorem3.lower-bound",
        locator="Section 4.2, after the Remark",
        says="The assumption implies a lower bound of the gradient inner product between "
        "chosen and rejected.",
        quote="the assumption we adopted implies that the gradient inner product between "
        "chosen and rejected can be lower bounded.",
        given=(*ROWS, *PAL),
        holds=suffix_w @ (suffix_l - suffix_w) >= 0,
        note="At a suffix token, with shared logits: by the chosen squared norm. So the token "
        "violates Condition 1 or lies on its edge.",
    ),
    Claim(
        id="yuan2025.shared-tokens",
        locator="Section 1; section 4.2, after the Remark",
        says="The gradient inner product increases as the responses share more similar tokens.",
        quote="we find that the gradient inner product increases as the chosen and "
        "rejected responses share more similar tokens.",
        whose=Kind.READ,
        given=ROWS,
        holds=Gt(suffix_w @ suffix_l, 0),
        note="With shared logits, one more shared token adds this product.",
    ),
    Claim(
        id="yuan2025.section1.token-level",
        locator="Section 1; section 4.2, after the Remark; section 5.3, second group",
        says="While the sentence-level gradient inner product is positive, a token-level inner "
        "product can be negative.",
        quote="while the sentence-level gradient inner product may be large and positive, "
        "individual token-level inner products can be small and negative",
        given=(*SIMPLEX, *ROWS),
        holds=And(Gt(at_w @ at_l + suffix_w @ suffix_l, 0), Lt(at_w @ at_l, 0)),
        exists=True,
        note="With shared logits: the differing token and one suffix token.",
    ),
    Claim(
        id="yuan2025.token-products",
        locator="Section 4.3, prediction (3)",
        says="For the differing token the token-wise gradient inner product is negative.",
        quote="the token-wise gradient inner product would be negative, while for other "
        "identical tokens, the token-wise gradient inner product would be positive.",
        whose=Kind.READ,
        standing=(
            (
                "Theorem 1 has a prediction that is uniform on the tokens it is concentrated on; "
                "there the product is negative. Section 4.3 fine-tunes on the two labels first."
            ),
        ),
        given=SIMPLEX,
        holds=Lt(at_w @ at_l, 0),
        why="Two tokens that share little of the mass pull the same way against the likely "
        "ones, and their scores have a positive product.",
        note="Model Setup 2 at the differing position, with any prediction.",
    ),
    Claim(
        id="yuan2025.token-products.repaired",
        locator="Section 4.3, prediction (3)",
        says=r"At the differing position the token-wise inner product is negative iff $\sum_k "
        r"s[k]^2 < s[j^*] + s[k^*]$; so if the two tokens hold at least half of the mass.",
        given=SIMPLEX,
        holds=And(
            iff(Lt(at_w @ at_l, 0), Lt(s @ s, s_j + s_k)),
            implies(s_j + s_k >= Rational(1, 2), Lt(at_w @ at_l, 0)),
        ),
    ),
    Claim(
        id="yuan2025.token-products.identical",
        locator="Section 4.3, prediction (3)",
        says="For other identical tokens the token-wise gradient inner product is positive.",
        quote="for other identical tokens, the token-wise gradient inner product would be "
        "positive.",
        whose=Kind.READ,
        given=ROWS,
        holds=Gt(suffix_w @ suffix_l, 0),
        note="Model Setup 2 with shared logits, at a position after the differing one.",
    ),
)
