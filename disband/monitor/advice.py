"""A diagnosis in words: what happened, when, which case, what the band said, what to do."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from .diagnosis import ALIKE, MISFIT, MOST, Cause, Diagnosis, Motion, Phase
from .numbers import CASES

_SHOWN_PHASES = 8
_UNITS = {
    "rewards/chosen": "reward (β times nats)",
    "rewards/rejected": "reward (β times nats)",
    "rewards/margins": "reward (β times nats)",
}


class Said(NamedTuple):
    """A diagnosis in words, each part a list of sentences.

    Args:
        headline: One sentence.
        happened: What became of chosen, rejected and margin, and when.
        cases: Which case the pairs were in, and when.
        band: What the band said.
        why: Why the chosen fell, if it did.
        todo: What to do.
    """

    headline: str
    happened: list[str]
    cases: list[str]
    band: list[str]
    why: list[str]
    todo: list[str]


def said(found: Diagnosis) -> Said:
    """Say a diagnosis in words."""
    return Said(
        _headline(found),
        [
            *_ended(found),
            *(_moved(side, motion) for side, motion in found.motions.items()),
            *_steps(found),
        ],
        list(_cases(found)),
        list(_band(found)),
        list(_why(found)),
        list(_todo(found)),
    )


def shares(phase: Phase) -> str:
    """The shares of the cases in a phase, the greatest first, such as ``80 % both fall``."""
    each = {case: phase.means.get(name, 0.0) for case, name in CASES.items()}
    order = sorted(each, key=lambda case: (-each[case], case))
    return ", ".join(f"{each[case]:.0%} {case.words}" for case in order if each[case] > 0.005)


def _headline(found: Diagnosis) -> str:
    words = {1: "rose", 0: "did not move beyond its noise", -1: "fell"}
    sides = [
        f"the {side} {words[found.motions[side].direction]}"
        for side in ("chosen", "rejected")
        if side in found.motions
    ]
    if not sides:
        return "The log has neither rewards nor log-probabilities of chosen and rejected."
    sentence = " and ".join(sides) + "."
    return sentence[0].upper() + sentence[1:]


def _moved(side: str, motion: Motion) -> str:
    units = _UNITS.get(motion.metric, "nats")
    change = f"{motion.start:+.3g} to {motion.end:+.3g} {units}"
    noise = "" if math.isnan(motion.error) else f", give or take {2 * motion.error:.2g}"
    when = (
        ""
        if motion.halfway is None
        else f"; half of that change had happened by step {motion.halfway}"
    )
    return f"{side}: {change} ({motion.metric}{noise}){when}"


def _ended(found: Diagnosis) -> Iterator[str]:
    if found.planned is not None and found.reached < found.planned:
        yield (
            f"the log ends at step {found.reached} of {found.planned}: training broke off after "
            "it, or goes on; what is said here is of the steps until then"
        )
    if found.broken:
        named = ", ".join(f"{name} (step {step})" for name, step in found.broken.items())
        yield f"not a finite number, first at the step named: {named}; these values are left out"


def _steps(found: Diagnosis) -> Iterator[str]:
    if not found.looks:
        return
    yield (
        f"one step changed its own pairs by {found.mean('measured_chosen'):+.3g} (chosen) and "
        f"{found.mean('measured_rejected'):+.3g} nats (rejected) in the mean; "
        f"{found.mean('chosen_fell'):.0%} of the chosen fell, "
        f"{found.mean('rejected_rose'):.0%} of the rejected rose"
    )
    if not math.isnan(found.misfit):
        yield (
            f"to first order the chosen would change by {found.mean('predicted_chosen'):+.3g} and "
            f"the rejected by {found.mean('predicted_rejected'):+.3g} nats a step: "
            f"{'close to' if found.misfit <= MISFIT else 'far from'} what was measured (steps "
            f"differ from it by {found.misfit:.0%} in the mean)"
        )


def _cases(found: Diagnosis) -> Iterator[str]:
    for phase in found.phases[:_SHOWN_PHASES]:
        yield f"steps {phase.first} to {phase.last}: {shares(phase)}"
    if (rest := len(found.phases) - _SHOWN_PHASES) > 0:
        yield f"and {rest} more stretches"


def _band(found: Diagnosis) -> Iterator[str]:
    if not found.looks:
        return
    if math.isnan(found.mean("in_band")):
        yield "no pair had two positive incentives, so that none had a band"
        return
    factor = found.mean("factor")
    yield (
        f"{found.mean('in_band'):.0%} of the pairs with positive incentives were in their band; "
        f"the scores' cosine was {found.mean('cosine'):.2f}, their norm ratio ‖b‖/‖a‖ "
        f"{found.mean('norm_ratio'):.2f}, the objective's ratio of incentives d_w/d_l "
        f"{found.mean('incentive_ratio'):.2f}"
        + ("" if factor == 1 else f", which calibration multiplied by {factor**2:.2f}")
    )
    wanted = found.mean("factor_wanted")
    if not math.isnan(wanted):
        yield f"the factor that puts the ratio on the centre of the band was δ = {wanted:.2f}"
    if found.mean("in_band") < MOST:
        side = "below" if found.mean("both_fall") >= found.mean("both_rise") else "above"
        yield f"most of these pairs were {side} the band"


def _why(found: Diagnosis) -> Iterator[str]:
    if found.cause is Cause.NONE:
        return
    if found.cause is Cause.UNKNOWN:
        yield "The chosen fell; the log does not tell why, as no monitor watched."
        return
    yield f"The chosen fell because of {found.cause.value}."
    if found.cause is Cause.STEP:
        yield (
            "By their own incentives and scores most pairs would not do that: in a batch, the "
            "scores of other pairs and what the optimizer remembers outweigh a pair's own part."
        )
    if found.cause is Cause.LATER:
        yield (
            "A step raises the chosen that it trains on, and yet they are lower when seen again "
            "or elsewhere: other pairs share these directions."
        )


def _todo(found: Diagnosis) -> Iterator[str]:
    if found.cause is Cause.UNKNOWN:
        yield "Watch the next run: disband.Monitor(every=10).watch(trainer) before trainer.train()."
    if found.cause is Cause.OWN:
        # Below the band in spite of one factor for all: theirs differ.
        how = "average" if found.mean("factor") == 1 else "pairs"
        yield (
            f'Raise the ratio of incentives: Monitor(calibrate="{how}") does it during '
            "training, and a likelihood term on the chosen does it in the loss "
            '(loss_type=["sigmoid", "sft"], or CPO).'
        )
    if found.cause is Cause.TURNED:
        yield (
            "No calibration mends incentives that are not positive: the objective pulls margins "
            "back from beyond their target (IPO does), or takes labels for wrong. Choose another "
            "target (IPO's is 1/(2β)), or another objective."
        )
    if found.cause in (Cause.STEP, Cause.LATER):
        yield (
            "Calibrating single pairs does not mend this. Add a likelihood term on the chosen "
            '(loss_type=["sigmoid", "sft"]), lower the learning rate, and mix the batches so that '
            "pairs alike do not come together."
        )
    moved = found.motions.get("chosen")
    if found.cause is not Cause.NONE and moved is not None and moved.halfway is not None:
        yield f"Before step {moved.halfway}, less than half of the fall had happened."
    if found.mean("both_rise") >= MOST:
        yield (
            "The rejected rise with the chosen: the ratio of incentives lies above the band. "
            "Lower the weight of the likelihood term, or calibrate by pairs."
        )
    if found.mean("cosine") >= ALIKE:
        yield (
            f"Chosen and rejected are almost the same to the model (cosine at least {ALIKE}): no "
            "ratio separates them much. Look at the pairs, and leave out near duplicates."
        )
    if found.misfit > MISFIT:
        yield (
            "Steps are too large for what is said to first order, cases and band included: trust "
            "the measured changes, or lower the learning rate."
        )
    if found.mean("still") >= MOST:
        yield (
            "Most pairs by themselves do not move: their responses are identical, or the "
            "objective is satisfied with them (a hinge). disband probe names identical pairs."
        )
    if found.broken:
        yield (
            "Numbers that are not finite come of steps too large, or of a response without a "
            "token: lower the learning rate or clip gradients, and see what disband probe says of "
            "the data."
        )
        return
    rises = found.mean("both_rise") >= MOST
    if found.cause is Cause.NONE and found.motions and not rises:
        yield "The chosen did not fall: nothing needs to be changed for it."
