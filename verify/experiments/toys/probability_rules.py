"""What counts for and against jian2025's sentences on toy worlds, fixed on other seeds.

A statement holds on a seed if the 95 % intervals over the seed's worlds lie on the named side of
the criterion, fails if one lies on the other side, and is undecided otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from disband.sims.simplex.misallocation import (
    CONTEXTS,
    EXACT,
    FEATURES,
    KINDS,
    ONE_STEP,
    OWN,
    PLAIN,
    REFERENCE_FREE,
    TERM,
    Reading,
)

from ..judging.intervals import Numbers, above, around, below, interval
from ..sentiment.rules import Outcome, Prediction
from .probability import Readings, Settings, farthest, of_worlds

Array = NDArray[np.float64]
Measure = Callable[[Readings, Settings], Numbers]


@dataclass(frozen=True)
class Rule:
    """A sentence before it meets data; see :class:`Prediction` for the words."""

    name: str
    says: str
    criterion: str
    numbers: Measure
    holds: Callable[[Numbers], bool | None]


def predictions(readings: Readings, settings: Settings) -> tuple[Prediction, ...]:
    """Judge every sentence on every seed."""
    judged = []
    for rule in RULES:
        outcomes = []
        for number, seed in enumerate(settings.seeds):
            its = slice(number * settings.worlds, (number + 1) * settings.worlds)
            only = replace(settings, seeds=(seed,))
            numbers = rule.numbers({k: of_worlds(r, its) for k, r in readings.items()}, only)
            outcomes.append(Outcome(seed, rule.holds(numbers), numbers))
        judged.append(Prediction(rule.name, rule.says, rule.criterion, tuple(outcomes)))
    return tuple(judged)


def _mass(log_probs: Array) -> Array:
    return np.asarray(np.exp(log_probs[..., 2:]).sum(-1))


def _shifted(one: Reading) -> NDArray[np.bool_]:
    """Contexts where responses in no pair held more than at the start at some time."""
    return np.asarray(one.most > _mass(one.start) + 1e-9)


def _lasting(one: Reading) -> NDArray[np.bool_]:
    """Contexts where they still do at the end."""
    return np.asarray(_mass(one.end) > _mass(one.start))


def _sensitive(readings: Readings, _: Settings) -> Numbers:
    numbers: Numbers = {}
    for kind in (FEATURES, CONTEXTS):
        one = readings[kind.name, PLAIN]
        behind, shifted = one.start[..., 0] < one.start[..., 1], _shifted(one)
        parts = [shifted[which] for which in (behind, ~behind)]
        error = np.sqrt(sum(part.var() / part.size for part in parts))
        numbers |= around(kind.name, float(parts[0].mean() - parts[1].mean()), float(error))
    return numbers


def _slope(method: str) -> Measure:
    def numbers(readings: Readings, _: Settings) -> Numbers:
        one = readings[OWN.name, method]
        before, after = ((lp[..., 0] - lp[..., 1]).ravel() for lp in (one.start, one.end))
        x = before - before.mean()
        slope = float((x * after).sum() / (x * x).sum())
        rest = after - after.mean() - slope * x
        error = np.sqrt((rest**2).sum() / (len(x) - 2) / (x * x).sum())
        return around("slope", slope, float(error))

    return numbers


def _shares(of: Callable[[Reading], NDArray[np.bool_]], kinds: Sequence[str]) -> Measure:
    def numbers(readings: Readings, _: Settings) -> Numbers:
        found: Numbers = {}
        for kind in kinds:
            found |= interval(kind, of(readings[kind, PLAIN]).mean(-1))
        return found

    return numbers


def _fell(one: Reading) -> NDArray[np.bool_]:
    return np.asarray((one.there < one.start)[one.reached][..., 0])


def _gainer(kind: str, candidate: str) -> Measure:
    def numbers(readings: Readings, settings: Settings) -> Numbers:
        one = readings[kind, PLAIN]
        gain = (np.exp(one.end) - np.exp(one.start))[..., 2:]
        likely = one.start[..., 2:].argmax(-1)
        wanted = farthest(settings, kind) if candidate == "farthest" else likely
        hit = (gain.argmax(-1) == wanted)[_lasting(one)]
        return {**interval(candidate, hit.astype(float)), "contexts": float(len(hit))}

    return numbers


def _compared(of: Callable[[Reading], Array], one: str, other: str) -> Measure:
    """Mean of ``of`` under one method minus that under another, world by world."""

    def numbers(readings: Readings, _: Settings) -> Numbers:
        found: Numbers = {}
        for kind in KINDS:
            first, second = (readings[kind.name, method] for method in (one, other))
            both = first.reached & second.reached
            found |= interval(kind.name, (of(first) - of(second))[both].mean(-1))
        return found

    return numbers


def _chosen(one: Reading) -> Array:
    return np.asarray(one.there[..., 0] - one.start[..., 0])


def _rejected(one: Reading) -> Array:
    return np.asarray(one.there[..., 1] - one.start[..., 1])


def _elsewhere(one: Reading) -> Array:
    return np.asarray(_mass(one.there) - _mass(one.start))


def _divergence(one: Reading) -> Array:
    return np.asarray((np.exp(one.there) * (one.there - one.start)).sum(-1))


def _at_the_end(one: Reading) -> Array:
    return np.asarray(np.exp(one.end[..., 0]))


def _gap(readings: Readings, _: Settings) -> Numbers:
    found: Numbers = {}
    for kind in KINDS:
        exact, step = readings[kind.name, EXACT], readings[kind.name, ONE_STEP]
        both = exact.reached & step.reached
        found |= interval(kind.name, np.abs(_chosen(exact) - _chosen(step))[both].mean(-1))
    return found


_ALL = tuple(kind.name for kind in KINDS)
_SHARED = (FEATURES.name, CONTEXTS.name)
_EVERY = "in every kind of world, "
_AT = "where the mean margin has grown by 4 nats, "

RULES: tuple[Rule, ...] = (
    Rule(
        "start-decides",
        "Where responses or contexts share features, too, DPO moves mass elsewhere more often "
        "where the chosen starts behind its rejected.",
        "the share of contexts where responses in no pair ever hold more than at the start is "
        "greater behind than ahead",
        _sensitive,
        above(0),
    ),
    Rule(
        "reference-free-forgets",
        "SimPO, which has no reference, is not so sensitive to its start.",
        "with own logits, at the end, a nat of starting log-odds is worth less than half a nat",
        _slope(REFERENCE_FREE),
        below(0.5),
    ),
    Rule(
        "spo-forgets",
        "Stable preference optimization is not so sensitive to its start.",
        "with own logits, at the end, a nat of starting log-odds is worth less than half a nat",
        _slope(EXACT),
        below(0.5),
    ),
    Rule(
        "shifts",
        "DPO shifts probability toward irrelevant responses at some time.",
        _EVERY + "in more than 15 % of the contexts",
        _shares(_shifted, _ALL),
        above(0.15),
    ),
    Rule(
        "passes",
        "With a logit for each response the shift passes.",
        "after all steps of DPO, in fewer than 5 % of the contexts irrelevant responses hold more "
        "than at the start",
        _shares(_lasting, (OWN.name,)),
        below(0.05),
    ),
    Rule(
        "lasts",
        "Where responses or contexts share features the shift lasts.",
        "after all steps of DPO, in more than a fifth of the contexts irrelevant responses hold "
        "more than at the start",
        _shares(_lasting, _SHARED),
        above(0.2),
    ),
    Rule(
        "to-the-farthest",
        "The mass goes to the irrelevant response that is farthest along the pair's difference of "
        "features.",
        "shared features, one context: in more than half of those with a lasting shift it gains "
        "most",
        _gainer(FEATURES.name, "farthest"),
        above(0.5),
    ),
    Rule(
        "to-the-farthest-of-its-own",
        "With several contexts, too, the mass goes to the response that the context's own pair "
        "favours.",
        "four contexts: in more than half of those with a lasting shift it gains most",
        _gainer(CONTEXTS.name, "farthest"),
        above(0.5),
    ),
    Rule(
        "to-the-likely",
        "The misallocation reinforces the model's bias: the mass goes to the irrelevant response "
        "that was likeliest before.",
        "shared features: in more than half of the contexts with a lasting shift it gains most",
        _gainer(FEATURES.name, "likeliest"),
        above(0.5),
    ),
    Rule(
        "chosen-falls",
        "Where responses or contexts share features DPO lowers chosen responses.",
        _AT + "in more than 5 % of the contexts the chosen is less likely than at the start",
        _shares(_fell, _SHARED),
        above(0.05),
    ),
    Rule(
        "spo-chosen",
        "Stable preference optimization encourages absolute improvement of the chosen.",
        _EVERY + _AT + "the chosen has risen more than under DPO",
        _compared(_chosen, EXACT, PLAIN),
        above(0),
    ),
    Rule(
        "spo-mass",
        "Stable preference optimization keeps probability from irrelevant responses.",
        _EVERY + _AT + "they hold less than under DPO",
        _compared(_elsewhere, EXACT, PLAIN),
        below(0),
    ),
    Rule(
        "spo-lower-level",
        "It is the tight integration with supervised fine-tuning that does it.",
        _AT + "the chosen has risen by at least 0.1 nat more, in every kind of world, than under "
        "the upper level alone",
        _compared(_chosen, EXACT, TERM),
        above(0.1),
    ),
    Rule(
        "spo-aligned",
        "Stable preference optimization consistently outperforms DPO: its distributions agree "
        "better with the preferences.",
        _EVERY + "after equal steps the chosen has more probability than under DPO",
        _compared(_at_the_end, EXACT, PLAIN),
        above(0),
    ),
    Rule(
        "spo-price",
        "The improvement costs nothing: the rejected falls as far.",
        _EVERY + _AT + "the rejected has not stayed higher than under DPO",
        _compared(_rejected, EXACT, PLAIN),
        below(0),
    ),
    Rule(
        "spo-distance",
        "With own logits stable preference optimization moves farther from the reference.",
        _AT + "the divergence from the reference, KL(policy, reference), is greater than under DPO",
        lambda readings, s: {
            n: v
            for n, v in _compared(_divergence, EXACT, PLAIN)(readings, s).items()
            if n.startswith(OWN.name)
        },
        above(0),
    ),
    Rule(
        "one-step",
        "One unrolled step stands in for the exact lower level.",
        _EVERY + _AT + "the chosen's log-probabilities differ by less than a quarter of a nat on "
        "average",
        _gap,
        below(0.25),
    ),
)

CRITERIA = {rule.name: rule.criterion for rule in RULES}
