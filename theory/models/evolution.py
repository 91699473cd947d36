r"""Who gains probability where one context's softmax learns a pair: closed forms.

Responses are the V tokens of one softmax row :math:`s`. A margin objective moves the logits along
:math:`e_w - e_l`; after a step :math:`C`, however many small ones it was made of, with
:math:`E = e^C`,

.. math::
    s_w' = s_wE/Z, \quad s_l' = s_l/(EZ), \quad s_o' = s_o/Z, \qquad
    Z = 1 + s_w(E - 1) - s_l(1 - 1/E)

So every other response keeps its odds against every other, all gain or all lose together, and
:math:`s_ws_l/s_o^2` never changes. Where nothing else is said, functions take numbers, arrays
and symbols.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def after(p_w: Any, p_l: Any, growth: Any) -> tuple[Any, Any, Any]:
    r"""Return :math:`s_w'`, :math:`s_l'` and the normaliser :math:`Z` after a step.

    Args:
        p_w: Probability of the chosen response, ``(...)``.
        p_l: Probability of the rejected one, ``(...)``.
        growth: :math:`E = e^C`, positive, ``(...)``.
    """
    total = 1 + p_w * (growth - 1) - p_l * (1 - 1 / growth)
    return p_w * growth / total, p_l / (growth * total), total


def most_elsewhere(root_w: Any, root_l: Any) -> Any:
    r"""Return the mass of all others at the turning point, of the two probabilities' roots.

    .. math:: \frac{q}{q + 2\sqrt{s_ws_l}} = \frac{q}{1 - (\sqrt{s_l} - \sqrt{s_w})^2},
        \qquad q = 1 - s_w - s_l

    Reached only if :math:`s_w < s_l`; it tends to one as :math:`s_w` tends to zero.

    Args:
        root_w: :math:`\sqrt{s_w}`, ``(...)``.
        root_l: :math:`\sqrt{s_l}`, ``(...)``.
    """
    return (1 - root_w**2 - root_l**2) / (1 - (root_l - root_w) ** 2)


def chosen_share(p_w: Any, p_l: Any) -> Any:
    r"""Return the share of the margin's first-order growth that is a rise of the chosen.

    .. math:: \tfrac12(1 - s_w + s_l) \in (0, 1)

    The rest is the rejected's fall. It depends on the two probabilities at the start alone.
    """
    return (1 - p_w + p_l) / 2


def flow(row: Any, d_w: Any, d_l: Any) -> Array:
    r"""Return the velocity of a row under any incentives; token 0 is chosen, token 1 rejected.

    .. math:: \dot s_k = s_k(u_k - \textstyle\sum_j s_ju_j), \qquad
        u = d_w(e_w - s) - d_l(e_l - s)

    Args:
        row: Probabilities, ``(..., V)``.
        d_w: Incentive on the chosen response, ``(...)``.
        d_l: Incentive on the rejected one, ``(...)``.
    """
    s = np.asarray(row, float)
    pull, push = (np.asarray(d, float)[..., None] for d in (d_w, d_l))
    up, down = (np.eye(s.shape[-1])[i] for i in (0, 1))
    u = pull * (up - s) - push * (down - s)
    return np.asarray(s * (u - (s * u).sum(-1, keepdims=True)))


def elsewhere_velocity(p_w: Any, p_l: Any, d_w: Any, d_l: Any, others_sq: Any) -> Any:
    r"""Return the velocity of the mass q of all other responses under any incentives.

    .. math:: \dot q = d_l(s_lq + S - q\Sigma) - d_w(s_wq + S - q\Sigma), \qquad
        \Sigma = s_w^2 + s_l^2 + S

    Args:
        p_w: Probability of the chosen response, ``(...)``.
        p_l: Probability of the rejected one, ``(...)``.
        d_w: Incentive on the chosen response, ``(...)``.
        d_l: Incentive on the rejected one, ``(...)``.
        others_sq: :math:`S`, the sum of the others' squared probabilities, ``(...)``.
    """
    others = 1 - p_w - p_l
    common = others_sq - others * (p_w**2 + p_l**2 + others_sq)
    return d_l * (p_l * others + common) - d_w * (p_w * others + common)


def basin_edge(ratio: Any) -> Any:
    r"""Return the share of an irrelevant response beyond which it wins, :math:`\frac{1}{2(1-r)}`.

    On the edge of the simplex where the rejected is gone, incentives of a constant ratio
    :math:`r = d_w/d_l < 1/2` have a fixed point there: below it the chosen takes all, above it
    the irrelevant response does. For :math:`r \ge 1/2` the chosen always does (at least one).
    """
    return 1 / (2 * (1 - ratio))
