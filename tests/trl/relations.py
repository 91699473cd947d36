"""What each loss of TRL is in ours, with the settings at which the two are compared."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from disband.theory.objectives import ALIASES, AOT, AOT_UNPAIRED, find
from disband.theory.objectives.divergence import alpha_divergence, forward_kl, jensen_shannon
from disband.theory.symbols import alpha_f, logp_l, logp_w, ref_l, ref_w
from tests.trl.harness import (
    CPOTrainer,
    DPOTrainer,
    KTOTrainer,
    ORPOTrainer,
    Pull,
    TPOTrainer,
    array,
    plain,
    pull,
    pull_together,
)

OURS = {
    "beta": "beta",
    "label_smoothing": "epsilon",
    "discopop_tau": "tau",
    "f_alpha_divergence_coef": "alpha_f",
    "desirable_weight": "lam_w",
    "undesirable_weight": "lam_l",
    "simpo_gamma": "gamma",
    "tpo_l_gamma": "gamma",
}


# A relation says what a loss of TRL is in ours: a function of the batch and of TRL's settings.


def same(name, *, factor=1, **more):
    """The objective of this name, with the settings that it has."""
    objective = find(name) if isinstance(name, str) else name
    own = {symbol.name for symbol in objective.defaults}

    def relation(step, settings):
        hyper = {OURS[key]: value for key, value in settings.items() if OURS.get(key) in own}
        return factor * pull(objective, step, **hyper, **more)

    return relation


def likelihood(step, _settings=None):
    """A mean over all chosen tokens of the batch: ours, a mean per response, times its share."""
    return step.lengths[0] / step.mean_len_w * pull(find("SFT"), step)


def excess(step):
    """What a mean over all chosen tokens has over our mean per response."""
    return likelihood(step) + -1 * pull(find("SFT"), step)


def scored(name, score):
    """The objective with a divergence's score in place of the log-ratio."""
    objective = find(name)
    seen = {logp_w: ref_w + score(logp_w - ref_w), logp_l: ref_l + score(logp_l - ref_l)}
    loss = objective.loss.subs(seen, simultaneous=True)
    return replace(objective, loss=loss, defaults={**objective.defaults, alpha_f: 0.5})


def together(objective, pairwise="DPO"):
    """The objective of sorted values, by this pairwise loss."""
    sorts = replace(objective, pairwise=find(pairwise))

    def relation(step, settings):
        hyper = {OURS[key]: value for key, value in settings.items() if key in OURS}
        return pull_together(sorts, step, **hyper)

    return relation


def desensitised(step, settings):
    """LD-DPO: tokens beyond the shorter response's length count with the weight ld_alpha."""
    shorter = torch.from_numpy(step.lengths.min(0)).repeat(2)[:, None]
    weights = torch.where(step.mask.cumsum(1) <= shorter, 1.0, settings["ld_alpha"]) * step.mask
    return pull(find("LD-DPO"), step, weights=weights.double(), beta=settings["beta"])


def weighted(name):
    """WPO: each pair times the product of its responses' exp(mean of log p - log Σ_v p_v²)."""

    def relation(step, settings):
        with torch.no_grad():
            logits = step.trainer.model(input_ids=step.ids, attention_mask=step.attention).logits
        squares = logits[:, :-1].log_softmax(-1).mul(2).logsumexp(-1)
        omega = np.exp((step.sums(step.tokens - squares, step.mask) / step.lengths).sum(0))
        if name == "WPO":
            return pull(find(name), step, omega=omega, beta=settings["beta"])
        return omega * same(name)(step, settings)

    return relation


def kto(step, settings):
    """A mean over responses, not pairs; z_ref is the mean log-ratio of shifted responses."""
    ids, attention, mask = (
        step.batch[f"KL_{name}"] for name in ("input_ids", "attention_mask", "completion_mask")
    )
    policy, reference = (
        array((plain(model, ids, attention) * mask[:, 1:]).sum(1))
        for model in (step.trainer.model, step.trainer.ref_model)
    )
    point = max((policy - reference).mean(), 0)
    assert point > 0.1
    return same("KTO", factor=0.5, kl=point)(step, settings)


