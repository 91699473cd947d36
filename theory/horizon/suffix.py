r"""A pair whose responses share m tokens after the one that differs, in closed form.

Two tokens everywhere. At the differing position the chosen one has probability s. On each of the
m rows after it both responses emit the same token: it has probability p after the chosen and q
after the rejected, and both contexts share their learnable logits up to a fixed offset. Along
:math:`d_wa - d_lb` the gap of the two logits moves, per unit of t, by

.. math:: x = 2(d_w(1-s) + d_ls) \text{ where they differ}, \qquad
    y = 2(d_w(1-p) - d_l(1-q)) \text{ on the suffix}

and the chosen has changed by

.. math:: -\log(s + (1-s)e^{-xt}) - m\log(p + (1-p)e^{-yt})

With :math:`y < 0`, so for DPO wherever :math:`p > q`, it ends falling however short the suffix.
"""

from typing import Any, NamedTuple

import numpy as np

from ..gram import Gram
from .band import Curvatures, turning_time
from .rays import Ray


class SharedSuffix(NamedTuple):
    """The toy; numbers, exact numbers or sympy expressions.

    Args:
        m: How many tokens follow the one that differs.
        p: Probability of each of them after the chosen token.
        q: The same after the rejected token.
        s: Probability of the chosen token where they differ.
    """

    m: Any
    p: Any
    q: Any
    s: Any

    @property
    def gram(self) -> Gram:
        """Score products."""
        m, p, q, s = self
        return Gram(
            2 * (1 - s) ** 2 + 2 * m * (1 - p) ** 2,
            2 * s**2 + 2 * m * (1 - q) ** 2,
            -2 * s * (1 - s) + 2 * m * (1 - p) * (1 - q),
        )

    @property
    def curvatures(self) -> Curvatures:
        """Second derivatives of both log-probabilities along both scores."""
        m, p, q, s = self
        at, after_w, after_l = (x * (1 - x) for x in (s, p, q))
        pull, push, pull_after, push_after = (2 * x for x in (1 - s, -s, 1 - p, 1 - q))
        parts = [
            -(at * one * other + m * after * one_after * other_after)
            for after in (after_w, after_l)
            for one, other, one_after, other_after in (
                (pull, pull, pull_after, pull_after),
                (pull, push, pull_after, push_after),
                (push, push, push_after, push_after),
            )
        ]
        return Curvatures(*parts)

    @property
    def lasting_ratio(self) -> Any:
        """The least ratio of incentives at which the chosen never turns, (1 − q)/(1 − p)."""
        return (1 - self.q) / (1 - self.p)

    def moves(self, d_w: Any, d_l: Any) -> tuple[Any, Any]:
        """How far the gaps of logits move per unit of t: where they differ, and after it."""
        _, p, q, s = self
        return 2 * (d_w * (1 - s) + d_l * s), 2 * (d_w * (1 - p) - d_l * (1 - q))

    def changes(self, d_w: Any, d_l: Any, t: Any, functions: Any = np) -> tuple[Any, Any]:
        """Exact changes of both log-probabilities after t, nats.

        Args:
            d_w: Incentive on the chosen response.
            d_l: Incentive on the rejected one.
            t: Steps times step size.
            functions: What has ``log`` and ``exp`` for these numbers: numpy, math, mpmath, sympy.
        """
        m, p, q, s = self
        log, exp = functions.log, functions.exp
        x, y = self.moves(d_w, d_l)
        return (
            -log(s + (1 - s) * exp(-x * t)) - m * log(p + (1 - p) * exp(-y * t)),
            -log(1 - s + s * exp(x * t)) - m * log(q + (1 - q) * exp(-y * t)),
        )

    def rays(self, d_w: float, d_l: float) -> tuple[Ray, Ray]:
        """Return both responses as rays, of plain numbers; for any t, however large."""
        m, p, q, s = self
        x, y = self.moves(d_w, d_l)
        moves = np.array([[x, 0.0]] + [[y, 0.0]] * m)
        chosen, rejected = (np.array([[s, 1 - s]] + [[u, 1 - u]] * m) for u in (p, q))
        tokens = np.zeros(m + 1, int)
        return Ray(chosen, moves, tokens), Ray(rejected, moves, np.append(1, tokens[1:]))

    def turning_time(self, d_w: Any, d_l: Any) -> Any:
        r"""Return when the chosen turns, to second order, in units of t.

        .. math:: t^* = \frac{2((1-s)x + m(1-p)y)}{s(1-s)x^2 + mp(1-p)y^2}

        Source: this project, ``disband.horizon.suffix.second-order``.
        """
        m, p, _, s = self
        x, y = self.moves(d_w, d_l)
        slope = (1 - s) * x + m * (1 - p) * y
        return turning_time(slope, -(s * (1 - s) * x**2 + m * p * (1 - p) * y**2))
