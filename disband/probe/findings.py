"""All that follows from what was measured, as one plain record."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from disband.lm.data.preferences import Text
from disband.theory.kernels.compiled import Compiled
from disband.theory.outcome import Outcome, own_outcomes

from .advice import advise
from .distances import Distances, quantiles, rank_correlation, statistics
from .measure import Measured
from .shares import State, batch_report, pair_report
from .survey import Survey
from .worst import Tokens

Named = Sequence[tuple[Compiled, dict[str, float]]]


def findings(
    named: Named,
    found: Survey,
    apart: Distances,
    state: State,
    measured: Measured,
    margins: Sequence[float],
) -> dict[str, Any]:
    """What the sample says about each objective.

    Args:
        named: Objectives with those of their hyperparameters that are not their defaults. The
            first is the one meant to be trained.
        found: The data.
        apart: Distances of the sample.
        state: Log-probabilities and lengths of the sample.
        measured: Its score products.
        margins: Nats by which the rejected has fallen; the first is zero, the start.
    """
    pairs = [pair_report(o, given, state, measured.gram, margins) for o, given in named]
    groups = [batch_report(o, given, state, measured) for o, given in named]
    counts, tokens = asdict(found.counts), statistics(apart)
    each = _each(named, found, apart, state, measured)
    d_w, d_l = state.incentives(*named[0])
    ratio = np.divide(d_w, d_l, out=np.full(d_w.shape, np.nan), where=(d_w > 0) & (d_l > 0))
    geometry = {
        "cosine": quantiles(measured.gram.cosine),
        "norm ratio": quantiles([one["norm_ratio"] for one in each]),
        "norm ratio with length ratio": rank_correlation(
            [one["norm_ratio"] for one in each], apart.len_l / apart.len_w
        ),
        "length ratio": quantiles(apart.len_l / apart.len_w),
        "incentive ratio with length ratio": rank_correlation(ratio, apart.len_l / apart.len_w),
    }
    return {
        "data": {"origin": asdict(found.origin), "counts": counts, "tokens": tokens},
        "geometry": geometry,
        "pairs": pairs,
        "batches": groups,
        "advice": advise(counts, tokens, pairs, groups, geometry),
        "each": each,
    }


def looked_into(found: Survey, worst: Sequence[Tokens]) -> list[dict[str, Any]]:
    """The pairs worst off, with their texts."""
    return [
        {
            "place": found.places[one.index],
            "prompt": _text(found.sample[one.index].prompt),
            "drag": one.drag,
            "words": list(one.words),
            "len_w": one.len_w,
            "effects": one.effects.tolist(),
            "changes": one.changes.tolist(),
        }
        for one in worst
    ]


def _each(
    named: Named, found: Survey, apart: Distances, state: State, measured: Measured
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
        for i, place in enumerate(found.places)
    ]


def _text(text: Text) -> str:
    return text if isinstance(text, str) else "\n".join(f"{m.role}: {m.content}" for m in text)
