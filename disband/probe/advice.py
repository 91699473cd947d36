"""Plain advice from what was measured: rules with their thresholds, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isnan
from typing import Any

from disband.verify.pages.tables import percent

from .about_data import about_data
from .rules import MANY, Advice, interval

# A rule that rests on a sampled share looks at its interval's low end.
MOST = 0.5
BROAD = 0.3  # between an interval's ends
TOGETHER = 0.5  # a rank correlation
AGREE = 0.75  # of pairs


def advise(
    counts: Mapping[str, Any],
    tokens: Mapping[str, Any],
    pairs: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any] | None],
    geometry: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Every rule, those that apply first, as plain records.

    Args:
        counts: Of all rows; see :class:`disband.probe.survey.Counts`.
        tokens: Of the sample; see :func:`disband.probe.distances.statistics`.
        pairs: Of each objective; see :func:`disband.probe.shares.pair_report`. The first is the
            one that is meant to be trained.
        groups: Of each objective's batches; see :func:`disband.probe.shares.batch_report`.
        geometry: Quantiles of ``cosine``, ``norm ratio`` and ``length ratio``, the rejected over
            the chosen, and rank correlations with the latter: ``norm ratio with length ratio``,
            and of the first objective's ``incentive ratio with length ratio``.
    """
    first, name = pairs[0]["at"][0], pairs[0]["objective"]
    batch = groups[0]
    rules = [
        _no_number(name, first),
        _both_fall(name, first, geometry),
        _some_fall(name, first),
        *([_batches(name, batch), _mixed(name, batch), _empty(name, batch)] if batch else []),
        _lengths(name, first, geometry),
        _spread(name, first),
        _others(name, pairs),
        _both_rise(name, first),
        _turned(name, first),
        *about_data(counts, tokens),
        _few(name, first),
    ]
    if not any(rule.applies for rule in rules):
        rules.insert(0, _nothing(name, first))
    return [asdict(rule) for rule in sorted(rules, key=lambda rule: not rule.applies)]


def _both_fall(name: str, first: Mapping[str, Any], geometry: Mapping[str, Any]) -> Advice:
    falls = first["outcomes"]["both_fall"]
    factor = first["calibration"]
    cosine, ratio = geometry["cosine"], geometry["norm ratio"]
    told = (
        f"median cosine {cosine['median']:.2f}, median ‖b‖/‖a‖ {ratio['median']:.2f}"
        if cosine and ratio
        else "no scores"
    )
    one = first["one factor"]
    remedy = (
        f"Calibrate: pull on the chosen times δ, push on the rejected divided by δ, median "
        f"δ = {factor['median']:.2f} (one δ = {one['factor']:.2f} for all makes "
        f"{percent(one['ideal']['share'])} ideal); or add a term that pulls the chosen alone "
        "(RPO, CPO)."
        if factor and one
        else "Add a term that pulls the chosen alone (RPO, CPO): no factor calibrates this one."
    )
    return Advice(
        f"Both fall: surely more than {percent(MOST)} of the pairs under {name}",
        f"both fall for {interval(falls)}; {told}",
        falls["low"] > MOST,
        remedy,
        "The push on the rejected response, felt through the cosine, exceeds the pull on the "
        "chosen one: d_l⟨a,b⟩ > d_w‖a‖². Nothing is wrong with the program.",
    )


def _some_fall(name: str, first: Mapping[str, Any]) -> Advice:
    falls = first["outcomes"]["both_fall"]
    return Advice(
        f"Some fall: both surely fall for more than {percent(MANY)} of the pairs under {name}, and "
        f"not surely for more than {percent(MOST)}",
        f"both fall for {interval(falls)}",
        MANY < falls["low"] <= MOST,
        "Look at the pairs worst off below, and watch the chosen log-probabilities; factors pair "
        'by pair (Monitor(calibrate="pairs")) mend these and change little for the others.',
        "In these pairs the push on the rejected response, felt through the cosine, exceeds the "
        "pull on the chosen one.",
    )


