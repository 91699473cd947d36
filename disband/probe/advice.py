"""Plain advice from what was measured: rules with their thresholds, each with its reason."""

from collections.abc import Mapping, Sequence
from math import isnan

from disband.verify.pages.tables import percent

from .about_data import BLOCKING, MANY, about_data, few
from .records import (
    Advice,
    BatchReport,
    Geometry,
    PairReport,
    PairsAt,
    TokenCounts,
    falls,
    interval,
    rises,
)

# A rule that rests on a sampled share looks at its interval's low end.
MOST = 0.5
TOGETHER = 0.5  # a rank correlation
AGREE = 0.75  # of pairs
PULL = "add a term that pulls the chosen alone, too small to lift the rejected"


def advise(
    counts: Mapping[str, int],
    tokens: TokenCounts,
    pairs: Sequence[PairReport],
    groups: Sequence[BatchReport | None],
    geometry: Geometry,
    more: Sequence[Advice] = (),
) -> list[Advice]:
    """Every rule: those that apply first, of them the heaviest.

    Where batches were measured, what is said of single pairs weighs as much as batches bear it
    out: a trainer steps on batches.

    Args:
        counts: Of all rows; see :class:`disband.probe.survey.Counts`.
        tokens: Of the sample; see :func:`disband.probe.distances.statistics`.
        pairs: Of each objective; see :func:`disband.probe.shares.pair_report`. The first is the
            one that is meant to be trained.
        groups: Of each objective's batches; see :func:`disband.probe.shares.batch_report`.
        geometry: Of the sample under the first objective.
        more: Rules about something else.
    """
    first, name = pairs[0]["at"][0], pairs[0]["objective"]
    batch = groups[0]

    def borne_out(*outcomes: str) -> float:
        of, total = (
            (batch["means"], batch["batches"])
            if batch
            else (first["outcomes"], first["outcomes"]["ideal"]["of"])
        )
        return sum(of[outcome]["count"] for outcome in outcomes) / max(total, 1)

    rules = [
        _no_number(name, first),
        *([_empty(name, batch), _batches(name, batch), _mixed(name, batch)] if batch else []),
        _both_fall(name, first, geometry, borne_out("both_fall")),
        _some_fall(name, first, borne_out("both_fall")),
        _lengths(name, first, geometry, borne_out("both_fall")),
        _spread(name, first, borne_out("both_fall", "both_rise", "reversed")),
        _others(name, pairs, groups),
        _both_rise(name, first, borne_out("both_rise")),
        _turned(name, first, borne_out("reversed")),
        *about_data(counts, tokens, batch["size"] if batch else 1),
        few(name, first),
        *more,
    ]
    if not any(rule["applies"] for rule in rules):
        rules.insert(0, _nothing(name, first))
    return sorted(rules, key=lambda rule: (not rule["applies"], -rule["weight"]))


def _both_fall(name: str, first: PairsAt, geometry: Geometry, weight: float) -> Advice:
    both = first["outcomes"]["both_fall"]
    factor = first["calibration"]
    cosine, ratio = geometry["cosine"], geometry["norm_ratio"]
    told = (
        f"median cosine {cosine['median']:.2f}, median ‖b‖/‖a‖ {ratio['median']:.2f}"
        if cosine and ratio
        else "no scores"
    )
    one = first["one_factor"]
    remedy = (
        f"Calibrate: pull on the chosen times δ, push on the rejected divided by δ, median "
        f"δ = {factor['median']:.2f} (one δ = {one['factor']:.2f} for all makes "
        f"{percent(one['ideal']['share'])} ideal); or {PULL}."
        if factor and one
        else f"No factor calibrates this one: {PULL}."
    )
    return Advice(
        topic="entanglement",
        weight=weight,
        rule=f"Both fall: surely more than {percent(MOST)} of the pairs under {name}",
        measured=f"both fall for {interval(both)}; {told}",
        applies=both["low"] > MOST,
        advice=remedy,
        reason=(
            "The push on the rejected response, felt through the cosine, exceeds the pull on the "
            "chosen one: d_l⟨a,b⟩ > d_w‖a‖². Nothing is wrong with the program."
        ),
    )


def _some_fall(name: str, first: PairsAt, weight: float) -> Advice:
    both = first["outcomes"]["both_fall"]
    return Advice(
        topic="entanglement",
        weight=weight,
        rule=(
            f"Some fall: both surely fall for more than {percent(MANY)} of the pairs under {name}, "
            f"and not surely for more than {percent(MOST)}"
        ),
        measured=f"both fall for {interval(both)}",
        applies=MANY < both["low"] <= MOST,
        advice=(
            "Look at the pairs worst off below, and watch the chosen log-probabilities; factors "
            'pair by pair (Monitor(calibrate="pairs")) mend these and change little for the others.'
        ),
        reason=(
            "In these pairs the push on the rejected response, felt through the cosine, exceeds "
            "the pull on the chosen one."
        ),
    )


