"""The three inner products that carry all that theory says about a model and a pair."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Gram:
    r"""Score products of preference pairs.

    With scores :math:`a = \nabla\log\pi_w` and :math:`b = \nabla\log\pi_l`:

    Args:
        sq_w: :math:`\|a\|^2`, shape ``(...)``, nats² per squared unit of the parameters.
        sq_l: :math:`\|b\|^2`, the same shape.
        dot: :math:`\langle a, b\rangle`, the same shape.

    The fields may be arrays, tensors, numbers or sympy expressions.
    """

    sq_w: Any
    sq_l: Any
    dot: Any

    def __repr__(self) -> str:
        sq_w, sq_l, dot = (printed(value) for value in (self.sq_w, self.sq_l, self.dot))
        return f"Gram(sq_w={sq_w}, sq_l={sq_l}, dot={dot})"

    def _repr_latex_(self) -> str:
        """Return the three products for a notebook."""
        return "$" + r",\quad ".join(f"{name} = {value}" for name, value in self._products()) + "$"

    def _repr_html_(self) -> str:
        """Return the three products as a table for a notebook."""
        return html_table((f"${name}$", value) for name, value in self._products())

    def _products(self) -> tuple[tuple[str, str], ...]:
        sq_w, sq_l, dot = (printed(value) for value in (self.sq_w, self.sq_l, self.dot))
        return ((r"\|a\|^2", sq_w), (r"\|b\|^2", sq_l), (r"\langle a,b\rangle", dot))

    @property
    def cosine(self) -> Any:
        r""":math:`\rho = \langle a,b\rangle / (\|a\|\|b\|)`; NaN where a norm is zero."""
        norms = self.sq_w**0.5 * self.sq_l**0.5  # the product of squares may underflow
        return np.divide(self.dot, norms, out=np.full_like(norms, np.nan), where=norms > 0)

    @property
    def norm_ratio(self) -> Any:
        r""":math:`r^* = \|b\| / \|a\|`, the ratio of incentives at the centre of the band."""
        return (self.sq_l / self.sq_w) ** 0.5

    @staticmethod
    def of_scores(a: Any, b: Any) -> "Gram":
        """Gram of score vectors ``a`` and ``b`` of shape ``(..., parameters)``."""
        return Gram((a * a).sum(-1), (b * b).sum(-1), (a * b).sum(-1))

    @staticmethod
    def of_angle(cosine: Any, norm_ratio: Any) -> "Gram":
        r"""Gram with :math:`\|a\| = 1`, the given :math:`\rho` and :math:`r^* = \|b\|/\|a\|`.

        Raises:
            ValueError: A cosine outside [-1, 1] or a norm ratio that is not positive and finite.
        """
        rho, ratio = np.broadcast_arrays(np.asarray(cosine, float), np.asarray(norm_ratio, float))
        if not np.all(np.abs(rho) <= 1):
            raise ValueError(
                f"a cosine lies in [-1, 1]: got {cosine}; give ⟨a,b⟩ divided by both norms"
            )
        if not np.all((ratio > 1e-100) & (ratio < 1e100)):
            raise ValueError(
                f"a norm ratio is positive and finite: got {norm_ratio}; give ‖b‖/‖a‖, the "
                "rejected score's norm over the chosen one's, between 1e-100 and 1e100"
            )
        return Gram(np.ones_like(ratio), ratio**2, rho * ratio)


def printed(value: Any) -> str:
    """Return a number in four digits, of arrays and tensors the shape, and else what prints."""
    if shape := getattr(value, "shape", ()):
        return f"<{'×'.join(map(str, shape))}>"
    try:
        return f"{float(value):.4g}"
    except TypeError:  # a symbol
        return str(value)


def html_table(rows: Iterable[tuple[str, str]]) -> str:
    """Return names and values as an escaped HTML table; mathematics stands between dollars."""
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"
