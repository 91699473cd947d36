r"""How an expression behaves as one number T grows: its leading terms :math:`cT^ke^{\lambda T}`.

The arithmetic is exact. Each germ keeps its leading terms and the order of what it left out; where
everything kept cancels, that is an error and never a guess. A sign that the symbols leave open is
asked of an oracle, so that whoever owns the oracle knows every assumption that was made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import product
from math import factorial

from sympy import (
    Abs,
    Expr,
    Function,
    Integer,
    Max,
    Min,
    Piecewise,
    S,
    Symbol,
    exp,
    log,
)
from sympy.core.relational import Relational

from ..kernels.primitives import expm1, logodds, logsigmoid, relu, sigmoid, step
from .orders import NOTHING, ONE, Order, highest, plus, surely_at_most, vanishes

T = Symbol("T", positive=True)

Oracle = Callable[[Expr], int]

# Functions far out, in exponentials that vanish there: as x grows, and as it falls.
_FAR: Mapping[tuple[type[Function], int], Callable[[Expr], Expr]] = {
    (sigmoid, 1): lambda x: 1 / (1 + exp(-x)),
    (sigmoid, -1): lambda x: exp(x) / (1 + exp(x)),
    (logsigmoid, 1): lambda x: -log(1 + exp(-x)),
    (logsigmoid, -1): lambda x: x - log(1 + exp(x)),
    (expm1, 1): lambda x: exp(x) - 1,
    (expm1, -1): lambda x: exp(x) - 1,
    (logodds, -1): lambda x: x - log(1 - exp(x)),
}


class NotFoundError(ArithmeticError):
    """The behaviour lies outside what this arithmetic can express."""


@dataclass(frozen=True)
class Germ:
    r"""A sum of terms :math:`cT^ke^{\lambda T}`, and the order of what it leaves out.

    Args:
        terms: The coefficient c, free of T and not zero, by :math:`(\lambda, k)`.
        rests: What is left out is at most of these orders; nothing is if there are none.
    """

    terms: Mapping[Order, Expr]
    rests: frozenset[Order] = frozenset()

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders of all terms, kept ones first, so that every process asks alike."""
        return *self.terms, *sorted(self.rests - set(self.terms), key=str)


