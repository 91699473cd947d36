"""Turn symbolic expressions into a program, and into a numpy or torch function."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

from sympy import Add, Expr, Mul, Rational, Symbol, cse, exp, log

from .primitives import Primitive
from .program import Builder, Kernel, Program, kernel_of
from .stable import Backend


def compile_kernel(expr: Expr, args: Sequence[Symbol], backend: Backend = "numpy") -> Kernel:
    """Compile ``expr`` to a function of ``args`` that broadcasts over arrays or tensors.

    Raises:
        ValueError: ``expr`` has a free symbol outside ``args`` or a function without a kernel.
    """
    return kernel_of(program_of([expr], args), backend)


def program_of(
    exprs: Sequence[Expr], args: Sequence[Symbol], scalars: Sequence[Symbol] = ()
) -> Program:
    """Return the program that computes ``exprs``, what they share only once.

    Args:
        exprs: What it returns, in this order.
        args: What it is a function of.
        scalars: Those of ``args`` that are single numbers; a product takes them first, so that
            they are one number when they have values.

    Raises:
        ValueError: An expression has a free symbol outside ``args`` or a function without a
            kernel.
    """
    if free := set[Symbol]().union(*(expr.free_symbols for expr in exprs)) - set(args):
        names = ", ".join(sorted(map(str, free)))
        raise ValueError(f"every symbol needs a value: no value for {names}; pass it by name")
    shared, reduced = shared_parts(exprs)
    return _Lowering(args, scalars).program(shared, reduced)


def shared_parts(
    exprs: Sequence[Expr], names: Iterator[Symbol] | None = None
) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """Return what ``exprs`` share, each part under a new symbol, and ``exprs`` in terms of these.

    A reciprocal is no part: two equal quotients are equal numbers, which products with rounded
    reciprocals are not, and at a kink that matters.
    """
    shared, reduced = cse(list(exprs), symbols=names)
    steps, inverses = list[tuple[Symbol, Expr]](), dict[Symbol, Expr]()
    for name, part in shared:
        whole = part.xreplace(inverses)
        if _inverse(whole):
            inverses[name] = whole
        else:
            steps.append((name, whole))
    return steps, [expr.xreplace(inverses) for expr in reduced]


class _Lowering:
    """Writes expressions as steps of a program."""

    def __init__(self, args: Sequence[Symbol], scalars: Sequence[Symbol]) -> None:
        self._builder = Builder([symbol.name for symbol in args])
        self._step = self._builder.step
        self._nodes: dict[Expr, int] = {s: self._builder.argument(s.name) for s in args}
        self._scalars = set(scalars)

    def program(self, shared: Iterable[tuple[Symbol, Expr]], exprs: Iterable[Expr]) -> Program:
        for name, expr in shared:
            self._nodes[name] = self.node(expr)
            if expr.free_symbols <= self._scalars:
                self._scalars.add(name)
        return self._builder.program([self.node(expr) for expr in exprs])

    def node(self, expr: Expr) -> int:
        """Return the node of ``expr``."""
        if expr not in self._nodes:
            self._nodes[expr] = self._written(expr)
        return self._nodes[expr]

    def _written(self, expr: Expr) -> int:
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Number or expr.is_NumberSymbol:
            return self._builder.constant(float(expr))
        if isinstance(expr, (exp, log, Primitive)):
            (x,) = expr.args
            return self._step(expr.func.__name__, self.node(x))
        if expr.is_Pow:
            return self._power(expr.base, expr.exp)
        raise ValueError(
            f"every function needs a kernel: none for {expr.func.__name__}; declare it in "
            "theory/kernels/primitives.py and theory/kernels/stable.py"
        )

    def _sum(self, expr: Add) -> int:
        scalar = [term for term in expr.args if self._scalar(term)]
        terms = [term for term in expr.args if term not in scalar]
        if terms and scalar:
            # numbers come last, so that two sums can share what depends on the data
            data, rest = Add(*terms), Add(*scalar)
            if rest.could_extract_minus_sign():
                return self._step("subtract", self.node(data), self.node(-rest))
            if all(term.could_extract_minus_sign() for term in terms):
                return self._step("subtract", self.node(rest), self.node(-data))
            return self._step("add", self.node(data), self.node(rest))
        common, reduced = expr.primitive()
        if common.is_Integer and common != 1:
            return self._step("multiply", self.node(common), self.node(reduced))
        plus = [self.node(term) for term in expr.args if not term.could_extract_minus_sign()]
        minus = [self.node(-term) for term in expr.args if term.could_extract_minus_sign()]
        if not plus:
            return self._step("negative", self._chain("add", minus))
        return self._chain("subtract", [self._chain("add", plus), *minus])

    def _product(self, expr: Mul) -> int:
        scalar = [factor for factor in expr.args if self._scalar(factor)]
        factors = [factor for factor in expr.args if factor not in scalar]
        if factors == [] or scalar == []:
            return self._quotient(expr.args)
        if scalar == [-1]:
            return self._step("negative", self._quotient(factors))
        return self._quotient([Mul(*scalar), *factors])

    def _quotient(self, factors: Sequence[Expr]) -> int:
        above = [f for f in factors if not _inverse(f)]
        top = self._chain("multiply", [self.node(f) for f in above] or [self._builder.constant(1)])
        return self._chain("divide", [top, *(self.node(1 / f) for f in factors if _inverse(f))])

    def _power(self, base: Expr, exponent: Expr) -> int:
        if _inverse(base**exponent):
            return self._step("divide", self._builder.constant(1), self.node(base**-exponent))
        if exponent in {2, 3, 4}:
            return self._chain("multiply", [self.node(base)] * int(exponent))
        if exponent == Rational(1, 2):
            return self._step("sqrt", self.node(base))
        return self._step("power", self.node(base), self.node(exponent))

    def _chain(self, function: str, nodes: Sequence[int]) -> int:
        """Return the node of ``((n1 ∘ n2) ∘ n3) …``."""
        return reduce(lambda total, node: self._step(function, total, node), nodes)

    def _scalar(self, expr: Expr) -> bool:
        return bool(expr.free_symbols <= self._scalars)


def _inverse(factor: Expr) -> bool:
    return bool(factor.is_Pow and factor.exp.could_extract_minus_sign())
