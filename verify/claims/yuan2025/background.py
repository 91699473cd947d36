"""Sections 1 and 2: the general form, and what is said of existing methods."""

from sympy import Derivative, Expr, Ge, Gt, Integer, Lt, symbols

from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.objective import Objective
from disband.theory.objectives import CPO, DPO, DPOP, IPO, KTO, R_DPO, RRHF, SIMPO, SLIC_HF, SPPO
from disband.theory.symbols import (
    beta,
    kl,
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

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every
from .entanglement import chosen, rejected

reward_w, reward_l = beta * (logp_w - ref_w), beta * (logp_l - ref_l)
ONE = Integer(1)
log_likelihood = logsigmoid(reward_w - reward_l)
logistic_loss = -lam_w * logsigmoid(reward_w - beta * kl) - lam_l * logsigmoid(beta * kl - reward_l)
TARGET = 1 / (2 * beta)
# Rewards of the two responses and the log of the normaliser of the optimal policy.
r_w, r_l, log_z = symbols("r_w r_l log_Z", real=True)
as_rewards = {logp_w: ref_w + r_w / beta, logp_l: ref_l + r_l / beta}
optimal_w, optimal_l = ref_w + r_w / beta - log_z, ref_l + r_l / beta - log_z


def only_the_margin(objective: Objective, scale_w: Expr, scale_l: Expr) -> Expr:
    """State that the loss sees the pair through log π_w / scale_w − log π_l / scale_l."""
    return equal(objective.d_w * scale_w, objective.d_l * scale_l)


def separate(objective: Objective) -> Expr:
    """State that each incentive depends on its own response alone."""
    return equal(Derivative(objective.loss, logp_w, logp_l), Integer(0))


CLAIMS = (
    Claim(
        id="yuan2025.eq1",
        locator="Section 1, eq. (1)",
        says=r"DPO has the form $\ell = m(h_w(\log\pi_w) - h_l(\log\pi_l))$.",
        quote=r"$\ell(x, y_w, y_l; \theta) = m(h_w(\log \pi_\theta(y_w|x)) - h_l(\log "
        r"\pi_\theta(y_l|x))),$",
        holds=every(
            equal((-log_likelihood).diff(logp_w), DPO.loss.diff(logp_w)),
            equal((-log_likelihood).diff(logp_l), DPO.loss.diff(logp_l)),
        ),
        note="With m = −log σ; Table 2 gives the opposite sign.",
    ),
    Claim(
        id="yuan2025.eq1.table2",
        locator="Section 1, eq. (1) and the reference to Table 2 after it",
        says=r"DPO has the form $\ell = m(h_w(\log\pi_w) - h_l(\log\pi_l))$ with the $m = "
        r"\log\sigma(\cdot)$ of Table 2.",
        quote=r"$\ell(x, y_w, y_l; \theta) = m(h_w(\log \pi_\theta(y_w|x)) - h_l(\log "
        r"\pi_\theta(y_l|x))),$",
        whose=Kind.READ,
        standing=(
            (
                "The sentence after it refers to section 3.2 and Table 2 for m, h_w and "
                "h_l; eq. (6) there has a minus."
            ),
        ),
        holds=every(
            equal(log_likelihood.diff(logp_w), DPO.loss.diff(logp_w)),
            equal(log_likelihood.diff(logp_l), DPO.loss.diff(logp_l)),
        ),
        why="Equation (6) has a minus before m and equation (1) has none; with the functions "
        "of Table 2 in both, descent on (1) goes the wrong way.",
        note="Taken with Table 2's functions. Of m itself (1) says nothing, and with that of "
        "the other sign it is right: yuan2025.eq1.",
    ),
    Claim(
        id="yuan2025.eq1.table2.repaired",
        locator="Section 1, eq. (1); section 3.2, eq. (6)",
        says=r"DPO has the form $\ell = -m(h_w(\log\pi_w) - h_l(\log\pi_l))$ with $m = "
        r"\log\sigma(\cdot)$.",
        holds=every(
            equal(-log_likelihood.diff(logp_w), DPO.loss.diff(logp_w)),
            equal(-log_likelihood.diff(logp_l), DPO.loss.diff(logp_l)),
        ),
        note="Eq. (6) carries the minus that eq. (1) lacks.",
    ),
    Claim(
        id="yuan2025.section1.rejected-may-rise",
        locator="Section 1, first consequence",
        says="Merely increasing the margin does not guarantee that the log-probability of the "
        "rejected response decreases.",
        quote="merely increasing the margin (i.e., ensuring that the chosen response is "
        "preferred over the rejected one) does not guarantee that the log-probability of "
        "the rejected response is actually decreasing",
        given=(Gt(chosen - rejected, 0),),
        holds=Gt(rejected, 0),
        exists=True,
    ),
    Claim(
        id="yuan2025.section1.chosen-may-fall",
        locator="Section 1, second consequence",
        says="Even when the log-probability of the rejected response decreases, the chosen one "
        "may decrease too while the margin grows.",
        quote="even when the log-probability of the rejected response does decrease, the "
        "current margin-based losses often lead to a simultaneous reduction in the "
        "log-probability of the chosen response",
        given=(Gt(chosen - rejected, 0), Lt(rejected, 0)),
        holds=Lt(chosen, 0),
        exists=True,
        note="Often is read as: it happens; under DPO, to first order.",
    ),
    Claim(
        id="yuan2025.footnote4",
        locator="Section 1, footnote 4",
        says=r"The reward modeling loss $-\log\sigma(r_w - r_l)$ is an example of the form (1).",
        quote="The reward modeling loss in vanilla RLHF is also an example of this general form.",
        holds=every(
            equal(-logsigmoid(r_w - r_l).diff(r_w), DPO.loss.diff(logp_w).subs(as_rewards) / beta),
            equal(-logsigmoid(r_w - r_l).diff(r_l), DPO.loss.diff(logp_l).subs(as_rewards) / beta),
        ),
        note="With the rewards in the place of the log-probabilities: it is DPO's loss of the "
        "implicit rewards.",
    ),
    Claim(
        id="yuan2025.section2.dpo-from-rewards",
        locator="Section 2.2, before eq. (2)",
        says=r"DPO's loss derives from KL-constrained reward maximization: the optimum "
        r"$\pi \propto \pi_{ref}e^{r/\beta}$ has $r_w - r_l = \beta[\log\frac{\pi(y_w|x)}"
        r"{\pi_{ref}(y_w|x)} - \log\frac{\pi(y_l|x)}{\pi_{ref}(y_l|x)}]$.",
        holds=equal(beta * ((optimal_w - ref_w) - (optimal_l - ref_l)), r_w - r_l),
        note="The optimum is taken as known.",
    ),
    Claim(
        id="yuan2025.eq2",
        locator="Section 2.2, eq. (2)",
        says=r"$\ell_{DPO} = -\log\sigma(\beta[\log\frac{\pi_\theta(y_w|x)}{\pi_{ref}(y_w|x)} - "
        r"\log\frac{\pi_\theta(y_l|x)}{\pi_{ref}(y_l|x)}])$",
        quote=r"$\ell_{\text{DPO}}(x, y_w, y_l; \theta; \pi_{\text{ref}}) := -\log \sigma "
        r"\left( \beta \left[ \log \left( \frac{\pi_{\theta}(y_w | x)}{\pi_{\text{ref}}(y_w "
        r"| x)} \right) - \log \left( \frac{\pi_{\theta}(y_l | x)}{\pi_{\text{ref}}(y_l | "
        r"x)} \right) \right] \right)$",
        holds=equal(DPO.loss, -log_likelihood),
    ),
    Claim(
        id="yuan2025.section2.ipo-margin",
        locator="Section 2.2, IPO and SLiC-HF",
        says=r"IPO solely depends on the margin $\log\pi_w - \log\pi_l$.",
        quote="propose IPO and SlicHF loss with similar forms that solely depend on the "
        r"**margin** $\log \pi_{\theta}(y_w|x) - \log \pi_{\theta}(y_l|x)$",
        holds=only_the_margin(IPO, ONE, ONE),
    ),
    Claim(
        id="yuan2025.section2.slic-hf-margin",
        locator="Section 2.2, IPO and SLiC-HF",
        says=r"SLiC-HF solely depends on the margin $\log\pi_w - \log\pi_l$.",
        quote="propose IPO and SlicHF loss with similar forms that solely depend on the "
        r"**margin** $\log \pi_{\theta}(y_w|x) - \log \pi_{\theta}(y_l|x)$",
        whose=Kind.READ,
        standing=(
            "The end of section 2.2 and Table 2 give SLiC-HF a regularizer on the chosen response.",
        ),
        holds=only_the_margin(SLIC_HF, ONE, ONE),
        why="The regularizer that the end of the same section gives SLiC-HF adds a "
        "constant to the pull on the chosen response, which no margin sees.",
        note="With the regularizer that Table 2 and the end of section 2.2 give it.",
    ),
    Claim(
        id="yuan2025.section2.slic-hf-margin.repaired",
        locator="Section 2.2, IPO and SLiC-HF",
        says=r"SLiC-HF without its regularizer solely depends on the margin; with it, $d_w = d_l + "
        r"\lambda$.",
        holds=equal(SLIC_HF.d_w, SLIC_HF.d_l + lam),
    ),
    Claim(
        id="yuan2025.section2.r-dpo-margin",
        locator="Section 2.2, length bias",
        says=r"With a length penalty the gradient still relies on the margin $\log\pi_w - "
        r"\log\pi_l$.",
        quote="propose to add a length penalty term in the BT preference model, but the "
        r"gradient still relies on the margin $\log \pi_{\theta}(y_w|x) - \log "
        r"\pi_{\theta}(y_l|x)$",
        holds=only_the_margin(R_DPO, ONE, ONE),
    ),
    Claim(
        id="yuan2025.section2.simpo-margin",
        locator="Section 2.2, length bias",
        says=r"SimPO depends on the length-normalized margin $\frac{1}{|y_w|}\log\pi_w - "
        r"\frac{1}{|y_l|}\log\pi_l$.",
        quote="consider the setting of average rewards and derive a loss dependent on the "
        r"**length-normalized margin** $\frac{1}{|y_w|}\log \pi_{\theta}(y_w|x) - "
        r"\frac{1}{|y_l|}\log \pi_{\theta}(y_l|x)$",
        holds=only_the_margin(SIMPO, len_w, len_l),
    ),
    Claim(
        id="yuan2025.section2.rrhf-margin",
        locator="Section 2.2, length bias",
        says=r"RRHF depends on the length-normalized margin $\frac{1}{|y_w|}\log\pi_w - "
        r"\frac{1}{|y_l|}\log\pi_l$: without its regularizer its incentives are those of "
        "that margin.",
        quote="consider the setting of average rewards and derive a loss dependent on the "
        r"**length-normalized margin** $\frac{1}{|y_w|}\log \pi_{\theta}(y_w|x) - "
        r"\frac{1}{|y_l|}\log \pi_{\theta}(y_l|x)$",
        standing=("Table 2 gives RRHF a regularizer on the chosen response.",),
        holds=equal((RRHF.d_w - lam) * len_w, RRHF.d_l * len_l),
        note="Dependent on is not solely dependent on: the regularizer adds λ to the pull. Read "
        "as dependent on it alone, like the sentence before, it fails with that regularizer.",
    ),
    Claim(
        id="yuan2025.section2.kto-separate",
        locator="Section 2.2, KTO and SPPO",
        says="KTO deals with the chosen and rejected response separately.",
        quote="do not consider the difference between the likelihood, but deal with the "
        "chosen and rejected response separately.",
        holds=separate(KTO),
        note="At a fixed reference point z_ref.",
    ),
    Claim(
        id="yuan2025.section2.sppo-separate",
        locator="Section 2.2, KTO and SPPO",
        says="SPPO deals with the chosen and rejected response separately.",
        quote="do not consider the difference between the likelihood, but deal with the "
        "chosen and rejected response separately.",
        holds=separate(SPPO),
    ),
    Claim(
        id="yuan2025.section2.kto-rewards",
        locator="Section 2.2, KTO and SPPO",
        says="KTO assigns a positive reward signal to the chosen response and a negative one to "
        "the rejected.",
        quote="These works typically assign a positive reward signal to the chosen "
        "response and a negative reward signal to the rejected one, according to the "
        "logistic loss (Ethayarajh et al., 2024) or the square loss (Wu et al., 2024).",
        holds=every(Gt(KTO.d_w, 0, evaluate=False), Gt(KTO.d_l, 0, evaluate=False)),
        note="Read as: the pull on the chosen and the push on the rejected are positive.",
    ),
    Claim(
        id="yuan2025.section2.kto-logistic",
        locator="Section 2.2, KTO and SPPO",
        says=r"KTO assigns its reward signals according to the logistic loss, $-\lambda_w\log"
        r"\sigma(\beta(\log\frac{\pi_w}{\pi_{ref,w}} - z_{ref})) - \lambda_l\log\sigma(\beta("
        r"z_{ref} - \log\frac{\pi_l}{\pi_{ref,l}}))$.",
        quote="These works typically assign a positive reward signal to the chosen "
        "response and a negative reward signal to the rejected one, according to the "
        "logistic loss (Ethayarajh et al., 2024) or the square loss (Wu et al., 2024).",
        whose=Kind.READ,
        holds=every(
            equal(KTO.d_w, -logistic_loss.diff(logp_w)), equal(KTO.d_l, logistic_loss.diff(logp_l))
        ),
        why="KTO goes by the logistic function itself, not by its logarithm, so that its "
        "incentives die out at both ends.",
        note="The logistic loss is −log σ.",
    ),
    Claim(
        id="yuan2025.section2.kto-logistic.repaired",
        locator="Section 2.2, KTO and SPPO",
        says=r"KTO assigns its reward signals according to the logistic function, "
        r"$\lambda_w(1 - \sigma(\beta(\log\frac{\pi_w}{\pi_{ref,w}} - z_{ref}))) + \lambda_l(1 - "
        r"\sigma(\beta(z_{ref} - \log\frac{\pi_l}{\pi_{ref,l}})))$.",
        holds=equal(
            KTO.loss,
            lam_w * (1 - sigmoid(reward_w - beta * kl))
            + lam_l * (1 - sigmoid(beta * kl - reward_l)),
        ),
    ),
    Claim(
        id="yuan2025.section2.sppo-rewards",
        locator="Section 2.2, KTO and SPPO",
        says="SPPO assigns a positive reward signal to the chosen response and a negative one to "
        "the rejected, according to the square loss.",
        quote="These works typically assign a positive reward signal to the chosen "
        "response and a negative reward signal to the rejected one, according to the "
        "logistic loss (Ethayarajh et al., 2024) or the square loss (Wu et al., 2024).",
        holds=every(
            *(
                equal(SPPO.d_w.subs(logp_w, ref_w + TARGET), Integer(0)),
                Gt(TARGET, 0, evaluate=False),
            ),
            *(
                equal(SPPO.d_l.subs(logp_l, ref_l - TARGET), Integer(0)),
                Lt(-TARGET, 0, evaluate=False),
            ),
        ),
        note="The signal is the log-ratio to which each response is regressed. The pull itself "
        "turns around past it.",
    ),
    Claim(
        id="yuan2025.section2.dpop-like-dpo",
        locator="Section 2.2, DPOP",
        says=r"DPOP behaves the same as DPO when the chosen log-ratio is above 0.",
        quote="propose the DPOP loss that behaves the same as DPO when the chosen "
        "response's log-ratio "
        r"$\log\left(\frac{\pi_{\theta}(y_w|x)}{\pi_{nef}(y_w|x)}\right)$ is above 0, while "
        "adds an explicit regularization when the ratio is below 0.",
        given=(logp_w > ref_w,),
        holds=every(equal(DPOP.d_w, DPO.d_w), equal(DPOP.d_l, DPO.d_l)),
    ),
    Claim(
        id="yuan2025.section2.dpop-regularizes",
        locator="Section 2.2, DPOP",
        says="DPOP adds an explicit regularization when the chosen log-ratio is below 0.",
        quote="propose the DPOP loss that behaves the same as DPO when the chosen "
        "response's log-ratio "
        r"$\log\left(\frac{\pi_{\theta}(y_w|x)}{\pi_{nef}(y_w|x)}\right)$ is above 0, while "
        "adds an explicit regularization when the ratio is below 0.",
        given=(logp_w < ref_w, lam > 0),
        holds=Gt(DPOP.d_w, DPO.d_w),
    ),
    Claim(
        id="yuan2025.section2.cpo-regularizes",
        locator="Section 2.2, CPO and SLiC-HF",
        says="CPO and SLiC-HF add explicit regularization to maximize the chosen response's "
        "log-probability.",
        quote="also add explicit regularization to maximize the chosen response's log-probability.",
        holds=every(
            equal(CPO.d_w, CPO.d_l + lam),
            equal(SLIC_HF.d_w, SLIC_HF.d_l + lam),
            Ge(lam, 0, evaluate=False),
        ),
    ),
)
