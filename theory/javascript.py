"""Turn symbolic expressions into JavaScript, for pages that compute where they are read."""
# ruff: noqa: N802 (sympy finds a printer's methods by the names of its classes)

from collections.abc import Sequence
from typing import NoReturn

from sympy import Basic, Expr, Function, Symbol, numbered_symbols
from sympy.printing.codeprinter import PrintMethodNotImplementedError
from sympy.printing.jscode import JavascriptCodePrinter

from .kernels import stable
from .kernels.lowering import shared_parts
from .kernels.primitives import PRIMITIVES

PRELUDE = f"""\
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const logsigmoid = (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
const relu = (x) => Math.max(x, 0);
const step = (x) => (x > 0 ? 1 : 0);
const expm1 = Math.expm1;
const logodds = (x) => {{
  const rest = -Math.expm1(x);
  if (Math.abs(x + {stable.LOG_2!r}) >= {stable.EVEN!r}) return x - Math.log(rest);
  return Math.log1p(Math.expm1(x + {stable.LOG_2!r} + {stable.LOG_2_REST!r}) / rest);
}};
const linlog = (x) => {{
  const low = {stable.TANGENT!r};
  return Math.log(Math.max(x, low)) + Math.min(x - low, 0) / low;
}};
"""
"""What the functions below call, once on a page and before them.

It says in JavaScript what :mod:`disband.theory.kernels.stable` says.
"""

_PRIMITIVES = {primitive.__name__ for primitive in PRIMITIVES}
_FUNCTIONS = {"exp": "Math.exp", "log": "Math.log"} | {name: name for name in _PRIMITIVES}


def javascript(exprs: Expr | Sequence[Expr], args: Sequence[Symbol], name: str) -> str:
    """Return the source of a JavaScript function ``name`` of ``args``, all of them numbers.

    It returns the value of an expression, or an array of the values of several; what they share
    is computed once. A page needs :data:`PRELUDE` before it.

    Raises:
        ValueError: ``name`` or the name of an argument is none that JavaScript takes, or an
            expression has a free symbol outside ``args`` or a function without JavaScript.
    """
    several = [exprs] if isinstance(exprs, Expr) else list(exprs)
    for word in (name, *(symbol.name for symbol in args)):
        if not (word.isascii() and word.isidentifier()) or word in _TAKEN:
            raise ValueError(
                f"a name in JavaScript is of letters, digits and _, and no reserved word: got "
                f"{word!r}; take another"
            )
    if free := set[Symbol]().union(*(expr.free_symbols for expr in several)) - set(args):
        names = ", ".join(sorted(map(str, free)))
        raise ValueError(f"every symbol is an argument: got {names} beside them; add it")
    own = {symbol.name for symbol in args}
    fresh = (symbol for symbol in numbered_symbols("t") if symbol.name not in own)
    shared, reduced = shared_parts(several, fresh)
    values = [_printed(expr) for expr in reduced]
    result = values[0] if isinstance(exprs, Expr) else f"[{', '.join(values)}]"
    return "\n".join(
        [
            f"function {name}({', '.join(symbol.name for symbol in args)}) {{",
            *(f"  const {symbol} = {_printed(expr)};" for symbol, expr in shared),
            f"  return {result};",
            "}\n",
        ]
    )


def _printed(expr: Expr) -> str:
    try:
        return str(_Printer().doprint(expr))
    except PrintMethodNotImplementedError:
        raise _without_javascript(expr) from None


def _without_javascript(expr: Basic) -> ValueError:
    return ValueError(
        f"every function needs JavaScript: none for {type(expr).__name__}; declare it in "
        "theory/javascript.py"
    )


class _Printer(JavascriptCodePrinter):  # type: ignore[misc]
    """Prints what formulas are made of, and refuses everything else."""

    def _print_Function(self, expr: Function) -> str:
        name = expr.func.__name__
        if name not in _FUNCTIONS:
            raise _without_javascript(expr)
        return f"{_FUNCTIONS[name]}({self._print(expr.args[0])})"

    def _print_other(self, expr: Basic) -> NoReturn:
        raise _without_javascript(expr)

    def _print_stop(self, expr: Basic) -> str:
        return str(self._print(expr.args[0]))

    _print_exp = _print_log = _print_Function
    _print_Piecewise = _print_Relational = _print_Indexed = _print_other  # noqa: N815
    _print_ImaginaryUnit = _print_other  # noqa: N815


# JavaScript's own words in this place, and those of the prelude.
_TAKEN = frozenset(
    """arguments await break case catch class const continue debugger default delete do else enum
    eval export extends false finally for function if implements import in instanceof interface
    let new null package private protected public return static super switch this throw true try
    typeof var void while with yield Math Number Infinity NaN undefined""".split()  # noqa: SIM905
) | frozenset(_PRIMITIVES)
