r"""The functions that formulas are made of, each with its derivative, sign and stable kernels.

They stay intact under differentiation, so that a compiled formula never forms
:math:`\log(1 / (1 + e^{-x}))` term by term.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Function, Integer, Max, Piecewise, exp, log
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

Array = NDArray[np.float64]


class Primitive(Function):  # type: ignore[misc]
    """A function of one real argument with a name in print."""

    nargs = 1
    latex_name: ClassVar[str]
    plain_name: ClassVar[str]

    def _latex(self, printer: LatexPrinter) -> str:
        return rf"{self.latex_name}\left({printer._print(self.args[0])}\right)"  # noqa: SLF001

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{self.plain_name}({printer._print(self.args[0])})"  # noqa: SLF001


class sigmoid(Primitive):  # noqa: N801
    r"""Logistic function :math:`\sigma(x) = 1 / (1 + e^{-x})`."""

    latex_name = r"\sigma"
    plain_name = "σ"

    def fdiff(self, argindex: int = 1) -> Expr:
        r"""Derivative :math:`\sigma(x)\,\sigma(-x)`."""
        del argindex
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return 1 / (1 + exp(-x))

    @staticmethod
    def numpy(x: Array) -> Array:
        """Stable value: both branches see only :math:`e^{-|x|}`."""
        e = np.exp(-np.abs(x))
        return np.where(np.asarray(x) >= 0, 1.0, e) / (1.0 + e)


class logsigmoid(Primitive):  # noqa: N801
    r"""Log of the logistic function, :math:`\log \sigma(x)`."""

    latex_name = r"\log\sigma"
    plain_name = "logσ"

    def fdiff(self, argindex: int = 1) -> Expr:
        r"""Derivative :math:`\sigma(-x)`."""
        del argindex
        return sigmoid(-self.args[0])

    def _eval_is_negative(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return -log(1 + exp(-x))

    @staticmethod
    def numpy(x: Array) -> Array:
        r"""Stable value :math:`\min(x, 0) - \log(1 + e^{-|x|})`."""
        return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


class relu(Primitive):  # noqa: N801
    r"""Hinge :math:`\max(0, x)`; its derivative is :class:`step`."""

    latex_name = r"\mathrm{relu}"
    plain_name = "relu"

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative :math:`1[x > 0]`."""
        del argindex
        return step(self.args[0])

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return Max(0, x)

    @staticmethod
    def numpy(x: Array) -> Array:
        r"""Value :math:`\max(0, x)`."""
        return np.maximum(x, 0.0)


class step(Primitive):  # noqa: N801
    r"""Indicator :math:`1[x > 0]`, zero at the kink as in torch."""

    latex_name = r"\mathbf{1}_{>0}"
    plain_name = "1>0"

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative 0, almost everywhere."""
        del argindex
        return Integer(0)

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return Piecewise((1, x > 0), (0, True))

    @staticmethod
    def numpy(x: Array) -> Array:
        """Value 1.0 where ``x > 0``, else 0.0."""
        return np.where(np.asarray(x) > 0, 1.0, 0.0)


PRIMITIVES: tuple[type[Primitive], ...] = (sigmoid, logsigmoid, relu, step)