def _no_number(name: str, first: Mapping[str, Any]) -> Advice:
    unknown = first["outcomes"]["unknown"]
    return Advice(
        f"Not a number: of any pair, under {name}",
        f"no number for {interval(unknown)}",
        unknown["count"] > 0,
        "Find out what the model makes of these pairs before you train (--dtype float32 here, and "
        "the checkpoint itself).",
        "Log-probabilities or scores that are not finite make every parameter NaN in one step.",
    )


def _turned(name: str, first: Mapping[str, Any]) -> Advice:
    turned = first["outcomes"]["reversed"]
    return Advice(
        f"Reversed: surely more than {percent(MANY)} of the pairs under {name}",
        f"the chosen falls and the rejected rises for {interval(turned)}",
        turned["low"] > MANY,
        "Choose another target margin or another objective; no calibration mends these.",
        "With positive incentives no pair is reversed: here the objective pulls margins back, as "
        "they are beyond its target.",
    )


def _both_rise(name: str, first: Mapping[str, Any]) -> Advice:
    rises = first["outcomes"]["both_rise"]
    factor = first["calibration"]
    return Advice(
        f"Both rise: surely more than {percent(MOST)} of the pairs under {name}",
        f"both rise for {interval(rises)}",
        rises["low"] > MOST,
        "Expect the rejected to rise at first; a factor below one on the chosen's pull"
        + (f" (median δ = {factor['median']:.2f})" if factor else "")
        + " would turn it.",
        "The pull on the chosen response, felt through the cosine, exceeds the push on the "
        "rejected one: d_w⟨a,b⟩ > d_l‖b‖².",
    )


def _batches(name: str, batch: Mapping[str, Any]) -> Advice:
    means = batch["means"]
    falls = means["both_fall"]["count"] + means["reversed"]["count"]
    return Advice(
        f"Batches fall: in more than {percent(MOST)} of the measured batches the mean chosen "
        f"falls under {name}",
        f"{falls} of {batch['batches']} batches of {batch['size']}; "
        f"{interval(batch['as alone'])} of their pairs go the way their own products say",
        falls > MOST * batch["batches"],
        "Expect chosen log-probabilities to fall from the first steps; scale the two sides of the "
        "whole batch"
        + (f" (median δ = {batch['factor']['median']:.2f})" if batch["factor"] else "")
        + ", or add a term that pulls the chosen alone.",
        "A batch's step moves a response by the products with all scores of the batch, not only "
        "with those of its own pair.",
    )


def _mixed(name: str, batch: Mapping[str, Any]) -> Advice:
    alike = batch["as alone"]
    return Advice(
        f"Other pairs decide: surely less than {percent(AGREE)} of the pairs of a batch go the way "
        f"their own products say under {name}",
        f"as alone for {interval(alike)}",
        alike["high"] < AGREE,
        "Go by the batches here, not by single pairs; what is mixed into a batch matters.",
        "The products with other pairs' scores outweigh those within the pair.",
    )


def _empty(name: str, batch: Mapping[str, Any]) -> Advice:
    empty = batch["empty band"]
    return Advice(
        f"Empty batch bands: more than {percent(MANY)} of the measured batches under {name}",
        f"{empty['count']} of {empty['of']} batches",
        empty["count"] > MANY * max(empty["of"], 1),
        "Do not rely on calibration: add a term that pulls the chosen alone, train with larger or "
        "more mixed batches, or drop the most entangled pairs.",
        "No factor between the two sides makes the mean chosen rise and the mean rejected fall.",
    )


