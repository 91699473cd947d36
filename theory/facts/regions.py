"""The combinations of signs that two incentives take, each with a point that shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from sympy import And, Basic, Eq, Expr, Rational, Symbol, true

from ..kernels.primitives import step
from ..objective import Objective
from ..signs import LOGS
from ..symbols import DATA
from .outcomes import SIGNS, Sign
from .satisfiable import possible

Point = Mapping[Symbol, Expr]
_POINTS, _CHECKED, _SOLVED = 4000, 3, 24
_NATS = (1, 5, 40, 500, 2000)  # log-probabilities are drawn down to each of these


@dataclass(frozen=True)
class Region:
    """A combination of the signs of both incentives.

    Args:
        d_w: Sign of the incentive on the chosen response.
        d_l: Sign of that on the rejected one.
        where: The condition for it.
        point: A point where the condition holds exactly, if one was found.
        usual: Whether the point has the default hyperparameters; if not, some are zero.
        crossed: Without a point: whether both incentives are one continuous expression, up to a
            factor, that is positive at one point and negative at another, so that it is zero.
    """

    d_w: Sign
    d_l: Sign
    where: Basic
    point: Point | None
    usual: bool
    crossed: bool = False

    @property
    def reached(self) -> bool:
        """Whether the combination is known to occur."""
        return self.point is not None or self.crossed


def regions(objective: Objective) -> tuple[Region, ...]:
    """Return the combinations of signs that nothing refutes."""
    by_signs: dict[tuple[Sign, Sign], Region] = {}
    for d_w, d_l in sorted(product(SIGNS, repeat=2), key=lambda signs: signs == (0, 0)):
        where = And(objective.signs_w.of(d_w), objective.signs_l.of(d_l))
        if not possible(where):
            continue
        ends = [by_signs.get(both) for both in ((1, 1), (-1, -1))]
        if (d_w, d_l) == (0, 0) and all(e and e.point for e in ends) and _one_piece(objective):
            by_signs[0, 0] = Region(0, 0, where, None, usual=True, crossed=True)
        else:
            by_signs[d_w, d_l] = _region(objective, d_w, d_l, where)
    return tuple(by_signs[key] for key in product(SIGNS, repeat=2) if key in by_signs)


def _one_piece(objective: Objective) -> bool:
    steady = not objective.ratio.free_symbols & LOGS
    return steady and not objective.d_w.has(step) and not objective.d_l.has(step)


def _region(objective: Objective, d_w: Sign, d_l: Sign, where: Basic) -> Region:
    usual = objective.defaults
    zero = {s: 0.0 for s in usual if s.is_nonnegative and not s.is_positive}
    for hyper in (usual, {**usual, **zero}):
        fixed = {symbol: Rational(str(value)) for symbol, value in hyper.items()}
        here = where.subs(fixed)
        for point in _candidates(objective, hyper, (d_w, d_l), here):
            if here.subs(point) == true:
                return Region(d_w, d_l, where, {**fixed, **point}, usual=hyper is usual)
    return Region(d_w, d_l, where, None, usual=False)


def _candidates(
    objective: Objective, hyper: Mapping[Symbol, float], wanted: tuple[int, int], where: Basic
) -> Iterator[dict[Symbol, Expr]]:
    """Yield points where floats have the wanted signs, then points that solve an equation."""
    rng = np.random.default_rng(0)
    reach = rng.choice(_NATS, (4, _POINTS))
    logs = -np.maximum(np.round(8 * reach * rng.random((4, _POINTS))), 1) / 8
    data = [*logs, *rng.integers(1, 20, (2, _POINTS)).astype(float)]
    names = {symbol.name: value for symbol, value in hyper.items()}
    with np.errstate(all="ignore"):
        d_w, d_l = (objective.kernel(what, "numpy", **names)(*data) for what in ("d_w", "d_l"))
    right = np.flatnonzero((np.sign(d_w) == wanted[0]) & (np.sign(d_l) == wanted[1]))
    points = [_point([float(v[i]) for v in data]) for i in (*right[:_CHECKED], *range(_SOLVED))]
    yield from points[: -_SOLVED or None]
    equations = sorted(where.atoms(Eq), key=str)
    for point in points[-_SOLVED:]:
        for equation in equations:
            for solution in _solved(equation, point):
                yield solution
                for other in equations:
                    yield from _solved(other, solution) if other != equation else ()


def _point(values: list[float]) -> dict[Symbol, Expr]:
    return {s: Rational(v).limit_denominator(8) for s, v in zip(DATA, values, strict=True)}


def _solved(equation: Eq, point: Point) -> Iterator[dict[Symbol, Expr]]:
    gap = equation.lhs - equation.rhs
    for symbol in sorted(gap.free_symbols & LOGS, key=str):
        slope = gap.diff(symbol)
        if slope != 0 and not slope.free_symbols & LOGS:
            others = {s: v for s, v in point.items() if s != symbol}
            value = (symbol - gap / slope).subs(others).expand()
            if value.is_negative:
                yield {**others, symbol: value}
