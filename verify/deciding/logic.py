"""Statements as trees: one walk over a boolean that every decision procedure shares."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from sympy import And, Eq, Equivalent, Expr, Ge, Gt, Implies, Le, Lt, Ne, Not, Or, expand
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanFalse, BooleanTrue

from disband.theory.kernels.primitives import sigmoid

Comparison = Literal[">=", ">", "==", "!="]
T = TypeVar("T")


def equal(lhs: Expr, rhs: Expr) -> Boolean:
    """Return ``lhs = rhs`` as a statement that sympy does not decide while it is written."""
    return Eq(lhs, rhs, evaluate=False)


def iff(one: Boolean, other: Boolean) -> Boolean:
    """Return ``one ⟺ other`` as a statement that sympy does not decide while it is written."""
    return Equivalent(one, other, evaluate=False)


def implies(premise: Boolean, conclusion: Boolean) -> Boolean:
    """Return ``premise ⟹ conclusion`` as a statement that sympy does not decide as written."""
    return Implies(premise, conclusion, evaluate=False)


def every(*parts: Boolean) -> Boolean:
    """Return the conjunction of ``parts`` as written."""
    return And(*parts, evaluate=False)


def strictly(statement: Boolean) -> Boolean:
    """Return ``statement`` with every weak inequality that it needs made a strict one."""
    strict = {">=": Gt, ">": Gt, "==": Eq, "!=": Ne}
    strict_not = {">=": Lt, ">": Lt, "==": Ne, "!=": Eq}
    Sides = tuple[Boolean, Boolean]

    def atom(gap: Expr, how: Comparison) -> Sides:
        return strict[how](gap, 0, evaluate=False), strict_not[how](gap, 0, evaluate=False)

    def both(parts: list[Sides]) -> Sides:
        return every(*(p for p, _ in parts)), Or(*(n for _, n in parts), evaluate=False)

    def either(parts: list[Sides]) -> Sides:
        return Or(*(p for p, _ in parts), evaluate=False), every(*(n for _, n in parts))

    return fold(statement, atom, both, either, lambda sides: sides[::-1])[0]


def fold(
    statement: Boolean,
    atom: Callable[[Expr, Comparison], T],
    both: Callable[[list[T]], T],
    either: Callable[[list[T]], T],
    negate: Callable[[T], T],
) -> T:
    """Evaluate ``statement`` in another logic, from its comparisons ``gap (>=, >, ==, !=) 0`` up.

    Raises:
        TypeError: ``statement`` is built from something other than comparisons and connectives.
    """

    def walk(node: Any) -> T:
        if isinstance(node, Relational):
            return atom(*comparison(node))
        if isinstance(node, BooleanTrue):
            return both([])
        if isinstance(node, BooleanFalse):
            return either([])
        parts = [walk(arg) for arg in node.args]
        if isinstance(node, And):
            return both(parts)
        if isinstance(node, Or):
            return either(parts)
        if isinstance(node, Not):
            return negate(parts[0])
        if isinstance(node, Implies):
            return either([negate(parts[0]), parts[1]])
        if isinstance(node, Equivalent):
            return either([both(parts), both([negate(p) for p in parts])])
        raise TypeError(
            f"a statement is built from comparisons, and, or, not, ⟹ and ⟺: got "
            f"{type(node).__name__}; write it with these"
        )

    return walk(statement)


def comparison(relation: Relational) -> tuple[Expr, Comparison]:
    """Return the expression and the comparison with zero that ``relation`` states."""
    match relation:
        case Ge():
            return relation.lhs - relation.rhs, ">="
        case Gt():
            return relation.lhs - relation.rhs, ">"
        case Le():
            return relation.rhs - relation.lhs, ">="
        case Lt():
            return relation.rhs - relation.lhs, ">"
        case Ne():
            return relation.lhs - relation.rhs, "!="
        case _:
            return relation.lhs - relation.rhs, "=="


def canonical(expr: Expr) -> Expr:
    r"""Write every :math:`\sigma` with one sign of its argument, :math:`\sigma(-x)=1-\sigma(x)`."""

    def one_sign(node: Expr) -> Expr:
        x = expand(node.args[0])
        return 1 - sigmoid(-x) if x.could_extract_minus_sign() else sigmoid(x)

    return expr.replace(lambda node: isinstance(node, sigmoid), one_sign)
