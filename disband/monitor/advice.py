"""A diagnosis in words: what happened, when, which case, what the band said, what to do."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from .diagnosis import ALIKE, MARGIN, MISFIT, MOST, REFERENCE, Cause, Diagnosis, Phase, State
from .motion import ENOUGH, Motion
from .numbers import CASES

_SHOWN_PHASES = 8
_MOST_ACTIONS = 3


class Said(NamedTuple):
    """A diagnosis in words, each part a list of sentences.

    Args:
        headline: The verdict, in a sentence or two.
        happened: What became of chosen, rejected and margin, and when.
        cases: Which case the pairs were in, and when.
        band: What the band said.
        why: Why the chosen fell, if it did.
        todo: What to do, what matters most first; three things at most.
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
            *(_moved(found, side, motion) for side, motion in found.motions.items()),
            *(_moved(found, f"held-out {s}", motion) for s, motion in found.held_out.items()),
            *_loss(found),
            *_steps(found),
        ],
        list(_cases(found)),
        list(_band(found)),
        list(_why(found)),
        list(islice(_todo(found), _MOST_ACTIONS)),
    )


def shares(phase: Phase) -> str:
    """The shares of the cases in a phase, the greatest first, such as ``80 % both fall``."""
    each = {case: phase.means.get(name, 0.0) for case, name in CASES.items()}
    order = sorted(each, key=lambda case: (-each[case], case))
    return ", ".join(f"{each[case]:.0%} {case.words}" for case in order if each[case] > 0.005)


def _headline(found: Diagnosis) -> str:
    if found.state in _ALONE:
        return _sentence(found.state.value)
    words = {1: "rose", 0: "did not move beyond its noise", -1: "fell"}
    sides = [
        f"the {side} {words[found.motions[side].direction]}"
        for side in ("chosen", "rejected")
        if side in found.motions
    ]
    few = found.motions["chosen"].lines < ENOUGH
    told = _sentence(" and ".join(sides) + (", as far as so few lines tell" if few else ""))
    if found.state is State.TOLD:
        return told
    if found.state is State.SHORT:
        lines = found.motions["chosen"].lines
        return f"{_sentence(found.state.value)} {_count(lines)} no estimate of noise."
    margin, held_out = found.motions.get("margin"), found.held_out.get("chosen")
    numbers = ""
    if found.state is State.EXPLODED and margin is not None:
        numbers = f" It is {margin.end:.3g} by the end, where a sigmoid no longer pulls."
    if found.state is State.HELD_OUT and held_out is not None:
        numbers = f" Held-out: {held_out.start:+.3g} to {held_out.end:+.3g}."
    return f"{_sentence(found.state.value)}{numbers} In training {told[0].lower()}{told[1:]}"


# Beside these nothing else is worth a verdict.
_ALONE = (State.BROKEN, State.BROKE, State.UNTRAINED, State.MOTIONLESS, State.NO_SIDES)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _count(lines: int) -> str:
    return "One line carries" if lines == 1 else f"{lines} lines carry"


def _at(found: Diagnosis, step: int) -> str:
    """A step by name; a line of a log without steps, and its epoch."""
    epoch = f", epoch {found.epochs[step]:g}" if step in found.epochs else ""
    return f"{found.unit} {step}{epoch}"


def _moved(found: Diagnosis, side: str, motion: Motion) -> str:
    units = "β × nats" if motion.metric.startswith("rewards") else "nats"
    if motion.lines == 1:
        return f"{side}: {motion.start:.3g} ({motion.metric}, {units}; one line)"
    noise = (
        f"{motion.lines} lines" if math.isnan(motion.noise) else f"give or take {motion.noise:.2g}"
    )
    ends = f"{motion.start:.3g} to {motion.end:.3g}"
    moved = f"{side}: {ends} ({motion.metric}, {units}; {noise})"
    if motion.halfway is not None:
        moved += f"; half of the change by {_at(found, motion.halfway)}"
    if (turn := motion.turn) is not None:
        down = turn.value < motion.start
        way, undone = ("lowest", "fall regained") if down else ("highest", "rise lost")
        share = "all" if round(turn.back, 2) >= 1 else f"{turn.back:.0%}"
        moved += (
            f"; {way} {turn.value:.3g} at {_at(found, turn.step)}, {share} of that {undone} since"
        )
    return moved


