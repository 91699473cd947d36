r"""When an objective protects the chosen and suppresses the rejected, solved for the scores.

With :math:`\rho = \cos(a, b)` and :math:`r^* = \|b\|/\|a\|`, to first order the chosen does not
fall iff :math:`d_w \ge d_l\rho r^*`, and the rejected does not rise iff
:math:`d_w\rho \le d_l r^*`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import And, Basic, Expr, Ge, Le, Min, Not, S, Symbol, false, oo, true

from ..signs import LOGS, Signs, signs
from ..symbols import r_star
from .limits import Ends
from .motion import switched_on
from .satisfiable import possible

rho = Symbol("ρ", real=True)
LATEX: Mapping[Symbol, str] = {rho: r"\rho"}


@dataclass(frozen=True)
class Rule:
    """What decides within a region of states.

    Args:
        where: The region, a condition on log-probabilities and hyperparameters.
        iff: The condition that decides there, on ``rho`` and ``r_star`` too.
    """

    where: Basic
    iff: Basic


@dataclass(frozen=True)
class SolvedBand:
    r"""The band solved for the scores, where both incentives are positive.

    Args:
        where: Where they are.
        cosine: Both responses go as they should iff :math:`\rho` is at most this.
        low: For :math:`\rho > 0`, iff :math:`r^*` is at least this
        high: and at most this.
    """

    where: Basic
    cosine: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class Protection:
    r"""When the chosen does not fall and when the rejected does not rise, to first order.

    Args:
        chosen: Rules whose regions cover all states and do not overlap.
        rejected: The same for the rejected response.
        enough: Where ``d_l`` is positive, :math:`\rho r^*` at most this keeps the chosen up.
        needed: Where ``d_l`` is positive, :math:`\rho r^*` above this does not.
        band: The band; ``None`` if the incentives are never positive together.
    """

    chosen: tuple[Rule, ...]
    rejected: tuple[Rule, ...]
    enough: Expr | None
    needed: Expr | None
    band: SolvedBand | None


def protection(
    ratio: Expr, d_l: Expr, of_w: Signs, of_l: Signs, ends: Sequence[Ends]
) -> Protection:
    """Return when the chosen does not fall and when the rejected does not rise.

    Args:
        ratio: Incentive on the chosen response over that on the rejected one.
        d_l: Incentive on the rejected response.
        of_w: Signs of the incentive on the chosen response.
        of_l: Signs of that on the rejected one.
        ends: The limits; bounds of the ratio are looked for among them.
    """
    r = switched_on(ratio, d_l)
    both = And(of_w.positive, of_l.positive)
    chosen = (
        Rule(of_l.positive, Le(rho * r_star, r)),
        Rule(of_l.negative, Ge(rho * r_star, r)),
        Rule(And(of_l.zero, of_w.negative), false),
        Rule(_without(of_l.zero, of_w.negative), true),
    )
    rejected = (
        Rule(of_l.positive, Le(rho * r, r_star)),
        Rule(of_l.negative, Ge(rho * r, r_star)),
        Rule(And(of_l.zero, of_w.positive), Le(rho, 0)),
        Rule(And(of_l.zero, of_w.negative), Ge(rho, 0)),
        Rule(And(of_l.zero, of_w.zero), true),
    )
    bounds = _bounds(r, ends)
    gaps = {b: signs((r - b).expand()) for b in bounds}
    enough = [b for b in bounds if not possible(And(gaps[b].negative, of_l.positive))]
    needed = [b for b in bounds if not possible(And(gaps[b].positive, of_l.positive))]
    return Protection(
        tuple(rule for rule in chosen if possible(rule.where)),
        tuple(rule for rule in rejected if possible(rule.where)),
        next(iter(enough), None),
        next(iter(needed), None),
        SolvedBand(both, Min(r / r_star, r_star / r), rho * r, r / rho) if possible(both) else None,
    )


def _without(region: Basic, part: Basic) -> Basic:
    return And(region, Not(part)) if possible(And(region, part)) else region


def _bounds(ratio: Expr, ends: Sequence[Ends]) -> list[Expr]:
    """Return the limits that hold for all that is held; a constant needs no bound."""
    limits = {limit.value for end in ends for limit in end.ratio if not limit.given}
    if not ratio.free_symbols & LOGS:
        return []
    return [
        b
        for b in sorted((b for b in limits if b is not None), key=str)
        if not b.free_symbols & LOGS and b not in (oo, -oo, S.Zero)
    ]
