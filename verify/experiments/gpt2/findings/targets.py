"""What DPO's target on the small GPT-2 says of wang2025; criteria fixed before the runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...judging.prediction import Numbers, Rule
from ..readings import Pieces

QUESTION = "targets"
LARGE = 8


def target_numbers(found: Mapping[str, Any], metric: int = 0) -> dict[str, float]:
    """What decides the findings, of one piece in one metric.

    Args:
        found: The arrays of ``run_target``.
        metric: 0 as G is defined, 1 in the metric of the optimizer.
    """
    parts, products = found["service"][:, metric], found["products"][:, metric]
    total = parts.sum(1)
    late = parts[len(parts) // 2 :]
    sizes = np.abs(parts).mean(0)
    cosine = products[:, 2] / np.sqrt(products[:, 0] * products[:, 1])
    return {
        "updates that serve the end": float((total > 0).mean()),
        "unsteadiness": float(np.abs(np.diff(total)).mean() / np.abs(total).mean()),
        "positive": float(parts[:, 0].mean()),
        "negative": float(parts[:, 1].mean()),
        "reweighting": float(parts[:, 2].mean()),
        "share of reweighting": float(sizes[2] / sizes.sum()),
        "opposite signs": float((late[:, 0] * late[:, 1] < 0).mean()),
        "cosine of the two parts": float(cosine.mean()),
    }


def _each(name: str, *, large: bool = True) -> Any:
    def numbers(found: Pieces) -> Numbers:
        return {
            str(piece): target_numbers(arrays)[name]
            for piece, arrays in found.items()
            if (piece.batch >= LARGE) is large
        }

    return numbers


def _batches(found: Pieces) -> Numbers:
    large, small = (
        [
            target_numbers(arrays)["unsteadiness"]
            for piece, arrays in found.items()
            if (piece.batch >= LARGE) is kind
        ]
        for kind in (True, False)
    )
    if not (large and small):
        return {}
    return {"largest of large batches": max(large), "smallest of small batches": min(small)}


def _above(least: float) -> Any:
    return lambda n: min(n.values()) > least


RULES: tuple[Rule[Pieces], ...] = (
    Rule(
        name="target-stable",
        says="DPO follows a stable target on a small GPT-2.",
        criterion=f"in every style and with every optimizer, on batches of {LARGE} and more, at "
        "least 90 % of the updates have G > 0",
        numbers=_each("updates that serve the end"),
        holds=lambda n: min(n.values()) >= 0.9,
    ),
    Rule(
        name="target-small-batches",
        says="DPO's target is less steady the smaller the batches.",
        criterion="how much G changes from update to update over its mean size is larger on every "
        "piece "
        f"with batches below {LARGE} than on any other",
        numbers=_batches,
        holds=lambda n: n["smallest of small batches"] > n["largest of large batches"],
    ),
    Rule(
        name="target-offset",
        says="On a small GPT-2 positive and negative learning in DPO mutually offset each other.",
        criterion=f"on batches of {LARGE} and more the cosine of their scores is positive in "
        "every piece, mean over updates",
        numbers=_each("cosine of the two parts"),
        holds=_above(0.0),
    ),
    Rule(
        name="target-opposite",
        says="There they serve the target in opposite directions.",
        criterion=f"on batches of {LARGE} and more, in most updates of the second half",
        numbers=_each("opposite signs"),
        holds=_above(0.5),
    ),
    Rule(
        name="target-reweighting",
        says="There DPO's reweighting has a small part in the target.",
        criterion=f"on batches of {LARGE} and more, at most a tenth of the sizes of the three "
        "parts of G",
        numbers=_each("share of reweighting"),
        holds=lambda n: max(n.values()) <= 0.1,
    ),
)
