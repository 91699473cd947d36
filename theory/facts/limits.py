"""Where the incentives and their ratio go as the margin grows without bound, either way."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sympy import (
    And,
    Basic,
    Expr,
    Integer,
    Interval,
    Symbol,
    expand,
    factor_terms,
    false,
    oo,
    powsimp,
    true,
)

from ..signs import LOGS, known, signs
from ..symbols import len_l, len_w, logp_l, logp_w
from .asymptotics import Germ, Germs, NotFoundError, T

Way = Literal["rejected", "chosen"]

# The margin can diverge in two ways: one response becomes impossible, the other is held.
WAYS: Mapping[Way, Symbol] = {"rejected": logp_l, "chosen": logp_w}
_LENGTH = 10  # tokens of both responses where only a comparison of rates depends on them
_MOST_CASES, _MOST_TERMS = 6, 4


@dataclass(frozen=True)
class Limit:
    """One limit.

    Args:
        value: An expression in what is held, or infinity; ``None`` where there is no value, for
            the quotient's denominator is zero all along.
        given: The conditions on what is held under which this is the limit.
    """

    value: Expr | None
    given: tuple[Basic, ...] = ()


Limits = tuple[Limit, ...]


@dataclass(frozen=True)
class Ends:
    """Limits of the incentives and, where ``d_l`` is not zero, of their ratio.

    An empty one could not be found.
    """

    d_w: Limits
    d_l: Limits
    ratio: Limits


def ends(d_w: Expr, d_l: Expr, ratio: Expr, way: Way, defaults: Mapping[Symbol, float]) -> Ends:
    r"""Return the limits as one log-probability falls without bound and all else is held.

    Where a limit depends on hyperparameters, the case of their defaults is taken and said; where
    it depends on what is held, every case is given.

    Args:
        d_w: Incentive on the chosen response.
        d_l: Incentive on the rejected response.
        ratio: The first over the second, as short as it is.
        way: Which response becomes impossible: the margin grows for ``rejected`` and falls for
            ``chosen``.
        defaults: The hyperparameters' values.
    """
    far = {WAYS[way]: -T}
    up, down, quotient = d_w.subs(far), d_l.subs(far), ratio.subs(far)

    def whole(g: Germs) -> Germ:
        if not g.of(down).orders:
            raise ZeroDivisionError("the denominator is zero")
        return g.of(quotient)

    return Ends(
        _limits(lambda g: g.of(up), defaults),
        _limits(lambda g: g.of(down), defaults),
        _limits(whole, defaults),
    )


class _Fork(Exception):  # noqa: N818 (no error: a question that what is held must answer)
    def __init__(self, expr: Expr) -> None:
        self.expr = expr


class _Oracle:
    """Knows signs from the symbols, from the defaults, and from what a case assumes."""

    def __init__(self, defaults: Mapping[Symbol, float], assumed: Mapping[Expr, int]) -> None:
        self._values = {**defaults, len_w: _LENGTH, len_l: _LENGTH}
        self._assumed = assumed
        self.given: dict[Basic, None] = {}

    def __call__(self, expr: Expr) -> int:
        if (sign := known(expr)) is not None:
            return sign
        known_signs = signs(expr)
        places = {
            sign: known_signs.of(sign) for sign in (1, 0, -1) if known_signs.of(sign) != false
        }
        if any(where.free_symbols & LOGS for where in places.values()):
            if expr not in self._assumed:
                raise _Fork(expr)
            sign = self._assumed[expr]
        else:
            sign = next(s for s, where in places.items() if where.subs(self._values) == true)
        if places[sign] != true:
            self.given[places[sign]] = None
        return sign


def _limits(germ: Callable[[Germs], Germ], defaults: Mapping[Symbol, float]) -> Limits:
    """Return the limit in every case that what is held can make."""
    waiting: list[dict[Expr, int]] = [{}]
    limits: list[Limit] = []
    while waiting:
        assumed = waiting.pop(0)
        try:
            limits.append(_limit(germ, defaults, assumed))
        except _Fork as fork:
            if len(waiting) + len(limits) >= _MOST_CASES:
                return ()
            waiting += [{**assumed, fork.expr: sign} for sign in (1, -1)]
        except NotFoundError:
            return ()
    if len({limit.value for limit in limits}) == 1:
        shared = [g for g in limits[0].given if all(g in limit.given for limit in limits)]
        return (Limit(limits[0].value, tuple(shared)),)
    return tuple(limits)


def _limit(
    germ: Callable[[Germs], Germ], defaults: Mapping[Symbol, float], assumed: Mapping[Expr, int]
) -> Limit:
    """Take series only as far as is needed, so that no needless assumption is made."""
    for terms in range(_MOST_TERMS):
        oracle = _Oracle(defaults, assumed)
        germs = Germs(oracle, terms)
        try:
            return Limit(_value(germ(germs), germs, oracle), tightest(oracle.given))
        except ZeroDivisionError:
            return Limit(None, tightest(oracle.given))
        except NotFoundError:
            continue
    raise NotFoundError("all leading terms cancel")


def tightest(given: Iterable[Basic]) -> tuple[Basic, ...]:
    """Return conditions without those that others of the same single symbol imply."""
    kept: list[Basic] = []
    about: dict[Symbol, list[Basic]] = {}
    for condition in given:
        symbols = condition.free_symbols
        if len(symbols) == 1 and condition.count_ops() > 1:
            about.setdefault(next(iter(symbols)), []).append(condition)
        else:
            kept.append(condition)
    for symbol, its in about.items():
        free = Symbol(symbol.name, real=True)
        solutions = And(free > 0, *its).subs(symbol, free).as_set() if symbol.is_positive else None
        if isinstance(solutions, Interval):
            kept += [symbol > solutions.start] if solutions.start > 0 else []
            kept += [symbol < solutions.end] if solutions.end < oo else []
        else:
            kept += its
    return tuple(kept)


def _value(germ: Germ, germs: Germs, sign: _Oracle) -> Expr:
    if all(germs.grows(order) < 0 for order in germ.orders):
        return Integer(0)
    lead = germs.leading(germ)
    if lead is None:
        return Integer(0)
    order, c = lead
    growth = germs.grows(order)
    if growth < 0:
        return Integer(0)
    return oo * sign(c) if growth else shortest(c)


def shortest(expr: Expr) -> Expr:
    """Return the shortest of a few equal forms of ``expr``."""
    forms = [factor_terms(powsimp(expand(expr))), factor_terms(expr), expr]
    forms += [-factor_terms(-expr)]
    return min(forms, key=lambda form: len(str(form)))
