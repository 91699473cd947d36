"""What is asked of the toy courses for wang2025; all criteria were fixed on other seeds."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sentiment.rules import Prediction
from .dynamics import LINEAR, RESPONSES, TOKENS, VERIFIABLE, Courses
from .dynamics_judging import Rule
from .dynamics_readings import (
    LEVEL,
    agreement,
    at_drift,
    at_reward,
    cosine,
    distance,
    opposed,
    shares,
    unsteadiness,
)

Array = NDArray[np.float64]
PAIRS_ONLY = (RESPONSES, LINEAR)
EARLY = 20


def judge(courses: Courses) -> tuple[Prediction, ...]:
    """Judge every rule."""
    return tuple(rule.judge(courses) for rule in RULES)


def _difference(one: str, other: str, how: Callable[..., Array], *more: Any) -> Any:
    return lambda by: how(by[one], by[other], *more)


_AT_DRIFT = f"at {LEVEL:.0%} of the smaller final divergence from the reference, "
_AT_REWARD = f"at {LEVEL:.0%} of the smaller gain of reward, "

RULES: tuple[Rule, ...] = (
    Rule(
        "dpo-stable",
        "DPO on all its pairs follows a stable target.",
        "the share of updates with G > 0, less 0.95",
        lambda by: (by["DPO"].total > 0).mean(0) - 0.95,
    ),
    Rule(
        "ppo-dynamic",
        "PPO's target moves more than DPO's.",
        "how much G changes from update to update over its mean size, PPO less DPO on all pairs",
        lambda by: unsteadiness(by["PPO"]) - unsteadiness(by["DPO"]),
    ),
    Rule(
        "dpo-stable-batches",
        "DPO's target is stabler than PPO's on small batches too.",
        "how much G changes from update to update over its mean size, PPO less DPO on batches of 8 "
        "pairs, half as many responses as PPO draws",
        lambda by: unsteadiness(by["PPO"]) - unsteadiness(by["DPO, small batches"]),
    ),
    Rule(
        "ppo-dynamic-exact",
        "PPO's target leaves its path even when nothing is sampled.",
        "0.95 less the share of updates with G > 0, PPO with exact expectations",
        lambda by: 0.95 - (by["PPO, exact"].total > 0).mean(0),
    ),
    Rule(
        "ppo-explores",
        "PPO balances exploration and exploitation: it pays for reward with less entropy than DPO.",
        f"{_AT_REWARD}the entropy, PPO less DPO",
        _difference("PPO", "DPO", at_reward, "entropy"),
    ),
    Rule(
        "dpo-offset",
        "In DPO positive and negative learning mutually offset each other.",
        "the cosine of positive with negative learning's scores, mean over updates",
        lambda by: cosine(by["DPO"]),
    ),
    Rule(
        "ppo-offset",
        "In PPO they offset each other as well.",
        "the same cosine, PPO",
        lambda by: cosine(by["PPO"]),
    ),
    Rule(
        "dpo-offset-target",
        "In DPO they serve the target in opposite directions.",
        "the share of updates in the second half in which the two parts of G have opposite signs, "
        "less one half",
        lambda by: opposed(by["DPO"]) - 0.5,
    ),
    Rule(
        "dpo-joint-negative",
        "Negative learning shapes DPO's target.",
        "total variation between the final policies with and without it, less that between whole "
        "and small batches",
        lambda by: distance(by["DPO"], by["DPO without negative"])
        - distance(by["DPO"], by["DPO, small batches"]),
    ),
    Rule(
        "dpo-joint-positive",
        "Positive learning shapes DPO's target.",
        "total variation between the final policies with and without it, less that between whole "
        "and small batches",
        lambda by: distance(by["DPO"], by["DPO without positive"])
        - distance(by["DPO"], by["DPO, small batches"]),
    ),
    Rule(
        "dpo-joint-reward",
        "DPO's two parts together earn more than either alone.",
        f"{_AT_DRIFT}the true reward, DPO less the better of its parts alone",
        lambda by: np.minimum(
            *(
                at_drift(by["DPO"], by[f"DPO without {part}"], "reward")
                for part in ("negative", "positive")
            )
        ),
    ),
    Rule(
        "dpo-weights-reward",
        "DPO's weights are no reward signal: they do not grow with the true gap of rewards.",
        "minus the correlation over pairs of weight with true gap, mean over updates after the "
        "first",
        lambda by: -by["DPO"].weight_reward[1:].mean(0),
    ),
    Rule(
        "dpo-weights-hold-back",
        "DPO's reweighting holds back from the target.",
        f"minus the part of G that is reweighting, mean of the first {EARLY} updates",
        lambda by: -by["DPO"].service[:EARLY, 2].mean(0),
    ),
    Rule(
        "dpo-weights-overfitting",
        "DPO's reweighting mitigates overfitting.",
        f"{_AT_DRIFT}the loss on all pairs with the judge's own probabilities, without reweighting "
        "less with it",
        _difference("DPO without reweighting", "DPO", at_drift, "true_loss"),
        PAIRS_ONLY,
    ),
    Rule(
        "dpo-weights-performance",
        "DPO's reweighting earns reward by it.",
        f"{_AT_DRIFT}the true reward, with reweighting less without",
        _difference("DPO", "DPO without reweighting", at_drift, "reward"),
    ),
    Rule(
        "dpo-weights-scaled",
        "Half of the reweighting earns less than all of it and more than none.",
        f"{_AT_DRIFT}the true reward, the smaller of all less half and half less none",
        lambda by: np.minimum(
            at_drift(by["DPO"], by["DPO, half reweighting"], "reward"),
            at_drift(by["DPO, half reweighting"], by["DPO without reweighting"], "reward"),
        ),
    ),
    Rule(
        "dpo-weights-errors",
        "DPO's reweighting spares the mislabelled pairs.",
        "1 less the mean weight of mislabelled pairs over that of the others, at the last update",
        lambda by: 1 - by["DPO"].weight_error[-1],
    ),
    Rule(
        "ppo-negative-exploration",
        "PPO's negative learning supports exploration.",
        f"{_AT_REWARD}the entropy, PPO less PPO without negative learning",
        _difference("PPO", "PPO without negative", at_reward, "entropy"),
    ),
    Rule(
        "ppo-negative-verifiable",
        "Where rewards are one or none and steps are large, PPO's negative learning supports "
        "exploration.",
        f"{_AT_REWARD}the entropy, PPO less PPO without negative learning",
        _difference("PPO", "PPO without negative", at_reward, "entropy"),
        (VERIFIABLE,),
    ),
    Rule(
        "ppo-negative-unsampled",
        "It does so there when nothing is sampled, too.",
        f"{_AT_REWARD}the entropy, PPO less PPO without negative learning, both with exact "
        "expectations, less 0.01",
        lambda by: at_reward(by["PPO, exact"], by["PPO, exact without negative"], "entropy") - 0.01,
        (VERIFIABLE,),
    ),
    Rule(
        "ppo-negative-first-order",
        "To first order PPO's negative learning raises the entropy.",
        f"slope of the entropy along evenly weighted negative learning, mean of the first {EARLY} "
        "updates",
        lambda by: by["PPO"].exploring[:EARLY, 1].mean(0),
    ),
    Rule(
        "ppo-negative-target",
        "PPO's negative learning does not determine the target as positive learning does.",
        "share of prompts whose likeliest final response is that of PPO, without negative less "
        "without positive learning",
        lambda by: agreement(by["PPO"], by["PPO without negative"])
        - agreement(by["PPO"], by["PPO without positive"]),
    ),
    Rule(
        "ppo-negative-dispensable",
        "PPO without negative learning earns as much after as many updates.",
        "final reward, PPO without negative learning less PPO, plus 0.02",
        lambda by: by["PPO without negative"].reward[-1] - by["PPO"].reward[-1] + 0.02,
    ),
    Rule(
        "ppo-weights-large",
        "The third of the tokens with the largest advantages serves the target most.",
        "its share of G over the run, less one half",
        lambda by: shares(by["PPO"])[0] - 0.5,
    ),
    Rule(
        "ppo-weights-small",
        "The third with the smallest advantages has no role in the target.",
        "0.05 less its share of G over the run",
        lambda by: 0.05 - shares(by["PPO"])[2],
    ),
    Rule(
        "ppo-weights-enough",
        "Updates with the largest third alone earn as much.",
        f"{_AT_DRIFT}the true reward, the largest third less all, plus 0.05",
        lambda by: at_drift(by["PPO, largest third"], by["PPO"], "reward") + 0.05,
    ),
    Rule(
        "ppo-weights-needed",
        "Updates without the largest third earn less.",
        f"{_AT_DRIFT}the true reward, all less those without the largest third",
        _difference("PPO", "PPO without largest third", at_drift, "reward"),
    ),
    Rule(
        "ppo-weights-even",
        "PPO's reweighting determines the target.",
        f"{_AT_DRIFT}the true reward, PPO less PPO without reweighting",
        _difference("PPO", "PPO without reweighting", at_drift, "reward"),
    ),
    Rule(
        "ppo-weights-idle",
        "Advantages of whole responses teach tokens that earn nothing; token-level ones do not.",
        "final divergence in the tokens that earn nothing, GRPO less PPO",
        lambda by: by["GRPO"].idle_drift[-1] - by["PPO"].idle_drift[-1],
        (TOKENS,),
    ),
    Rule(
        "controlled-ppo-entropy",
        "PPO controlled by what was learned explores more.",
        f"{_AT_REWARD}the entropy; half of the negative learning and the largest third alone, less "
        "PPO",
        _difference("PPO, controlled", "PPO", at_reward, "entropy"),
    ),
    Rule(
        "controlled-ppo-reward",
        "PPO controlled by what was learned earns more.",
        f"{_AT_DRIFT}the true reward, controlled less PPO",
        _difference("PPO, controlled", "PPO", at_drift, "reward"),
    ),
    Rule(
        "controlled-dpo-reward",
        "DPO with steeper weights, and so more regularised, earns more.",
        f"{_AT_DRIFT}the true reward, with β doubled less DPO",
        _difference("DPO, steeper weights", "DPO", at_drift, "reward"),
    ),
)  # fmt: skip

CRITERIA = {rule.name: rule.criterion for rule in RULES}
