"""Where an expression is positive, zero, negative and undefined: exact conditions, solved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import (
    Add,
    And,
    Basic,
    Eq,
    Expr,
    Integer,
    Mul,
    Not,
    Or,
    Piecewise,
    Pow,
    exp,
    factor_terms,
    false,
    fraction,
    log,
    together,
    true,
)

from .kernels.primitives import expm1, logodds, logsigmoid, sigmoid, step
from .rewriting import (
    Split,
    bump,
    exponential,
    folded,
    in_short,
    lead,
    plain_call,
    without_mirrors,
)
from .symbols import BELOW, logp_l, logp_w, ref_l, ref_w

LOGS = frozenset((logp_w, logp_l, ref_w, ref_l))


@dataclass(frozen=True)
class Signs:
    """Where an expression is positive, zero and negative, as conditions on its symbols."""

    positive: Basic
    zero: Basic
    negative: Basic

    @property
    def swapped(self) -> "Signs":
        """The signs of the opposite expression."""
        return Signs(self.negative, self.zero, self.positive)

    def of(self, sign: int) -> Basic:
        """Where the sign is ``sign``: 1, 0 or -1."""
        return {1: self.positive, 0: self.zero, -1: self.negative}[sign]


# The range of an increasing function and its inverse there.
_INVERSES: dict[Any, tuple[Expr | None, Expr | None, Callable[[Expr], Expr]]] = {
    exp: (Integer(0), None, log),
    log: (None, None, exp),
    sigmoid: (Integer(0), Integer(1), lambda y: log(y / (1 - y))),
    logsigmoid: (None, Integer(0), lambda y: -log(exp(-y) - 1)),
    expm1: (Integer(-1), None, lambda y: log(1 + y)),
    logodds: (None, None, lambda y: -log(1 + exp(-y))),
}
_CONSTANT = {
    1: Signs(true, false, false),
    0: Signs(false, true, false),
    -1: Signs(false, false, true),
}


def signs(expr: Expr) -> Signs:
    """Read off where ``expr`` is positive, zero and negative, factor by factor.

    A factor whose sign follows from its symbols is dropped; an indicator contributes the
    condition under which it is one; any other factor contributes a comparison, solved for the
    log-probabilities where inverting one function after the other does it.
    """
    result = _CONSTANT[1]
    for factor in factor_terms(expr).as_ordered_factors():
        result = _product(result, _factor(factor))
    return result


def undefined(expr: Expr) -> Basic:
    """Return where ``expr`` has no real value: a logarithm or root of what is not positive, 1/0."""
    holes: list[Basic] = [Not(signs(call.args[0]).positive) for call in expr.atoms(log)]
    for power in expr.atoms(Pow):
        if not power.exp.is_integer:
            found = signs(power.base)
            holes.append(found.negative if power.exp.is_positive else Not(found.positive))
        elif not power.exp.is_nonnegative:
            holes.append(signs(power.base).zero)
    return Or(*holes)


def known(expr: Expr) -> int | None:
    """Return the sign that ``expr`` has for all values of its symbols, ``None`` if none is seen.

    A symbol with an upper bound c is written :math:`cu/(1+u)` with :math:`u > 0`.
    """
    for form in (expr, _unbounded(expr)):
        for sign, fact in ((1, form.is_positive), (-1, form.is_negative), (0, form.is_zero)):
            if fact:
                return sign
        if form is expr and not expr.free_symbols & set(BELOW):
            break
    return None


def _unbounded(expr: Expr) -> Expr:
    bounded = expr.free_symbols & set(BELOW)
    within = expr.xreplace({s: BELOW[s] * s / (1 + s) for s in bounded})
    return together(within.replace(lambda e: e.is_Add and e.free_symbols <= bounded, together))


def _factor(factor: Expr) -> Signs:
    if (sign := known(factor)) is not None:
        return _CONSTANT[sign]
    if isinstance(factor, step):
        on = signs(factor.args[0]).positive
        return Signs(on, Not(on), false)
    if isinstance(factor, Piecewise):
        return _pieces(factor)
    if factor.is_Pow and factor.exp.is_integer:
        base = _factor(factor.base)
        if factor.exp.is_odd:
            return base
        if factor.exp.is_even:
            return Signs(Not(base.zero), base.zero, false)
    return compare(factor, Integer(0))


def _pieces(factor: Piecewise) -> Signs:
    taken: list[Basic] = []
    found: dict[int, list[Basic]] = {1: [], 0: [], -1: []}
    for value, where in factor.args:
        here = And(where, *(Not(one) for one in taken))
        taken.append(where)
        its = signs(value)
        for sign, places in found.items():
            places.append(And(here, its.of(sign)))
    return Signs(*(Or(*found[sign]) for sign in (1, 0, -1)))


def compare(left: Expr, right: Expr) -> Signs:
    """Return the signs of ``left - right``, where ``right`` holds no log-probability.

    Sums, products, powers and functions around the log-probabilities are undone one by one while
    the signs that this needs are known; what is left is an exact comparison.
    """
    if (sign := known(left - right)) is not None:
        return _CONSTANT[sign]
    unsolved = Signs(left > right, Eq(left, right), left < right)
    if not left.free_symbols & LOGS:
        return unsolved
    if left.has(step):
        return _switched(left, right)
    if left.is_Add:
        return _sum(left, right, unsolved)
    if left.is_Mul:
        return _multiple(left, right, unsolved)
    if left.is_Pow and left.exp == -1:
        return _reciprocal(left.base, right, unsolved)
    if left.is_Pow and left.exp.is_odd and left.exp.is_positive and right.is_zero:
        return compare(left.base, right)
    if left.func in _INVERSES:
        return _call(left, right, unsolved)
    return unsolved


def _sum(left: Add, right: Expr, unsolved: Signs) -> Signs:
    fixed = Add(*(term for term in left.args if not term.free_symbols & LOGS))
    if not fixed.is_zero:
        return compare(factor_terms(left - fixed), in_short(right - fixed))
    if (one := without_mirrors(left)) is not None:
        return compare(one, right)
    whole = factor_terms(left)
    if not whole.is_Add:
        return compare(whole, right)
    if known(lead(left)) == -1:
        return compare(-left, -right).swapped
    found = _two_terms(left, right) if len(left.args) == 2 else None
    return found or _over_one_denominator(left - right) or unsolved


def _over_one_denominator(gap: Expr) -> Signs | None:
    """Find the sign of a sum whose terms all have one sign once they are gathered."""
    above, below = fraction(together(gap))
    for form in (above.expand(), folded(above.expand())):
        sign, other = known(form), known(below)
        if sign is not None and other:
            return _CONSTANT[sign * other]
        if other and form.is_Add and not factor_terms(form).is_Add:
            found = signs(form)
            return found if other > 0 else found.swapped
    return None


def _two_terms(left: Add, right: Expr) -> Signs | None:
    r"""Decide :math:`pf(x) - qf(y)` by x and y, for p, q > 0 and f increasing or a bump.

    A bump is :math:`\sigma(x)\sigma(-x)`, which falls with :math:`|x|`; an exponential may have
    :math:`p \ne q`. And :math:`\sigma(x) + \sigma(y) - 1` has the sign of :math:`x + y`.
    """
    if not right.is_zero:
        pair = [_call_of(term) for term in left.args]
        if any(part is None or part[0] != right or part[1] != sigmoid for part in pair):
            return None
        total = Add(*(part[2] for part in pair if part is not None)).expand()
        return compare(total, Integer(0)) if known(right) == 1 else None
    for split in (exponential, bump, _call_of):
        parts = [split(term) for term in left.args]
        if None in parts:
            continue
        (p, f, x), (q, g, y) = (part for part in parts if part is not None)
        if known(p) == -1:
            p, x, q, y = q, y, p, x
        if f != g or known(p) != 1 or known(q) != -1 or (p * q).free_symbols & LOGS:
            continue
        if split is exponential:
            return compare((x - y).expand(), in_short(log(-q / p)))
        if p == -q:
            gap = (x - y).expand()
            return signs(-gap * (x + y).expand()) if split is bump else compare(gap, Integer(0))
    return None


def _call_of(term: Expr) -> Split:
    return plain_call(term, _INVERSES)


def _multiple(left: Mul, right: Expr, unsolved: Signs) -> Signs:
    if right.is_zero:
        return signs(left)
    steady = Mul(*(f for f in left.args if not f.free_symbols & LOGS))
    sign = known(steady)
    if steady == 1 or not sign:
        return _over_one_denominator(left - right) or unsolved
    found = compare(left / steady, in_short(right / steady))
    return found if sign > 0 else found.swapped


def _reciprocal(base: Expr, right: Expr, unsolved: Signs) -> Signs:
    sign = known(right)
    if known(base) != 1 or sign is None:
        return unsolved
    return compare(base, 1 / right).swapped if sign > 0 else _CONSTANT[1]


def _call(left: Expr, right: Expr, unsolved: Signs) -> Signs:
    """Undo an increasing function; beyond its range the comparison holds always or never."""
    low, high, inverse = _INVERSES[left.func]
    above = 1 if low is None else known(right - low)
    below = 1 if high is None else known(high - right)
    if above in (0, -1):
        return _CONSTANT[1]
    if below in (0, -1):
        return _CONSTANT[-1]
    if above is None or below is None:
        return unsolved
    return compare(left.args[0], inverse(right))


def _switched(left: Expr, right: Expr) -> Signs:
    """Take the indicator of ``left`` that prints first for one, then for zero."""
    switch = min(left.atoms(step), key=str)
    on = signs(switch.args[0]).positive
    one, none = (signs(left.xreplace({switch: Integer(v)}) - right) for v in (1, 0))
    return Signs(*(_either(on, one.of(s), none.of(s)) for s in (1, 0, -1)))


def _either(on: Basic, one: Basic, other: Basic) -> Basic:
    if one == true:
        return Or(on, other)
    return Or(Not(on), one) if other == true else Or(And(on, one), And(Not(on), other))


def _product(one: Signs, other: Signs) -> Signs:
    return Signs(
        positive=Or(And(one.positive, other.positive), And(one.negative, other.negative)),
        zero=Or(one.zero, other.zero),
        negative=Or(And(one.positive, other.negative), And(one.negative, other.positive)),
    )
