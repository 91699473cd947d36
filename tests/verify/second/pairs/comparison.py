"""Two formalisations of one statement, compared at exact points.

A point gives values to the symbols of both. Where the assumptions of both hold, one is true if
and only if the other is; the solver says it of all such points where it can. That alone would let
any two identities pass for one another, so their parts are compared too: at each of these points
the sides of an equation of the first are sides of equations of the second, and an inequality of
the first has the sign of one of the second, or is true exactly where a part of it is.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import (
    And,
    Basic,
    Eq,
    Expr,
    Function,
    Ge,
    Gt,
    Indexed,
    Integer,
    Max,
    Min,
    Ne,
    Not,
    Or,
    Piecewise,
    Symbol,
    Xor,
    exp,
    preorder_traversal,
)
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import Primitive
from disband.theory.symbols import A, B, X
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.decide import instance, speaks_of_tokens
from disband.verify.deciding.logic import Comparison, comparison, every, fold, iff
from disband.verify.deciding.smt import Problem
from tests.verify.second.pairs.pair import PAPER, SECONDS, Pair
from tests.verify.second.statement import (
    JumpError,
    Number,
    Point,
    Second,
    defines,
    drawn,
    evaluator,
    value,
)

# At so many points two formalisations are compared, and those that the solver decides at fewer.
POINTS, FEWER = 200, 50
# How many tokens there are where the ledger speaks of any number.
VOCABULARY = Integer(3)
TRIES = 20_000
# Of so many draws it is asked what one formalisation assumes and the other does not.
ASKED = 200
RELATIONS = {">=": Ge, ">": Gt, "==": Eq, "!=": Ne}
Truth = Callable[[Point], bool]


@dataclass(frozen=True)
class Compared:
    """What was found out about two formalisations.

    Args:
        enough: Whether points enough were found at which the assumptions of both hold.
        statement: Whether there one is true if and only if the other is.
        solver: What the solver says of a point at which exactly one of them is true: ``unsat`` if
            there is none. Empty if it was not asked.
        parts: The relations of the first that have no like in the second.
        assumes_more: Which of them assumes something that the other does not.
    """

    enough: bool
    statement: bool
    solver: str
    parts: tuple[str, ...]
    assumes_more: frozenset[str]

    @property
    def agrees(self) -> bool:
        """Whether the two say the same where the assumptions of both hold."""
        proved = self.solver in ("", "unsat")
        return self.enough and self.statement and proved and not self.parts


class Both:
    """The two formalisations of a pair, the ledger's in the symbols of both."""

    def __init__(self, pair: Pair, claim: Claim) -> None:
        self.pair = pair
        self.claim = claim
        self.entries = [SECONDS[f"{PAPER} {name}"] for name in pair.names]
        parts = [*claim.given, claim.holds]
        if any(speaks_of_tokens(part) for part in parts):
            parts = instance(parts, VOCABULARY)
        *self.given, self.holds = parts
        self.states = [part for entry in self.entries for part in entry.states]
        if pair.states:
            self.states = [self.states[i] for i in pair.states]
        means = {symbol: _exact(expr) for symbol, expr in pair.means.items()}
        ours = {unknown for part in parts for unknown in part.atoms(Symbol, Indexed)}
        said = {s for key, expr in means.items() if key in ours for s in expr.free_symbols}
        self.second = Second(
            key=self.claim.id,
            where="",
            words="",
            given=_relevant(self.entries, {*ours, *said}.union(*map(_unknowns, self.states))),
            states=tuple(self.states),
        )
        theirs = set(self.second.symbols)
        self.shared = {key: expr for key, expr in means.items() if key in theirs}
        self.own = {key: expr for key, expr in means.items() if key in ours - theirs}

    def translated(self, expr: Expr) -> Expr:
        """An expression of the ledger in the symbols of the second, with exact values."""
        for function, rule in self.pair.functions.items():
            expr = expr.replace(
                lambda node, function=function: (
                    isinstance(node, AppliedUndef) and node.func == function
                ),
                lambda node, rule=rule: rule(node.args[0]),
            )
        return _exact(expr.doit().xreplace(self.shared))

    def truth(self, statement: Boolean) -> Truth:
        """The ledger's ``statement`` as a function of a point."""

        def atom(gap: Expr, how: Comparison) -> Truth:
            if how in ("==", "!=") and self.pair.exponential:
                number = evaluator(exp(self.translated(gap)) - 1)
            else:
                number = evaluator(self.translated(gap))
            return {
                ">=": lambda point: number(point) >= 0,
                ">": lambda point: number(point) > 0,
                "==": lambda point: number(point) == 0,
                "!=": lambda point: number(point) != 0,
            }[how]

        return fold(
            statement,
            atom,
            lambda parts: lambda point: all(part(point) for part in parts),
            lambda parts: lambda point: any(part(point) for part in parts),
            lambda part: lambda point: not part(point),
        )

    @cached_property
    def solvable(self) -> bool:
        """Whether the solver can be asked for all values at once: only powers and extremes."""
        beyond = (exp, Function, Piecewise, Xor)
        return not (
            self.pair.apart
            or self.pair.row
            or self.pair.exponential
            or any(
                node.has(*beyond) and not isinstance(node, Max | Min)
                for formula in self.formulas
                for node in preorder_traversal(formula)
            )
        )

    def in_second(self, statement: Boolean) -> Boolean:
        """A statement of the ledger in the symbols of the second."""
        return fold(
            statement,
            lambda gap, how: RELATIONS[how](self.translated(gap), 0, evaluate=False),
            lambda parts: And(*parts, evaluate=False),
            lambda parts: Or(*parts, evaluate=False),
            lambda part: Not(part, evaluate=False),
        )

    def counterexample(self) -> str:
        """What the solver answers when asked for a point at which exactly one of them holds."""
        said = [Eq(key, expr, evaluate=False) for key, expr in (self.own | self.shared).items()]
        given = map(self.in_second, self.given)
        apart = Not(iff(self.in_second(self.holds), every(*self.states)))
        return Problem([*said, *given, *self.second.given, apart]).check()[0]

    @cached_property
    def formulas(self) -> list[Basic]:
        """All that is evaluated."""
        ours = [
            self.translated(side)
            for formula in (*self.given, self.holds)
            for relation in formula.atoms(Relational)
            for side in relation.args
        ]
        said = [*self.shared.values(), *self.own.values()]
        return [*ours, *said, *self.second.given, *self.second.states]

    @cached_property
    def free(self) -> list[Symbol]:
        """The symbols that are drawn, in a fixed order."""
        used = {unknown for formula in self.formulas for unknown in _unknowns(formula)}
        return sorted(used - self.second.defined - set(self.shared) - set(self.own), key=str)

    def draws(self) -> Iterator[Point]:
        """Random values of the free symbols, whether or not any assumption holds there."""
        draws = random.Random(self.claim.id)
        whole = any(formula.has(exp) for formula in self.formulas)
        for _ in range(TRIES):
            yield {symbol: drawn(draws, symbol, whole=whole) for symbol in self.free}

    @cached_property
    def early(self) -> list[Boolean]:
        """What the second assumes of the symbols that are drawn."""
        return [
            part
            for part in self.second.given
            if not defines(part) and part.free_symbols <= set(self.free)
        ]

    def hopeless(self, free: Point) -> bool:
        """Whether the second cannot hold there, which is seen without what it defines."""
        return not all(value(part, free) for part in self.early)

    def filled(self, free: Point) -> Point:
        """The point with what follows of all other symbols."""
        point = dict(free)
        for symbol, expr in self.shared.items():
            point[symbol] = evaluator(expr)(point)
        point = self.second.filled(point)
        for symbol, expr in self.own.items():
            point[symbol] = evaluator(expr)(point)
        return point

    def signed(self, point: Point) -> bool:
        """Whether the ledger's symbols have the signs that it declares."""
        return all(_sign_kept(symbol, point[symbol]) for symbol in (*self.own, *self.shared))

    def realised(self, point: Point) -> bool:
        """Whether there are vectors with these products."""
        return not {A, B, X} <= set(point) or point[X] ** 2 <= point[A] * point[B]


