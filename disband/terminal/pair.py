"""``disband compare``: objectives side by side on one pair, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from disband.theory.band import Case, band, calibration, case
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels
from disband.theory.step import first_order

from .numbers import number
from .place import Pair

_HEAD = ("objective", "d_w", "d_l", "r", "band", "Δ log π_w", "Δ log π_l", "δ", "case")
_NOTHING = "nothing moves"


@dataclass(frozen=True)
class Row:
    """One objective on the pair.

    Args:
        name: The objective.
        d_w: Incentive on the chosen response.
        d_l: Incentive on the rejected one.
        change_w: First-order change of log π_w per unit of step, in units of ‖a‖².
        change_l: The same of log π_l.
        delta: The factor that centres the ratio; NaN if none does.
        place: ``below``, ``inside`` or ``above`` the band; empty where the band does not apply.
        case: What happens, in words.
    """

    name: str
    d_w: float
    d_l: float
    change_w: float
    change_l: float
    delta: float
    place: str
    case: str


def rows(
    objectives: Iterable[tuple[HasKernels, Mapping[str, float]]],
    pair: Pair,
    cosine: float,
    norm_ratio: float,
) -> list[Row]:
    """Return what one step of each objective does to ``pair``.

    Args:
        objectives: Each with the hyperparameters that differ from its defaults.
        pair: The pair.
        cosine: Cosine of the two scores.
        norm_ratio: ‖b‖/‖a‖.

    Raises:
        ValueError: A hyperparameter, cosine or norm ratio that the theory does not allow, or an
            incentive that is not finite.
    """
    gram = Gram.of_angle(cosine, norm_ratio)
    return [_row(objective, hyper, pair, gram) for objective, hyper in objectives]


def _row(objective: HasKernels, hyper: Mapping[str, float], pair: Pair, gram: Gram) -> Row:
    incentives = objective.kernel("incentives", "numpy", **hyper)
    with np.errstate(all="ignore"):
        d_w, d_l = (float(d) for d in incentives(*vars(pair).values()))
    if not np.isfinite([d_w, d_l]).all():
        raise ValueError(
            f"incentives are finite: got d_w = {d_w}, d_l = {d_l} for {objective.name}; "
            "choose less extreme hyperparameters or log-probabilities"
        )
    change_w, change_l = (float(change) for change in first_order(d_w, d_l, gram))
    moves = (d_w, d_l) != (0, 0)
    words = Case(int(case(d_w, d_l, gram))).words if moves else _NOTHING
    delta = float(calibration(d_w, d_l, gram))
    return Row(objective.name, d_w, d_l, change_w, change_l, delta, _place(d_w, d_l, gram), words)


def _place(d_w: float, d_l: float, gram: Gram) -> str:
    if d_w <= 0 or d_l <= 0:
        return ""
    low, high = (float(edge) for edge in band(gram))
    return "below" if d_w < low * d_l else "above" if d_w > high * d_l else "inside"


def table(found: Sequence[Row], pair: Pair, cosine: float, norm_ratio: float) -> str:
    """Return the rows as lines of plain text, under the pair and its band."""
    low, high = (float(edge) for edge in band(Gram.of_angle(cosine, norm_ratio)))
    edges = f"{number(low)} ≤ r ≤ {number(high)}" if np.isfinite(high) else "every r > 0"
    cells = [_HEAD, *(_cells(row) for row in found)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
    lines = [
        f"scores  cosine ρ = {number(cosine)}, norm ratio s = ‖b‖/‖a‖ = {number(norm_ratio)}",
        f"band    {edges}, for positive incentives",
        f"pair    log π_w = {_response(pair.logp_w, pair.ref_w, pair.len_w)}",
        f"        log π_l = {_response(pair.logp_l, pair.ref_l, pair.len_l)}",
        "",
    ]
    for line in cells:
        name, *numbers, words = line
        middle = [f"{cell:>{w}}" for cell, w in zip(numbers, widths[1:-1], strict=True)]
        lines.append("  ".join([f"{name:{widths[0]}}", *middle, words]).rstrip())
    note = "Δ: first order, nats per unit of step where ‖a‖ = 1; δ: calibration factor, – if none"
    return "\n".join([*lines, "", note])


def _response(logp: float, ref: float, length: int) -> str:
    return f"{number(logp)} (reference {number(ref)}), {length} tokens"


def _cells(row: Row) -> tuple[str, ...]:
    ratio = number(row.d_w / row.d_l) if row.d_l else "–"
    delta = "–" if np.isnan(row.delta) else number(row.delta)
    numbers = (number(row.d_w), number(row.d_l), ratio, row.place or "–")
    changes = (number(row.change_w), number(row.change_l))
    return (row.name, *numbers, *changes, delta, row.case)


def shared_settings(
    settings: Mapping[str, float], owners: Sequence[Mapping[str, float]]
) -> list[dict[str, float]]:
    """Return for each owner of hyperparameters those of ``settings`` that it has.

    Raises:
        ValueError: A setting belongs to none of them.
    """
    every = {name for own in owners for name in own}
    if unknown := sorted(set(settings) - every):
        raise ValueError(
            f"a setting belongs to at least one of the objectives: got {', '.join(unknown)}, "
            f"they have {', '.join(sorted(every)) or 'none'}; set one of these"
        )
    return [{n: v for n, v in settings.items() if n in own} for own in owners]
