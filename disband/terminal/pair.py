"""``disband band`` and ``disband compare``: what one step of an objective does to one pair."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from disband.theory.band import Case, band, calibration, case_of
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels
from disband.verify.pages.tables import number

_HEAD = ("objective", "d_w", "d_l", "r", "band", "Δ log π_w", "Δ log π_l", "δ", "case")
_NOTHING = "nothing moves"
# Below this, relative to its terms, a rate is a rounding error and none.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Pair:
    """Log-probabilities in nats and lengths in tokens of one chosen and one rejected response.

    Raises:
        ValueError: A log-probability that is not negative and finite.
    """

    logp_w: float = -10.0
    logp_l: float = -10.0
    ref_w: float = -10.0
    ref_l: float = -10.0
    len_w: int = 10
    len_l: int = 10

    def __post_init__(self) -> None:
        for name in ("logp_w", "logp_l", "ref_w", "ref_l"):
            if not -np.inf < (value := getattr(self, name)) < 0:
                raise ValueError(
                    f"a log-probability is negative and finite: got {name} = {value}; "
                    "give the log of a probability below 1, in nats"
                )


@dataclass(frozen=True)
class Placement:
    """One objective on a pair: its incentives, and what one step of it does, to first order.

    Args:
        name: The objective.
        settings: Its hyperparameters.
        d_w: Incentive on the chosen response.
        d_l: Incentive on the rejected one.
        change_w: Change of log π_w per unit of step, in units of ‖a‖²; 0 within rounding.
        change_l: The same of log π_l.
        delta: The factor that centres the ratio; NaN if none does.
        place: ``below``, ``inside`` or ``above`` the band; empty where an incentive is not
            positive, for then the band does not apply.
        case: What happens, in words.
    """

    name: str
    settings: dict[str, float]
    d_w: float
    d_l: float
    change_w: float
    change_l: float
    delta: float
    place: str
    case: str

    @property
    def ratio(self) -> float:
        """The ratio r = d_w/d_l; NaN where nothing pushes the rejected response."""
        return self.d_w / self.d_l if self.d_l else np.nan


@dataclass(frozen=True, repr=False)
class Comparison:
    """Objectives on one pair whose scores have one cosine and norm ratio.

    Args:
        pair: The pair.
        cosine: Cosine ρ of the two scores.
        norm_ratio: r* = ‖b‖/‖a‖.
        placements: One for each objective.
    """

    pair: Pair
    cosine: float
    norm_ratio: float
    placements: tuple[Placement, ...]

    @property
    def edges(self) -> tuple[float, float]:
        """The band of positive ratios; its upper end is infinite where every ratio is good."""
        low, high = band(Gram.of_angle(self.cosine, self.norm_ratio))
        return float(low), float(high)

    def record(self) -> dict[str, Any]:
        """Return it as plain data."""
        low, high = self.edges
        return {
            "pair": asdict(self.pair),
            "scores": {"cosine": self.cosine, "norm ratio": self.norm_ratio},
            "band": {"low": low, "high": high},
            "objectives": [{**asdict(one), "ratio": one.ratio} for one in self.placements],
        }

    def __repr__(self) -> str:
        return "\n".join(_table(self))

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        rows = [("th", _HEAD), *(("td", _cells(one)) for one in self.placements)]
        table = "".join(
            f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
            for tag, cells in rows
        )
        return f"<pre>{escape(chr(10).join(_given(self)))}</pre><table>{table}</table>"


def compare(
    objectives: Iterable[HasKernels | tuple[HasKernels, Mapping[str, float]]],
    *,
    cosine: float,
    norm_ratio: float,
    pair: Pair | None = None,
) -> Comparison:
    """Return what one step of each objective does to a pair.

    Args:
        objectives: Each alone, or with the hyperparameters that differ from its defaults.
        cosine: Cosine ρ of the two scores.
        norm_ratio: r* = ‖b‖/‖a‖.
        pair: The pair; by default at its reference, with ten tokens on each side.

    Raises:
        ValueError: A hyperparameter, cosine or norm ratio that the theory does not allow, or an
            incentive that is not finite.
    """
    gram, pair = Gram.of_angle(cosine, norm_ratio), pair or Pair()
    with_settings = [one if isinstance(one, tuple) else (one, {}) for one in objectives]
    placements = tuple(_placement(one, hyper, pair, gram) for one, hyper in with_settings)
    return Comparison(pair, cosine, norm_ratio, placements)


def _placement(
    objective: HasKernels, hyper: Mapping[str, float], pair: Pair, gram: Gram
) -> Placement:
    with np.errstate(all="ignore"):
        incentives = objective.kernel("incentives", "numpy", **hyper)(*vars(pair).values())
    d_w, d_l = (float(d) for d in incentives)
    if not np.isfinite([d_w, d_l]).all():
        raise ValueError(
            f"incentives are finite: got d_w = {d_w}, d_l = {d_l} for {objective.name}; "
            "choose less extreme hyperparameters or log-probabilities"
        )
    least = _ROUNDING * max(abs(d_w), abs(d_l)) * max(float(gram.sq_w), float(gram.sq_l))
    rates = (float(rate) for rate in first_order(d_w, d_l, gram))
    change_w, change_l = (0.0 if abs(rate) <= least else rate for rate in rates)
    return Placement(
        objective.name,
        objective.settings(hyper),
        d_w,
        d_l,
        change_w,
        change_l,
        float(calibration(d_w, d_l, gram)),
        _place(change_w, change_l) if min(d_w, d_l) > 0 else "",
        Case(int(case_of(change_w, change_l))).words if d_w or d_l else _NOTHING,
    )


def _place(change_w: float, change_l: float) -> str:
    """For positive incentives: below the band the chosen falls, above it the rejected rises."""
    return "below" if change_w < 0 else "above" if change_l > 0 else "inside"


def band_text(found: Comparison) -> str:
    """Return the only objective of a comparison, explained in lines of plain text."""
    (one,) = found.placements
    settings = ", ".join(f"{name} = {number(value)}" for name, value in one.settings.items())
    edges = _edges(found)
    if edges == _EVERY:
        edges += ", for the scores do not point the same way (ρ ≤ 0)"
    else:
        edges += f", around r* = {number(found.norm_ratio)}"
    moves = one.case if one.case != _NOTHING else f"{_NOTHING}: both incentives are zero"
    lines = [
        f"{one.name}{' with ' if settings else ''}{settings}",
        *_pair(found),
        "",
        f"band        {edges}",
        f"incentives  d_w = {number(one.d_w)}, d_l = {number(one.d_l)}",
        f"ratio       {_ratio(one, *found.edges)}",
        f"case        {moves}",
        f"first order log π_w {_direction(one.change_w)}",
        f"            log π_l {_direction(one.change_l)}   (nats per unit of step, where ‖a‖² = 1)",
        f"calibrate   {_calibration(one.delta)}",
    ]
    return "\n".join(lines)


_EVERY = "every ratio r > 0"


def _edges(found: Comparison) -> str:
    low, high = found.edges
    return f"{number(low)} ≤ r ≤ {number(high)}" if np.isfinite(high) else _EVERY


def _pair(found: Comparison) -> list[str]:
    pair = found.pair
    norms = f"norm ratio r* = ‖b‖/‖a‖ = {number(found.norm_ratio)}"
    return [
        f"pair        log π_w = {_response(pair.logp_w, pair.ref_w, pair.len_w)}",
        f"            log π_l = {_response(pair.logp_l, pair.ref_l, pair.len_l)}",
        f"scores      cosine ρ = {number(found.cosine)}, {norms}",
    ]


def _response(logp: float, ref: float, length: int) -> str:
    return f"{number(logp)} (reference {number(ref)}), {length} tokens"


def _ratio(one: Placement, low: float, high: float) -> str:
    if one.d_l == 0:
        return "r = d_w/d_l is undefined, for d_l = 0: nothing pushes the rejected response"
    said = f"r = {number(one.ratio)}"
    if not one.place:
        which = "both incentives are" if max(one.d_w, one.d_l) <= 0 else "one incentive is"
        return f"{said}, but {which} not positive, so that the band does not apply"
    if one.place == "below":
        return f"{said}, below the band: {number(low / one.ratio)} times too small"
    if one.place == "above":
        return f"{said}, above the band: {number(one.ratio / high)} times too large"
    return f"{said}, inside the band"


def _direction(rate: float) -> str:
    return f"{'rises' if rate > 0 else 'falls'} at {number(rate)}" if rate else "stays"


def _calibration(delta: float) -> str:
    if np.isnan(delta):
        return "no positive factor helps, for both incentives would have to be positive"
    return f"δ = {number(delta)}: with δ·d_w and d_l/δ the ratio is r*, the centre of the band"


def _table(found: Comparison) -> list[str]:
    cells = [_HEAD, *map(_cells, found.placements)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
    lines = [*_given(found), ""]
    for name, *numbers, words in cells:
        middle = [f"{cell:>{w}}" for cell, w in zip(numbers, widths[1:-1], strict=True)]
        lines.append("  ".join([f"{name:{widths[0]}}", *middle, words]).rstrip())
    note = "Δ: first order, nats per unit of step where ‖a‖ = 1; δ: calibration factor, – if none"
    return [*lines, "", note]


def _given(found: Comparison) -> list[str]:
    return [*_pair(found), f"band        {_edges(found)}, for positive incentives"]


def _cells(one: Placement) -> tuple[str, ...]:
    ratio, delta = ("–" if np.isnan(v) else number(v) for v in (one.ratio, one.delta))
    numbers = (number(one.d_w), number(one.d_l), ratio, one.place or "–")
    changes = (number(one.change_w), number(one.change_l))
    return (one.name, *numbers, *changes, delta, one.case)


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
