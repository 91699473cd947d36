"""Statements over real numbers decided by z3, for all values of their symbols at once."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import z3
from sympy import (
    Abs,
    Add,
    Expr,
    Indexed,
    Integer,
    Max,
    Min,
    Mul,
    Not,
    Pow,
    Rational,
    Sum,
    Symbol,
    exp,
    expand,
)
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import logsigmoid, relu, sigmoid, step
from disband.theory.models.vocabulary import k
from disband.theory.symbols import A, B, X

from .logic import Comparison, canonical, fold

TIMEOUT_MS = 10_000
SOME_TOKEN = Symbol("t", integer=True, positive=True)


class Problem:
    r"""A conjunction of statements, translated for z3 with what is known of its atoms.

    Known, and added by itself: the declared sign of each symbol; :math:`X^2 \le AB` where the
    Gram invariants occur, which with :math:`A, B \ge 0` is exactly what score vectors can
    realise; :math:`e^x \ge 1 + x`; :math:`0 < \sigma < 1`, that :math:`\sigma` increases, and
    its values at mirrored points. A quotient is defined where its denominator is not zero. A
    sum over tokens is a new unknown, bounded by what z3 proves of its terms for a generic
    token. These facts are true of every real instance, so *unsatisfiable* is a proof;
    *satisfiable* is no refutation until its point has been checked by substitution.
    """

    def __init__(self, statements: Iterable[Boolean]) -> None:
        parts = [canonical(s) for s in statements]
        self.for_each_token = [s for s in parts if k in s.free_symbols]
        self.unknowns: dict[Expr, Any] = {}
        self.facts: list[Any] = []
        self.lemmas: list[tuple[Boolean, ...]] = []
        self.constraints = [self._boolean(s) for s in parts if k not in s.free_symbols]
        self._sigmoid_facts()
        if X in self.unknowns:
            a, b, x = (self._expr(v) for v in (A, B, X))
            self.facts.append(x * x <= a * b)

    def check(self, timeout_ms: int = TIMEOUT_MS) -> tuple[str, dict[Expr, Rational] | None]:
        """Return ``sat`` with a rational model if there is one, ``unsat`` or ``unknown``."""
        for make in (lambda: z3.SolverFor("QF_NRA"), z3.Solver):
            solver = make()
            solver.set("timeout", timeout_ms)
            # Else z3 keeps an interrupt to itself and answers "unknown".
            solver.set("ctrl_c", False)  # noqa: FBT003
            solver.add(*self.facts, *self.constraints)
            answer = solver.check()
            if answer == z3.unsat:
                return "unsat", None
            if answer == z3.sat:
                return "sat", self._model(solver.model())
        return "unknown", None

    def text(self) -> str:
        """Return the problem as SMT-LIB, for another solver; the lemmas apart."""
        solver = z3.Solver()
        solver.add(*self.facts, *self.constraints)
        return str(solver.to_smt2())

    def _model(self, model: Any) -> dict[Expr, Rational] | None:
        point = {}
        for unknown, variable in self.unknowns.items():
            value = model.eval(variable, model_completion=True)
            if not z3.is_rational_value(value):
                return None
            if isinstance(unknown, Symbol | Indexed):
                point[unknown] = Rational(value.numerator_as_long(), value.denominator_as_long())
        return point

    def _boolean(self, statement: Boolean) -> Any:
        def atom(gap: Expr, how: Comparison) -> Any:
            value = self._expr(gap)
            match how:
                case ">=":
                    return value >= 0
                case ">":
                    return value > 0
                case "==":
                    return value == 0
                case "!=":
                    return value != 0

        def either(parts: list[Any]) -> Any:
            # Of no parts z3 writes a disjunction that other solvers cannot read.
            return z3.Or(parts) if parts else z3.BoolVal(False)  # noqa: FBT003

        def both(parts: list[Any]) -> Any:
            return z3.And(parts) if parts else z3.BoolVal(True)  # noqa: FBT003

        return fold(statement, atom, both, either, z3.Not)

    def _expr(self, expr: Expr) -> Any:
        match expr:
            case Rational():
                return z3.Q(expr.p, expr.q)
            case Add():
                return z3.Sum([self._expr(arg) for arg in expr.args])
            case Mul():
                return z3.Product([self._expr(arg) for arg in expr.args])
            case Pow(base=base, exp=Integer() as power) if power > 0:
                return z3.Product([self._expr(base)] * int(power))
            case Max():
                return self._extreme(expr.args, largest=True)
            case Min():
                return self._extreme(expr.args, largest=False)
            case Abs():
                x = self._expr(expr.args[0])
                return z3.If(x >= 0, x, -x)
            case relu():
                x = self._expr(expr.args[0])
                return z3.If(x > 0, x, z3.RealVal(0))
            case step():
                x = self._expr(expr.args[0])
                return z3.If(x > 0, z3.RealVal(1), z3.RealVal(0))
            case _:
                return self._unknown(expr)

    def _extreme(self, args: Sequence[Expr], *, largest: bool) -> Any:
        first, *rest = (self._expr(arg) for arg in args)
        for other in rest:
            first = z3.If((first >= other) == largest, first, other)
        return first

    def _unknown(self, expr: Expr) -> Any:
        if expr in self.unknowns:
            return self.unknowns[expr]
        variable = z3.Real(f"u{len(self.unknowns)}")
        self.unknowns[expr] = variable
        if isinstance(expr, Sum):
            self._sum_facts(expr, variable)
        elif isinstance(expr, sigmoid):
            self.facts += [variable > 0, variable < 1]
        elif isinstance(expr, logsigmoid):
            self.facts.append(variable < 0)
        elif isinstance(expr, exp):
            self.facts += [variable > 0, variable >= 1 + self._expr(expr.args[0])]
        elif isinstance(expr, Pow) and expr.exp.is_negative:
            # A negative power is the number that times the base is one: undefined at zero.
            self.facts.append(variable * self._expr(1 / expr) == 1)
        elif isinstance(expr, Pow) and expr.exp == Rational(1, 2):
            self.facts += [variable >= 0, variable * variable == self._expr(expr.base)]
        elif expr.is_positive and expr.is_integer:
            self.facts.append(variable >= 1)
        elif expr.is_positive:
            self.facts.append(variable > 0)
        elif expr.is_nonnegative:
            self.facts.append(variable >= 0)
        elif expr.is_negative:
            self.facts.append(variable < 0)
        return variable

    def _sigmoid_facts(self) -> None:
        known = [(u, v) for u, v in self.unknowns.items() if isinstance(u, sigmoid)]
        arguments = [(self._expr(u.args[0]), v) for u, v in known]
        arguments += [(-x, 1 - s) for x, s in arguments] + [(z3.RealVal(0), z3.Q(1, 2))]
        for (x, s), (y, t) in combinations(arguments, 2):
            self.facts += [(x <= y) == (s <= t), (y <= x) == (t <= s)]

    def _sum_facts(self, total: Sum, variable: Any) -> None:
        term = total.function
        if term.has(Sum):
            raise TypeError(f"a sum over tokens has plain terms: got {total}; expand it first")
        constant, rest = term.as_independent(k, as_Add=False)
        if constant != 1:
            self.facts.append(variable == self._expr(_token_sum(constant, rest, total)))
            return
        pieces = [p.as_independent(k, as_Add=False) for p in expand(term).as_ordered_terms()]
        if len(pieces) > 1:
            parts = [self._expr(_token_sum(c, piece, total)) for c, piece in pieces]
            self.facts.append(variable == z3.Sum(parts))
        self._sum_bounds(total, variable)

    def _sum_bounds(self, total: Sum, variable: Any) -> None:
        """Bound a sum by zero, by the tangent of its exponentials, by its factors' sums."""
        term = total.function
        bounds: list[tuple[Expr, Any]] = [(Integer(0), z3.RealVal(0))]
        if (tangent := expand(term.replace(exp, lambda x: 1 + x))) != term:
            bounds.append((tangent, self._expr(Sum(tangent, total.limits[0]))))
        for bound, bound_sum in bounds:
            if self._for_each_token(term >= bound):
                self.facts.append(variable >= bound_sum)
            if self._for_each_token(term <= bound):
                self.facts.append(variable <= bound_sum)
        factors = _two_factors(term)
        if factors and all(self._for_each_token(f >= 0) for f in factors):
            one, other = (self._expr(Sum(f, total.limits[0])) for f in factors)
            self.facts.append(variable <= one * other)

    def _for_each_token(self, statement: Boolean) -> bool:
        """Whether ``statement`` about the generic token follows from what is said of each."""
        lemma = (*self.for_each_token, Not(statement))
        if follows := _lemma(lemma):
            self.lemmas.append(lemma)
        return follows


@cache
def _lemma(statements: tuple[Boolean, ...]) -> bool:
    """Whether no token meets all ``statements`` about the generic one; asked again and again."""
    return Problem(of_some_token(statements)).check()[0] == "unsat"


def of_some_token(statements: Iterable[Boolean]) -> list[Boolean]:
    """Return statements about the generic token as statements about one."""
    return [s.subs(k, SOME_TOKEN) for s in statements]


def _token_sum(constant: Expr, rest: Expr, total: Sum) -> Expr:
    """Return ``constant`` times the sum of ``rest`` over the tokens of ``total``."""
    (_, first, last) = total.limits[0]
    return constant * ((last - first + 1) if rest == 1 else Sum(rest, total.limits[0]))


def _two_factors(term: Expr) -> tuple[Expr, Expr] | None:
    if isinstance(term, Pow) and term.exp == 2:
        return term.base, term.base
    return term.args if isinstance(term, Mul) and len(term.args) == 2 else None
