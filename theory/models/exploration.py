r"""What pushing one response up or down does to the spread of a softmax, in closed form.

A row :math:`\pi` of logits of its own moves along :math:`\pm(e_y - \pi)` when the response
:math:`y` is pushed up or down. With the collision probability :math:`\Sigma = \sum_k\pi_k^2` and
:math:`\Sigma_3 = \sum_k\pi_k^3`, the slopes per unit of a push up are

.. math:: \frac{d\Sigma}{dt} = 2\left(\pi_y^2 - \Sigma\,\pi_y - \Sigma_3 + \Sigma^2\right),
    \qquad
    \frac{dH}{dt} = -\left(\pi_y\ell_y - \sum_k\pi_k^2\ell_k\right), \quad
    \ell_k = \log\pi_k + H

for the Gini diversity :math:`1 - \Sigma` (the probability that two draws differ) and for the
entropy :math:`H`; a push down has the opposite sign. All work on numbers, arrays and symbols.

Source: this project.
"""

from typing import Any, NamedTuple


def collision_slope(p: Any, second: Any, third: Any) -> Any:
    r"""Return :math:`d\Sigma/dt` for a push up of a response of probability ``p``.

    Args:
        p: :math:`\pi_y`, any shape.
        second: :math:`\Sigma`, the same shape.
        third: :math:`\Sigma_3`, the same shape.
    """
    return 2 * (p**2 - second * p - third + second**2)


def entropy_slope(p: Any, surprise: Any, mean: Any) -> Any:
    r"""Return :math:`dH/dt` for a push up of a response of probability ``p``.

    Args:
        p: :math:`\pi_y`, any shape.
        surprise: :math:`\ell_y = \log\pi_y + H`, the same shape, nats.
        mean: :math:`\sum_k\pi_k^2\ell_k`, the same shape.
    """
    return mean - p * surprise


class Halves(NamedTuple):
    """What positive and negative learning each do for a target."""

    positive: Any
    negative: Any


def success_halves(success: Any, alignment: Any) -> Halves:
    r"""Return both halves of :math:`G` where a response either succeeds or fails.

    With reward 1 or 0 and the mean reward :math:`q` as its baseline, advantages are
    :math:`1 - q` and :math:`-q`. Scores average to nothing, :math:`q h_+ + (1-q) h_- = 0`, so that

    .. math:: G_+ = q(1-q)\,h_+, \qquad G_- = -q(1-q)\,h_- = q^2\,h_+

    Args:
        success: :math:`q`, any shape.
        alignment: :math:`h_+`, the mean over successes of :math:`\langle\bar s, s\rangle`.

    Source: this project.
    """
    return Halves(success * (1 - success) * alignment, success**2 * alignment)
