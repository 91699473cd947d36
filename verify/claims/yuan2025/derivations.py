"""Appendix A: the derivations, where they print more than the main text."""

from sympy import Expr, Gt, Le, Lt, Matrix, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import DPO, IPO
from disband.theory.symbols import A, B, X, beta, d_l, d_w, eta, logp_l, logp_w

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff, implies
from .entanglement import PROPER, c
from .general import loss
from .methods import sppo_l, sppo_w

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


steps = tuple(zip((a, b), first_order(d_w, d_l, GRAM, eta), strict=True))

# A pairwise loss: its slope times the gradient of the margin.
slope = Symbol("slope", real=True)
pair_w, pair_l = along(a, (-slope, slope)), along(b, (-slope, slope))
ipo_step = (-IPO.loss.diff(logp_w), -IPO.loss.diff(logp_l))
ipo_w, ipo_l = along(a, ipo_step), along(b, ipo_step)


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
        id="yuan2025.a1.dpo-step-rejected",
        locator="Appendix A.1, DPO, second line",
        says=r"$\langle\nabla_\theta\log\pi_l, \eta\nabla_\theta\ell_{DPO}\rangle = \eta\beta "
        r"c(\theta)(\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle - \|\nabla\log\pi_l\|^2)$",
        holds=equal(along(b, scaled(eta, dpo_gradient)), eta * beta * c * (X - B)),
    ),
    Claim(
        id="yuan2025.a1.dpo-step-rejected.repaired",
        locator="Appendix A.1, DPO, second line",
        says=r"$\langle\nabla_\theta\log\pi_l, -\eta\nabla_\theta\ell_{DPO}\rangle = \eta\beta "
        r"c(\theta)(\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle - \|\nabla\log\pi_l\|^2)$",
        holds=equal(along(b, scaled(-eta, dpo_gradient)), eta * beta * c * (X - B)),
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
        id="yuan2025.a1.general-step",
        locator="Appendix A.1, General Losses, last display",
        says=r"$\langle\nabla_\theta\log\pi_w, \eta\nabla_\theta\ell\rangle = \eta(d_w\|\nabla\log"
        r"\pi_w\|^2 - d_l\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$ and $\langle\nabla_\theta"
        r"\log\pi_l, \eta\nabla_\theta\ell\rangle = \eta(d_w\langle\nabla\log\pi_w,\nabla\log\pi_l"
        r"\rangle - d_l\|\nabla\log\pi_l\|^2)$",
        given=(A > 0, B > 0),
        holds=every(*(equal(along(of, (-eta * d_w, eta * d_l)), step) for of, step in steps)),
        note="By (7) and (8), ∇ℓ has the coefficients −d_w and d_l.",
    ),
    Claim(
        id="yuan2025.a1.general-step.repaired",
        locator="Appendix A.1, General Losses, last display",
        says=r"The same with $-\eta\nabla_\theta\ell$ for $\eta\nabla_\theta\ell$.",
        holds=every(*(equal(along(of, (eta * d_w, -eta * d_l)), step) for of, step in steps)),
    ),
    Claim(
        id="yuan2025.a2.pairwise",
        locator="Appendix A.2, after the first sentence",
        says=r"For any pairwise loss $\ell(\log\pi(w) - \log\pi(l))$ the direction of winner and "
        r"loser is decided by $\langle a, a-b\rangle$ and $\langle b, a-b\rangle$.",
        given=PROPER,
        holds=every(
            iff(Gt(ipo_w, 0), Gt(along(a, (1, -1)), 0)),
            iff(Lt(ipo_l, 0), Lt(along(b, (1, -1)), 0)),
        ),
        note="The instance IPO, whose loss grows past its target.",
    ),
    Claim(
        id="yuan2025.a2.pairwise.repaired",
        locator="Appendix A.2, after the first sentence",
        says=r"Where $\ell' < 0$, the direction of winner and loser under the loss "
        r"$\ell(\log\pi(w) - \log\pi(l))$ is decided by $\langle a, a-b\rangle$ and "
        r"$\langle b, a-b\rangle$; where $\ell' > 0$ it is reversed.",
        holds=every(
            implies(Lt(slope, 0), iff(Gt(pair_w, 0), Gt(along(a, (1, -1)), 0))),
            implies(Lt(slope, 0), iff(Lt(pair_l, 0), Lt(along(b, (1, -1)), 0))),
            implies(Gt(slope, 0), iff(Lt(pair_w, 0), Gt(along(a, (1, -1)), 0))),
            implies(Gt(slope, 0), iff(Gt(pair_l, 0), Lt(along(b, (1, -1)), 0))),
        ),
        note="slope is the derivative ℓ'.",
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
        id="yuan2025.a2.implicit-assumption",
        locator="Appendix A.2, after the condition for the winner",
        says=r"The inequality implicitly assumes $\beta^{-1} + \log\pi(l) > 0$: without it, it can "
        r"hold while $\log\pi(w)$ does not increase.",
        given=(sppo_l < 0, A > 0),
        holds=every(Lt(X / A, sppo_w / sppo_l), Le(along(a, sppo_step), 0)),
        exists=True,
    ),
    Claim(
        id="yuan2025.a2.rejected",
        locator="Appendix A.2, condition for the loser",
        says=r"$\log\pi(l)$ decreases iff $\frac{\langle a,b\rangle}{\langle b,b\rangle} < "
        r"\frac{\beta^{-1} + \log\pi(l)}{\beta^{-1} - \log\pi(w)}$",
        given=(sppo_l > 0, B > 0),
        holds=iff(Lt(X / B, sppo_l / sppo_w), Lt(along(b, sppo_step), 0)),
    ),
)
