"""``disband band``: where an objective stands relative to the band of one pair, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from disband.theory.band import Case, band, calibration, case
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels
from disband.theory.step import first_order

from .numbers import number

_NOTHING = 1e-12


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


def placement(
    objective: HasKernels, hyper: Mapping[str, float], pair: Pair, cosine: float, norm_ratio: float
) -> str:
    """Return what one step of ``objective`` does to ``pair``, as lines of plain text.

    Raises:
        ValueError: A hyperparameter, cosine or norm ratio that the theory does not allow.
    """
    gram = Gram.of_angle(cosine, norm_ratio)
    incentives = objective.kernel("incentives", "numpy", **hyper)
    d_w, d_l = (float(d) for d in incentives(*vars(pair).values()))
    if not np.isfinite([d_w, d_l]).all():
        raise ValueError(
            f"incentives are finite: got d_w = {d_w}, d_l = {d_l} for {objective.name}; "
            "choose another pair or less extreme hyperparameters"
        )
    settings = ", ".join(f"{s} = {number(v)}" for s, v in objective.settings(hyper).items())
    lines = [
        f"{objective.name}{' with ' if settings else ''}{settings}",
        f"pair        log π_w = {_response(pair.logp_w, pair.ref_w, pair.len_w)}",
        f"            log π_l = {_response(pair.logp_l, pair.ref_l, pair.len_l)}",
        f"scores      cosine ρ = {number(cosine)}, norm ratio r* = ‖b‖/‖a‖ = {number(norm_ratio)}",
        "",
        f"band        {_band(gram, norm_ratio)}",
        f"incentives  d_w = {number(d_w)}, d_l = {number(d_l)}",
        f"ratio       {_ratio(d_w, d_l, gram)}",
        f"case        {_case(d_w, d_l, gram)}",
        *_directions(d_w, d_l, gram),
        f"calibrate   {_calibration(d_w, d_l, gram)}",
    ]
    return "\n".join(lines)


def _response(logp: float, ref: float, length: int) -> str:
    return f"{number(logp)} (reference {number(ref)}), {length} tokens"


def _case(d_w: float, d_l: float, gram: Gram) -> str:
    if d_w == d_l == 0:
        return "nothing moves: both incentives are zero"
    return Case(int(case(d_w, d_l, gram))).words


def _band(gram: Gram, norm_ratio: float) -> str:
    low, high = (float(edge) for edge in band(gram))
    if np.isinf(high):
        return "every ratio r > 0, for the scores do not point the same way (ρ ≤ 0)"
    return f"{number(low)} ≤ r ≤ {number(high)}, around r* = {number(norm_ratio)}"


def _ratio(d_w: float, d_l: float, gram: Gram) -> str:
    if d_l == 0:
        return "r = d_w/d_l is undefined, for d_l = 0: nothing pushes the rejected response"
    r = d_w / d_l
    if d_w <= 0 or d_l <= 0:
        which = "both incentives are" if d_w <= 0 and d_l <= 0 else "one incentive is"
        return f"r = {number(r)}, but {which} not positive, so that the band does not apply"
    low, high = (float(edge) for edge in band(gram))
    if r < low:
        return f"r = {number(r)}, below the band: {number(low / r)} times too small"
    if r > high:
        return f"r = {number(r)}, above the band: {number(r / high)} times too large"
    return f"r = {number(r)}, inside the band"


def _directions(d_w: float, d_l: float, gram: Gram) -> list[str]:
    """Say where both log-probabilities go; a rate within rounding of zero is none."""
    scale = max(abs(d_w), abs(d_l)) * max(float(gram.sq_w), float(gram.sq_l))
    rates = [float(rate) for rate in first_order(d_w, d_l, gram)]
    said = []
    for name, rate in zip(("log π_w", "log π_l"), rates, strict=True):
        way = "stays" if abs(rate) <= _NOTHING * scale else "rises" if rate > 0 else "falls"
        amount = "" if way == "stays" else f" at {number(rate)}"
        said.append(f"{name} {way}{amount}")
    return [
        f"first order {said[0]}",
        f"            {said[1]}   (nats per unit of step, where ‖a‖² = 1)",
    ]


def _calibration(d_w: float, d_l: float, gram: Gram) -> str:
    delta = float(calibration(d_w, d_l, gram))
    if np.isnan(delta):
        return "no positive factor helps, for both incentives would have to be positive"
    return f"δ = {number(delta)}: with δ·d_w and d_l/δ the ratio is r*, the centre of the band"
