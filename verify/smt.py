"""Statements over real numbers decided by z3, for all values of their symbols at once."""

from collections.abc import Iterable, Sequence
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
    Pow,
    Rational,
    Sum,
    Symbol,
    expand,
)
from sympy.logic.boolalg import Boolean

from theory.primitives import logsigmoid, relu, sigmoid, step
from theory.symbols import A, B, X
from theory.vocabulary import k
from verify.logic import Comparison, canonical, fold

TIMEOUT_MS = 10_000
SOME_TOKEN = Symbol("t", integer=True, positive=True)


class Problem:
    r"""A conjunction of statements, translated for z3 with what is known of its atoms.

    Known, and added by itself: the declared sign of each symbol; :math:`X^2 \le AB` where the
    Gram invariants occur, which with :math:`A, B \ge 0` is exactly what score vectors can
    realise; :math:`0 < \sigma < 1`, :math:`\sigma(x) \ge 1/2 \iff x \ge 0` and that
    :math:`\sigma` increases. A quotient is defined where its denominator is not zero. A sum
    over tokens is a new unknown whose sign follows from its terms where z3 proves that for a
    generic token. These facts are true of every real instance, so *unsatisfiable* is a proof;
    *satisfiable* is no refutation until its point has been checked by substitution.
    """

    def __init__(self, statements: Iterable[Boolean]) -> None:
        parts = [canonical(s) for s in statements]
        self.for_each_token = [s for s in parts if k in s.free_symbols]
        self.unknowns: dict[Expr, Any] = {}
        self.facts: list[Any] = []
        self.constraints = [self._boolean(s) for s in parts if k not in s.free_symbols]
        if X in self.unknowns:
            a, b, x = (self._expr(v) for v in (A, B, X))
            self.facts.append(x * x <= a * b)
        self._sigmoid_facts()

    def check(self, timeout_ms: int = TIMEOUT_MS) -> tuple[str, dict[Expr, Rational] | None]:
        """Return ``sat`` with a rational model if there is one, ``unsat`` or ``unknown``."""
        for make in (lambda: z3.SolverFor("QF_NRA"), z3.Solver):
            solver = make()
            solver.set("timeout", timeout_ms)
            solver.add(*self.facts, *self.constraints)
            answer = solver.check()
            if answer == z3.unsat:
                return "unsat", None
            if answer == z3.sat:
                return "sat", self._model(solver.model())
        return "unknown", None

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

        return fold(statement, atom, z3.And, z3.Or, z3.Not)

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
        elif isinstance(expr, Pow) and expr.exp.is_Integer:
            # A negative power is the number that times the base is one: undefined at zero.
            self.facts.append(variable * self._expr(expr.base ** (-expr.exp)) == 1)
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
        pieces = expand(term).as_ordered_terms()
        parts = [_constant_out(piece, total) for piece in pieces]
        if parts != [total]:
            self.facts.append(variable == z3.Sum([self._expr(part) for part in parts]))
        for opposite, sign in ((term < 0, variable >= 0), (term > 0, variable <= 0)):
            lemma = [s.subs(k, SOME_TOKEN) for s in (*self.for_each_token, opposite)]
            if Problem(lemma).check()[0] == "unsat":
                self.facts.append(sign)
        if isinstance(term, Pow) and term.exp == 2 and term.base.is_nonnegative:
            root = self._expr(Sum(term.base, total.limits[0]))
            self.facts.append(variable <= root * root)


def _constant_out(piece: Expr, total: Sum) -> Expr:
    constant, rest = piece.as_independent(k)
    (_, first, last) = total.limits[0]
    if rest == 1:
        return constant * (last - first + 1)
    return constant * Sum(rest, total.limits[0])
