"""Appendix B: the proofs of section 4, where they print more than the main text."""

from sympy import Derivative, Expr, Ge, Integer, Lt, Rational, Symbol, exp, log, symbols

from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.models.vocabulary import TokenVector

from ...deciding.claim import Claim
from ...deciding.logic import equal, every
from .entanglement import C
from .last_layer import H, M
from .learnable_logits import (
    PAL,
    ROWS,
    SIMPLEX,
    at_l,
    at_w,
    differing_w,
    p_j,
    printed_14,
    q_j,
    rejected_change,
    s,
    s_j,
    s_k,
    shared_change,
)

# Appendix B.1: three logits in a hidden state of one entry, and the others' mass R.
h, th_w, th_l, th_j = symbols("h theta_w theta_l theta_j", real=True)
R = Symbol("R", nonnegative=True)
mass = exp(h * th_w) + exp(h * th_l) + exp(h * th_j) + R


def score_entry(of: Expr, at: Expr) -> Expr:
    """Derivative of the log-probability of the token with column ``of`` in the column ``at``."""
    return Derivative(h * of - log(mass), at)


z = Symbol("z", real=True)


def share(of: Expr) -> Expr:
    """Probability of the token with column ``of``."""
    return exp(h * of) / mass


# The squares of the row's other entries.
rest = TokenVector(s.sizes[2:], s.entries[2:])
others = rest @ rest


def descent(factor: Expr) -> TokenVector:
    """The difference of the two scores at the differing position, times ``factor``."""
    difference = at_w - at_l
    return TokenVector(difference.sizes, tuple(factor * entry for entry in difference.entries))