class Germs:
    """The arithmetic of germs under an oracle for signs.

    Args:
        sign: Returns the sign, 1, 0 or -1, of an expression free of T.
        terms: How far power series are taken.
    """

    def __init__(self, sign: Oracle, terms: int) -> None:
        self._sign = sign
        self._terms = terms

    def of(self, expr: Expr) -> Germ:
        """Return the germ of ``expr``.

        Raises:
            NotFoundError: It has none here: a germ cancelled, or grows faster than any exponential.
            ZeroDivisionError: A denominator is zero for all large T.
        """
        if not expr.has(T):
            return Germ({} if expr == 0 else {ONE: expr})
        if expr == T:
            return Germ({(Integer(0), 1): Integer(1)})
        if expr.is_Add:
            return self._sum([self.of(term) for term in expr.args])
        if expr.is_Mul:
            whole = Germ({ONE: Integer(1)})
            for factor in expr.args:
                whole = self.times(whole, self.of(factor))
            return whole
        if expr.is_Pow and expr.exp.is_Integer:
            base = self.of(expr.base)
            return self._power(base if expr.exp > 0 else self.inverse(base), abs(int(expr.exp)))
        if expr.is_Pow and not expr.exp.has(T):
            power = self.times(Germ({ONE: expr.exp}), self._log(self.of(expr.base)))
            return self._exp(power)
        if isinstance(expr, Function | Max | Min):
            return self._call(expr)
        raise NotFoundError(f"no behaviour is known of {expr}")

    def leading(self, germ: Germ) -> tuple[Order, Expr] | None:
        """Return the order and the coefficient of the leading term; ``None`` of exact zero.

        Raises:
            NotFoundError: All that was kept cancelled.
        """
        if not germ.orders:
            return None
        high = highest(germ.orders)
        ahead = [order for order in germ.terms if order in high]
        if ahead:
            top = max(ahead, key=cmp_to_key(self._compare))
            if all(self._compare(top, rest) > 0 for rest in germ.rests):
                return top, germ.terms[top]
        raise NotFoundError("all leading terms cancel")

    def grows(self, order: Order) -> int:
        r"""Return 1 where :math:`T^ke^{\lambda T}` grows, -1 where it vanishes, else 0."""
        return self._compare(order, ONE)

    def times(self, one: Germ, other: Germ) -> Germ:
        """Product of two germs."""
        terms: dict[Order, Expr] = {}
        for (p, c), (q, d) in product(one.terms.items(), other.terms.items()):
            _gather(terms, plus(p, q), c * d)
        rests = {
            plus(p, q) for x, y in ((one, other), (other, one)) for p in x.rests for q in y.orders
        }
        return _cut(terms, rests)

    def inverse(self, germ: Germ) -> Germ:
        r"""Reciprocal: with leading term L and rest u, :math:`\frac1L\sum_n(-u)^n`."""
        lead = self.leading(germ)
        if lead is None:
            raise ZeroDivisionError("the denominator is zero")
        (rate, k), c = lead
        front = Germ({(-rate, -k): 1 / c})
        small = _without(self.times(germ, front), ONE)
        return self.times(front, self._series(small, lambda n: Integer((-1) ** n)))

    def _call(self, call: Function) -> Germ:
        if isinstance(call, exp):
            return self._exp(self.of(call.args[0]))
        if isinstance(call, log):
            return self._log(self.of(call.args[0]))
        if isinstance(call, Piecewise):
            return self._pieces(call)
        if isinstance(call, Max | Min):
            return self._extreme(call)
        (x,) = call.args
        argument = self.of(x)
        if isinstance(call, relu | step | Abs):
            return self._switch(call, argument)
        lead = self.leading(argument)
        if lead is not None and self.grows(lead[0]) > 0:
            far = _FAR.get((call.func, self._sign(lead[1])))
            return self.of(call.rewrite(exp) if far is None else far(x))
        return self._taylor(call, argument)

    def _taylor(self, call: Function, argument: Germ) -> Germ:
        point, small = argument.terms.get(ONE, Integer(0)), _without(argument, ONE)
        z = Symbol("z", real=True)
        slopes = [call.func(z)]
        for _ in range(self._terms):
            slopes.append(slopes[-1].diff(z))
        return self._series(small, lambda n: slopes[n].subs(z, point) / factorial(n))

    def _switch(self, call: Function, argument: Germ) -> Germ:
        lead = self.leading(argument)
        if lead is None:
            return Germ({})
        if set(argument.terms) == {ONE} and not argument.rests:
            value = call.func(lead[1])
            return Germ({ONE: value} if value != 0 else {})
        positive = self._sign(lead[1]) > 0
        if isinstance(call, step):
            return Germ({ONE: Integer(1)} if positive else {})
        if positive:
            return argument
        return self.times(argument, Germ({ONE: Integer(-1)})) if call.func == Abs else Germ({})

    def _extreme(self, call: Function) -> Germ:
        first, *others = call.args
        best = first
        for other in others:
            lead = self.leading(self.of(other - best))
            ahead = lead is not None and self._sign(lead[1]) > 0
            best = other if ahead == isinstance(call, Max) else best
        return self.of(best)

    def _pieces(self, call: Piecewise) -> Germ:
        for value, where in call.args:
            if where == S.true or (isinstance(where, Relational) and self._holds(where)):
                return self.of(value)
        raise NotFoundError(f"no piece of {call} is known to hold")

    def _holds(self, where: Relational) -> bool:
        lead = self.leading(self.of(where.lhs - where.rhs))
        sign = 0 if lead is None else self._sign(lead[1])
        return bool(where.func(sign, 0))

    def _exp(self, power: Germ) -> Germ:
        rate, level = Integer(0), Integer(0)
        small: dict[Order, Expr] = {}
        for order, c in power.terms.items():
            if order == (Integer(0), 1):
                rate = c
            elif order == ONE:
                level = c
            elif self.grows(order) < 0:
                small[order] = c
            elif self._sign(c) > 0:
                raise NotFoundError("the exponent grows faster than T")
            else:
                return Germ({}, frozenset((NOTHING,)))
        if any(self.grows(rest) >= 0 for rest in power.rests):
            raise NotFoundError("the exponent is not known well enough")
        series = self._series(Germ(small, power.rests), lambda n: 1 / Integer(factorial(n)))
        return self.times(Germ({(rate, 0): exp(level)}), series)

    def _log(self, germ: Germ) -> Germ:
        lead = self.leading(germ)
        if lead is None or self._sign(lead[1]) <= 0:
            raise NotFoundError("the logarithm of what is not positive")
        (rate, k), c = lead
        if k:
            raise NotFoundError("a logarithm of T is outside this arithmetic")
        small = _without(self.times(germ, Germ({(-rate, 0): 1 / c})), ONE)
        series = self._series(small, lambda n: Integer((-1) ** (n + 1)) / n if n else Integer(0))
        front = {order: v for order, v in (((Integer(0), 1), rate), (ONE, log(c))) if v != 0}
        return self._sum([Germ(front), series])

    def _series(self, small: Germ, coefficient: Callable[[int], Expr]) -> Germ:
        """Return the power series of a germ that vanishes."""
        parts, power = [], Germ({ONE: Integer(1)})
        for n in range(self._terms + 1):
            c = coefficient(n)
            parts.append(self.times(power, Germ({ONE: c} if c != 0 else {})))
            if not small.orders:
                return self._sum(parts)
            power = self.times(power, small)
        return self._sum([*parts, Germ({}, frozenset(power.orders))])

    def _power(self, base: Germ, exponent: int) -> Germ:
        whole = Germ({ONE: Integer(1)})
        for _ in range(exponent):
            whole = self.times(whole, base)
        return whole

    def _sum(self, germs: list[Germ]) -> Germ:
        terms: dict[Order, Expr] = {}
        for germ in germs:
            for order, c in germ.terms.items():
                _gather(terms, order, c)
        return _cut(terms, {rest for germ in germs for rest in germ.rests})

    def _compare(self, one: Order, other: Order) -> int:
        if NOTHING in (one, other):
            return (other == NOTHING) - (one == NOTHING)
        gap = (one[0] - other[0]).expand()
        return self._sign(gap) or (one[1] > other[1]) - (one[1] < other[1])


def _gather(terms: dict[Order, Expr], order: Order, c: Expr) -> None:
    terms[order] = terms.get(order, Integer(0)) + c


def _cut(terms: Mapping[Order, Expr], rests: set[Order]) -> Germ:
    """Drop what is zero, and what is surely no larger than what was left out."""
    kept = highest(frozenset(rests))
    return Germ(
        {
            order: c
            for order, c in terms.items()
            if not any(surely_at_most(order, rest) for rest in kept) and not vanishes(c)
        },
        kept,
    )


def _without(germ: Germ, order: Order) -> Germ:
    return Germ({o: c for o, c in germ.terms.items() if o != order}, germ.rests)
