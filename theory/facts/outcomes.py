"""What the signs of the two incentives allow to happen to both responses, to first order."""

from itertools import product
from typing import Literal

Sign = Literal[1, 0, -1]
SIGNS: tuple[Sign, ...] = (1, 0, -1)


def change_signs(d_w: int, d_l: int, dot: int) -> set[tuple[int, int]]:
    r"""Return the signs that the two first-order changes can have together.

    From the signs of :math:`d_w, d_l` and :math:`X = \langle a,b\rangle`, for scores that are
    neither zero nor parallel. With :math:`\Delta_w = d_wA - d_lX`,
    :math:`\Delta_l = d_wX - d_lB` the incentives follow from the changes:
    :math:`d_w(AB - X^2) = B\Delta_w - X\Delta_l` and :math:`d_l(AB - X^2) = X\Delta_w - A\Delta_l`.
    Both directions must agree in sign, and then numbers with these signs exist.

    Returns:
        Pairs of signs of :math:`(\Delta_w, \Delta_l)`.
    """
    return {
        (change_w, change_l)
        for change_w, change_l in product(SIGNS, repeat=2)
        if change_w in _sum(d_w, -d_l * dot)
        and change_l in _sum(d_w * dot, -d_l)
        and d_w in _sum(change_w, -dot * change_l)
        and d_l in _sum(dot * change_w, -change_l)
    }


def _sum(left: int, right: int) -> set[int]:
    """Signs that a sum of two numbers with the given signs can have."""
    if left * right < 0:
        return {1, 0, -1}
    return {left or right}
