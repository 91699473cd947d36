"""Appendix A: the derivations, where they print more than the main text."""

from sympy import Expr, Gt, Le, Lt, Matrix, Ne, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import DPO, IPO
from disband.theory.symbols import A, B, X, beta, d_l, d_w, eta, logp_l, logp_w

from ...deciding.claim import Claim, Grade, Kind
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
        locator="Appendix A.1, DPO, both lines",
        says=r"$\langle\nabla_\theta\log\pi_w, \eta\nabla_\theta\ell_{DPO}\rangle = "
        r"\eta\beta c(\theta)(\|\nabla\log\pi_w\|^2 - "
        r"\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$, and "
        r"$\langle\nabla_\theta\log\pi_l, \eta\nabla_\theta\ell_{DPO}\rangle = \eta\beta "
        r"c(\theta)(\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle - "
        r"\|\nabla\log\pi_l\|^2)$.",
        quote=r"$\Delta \log \pi_w \approx \langle \nabla_{\theta} \log \pi_w, \eta "
        r"\nabla_{\theta} \ell_{\text{DPO}} \rangle = \eta \beta c(\theta) \cdot \left( "
        r"\|\nabla \log \pi_w\|^2 - \langle \nabla \log \pi_w, \nabla \log \pi_l \rangle "
        r"\right)$",
        holds=every(
            equal(along(a, scaled(eta, dpo_gradient)), eta * beta * c * (A - X)),
            equal(along(b, scaled(eta, dpo_gradient)), eta * beta * c * (X - B)),
        ),
        grade=Grade.SIGN,
        why="A step of descent is minus the gradient; with plus the right-hand sides have "
        "the other sign.",
        regime=(*PROPER, X > 0, Ne(X, A), Ne(X, B)),
        note="Eqs. (4) and (5), which follow from it, are right. Appendix B.2 takes its "
        "step with the same sign.",
    ),
    Claim(
        id="yuan2025.a1.dpo-step.repaired",
        locator="Appendix A.1, DPO, both lines",
        says=r"The same with $-\eta\nabla_\theta\ell_{DPO}$ for "
        r"$\eta\nabla_\theta\ell_{DPO}$.",
        holds=every(
            equal(along(a, scaled(-eta, dpo_gradient)), eta * beta * c * (A - X)),
            equal(along(b, scaled(-eta, dpo_gradient)), eta * beta * c * (X - B)),
        ),
        note="The step of descent is −η∇ℓ.",
    ),
    Claim(
        id="yuan2025.a1.general-gradient",
        locator="Appendix A.1, General Losses, first and last display",
        says=r"$\nabla_\theta\ell = d_w\nabla_\theta\log\pi_w - d_l\nabla_\theta\log\pi_l$ "
        "with $d_w$, $d_l$ of (7) and (8), and the changes are its products with the "
        "scores.",
        quote=r"$\nabla_{\theta} \ell = d_w \nabla_{\theta} \log \pi_w - d_l "
        r"\nabla_{\theta} \log \pi_l$",
        standing=("d_w and d_l are those of (7) and (8), with the loss (6).",),
        given=(A > 0, B > 0),
        holds=every(*(equal(along(of, (-eta * d_w, eta * d_l)), step) for of, step in steps)),
        grade=Grade.SIGN,
        why="By (7) and (8) this is minus the gradient: d_w and d_l are what descent adds, "
        "not what the loss rises by.",
        regime=(d_w > 0, d_l > 0, X > 0, X**2 < A * B),
        note="Coefficients of the two scores in ∇ℓ; by (7) and (8) they are −d_w and d_l.",
    ),
    Claim(
        id="yuan2025.a1.general-gradient.repaired",
        locator="Appendix A.1, General Losses, first display",
        says=r"$-\nabla_\theta\ell = d_w\nabla_\theta\log\pi_w - "
        r"d_l\nabla_\theta\log\pi_l$, and the changes are its products with the scores, "
        r"times $\eta$.",
        holds=every(
            equal(
                along(a, (-loss.diff(logp_w), -loss.diff(logp_l))),
                along(a, (d_w, -d_l)).subs({d_w: -loss.diff(logp_w), d_l: loss.diff(logp_l)}),
            ),
            equal(
                along(b, (-loss.diff(logp_w), -loss.diff(logp_l))),
                along(b, (d_w, -d_l)).subs({d_w: -loss.diff(logp_w), d_l: loss.diff(logp_l)}),
            ),
        ),
        note="Both sides projected on the two scores.",
    ),
    Claim(
        id="yuan2025.a2.pairwise",
        locator="Appendix A.2, after the first sentence",
        says=r"For any pairwise loss $\ell(\log\pi(w) - \log\pi(l))$ the direction of chosen and "
        r"rejected is decided by $\langle a, a-b\rangle$ and $\langle b, a-b\rangle$.",
        quote=r"for any pairwise loss $\ell(\log \pi(w) - \log \pi(l))$ , the above "
        "statement still holds.",
        whose=Kind.READ,
        given=PROPER,
        holds=every(
            iff(Gt(ipo_w, 0), Gt(along(a, (1, -1)), 0)),
            iff(Lt(ipo_l, 0), Lt(along(b, (1, -1)), 0)),
        ),
        why="A pairwise loss that grows with the margin, as IPO does past its target, "
        "turns both directions around.",
        note="The instance IPO, whose loss grows past its target.",
    ),
    Claim(
        id="yuan2025.a2.pairwise.repaired",
        locator="Appendix A.2, after the first sentence",
        says=r"Where $\ell' < 0$, the direction of chosen and rejected under the loss "
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
        quote=r"$\frac{d\theta}{dt} = -\nabla_{\theta} \ell_{\text{SPPO}} = -(\log \pi(w) "
        r"- \beta^{-1}) \nabla_{\theta} \log \pi(w) - (\log \pi(l) + \beta^{-1}) "
        r"\nabla_{\theta} \log \pi(l)$",
        holds=every(equal(sppo_step[0], sppo_w), equal(sppo_step[1], -sppo_l)),
        grade=Grade.SIGN,
        why="The derivative of a square has a factor of two, which is missing; it changes "
        "the pace and no direction.",
        regime=(Ne(logp_w, 1 / beta), Ne(logp_l, -1 / beta)),
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
        locator="Appendix A.2, condition for the chosen",
        says=r"If $\beta^{-1} + \log\pi(l) > 0$: $\log\pi(w)$ increases iff $\frac{\langle a,b"
        r"\rangle}{\langle a,a\rangle} < \frac{\beta^{-1} - \log\pi(w)}{\beta^{-1} + \log\pi(l)}$",
        quote=r"$\frac{\langle \mathbf{a}, \mathbf{b} \rangle}{\langle \mathbf{a}, "
        r"\mathbf{a} \rangle} < \frac{\beta^{-1} - \log \pi(w)}{\beta^{-1} + \log \pi(l)} "
        r"=: \alpha$",
        given=(sppo_l > 0, A > 0),
        holds=iff(Lt(X / A, sppo_w / sppo_l), Gt(along(a, sppo_step), 0)),
    ),
    Claim(
        id="yuan2025.a2.implicit-assumption",
        locator="Appendix A.2, after the condition for the chosen",
        says=r"The inequality implicitly assumes $\beta^{-1} + \log\pi(l) > 0$: without it, it can "
        r"hold while $\log\pi(w)$ does not increase.",
        quote=r"the inequality above implicitly assume that $\beta^{-1} + \log \pi(l) > 0$ .",
        given=(sppo_l < 0, A > 0),
        holds=every(Lt(X / A, sppo_w / sppo_l), Le(along(a, sppo_step), 0)),
        exists=True,
    ),
    Claim(
        id="yuan2025.a2.rejected",
        locator="Appendix A.2, condition for the rejected",
        says=r"$\log\pi(l)$ decreases iff $\frac{\langle a,b\rangle}{\langle b,b\rangle} < "
        r"\frac{\beta^{-1} + \log\pi(l)}{\beta^{-1} - \log\pi(w)}$",
        quote=r"$\frac{\langle \mathbf{a}, \mathbf{b} \rangle}{\langle \mathbf{b}, "
        r"\mathbf{b} \rangle} < \frac{\beta^{-1} + \log \pi(l)}{\beta^{-1} - \log \pi(w)} "
        r"=: \alpha^{-1}$",
        given=(B > 0,),
        holds=iff(Lt(X / B, sppo_l / sppo_w), Lt(along(b, sppo_step), 0)),
    ),
)
