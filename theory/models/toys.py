r"""The papers' toy settings in closed form.

Every one of them is a softmax whose logits move linearly, so one row of it says all: a row
:math:`s` that emits token :math:`j` and whose logits move by :math:`C\,u` changes its
log-probability by :math:`C u_j - \log\sum_k s_k e^{C u_k}`, which is concave in the step
:math:`C` and zero at zero.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..gram import Gram

Array = NDArray[np.float64]


def single_token_gram(s_w: Any, s_l: Any, sum_sq: Any, h_sq: Any) -> Gram:
    r"""Return the Gram of two different tokens predicted from one hidden state.

    .. math::
        \|a\|^2 = \|h\|^2 (1 - 2 s_w + \Sigma), \quad
        \|b\|^2 = \|h\|^2 (1 - 2 s_l + \Sigma), \quad
        \langle a,b\rangle = \|h\|^2 (\Sigma - s_w - s_l)

    Args:
        s_w: Probability of the chosen token, any shape.
        s_l: Probability of the rejected token, the same shape.
        sum_sq: :math:`\Sigma = \sum_k s_k^2`, the collision probability; :math:`1/M` where the
            prediction is uniform over M tokens.
        h_sq: :math:`\|h\|^2` of the hidden state.

    Works on numbers, arrays, tensors and sympy expressions.

    Source: yuan2025, Model Setup 1 and Theorem 1 (there for a uniform prediction).
    """
    return Gram(
        h_sq * (1 - 2 * s_w + sum_sq),
        h_sq * (1 - 2 * s_l + sum_sq),
        h_sq * (sum_sq - s_w - s_l),
    )


def row_slope(row: Any, direction: Any, token: Any) -> Any:
    r"""Return the first-order change of a row per unit of step, :math:`u_j - \sum_k s_k u_k`.

    Args:
        row: A softmax row :math:`s`, ``(..., V)``, of any numbers.
        direction: How its logits move, :math:`u`, ``(..., V)``.
        token: The token :math:`j` that it emits, ``(...)``.
    """
    row, direction = np.broadcast_arrays(row, direction)
    return _at(direction, token) - (row * direction).sum(-1)


def row_change(step: Any, row: Any, direction: Any, token: Any) -> Array:
    r"""Return the exact change of a row's log-probability after a step :math:`C` of any sign.

    .. math:: C u_j - \log\sum_k s_k e^{C u_k}

    Accurate both for small and for large steps. Arguments as in :func:`row_slope`; ``step``
    broadcasts with ``(...)``; units are nats.
    """
    row, direction = np.broadcast_arrays(np.asarray(row, float), np.asarray(direction, float))
    lead = _at(direction, token)[..., None]
    x = np.asarray(step, float)[..., None] * (direction - lead)
    x = np.where(row > 0, x, -np.inf)
    peak = x.max(-1, keepdims=True)
    small = -np.log1p((row * np.expm1(np.minimum(x, 1.0))).sum(-1))
    large = -(peak[..., 0] + np.log((row * np.exp(x - peak)).sum(-1)))
    return np.asarray(np.where(peak[..., 0] < 1.0, small, large))


class EditOne(NamedTuple):
    """Two responses that differ in one token, in a softmax with shared logits.

    Chosen and rejected share their logits up to fixed offsets of the context, and equal tokens
    before the differing position cancel.

    Args:
        at_w: Probability of the chosen token at the differing position.
        at_l: Probability of the rejected token there.
        after_w: Rows after it in the chosen response, ``(n, V)``.
        after_l: Rows after it in the rejected response, ``(n, V)``.
        tokens: The tokens that both emit after it, ``(n,)``.
    """

    at_w: Any
    at_l: Any
    after_w: Any
    after_l: Any
    tokens: Any

    @property
    def at(self) -> tuple[Any, Any, Any]:
        """Row, direction and token at the differing position: chosen, rejected, all others."""
        row = np.array([self.at_w, self.at_l, 1 - self.at_w - self.at_l])
        return row, np.array([1, -1, 0]), np.array(0)

    @property
    def after(self) -> tuple[Any, Any, Any]:
        """Rows, directions and tokens after it; the step moves them along ``s_l - s_w``."""
        after_w, after_l = np.asarray(self.after_w), np.asarray(self.after_l)
        return after_w, after_l - after_w, np.asarray(self.tokens)


def edit_one_slope(start: EditOne) -> Any:
    r"""Return the first-order change of the chosen sequence per unit of step.

    .. math::
        1 - p_w + p_l + \sum_i \Bigl[ v_{i,j_i} - \sum_k s_{w,i,k} v_{i,k} \Bigr],
        \qquad v_i = s_{l,i} - s_{w,i}

    Works on any numbers, exact and symbolic ones too.

    Source: yuan2025, eqs. 22 and 23; its eq. 13 prints :math:`1 + p_w - p_l` for the first part.
    """
    return row_slope(*start.at) + row_slope(*start.after).sum()


def edit_one_exact(step: float, start: EditOne) -> float:
    r"""Return the exact change of the chosen sequence after a step :math:`C` along ``a - b``.

    .. math::
        C - \log\bigl(1 + p_w(e^C - 1) + p_l(e^{-C} - 1)\bigr)
        + \sum_i \Bigl[ C v_{i,j_i} - \log\sum_k s_{w,i,k} e^{C v_{i,k}} \Bigr],
        \qquad v_i = s_{l,i} - s_{w,i}

    For an objective with :math:`d_w = d_l` the step is :math:`C = \eta d_w`. Nats.
    """
    return float(row_change(step, *start.at) + row_change(step, *start.after).sum())


def _at(values: Any, token: Any) -> Any:
    index = np.broadcast_to(np.asarray(token)[..., None], (*values.shape[:-1], 1))
    return np.take_along_axis(values, index, -1)[..., 0]
