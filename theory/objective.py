"""What a preference-optimization objective is, and what follows from its loss."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property

from sympy import (
    Basic,
    Dummy,
    Expr,
    Function,
    Symbol,
    cancel,
    count_ops,
    expand,
    factor_terms,
    latex,
    oo,
    powsimp,
)

from .first_order import first_order
from .gram import Gram, html_table
from .kernels.compiled import Compiled, Hyperparameter, Quantity, Sign
from .kernels.lowering import program_of
from .kernels.primitives import logsigmoid, released
from .kernels.program import Kernel, Program
from .kernels.stable import Backend
from .signs import Signs, signs
from .symbols import BELOW, DATA, LATEX, PLAIN, A, B, X, gap, logp_l, logp_w


@dataclass(frozen=True, eq=False)
class Objective:
    r"""A pairwise loss :math:`\ell(\log\pi_w, \log\pi_l)` and all that follows from it.

    One step of gradient descent moves the parameters along :math:`d_w a - d_l b`, with the
    scores :math:`a = \nabla\log\pi_w`, :math:`b = \nabla\log\pi_l`.

    Args:
        name: The name in tables, test ids, figures and on the command line.
        loss: The loss of one pair in nats, an expression in :mod:`disband.theory.symbols`.
        source: Where the loss was published.
        defaults: The value of each hyperparameter in ``loss``.
        note: What a reader must know beside the formula, such as which log-probability it reads.
    """

    name: str
    loss: Expr
    source: str
    defaults: Mapping[Symbol, float] = field(default_factory=dict)
    note: str = ""

    def __repr__(self) -> str:
        return f"{self.name}: ℓ = {self.loss}"

    def _repr_latex_(self) -> str:
        """Return loss and incentives for a notebook."""
        lines = (f"{name} &= {formula}" for name, formula in self._formulas())
        return r"$\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}$"

    def _repr_html_(self) -> str:
        """Return name, loss, incentives, defaults and source as a table for a notebook."""
        defaults = ", ".join(f"{symbol} = {value:.4g}" for symbol, value in self.defaults.items())
        formulas = ((f"${name}$", f"${formula}$") for name, formula in self._formulas())
        ends = (("defaults", defaults or "none"), ("source", self.source))
        return html_table((("objective", self.name), *formulas, *ends))

    def _formulas(self) -> Iterator[tuple[str, str]]:
        """Yield loss and incentives in TeX."""
        for name, formula in ((r"\ell", self.loss), ("d_w", self.d_w), ("d_l", self.d_l)):
            yield name, latex(formula, symbol_names=LATEX)

    @cached_property
    def d_w(self) -> Expr:
        r"""Pull on the chosen response, :math:`d_w = -\partial\ell/\partial\log\pi_w`."""
        return _tidy(released(-self.loss.diff(logp_w)))

    @cached_property
    def d_l(self) -> Expr:
        r"""Push on the rejected response, :math:`d_l = \partial\ell/\partial\log\pi_l`."""
        d_l = _tidy(released(self.loss.diff(logp_l)))
        return self.d_w if expand(self.d_w - d_l) == 0 else d_l

    @cached_property
    def ratio(self) -> Expr:
        r"""The ratio of incentives :math:`r = d_w/d_l`, where :math:`d_l \ne 0`."""
        if self.d_l == 0:
            return oo
        # Functions stand for themselves, or cancel would expand what they are functions of.
        calls = {call: Dummy() for d in (self.d_w, self.d_l) for call in d.atoms(Function)}
        d_w, d_l = (d.subs(calls) for d in (self.d_w, self.d_l))
        names = {name: call for call, name in calls.items()}
        forms = [factor_terms(form) for form in (d_w / d_l, cancel(d_w / d_l))]
        return powsimp(min(forms, key=count_ops).subs(names), combine="exp")

    @cached_property
    def conditions(self) -> tuple[Basic, Basic]:
        r"""The chosen does not fall iff the first holds, the rejected does not rise iff the second.

        :math:`d_w\|a\|^2 \ge d_l\langle a,b\rangle` and
        :math:`d_w\langle a,b\rangle \le d_l\|b\|^2`.
        """
        change_w, change_l = first_order(self.d_w, self.d_l, Gram(A, B, X))
        return change_w >= 0, change_l <= 0

    @cached_property
    def signs_w(self) -> Signs:
        """Where the incentive on the chosen response is positive, zero and negative."""
        return signs(self.d_w)

    @cached_property
    def signs_l(self) -> Signs:
        """Where the incentive on the rejected response is positive, zero and negative."""
        return signs(self.d_l)

    @cached_property
    def compiled(self) -> Compiled:
        """The objective as numbers; a quantity's program is written when it is first asked for."""
        parameters = tuple(
            Hyperparameter(
                symbol.name, PLAIN.get(symbol, symbol.name), float(value), *_range(symbol)
            )
            for symbol, value in self.defaults.items()
        )
        return Compiled(self.name, self.source, self.note, parameters, cache(self._program))

    def _program(self, what: Quantity) -> Program:
        exprs = [self.d_w, self.d_l] if what == "incentives" else [getattr(self, what)]
        hyper = list(self.defaults)
        more = [gap] if gap in self.loss.free_symbols - set(hyper) else []
        return program_of(exprs, [*DATA, *more, *hyper], hyper)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the six arrays that a kernel takes, and ``gap`` where the loss reads it."""
        return self.compiled.arguments

    def kernel(self, what: Quantity = "loss", backend: Backend = "numpy", **hyper: float) -> Kernel:
        r"""Return ``loss``, ``d_w`` or ``d_l`` as a function of six arrays or tensors.

        The function takes ``(logp_w, logp_l, ref_w, ref_l, len_w, len_l)``, each ``(batch,)``
        or broadcastable, then each pair's score gap where the loss reads it (see ``arguments``),
        and returns ``(batch,)``; ``incentives`` is the pair ``(d_w, d_l)``, what
        they share computed once. Hyperparameters not named in ``hyper`` take their defaults.
        Numpy's numbers are float64, whatever comes; torch's have the type of the tensors.

        Raises:
            ValueError: ``hyper`` is not a hyperparameter with a value that it can have.
        """
        return self.compiled.kernel(what, backend, **hyper)

    def values(self, hyper: Mapping[str, float]) -> dict[Symbol, float]:
        """Return every hyperparameter's value: its default, or what ``hyper`` says.

        Raises:
            ValueError: ``hyper`` is not a hyperparameter with a value that it can have.
        """
        values = self.compiled.values(hyper)
        return {symbol: values[symbol.name] for symbol in self.defaults}

    def settings(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """Return every hyperparameter's value as :meth:`values`, but by how it is printed."""
        return self.compiled.settings(hyper)


def _tidy(slope: Expr) -> Expr:
    r"""Return a derivative in few symbols: :math:`\log\sigma(x) - \log\sigma(-x)` is :math:`x`."""
    return factor_terms(factor_terms(slope).replace(lambda e: e.is_Add, _without_logsigmoids))


def _without_logsigmoids(total: Expr) -> Expr:
    weights = total.as_coefficients_dict()
    for call in list(weights):
        if isinstance(call, logsigmoid):
            (x,) = call.args
            if weights[call] == -weights.get(logsigmoid(-x), 0) and weights[call] > 0:
                total += weights[call] * (x - call + logsigmoid(-x))
    return total


def _range(symbol: Symbol) -> tuple[Sign, Fraction | None]:
    sign: Sign = (
        "positive" if symbol.is_positive else "nonnegative" if symbol.is_nonnegative else "real"
    )
    below = BELOW.get(symbol)
    return sign, None if below is None else Fraction(below.p, below.q)
