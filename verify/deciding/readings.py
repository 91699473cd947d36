"""What a statement comes to at a point, comparison by comparison, its named quantities folded."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean

from disband.theory.models.vocabulary import V

from .claim import Claim, Point, Quantity
from .decide import instance
from .search import truth, value_at

_SIGNS = str.maketrans({
    "Δ": r"\Delta ", "∇": r"\nabla ", "π": r"\pi ", "κ": r"\kappa ", "‖": r"\|",
    "⟨": r"\langle ", "⟩": r"\rangle ", "²": "^2", "*": "^*",
})  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """One comparison of a statement at a point.

    Args:
        relation: The comparison, named quantities folded.
        left: What its left side comes to.
        right: What its right side comes to.
        holds: Whether it is true there; ``None`` where a side has no value.
    """

    relation: Relational
    left: Expr
    right: Expr
    holds: bool | None


def readings(claim: Claim, point: Point) -> list[Reading]:
    """Return every comparison that ``claim`` concludes, at a point: first those that fail."""
    found = [
        Reading(
            fold(relation, claim.where),
            at(relation.lhs, point),
            at(relation.rhs, point),
            truth(instance([relation], point.get(V))[0], _without_size(relation, point)),
        )
        for relation in comparisons(claim.holds)
    ]
    return sorted(found, key=lambda reading: reading.holds is True)


def at(expression: Expr, point: Point) -> Expr:
    """Return the value of an expression at a point, its sums written out."""
    size = point.get(V)
    written = expression if size is None else expression.subs(V, size).doit()
    return value_at(written, _without_size(expression, point))


def comparisons(statement: Boolean) -> list[Relational]:
    """Return the comparisons of a statement in the order in which it is written."""
    if isinstance(statement, Relational):
        return [statement]
    parts = sorted(statement.args, key=str) if isinstance(statement, And) else statement.args
    return list(dict.fromkeys(one for part in parts for one in comparisons(part)))


def fold(formula: Any, where: Sequence[Quantity]) -> Any:
    """Return a formula with the quantities of ``where`` by their names, the largest first."""
    for quantity in sorted(where, key=lambda q: -q.value.count_ops()):
        formula = formula.xreplace({quantity.value: Symbol(quantity.name)})
    return formula


def names(where: Iterable[Quantity]) -> dict[Symbol, str]:
    """Return what each name of ``where`` is in LaTeX, for what :func:`fold` has folded."""
    return {Symbol(quantity.name): name_latex(quantity.name) for quantity in where}


def name_latex(name: str) -> str:
    r"""Return a quantity's name in LaTeX: ``Δlog π_w`` is ``\Delta \log \pi_w``."""
    text = re.sub(r"\(([A-Z-]+|row)\)", r"(\\mathrm{\1})", name)
    text = text.replace("log ", r"\log ").translate(_SIGNS)
    return re.sub(r" (?=[_^,)]|$)", "", text)


def _without_size(expression: Basic, point: Point) -> Point:
    return {s: v for s, v in point.items() if s != V or V in expression.free_symbols}
