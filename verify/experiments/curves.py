"""The curves of followed runs, means over pairs, for figures and for whoever reads the record."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.gram import Gram

if TYPE_CHECKING:
    from verify.experiments.followed import Run

Row = dict[str, Any]


def curves(results: Mapping[tuple[str, int, Any], Mapping[str, Any]]) -> list[Row]:
    """One row for each followed run: its log-probabilities, cosines and shares in the band.

    ``chosen`` and ``rejected`` are of whole responses, ``chosen per token`` and ``rejected per
    token`` of their tokens, all in nats.
    """
    return [
        _curve(piece, seed, arrays)
        for (question, seed, piece), arrays in results.items()
        if question == "runs"
    ]


def _curve(piece: "Run", seed: int, found: Mapping[str, Any]) -> Row:
    cosine = Gram(*(found[part] for part in ("sq_w", "sq_l", "dot"))).cosine
    sides = zip(("chosen", "rejected"), ("logp_w", "logp_l"), found["lengths"], strict=True)
    means: dict[str, list[float]] = {}
    for side, name, lengths in sides:
        means[side] = found[name].mean(1).tolist()
        means[f"{side} per token"] = (found[name] / lengths).mean(1).tolist()
    return {
        "objective": piece.objective,
        "style": piece.style,
        "seed": seed,
        "steps": found["steps"].tolist(),
        **means,
        "gram steps": found["gram_steps"].tolist(),
        "cosine": np.nanmean(cosine, 1).tolist(),
        "in the band": found["in_band"].mean(1).tolist(),
    }