CLAIMS = (
    Claim(
        id="yuan2025.eq21",
        locator="Appendix B.1, eq. (21)",
        says=r"$\frac{M-2}{M^2}\|h_L\|^2 - 2\cdot\frac{1}{M}\cdot\frac{M-1}{M}\|h_L\|^2 = "
        r"-\frac{1}{M}\|h_L\|^2$",
        holds=equal((M - 2) / M**2 * H - 2 * (1 / M) * ((M - 1) / M) * H, -H / M),
    ),
    Claim(
        id="yuan2025.b1.norm",
        locator="Appendix B.1, after eq. (21)",
        says=r"$\frac{M-1}{M^2}\|h_L\|^2 + (1 - \frac{1}{M})^2\|h_L\|^2 = \frac{M-1}{M}\|h_L\|^2$",
        holds=equal((M - 1) / M**2 * H + (1 - 1 / M) ** 2 * H, (M - 1) / M * H),
    ),
    Claim(
        id="yuan2025.eq17",
        locator="Appendix B.1, eqs. (17) and (18)",
        says=r"$\nabla_\theta\log\pi_w^L = [-s(1)h_L, \ldots, (1 - s(i_w))h_L, \ldots, "
        r"-s(i_l)h_L, \ldots, -s(V)h_L]$ and $\nabla_\theta\log\pi_l^L = [-s(1)h_L, \ldots, "
        r"-s(i_w)h_L, \ldots, (1 - s(i_l))h_L, \ldots, -s(V)h_L]$",
        holds=every(
            equal(score_entry(th_w, th_w), (1 - share(th_w)) * h),
            equal(score_entry(th_w, th_l), -share(th_l) * h),
            equal(score_entry(th_w, th_j), -share(th_j) * h),
            equal(score_entry(th_l, th_w), -share(th_w) * h),
            equal(score_entry(th_l, th_l), (1 - share(th_l)) * h),
            equal(score_entry(th_l, th_j), -share(th_j) * h),
        ),
        note="At i_w, at i_l and at any other token j; R is the mass of the remaining ones, h one "
        "entry of the hidden state.",
    ),
    Claim(
        id="yuan2025.b1.logit",
        locator="Appendix B.1, after eq. (18)",
        says="$s(i)$ in (17) and (18) denotes the output logit for the $i$-th token.",
        holds=equal(logsigmoid(z).diff(z), 1 - z),
        note="Two tokens, the other's logit is zero, h_L = 1: the entry 1 − s(i_w) with the logit "
        "z for s(i_w).",
    ),
    Claim(
        id="yuan2025.b1.logit.repaired",
        locator="Appendix B.1, after eq. (18)",
        says="$s(i)$ in (17) and (18) denotes the probability of the $i$-th token.",
        holds=equal(logsigmoid(z).diff(z), 1 - sigmoid(z)),
    ),
    Claim(
        id="yuan2025.b1.zero-entries",
        locator="Appendix B.1, after eq. (18); section 4.1, Theorem 1 and Corollary 2",
        says=r"The other $V - M$ entries of the softmax can be $s(j) = 0$.",
        holds=equal(exp(z) / (exp(z) + R), Integer(0)),
        exists=True,
        note="Finite logits; R is the mass of the other tokens. Equality with zero is a limit.",
    ),
    Claim(
        id="yuan2025.b1.zero-entries.repaired",
        locator="Appendix B.1, after eq. (18); section 4.1, Theorem 1 and Corollary 2",
        says=r"The other $V - M$ entries of the softmax can be as small as $s(j) < "
        r"\frac{1}{1000}$.",
        holds=Lt(exp(z) / (exp(z) + R), Rational(1, 1000)),
        exists=True,
    ),
    Claim(
        id="yuan2025.b2.index",
        locator="Appendix B.2, display of the gradient matrices",
        says=r"Row $i$ of $\nabla\log s(\bar\theta_w[i,j^*_{i+1}])$ is "
        r"$\nabla\log s(\bar\theta_w[i,j^*_i])$.",
        given=SIMPLEX,
        holds=every(
            equal(at_l.entries[0], at_w.entries[0]), equal(at_l.entries[1], at_w.entries[1])
        ),
        note="Where the tokens j*_i and j*_{i+1} differ; entries 1 and 2 are theirs.",
    ),
    Claim(
        id="yuan2025.b2.step",
        locator="Appendix B.2, sentence-wise gradient and the step taken with it",
        says=r"$\Delta\log s(\bar\theta_w[m,j^*_{m,w}]) \approx \langle\nabla\log s(\bar\theta_w[m,"
        r"j^*_{m,w}]), \nabla\mathcal{L}[m,:]\rangle$ has the value of (22) up to a positive "
        "factor.",
        given=SIMPLEX,
        holds=equal(at_w @ descent(-C), C * (1 + (s_k - s_j))),
        note="For the DPO loss ∇L[m,:] is −C times the printed difference of the two rows.",
    ),
    Claim(
        id="yuan2025.b2.step.repaired",
        locator="Appendix B.2, sentence-wise gradient and the step taken with it",
        says=r"$\langle\nabla\log s(\bar\theta_w[m,j^*_{m,w}]), -\nabla\mathcal{L}[m,:]\rangle$ "
        r"has the value of (22) up to a positive factor.",
        given=SIMPLEX,
        holds=equal(at_w @ descent(C), C * (1 + (s_k - s_j))),
    ),
    Claim(
        id="yuan2025.eq22",
        locator="Appendix B.2, eq. (22)",
        says=r"$\Delta\log s(\bar\theta_w[m,j^*_{m,w}]) \approx 1 + (s_w[m,j^*_{m,l}] - "
        r"s_w[m,j^*_{m,w}])$",
        given=SIMPLEX,
        holds=equal(differing_w, 1 + (s_k - s_j)),
    ),
    Claim(
        id="yuan2025.eq22.nonnegative",
        locator="Appendix B.2, eq. (22)",
        says=r"$1 + (s_w[m,j^*_{m,l}] - s_w[m,j^*_{m,w}]) \ge 0$",
        given=SIMPLEX,
        holds=1 + (s_k - s_j) >= 0,
    ),
    Claim(
        id="yuan2025.eq22.expansion",
        locator="Appendix B.2, eq. (22), third line",
        says=r"$\sum_{j'\ne w}s[j']^2 + (1 - s[w])^2 - \sum_{j'\ne w,l}s[j']^2 + s[w](1 - s[w]) + "
        r"s[l](1 - s[l]) = 1 + (s[l] - s[w])$",
        given=SIMPLEX,
        holds=equal(
            (s_k**2 + others) + (1 - s_j) ** 2 - others + s_j * (1 - s_j) + s_k * (1 - s_k),
            1 + (s_k - s_j),
        ),
    ),
    Claim(
        id="yuan2025.eq23",
        locator="Appendix B.2, eq. (23)",
        says=r"$\langle\nabla\log s(\bar\theta_w[i,j_i^*]), \nabla\log s(\bar\theta_w[i,j_i^*]) - "
        r"\nabla\log s(\bar\theta_l[i,j_i^*])\rangle = (1 - s_w[i,j_i^*])(s_l[i,j_i^*] - "
        r"s_w[i,j_i^*]) - \sum_{j'\ne j_i^*}s_w[i,j'](s_l[i,j'] - s_w[i,j'])$",
        given=ROWS,
        holds=equal(shared_change, printed_14),
    ),
    Claim(
        id="yuan2025.b2.one-direction",
        locator="Appendix B.2, after eq. (23)",
        says="At an identical token the loss can only pick one direction to change both chosen and "
        "rejected entry.",
        given=ROWS,
        holds=Ge(shared_change * rejected_change, 0),
        note="With shared logits, without the assumption of Pal et al., which print brings in "
        "next.",
    ),
    Claim(
        id="yuan2025.b2.one-direction.repaired",
        locator="Appendix B.2, after eq. (23), and the final display",
        says="Under the assumption of Pal et al. neither the chosen nor the rejected entry rises "
        "at an identical token after the differing one.",
        given=(*ROWS, *PAL),
        holds=every(shared_change <= 0, rejected_change <= 0),
        note="With shared logits.",
    ),
    Claim(
        id="yuan2025.b2.vector",
        locator="Appendix B.2, connection to Pal et al., the vector of differences",
        says=r"Every entry of $\nabla\log s(\bar\theta_w[i,j_i^*]) - "
        r"\nabla\log s(\bar\theta_l[i,j_i^*])$, the one at $j_i^*$ too, is at least zero.",
        given=(*ROWS, *PAL),
        holds=q_j - p_j >= 0,
        note="The entry at j_i^* is s_l − s_w there.",
    ),
    Claim(
        id="yuan2025.b2.vector.repaired",
        locator="Appendix B.2, connection to Pal et al., the vector of differences",
        says=r"The entry at $j_i^*$ is at most zero, the others are at least zero.",
        given=(*ROWS, *PAL),
        holds=q_j - p_j <= 0,
    ),
)
