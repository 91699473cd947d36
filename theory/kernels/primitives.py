r"""The functions that formulas are made of, each with its derivative and its sign.

They stay intact under differentiation, so that a compiled formula never forms
:math:`\log(1 / (1 + e^{-x}))` term by term: their kernels are those of
:mod:`disband.theory.kernels.stable`.
"""

from typing import ClassVar

from mpmath import mp, workprec
from mpmath.libmp import prec_to_dps
from sympy import Expr, Function, Integer, Max, Piecewise, Rational, exp, log
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from . import stable

# Where linlog leaves the logarithm.
TANGENT = Rational(str(stable.TANGENT))


class Primitive(Function):  # type: ignore[misc]
    """A function of one real argument with a name in print."""

    nargs = 1
    latex_name: ClassVar[str]
    plain_name: ClassVar[str]

    def _latex(self, printer: LatexPrinter, **power: str) -> str:
        raised = f"^{{{power['exp']}}}" if "exp" in power else ""
        return rf"{self.latex_name}{raised}\left({printer._print(self.args[0])}\right)"  # noqa: SLF001

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{self.plain_name}({printer._print(self.args[0])})"  # noqa: SLF001

    def _eval_evalf(self, prec: int) -> Expr:
        return self.rewrite(exp).evalf(prec_to_dps(prec))


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

    numpy = staticmethod(stable.sigmoid)


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

    def _eval_evalf(self, prec: int) -> Expr | None:
        if not self.args[0].is_number:
            return None
        with workprec(prec + 10):
            value = -mp.log1p(mp.exp(-self.args[0]._to_mpmath(prec + 10)))  # noqa: SLF001
        return self._from_mpmath(value, prec)

    numpy = staticmethod(stable.logsigmoid)


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

    numpy = staticmethod(stable.relu)


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

    numpy = staticmethod(stable.step)


class expm1(Primitive):  # noqa: N801
    r"""Relative change :math:`e^x - 1`, with all its digits near zero."""

    latex_name = r"\mathrm{expm1}"
    plain_name = "expm1"

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative :math:`e^x`."""
        del argindex
        return exp(self.args[0])

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_is_positive(self) -> bool | None:
        positive: bool | None = self.args[0].is_positive
        return positive

    def _eval_is_negative(self) -> bool | None:
        negative: bool | None = self.args[0].is_negative
        return negative

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return exp(x) - 1

    numpy = staticmethod(stable.expm1)


class logodds(Primitive):  # noqa: N801
    r"""Log-odds of a log-probability, :math:`\log\frac{e^x}{1 - e^x}` for :math:`x < 0`."""

    latex_name = r"\mathrm{logodds}"
    plain_name = "logodds"

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative :math:`1 / (1 - e^x)`."""
        del argindex
        return -1 / expm1(self.args[0])

    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[0].is_negative else None

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return x - log(1 - exp(x))

    numpy = staticmethod(stable.logodds)


class linlog(Primitive):  # noqa: N801
    r"""Logarithm, below :math:`10^{-6}` continued by its tangent."""

    latex_name = r"\mathrm{linlog}"
    plain_name = "linlog"

    def fdiff(self, argindex: int = 1) -> Expr:
        r"""Derivative :math:`1 / \max(x, 10^{-6})`."""
        del argindex
        return 1 / (TANGENT + relu(self.args[0] - TANGENT))

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return Piecewise((log(x), x > TANGENT), (log(TANGENT) + x / TANGENT - 1, True))

    numpy = staticmethod(stable.linlog)


class stop(Primitive):  # noqa: N801
    r"""Its argument, held constant where a loss is differentiated: a stop-gradient."""

    latex_name = r"\mathrm{sg}"
    plain_name = "stop"

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative 0, which is what it is for."""
        del argindex
        return Integer(0)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_is_positive(self) -> bool | None:
        positive: bool | None = self.args[0].is_positive
        return positive

    def _eval_is_negative(self) -> bool | None:
        negative: bool | None = self.args[0].is_negative
        return negative

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return x

    numpy = staticmethod(stable.stop)


def released(slope: Expr) -> Expr:
    """Return a slope of a loss without the stops in it, for as a number each is its argument."""
    return slope.replace(stop, lambda x: x)


# Those that any formula may have; a stop means something in a loss alone.
PRIMITIVES: tuple[type[Primitive], ...] = (
    sigmoid,
    logsigmoid,
    relu,
    step,
    expm1,
    logodds,
    linlog,
)