def _exact(expr: Expr) -> Expr:
    """The expression in functions that have exact values."""
    return expr.replace(
        lambda node: isinstance(node, Primitive), lambda node: node.rewrite(exp, deep=False)
    )


def _relevant(entries: list[Second], needed: set[Basic]) -> tuple[Boolean, ...]:
    """What is assumed of the symbols that are needed, and of those that they depend on."""
    given = dict.fromkeys(part for entry in entries for part in entry.given)
    while True:
        parts = [
            part
            for part in given
            if (part.lhs in needed if defines(part) else part.free_symbols & needed)
        ]
        more = needed.union(*(part.free_symbols for part in parts))
        if more == needed:
            return tuple(parts)
        needed = more


def _unknowns(formula: Basic) -> set[Basic]:
    indexed = formula.atoms(Indexed)
    return indexed | (formula.free_symbols - {s for one in indexed for s in one.free_symbols})


def _sign_kept(symbol: Symbol, number: Number) -> bool:
    return not (
        (symbol.is_positive and number <= 0)
        or (symbol.is_nonnegative and number < 0)
        or (symbol.is_negative and number >= 0)
        or (symbol.is_integer and number.denominator != 1)
    )


def compared(pair: Pair, claim: Claim) -> Compared:
    """Compare ``claim``, the pair's or what it was at first, with the second at random points."""
    both = Both(pair, claim)
    holds = both.truth(both.holds)
    given = [both.truth(part) for part in both.given]
    wanted = FEWER if both.solvable else POINTS
    points: list[Point] = []
    truths: list[tuple[bool, bool]] = []
    more: set[str] = set()
    for number, free in enumerate(both.draws()):
        try:
            if number > ASKED and both.hopeless(free):
                continue
            point = both.filled(free)
            second_assumes = both.second.assumed(point)
            first_assumes = both.signed(point) and all(part(point) for part in given)
            if not both.realised(point) or not (first_assumes or second_assumes):
                continue
            # Where either has no value neither says anything.
            says = holds(point), both.second.holds(point)
            if first_assumes and second_assumes:
                truths.append(says)
                points.append(point)
            else:
                more.add("second" if first_assumes else "first")
        except (ZeroDivisionError, JumpError):
            continue
        if len(points) == wanted:
            break
    exists = all(entry.exists for entry in both.entries)
    if pair.row:
        same = True
    elif pair.apart:
        whole = any if exists else all
        same = whole(one for one, _ in truths) == whole(other for _, other in truths)
    else:
        same = all(one == other for one, other in truths)
    return Compared(
        enough=len(points) == wanted,
        solver=both.counterexample() if both.solvable else "",
        statement=same and both.claim.exists == exists,
        parts=() if pair.apart else _unmatched(both, points),
        assumes_more=frozenset(more),
    )


