"""Appendices A and B: the derivations, where they print more than the main text."""

from sympy import Expr, Gt, Integer, Lt, Matrix

from theory.gram import Gram
from theory.objectives import DPO
from theory.symbols import A, B, X, beta, d_l, d_w, eta, logp_l, logp_w
from verify.claim import Claim
from verify.claims.yuan2025.entanglement import c
from verify.claims.yuan2025.general import loss
from verify.claims.yuan2025.last_layer import H, M
from verify.claims.yuan2025.learnable_logits import (
    PAL,
    ROWS,
    SIMPLEX,
    at_w,
    differing_w,
    p_j,
    q_j,
    s_j,
    s_k,
)
from verify.claims.yuan2025.methods import sppo_l, sppo_w
from verify.logic import equal, every, iff

GRAM = Gram(A, B, X)


def along(score: tuple[int, int], direction: tuple[Expr, Expr]) -> Expr:
    """Inner product of ``score`` and ``direction``, both combinations of the scores a and b."""
    products = Matrix([[A, X], [X, B]])
    return (Matrix([score]) * products * Matrix(direction))[0]


a, b = (1, 0), (0, 1)
dpo_gradient = (DPO.loss.diff(logp_w), DPO.loss.diff(logp_l))
sppo_loss = (logp_w - 1 / beta) ** 2 + (logp_l + 1 / beta) ** 2
sppo_step = (-sppo_loss.diff(logp_w), -sppo_loss.diff(logp_l))


def scaled(factor: Expr, direction: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    """Return ``factor`` times ``direction``."""
    return factor * direction[0], factor * direction[1]


CLAIMS = (
    Claim(
        id="yuan2025.a1.dpo-step",
        locator="Appendix A.1, DPO, first line",
        says=r"$\langle\nabla_\theta\log\pi_w, \eta\nabla_\theta\ell_{DPO}\rangle = \eta\beta "
        r"c(\theta)(\|\nabla\log\pi_w\|^2 - \langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$",
        holds=equal(along(a, scaled(eta, dpo_gradient)), eta * beta * c * (A - X)),
    ),
    Claim(
        id="yuan2025.a1.dpo-step.repaired",
        locator="Appendix A.1, DPO, first line",
        says=r"$\langle\nabla_\theta\log\pi_w, -\eta\nabla_\theta\ell_{DPO}\rangle = \eta\beta "
        r"c(\theta)(\|\nabla\log\pi_w\|^2 - \langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$",
        holds=equal(along(a, scaled(-eta, dpo_gradient)), eta * beta * c * (A - X)),
        note="The step of descent is −η∇ℓ.",
    ),
    Claim(
        id="yuan2025.a1.general-gradient",
        locator="Appendix A.1, General Losses, first display",
        says=r"$\nabla_\theta\ell = d_w\nabla_\theta\log\pi_w - d_l\nabla_\theta\log\pi_l$ with "
        "$d_w$, $d_l$ of (7) and (8)",
        given=(Gt(d_w**2 + d_l**2, 0),),
        holds=every(equal(-d_w, d_w), equal(d_l, -d_l)),
        note="Coefficients of the two scores in ∇ℓ; by (7) and (8) they are −d_w and d_l.",
    ),
    Claim(
        id="yuan2025.a1.general-gradient.repaired",
        locator="Appendix A.1, General Losses, first display",
        says=r"$-\nabla_\theta\ell = d_w\nabla_\theta\log\pi_w - d_l\nabla_\theta\log\pi_l$ with "
        "$d_w$, $d_l$ of (7) and (8)",
        holds=equal(
            along(a, (-loss.diff(logp_w), -loss.diff(logp_l))),
            along(a, (d_w, -d_l)).subs({d_w: -loss.diff(logp_w), d_l: loss.diff(logp_l)}),
        ),
        note="Both sides projected on the chosen score.",
    ),
    Claim(
        id="yuan2025.a2.flow",
        locator="Appendix A.2, second display",
        says=r"$-\nabla_\theta\ell_{SPPO} = -(\log\pi(w) - \beta^{-1})\nabla_\theta\log\pi(w) - "
        r"(\log\pi(l) + \beta^{-1})\nabla_\theta\log\pi(l)$ for $\ell_{SPPO} = (\log\pi(w) - "
        r"\beta^{-1})^2 + (\log\pi(l) + \beta^{-1})^2$",
        holds=every(equal(sppo_step[0], sppo_w), equal(sppo_step[1], -sppo_l)),
    ),
    Claim(
        id="yuan2025.a2.flow.repaired",
        locator="Appendix A.2, second display",
        says=r"$-\nabla_\theta\ell_{SPPO} = -2(\log\pi(w) - \beta^{-1})\nabla_\theta\log\pi(w) - "
        r"2(\log\pi(l) + \beta^{-1})\nabla_\theta\log\pi(l)$",
        holds=every(equal(sppo_step[0], 2 * sppo_w), equal(sppo_step[1], -2 * sppo_l)),
    ),
    Claim(
        id="yuan2025.a2.chosen",
        locator="Appendix A.2, condition for the winner",
        says=r"If $\beta^{-1} + \log\pi(l) > 0$: $\log\pi(w)$ increases iff $\frac{\langle a,b"
        r"\rangle}{\langle a,a\rangle} < \frac{\beta^{-1} - \log\pi(w)}{\beta^{-1} + \log\pi(l)}$",
        given=(sppo_l > 0, A > 0),
        holds=iff(Lt(X / A, sppo_w / sppo_l), Gt(along(a, sppo_step), 0)),
    ),
    Claim(
        id="yuan2025.a2.rejected",
        locator="Appendix A.2, condition for the loser",
        says=r"$\log\pi(l)$ decreases iff $\frac{\langle a,b\rangle}{\langle b,b\rangle} < "
        r"\frac{\beta^{-1} + \log\pi(l)}{\beta^{-1} - \log\pi(w)}$",
        given=(sppo_l > 0, B > 0),
        holds=iff(Lt(X / B, sppo_l / sppo_w), Lt(along(b, sppo_step), 0)),
    ),
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
        says=r"The score of the chosen token has the entries $1 - s(i_w)$ at $i_w$ and $-s(i)$ "
        "elsewhere, times the hidden state.",
        given=SIMPLEX,
        holds=equal(at_w.total(), Integer(0)),
        note="Checked through what they imply: the entries of a log-softmax gradient sum to zero.",
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
