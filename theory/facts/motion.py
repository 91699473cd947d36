r"""Which way the ratio of incentives moves as training raises one response, lowers the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, And, Basic, Expr, Integer, Mul, Symbol, factor_terms, false, log, true

from ..kernels.primitives import relu, step
from ..signs import Signs, known, signs
from ..symbols import logp_l, logp_w
from .satisfiable import possible


@dataclass(frozen=True)
class Jump:
    """Where a ratio jumps.

    Args:
        at: It jumps where this is zero.
        signs: Where it jumps up, by nothing, and down, in the direction of training.
    """

    at: Expr
    signs: Signs


@dataclass(frozen=True)
class Motion:
    r"""How the ratio moves along one of the two log-probabilities.

    Args:
        smooth: Where it rises, stands and falls, apart from jumps.
        jumps: Where it jumps.
    """

    smooth: Signs
    jumps: tuple[Jump, ...]

    @property
    def way(self) -> int | None:
        """1 if it never falls, -1 if it never rises, 0 if it is constant, ``None`` otherwise."""
        every = [self.smooth, *(jump.signs for jump in self.jumps)]
        rises = any(slope.positive != False for slope in every)  # noqa: E712 (sympy's own false)
        falls = any(slope.negative != False for slope in every)  # noqa: E712
        return None if rises and falls else int(rises) - int(falls)


def switched_on(formula: Expr, incentive: Expr) -> Expr:
    """Return ``formula`` where ``incentive`` is not zero: its own indicators are one there."""
    on = [f.args[0] for f in Mul.make_args(factor_terms(incentive)) if isinstance(f, step)]
    ones = {step(x): Integer(1) for x in on} | {relu(x): x for x in on}
    return factor_terms(formula.xreplace(ones))


def motion(ratio: Expr, along: Symbol, where: Basic = true) -> Motion:
    r"""Return how a positive ``ratio`` moves as training moves one log-probability.

    Training raises ``logp_w`` and lowers ``logp_l``, so the signs are those of
    :math:`\partial r/\partial\log\pi_w` and of :math:`-\partial r/\partial\log\pi_l`, within the
    region ``where``.
    """
    ahead = {logp_w: 1, logp_l: -1}[along]
    smooth = []
    for slope in _slopes(ratio, along):
        smooth.append(within(signs(ahead * slope), where))
        if not _words(smooth[-1]):
            break
    jumps = [
        Jump(switch.args[0], signs(factor_terms(_rise(ratio, switch)) * pace))
        for switch in sorted(ratio.atoms(step), key=str)
        if (pace := ahead * switch.args[0].diff(along)) != 0
    ]
    return Motion(min(smooth, key=_words), tuple(jumps))


def within(slope: Signs, where: Basic) -> Signs:
    """Return the signs with what cannot occur in a region left out."""
    places = [slope.of(s) if possible(And(slope.of(s), where)) else false for s in (1, 0, -1)]
    taken = [s for s, place in zip((1, 0, -1), places, strict=True) if place != false]
    if len(taken) == 1:
        return Signs(*(true if place != false else false for place in places))
    return Signs(*places)


def _slopes(ratio: Expr, along: Symbol) -> Iterator[Expr]:
    r"""Yield expressions with the sign of :math:`\partial r`, one of which may be simple.

    The logarithmic slope, then, where :math:`r = c + t` with c constant, the slope of t, then
    that of r.
    """
    yield _log_slope(ratio, along)
    moving = [term for term in Add.make_args(ratio.expand()) if term.has(along)]
    if len(moving) == 1:
        sign = known(moving[0])
        yield sign * _log_slope(moving[0], along) if sign else factor_terms(moving[0].diff(along))
    yield factor_terms(ratio.diff(along))


def _rise(ratio: Expr, switch: Expr) -> Expr:
    return ratio.xreplace({switch: Integer(1)}) - ratio.xreplace({switch: Integer(0)})


def _log_slope(ratio: Expr, along: Symbol) -> Expr:
    parts = []
    for factor in Mul.make_args(factor_terms(ratio)):
        base, power = factor.as_base_exp()
        parts.append(power * base.diff(along) / base + power.diff(along) * log(base))
    return factor_terms(Add(*parts))


def _words(slope: Signs) -> int:
    return int(slope.positive.count_ops() + slope.negative.count_ops())
