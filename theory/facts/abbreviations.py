r"""Short names for what an objective sees of a pair: a margin, two log-ratios, two means.

=========== ==================================================================
name        meaning
=========== ==================================================================
m           :math:`\log\pi_w - \log\pi_l`
m̃           the same of the log-ratios :math:`\log\pi/\pi_{ref}`
m̄, m̃̄       the same per token: each side divided by its own length
h_w, h_l    the log-ratio of each response
z̄_w, z̄_l    the mean log-probability per token of each response
=========== ==================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf

from sympy import Basic, Expr, Function, Symbol, expand, factor_terms
from sympy.core.relational import Relational

from ..signs import LOGS
from ..symbols import len_l, len_w, logp_l, logp_w, ref_l, ref_w

m, m_ref, m_mean, m_ref_mean = (Symbol(n, real=True) for n in ("m", "m̃", "m̄", "m̃̄"))
h_w, h_l = (Symbol(n, real=True) for n in ("h_w", "h_l"))
z_w, z_l = (Symbol(n, negative=True) for n in ("z̄_w", "z̄_l"))

LATEX: Mapping[Symbol, str] = {
    m_ref: r"\tilde m",
    m_mean: r"\bar m",
    m_ref_mean: r"\bar{\tilde m}",
    z_w: r"\bar z_w",
    z_l: r"\bar z_l",
}


@dataclass(frozen=True, eq=False)
class Chart:
    """Names and what they stand for.

    Args:
        meanings: Each name's meaning, in log-probabilities.
        inverse: What to write for a log-probability, so that only the names remain.
    """

    meanings: Mapping[Symbol, Expr] = field(default_factory=dict)
    inverse: Mapping[Symbol, Expr] = field(default_factory=dict)

    def short(self, formula: Basic) -> Basic:
        """Return ``formula`` in the chart's names."""
        return _short(self, formula) if formula.free_symbols & set(self.inverse) else formula


@cache
def _short(names: Chart, formula: Basic) -> Basic:
    return formula.xreplace(dict(names.inverse)).replace(_composite, _tidied)


def _composite(part: Basic) -> bool:
    return isinstance(part, Function | Relational) or bool(part.is_Add)


def _tidied(part: Basic) -> Basic:
    if part.is_Add:
        return _shortest(part)
    return part.func(*(x if x.is_Add else _shortest(x) for x in part.args))


@cache
def _shortest(part: Expr) -> Expr:
    spread = expand(part)
    return min((factor_terms(spread), spread, part), key=_cost)


def _cost(expr: Expr) -> tuple[int, int]:
    return len(expr.free_symbols & LOGS), expr.count_ops()


_RATIOS = {logp_w: h_w + ref_w, logp_l: h_l + ref_l}
_CHARTS = (
    Chart({m: logp_w - logp_l}, {logp_w: m + logp_l}),
    Chart(
        {m_ref: (logp_w - ref_w) - (logp_l - ref_l)},
        {logp_w: m_ref + ref_w + logp_l - ref_l},
    ),
    Chart(
        {m_mean: logp_w / len_w - logp_l / len_l},
        {logp_w: len_w * (m_mean + logp_l / len_l)},
    ),
    Chart(
        {m_ref_mean: (logp_w - ref_w) / len_w - (logp_l - ref_l) / len_l},
        {logp_w: ref_w + len_w * (m_ref_mean + (logp_l - ref_l) / len_l)},
    ),
    Chart({h_w: logp_w - ref_w, h_l: logp_l - ref_l}, _RATIOS),
    Chart(
        {m_ref: (logp_w - ref_w) - (logp_l - ref_l), h_w: logp_w - ref_w},
        {logp_w: h_w + ref_w, logp_l: h_w - m_ref + ref_l},
    ),
    Chart({z_w: logp_w / len_w, z_l: logp_l / len_l}, {logp_w: len_w * z_w, logp_l: len_l * z_l}),
)


@cache
def chart(*formulas: Expr) -> Chart:
    """Return the names in which ``formulas`` are shortest, if any leave no log-probability over."""
    used = frozenset[Symbol]().union(*(f.free_symbols for f in formulas))
    if not used & LOGS:
        return Chart()
    best, cost = Chart(), inf
    for chart in _CHARTS:
        spoken_of = frozenset[Symbol]().union(*(f.free_symbols for f in chart.meanings.values()))
        beside = spoken_of - {logp_w, logp_l}
        if (not beside or beside & used) and used & LOGS <= spoken_of:
            short = [chart.short(f) for f in formulas]
            its = sum(f.count_ops() for f in short)
            if its < cost and not any(f.free_symbols & LOGS for f in short):
                best, cost = chart, its
    return best