def _unmatched(both: Both, points: list[Point]) -> tuple[str, ...]:
    """The relations of the ledger that have no like in the second formalisation."""

    def values(expr: Basic) -> tuple[Number, ...]:
        number = evaluator(expr)
        return tuple(number(point) for point in points)

    def signs(expr: Expr) -> tuple[int, ...]:
        return tuple((number > 0) - (number < 0) for number in values(expr))

    nodes = [node for part in both.states for node in preorder_traversal(part)]
    relations = [node for node in nodes if isinstance(node, Relational)]
    sides = {
        values(scale * side)
        for relation in relations
        if isinstance(relation, Eq)
        for side in relation.args
        for scale in both.pair.scales
    }
    orders = {
        sign
        for relation in relations
        if not isinstance(relation, Eq)
        for gap in [comparison(relation)[0]]
        for sign in (signs(gap), signs(-gap))
    }
    truths = {values(node) for node in nodes if isinstance(node, Boolean)}
    lacking = []
    for relation in both.holds.atoms(Relational):
        if isinstance(relation, Eq):
            ours = [both.translated(side) for side in relation.args]
            if both.pair.exponential:
                ours = [exp(side) for side in ours]
            alike = any if both.pair.row else all
            matched = alike(values(side) in sides for side in ours if not side.is_number)
        else:
            matched = (
                signs(both.translated(comparison(relation)[0])) in orders
                or tuple(map(both.truth(relation), points)) in truths
            )
        if not matched:
            lacking.append(str(relation))
    return tuple(sorted(lacking))
