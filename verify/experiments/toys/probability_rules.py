"""What counts for and against jian2025's sentences on toy worlds, fixed on other seeds.

A statement holds on a seed if the 95 % intervals over the seed's worlds lie on the named side of
the criterion, fails if one lies on the other side, and is undecided otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

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
    Kind,
    Reading,
)

from ..judging.intervals import above, around, below, difference, interval, named
from ..judging.prediction import Numbers, Prediction, Rule, criteria, judge
from .probability import Evolution, Readings, farthest, of_worlds

Array = NDArray[np.float64]


class Measured(NamedTuple):
    """What was read off the worlds of one seed, and the settings that draw these worlds."""

    readings: Readings
    settings: Evolution


Measure = Callable[[Measured], Numbers]


def predictions(readings: Readings, settings: Evolution) -> tuple[Prediction, ...]:
    """Judge every sentence on every seed."""
    by_seed = {}
    for number, seed in enumerate(settings.seeds):
        worlds = slice(number * settings.worlds, (number + 1) * settings.worlds)
        own = {key: of_worlds(reading, worlds) for key, reading in readings.items()}
        by_seed[seed] = Measured(own, replace(settings, seeds=(seed,)))
    return judge(RULES, by_seed)


def _mass(log_probs: Array) -> Array:
    return np.asarray(np.exp(log_probs[..., 2:]).sum(-1))


def _shifted(run: Reading) -> NDArray[np.bool_]:
    """Contexts where responses in no pair held more than at the start at some time."""
    return np.asarray(run.most > _mass(run.start) + 1e-9)


def _lasting(run: Reading) -> NDArray[np.bool_]:
    """Contexts where they still do at the end."""
    return np.asarray(_mass(run.end) > _mass(run.start))


def _sensitive(measured: Measured) -> Numbers:
    numbers: Numbers = {}
    for kind in (FEATURES, CONTEXTS):
        run = measured.readings[kind.name, PLAIN]
        behind, shifted = run.start[..., 0] < run.start[..., 1], _shifted(run)
        numbers |= named(kind.name, difference(shifted[behind], shifted[~behind]))
    return numbers


def _slope(method: str) -> Measure:
    def numbers(measured: Measured) -> Numbers:
        run = measured.readings[OWN.name, method]
        before, after = ((lp[..., 0] - lp[..., 1]).ravel() for lp in (run.start, run.end))
        from scipy.stats import linregress  # half a second, which a claim does not wait for

        line = linregress(before, after)
        return named("slope", around(line.slope, line.stderr, len(before) - 2))

    return numbers


def _shares(of: Callable[[Reading], NDArray[np.bool_]], kinds: Sequence[str]) -> Measure:
    def numbers(measured: Measured) -> Numbers:
        return _intervals({k: of(measured.readings[k, PLAIN]).mean(-1) for k in kinds})

    return numbers


def _intervals(values: Mapping[str, Array]) -> Numbers:
    return {n: v for name, each in values.items() for n, v in named(name, interval(each)).items()}


def _fell(run: Reading) -> NDArray[np.bool_]:
    return np.asarray((run.there < run.start)[run.reached][..., 0])


def _gainer(kind: str, candidate: str) -> Measure:
    def numbers(measured: Measured) -> Numbers:
        run = measured.readings[kind, PLAIN]
        gain = (np.exp(run.end) - np.exp(run.start))[..., 2:]
        likely = run.start[..., 2:].argmax(-1)
        wanted = farthest(measured.settings, kind) if candidate == "farthest" else likely
        hit = (gain.argmax(-1) == wanted)[_lasting(run)]
        return {**named(candidate, interval(hit)), "contexts": float(len(hit))}

    return numbers


def _compared(
    of: Callable[[Reading], Array],
    first: str,
    second: str,
    kinds: Sequence[Kind] = KINDS,
    size: Callable[[Array], Array] = np.asarray,
) -> Measure:
    """Mean of ``of`` under one method minus that under another, world by world."""

    def numbers(measured: Measured) -> Numbers:
        differences = {}
        for kind in kinds:
            runs = [measured.readings[kind.name, method] for method in (first, second)]
            both = runs[0].reached & runs[1].reached
            differences[kind.name] = size(of(runs[0]) - of(runs[1]))[both].mean(-1)
        return _intervals(differences)

    return numbers


def _chosen(run: Reading) -> Array:
    return np.asarray(run.there[..., 0] - run.start[..., 0])


def _rejected(run: Reading) -> Array:
    return np.asarray(run.there[..., 1] - run.start[..., 1])


def _elsewhere(run: Reading) -> Array:
    return np.asarray(_mass(run.there) - _mass(run.start))


def _divergence(run: Reading) -> Array:
    return np.asarray((np.exp(run.there) * (run.there - run.start)).sum(-1))


def _at_the_end(run: Reading) -> Array:
    return np.asarray(np.exp(run.end[..., 0]))


_ALL = tuple(kind.name for kind in KINDS)
_SHARED = (FEATURES.name, CONTEXTS.name)
_EVERY = "in every kind of world, "
_AT = "where the mean margin has grown by 4 nats, "

RULES: tuple[Rule[Measured], ...] = (
    Rule(
        name="start-decides",
        says="Where responses or contexts share features, too, DPO moves mass elsewhere more often "
        "where the chosen starts behind its rejected.",
        criterion="the share of contexts where responses in no pair ever hold more than at the "
        "start is greater behind than ahead",
        numbers=_sensitive,
        holds=above(0),
    ),
    Rule(
        name="reference-free-forgets",
        says="SimPO, which has no reference, is not so sensitive to its start.",
        criterion="with own logits, at the end, a nat of starting log-odds is worth less than "
        "half a nat",
        numbers=_slope(REFERENCE_FREE),
        holds=below(0.5),
    ),
    Rule(
        name="spo-forgets",
        says="Stable preference optimization is not so sensitive to its start.",
        criterion="with own logits, at the end, a nat of starting log-odds is worth less than "
        "half a nat",
        numbers=_slope(EXACT),
        holds=below(0.5),
    ),
    Rule(
        name="shifts",
        says="DPO shifts probability toward irrelevant responses at some time.",
        criterion=_EVERY + "in more than 15 % of the contexts",
        numbers=_shares(_shifted, _ALL),
        holds=above(0.15),
    ),
    Rule(
        name="passes",
        says="With a logit for each response the shift passes.",
        criterion="after all steps of DPO, in fewer than 5 % of the contexts irrelevant responses "
        "hold more than at the start",
        numbers=_shares(_lasting, (OWN.name,)),
        holds=below(0.05),
    ),
    Rule(
        name="lasts",
        says="Where responses or contexts share features the shift lasts.",
        criterion="after all steps of DPO, in more than a fifth of the contexts irrelevant "
        "responses hold more than at the start",
        numbers=_shares(_lasting, _SHARED),
        holds=above(0.2),
    ),
    Rule(
        name="to-the-farthest",
        says="The mass goes to the irrelevant response that is farthest along the pair's "
        "difference of features.",
        criterion="shared features, one context: in more than half of those with a lasting shift "
        "it gains most",
        numbers=_gainer(FEATURES.name, "farthest"),
        holds=above(0.5),
    ),
    Rule(
        name="to-the-farthest-of-its-own",
        says="With several contexts, too, the mass goes to the response that the context's own "
        "pair favours.",
        criterion="four contexts: in more than half of those with a lasting shift it gains most",
        numbers=_gainer(CONTEXTS.name, "farthest"),
        holds=above(0.5),
    ),
    Rule(
        name="to-the-likely",
        says="Where a shift lasts, the mass goes to the irrelevant response that was likeliest "
        "before.",
        criterion="shared features: in more than half of the contexts with a lasting shift it "
        "gains most",
        numbers=_gainer(FEATURES.name, "likeliest"),
        holds=above(0.5),
    ),
    Rule(
        name="chosen-falls",
        says="Where responses or contexts share features DPO lowers chosen responses.",
        criterion=_AT
        + "in more than 5 % of the contexts the chosen is less likely than at the start",
        numbers=_shares(_fell, _SHARED),
        holds=above(0.05),
    ),
    Rule(
        name="spo-chosen",
        says="Stable preference optimization encourages absolute improvement of the chosen.",
        criterion=_EVERY + _AT + "the chosen has risen more than under DPO",
        numbers=_compared(_chosen, EXACT, PLAIN),
        holds=above(0),
    ),
    Rule(
        name="spo-mass",
        says="Stable preference optimization keeps probability from irrelevant responses.",
        criterion=_EVERY + _AT + "they hold less than under DPO",
        numbers=_compared(_elsewhere, EXACT, PLAIN),
        holds=below(0),
    ),
    Rule(
        name="spo-lower-level",
        says="It is the tight integration with supervised fine-tuning that does it.",
        criterion=_AT
        + "the chosen has risen by at least 0.1 nat more, in every kind of world, than under "
        "the upper level alone",
        numbers=_compared(_chosen, EXACT, TERM),
        holds=above(0.1),
    ),
    Rule(
        name="spo-aligned",
        says="Stable preference optimization consistently outperforms DPO: its distributions agree "
        "better with the preferences.",
        criterion=_EVERY + "after equal steps the chosen has more probability than under DPO",
        numbers=_compared(_at_the_end, EXACT, PLAIN),
        holds=above(0),
    ),
    Rule(
        name="spo-price",
        says="The improvement costs nothing: the rejected falls as far.",
        criterion=_EVERY + _AT + "the rejected has not stayed higher than under DPO",
        numbers=_compared(_rejected, EXACT, PLAIN),
        holds=below(0),
    ),
    Rule(
        name="spo-distance",
        says="With own logits stable preference optimization moves farther from the reference.",
        criterion=_AT
        + "the divergence from the reference, KL(policy, reference), is greater than under DPO",
        numbers=_compared(_divergence, EXACT, PLAIN, (OWN,)),
        holds=above(0),
    ),
    Rule(
        name="one-step",
        says="One unrolled step stands in for the exact lower level.",
        criterion=_EVERY
        + _AT
        + "the chosen's log-probabilities differ by less than a quarter of a nat on "
        "average",
        numbers=_compared(_chosen, EXACT, ONE_STEP, size=np.abs),
        holds=below(0.25),
    ),
)

CRITERIA = criteria(RULES)
