"""What a preference-optimization objective is, and what follows from its loss."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from sympy import And, Basic, Eq, Expr, Or, Symbol, cancel, factor_terms, false, true

from theory.gram import Gram
from theory.kernels import Backend, Kernel, compile_kernel
from theory.primitives import step
from theory.step import first_order
from theory.symbols import DATA, A, B, X, logp_l, logp_w

Quantity = Literal["loss", "d_w", "d_l"]


@dataclass(frozen=True)
class Signs:
    """Where an expression is positive, zero and negative, as conditions on its symbols."""

    positive: Basic
    zero: Basic
    negative: Basic


@dataclass(frozen=True, eq=False)
class Objective:
    r"""A pairwise loss :math:`\ell(\log\pi_w, \log\pi_l)` and all that follows from it.

    One step of gradient descent moves the parameters along :math:`d_w a - d_l b`, with the
    scores :math:`a = \nabla\log\pi_w`, :math:`b = \nabla\log\pi_l`.

    Args:
        name: The name in tables, test ids, figures and on the command line.
        loss: The loss of one pair in nats, an expression in :mod:`theory.symbols`.
        source: Where the loss was published.
        defaults: The value of each hyperparameter in ``loss``.
    """

    name: str
    loss: Expr
    source: str
    defaults: Mapping[Symbol, float] = field(default_factory=dict)

    @cached_property
    def d_w(self) -> Expr:
        r"""Pull on the chosen response, :math:`d_w = -\partial\ell/\partial\log\pi_w`."""
        return factor_terms(-self.loss.diff(logp_w))

    @cached_property
    def d_l(self) -> Expr:
        r"""Push on the rejected response, :math:`d_l = \partial\ell/\partial\log\pi_l`."""
        return factor_terms(self.loss.diff(logp_l))

    @cached_property
    def ratio(self) -> Expr:
        r"""The ratio of incentives :math:`r = d_w/d_l`, where :math:`d_l \ne 0`."""
        return factor_terms(cancel(self.d_w / self.d_l))

    @cached_property
    def conditions(self) -> tuple[Basic, Basic]:
        r"""The winner is preserved iff the first holds, the loser suppressed iff the second.

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

    def kernel(self, what: Quantity = "loss", backend: Backend = "numpy", **hyper: float) -> Kernel:
        r"""Return ``loss``, ``d_w`` or ``d_l`` as a function of six arrays or tensors.

        The function takes ``(logp_w, logp_l, ref_w, ref_l, len_w, len_l)``, each ``(batch,)``
        or broadcastable, and returns ``(batch,)``. Hyperparameters not named in ``hyper`` take
        their defaults.

        Raises:
            ValueError: ``hyper`` names a hyperparameter that the objective does not have.
        """
        return _kernel(self, what, backend, tuple(sorted(hyper.items())))

    def values(self, hyper: Mapping[str, float]) -> dict[Symbol, float]:
        """Return every hyperparameter's value: its default, or what ``hyper`` says.

        Raises:
            ValueError: ``hyper`` names a hyperparameter that the objective does not have.
        """
        own = {symbol.name: symbol for symbol in self.defaults}
        if unknown := set(hyper) - set(own):
            raise ValueError(
                f"{self.name} has the hyperparameters {', '.join(own) or '(none)'}: got "
                f"{', '.join(sorted(unknown))}; set one of these"
            )
        values = dict(self.defaults)
        for name, value in hyper.items():
            symbol = own[name]
            if (symbol.is_positive and not value > 0) or (symbol.is_nonnegative and not value >= 0):
                sign = "positive" if symbol.is_positive else "at least zero"
                raise ValueError(f"{name} of {self.name} is {sign}: got {value}")
            values[symbol] = value
        return values


@cache
def _kernel(
    objective: Objective, what: Quantity, backend: Backend, hyper: tuple[tuple[str, float], ...]
) -> Kernel:
    expr: Expr = getattr(objective, what)
    return compile_kernel(expr.subs(objective.values(dict(hyper))), DATA, backend)


def signs(expr: Expr) -> Signs:
    """Read off where ``expr`` is positive, zero and negative, factor by factor.

    A factor whose sign follows from its symbols is dropped; an indicator contributes the
    condition under which it is one; any other factor contributes a comparison with zero.
    """
    result = Signs(true, false, false)
    for factor in factor_terms(expr).as_ordered_factors():
        result = _product(result, _factor_signs(factor))
    return result


def _factor_signs(factor: Expr) -> Signs:
    if factor.is_positive:
        return Signs(true, false, false)
    if factor.is_negative:
        return Signs(false, false, true)
    if isinstance(factor, step):
        (x,) = factor.args
        return Signs(x > 0, x <= 0, false)
    if factor.is_Pow and factor.exp.is_odd:
        return _factor_signs(factor.base)
    return Signs(factor > 0, Eq(factor, 0), factor < 0)


def _product(one: Signs, other: Signs) -> Signs:
    return Signs(
        positive=Or(And(one.positive, other.positive), And(one.negative, other.negative)),
        zero=Or(one.zero, other.zero),
        negative=Or(And(one.positive, other.negative), And(one.negative, other.positive)),
    )