def _loss(found: Diagnosis) -> Iterator[str]:
    if not math.isnan(found.smoothing):
        yield (
            f"the loss rests where the floor of label smoothing {found.smoothing:.1g} is, with the "
            "margin that is best there: if that was set, the loss cannot fall further"
        )
    if not math.isnan(found.free):
        yield (
            f"the rewards are {found.free:.2g} times the log-probabilities: the objective has no "
            "reference (as ORPO, SimPO and CPO have none), and its rewards do not begin at 0"
        )
    if abs(found.first_reward) > REFERENCE:
        first = f"the first reward of the chosen is {found.first_reward:+.3g}, not 0"
        if found.unit == "step" and found.began <= 1:
            yield f"{first}: the reference is not the model that training began with"
        else:
            yield (
                f"{first}, at {_at(found, found.began)} already, further than it moves between "
                "any two lines later: the reference is not the model that training began with, or "
                "most had moved by then"
            )


def _ended(found: Diagnosis) -> Iterator[str]:
    yield from found.remarks
    if found.planned is not None and found.reached < found.planned:
        yield (
            f"the log ends at step {found.reached} of {found.planned}: training broke off after "
            "it, or goes on; what is said here is of the steps until then"
        )
    if found.broken:
        named = ", ".join(f"{name} ({_at(found, step)})" for name, step in found.broken.items())
        yield (
            f"not a finite number, first at the {found.unit} named: {named}; these values are left "
            "out"
        )


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


_MENDS = {
    State.BROKEN: (
        "Look at the first step, not at the learning rate: no update had been made. Train in "
        "bfloat16 or float32 (float16 overflows), and see with disband probe whether a response "
        "keeps no token after the trainer's cut."
    ),
    State.BROKE: (
        "Lower the learning rate or clip gradients, from a checkpoint before that; disband probe "
        "says whether a response has no token."
    ),
    State.GAPS: (
        "The weights are whole, or no later number would be finite: look for batches without a "
        "chosen or without a rejected (unpaired data, as KTO's), and for responses that keep no "
        "token after the trainer's cut, which disband probe names."
    ),
    State.UNTRAINED: (
        "See what the trainer keeps of a pair: max_length that cuts the response away, or a "
        "completion mask that is empty. disband probe counts such pairs."
    ),
    State.MOTIONLESS: (
        "See that something is trained: parameters that require gradients, an adapter that is "
        "active, a learning rate above 0, optimizer steps that are not skipped."
    ),
    State.NO_SIDES: (
        "Give the log of a preference run, one with rewards/chosen or logps/chosen: "
        "trainer_state.json of the same run has them where a summary of it has not. What a model "
        "would do with preference data, disband probe says before training."
    ),
    State.SHORT: (
        f"Log more often: from {ENOUGH} lines on, noise can be told (logging_steps). A summary "
        "such as all_results.json has one line; trainer_state.json of the same run has them all."
    ),
    State.EXPLODED: (
        f"Beyond a margin of {MARGIN:.0f} the loss no longer pulls, and what moves is left to "
        "chance: stop earlier, lower the learning rate, or take an objective with a target (IPO)."
    ),
    State.HELD_OUT: (
        "Keep the checkpoint at which the held-out chosen was highest, and train for fewer epochs "
        "or at a lower rate: what rises in training is learnt by heart."
    ),
}


def _todo(found: Diagnosis) -> Iterator[str]:
    if found.state in _MENDS:
        yield _MENDS[found.state]
    if found.state in _ALONE:
        return
    if found.cause is Cause.UNKNOWN:
        yield (
            "Let disband probe say why, of the model that training began with and its data, or "
            "watch the next run: disband.Monitor(every=10).watch(trainer) before trainer.train()."
        )
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
    if found.mean("both_rise") >= MOST:
        yield (
            "The rejected rise with the chosen: the ratio of incentives lies above the band. "
            "Lower the weight of the likelihood term, or calibrate by pairs."
        )
    if found.misfit > MISFIT:
        yield (
            "Steps are too large for what is said to first order, cases and band included: trust "
            "the measured changes, or lower the learning rate."
        )
    if found.mean("cosine") >= ALIKE:
        yield (
            f"Chosen and rejected are almost the same to the model (cosine at least {ALIKE}): no "
            "ratio separates them much. Look at the pairs, and leave out near duplicates."
        )
    if found.mean("still") >= MOST:
        yield (
            "Most pairs by themselves do not move: their responses are identical, or the "
            "objective is satisfied with them (a hinge). disband probe names identical pairs."
        )
    moved = found.motions.get("chosen")
    if found.cause is not Cause.NONE and moved is not None and moved.halfway is not None:
        yield f"A checkpoint before {_at(found, moved.halfway)} has less than half of the fall."
    rises = found.mean("both_rise") >= MOST
    if found.state is State.TOLD and found.cause is Cause.NONE and not rises:
        yield "Nothing needs mending: the chosen did not fall beyond its noise."
