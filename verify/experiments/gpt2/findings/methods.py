"""What is expected of methods on a small GPT-2: criteria, fixed before the runs.

Names of methods stand here, so that a reader needs no torch.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...judging.prediction import Numbers, Rule
from ..arms import BAND, BATCH, NONE, NORMALISED
from ..question import Picture, Question, Row
from ..readings import GAINED, Arrays, Pieces, at_gain

if TYPE_CHECKING:
    from ..questions.methods import Trial

COST = 1.6
FALLING = ("DPO", "SimPO", "IPO")  # which lower the chosen without a method
RISING = ("CPO", "DDRO")  # whose pull does not weaken as the rejected falls
_AT = f"when the held-out margin has grown by {GAINED} nat on average, "


def method_numbers(arrays: Arrays, method: str) -> dict[str, float]:
    """What one method did to one run, and what it cost.

    ``chosen`` and ``rejected`` are mean changes when the mean margin had grown by ``GAINED``, and
    ``updates to the margin`` says how many it took, in parts of one; NaN where it never had.
    ``cost`` is the median CPU time of a step.
    """
    own = {key: arrays[f"{method}/{key}"] for key in ("logp_w", "logp_l", "labels", "seconds")}
    at_w, at_l = at_gain(own)
    end_w, end_l = (own[side][-1] - own[side][0] for side in ("logp_w", "logp_l"))
    updates = len(own["logp_w"]) - 1
    labels = own["labels"].mean(1)
    return {
        "updates": float(updates),
        "updates to the margin": _updates_needed(own),
        "chosen": at_w,
        "rejected": at_l,
        "chosen at the end": float(end_w.mean()),
        "rejected at the end": float(end_l.mean()),
        "chosen preserved": float((end_w >= 0).mean()),
        "rejected suppressed": float((end_l <= 0).mean()),
        "margin per update": float((end_w - end_l).mean()) / updates,
        "labels before": float(labels[0]),
        "labels after": float(labels[1]),
        "cost": float(np.median(own["seconds"])),
        "change of log ratio": float(np.mean(arrays[f"{method}/log_ratio"])),
        "empty batch bands": float(np.mean(arrays[f"{method}/empty"])),
    }


def _updates_needed(arrays: Arrays) -> float:
    margin = arrays["logp_w"].mean(1) - arrays["logp_l"].mean(1)
    gained = margin - margin[0]
    reached = np.flatnonzero(gained >= GAINED)
    if not len(reached):
        return float("nan")
    last = int(reached[0])
    return float(last - 1 + (GAINED - gained[last - 1]) / (gained[last] - gained[last - 1]))


def _trials(pieces: Pieces, data: str, *names: str) -> Iterator[tuple[str, Arrays]]:
    """The runs on one kind of data, of these objectives or of all."""
    for piece, arrays in pieces.items():
        if piece.data == data and (not names or piece.objective in names):
            yield piece.objective, arrays


def at_equal_margin(
    method: str, side: str, *names: str, data: str = "sentiment"
) -> Callable[[Pieces], Numbers]:
    """Numbers: the side's change without the method and with it, by objective."""

    def numbers(pieces: Pieces) -> Numbers:
        return {
            f"{name}, {word}": method_numbers(arrays, which)[side]
            for name, arrays in _trials(pieces, data, *names)
            for word, which in (("without", NONE), ("with", method))
        }

    return numbers


def every_with(right: Callable[[float, float], bool]) -> Callable[[Numbers], bool | None]:
    """Holds if it is right of the changes without and with the method, for every objective."""

    def holds(numbers: Numbers) -> bool | None:
        if not numbers or not all(np.isfinite(v) for v in numbers.values()):
            return None
        names = {key.rpartition(", ")[0] for key in numbers}
        return all(right(numbers[f"{n}, without"], numbers[f"{n}, with"]) for n in names)

    return holds


def relative_cost(pieces: Pieces) -> Numbers:
    """Numbers: median CPU time of a calibrated step over that of a plain one, by objective."""
    numbers = {}
    for name, arrays in _trials(pieces, "sentiment"):
        ours, plain = (method_numbers(arrays, method)["cost"] for method in (BATCH, NONE))
        numbers[name] = ours / plain
    return numbers


def labels(pieces: Pieces) -> Numbers:
    """Numbers: share of right labels after training, by objective and method."""
    return {
        f"{name}, {method}": method_numbers(arrays, method)["labels after"]
        for name, arrays in _trials(pieces, "sentiment")
        for method in (NONE, BATCH, BAND, NORMALISED)
    }


