r"""Sums and factors in forms whose sign can be seen: one logarithm, one sigmoid, a bump."""

from collections.abc import Container
from collections.abc import Set as AbstractSet
from typing import Any

from sympy import Add, Dummy, Expr, Integer, Mul, exp, factor_terms, log

from .kernels.primitives import sigmoid
from .symbols import logp_l, logp_w, ref_l, ref_w

# A term of a sum: its coefficient, a function, and the argument.
Split = tuple[Expr, Any, Expr] | None


def folded(total: Expr) -> Expr:
    r"""Write :math:`c - c\sigma(x)` as :math:`c\sigma(-x)` wherever both terms occur."""
    terms = list(Add.make_args(total))
    for term in terms:
        for call in (f for f in Mul.make_args(term) if isinstance(f, sigmoid)):
            if -term / call in terms:
                rest = total - term + term / call
                return folded(rest - term / call * sigmoid(-call.args[0]))
    return total


def lead(left: Add) -> Expr:
    """Return the coefficient of the first log-probability that stands alone in a term of a sum."""
    slopes = (left.coeff(s) for s in (logp_w, logp_l, ref_w, ref_l))
    return next((slope for slope in slopes if slope != 0), Integer(1))


def in_short(level: Expr) -> Expr:
    """Write a difference of logarithms as one, and none with a minus before it."""
    above, below, scales = Integer(1), Integer(1), set()
    for term in Add.make_args(factor_terms(level).expand(log=False)):
        calls = [f for f in Mul.make_args(term) if isinstance(f, log)]
        if len(calls) != 1 or calls[0].args[0].is_number:
            return level
        scale, inside = term / calls[0], calls[0].args[0]
        if scale.could_extract_minus_sign():
            below, scale = below * inside, -scale
        else:
            above *= inside
        scales.add(scale)
    return scales.pop() * log(above / below) if len(scales) == 1 else level


def without_mirrors(left: Expr) -> Expr | None:
    r"""Write :math:`\sigma(-x)` as :math:`1 - \sigma(x)` if no product of sigmoids remains."""
    kept: dict[Expr, Dummy] = {}
    written: dict[Expr, Expr] = {}
    for y in sorted(left.atoms(sigmoid), key=str):
        other = next((k for k in kept if opposite(y.args[0], k.args[0])), None)
        if other is None:
            written[y] = kept[y] = Dummy()
        else:
            written[y] = 1 - kept[other]
    if len(kept) == len(written):
        return None
    expanded = left.xreplace(written).expand()
    if any(_degree(term, set(kept.values())) > 1 for term in Add.make_args(expanded)):
        return None
    return factor_terms(expanded.xreplace({name: y for y, name in kept.items()}))


def _degree(term: Expr, names: AbstractSet[Dummy]) -> int:
    """Return how many factors of ``term`` hold one of ``names``, a power counting as two."""
    held = [f for f in Mul.make_args(term) if f.free_symbols & names]
    return sum(1 if f in names else 2 for f in held)


def opposite(x: Expr, y: Expr) -> bool:
    return bool((x + y).expand() == 0)


def plain_call(term: Expr, invertible: Container[Any]) -> Split:
    calls = [f for f in Mul.make_args(term) if f.func in invertible]
    return (term / calls[0], calls[0].func, calls[0].args[0]) if len(calls) == 1 else None


def bump(term: Expr) -> Split:
    calls = [f for f in Mul.make_args(term) if isinstance(f, sigmoid)]
    if len(calls) != 2 or not opposite(calls[0].args[0], calls[1].args[0]):
        return None
    return term / (calls[0] * calls[1]), sigmoid, calls[0].args[0]


def exponential(term: Expr) -> Split:
    calls = [f for f in Mul.make_args(term) if isinstance(f, exp)]
    power = Add(*(call.args[0] for call in calls))
    return term / Mul(*calls), exp, power
