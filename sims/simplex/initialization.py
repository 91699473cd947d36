r"""What a start decides: maps over the probabilities of chosen and rejected, in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disband.theory.models.evolution import chosen_share, most_elsewhere

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StartMap:
    """Quantities at every start of one context, NaN where the two probabilities exceed one.

    Args:
        p_w: Probability of the chosen response, ``(m,)``, rising.
        p_l: Probability of the rejected one, ``(k,)``, rising.
        share: The chosen's share of the margin's growth at the start, ``(k, m)``.
        shifted: The most that irrelevant responses ever hold beyond their start, ``(k, m)``.
        debt: The margin to gain until they hold no more than at the start, ``(k, m)`` nats; zero
            where they never do.
    """

    p_w: Array
    p_l: Array
    share: Array
    shifted: Array
    debt: Array


def initialization_map(least: float = 1e-4, points: int = 161) -> StartMap:
    """Return what margin objectives do from each start, on a logarithmic grid.

    Args:
        least: The least probability of either response.
        points: Points along each axis.

    Raises:
        ValueError: A least probability outside (0, 1/2), or fewer than two points.
    """
    if not 0 < least < 0.5 or points < 2:
        raise ValueError(
            "a map starts at a probability in (0, 1/2) and has two points or more: got "
            f"{least} and {points}; set 1e-4 and 161, say"
        )
    axis = np.geomspace(least, 1 - least, points)
    w, l = np.broadcast_arrays(axis, axis[:, None])  # noqa: E741 (rejected)
    possible = w + l < 1 - 1e-12
    w, l = np.where(possible, w, 0.25), np.where(possible, l, 0.25)  # noqa: E741
    behind = w < l
    peak = most_elsewhere(np.sqrt(w), np.sqrt(l)) - (1 - w - l)

    def shown(values: Array) -> Array:
        return np.where(possible, values, np.nan)

    return StartMap(
        axis,
        axis,
        shown(chosen_share(w, l)),
        shown(np.where(behind, peak, 0.0)),
        shown(np.where(behind, 2 * np.log(l / w), 0.0)),
    )