def _spread(name: str, first: Mapping[str, Any]) -> Advice:
    factor, one = first["calibration"], first["one factor"]
    ideal = first["outcomes"]["ideal"]
    told = (
        f"ideal as they are {interval(ideal)}, and with one δ = {one['factor']:.2f} for all "
        f"{interval(one['ideal'])}; factors of their own from {factor['p10']:.2f} to "
        f"{factor['p90']:.2f}"
        if factor and one
        else "no factors"
    )
    return Advice(
        f"Uneven pairs: surely more than {percent(MANY)} are not ideal as they are, nor with one "
        f"factor for all, under {name}",
        told,
        bool(factor and one) and 1 - max(ideal["high"], one["ideal"]["high"]) > MANY,
        'Calibrate pair by pair (Monitor(calibrate="pairs")); one factor for all leaves these '
        "outside their band.",
        "Each pair's factor is √(‖b‖ d_l / ‖a‖ d_w), and here pairs differ more in it than their "
        "bands are wide.",
    )


def _lengths(name: str, first: Mapping[str, Any], geometry: Mapping[str, Any]) -> Advice:
    together, ratio = geometry["norm ratio with length ratio"], geometry["norm ratio"]
    longer = geometry["length ratio"]
    falls = first["outcomes"]["both_fall"]
    # Of an objective of mean log-probabilities, the incentives already go with the lengths.
    normalised = geometry["incentive ratio with length ratio"] > TOGETHER
    return Advice(
        f"Lengths: norms go with lengths (rank correlation above {TOGETHER}), the rejected is "
        "the longer and has the larger score, in the median, and both surely fall for more than "
        f"{percent(MANY)} of the pairs under {name}, which does not normalise",
        "rank correlation of ‖b‖/‖a‖ with |y_l|/|y_w| "
        + ("unknown" if isnan(together) else f"{together:.2f}")
        + ", median ‖b‖/‖a‖ "
        + (f"{ratio['median']:.2f}" if ratio else "unknown")
        + ", median |y_l|/|y_w| "
        + (f"{longer['median']:.2f}" if longer else "unknown"),
        together > TOGETHER
        and bool(ratio and longer)
        and min(ratio["median"], longer["median"]) > 1
        and falls["low"] > MANY
        and not normalised,
        "Normalise by length (SimPO, DPO-norm), or balance the lengths of the two sides.",
        "A longer response has a longer score, so the push on it weighs more; an objective of "
        "mean log-probabilities divides it by the length.",
    )


def _others(name: str, pairs: Sequence[Mapping[str, Any]]) -> Advice:
    """Objectives that were asked for and surely leave more pairs in the best case."""
    mine = pairs[0]["at"][0]["outcomes"]["ideal"]
    theirs = {other["objective"]: other["at"][0]["outcomes"]["ideal"] for other in pairs[1:]}
    better = [other for other, ideal in theirs.items() if ideal["low"] > mine["high"]]
    best = max(better, key=lambda other: theirs[other]["share"], default=None)
    shown = [(name, mine), *((other, theirs[other]) for other in better or theirs)]
    return Advice(
        "Another objective: under one that was asked for, surely more pairs are ideal than under "
        f"{name}",
        "ideal for " + "; ".join(f"{other} {interval(ideal)}" for other, ideal in shown),
        best is not None,
        f"Consider {best}." if best else "Stay with the first.",
        "Its ratio of incentives at the start lies within the band of more pairs.",
    )


def _few(name: str, first: Mapping[str, Any]) -> Advice:
    falls = first["outcomes"]["both_fall"]
    return Advice(
        f"Small sample: the interval of the pairs in which both fall is broader than "
        f"{percent(BROAD)} under {name}",
        f"both fall for {interval(falls)}",
        falls["high"] - falls["low"] > BROAD,
        "Measure more pairs (--sample, or more data) before you rely on the shares.",
        "What holds of so few pairs may not hold of the data.",
    )


def _nothing(name: str, first: Mapping[str, Any]) -> Advice:
    return Advice(
        "Nothing found: no other rule applies",
        f"both fall for {interval(first['outcomes']['both_fall'])} under {name}",
        True,  # noqa: FBT003
        "Train as planned, and watch the log-probabilities of both sides.",
        f"The sample shows no bad rows, and that both fall for more than {percent(MANY)} of the "
        "pairs is not sure.",
    )
