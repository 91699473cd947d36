"""The cases over the plane of cosine and ratio, and where objectives and pairs stand in it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disband.theory.band import case
from disband.theory.gram import Gram
from disband.theory.objectives import TABLE2

Array = NDArray[np.float64]

_LEAST = 1.0  # of the plane's half height, so that a narrow cloud is not blown up


class Wedge(NamedTuple):
    r"""The case at every point of a grid over :math:`(\rho, \log(r/r^*))`.

    Args:
        cosine: Values of :math:`\rho`, ``(m,)``, rising.
        log_ratio: Values of :math:`\log(r/r^*)`, ``(k,)``, rising.
        cases: :class:`disband.theory.band.Case` at each of them, ``(k, m)``.
    """

    cosine: Array
    log_ratio: Array
    cases: NDArray[np.int8]


def wedge(cosine: ArrayLike, log_ratio: ArrayLike) -> Wedge:
    r"""Return the case at every :math:`(\rho, \log(r/r^*))`, for positive incentives.

    One norm ratio stands for all: scaling a score scales :math:`r` and :math:`r^*` alike.
    """
    rho, logs = np.asarray(cosine, float), np.asarray(log_ratio, float)
    return Wedge(rho, logs, case(np.exp(logs)[:, None], 1.0, Gram.of_angle(rho, 1.0)))


def places(
    state: Mapping[str, float], cosine: float, norm_ratio: float
) -> dict[str, tuple[float, float]]:
    r"""Return :math:`(\rho, \log(r/r^*))` of Table 2's objectives at one state of training.

    The whole catalogue would crowd the picture. Objectives with an incentive that is not positive
    there have no such place.

    Args:
        state: ``logp_w``, ``logp_l``, ``ref_w``, ``ref_l``, ``len_w``, ``len_l`` of the pair.
        cosine: Cosine of the two scores.
        norm_ratio: :math:`r^* = \|b\|/\|a\|`.
    """
    data = [np.asarray(state[k]) for k in ("logp_w", "logp_l", "ref_w", "ref_l", "len_w", "len_l")]
    points = {}
    for objective in TABLE2:
        d_w, d_l = (float(objective.kernel(what)(*data)) for what in ("d_w", "d_l"))
        if d_w > 0 and d_l > 0:
            points[objective.name] = cosine, float(np.log(d_w) - np.log(d_l) - np.log(norm_ratio))
    return points


def wedge_around(cosine: ArrayLike, log_ratio: ArrayLike) -> Wedge:
    """Return the wedge on a grid that holds all these points; those without numbers aside."""
    rho, logs = np.asarray(cosine, float), np.asarray(log_ratio, float)
    known = np.isfinite(rho) & np.isfinite(logs)
    height = 1.1 * max(_LEAST, float(np.abs(logs[known]).max(initial=0.0)))
    left = max(-1.0, min(-0.1, 1.1 * float(rho[known].min(initial=0.0))))
    return wedge(np.linspace(left, 1.0, 241), np.linspace(-height, height, 241))