def _no_number(name: str, first: PairsAt) -> Advice:
    unknown = first["outcomes"]["unknown"]
    return Advice(
        topic="numbers",
        weight=BLOCKING,
        rule=f"Not a number: of any pair, under {name}",
        measured=f"no number for {interval(unknown)}",
        applies=unknown["count"] > 0,
        advice=(
            "Find out what the model makes of these pairs before you train (--dtype float32 here, "
            "and the checkpoint itself)."
        ),
        reason=(
            "Log-probabilities or scores that are not finite make every parameter NaN in one step."
        ),
    )


def _turned(name: str, first: PairsAt, weight: float) -> Advice:
    turned = first["outcomes"]["reversed"]
    return Advice(
        topic="target",
        weight=weight,
        rule=f"Reversed: surely more than {percent(MANY)} of the pairs under {name}",
        measured=f"the chosen falls and the rejected rises for {interval(turned)}",
        applies=turned["low"] > MANY,
        advice="Choose another target margin or another objective; no calibration mends these.",
        reason=(
            "With positive incentives no pair is reversed: here the objective pulls margins back, "
            "as they are beyond its target."
        ),
    )


def _both_rise(name: str, first: PairsAt, weight: float) -> Advice:
    both = first["outcomes"]["both_rise"]
    factor = first["calibration"]
    return Advice(
        topic="rise",
        weight=weight,
        rule=f"Both rise: surely more than {percent(MOST)} of the pairs under {name}",
        measured=f"both rise for {interval(both)}",
        applies=both["low"] > MOST,
        advice=(
            "Expect the rejected to rise at first; a factor below one on the chosen's pull"
            + (f" (median δ = {factor['median']:.2f})" if factor else "")
            + " would turn it."
        ),
        reason=(
            "The pull on the chosen response, felt through the cosine, exceeds the push on the "
            "rejected one: d_w⟨a,b⟩ > d_l‖b‖²."
        ),
    )


def _batches(name: str, batch: BatchReport) -> Advice:
    falling = falls(batch)
    empty = batch["empty_band"]["count"] > MANY * batch["batches"]
    return Advice(
        topic="entanglement",
        weight=(falling / batch["batches"]),
        rule=(
            f"Batches fall: in more than {percent(MOST)} of the measured batches the mean chosen "
            f"falls under {name}"
        ),
        measured=(
            f"{falling} of {batch['batches']} batches of {batch['size']}; "
            f"{interval(batch['as_alone'])} of their pairs go the way their own products say"
        ),
        applies=falling > MOST * batch["batches"],
        advice=(
            "Expect chosen log-probabilities to fall from the first steps; "
            + (
                "scale the two sides of the whole batch"
                f" (median δ = {batch['factor']['median']:.2f}), or "
                if batch["factor"] and not empty
                else ""
            )
            + f"{PULL}."
        ),
        reason=(
            "A batch's step moves a response by the products with all scores of the batch, not "
            "only with those of its own pair."
        ),
    )


def _mixed(name: str, batch: BatchReport) -> Advice:
    alike = batch["as_alone"]
    return Advice(
        topic="reading",
        weight=(0.0),
        rule=(
            f"Other pairs decide: surely less than {percent(AGREE)} of the pairs of a batch go the "
            f"way their own products say under {name}"
        ),
        measured=f"as alone for {interval(alike)}",
        applies=alike["high"] < AGREE,
        advice="Go by the batches here, not by single pairs; what is mixed into a batch matters.",
        reason="The products with other pairs' scores outweigh those within the pair.",
    )


def _empty(name: str, batch: BatchReport) -> Advice:
    empty = batch["empty_band"]
    return Advice(
        topic="entanglement",
        weight=(empty["count"] / max(empty["of"], 1)),
        rule=f"Empty batch bands: more than {percent(MANY)} of the measured batches under {name}",
        measured=f"{empty['count']} of {empty['of']} batches",
        applies=empty["count"] > MANY * max(empty["of"], 1),
        advice=(
            "Do not rely on calibration: add a term that pulls the chosen alone, train with larger "
            "or more mixed batches, or drop the most entangled pairs."
        ),
        reason=(
            "No factor between the two sides makes the mean chosen rise and the mean rejected fall."
        ),
    )


