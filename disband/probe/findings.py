"""All that follows from what was measured, as one plain record."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from disband.theory.kernels.compiled import HasKernels
from disband.theory.outcome import Outcome, own_outcomes
from disband.verify.pages.tables import percent

from .advice import advise
from .distances import Distances, quantiles, rank_correlation, statistics
from .horizon import rules as at_horizon
from .horizon import said
from .measure import Measured
from .records import (
    Advice,
    BatchReport,
    Data,
    Findings,
    Geometry,
    Horizon,
    PairReport,
    Worst,
    falls,
    rises,
)
from .shares import State, batch_report, pair_report
from .survey import TRIED, Survey
from .worst import TokenEffects

MOST_ACTIONS = 3
Objectives = Sequence[tuple[HasKernels, dict[str, float]]]


def findings(
    named: Objectives,
    surveyed: Survey,
    apart: Distances,
    state: State,
    measured: Measured,
    margins: Sequence[float],
    horizon: Horizon | None = None,
) -> Findings:
    """What the sample says about each objective.

    Args:
        named: Objectives with those of their hyperparameters that are not their defaults. The
            first is the one meant to be trained.
        surveyed: The data.
        apart: Distances of the sample.
        state: Log-probabilities and lengths of the sample.
        measured: Its score products.
        margins: Nats by which the rejected has fallen; the first is zero, the start.
        horizon: What is forecast after many updates, if that was asked.
    """
    pairs = [pair_report(o, given, state, measured.gram, margins) for o, given in named]
    groups = [batch_report(o, given, state, measured) for o, given in named]
    data = _data(surveyed, apart)
    each = _each(named, surveyed, apart, state, measured)
    d_w, d_l = state.incentives(*named[0])
    ratio = np.divide(d_w, d_l, out=np.full(d_w.shape, np.nan), where=(d_w > 0) & (d_l > 0))
    norms = [row["norm_ratio"] for row in each]
    lengths = apart.len_l / apart.len_w
    geometry: Geometry = {
        "cosine": quantiles(measured.gram.cosine),
        "norm_ratio": quantiles(norms),
        "length_ratio": quantiles(lengths),
        "norms_with_lengths": rank_correlation(norms, lengths),
        "incentives_with_lengths": rank_correlation(ratio, lengths),
    }
    far = at_horizon(horizon, groups[0])
    rules = advise(data["counts"], data["tokens"], pairs, groups, geometry, far)
    return {
        "verdict": verdict(pairs, groups) + (f" {said(horizon)}" if horizon else ""),
        "actions": actions(rules),
        "data": data,
        "geometry": geometry,
        "pairs": pairs,
        "batches": groups,
        "horizon": horizon,
        "advice": rules,
        "each": each,
    }


def actions(rules: Sequence[Advice]) -> list[Advice]:
    """What to do: of the rules that apply the heaviest, one of each topic and at most three."""
    applying = [rule for rule in rules if rule["applies"]]
    heavy = [rule for rule in applying if rule["weight"] > 0] or applying[:1]
    of_topics: dict[str, Advice] = {}
    for rule in heavy:
        of_topics.setdefault(rule["topic"], rule)
    return list(of_topics.values())[:MOST_ACTIONS]


def verdict(pairs: Sequence[PairReport], groups: Sequence[BatchReport | None]) -> str:
    """What the first objective would do, in one sentence."""
    name, at, batch = pairs[0]["objective"], pairs[0]["at"][0]["outcomes"], groups[0]
    if at["unknown"]["count"]:
        return f"Under {name}, {at['unknown']['count']} pairs give no number: nothing to train on."
    if not batch:
        return (
            f"Under {name}, pair by pair, {percent(at['ideal']['share'])} of the pairs move the "
            f"right way and in {percent(at['both_fall']['share'])} both responses fall; no batch "
            "was measured."
        )
    falling, rising, n = falls(batch), rises(batch), batch["batches"]
    if batch["means"]["still"]["count"] == n:
        return f"Under {name}, nothing moves: the mean of neither side does in {n} of {n} batches."
    if falling == rising == 0:
        return f"Under {name}, both sides go the right way, in the mean, in {n} of {n} batches."
    return (
        f"Under {name}, the mean chosen falls in {falling} of {n} batches and the mean rejected "
        f"rises in {rising}."
    )


def looked_into(surveyed: Survey, worst: Sequence[TokenEffects]) -> list[Worst]:
    """The pairs worst off, with their texts."""
    return [
        {
            "place": surveyed.sample[pair.index].place,
            "prompt": surveyed.sample[pair.index].prompt,
            "drag": pair.drag,
            "words": list(pair.words),
            "len_w": pair.len_w,
            "effects": pair.effects.tolist(),
            "changes": pair.changes.tolist(),
        }
        for pair in worst
    ]


def _data(surveyed: Survey, apart: Distances) -> Data:
    tokens = statistics(surveyed.pairs, apart)
    tokens["filled"] = len(surveyed.filled)
    tokens["score_gap"] = quantiles(surveyed.gaps)
    return {
        "origin": asdict(surveyed.origin),
        "columns": surveyed.columns,
        "notes": _notes(surveyed),
        "counts": asdict(surveyed.counts),
        "tokens": tokens,
    }


def _notes(surveyed: Survey) -> list[str]:
    """What a reader must know of the data beside the counts."""
    counts, sample = surveyed.counts, surveyed.sample
    notes = []
    if counts.with_media:
        notes.append(
            f"images, videos or sounds stand beside {counts.with_media} pairs and are left out: "
            "what is measured is the text alone"
        )
    if surveyed.filled:
        notes.append(
            f"left out, as the prompt alone fills --max-length: {', '.join(surveyed.filled[:5])}"
            + (", …" if len(surveyed.filled) > 5 else "")
        )
    if any(pair.tokens.merged for pair in sample):
        joined = sum(pair.tokens.merged > 0 for pair in sample)
        notes.append(
            f"in {joined} of {len(sample)} sampled pairs the prompt ends otherwise before a "
            "response than alone; its end counts with the responses, as in TRL"
        )
    if counts.pairs > TRIED:
        notes.append(f"of conversations, the first {TRIED:,} were put into the chat template")
    for place, reason in surveyed.origin.skipped[:3]:
        notes.append(f"{place} is left out: {reason}")
    return notes


def _each(
    named: Objectives, surveyed: Survey, apart: Distances, state: State, measured: Measured
) -> list[dict[str, Any]]:
    """One row for each pair of the sample."""
    gram = measured.gram
    d_w, d_l = state.incentives(*named[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(gram.sq_l / gram.sq_w)
        distance = np.log(d_w / d_l) - np.log(ratio)
    outcomes = {
        o.name: own_outcomes(*state.incentives(o, given), gram, state.identical)
        for o, given in named
    }
    columns = {
        "len_w": apart.len_w.astype(int),
        "len_l": apart.len_l.astype(int),
        "edits": apart.edits.astype(int),
        "logp_w": state.logp_w,
        "logp_l": state.logp_l,
        "ref_w": state.ref_w,
        "ref_l": state.ref_l,
        "sq_w": gram.sq_w,
        "sq_l": gram.sq_l,
        "dot": gram.dot,
        "cosine": gram.cosine,
        "norm_ratio": ratio,
        "log_ratio": distance,
    }
    return [
        {
            "place": place,
            **{name: column[i].item() for name, column in columns.items()},
            "outcomes": {name: Outcome(codes[i]).name.lower() for name, codes in outcomes.items()},
        }
        for i, (place, *_) in enumerate(surveyed.sample)
    ]
