r"""Orders of growth :math:`T^ke^{\lambda T}`, as far as they compare without assumptions."""

from collections.abc import Collection
from contextlib import suppress

from sympy import Expr, Integer, Rational, Symbol, exp, oo

from ..signs import known

Order = tuple[Expr, int]  # of T^k e^{λT}: (λ, k)

ONE: Order = (Integer(0), 0)
NOTHING: Order = (-oo, 0)  # smaller than every exponential
_CLEAR = 1e-6


def highest(orders: Collection[Order]) -> frozenset[Order]:
    """Return the orders that none of the others surely reaches."""
    return frozenset(o for o in orders if not any(p != o and surely_at_most(o, p) for p in orders))


def surely_at_most(one: Order, other: Order) -> bool:
    if NOTHING in (one, other):
        return one == NOTHING
    sign = known(other[0] - one[0])
    return sign == 1 or (sign == 0 and one[1] <= other[1])


def plus(one: Order, other: Order) -> Order:
    if NOTHING in (one, other):
        return NOTHING
    return (one[0] + other[0]).expand(), one[1] + other[1]


def vanishes(c: Expr) -> bool:
    """Decide whether ``c`` is zero; a value that is clearly not zero at one point settles it."""
    if not c.is_Add:
        return bool(c.is_zero)
    if known(c) or abs(_somewhere(c)) > _CLEAR:
        return False
    return bool(c.expand() == 0 or c.equals(0))


def _somewhere(c: Expr) -> float:
    """Return the size of ``c``, relative to its largest term, at a point without pattern."""
    point = {s: _point(s, n) for n, s in enumerate(sorted(c.free_symbols, key=str))}
    with suppress(TypeError, ValueError, ZeroDivisionError):
        terms = [complex(term.rewrite(exp).xreplace(point).evalf()) for term in c.args]
        return abs(sum(terms)) / max(map(abs, terms))
    return 0.0


def _point(symbol: Symbol, n: int) -> Expr:
    size = Rational(1000 + 271 * (n + 1), 3001 + 13 * n)
    return -size if symbol.is_negative else size