def summed(name, *own):
    """TRL's likelihood term is a mean over the batch's chosen tokens, ours a sum."""

    def relation(step, settings):
        lam = settings["cpo_alpha"] / step.mean_len_w
        return pull(find(name), step, lam=lam, **{key: settings[key] for key in own})

    return relation


def plus_likelihood(relation):
    """Another loss without a reference, and TRL's likelihood term."""
    return lambda step, settings: (
        relation(step, settings) + settings["cpo_alpha"] * likelihood(step)
    )


def rpo(name, weight):
    """Our λ, times the chosen response's share of the batch's tokens."""

    def relation(step, settings):
        lam = weight * step.lengths[0] / step.mean_len_w
        return same(name, lam=lam)(step, settings)

    return relation


def mpo(step, settings):
    return same("MPO")(step, settings) + excess(step)


def alphapo(step, settings):
    """AlphaPO is f-DPO of order 1 - α, of mean log-probabilities without a reference."""
    weights = step.mask / step.mask.sum(1, keepdim=True).double()
    order = 1 - settings["alpha"]
    return pull(
        find("DPO-alpha"), step, weights=weights, refs=False, beta=settings["beta"], alpha_f=order
    )


def orpo(step, settings):
    """TRL's likelihood term is a mean over the prompts' tokens and the chosen responses'."""
    pairs = len(step.mask) // 2
    read = step.attention[:pairs, 1:].bool()
    prompt = array(read & ~step.mask[:pairs])
    tokens = array(plain(step.trainer.model, step.ids, step.attention))
    of_prompt = Pull(-(tokens[:pairs] * prompt).sum(1), prompt, 0 * prompt)
    of_all = of_prompt + step.lengths[0] * pull(find("SFT"), step)
    return (
        pull(find("ORPO"), step, lam=settings["beta"])
        + -1 * pull(find("SFT"), step)
        + pairs / int(read.sum()) * of_all
    )


def case(kind, relation, **settings):
    """One configuration of a trainer and what its loss is; the id lists all settings."""
    losses = "+".join(np.atleast_1d(settings.get("loss_type", [])))
    said = [losses, *(f"{k}={v}" for k, v in settings.items() if k != "loss_type")]
    return pytest.param(
        kind, relation, settings, id=" ".join([kind.__name__[:-7], *filter(None, said)])
    )


PAIRWISE = (
    *("sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair"),
    *("sppo_hard", "apo_zero", "apo_down", "discopop", "sigmoid_norm"),
)
SCORES = {
    "forward_kl": forward_kl,
    "js_divergence": jensen_shannon,
    "alpha_divergence": alpha_divergence,
}
MORE = {
    "exo_pair": ({"label_smoothing": 0.001}, {"label_smoothing": 0.2}),
    "robust": ({"label_smoothing": 0.1}, {"label_smoothing": 0.4}),
    "discopop": ({}, {"discopop_tau": 0.8}),
}
# TRL cannot weight hinge and sft: it changes a tensor in place that autograd still needs
WEIGHTED = ("ipo", "exo_pair", "bco_pair", "discopop")

