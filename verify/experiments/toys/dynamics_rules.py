"""What is asked of the toy courses for wang2025; all criteria were fixed on other seeds.

A rule reads one number off each world, a difference that the statement says is positive. On a
replicate it holds if the 95 % interval of the mean lies above zero in each of its toys, fails if
it lies below zero in any, and is undecided otherwise.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.sims.worlds.target_study import TargetCourse

from ..judging.intervals import above, interval, named
from ..judging.prediction import Numbers, Prediction, Rule, judge
from .dynamics import (
    LINEAR,
    REPLICATES,
    RESPONSES,
    TOKENS,
    VERIFIABLE,
    WORLDS_EACH,
    Courses,
)
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
By = Mapping[str, TargetCourse]
# All courses, and which of their worlds are the replicate's.
Replicate = tuple[Courses, slice]

ALL = (RESPONSES, LINEAR, TOKENS)
PAIRS_ONLY = (RESPONSES, LINEAR)
EARLY = 20


def predictions(courses: Courses) -> tuple[Prediction, ...]:
    """Judge every statement on every replicate."""
    starts = (replicate * WORLDS_EACH for replicate in range(REPLICATES))
    worlds = (slice(start, start + WORLDS_EACH) for start in starts)
    return judge(RULES, {seed: (courses, its) for seed, its in enumerate(worlds)})


def positive(
    *,
    name: str,
    says: str,
    criterion: str,
    measure: Callable[[By], Array],
    toys: tuple[str, ...] = ALL,
) -> Rule[Replicate]:
    """A statement that a number is positive in each of these toys; it is read off every world."""

    def numbers(replicate: Replicate) -> Numbers:
        courses, worlds = replicate
        ranges: Numbers = {}
        for toy in toys:
            by = {method: course for (world, method), course in courses.items() if world == toy}
            ranges |= named(toy, interval(measure(by)[worlds]))
        return ranges

    return Rule(
        name=name,
        says=says,
        criterion=f"{criterion}, in {', '.join(toys)}",
        numbers=numbers,
        holds=above(0),
    )


def _difference(one: str, other: str, how: Callable[..., Array], *more: Any) -> Any:
    return lambda by: how(by[one], by[other], *more)


_AT_DRIFT = f"at {LEVEL:.0%} of the smaller final divergence from the reference, "
_AT_REWARD = f"at {LEVEL:.0%} of the smaller gain of reward, "

RULES: tuple[Rule[Replicate], ...] = (
    positive(
        name="dpo-stable",
        says="DPO on all its pairs follows a stable target.",
        criterion="the share of updates with G > 0, less 0.95",
        measure=lambda by: (by["DPO"].total > 0).mean(0) - 0.95,
    ),
    positive(
        name="ppo-dynamic",
        says="PPO's target moves more than DPO's.",
        criterion="how much G changes from update to update over its mean size, PPO less DPO on "
        "all pairs",
        measure=lambda by: unsteadiness(by["PPO"]) - unsteadiness(by["DPO"]),
    ),
    positive(
        name="dpo-stable-batches",
        says="DPO's target is stabler than PPO's on small batches too.",
        criterion="how much G changes from update to update over its mean size, PPO less DPO on "
        "batches of 8 pairs, half as many responses as PPO draws",
        measure=lambda by: unsteadiness(by["PPO"]) - unsteadiness(by["DPO, small batches"]),
    ),
    positive(
        name="ppo-dynamic-exact",
        says="PPO's target leaves its path even when nothing is sampled.",
        criterion="0.95 less the share of updates with G > 0, PPO with exact expectations",
        measure=lambda by: 0.95 - (by["PPO, exact"].total > 0).mean(0),
    ),
    positive(
        name="ppo-explores",
        says="PPO balances exploration and exploitation: it pays for reward with less entropy "
        "than DPO.",
        criterion=f"{_AT_REWARD}the entropy, PPO less DPO",
        measure=_difference("PPO", "DPO", at_reward, "entropy"),
    ),
    positive(
        name="dpo-offset",
        says="In DPO positive and negative learning mutually offset each other.",
        criterion="the cosine of positive with negative learning's scores, mean over updates",
        measure=lambda by: cosine(by["DPO"]),
    ),
    positive(
        name="ppo-offset",
        says="In PPO they offset each other as well.",
        criterion="the same cosine, PPO",
        measure=lambda by: cosine(by["PPO"]),
    ),
    positive(
        name="dpo-offset-target",
        says="In DPO they serve the target in opposite directions.",
        criterion="the share of updates in the second half in which the two parts of G have "
        "opposite signs, less one half",
        measure=lambda by: opposed(by["DPO"]) - 0.5,
    ),
    positive(
        name="dpo-joint-negative",
        says="Negative learning shapes DPO's target.",
        criterion="total variation between the final policies with and without it, less that "
        "between whole and small batches",
        measure=lambda by: (
            distance(by["DPO"], by["DPO without negative"])
            - distance(by["DPO"], by["DPO, small batches"])
        ),
    ),
    positive(
        name="dpo-joint-positive",
        says="Positive learning shapes DPO's target.",
        criterion="total variation between the final policies with and without it, less that "
        "between whole and small batches",
        measure=lambda by: (
            distance(by["DPO"], by["DPO without positive"])
            - distance(by["DPO"], by["DPO, small batches"])
        ),
    ),
    positive(
        name="dpo-joint-reward",
        says="DPO's two parts together earn more than either alone.",
        criterion=f"{_AT_DRIFT}the true reward, DPO less the better of its parts alone",
        measure=lambda by: np.minimum(
            *(
                at_drift(by["DPO"], by[f"DPO without {part}"], "reward")
                for part in ("negative", "positive")
            )
        ),
    ),
    positive(
        name="dpo-weights-reward",
        says="DPO's weights act less as a reward signal: they do not grow with the true gap of "
        "rewards.",
        criterion="minus the correlation over pairs of weight with true gap, mean over updates "
        "after the first",
        measure=lambda by: -by["DPO"].weight_reward[1:].mean(0),
    ),
    positive(
        name="dpo-weights-hold-back",
        says="DPO's reweighting holds back from the target.",
        criterion=f"minus the part of G that is reweighting, mean of the first {EARLY} updates",
        measure=lambda by: -by["DPO"].service[:EARLY, 2].mean(0),
    ),
    positive(
        name="dpo-weights-overfitting",
        says="DPO's reweighting mitigates overfitting.",
        criterion=f"{_AT_DRIFT}the loss on all pairs with the judge's own probabilities, without "
        "reweighting less with it",
        measure=_difference("DPO without reweighting", "DPO", at_drift, "true_loss"),
        toys=PAIRS_ONLY,
    ),
    positive(
        name="dpo-weights-performance",
        says="DPO's reweighting earns reward by it.",
        criterion=f"{_AT_DRIFT}the true reward, with reweighting less without",
        measure=_difference("DPO", "DPO without reweighting", at_drift, "reward"),
    ),
    positive(
        name="dpo-weights-scaled",
        says="Half of the reweighting earns less than all of it and more than none.",
        criterion=f"{_AT_DRIFT}the true reward, the smaller of all less half and half less none",
        measure=lambda by: np.minimum(
            at_drift(by["DPO"], by["DPO, half reweighting"], "reward"),
            at_drift(by["DPO, half reweighting"], by["DPO without reweighting"], "reward"),
        ),
    ),
    positive(
        name="dpo-weights-errors",
        says="DPO's reweighting spares the mislabelled pairs.",
        criterion="1 less the mean weight of mislabelled pairs over that of the others, at the "
        "last update",
        measure=lambda by: 1 - by["DPO"].weight_error[-1],
    ),
    positive(
        name="ppo-negative-exploration",
        says="PPO's negative learning supports exploration.",
        criterion=f"{_AT_REWARD}the entropy, PPO less PPO without negative learning",
        measure=_difference("PPO", "PPO without negative", at_reward, "entropy"),
    ),
    positive(
        name="ppo-negative-verifiable",
        says="Where rewards are one or none and steps are large, PPO's negative learning supports "
        "exploration.",
        criterion=f"{_AT_REWARD}the entropy, PPO less PPO without negative learning",
        measure=_difference("PPO", "PPO without negative", at_reward, "entropy"),
        toys=(VERIFIABLE,),
    ),
    positive(
        name="ppo-negative-unsampled",
        says="It does so there when nothing is sampled, too.",
        criterion=f"{_AT_REWARD}the entropy, PPO less PPO without negative learning, both with "
        "exact expectations, less 0.01",
        measure=lambda by: (
            at_reward(by["PPO, exact"], by["PPO, exact without negative"], "entropy") - 0.01
        ),
        toys=(VERIFIABLE,),
    ),
    positive(
        name="ppo-negative-first-order",
        says="To first order PPO's negative learning raises the entropy.",
        criterion="slope of the entropy along evenly weighted negative learning, mean of the "
        f"first {EARLY} "
        "updates",
        measure=lambda by: by["PPO"].exploring[:EARLY, 1].mean(0),
    ),
    positive(
        name="ppo-negative-target",
        says="PPO's negative learning does not determine the target as positive learning does.",
        criterion="share of prompts whose likeliest final response is that of PPO, without "
        "negative less without positive learning",
        measure=lambda by: (
            agreement(by["PPO"], by["PPO without negative"])
            - agreement(by["PPO"], by["PPO without positive"])
        ),
    ),
    positive(
        name="ppo-negative-dispensable",
        says="PPO without negative learning earns as much after as many updates.",
        criterion="final reward, PPO without negative learning less PPO, plus 0.02",
        measure=lambda by: by["PPO without negative"].reward[-1] - by["PPO"].reward[-1] + 0.02,
    ),
    positive(
        name="ppo-weights-large",
        says="The third of the tokens with the largest advantages serves the target most.",
        criterion="its share of G over the run, less one half",
        measure=lambda by: shares(by["PPO"])[0] - 0.5,
    ),
    positive(
        name="ppo-weights-small",
        says="The third with the smallest advantages has no role in the target.",
        criterion="0.05 less its share of G over the run",
        measure=lambda by: 0.05 - shares(by["PPO"])[2],
    ),
    positive(
        name="ppo-weights-enough",
        says="Updates with the largest third alone earn as much.",
        criterion=f"{_AT_DRIFT}the true reward, the largest third less all, plus 0.05",
        measure=lambda by: at_drift(by["PPO, largest third"], by["PPO"], "reward") + 0.05,
    ),
    positive(
        name="ppo-weights-needed",
        says="Updates without the largest third earn less.",
        criterion=f"{_AT_DRIFT}the true reward, all less those without the largest third",
        measure=_difference("PPO", "PPO without largest third", at_drift, "reward"),
    ),
    positive(
        name="ppo-weights-even",
        says="PPO's reweighting determines the target.",
        criterion=f"{_AT_DRIFT}the true reward, PPO less PPO without reweighting",
        measure=_difference("PPO", "PPO without reweighting", at_drift, "reward"),
    ),
    positive(
        name="ppo-weights-idle",
        says="Advantages of whole responses teach tokens that earn nothing; token-level ones do "
        "not.",
        criterion="final divergence in the tokens that earn nothing, GRPO less PPO",
        measure=lambda by: by["GRPO"].idle_drift[-1] - by["PPO"].idle_drift[-1],
        toys=(TOKENS,),
    ),
    positive(
        name="controlled-ppo-entropy",
        says="PPO controlled by what was learned explores more.",
        criterion=f"{_AT_REWARD}the entropy; half of the negative learning and the largest third "
        "alone, less PPO",
        measure=_difference("PPO, controlled", "PPO", at_reward, "entropy"),
    ),
    positive(
        name="controlled-ppo-reward",
        says="PPO controlled by what was learned earns more.",
        criterion=f"{_AT_DRIFT}the true reward, controlled less PPO",
        measure=_difference("PPO, controlled", "PPO", at_drift, "reward"),
    ),
    positive(
        name="controlled-dpo-reward",
        says="DPO with steeper weights, and so more regularised, earns more.",
        criterion=f"{_AT_DRIFT}the true reward, with β doubled less DPO",
        measure=_difference("DPO, steeper weights", "DPO", at_drift, "reward"),
    ),
)
