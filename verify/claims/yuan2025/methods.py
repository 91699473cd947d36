"""Section 3.2.1: how other margin-based methods differ from DPO."""

from sympy import And, Expr, Ge, Gt, Integer, Lt, Min, Or

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective
from disband.theory.objectives import CPO, DPO, DPOP, IPO, KTO, RRHF, SIMPO, SLIC_HF, SPPO
from disband.theory.symbols import (
    A,
    B,
    X,
    beta,
    d_l,
    d_w,
    lam,
    lam_l,
    lam_w,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_l,
    ref_w,
)

from ...deciding.claim import Claim, Grade, Kind
from ...deciding.logic import equal, every, iff, implies

GRAM = Gram(A, B, X)
simpo_w, simpo_l = first_order(SIMPO.d_w, SIMPO.d_l, GRAM)
# Eq. (11): the products of the two scores, each divided by its response's length.
normalised = Gram(A / len_w**2, B / len_l**2, X / (len_w * len_l))
eq11_chosen = normalised.sq_w >= normalised.dot
eq11_rejected = normalised.sq_l >= normalised.dot

AVERAGED = ((logp_w - ref_w) / len_w - (logp_l - ref_l) / len_l - 1 / (2 * beta)) ** 2

# SPPO as appendix A.2 writes it, without a reference policy.
sppo_w, sppo_l = 1 / beta - logp_w, 1 / beta + logp_l
LARGE = sppo_l > 0


NO_INFLUENCE = (
    r"the negative log-likelihood (NLL) regularizer on chosen responses enlarges  $d_w$  while "
    r"having no influence on  $d_l$  as  $\Lambda' \geq 0$  and only appears in (7)."
)
INSIDE = (
    "DPOP's term stands inside the sigmoid, so that it raises the weight of both responses: the "
    "rejected one is pushed harder too."
)


def without(regularizer: Expr, expr: Expr) -> Expr:
    """Return ``expr`` with the regularizer's weight set to zero."""
    return expr.subs(regularizer, Integer(0))


def no_influence(slug: str, objective: Objective) -> Claim:
    """State what section 3.2.1 says of the explicit regularizer of one method."""
    return Claim(
        id=f"yuan2025.regularizer.{slug}",
        locator=f"Section 3.2.1, explicit regularization, {objective.name}",
        says=r"The regularizer on chosen responses enlarges $d_w$ while having no influence on "
        r"$d_l$.",
        quote=NO_INFLUENCE,
        standing=("Footnote 8: DPOP's regularizer stands in its h_w, inside m.",),
        grade=Grade.WORDING if objective is DPOP else None,
        why=INSIDE if objective is DPOP else "",
        regime=(Gt(lam, 0), logp_w < ref_w) if objective is DPOP else (),
        holds=every(
            Ge(objective.d_w, without(lam, objective.d_w), evaluate=False),
            equal(objective.d_l, without(lam, objective.d_l)),
        ),
        note="Enlarges is read as: does not make smaller.",
    )


