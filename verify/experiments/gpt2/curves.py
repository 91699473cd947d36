"""The curves of runs on GPT-2, for figures and for whoever reads the record."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from disband.theory.gram import Gram
from disband.theory.models.targets import PARTS

if TYPE_CHECKING:
    from .questions.followed import Run
    from .questions.target_course import Target

Arrays = Mapping[str, Any]
Row = dict[str, Any]


def curves(results: Mapping[tuple[str, int, Any], Arrays]) -> list[Row]:
    """One row for each followed run, two for each run of the question ``targets``.

    ``question`` says which. Of a followed run, means over pairs: ``chosen`` and ``rejected`` are of
    whole responses, ``chosen per token`` and ``rejected per token`` of their tokens, all in nats;
    its cosines and shares in the band; where they were taken, the words and the token Gram of the
    first pair, before and after. Of a target, in each ``metric``: G and its three parts at
    every update, ``plain`` in nats per unit of step size, ``optimizer`` in nats.
    """
    return [
        {"question": question, "seed": seed, **row}
        for (question, seed, piece), arrays in results.items()
        if question in _CURVES
        for row in _CURVES[question](piece, arrays)
    ]


def _run(piece: "Run", found: Arrays) -> Iterator[Row]:
    cosine = Gram(*(found[part] for part in ("sq_w", "sq_l", "dot"))).cosine
    sides = zip(("chosen", "rejected"), ("logp_w", "logp_l"), found["lengths"], strict=True)
    means: dict[str, list[float]] = {}
    for side, name, lengths in sides:
        means[side] = found[name].mean(1).tolist()
        means[f"{side} per token"] = (found[name] / lengths).mean(1).tolist()
    yield {
        "objective": piece.objective,
        "style": piece.style,
        "steps": found["steps"].tolist(),
        **means,
        "gram steps": found["gram_steps"].tolist(),
        "cosine": np.nanmean(cosine, 1).tolist(),
        "in the band": found["in_band"].mean(1).tolist(),
        **(
            {"tokens": found["tokens"].tolist(), "token_gram": found["token_gram"][:, :1].tolist()}
            if "token_gram" in found
            else {}
        ),
    }


def _target(piece: "Target", found: Arrays) -> Iterator[Row]:
    for metric, parts in zip(("plain", "optimizer"), found["service"].swapaxes(0, 1), strict=True):
        yield {
            "objective": piece.objective,
            "style": piece.style,
            "optimizer": piece.rule.kind,
            "rate": piece.rule.rate,
            "batch": piece.batch,
            "metric": metric,
            "updates": list(range(1, len(parts) + 1)),
            "G": parts.sum(1).tolist(),
            **{name: part.tolist() for name, part in zip(PARTS, parts.T, strict=True)},
        }


_CURVES: Mapping[str, Callable[[Any, Arrays], Iterator[Row]]] = {"runs": _run, "targets": _target}
