"""Whether a condition can hold at all, as far as its comparisons tell without arithmetic."""

from itertools import product

from sympy import Basic, Expr, Mul, factor_terms, false, true
from sympy.core.relational import Relational

_MOST = 5  # comparisons whose signs are run through


def possible(condition: Basic) -> bool:
    """Return False if ``condition`` is refuted by running through the signs of its comparisons.

    Comparisons are taken as independent, so True says only that this refutes nothing.
    """
    if condition in (true, false):
        return bool(condition == true)
    atoms = {atom: _gap(atom) for atom in condition.atoms(Relational)}
    gaps = sorted({gap for gap, _ in atoms.values()}, key=str)
    if len(gaps) > _MOST:
        return True
    for signs in product((1, 0, -1), repeat=len(gaps)):
        at = dict(zip(gaps, signs, strict=True))
        facts = {a: true if a.func(at[g] * flip, 0) else false for a, (g, flip) in atoms.items()}
        if condition.xreplace(facts) == true:
            return True
    return False


def _gap(atom: Relational) -> tuple[Expr, int]:
    """Return left minus right up to a positive factor, and whether its sign was turned."""
    gap = (atom.lhs - atom.rhs).expand()
    flip = -1 if gap.could_extract_minus_sign() else 1
    whole = factor_terms(flip * gap)
    return Mul(*(f for f in whole.as_ordered_factors() if not f.is_positive)), flip