CLAIMS = (
    Claim(
        id="yuan2025.dpo.ratio",
        locator="Section 3.2.1, DPO",
        says=r"$\frac{d_w}{d_l} = \frac{d_l}{d_w} = 1$",
        quote=r"**DPO**: $\frac{d_w}{d_l} = \frac{d_l}{d_w} = 1$ , reproducing the "
        "Condition 1.",
        holds=every(equal(DPO.d_w, DPO.d_l), Gt(DPO.d_l, 0, evaluate=False)),
        note="Cleared of the denominator, which is positive.",
    ),
    Claim(
        id="yuan2025.sppo.ratio",
        locator="Appendix A.2; section 3.2.1, SPPO",
        says=r"$\frac{d_w}{d_l} = \frac{\beta^{-1} - \log\pi_w}{\beta^{-1} + \log\pi_l}$",
        quote=r"$\frac{\beta^{-1} - \log \pi(w)}{\beta^{-1} + \log \pi(l)} =: \alpha$",
        holds=equal(
            -((logp_w - 1 / beta) ** 2).diff(logp_w) / ((logp_l + 1 / beta) ** 2).diff(logp_l),
            sppo_w / sppo_l,
        ),
        note="For the loss of appendix A.2, which has no reference policy; the row of Table 2 as "
        "printed gives the negative of it. The copy of section 3.2.1 at hand has no minus in the "
        "numerator, the appendix has it.",
    ),
    Claim(
        id="yuan2025.sppo.above-one",
        locator="Section 3.2.1, SPPO; appendix A.2",
        says=r"$\frac{\beta^{-1} - \log\pi_w}{\beta^{-1} + \log\pi_l} > 1$, where $\beta^{-1}$ is "
        "a large constant.",
        quote=r"where $\beta^{-1}$ is a large constant.",
        standing=("Appendix A.2: the denominator is positive, as β⁻¹ is set extremely large.",),
        given=(LARGE,),
        holds=Gt(sppo_w / sppo_l, 1),
        note=r"Large is read as in appendix A.2: $\beta^{-1} + \log\pi_l > 0$.",
    ),
    Claim(
        id="yuan2025.sppo.above-one-with-reference",
        locator="Section 3.2.1, SPPO",
        says=r"SPPO, as its authors define it, has $d_w/d_l > 1$ where $\beta^{-1}$ is large.",
        given=(SPPO.d_w > 0, SPPO.d_l > 0),
        holds=Gt(SPPO.d_w / SPPO.d_l, 1),
        why="The loss that its authors define measures both log-probabilities against the "
        "reference, and there both incentives are equal at the start.",
        note="The published loss measures log-probabilities against a reference policy.",
    ),
    Claim(
        id="yuan2025.sppo.above-one-with-reference.repaired",
        locator="Section 3.2.1, SPPO",
        says=r"Where both incentives of SPPO are positive, $d_w/d_l > 1$ iff "
        r"$\log\frac{\pi_w}{\pi_{ref,w}} + \log\frac{\pi_l}{\pi_{ref,l}} < 0$; at the reference "
        "the ratio is 1, as for DPO.",
        given=(SPPO.d_w > 0, SPPO.d_l > 0),
        holds=iff(Gt(SPPO.d_w / SPPO.d_l, 1), Lt((logp_w - ref_w) + (logp_l - ref_l), 0)),
    ),
    Claim(
        id="yuan2025.kto.ratio",
        locator="Section 3.2.1, KTO",
        says=r"$\frac{d_w}{d_l} \propto \frac{\lambda_w}{\lambda_l}$",
        holds=equal(
            KTO.d_w / KTO.d_l,
            lam_w / lam_l * (KTO.d_w / KTO.d_l).subs({lam_w: Integer(1), lam_l: Integer(1)}),
        ),
        note="∝ is read as: at fixed probabilities; the factor changes along training and from "
        "pair to pair. Of the loss of KTO's authors: with the row as printed it is negative.",
    ),
    no_influence("cpo", CPO),
    no_influence("rrhf", RRHF),
    no_influence("slic-hf", SLIC_HF),
    no_influence("dpop", DPOP),
    Claim(
        id="yuan2025.regularizer.dpop.repaired",
        locator="Section 3.2.1, explicit regularization, DPOP",
        says=r"DPOP's regularizer sits inside $m$ and enlarges both incentives, $d_w$ at least as "
        r"much in proportion: $d_w/d_l \ge 1$.",
        holds=every(
            DPOP.d_w >= without(lam, DPOP.d_w),
            DPOP.d_l >= without(lam, DPOP.d_l),
            DPOP.d_w >= DPOP.d_l,
        ),
    ),
    Claim(
        id="yuan2025.regularizer.lenient",
        locator="Section 3.2.1, explicit regularization",
        says=r"Larger $\frac{d_w}{d_l}$ makes condition (9) more lenient.",
        quote=r"larger $\frac{d_w}{d_l}$ makes condition (9) more lenient",
        given=(Gt(lam, d_w / d_l), d_w / d_l * A >= X),
        holds=lam * A >= X,
        note="λ stands for the larger ratio: what met (9) meets it still.",
    ),
    Claim(
        id="yuan2025.simpo.ratio",
        locator="Section 3.2.1, SimPO",
        says=r"In SimPO, $\frac{d_w}{d_l} = \frac{|y_l|}{|y_w|}$.",
        quote=r"In SimPO, $\frac{d_w}{d_l} = \frac{|y_l|}{|y_w|}$ and condition (9) and "
        "(10) can be rewritten as",
        holds=every(equal(SIMPO.d_w * len_w, SIMPO.d_l * len_l), Gt(SIMPO.d_l, 0, evaluate=False)),
        note="Cleared of the denominators, which are positive.",
    ),
    Claim(
        id="yuan2025.eq11.chosen",
        locator="Section 3.2.1, SimPO, eq. (11), first part",
        says=r"Condition (9) reads $\langle\frac{\nabla\log\pi_w}{|y_w|}, "
        r"\frac{\nabla\log\pi_l}{|y_l|}\rangle \le \|\frac{\nabla\log\pi_w}{|y_w|}\|^2$ for "
        "SimPO.",
        quote=r"$\left\langle \frac{\nabla \log \pi_w}{|y_w|}, \frac{\nabla \log "
        r"\pi_l}{|y_l|} \right\rangle \le \left\| \frac{\nabla \log \pi_w}{|y_w|} "
        r"\right\|^2; \quad \left\langle \frac{\nabla \log \pi_w}{|y_w|}, \frac{\nabla \log "
        r"\pi_l}{|y_l|} \right\rangle \le \left\| \frac{\nabla \log \pi_l}{|y_l|} "
        r"\right\|^2$",
        holds=iff(eq11_chosen, simpo_w >= 0),
    ),
    Claim(
        id="yuan2025.eq11.rejected",
        locator="Section 3.2.1, SimPO, eq. (11), second part",
        says=r"Condition (10) reads $\langle\frac{\nabla\log\pi_w}{|y_w|}, "
        r"\frac{\nabla\log\pi_l}{|y_l|}\rangle \le \|\frac{\nabla\log\pi_l}{|y_l|}\|^2$ for "
        "SimPO.",
        quote=r"$\left\langle \frac{\nabla \log \pi_w}{|y_w|}, \frac{\nabla \log "
        r"\pi_l}{|y_l|} \right\rangle \le \left\| \frac{\nabla \log \pi_w}{|y_w|} "
        r"\right\|^2; \quad \left\langle \frac{\nabla \log \pi_w}{|y_w|}, \frac{\nabla \log "
        r"\pi_l}{|y_l|} \right\rangle \le \left\| \frac{\nabla \log \pi_l}{|y_l|} "
        r"\right\|^2$",
        holds=iff(eq11_rejected, simpo_l <= 0),
    ),
    Claim(
        id="yuan2025.simpo.more-lenient",
        locator="Section 3.2.1, SimPO, after eq. (11)",
        says=r"(11) is more lenient than DPO's condition $\langle\nabla\log\pi_w,\nabla\log\pi_l"
        r"\rangle \le \min(\|\nabla\log\pi_w\|^2, \|\nabla\log\pi_l\|^2)$ when the length is "
        "biased, resulting in one gradient norm being significantly higher than the other.",
        quote="This is more lenient than the corresponding condition posed for DPO … when "
        "the length of chosen and rejected responses is biased, resulting in either the "
        "chosen or rejected gradient norm being significantly higher than the other.",
        given=(len_w > len_l, A >= 4 * B, B > 0),
        holds=implies(Min(A, B) >= X, every(eq11_chosen, eq11_rejected)),
        grade=Grade.ASSUMPTION,
        why="Dividing by the lengths helps while the ratio of lengths stays below that of "
        "the squared norms; where the lengths differ by more, it overshoots and SimPO is "
        "the stricter one.",
        note="More lenient: whatever meets DPO's condition meets (11). Biased: the chosen is "
        "longer and its norm is at least twice the other's.",
    ),
    Claim(
        id="yuan2025.simpo.more-lenient.repaired",
        locator="Section 3.2.1, SimPO, after eq. (11)",
        says=r"(11) is at least as lenient as DPO's condition iff the ratio of the lengths lies "
        r"between 1 and the ratio of the squared norms.",
        given=(A > 0, B > 0),
        holds=iff(
            Min(A, B) <= Min(A * len_l / len_w, B * len_w / len_l),
            Or(
                And(len_l <= len_w, len_w * B <= len_l * A),
                And(len_w <= len_l, len_l * A <= len_w * B),
            ),
        ),
        note="Both conditions are upper bounds of the inner product; the larger one is more "
        "lenient.",
    ),
    Claim(
        id="yuan2025.simpo.proportional",
        locator="Section 3.2.1, SimPO, after eq. (11)",
        says=r"Where the score norms are proportional to the lengths, "
        r"$\frac{\|\nabla\log\pi_w\|}{|y_w|} = \frac{\|\nabla\log\pi_l\|}{|y_l|}$, length bias "
        "costs SimPO nothing: (11) always holds.",
        whose=Kind.OURS,
        given=(equal(A * len_l**2, B * len_w**2),),
        holds=every(eq11_chosen, eq11_rejected),
        note="The case that print seems to have in mind.",
    ),
    Claim(
        id="yuan2025.ipo.length",
        locator="Section 3.2.1, length-normalization, IPO, with footnotes 9 and 10",
        says="The same reasoning, $d_w/d_l = |y_l|/|y_w|$, applies to IPO with "
        "log-probabilities averaged over the tokens.",
        quote="The same reasoning also applies to **RRHF** and **IPO**<sup>9</sup> for "
        "their length normalization design.",
        standing=(
            ("Footnote 9: in TRL, IPO averages the log-probabilities by the number of tokens."),
            ("Footnote 10: so do the authors of IPO, later."),
        ),
        holds=equal(-AVERAGED.diff(logp_w) * len_w, AVERAGED.diff(logp_l) * len_l),
        note="Policy and reference averaged alike, as in TRL. Cleared of denominators.",
    ),
    Claim(
        id="yuan2025.ipo.length.table2",
        locator="Section 3.2.1, length-normalization, IPO",
        says="IPO as in Table 2, without the averaging of footnote 9, has $d_w = d_l$, "
        "whatever the lengths.",
        whose=Kind.OURS,
        holds=equal(IPO.d_w, IPO.d_l),
    ),
    Claim(
        id="yuan2025.rrhf.length",
        locator="Section 3.2.1, length-normalization, RRHF",
        says="The same reasoning, $d_w/d_l = |y_l|/|y_w|$, applies to RRHF, its "
        "regularizer aside; with it, $d_w|y_w| > d_l|y_l|$.",
        quote="The same reasoning also applies to **RRHF** and **IPO**<sup>9</sup> for "
        "their length normalization design.",
        standing=("The paragraph before: the regularizer enlarges d_w.",),
        given=(lam > 0,),
        holds=every(
            equal(without(lam, RRHF.d_w) * len_w, RRHF.d_l * len_l),
            Gt(RRHF.d_w * len_w, RRHF.d_l * len_l),
        ),
        note="Cleared of denominators, for $d_l$ may be zero.",
    ),
)
