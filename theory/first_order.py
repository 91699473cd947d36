"""What one gradient step does to both log-probabilities, to first order."""

from typing import Any

from .gram import Gram


def first_order(d_w: Any, d_l: Any, gram: Gram, lr: Any = 1) -> tuple[Any, Any]:
    r"""Return the first-order changes of both log-probabilities after one step on one pair.

    .. math::
        \Delta\log\pi_w = \eta\,(d_w\|a\|^2 - d_l\langle a,b\rangle), \qquad
        \Delta\log\pi_l = \eta\,(d_w\langle a,b\rangle - d_l\|b\|^2)

    Shapes broadcast; units are nats. Works on numbers, arrays, tensors and symbols.

    Source: yuan2025, box "Gradient Entanglement (General)" in section 3.2.
    """
    change_w = d_w * gram.sq_w - d_l * gram.dot
    change_l = d_w * gram.dot - d_l * gram.sq_l
    if isinstance(lr, int) and lr == 1:  # millions of numbers are not multiplied for nothing
        return change_w, change_l
    return lr * change_w, lr * change_l
