"""Section 5: the two designs that the paper proposes."""

from sympy import And, Ge, Integer, Le, Rational, Symbol, exp, sqrt

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.primitives import logsigmoid
from disband.theory.objectives import DPO
from disband.theory.symbols import A, B, X, beta, logp_l, logp_w, ref_l, ref_w

from ...deciding.claim import Claim, Grade, Kind
from ...deciding.logic import equal, every, iff
from .entanglement import C, c

GRAM = Gram(A, B, X)
NORMS = (A > 0, B > 0)
unit_w, unit_l = first_order(C / sqrt(A), C / sqrt(B), GRAM)


star_w, star_l = first_order(beta * c / sqrt(A), beta * c / sqrt(B), GRAM)
Q = Symbol("C_5", real=True)
free_w, free_l = first_order(-Q / sqrt(A), -Q / sqrt(B), GRAM)

# Section 5.2's loss with every token significant, up to the regularizer, which is then constant.
masked = -logsigmoid(beta * (logp_w - ref_w) - beta * (logp_l - ref_l))
crossed = Symbol("logp_lw", negative=True)
AT_START = (equal(logp_w, ref_w), equal(logp_l, ref_l))
# A sharpness and a distance of the weight from the threshold.
sharp, above = Symbol("k_s", positive=True), Symbol("u_r", nonnegative=True)
off = 1 / (1 + exp(sharp * above))

CLAIMS = (
    Claim(
        id="yuan2025.section5.normalised",
        locator="Section 5.1, first display",
        says=r"Descent with $\nabla_\theta\ell := C(\frac{\nabla\log\pi_w}{\|\nabla\log\pi_w\|} - "
        r"\frac{\nabla\log\pi_l}{\|\nabla\log\pi_l\|})$ has a chosen that does not fall and a "
        r"rejected that does not rise iff $C \le 0$, unless the two scores are parallel.",
        quote="where C is a quantity relying on the specific preference optimization loss design.",
        whose=Kind.READ,
        standing=("The DPO form printed next has C = −βσ(…) < 0.",),
        given=(*NORMS, X**2 < A * B),
        holds=iff(And(free_w >= 0, free_l <= 0), Q <= 0),
        note="C_5 is the quantity C of this display, of either sign.",
    ),
    Claim(
        id="yuan2025.section5.dpo-star",
        locator="Section 5.1, second display",
        says=r"Descent with $\nabla_\theta\ell_{DPO^\star} := -\beta\sigma(\hat r_\theta(x,y_l) - "
        r"\hat r_\theta(x,y_w))[\frac{\nabla\log\pi_w}{\|\nabla\log\pi_w\|} - "
        r"\frac{\nabla\log\pi_l}{\|\nabla\log\pi_l\|}]$ lets the chosen and the rejected change in "
        "different directions.",
        quote=r"$\nabla_{\theta} \ell_{\mathrm{DPO}^{\star}}\left(\theta\right) := -\beta "
        r"\sigma\left(\hat{r}_{\theta}\left(x, y_{l}\right) - \hat{r}_{\theta}\left(x, "
        r"y_{w}\right)\right)$",
        given=NORMS,
        holds=every(Ge(star_w, 0), Le(star_l, 0)),
        note="Read as: the chosen does not fall and the rejected does not rise.",
    ),
    Claim(
        id="yuan2025.section5.masked",
        locator="Section 5.2, displayed loss",
        says=r"With a factor $\beta$ before the log-ratios and every token significant the loss is "
        "DPO.",
        whose=Kind.OURS,
        holds=equal(masked, DPO.loss),
        note="The loss as printed, which the text calls a potential candidate, has not the "
        "factor β of the original DPO.",
    ),
    Claim(
        id="yuan2025.section5.masked-context",
        locator="Section 5.2, displayed loss",
        says=r"With every token significant and $\pi_\theta = \pi_{ref}$, the argument of $\sigma$ "
        r"with $\log\frac{\pi_\theta(y_l^i|x,y_w^{<i})}{\pi_{ref}(y_l^i|x,y_l^{<i})}$ is zero.",
        quote=r"$\log \frac{\pi_{\theta}(y_l^i|x, y_w^{< i})}{\pi_{\text{ref}}(y_l^i|x, "
        "y_l^{< i})}$",
        given=AT_START,
        holds=equal((logp_w - ref_w) - (crossed - ref_l), Integer(0)),
        grade=Grade.MISPRINT,
        why="The numerator reads a rejected token after the chosen prefix, the denominator "
        "after its own.",
        note="As in DPO, where training starts. logp_lw is the sum over the tokens of y_l in the "
        "contexts of y_w, as printed in the numerator.",
    ),
    Claim(
        id="yuan2025.section5.masked-context.repaired",
        locator="Section 5.2, displayed loss",
        says=r"With every token significant and $\pi_\theta = \pi_{ref}$, the argument of $\sigma$ "
        r"with $\log\frac{\pi_\theta(y_l^i|x,y_l^{<i})}{\pi_{ref}(y_l^i|x,y_l^{<i})}$ is zero.",
        given=AT_START,
        holds=equal((logp_w - ref_w) - (logp_l - ref_l), Integer(0)),
    ),
    Claim(
        id="yuan2025.section5.indicator",
        locator="Section 5.2, after the displayed loss",
        says=r"At $u^i > r$ the error $1 - \sigma(k(u^i - r))$ is at most $\frac{1}{2 + k(u^i - "
        r"r)}$; at $u^i = r$ it is $\frac{1}{2}$ for every $k$.",
        quote=r"we can approximate the indicator $\mathbb{I}\{u^i \geq r\}$ with the "
        r"sigmoid function $\sigma(k \cdot (u^i - r))$ for large k > 0.",
        whose=Kind.READ,
        holds=every(off <= 1 / (2 + sharp * above), equal(off.subs(above, 0), Rational(1, 2))),
        note="The error below the threshold is the same by symmetry.",
    ),
)
