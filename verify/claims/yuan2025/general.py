"""Section 3.2: the general margin-based loss, its incentives, Condition 2."""

from sympy import And, Function, Gt, Lt, Ne, sqrt

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.symbols import A, B, X, d_l, d_w, eta, logp_l, logp_w

from ...deciding.claim import Claim, Grade, Kind, Quantity
from ...deciding.logic import equal, iff, implies

chosen, rejected = first_order(d_w, d_l, Gram(A, B, X), eta)

m, h_w, h_l, Lambda = (Function(name) for name in ("m", "h_w", "h_l", "Lambda"))
margin = h_w(logp_w) - h_l(logp_l)
loss = -(m(margin) + Lambda(logp_w))

CENTRE = equal(d_w * sqrt(A), d_l * sqrt(B))


CLAIMS = (
    Claim(
        id="yuan2025.eq7",
        locator="Section 3.2, eq. (7)",
        says=r"$d_w := m'(h_w(\log\pi_w) - h_l(\log\pi_l))\,h_w'(\log\pi_w) + \Lambda'(\log\pi_w)$ "
        r"for the loss (6), $\ell = -(m(h_w - h_l) + \Lambda)$",
        quote=r"$d_w := m'(h_w(\log \pi_w) - h_l(\log \pi_l))h'_w(\log \pi_w) + "
        r"\Lambda'(\log \pi_w)$",
        standing=(r"The loss is (6), $\ell = -(m(h_w - h_l) + \Lambda)$.",),
        holds=equal(
            -loss.diff(logp_w),
            m(margin).fdiff(1) * h_w(logp_w).diff(logp_w) + Lambda(logp_w).diff(logp_w),
        ),
        note="$d_w$ is the pull on the chosen response, $-\\partial\\ell/\\partial\\log\\pi_w$.",
    ),
    Claim(
        id="yuan2025.eq8",
        locator="Section 3.2, eq. (8)",
        says=r"$d_l := m'(h_w(\log\pi_w) - h_l(\log\pi_l))\,h_l'(\log\pi_l)$ for the loss (6)",
        quote=r"$d_l := m'(h_w(\log \pi_w) - h_l(\log \pi_l))h'_l(\log \pi_l)$",
        holds=equal(loss.diff(logp_l), m(margin).fdiff(1) * h_l(logp_l).diff(logp_l)),
        note="$d_l$ is the push on the rejected response, $\\partial\\ell/\\partial\\log\\pi_l$.",
    ),
    Claim(
        id="yuan2025.general.chosen",
        locator="Section 3.2, box Gradient Entanglement (General), first line",
        says=r"$\Delta\log\pi_w \approx \eta(d_w\|\nabla\log\pi_w\|^2 - "
        r"d_l\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle)$",
        quote=r"$\Delta \log \pi_w \approx \eta \left( d_w \|\nabla_\theta \log \pi_w\|^2 "
        r"- d_l \langle \nabla_\theta \log \pi_w, \nabla_\theta \log \pi_l \rangle \right)$",
        holds=equal(
            -eta * (loss.diff(logp_w) * A + loss.diff(logp_l) * X),
            chosen.subs({d_w: -loss.diff(logp_w), d_l: loss.diff(logp_l)}),
        ),
        note="Left: the step −η∇ℓ of the loss (6), projected on the chosen score.",
    ),
    Claim(
        id="yuan2025.general.rejected",
        locator="Section 3.2, box Gradient Entanglement (General), second line",
        says=r"$\Delta\log\pi_l \approx \eta(d_w\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle - "
        r"d_l\|\nabla\log\pi_l\|^2)$",
        quote=r"$\Delta \log \pi_l \approx \eta \left( d_w \langle \nabla_\theta \log "
        r"\pi_w, \nabla_\theta \log \pi_l \rangle - d_l \|\nabla_\theta \log \pi_l\|^2 "
        r"\right)$",
        holds=equal(
            -eta * (loss.diff(logp_w) * X + loss.diff(logp_l) * B),
            rejected.subs({d_w: -loss.diff(logp_w), d_l: loss.diff(logp_l)}),
        ),
        note="Left: the step −η∇ℓ of the loss (6), projected on the rejected score.",
    ),
    Claim(
        id="yuan2025.eq9",
        locator="Section 3.2, Condition 2, eq. (9)",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \frac{d_w}{d_l}"
        r"\|\nabla\log\pi_w\|^2 \iff \Delta\log\pi_w \ge 0$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \le \frac{d_w}{d_l} "
        r"\|\nabla \log \pi_w\|^2 \iff \Delta \log \pi_w \ge 0, \log \pi_w \text{ "
        "increases}$",
        standing=(
            (
                "Appendix A.2 says of SPPO that its condition assumes a positive denominator; "
                "Condition 2 says nothing of the sort."
            ),
        ),
        given=(A > 0, B > 0),
        holds=iff(d_w / d_l * A >= X, chosen >= 0),
        grade=Grade.ASSUMPTION,
        why="Dividing an inequality by a negative incentive turns it around: past the "
        "target of IPO or SPPO the chosen rises exactly where (9) says that it falls.",
        where=(
            Quantity("Δlog π_w", chosen, "the chosen's first-order change"),
            Quantity("d_w", d_w, "the pull on the chosen"),
            Quantity("d_l", d_l, "the push on the rejected"),
        ),
        regime=(Ne(d_w, 0), Ne(X, 0), X**2 < A * B),
        note="No sign of the incentives is assumed in print; where d_l = 0 it is undefined. It "
        "fails even where neither score is zero.",
    ),
    Claim(
        id="yuan2025.eq9.repaired",
        locator="Section 3.2, Condition 2, eq. (9)",
        says=r"If $d_l > 0$: $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \frac{d_w}{d_l}"
        r"\|\nabla\log\pi_w\|^2 \iff \Delta\log\pi_w \ge 0$",
        given=(d_l > 0,),
        holds=iff(d_w / d_l * A >= X, chosen >= 0),
    ),
    Claim(
        id="yuan2025.eq10",
        locator="Section 3.2, Condition 2, eq. (10)",
        says=r"$\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \frac{d_l}{d_w}"
        r"\|\nabla\log\pi_l\|^2 \iff \Delta\log\pi_l \le 0$",
        quote=r"$\langle \nabla \log \pi_w, \nabla \log \pi_l \rangle \le \frac{d_l}{d_w} "
        r"\|\nabla \log \pi_l\|^2 \iff \Delta \log \pi_l \le 0, \log \pi_l \text{ "
        "decreases.}$",
        standing=(
            (
                "Appendix A.2 says of SPPO that its condition assumes a positive denominator; "
                "Condition 2 says nothing of the sort."
            ),
        ),
        given=(A > 0, B > 0),
        holds=iff(d_l / d_w * B >= X, rejected <= 0),
        grade=Grade.ASSUMPTION,
        why="Dividing an inequality by a negative incentive turns it around: where an "
        "objective pushes the chosen down the rejected falls exactly where (10) says that "
        "it rises.",
        where=(
            Quantity("Δlog π_l", rejected, "the rejected's first-order change"),
            Quantity("d_w", d_w, "the pull on the chosen"),
            Quantity("d_l", d_l, "the push on the rejected"),
        ),
        regime=(Ne(d_l, 0), Ne(X, 0), X**2 < A * B),
        note="No sign of the incentives is assumed in print; where d_w = 0 it is undefined. It "
        "fails even where neither score is zero.",
    ),
    Claim(
        id="yuan2025.eq10.repaired",
        locator="Section 3.2, Condition 2, eq. (10)",
        says=r"If $d_w > 0$: $\langle\nabla\log\pi_w,\nabla\log\pi_l\rangle \le \frac{d_l}{d_w}"
        r"\|\nabla\log\pi_l\|^2 \iff \Delta\log\pi_l \le 0$",
        given=(d_w > 0,),
        holds=iff(d_l / d_w * B >= X, rejected <= 0),
    ),
    Claim(
        id="yuan2025.lenient-strict",
        locator="Section 3.2, after Condition 2",
        says=r"For one condition to be more lenient ($d_w/d_l > 1$ in the chosen condition), the "
        r"other becomes more strict ($d_l/d_w < 1$ in the rejected condition).",
        quote="for one condition to be more lenient (e.g., if $d_w/d_l > 1$ in the chosen "
        "condition), the other condition becomes more strict (then $d_l/d_w < 1$ in the "
        "rejected condition).",
        given=(Ne(d_w, 0), Ne(d_l, 0)),
        holds=implies(Gt(d_w / d_l, 1), Lt(d_l / d_w, 1)),
    ),
    Claim(
        id="yuan2025.calibrated-ratio",
        locator="Section 3.2, before 3.2.1; also section 5.1",
        says=r"$d_w/d_l = \|\nabla\log\pi_l\|/\|\nabla\log\pi_w\|$ ensures that both parts of "
        r"Condition 2 are satisfied at the same time.",
        quote=r"such that $d_w/d_l = \|\nabla \log \pi_l\|/\|\nabla \log \pi_w\|$ , which "
        "ensures that both parts in Condition 2 are satisfied at the same time.",
        given=(A > 0, B > 0, Ne(d_l, 0), CENTRE),
        holds=And(d_w / d_l * A >= X, d_l / d_w * B >= X),
        note="The inequalities of (9) and (10); that they mean a rise and a fall needs "
        "positive incentives, as (9) and (10) do.",
    ),
    Claim(
        id="yuan2025.calibrated-ratio.ideal",
        locator="Section 3.2, before 3.2.1; also section 5.1",
        says="With positive incentives in the ratio $d_w/d_l = "
        r"\|\nabla\log\pi_l\|/\|\nabla\log\pi_w\|$ the chosen does not fall and the "
        "rejected does not rise.",
        quote="This general gradient inner product condition also suggests an interesting "
        "new algorithm to achieve our ideal case",
        whose=Kind.READ,
        given=(A > 0, B > 0, d_l > 0, CENTRE),
        holds=And(chosen >= 0, rejected <= 0),
    ),
)
