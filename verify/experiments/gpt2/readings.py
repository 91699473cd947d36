"""The numbers that findings, tables and figures read off the arrays of a run on GPT-2."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.theory.band import band, case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objective import Objective

Array = npt.NDArray[Any]
Arrays = Mapping[str, Any]
# What one question found on one seed, piece by piece.
Pieces = Mapping[Any, Arrays]

# What an update does to a log-probability to first order: by parts of the update, and, for the
# responses that were trained on, with the gradient's part split by who pushed.
PARTS = ("gradient", "memory", "decay")
FIRST_ORDER = ("own", "same", "other", "memory", "decay")
# The gain of mean margin, in nats, at which objectives are compared.
GAINED = 0.25


def predicted(arrays: Mapping[str, Array]) -> Array:
    """The first-order change: all parts of ``one_step`` together, ``(2, batch)``, nats."""
    total: Array = np.sum([arrays[part] for part in FIRST_ORDER], axis=0)
    return total


def decided(
    objective: Objective, hyper: Mapping[str, float], state: Sequence[Array], gram: Gram
) -> dict[str, Array]:
    """Incentives of each pair, whether their ratio is in its band, and its case.

    Args:
        objective: Whose incentives they are.
        hyper: What differs from its defaults.
        state: Log-probabilities of chosen and rejected, theirs under the reference, and their
            lengths, each of the Gram's shape or broadcastable.
        gram: Of the pairs.

    Returns:
        ``d_w``, ``d_l``, ``in_band``, ``case``, the last as :class:`disband.theory.band.Case`
        numbers them.
    """
    d_w, d_l = (
        np.broadcast_to(objective.kernel(what, "numpy", **hyper)(*state), np.shape(gram.dot))
        for what in ("d_w", "d_l")
    )
    low, high = band(gram)
    positive = (d_w > 0) & (d_l > 0)
    ratio = np.divide(d_w, d_l, out=np.full(np.shape(gram.dot), np.nan), where=positive)
    in_band = positive & (low <= ratio) & (ratio <= high)
    return {"d_w": d_w, "d_l": d_l, "in_band": in_band, "case": case(d_w, d_l, gram)}


def agreement(measured: Array, said: Array) -> float:
    """Share of the responses whose change has the predicted sign."""
    return float((np.sign(measured) == np.sign(said)).mean())


def size_error(measured: Array, said: Array) -> float:
    r"""Error of the predicted changes in size, :math:`\|p - m\| / \|m\|`."""
    return float(np.linalg.norm(said - measured) / np.linalg.norm(measured))


def step_scores(arrays: Mapping[str, Array], rate: int) -> dict[str, float]:
    """How well each prediction did at one rate of a piece, over all explained responses."""
    at = {name: value[rate] for name, value in arrays.items() if name != "labels"}
    measured, whole = at["measured"], predicted(at)
    labels = arrays["labels"]
    scores = {
        "own pair, signs": agreement(measured, at["plain_own"]),
        "plain batch, signs": agreement(measured, at["plain_batch"]),
        "first order, signs": agreement(measured, whole),
        "first order, size error": size_error(measured, whole),
        "largest change": float(np.abs(measured).max()),
        "own share": _share(at, "own"),
        "same-label share": _share(at, "same"),
        "other-label share": _share(at, "other"),
        "memory share": _share(at, "memory"),
        "decay share": _share(at, "decay"),
    }
    if labels.min() < labels.max():
        scores["majority, signs"] = agreement(measured[:, 0], _majority(labels))
    return scores


def _share(at: Mapping[str, Array], part: str) -> float:
    sizes = {name: float(np.abs(at[name]).sum()) for name in FIRST_ORDER}
    return sizes[part] / sum(sizes.values())


def _majority(labels: Array) -> Array:
    """+1 for the pairs whose label has the majority in their batch, −1 for the others."""
    same = (labels[:, :, None] == labels[:, None, :]).mean(-1)
    signs: Array = np.sign(same - 0.5)
    return signs


def course_shares(arrays: Mapping[str, Array], side: int = 0) -> dict[str, float]:
    """What the change of the chosen (0) or rejected (1) responses is made of, mean nats."""
    measured = (arrays["token_logp"][-1, side] - arrays["token_logp"][0, side]).mean(0)
    parts = arrays["parts"][:, :, side].sum(0).mean(1)
    first_order = parts.sum(0)
    places = _places(arrays["differs"])
    return {
        "measured": float(measured.sum()),
        "first order": float(first_order.sum()),
        "curvature": float((measured - first_order).sum()),
        **{name: float(part.sum()) for name, part in zip(PARTS, parts, strict=True)},
        **{f"{name}, measured": float(measured[at].sum()) for name, at in places.items()},
        **{f"{name}, first order": float(first_order[at].sum()) for name, at in places.items()},
    }


def _places(differs: Array) -> dict[str, slice]:
    position = int(np.flatnonzero(differs)[0])
    return {
        "prefix": slice(0, position),
        "label": slice(position, position + 1),
        "suffix": slice(position + 1, None),
    }


def at_gain(arrays: Mapping[str, Array], gained: float = GAINED) -> tuple[float, float]:
    """Mean changes of chosen and rejected when the mean margin had grown so far; NaN if never."""
    chosen, rejected = (
        arrays[side].mean(1) - arrays[side][0].mean() for side in ("logp_w", "logp_l")
    )
    margin = chosen - rejected
    reached = np.flatnonzero(margin >= gained)
    if not len(reached):
        return float("nan"), float("nan")
    last = int(reached[0])
    share = (gained - margin[last - 1]) / (margin[last] - margin[last - 1])
    at_w, at_l = (
        float(side[last - 1] + share * (side[last] - side[last - 1])) for side in (chosen, rejected)
    )
    return at_w, at_l


def race_outcome(arrays: Mapping[str, Array]) -> dict[str, float]:
    r"""Changes at the moment when the mean margin had grown by ``GAINED``, and the prediction.

    NaN where it never had; ``at the end`` is that moment, or the last update. ``predicted`` is the
    chosen's share of the margin's first-order growth,
    :math:`\overline{D_w} / \overline{D_w - D_l}`, of the pairs' own Grams; ``predicted by the
    batch`` the same where all pairs are one batch, under a plain gradient step.
    """
    at_w, at_l = at_gain(arrays)
    ends = (float((arrays[s][-1] - arrays[s][0]).mean()) for s in ("logp_w", "logp_l"))
    end_w, end_l = ends if np.isnan(at_w) else (at_w, at_l)
    change_w, change_l = first_order(
        arrays["d_w"], arrays["d_l"], Gram(arrays["sq_w"], arrays["sq_l"], arrays["dot"])
    )
    return {
        "chosen": at_w,
        "rejected": at_l,
        "chosen at the end": end_w,
        "rejected at the end": end_l,
        "updates": float(len(arrays["logp_w"]) - 1),
        "predicted": _chosen_share(change_w, change_l),
        "predicted by the batch": _chosen_share(arrays["batch_w"], arrays["batch_l"]),
    }


def _chosen_share(change_w: Array, change_l: Array) -> float:
    growth = float((change_w - change_l).mean())
    return float(change_w.mean()) / growth if growth > 0 else float("nan")


def run_numbers(arrays: Mapping[str, Array]) -> dict[str, float]:
    """What one followed run comes to: changes, bands, cases, means over pairs."""
    change = {side: arrays[side][-1] - arrays[side][0] for side in ("logp_w", "logp_l")}
    cosine = Gram(*(arrays[part] for part in ("sq_w", "sq_l", "dot"))).cosine
    count = len(change["logp_w"])
    return {
        "change of the chosen": float(change["logp_w"].mean()),
        "standard error": float(change["logp_w"].std(ddof=1) / np.sqrt(count)),
        "change of the rejected": float(change["logp_l"].mean()),
        "chosen risen": float((change["logp_w"] > 0).mean()),
        "cosine at the start": float(np.nanmean(cosine[0])),
        "cosine at the end": float(np.nanmean(cosine[-1])),
        "in the band at the start": float(arrays["in_band"][0].mean()),
        "in the band at the end": float(arrays["in_band"][-1].mean()),
    }


def regime_numbers(arrays: Mapping[str, Array], rule: int) -> dict[str, float]:
    r"""What decides the predictions, for one optimizer of a piece.

    ``own condition at the start`` is the share of pairs with :math:`\|a\|^2 \ge \langle
    a,b\rangle`, which preserves the chosen where the incentives are equal, as DPO's are.
    """
    change = arrays["logp_w"][rule, 1] - arrays["logp_w"][rule, 0]
    cosine = Gram(*(arrays[part][rule] for part in ("sq_w", "sq_l", "dot"))).cosine.mean(1)
    own = arrays["sq_w"][rule, 0] >= arrays["dot"][rule, 0]
    rest = arrays["token_logp"][..., 1:] if arrays["token_logp"].shape[-1] > 1 else np.zeros(1)
    return {
        "change of the chosen": float(change.mean()),
        "standard error": float(change.std(ddof=1) / np.sqrt(len(change))),
        "change of the rejected": float(
            (arrays["logp_l"][rule, 1] - arrays["logp_l"][rule, 0]).mean()
        ),
        "own condition at the start": float(own.mean()),
        "cosine at the start": float(cosine[0]),
        "cosine half-way": float(cosine[1]),
        "cosine at the end": float(cosine[2]),
        "suffix log-probability at the start": float(rest.sum(-1).mean()),
    }
