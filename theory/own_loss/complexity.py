"""How large a formula becomes when algebra writes it out, and which losses stay small."""

from math import comb, prod

from sympy import Expr, Pow, log

from ..kernels.primitives import released, step
from ..symbols import logp_l, logp_w

MAX_TERMS = 120
_HUGE = 10**9


def too_large(loss: Expr) -> str | None:
    """Return the rule that the derivatives of ``loss`` break, ``None`` if they are small.

    Signs and ratios are found by writing formulas out, once for each side of every kink.
    """
    if size(*(released(loss.diff(logp)) for logp in (logp_w, logp_l))) > MAX_TERMS:
        return (
            f"the derivatives of a loss have at most {MAX_TERMS} terms, written out for both sides "
            "of every relu, abs, min and max"
        )
    return None


def size(*slopes: Expr) -> int:
    """Return how many terms the longest of ``slopes`` has for both sides of all of its kinks."""
    return max(spread(slope) << len(slope.atoms(step)) for slope in slopes)


def spread(expr: Expr) -> int:
    """Return how many terms ``expr`` has at most, written out as one fraction.

    Terms above are multiplied with terms below; those within functions are added.
    """
    within: list[int] = []
    above, below = _terms(expr, within)
    return min(_HUGE, above * below + sum(within))


def _terms(expr: Expr, within: list[int]) -> tuple[int, int]:
    """Return the terms above and below the line, and note those ``within`` functions."""
    if expr.is_Add or expr.is_Mul:
        parts = [_terms(arg, within) for arg in expr.args]
        below = prod(d for _, d in parts)
        above = prod(n for n, _ in parts) if expr.is_Mul else sum(n * below // d for n, d in parts)
        return min(_HUGE, above), min(_HUGE, below)
    if isinstance(expr, Pow) and expr.exp.is_Integer:
        n = abs(int(expr.exp))
        above, below = (min(_HUGE, comb(k + n - 1, n)) for k in _terms(expr.base, within))
        return (above, below) if expr.exp > 0 else (below, above)
    within += [spread(arg) for arg in expr.args if arg.free_symbols]
    # The logarithm of a product is written out as a sum.
    return (len(expr.args[0].as_ordered_factors()) if isinstance(expr, log) else 1), 1
