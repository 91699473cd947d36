r"""A batch with balanced labels in closed form: its suffix falls although products say otherwise.

n pairs through one linear head, a classifier's prompt each. In half of them the label token +
is chosen and − rejected, in the other half the reverse; m suffix tokens follow, of which neither
is a label. The suffix contexts of a pair's two responses are one, so its own two scores agree
there and cancel in every step on it alone; yet the step on the label moves the head, and the
suffix contexts read the same head. The label logits of a context move together and apart by

.. math:: \pm x, \qquad x_i = \bar\sigma c + \sigma_i(e + o/n)

with :math:`\sigma_i = \pm1` the pair's label, :math:`\bar\sigma` their mean, and c, e, o what the
products of hidden states have in common, by label, and each pair with itself alone. In a balanced
batch the common part cancels, and what first order says of the suffix cancels in the mean:
:math:`-\sigma_ix(s_+ - s_-)`. Its curvature, :math:`-x^2(s_+ + s_- - (s_+-s_-)^2)`, does not.
"""

from typing import Any, NamedTuple

import numpy as np

from .band import turning_time
from .rays import Ray


class Overlap(NamedTuple):
    """Products of a context's hidden state with those where the labels are predicted.

    Args:
        common: What is the same for all pairs.
        label: What has the sign of both labels' product.
        own: What there is more with the pair's own state.
    """

    common: Any
    label: Any
    own: Any

    def alone(self) -> Any:
        """How far the label logits move in a step on the pair alone, of unit incentives."""
        return self.common + self.label + self.own

    def together(self, pairs: Any, sign: Any = 1, balance: Any = 0) -> Any:
        """How far they move in a step on the whole batch, towards the + label.

        Args:
            pairs: n.
            sign: The pair's label.
            balance: The mean label of the batch.
        """
        return balance * self.common + sign * (self.label + self.own / pairs)


class BalancedBatch(NamedTuple):
    """The toy; numbers, exact numbers or sympy expressions.

    Args:
        pairs: n, half of each label.
        m: How many suffix tokens.
        at: Products of hidden states where the label is predicted.
        after: Products of the suffix contexts' hidden states with those.
        p_w: Probability of the chosen label.
        p_l: Probability of the rejected label.
        s_pos: Probability of the label + on a suffix row.
        s_neg: Probability of the label − on a suffix row.
    """

    pairs: Any
    m: Any
    at: Overlap
    after: Overlap
    p_w: Any
    p_l: Any
    s_pos: Any
    s_neg: Any

    def moves(self) -> tuple[Any, Any]:
        """How far the logits of the two labels move apart, per unit of t: label, suffix."""
        return self.at.together(self.pairs), self.after.together(self.pairs)

    def slope(self) -> Any:
        """Slope of the mean chosen: the suffix adds nothing."""
        return self.moves()[0] * (1 - self.p_w + self.p_l)

    def curvature(self) -> Any:
        """Curvature of the mean chosen: the suffix adds a variance for each of its tokens."""
        x, y = self.moves()
        label = self.p_w + self.p_l - (self.p_w - self.p_l) ** 2
        suffix = self.s_pos + self.s_neg - (self.s_pos - self.s_neg) ** 2
        return -(x**2 * label + self.m * y**2 * suffix)

    def change(self, t: Any, functions: Any = np) -> Any:
        r"""Exact change of the mean chosen after t, nats.

        .. math:: xt - \log(1 + p_w(e^{xt}-1) + p_l(e^{-xt}-1)) - \tfrac m2\sum_\pm
            \log(1 + s_+(e^{\pm yt}-1) + s_-(e^{\mp yt}-1))

        Args:
            t: Steps times step size times incentive.
            functions: What has ``log`` and ``exp`` for these numbers.
        """
        log, exp = functions.log, functions.exp
        x, y = (move * t for move in self.moves())
        label = x - log(1 + self.p_w * (exp(x) - 1) + self.p_l * (exp(-x) - 1))
        suffix = sum(
            log(1 + self.s_pos * (exp(z) - 1) + self.s_neg * (exp(-z) - 1)) for z in (y, -y)
        )
        return label - self.m * suffix / 2

    def rays(self) -> Ray:
        """Return the chosen of a pair with label + and of one with −, of plain numbers."""
        x, y = self.moves()
        label = [self.p_w, self.p_l, 1 - self.p_w - self.p_l]
        suffix = [self.s_pos, self.s_neg, 1 - self.s_pos - self.s_neg]
        rows = np.array([label, *[suffix] * self.m], float)
        moves = [np.array([[x, -x, 0.0], *[[z, -z, 0.0]] * self.m]) for z in (y, -y)]
        return Ray(np.stack([rows, rows]), np.stack(moves), np.array([0, *[2] * self.m]))

    def turning_time(self) -> Any:
        """Return when the mean chosen turns, to second order, in units of t."""
        return turning_time(self.slope(), self.curvature())