def _spread(name: str, first: PairsAt, weight: float) -> Advice:
    factor, one = first["calibration"], first["one_factor"]
    ideal = first["outcomes"]["ideal"]
    told = (
        f"ideal as they are {interval(ideal)}, and with one δ = {one['factor']:.2f} for all "
        f"{interval(one['ideal'])}; factors of their own from {factor['p10']:.2f} to "
        f"{factor['p90']:.2f}"
        if factor and one
        else "no factors"
    )
    return Advice(
        topic="entanglement",
        weight=weight,
        rule=(
            f"Uneven pairs: surely more than {percent(MANY)} are not ideal as they are, nor with "
            f"one factor for all, under {name}"
        ),
        measured=told,
        applies=(
            factor is not None
            and one is not None
            and 1 - max(ideal["high"], one["ideal"]["high"]) > MANY
        ),
        advice=(
            'Calibrate pair by pair (Monitor(calibrate="pairs")); one factor for all leaves these '
            "outside their band."
        ),
        reason=(
            "Each pair's factor is √(‖b‖ d_l / ‖a‖ d_w), and here pairs differ more in it than "
            "their bands are wide."
        ),
    )


def _lengths(name: str, first: PairsAt, geometry: Geometry, weight: float) -> Advice:
    together, ratio = geometry["norms_with_lengths"], geometry["norm_ratio"]
    longer = geometry["length_ratio"]
    both = first["outcomes"]["both_fall"]
    # Of an objective of mean log-probabilities, the incentives already go with the lengths.
    normalised = geometry["incentives_with_lengths"] > TOGETHER
    return Advice(
        topic="lengths",
        weight=weight,
        rule=(
            f"Lengths: norms go with lengths (rank correlation above {TOGETHER}), the rejected is "
            "the longer and has the larger score, in the median, and both surely fall for more "
            f"than {percent(MANY)} of the pairs under {name}, which does not normalise"
        ),
        measured=(
            "rank correlation of ‖b‖/‖a‖ with |y_l|/|y_w| "
            + ("unknown" if isnan(together) else f"{together:.2f}")
            + ", median ‖b‖/‖a‖ "
            + (f"{ratio['median']:.2f}" if ratio else "unknown")
            + ", median |y_l|/|y_w| "
            + (f"{longer['median']:.2f}" if longer else "unknown")
        ),
        applies=(
            together > TOGETHER
            and ratio is not None
            and longer is not None
            and min(ratio["median"], longer["median"]) > 1
            and both["low"] > MANY
            and not normalised
        ),
        advice=(
            "Balance the lengths of the two sides, or compare an objective of mean "
            "log-probabilities in the batch table."
        ),
        reason=(
            "A longer response has a longer score, so the push on it weighs more; an objective of "
            "mean log-probabilities divides it by the length."
        ),
    )


def _others(name: str, pairs: Sequence[PairReport], groups: Sequence[BatchReport | None]) -> Advice:
    """An objective that was asked for and does better, in batches where they were measured."""
    gains = {
        other["objective"]: _gain(pairs[0], other, groups[0], batch)
        for other, batch in zip(pairs[1:], groups[1:], strict=True)
    }
    best = max(gains, key=lambda other: gains[other], default=None)
    gain = gains[best] if best is not None else 0.0
    told = [
        f"{pair['objective']} "
        + (
            f"in {batch['means']['ideal']['count']} of {batch['batches']} batches"
            if batch
            else interval(pair["at"][0]["outcomes"]["ideal"])
        )
        for pair, batch in zip(pairs, groups, strict=True)
    ]
    return Advice(
        topic="objective",
        weight=gain,
        rule=(
            "Another objective: under one that was asked for, more batches go the right way than "
            f"under {name}, and in no more of them the chosen falls or the rejected rises; without "
            "batches, surely more pairs are ideal"
        ),
        measured=("ideal for " + "; ".join(told)),
        applies=gain > 0,
        advice=f"Consider {best}." if gain > 0 else "Stay with the first.",
        reason="Its ratio of incentives at the start lies within more of the bands.",
    )


def _gain(
    mine: PairReport, other: PairReport, batch: BatchReport | None, others: BatchReport | None
) -> float:
    """The share of batches, or surely of pairs, that the other objective has more; or zero."""
    if batch and others:
        more = others["means"]["ideal"]["count"] - batch["means"]["ideal"]["count"]
        worse = falls(others) > falls(batch) or rises(others) > rises(batch)
        return 0.0 if worse else max(more, 0) / batch["batches"]
    one, another = (report["at"][0]["outcomes"]["ideal"] for report in (mine, other))
    return another["share"] - one["share"] if another["low"] > one["high"] else 0.0


def _nothing(name: str, first: PairsAt) -> Advice:
    return Advice(
        topic="none",
        weight=(0.0),
        rule="Nothing found: no other rule applies",
        measured=f"both fall for {interval(first['outcomes']['both_fall'])} under {name}",
        applies=(True),
        advice="Train as planned, and watch the log-probabilities of both sides.",
        reason=(
            f"The sample shows no bad rows, and that both fall for more than {percent(MANY)} of "
            "the pairs is not sure."
        ),
    )