DPO_CASES = [
    *(
        case(DPOTrainer, same(ALIASES[loss]), loss_type=loss, beta=size, **more)
        for loss in PAIRWISE
        for size, more in zip((0.1, 0.7), MORE.get(loss, ({}, {})), strict=True)
    ),
    # TRL's sigmoid does not look at it
    case(DPOTrainer, same("DPO"), loss_type="sigmoid", beta=0.1, label_smoothing=0.3),
    case(DPOTrainer, likelihood, loss_type="sft"),
    case(DPOTrainer, together(AOT), loss_type="aot", beta=0.3),
    case(DPOTrainer, together(AOT, "cDPO"), loss_type="aot", beta=0.3, label_smoothing=0.2),
    case(DPOTrainer, together(AOT_UNPAIRED), loss_type="aot_unpaired", beta=0.3),
    case(DPOTrainer, together(AOT_UNPAIRED, "cDPO"), loss_type="aot_unpaired", beta=0.3,
         label_smoothing=0.2),
    *(
        case(DPOTrainer, same(ALIASES[divergence]), f_divergence_type=divergence, beta=0.2, **more)
        for divergence, more in (
            ("reverse_kl", {}),
            ("forward_kl", {}),
            ("js_divergence", {}),
            ("alpha_divergence", {"f_alpha_divergence_coef": 0.0}),
            ("alpha_divergence", {"f_alpha_divergence_coef": 0.7}),
        )
    ),
    case(DPOTrainer, same("DPO"), f_divergence_type="alpha_divergence", beta=0.2,
         f_alpha_divergence_coef=1.0),
    *(
        case(DPOTrainer, same(scored(ALIASES[loss].name, score)), loss_type=loss,
             f_divergence_type=divergence, beta=0.05, **MORE.get(loss, [{}])[0])
        for divergence, score in SCORES.items()
        for loss in ("hinge", "ipo", "exo_pair", "robust", "discopop", "sigmoid_norm")
    ),
    *(
        case(DPOTrainer, rpo("RPO", weight), loss_type=["sigmoid", "sft"],
             loss_weights=[1.0, weight], beta=0.2)
        for weight in (1.0, 0.3)
    ),
    case(DPOTrainer, mpo, loss_type=["sigmoid", "bco_pair", "sft"], loss_weights=[0.8, 0.2, 1.0],
         beta=0.2),
    *(case(DPOTrainer, desensitised, ld_alpha=a, beta=0.2) for a in (0.0, 0.3, 1.0)),
    case(DPOTrainer, weighted("WPO"), use_weighting=True, beta=0.2),
    *(
        case(DPOTrainer, weighted(ALIASES[loss].name), use_weighting=True, loss_type=loss,
             beta=0.2, **MORE.get(loss, [{}])[0])
        for loss in WEIGHTED
    ),
]  # fmt: skip
KTO_CASES = [
    case(KTOTrainer, kto, loss_type="kto", beta=0.1),
    case(KTOTrainer, kto, loss_type="kto", beta=0.6, desirable_weight=1.3, undesirable_weight=0.7),
    case(KTOTrainer, same("APO-zero", factor=0.5), loss_type="apo_zero_unpaired", beta=0.3),
]
CPO_CASES = [
    *(
        case(CPOTrainer, summed("CPO", "beta"), loss_type="sigmoid", beta=size, cpo_alpha=a)
        for size, a in ((0.05, 0.0), (0.05, 0.7), (0.2, 1.0))
    ),
    case(CPOTrainer, plus_likelihood(same("cDPO", refs=False)), label_smoothing=0.2, beta=0.05,
         cpo_alpha=0.7),
    *(
        case(CPOTrainer, plus_likelihood(same(ALIASES[loss], refs=False)), loss_type=loss,
             beta=size, cpo_alpha=0.7)
        for loss in ("hinge", "ipo")
        for size in (0.05, 0.5)
    ),
    case(CPOTrainer, summed("SLiC-HF"), loss_type="hinge", beta=1.0, cpo_alpha=0.7),
    case(CPOTrainer, same("SimPO"), loss_type="simpo", beta=2.0, simpo_gamma=0.8, cpo_alpha=0.0),
    case(CPOTrainer, rpo("CPO-SimPO", 0.7), loss_type="simpo", beta=1.5, cpo_alpha=0.7),
    *(
        case(CPOTrainer, alphapo, loss_type="alphapo", beta=0.1, alpha=a, simpo_gamma=0.0)
        for a in (0.3, 0.6)
    ),
]  # fmt: skip
ORPO_CASES = [case(ORPOTrainer, orpo, beta=size) for size in (0.1, 1.0)]
TPO_CASES = [
    *(
        case(TPOTrainer, same(name, refs=False), loss_type=loss, beta=size, tpo_alpha=0.0)
        for loss, name in (("sigmoid", "DPO"), ("hinge", "Hinge"), ("ipo", "IPO-norm"))
        for size in (0.05, 0.5)
    ),
    case(TPOTrainer, same("SimPO"), loss_type="tpo-l", beta=2.0, tpo_l_gamma=0.8, tpo_alpha=0.0),
]
CASES = [*DPO_CASES, *KTO_CASES, *CPO_CASES, *ORPO_CASES, *TPO_CASES]
