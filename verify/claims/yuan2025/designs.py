"""Section 5: the two designs that the paper proposes."""

from sympy import Expr, Ge, Le, sqrt

from theory.gram import Gram
from theory.step import first_order
from theory.symbols import A, B, X
from verify.claim import Claim
from verify.claims.yuan2025.entanglement import C
from verify.logic import every

GRAM = Gram(A, B, X)
NORMS = (A > 0, B > 0)
unit_w, unit_l = first_order(C / sqrt(A), C / sqrt(B), GRAM)


def moves(sign: int) -> Expr:
    """State that a step of this sign along the normalised scores preserves and suppresses."""
    return every(Ge(sign * unit_w, 0), Le(sign * unit_l, 0))


CLAIMS = (
    Claim(
        id="yuan2025.section5.normalised",
        locator="Section 5.1, first display",
        says=r"Descent with $\nabla_\theta\ell := C(\frac{\nabla\log\pi_w}{\|\nabla\log\pi_w\|} - "
        r"\frac{\nabla\log\pi_l}{\|\nabla\log\pi_l\|})$ makes (9) and (10) hold: the chosen does "
        "not fall, the rejected does not rise.",
        given=NORMS,
        holds=moves(-1),
        note="A step of descent is −∇ℓ; C > 0.",
    ),
    Claim(
        id="yuan2025.section5.normalised.repaired",
        locator="Section 5.1, first display",
        says=r"With $\nabla_\theta\ell := -C(\frac{\nabla\log\pi_w}{\|\nabla\log\pi_w\|} - "
        r"\frac{\nabla\log\pi_l}{\|\nabla\log\pi_l\|})$, as in the DPO form printed next, the "
        "chosen does not fall and the rejected does not rise.",
        given=NORMS,
        holds=moves(1),
    ),
)
