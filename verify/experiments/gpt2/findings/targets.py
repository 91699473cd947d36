"""What DPO's target on the small GPT-2 says of wang2025; criteria fixed before the runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from disband.theory.models.targets import PARTS

from ...judging.prediction import Numbers, Rule
from ..question import Picture, Question, Row
from ..readings import Arrays, Pieces

if TYPE_CHECKING:
    from ..questions.targets import Target

LARGE = 8
# The products as they are, as G is defined, and in the metric of the optimizer's step.
METRICS = ("plain", "optimizer")


def target_numbers(arrays: Mapping[str, Any], metric: int = 0) -> dict[str, float]:
    """What decides the findings, of one piece in one metric.

    Args:
        arrays: The arrays of ``run_target``.
        metric: 0 as G is defined, 1 in the metric of the optimizer.
    """
    parts, products = arrays["service"][:, metric], arrays["products"][:, metric]
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
    def numbers(pieces: Pieces) -> Numbers:
        return {
            str(piece): target_numbers(arrays)[name]
            for piece, arrays in pieces.items()
            if (piece.batch >= LARGE) is large
        }

    return numbers


def _batches(pieces: Pieces) -> Numbers:
    large, small = (
        [
            target_numbers(arrays)["unsteadiness"]
            for piece, arrays in pieces.items()
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


def _settings(piece: "Target") -> Row:
    return {
        "style": piece.style,
        "optimizer": piece.rule.kind,
        "rate": piece.rule.rate,
        "batch": piece.batch,
    }


def _rows(piece: "Target", arrays: Arrays) -> list[Row]:
    said = ("answered the chosen", "answered the rejected", "answered neither")
    counts = dict(zip(said, map(int, arrays["answers"]), strict=True))
    return [
        {**_settings(piece), "metric": name, **target_numbers(arrays, i), **counts}
        for i, name in enumerate(METRICS)
    ]


def _curve(piece: "Target", arrays: Arrays) -> list[Row]:
    """G and its three parts at every update, in each metric.

    ``plain`` in nats per unit of step size, ``optimizer`` in nats.
    """
    return [
        {
            "objective": piece.objective,
            **_settings(piece),
            "metric": metric,
            "updates": list(range(1, len(parts) + 1)),
            "G": parts.sum(1).tolist(),
            **{name: part.tolist() for name, part in zip(PARTS, parts.T, strict=True)},
        }
        for metric, parts in zip(METRICS, arrays["service"].swapaxes(0, 1), strict=True)
    ]


def _in(metric: str) -> Callable[[Sequence[Row]], list[Row]]:
    return lambda rows: [row for row in rows if row["metric"] == metric]


QUESTION = Question(
    name="targets",
    rows=_rows,
    curve=_curve,
    rules=RULES,
    pictures=(
        Picture(
            name="target",
            caption="What each update does for the responses that training ends with, G, and its "
            "three parts (wang2025), DPO on a small GPT-2",
            rows=_in("plain"),
            drawing="gpt2.targets:target_parts_picture",
        ),
        Picture(
            name="target-metric",
            caption="The same in the metric of the optimizer's step: nats that an update adds",
            rows=_in("optimizer"),
            drawing="gpt2.targets:target_parts_picture",
        ),
    ),
)
