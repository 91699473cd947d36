"""Appendix B: the proofs of section 4, where they print more than the main text."""

from sympy import Derivative, Expr, Integer, Lt, Rational, Symbol, exp, log, symbols

from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.models.vocabulary import TokenVector

from ...deciding.claim import Claim, Grade, Kind
from ...deciding.logic import equal, every
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


CLAIMS = (
    Claim(
        id="yuan2025.eq21",
        locator="Appendix B.1, eq. (21)",
        says=r"$\frac{M-2}{M^2}\|h_L\|^2 - 2\cdot\frac{1}{M}\cdot\frac{M-1}{M}\|h_L\|^2 = "
        r"-\frac{1}{M}\|h_L\|^2$",
        quote=r"$= \frac{M-2}{M^2} \|h_L\|^2 - 2 \cdot \frac{1}{M} \cdot \frac{M-1}{M} "
        r"\|h_L\|^2 = -\frac{1}{M} \|h_L\|^2$",
        holds=equal((M - 2) / M**2 * H - 2 * (1 / M) * ((M - 1) / M) * H, -H / M),
    ),
    Claim(
        id="yuan2025.b1.norm",
        locator="Appendix B.1, after eq. (21)",
        says=r"$\frac{M-1}{M^2}\|h_L\|^2 + (1 - \frac{1}{M})^2\|h_L\|^2 = \frac{M-1}{M}\|h_L\|^2$",
        quote=r"$= \frac{M-1}{M^2} \|h_L\|^2 + \left(1 - \frac{1}{M}\right)^2 \|h_L\|^2 = "
        r"\frac{M-1}{M} \|h_L\|^2$",
        holds=equal((M - 1) / M**2 * H + (1 - 1 / M) ** 2 * H, (M - 1) / M * H),
    ),
    Claim(
        id="yuan2025.eq17",
        locator="Appendix B.1, eqs. (17) and (18)",
        says=r"$\nabla_\theta\log\pi_w^L = [-s(1)h_L, \ldots, (1 - s(i_w))h_L, \ldots, "
        r"-s(i_l)h_L, \ldots, -s(V)h_L]$ and $\nabla_\theta\log\pi_l^L = [-s(1)h_L, \ldots, "
        r"-s(i_w)h_L, \ldots, (1 - s(i_l))h_L, \ldots, -s(V)h_L]$",
        quote=r"$\nabla_{\theta} \log \pi_{w}^{L} = [-s(1)h_{L}, \cdots, (1 - "
        r"s(i_{w}))h_{L}, \cdots, -s(i_{l})h_{L}, \cdots, -s(V)h_{L}]$",
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
        quote="For any index $i, s(i_w)$ denote LLM's output logit for the i-th token in "
        "vocabulary.",
        holds=equal(logsigmoid(z).diff(z), 1 - z),
        grade=Grade.WORDING,
        why="The entries of a softmax are probabilities; with logits in their place the "
        "gradients (17) and (18) are wrong.",
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
        says="The other $V - M$ entries of the softmax have $s(j) = 0$: there are logits "
        "for which one has.",
        quote="for M entries and the rest V - M entries have s(j) = 0.",
        whose=Kind.READ,
        standing=("The sentence begins with: Suppose at the initialization of θ.",),
        holds=equal(exp(z) / (exp(z) + R), Integer(0)),
        exists=True,
        why="A softmax of finite logits has no entry that is zero; the concentration is a limit.",
        note="Finite logits; R is the mass of the other tokens. Equality with zero is a limit.",
    ),
    Claim(
        id="yuan2025.b1.zero-entries.repaired",
        locator="Appendix B.1, after eq. (18); section 4.1, Theorem 1 and Corollary 2",
        says="The other $V - M$ entries of the softmax can be as small as one likes: below "
        r"$\frac{1}{1000}$, say.",
        holds=Lt(exp(z) / (exp(z) + R), Rational(1, 1000)),
        exists=True,
    ),
    Claim(
        id="yuan2025.b2.index",
        locator="Appendix B.2, display of the gradient matrices",
        says=r"Row $i$ of $\nabla\log s(\bar\theta_w[i,j^*_{i+1}])$ is "
        r"$\nabla\log s(\bar\theta_w[i,j^*_i])$.",
        quote=r"$\nabla_{\theta}\log s(\overline{\theta}_{w}[i,j_{i+1}^{*}])$",
        given=SIMPLEX,
        holds=every(
            equal(at_l.entries[0], at_w.entries[0]), equal(at_l.entries[1], at_w.entries[1])
        ),
        grade=Grade.MISPRINT,
        why="The left side speaks of the next token, the matrix on the right of the token "
        "at this position.",
        note="Where the tokens j*_i and j*_{i+1} differ; entries 1 and 2 are theirs.",
    ),
    Claim(
        id="yuan2025.eq22",
        locator="Appendix B.2, eq. (22)",
        says=r"$\Delta\log s(\bar\theta_w[m,j^*_{m,w}]) \approx 1 + (s_w[m,j^*_{m,l}] - "
        r"s_w[m,j^*_{m,w}])$",
        quote=r"$= 1 + (s_{w}[m, j_{m,l}^{*}] - s_{w}[m, j_{m,w}^{*}]) \geq 0$",
        given=SIMPLEX,
        holds=equal(differing_w, 1 + (s_k - s_j)),
    ),
    Claim(
        id="yuan2025.eq22.nonnegative",
        locator="Appendix B.2, eq. (22)",
        says=r"$1 + (s_w[m,j^*_{m,l}] - s_w[m,j^*_{m,w}]) \ge 0$",
        quote=r"$= 1 + (s_{w}[m, j_{m,l}^{*}] - s_{w}[m, j_{m,w}^{*}]) \geq 0$",
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
        quote="$= (1 - s_{w}[i, j_{i}^{*}])(s_{l}[i, j_{i}^{*}] - s_{w}[i, j_{i}^{*}]) - "
        r"\sum_{j' \neq j_{i}^{*}} s_{w}[i, j'](s_{l}[i, j'] - s_{w}[i, j'])$",
        given=ROWS,
        holds=equal(shared_change, printed_14),
    ),
    Claim(
        id="yuan2025.b2.one-direction",
        locator="Appendix B.2, after eq. (23), and the final display",
        says="Under the assumption of Pal et al. neither the chosen nor the rejected entry rises "
        "at an identical token after the differing one.",
        quote="the loss can only pick one direction to change both chosen and rejected entry.",
        whose=Kind.READ,
        standing=("The assumption of Pal et al., which the next paragraph brings in.",),
        given=(*ROWS, *PAL),
        holds=every(shared_change <= 0, rejected_change <= 0),
        note="With shared logits.",
    ),
    Claim(
        id="yuan2025.b2.vector",
        locator="Appendix B.2, connection to Pal et al., the vector of differences",
        says=r"Of the entries of $\nabla\log s(\bar\theta_w[i,j_i^*]) - \nabla\log "
        r"s(\bar\theta_l[i,j_i^*])$ the one at $j_i^*$ is at most zero.",
        whose=Kind.READ,
        given=(*ROWS, *PAL),
        holds=q_j - p_j <= 0,
        note="The copy at hand shows ≥ 0 for the first and the last of them alone. That "
        "the others are at least zero is the assumption. Read of every entry, it fails at j*_i.",
    ),
)