def no_label_lost(numbers: Numbers) -> bool | None:
    """Holds if no method has five points of accuracy less than none, at any objective."""
    plain = {k.rpartition(", ")[0]: v for k, v in numbers.items() if k.endswith(f", {NONE}")}
    if not numbers:
        return None
    return all(v >= plain[k.rpartition(", ")[0]] - 0.05 for k, v in numbers.items())


def empty_bands(pieces: Pieces) -> Numbers:
    """Numbers: share of batches whose band in the metric was empty, by objective."""
    return {
        f"{name} on {data}": method_numbers(arrays, BAND)["empty batch bands"]
        for data in ("sentiment", "free text")
        for name, arrays in _trials(pieces, data)
    }


_HIGHER = every_with(lambda before, after: after > before)
_LOWER = every_with(lambda before, after: after < before)
_RAISED = every_with(lambda _, after: after >= 0)

RULES: tuple[Rule[Pieces], ...] = (
    *(
        Rule(
            name=f"{key}-spares-the-chosen",
            says=f"Under DPO, SimPO and IPO the chosen ends higher with {words} than without.",
            criterion=_AT
            + "the mean held-out log-probability of the chosen is higher with it than "
            "without, under each of them",
            numbers=at_equal_margin(method, "chosen", *FALLING),
            holds=_HIGHER,
        )
        for key, words, method in (
            ("calibration", "reward calibration of each batch", BATCH),
            ("batch-band", "calibration inside the batch band in Adam's metric", BAND),
            ("normalised", "pairwise normalised gradients", NORMALISED),
        )
    ),
    Rule(
        name="batch-band-raises-the-chosen",
        says="Calibration inside the batch band in Adam's metric preserves the chosen of every "
        "objective on held-out pairs.",
        criterion=_AT
        + "the mean held-out log-probability of the chosen is not lower than at the start, "
        "under each of six objectives",
        numbers=at_equal_margin(BAND, "chosen"),
        holds=_RAISED,
    ),
    Rule(
        name="calibration-suppresses-the-rejected",
        says="Where a loss pulls more than it pushes, as CPO and DDRO do, the rejected ends lower "
        "with reward calibration of each batch than without.",
        criterion=_AT
        + "the mean held-out log-probability of the rejected is lower with it than without, "
        "under both",
        numbers=at_equal_margin(BATCH, "rejected", *RISING),
        holds=_LOWER,
    ),
    Rule(
        name="calibration-free-text",
        says="The same holds of free text as of short answers: the chosen ends higher with reward "
        "calibration of each batch than without, under DPO, SimPO and IPO.",
        criterion="on continuations of tweets, "
        + _AT
        + "the mean held-out log-probability of the chosen "
        "is higher with it than without, under each of them",
        numbers=at_equal_margin(BATCH, "chosen", *FALLING, data="free text"),
        holds=_HIGHER,
    ),
    Rule(
        name="calibration-cost",
        says="A step calibrated from the Gram of all parameters costs little more than a plain "
        "one.",
        criterion=f"its median CPU time is at most {COST} times that of a plain step, under every "
        "objective",
        numbers=relative_cost,
        holds=lambda n: all(v <= COST for v in n.values()) if n else None,
    ),
    Rule(
        name="methods-keep-labels",
        says="No method costs accuracy of the labels that the model writes.",
        criterion="after training, the share of held-out prompts to which it greedily writes the "
        "right label is with every method at least that without one, less 0.05, under every "
        "objective",
        numbers=labels,
        holds=no_label_lost,
    ),
    Rule(
        name="batch-band-rarely-empty",
        says="The batch band in Adam's metric is rarely empty.",
        criterion="in at most one batch in twenty, under every objective",
        numbers=empty_bands,
        holds=lambda n: all(v <= 0.05 for v in n.values()) if n else None,
    ),
)


def _rows(piece: "Trial", arrays: Arrays) -> list[Row]:
    numbers = {method: method_numbers(arrays, method) for method in piece.methods}
    plain = numbers[piece.methods[0]]
    return [
        {
            "objective": piece.objective,
            "data": piece.data,
            "method": method,
            **own,
            "margin speed": own["margin per update"] / plain["margin per update"],
            "relative updates": own["updates to the margin"] / plain["updates to the margin"],
            "relative cost": own["cost"] / plain["cost"],
        }
        for method, own in numbers.items()
    ]


QUESTION = Question(
    name="methods",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="methods",
            caption="Chosen and rejected without and with each method where the margin has grown "
            f"by {GAINED} nat, the updates that took and what one costs; never: it grew less",
            drawing="gpt2.methods:methods_picture",
            options={"gained": GAINED},
        ),
    ),
)
