"""Formulas as one line of plain text, for a terminal."""
# ruff: noqa: N802, N815 (sympy finds a printer's methods by the names of its classes)

from textwrap import wrap
from typing import Any

from sympy import (
    Add,
    Basic,
    Derivative,
    Expr,
    Function,
    Indexed,
    Mul,
    Pow,
    S,
    Subs,
    Sum,
    Symbol,
    factor_terms,
    fraction,
)
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter

from disband.theory.kernels.primitives import Primitive, step
from disband.theory.symbols import PLAIN, len_l, len_w, logp_l, logp_w, ref_l, ref_w

WIDTH = 80
_RELATIONS = {"==": "=", "!=": "≠", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIDES = ((logp_w, ref_w, len_w), (logp_l, ref_l, len_l))


def plain(expr: Basic) -> str:
    """Return ``expr`` as one line of plain text; a condition that never varies as a word."""
    words = {S.true: "always", S.false: "never"}
    return words[expr] if expr in words else str(_Plain().doprint(expr))


def balanced(statement: Relational) -> Relational:
    """Return ``sum ≥ 0`` (or ≤) without its positive factors, negative terms on the right."""
    factors = factor_terms(statement.lhs - statement.rhs).as_ordered_factors()
    gap = Mul(*(f for f in factors if not f.is_positive))
    if not gap.is_Add:
        return statement.func(gap, 0)
    right = [term for term in gap.args if term.could_extract_minus_sign()]
    return statement.func(gap - Add(*right), -Add(*right))


def entry(name: str, text: str, margin: int) -> str:
    """Return ``text`` wrapped to the right of ``name``, which stands in a margin."""
    lines = wrap(text, WIDTH - margin, break_long_words=False, break_on_hyphens=False)
    heads = [name, *[""] * (len(lines) - 1)]
    return "\n".join(
        f"{head:{margin}}{line}".rstrip() for head, line in zip(heads, lines, strict=True)
    )


class _Plain(StrPrinter):  # type: ignore[misc]
    """Prints as a person would write it: each response's terms together, fractions as such."""

    printmethod = "_as_plain_text"  # so that the primitives' own methods stand back

    def _print_Symbol(self, symbol: Symbol) -> str:
        return PLAIN.get(symbol, str(symbol.name))

    def _print_Infinity(self, infinity: Expr) -> str:
        del infinity
        return "∞"

    def _print_step(self, indicator: step) -> str:
        return f"1[{self._print(indicator.args[0] > 0)}]"

    def _print_Function(self, call: Function) -> str:
        name = call.plain_name if isinstance(call, Primitive) else str(call.func).lower()
        return f"{name}({', '.join(self._argument(x) for x in call.args)})"

    _print_Max = _print_Min = _print_Abs = _print_exp = _print_log = _print_Function

    def _argument(self, x: Expr) -> str:
        if x.is_Mul and (-x).is_Add:  # a minus before brackets, as sympy's factor_terms leaves it
            x = Add(*(-term for term in (-x).args))
        return str(self._print(x))

    def _print_Derivative(self, slope: Derivative) -> str:
        if isinstance(slope.expr, AppliedUndef):
            return f"{slope.expr.func}′({self._print(slope.expr.args[0])})"
        by = " ".join(f"∂{self._print(variable)}" for variable in slope.variables)
        return f"∂[{self._print(slope.expr)}]/{by}"

    def _print_Subs(self, at: Subs) -> str:
        return f"{at.expr.expr.func}′({self._print(at.point[0])})"

    def _print_Add(self, expr: Add, order: Any = None) -> str:
        del order
        first, *rest = sorted(expr.args, key=lambda term: _rank(term, expr))
        text = self._term(first)
        for term in rest:
            negative = term.could_extract_minus_sign()
            text += f" − {self._term(-term)}" if negative else f" + {self._term(term)}"
        return text

    def _term(self, term: Expr) -> str:
        return str(self.parenthesize(term, PRECEDENCE["Add"], strict=term.is_Mul))

    def _print_Mul(self, expr: Mul) -> str:
        if expr.could_extract_minus_sign():
            return self._negative(-expr)
        above, below = fraction(expr)
        if below == 1:
            *first, last = sorted(above.as_ordered_factors(), key=_size)
            return "·".join([*map(self._factor, first), self._factor(last, last=True)])
        return f"{self._factor(above)}/{self._factor(below, 'Pow')}"

    def _negative(self, positive: Expr) -> str:
        """Write minus ``positive``, the sign within a factor that is a sum if there is one."""
        above, below = fraction(positive)
        factors = list(above.as_ordered_factors())
        sums = [i for i, factor in enumerate(factors) if factor.is_Add]
        if not sums:
            return f"−{self._factor(positive, last=True)}"
        factors[sums[0]] = -factors[sums[0]]
        text = "·".join(
            self._factor(factor, last=factor is factors[-1])
            for factor in sorted(factors, key=_size)
        )
        return text if below == 1 else f"{text}/{self._factor(below, 'Pow')}"

    def _factor(self, factor: Expr, level: str = "Mul", *, last: bool = False) -> str:
        tight = level == "Mul" or (factor.is_Pow and factor.exp.is_positive)
        text = str(self.parenthesize(factor, PRECEDENCE[level], strict=tight))
        return f"({text})" if isinstance(factor, Symbol) and " " in text and not last else text

    def _print_Pow(self, expr: Pow, rational: bool = False) -> str:  # noqa: FBT001, FBT002 (sympy's)
        if not expr.exp.is_Integer:
            return str(super()._print_Pow(expr, rational)).replace("**", "^")
        if expr.exp < 0:
            return f"1/{self._factor(expr.base**-expr.exp, 'Pow')}"
        return self._factor(expr.base, "Pow") + str(expr.exp).translate(_SUPERSCRIPTS)

    def _print_Relational(self, statement: Relational) -> str:
        left, right = self._print(statement.lhs), self._print(statement.rhs)
        return f"{left} {_RELATIONS[statement.rel_op]} {right}"

    def _print_And(self, expr: Basic, order: Any = None) -> str:
        del order
        return self._joined(expr, " and ")

    def _print_Or(self, expr: Basic, order: Any = None) -> str:
        del order
        return self._joined(expr, " or ")

    def _print_Not(self, expr: Basic) -> str:
        return f"not ({self._print(expr.args[0])})"

    def _print_Implies(self, expr: Basic) -> str:
        premise, conclusion = (self._print(arg) for arg in expr.args)
        return f"{premise} ⟹ {conclusion}"

    def _print_Equivalent(self, expr: Basic) -> str:
        return " ⟺ ".join(self._print(arg) for arg in expr.args)

    def _print_Indexed(self, entry: Indexed) -> str:
        return f"{entry.base.label}[{', '.join(map(self._print, entry.indices))}]"

    def _print_Sum(self, expr: Sum) -> str:
        ((index, first, last),) = expr.limits
        term = self.parenthesize(expr.function, PRECEDENCE["Mul"])
        return f"Σ({index}={self._print(first)}…{self._print(last)}) {term}"

    def _joined(self, expr: Basic, word: str) -> str:
        parts = sorted(expr.args, key=str)
        return word.join(
            self._print(p)
            if isinstance(p, Relational) or precedence(p) > PRECEDENCE["And"]
            else f"({self._print(p)})"
            for p in parts
        )


def _rank(term: Expr, whole: Add) -> tuple[int, int, bool, int, str]:
    """Order of the terms of a sum: each response's together, what is positive first."""
    negative = term.could_extract_minus_sign()
    sides = [i for i, symbols in enumerate(_SIDES) if term.free_symbols & set(symbols)]
    if len(sides) != 1:
        mixed = bool(sides)
        group = (4 if negative else 0) if mixed else (6 if negative else 3)
        return group, 0, negative, 0, str(term)
    its = [t for t in whole.args if t.free_symbols & set(_SIDES[sides[0]])]
    lead = min(its, key=_place).could_extract_minus_sign()
    group = 1 if not lead else 5 if all(t.could_extract_minus_sign() for t in its) else 2
    return group, sides[0], negative, _place(term), str(term)


def _place(term: Expr) -> int:
    """Where the response's quantities stand: policy, reference, length."""
    return min(i for side in _SIDES for i, s in enumerate(side) if s in term.free_symbols)


def _size(factor: Expr) -> tuple[bool, bool, int]:
    """Order of the factors of a product: numbers, symbols, then the rest, short ones first."""
    wide = isinstance(factor, Symbol) and " " in PLAIN.get(factor, "")
    return not factor.is_number, wide, factor.count_ops()
