"""An objective of one's own, from a loss that is typed, declared with sympy or coded with torch.

A typed loss is read by :mod:`disband.theory.own_loss.formula`. Its names are ``w`` and ``l`` (or
``logp_w`` and ``logp_l``), ``ref_w``, ``ref_l``, ``len_w``, ``len_l``; every other name stands for
a hyperparameter and needs a value. Names of
``theory.symbols`` keep the sign they have there.
"""

import ast
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import reduce
from typing import TYPE_CHECKING, Any

from sympy import (
    Abs,
    Add,
    Expr,
    Function,
    Integer,
    Max,
    Min,
    Mul,
    Number,
    NumberSymbol,
    Pow,
    Symbol,
    exp,
    log,
    nan,
    oo,
    preorder_traversal,
    zoo,
)

from ..kernels.primitives import Primitive, relu, step, stop
from ..objective import Objective
from ..symbols import DATA
from ..symbols import gap as score_gap
from .complexity import too_large
from .constants import LARGE, constant
from .expression import BEYOND_ALGEBRA, BEYOND_RULE, EXTREMES, FUNCTIONS, Reader
from .names import (
    FOLLOWING,
    PAIR,
    RULE,
    hyperparameter,
    may_be_hyperparameter,
    require_numbers,
)
from .source_text import FormulaError, SourceText, reading

if TYPE_CHECKING:
    from .autograd import TorchObjective

OF_LOSSES = {**FUNCTIONS, stop.__name__: stop}
_GAP = "gap is the score gap of each pair, chosen less rejected"
STEP_RULE = "an indicator step(...) is a factor of a term, in no function, power or denominator"
STEP_REMEDY = "write the cases with relu"
MOVES_RULE = "a loss changes with w or l"
_FORMS = (Symbol, Number, NumberSymbol, Add, Mul, Pow, exp, log, Primitive)


def _positive_part(x: Expr) -> Expr:
    """Return the hinge of ``x``, without a kink where its sign is known."""
    return x if x.is_nonnegative else Integer(0) if x.is_nonpositive else relu(x)


def _indicator(x: Expr) -> Expr:
    """Return the indicator of positive ``x``, a number where the sign is known."""
    return Integer(1) if x.is_positive else Integer(0) if x.is_nonpositive else step(x)


def _larger(*values: Expr) -> Expr:
    return reduce(lambda largest, other: other + _positive_part(largest - other), values)


# Sums of hinges, which have a derivative: at its kink 0, as in torch.
_HINGES: Mapping[Any, Callable[..., Expr]] = {
    Abs: lambda x: _positive_part(x) + _positive_part(-x),
    Max: _larger,
    Min: lambda *values: -_larger(*(-value for value in values)),
    relu: _positive_part,
    step: _indicator,
}


def objective_of(
    loss: str | Expr | Callable[..., Any], /, name: str = "own", **hyper: float
) -> "Objective | TorchObjective":
    r"""Return the objective whose loss of one pair, in nats, is ``loss``.

    >>> objective_of("-logsigmoid(beta*(w - l)) - lam*w/len_w", beta=2.0, lam=0.1).d_l

    Args:
        loss: A text in the grammar of :mod:`disband.theory.own_loss.formula`; or an expression in
            :mod:`disband.theory.symbols`; or a function of ``logp_w, logp_l, ref_w, ref_l, len_w,
            len_l``, tensors ``(batch,)``, and of ``hyper`` by name, which returns the losses of
            the pairs, ``(batch,)``, and lets torch differentiate it.
        name: The name in tables and figures.
        hyper: The value of each hyperparameter; a function's own defaults need not be repeated.

    Raises:
        ValueError: The loss cannot be read, does not depend on the policy, or ``hyper`` is not
            its hyperparameters with values that they can have.
        TypeError: ``loss`` is none of the three.
    """
    if isinstance(loss, str):
        return typed_objective(loss, hyper, name, gaps=True)
    if isinstance(loss, Expr):
        return declared_objective(loss, hyper, name)
    if callable(loss):
        from .autograd import torch_objective

        return torch_objective(loss, hyper, name)
    raise TypeError(
        f"a loss is a text, a sympy expression or a function of tensors: got {type(loss).__name__}"
    )


def typed_objective(
    text: str, values: Mapping[str, float], name: str = "own", *, gaps: bool = False
) -> Objective:
    """Return the objective whose loss of one pair is ``text``, with these hyperparameters.

    Args:
        text: In the grammar of :mod:`disband.theory.own_loss.formula`.
        values: Of the hyperparameters.
        name: The name in tables and figures.
        gaps: Whether pairs have a score gap each, which ``gap`` then is if it has no value.

    Raises:
        FormulaError: The text is no loss, or a hyperparameter has no value; the message names
            the column.
        ValueError: ``values`` has other names, or a value that the loss cannot have.
    """
    with reading():
        source = SourceText(text)
        used = _hyperparameters(source)
        names = {n: hyperparameter(n) for n in used}
        reader = Reader(source, {**PAIR, **names}, RULE, OF_LOSSES)
        try:
            loss = _with_hinges(reader.expression(source.tree))
        except FormulaError:
            raise
        except BEYOND_ALGEBRA:
            raise source.refuse(source.tree, BEYOND_RULE, "simplify it") from None
        if rule := _strange(loss):
            raise source.refuse(source.tree, rule, STEP_REMEDY)
        note = ""
        if gaps and score_gap.name in names and score_gap.name not in values:
            note = _GAP
            del names[score_gap.name]
        if missing := [n for n in names if n not in values]:
            near = get_close_matches(missing[0], PAIR, n=1, cutoff=0.7)
            hint = f"; or did you mean {near[0]}?" if near else ""
            raise source.refuse(
                used[missing[0]],
                f"every hyperparameter has a value, and {', '.join(missing)} has none",
                f"set {', '.join(f'{n}=NUMBER' for n in missing)}{hint}",
            )
        if rule := too_large(loss):
            raise source.refuse(source.tree, rule, "write a simpler loss")
        made = _objective(name, loss, "typed", names, values, note)
        _ = made.ratio, made.conditions  # kept, for algebra later has no limit of its own
        return made


def hyperparameters_of(text: str) -> list[str]:
    """Return the names of the hyperparameters in a typed loss, in the order of the text.

    Raises:
        FormulaError: The text is no expression.
    """
    return list(_hyperparameters(SourceText(text)))


def declared_objective(loss: Expr, values: Mapping[str, float], name: str = "own") -> Objective:
    """Return the objective whose loss of one pair is the sympy expression ``loss``.

    Raises:
        ValueError: A symbol is not one of :mod:`disband.theory.symbols` nor has a value, or a part
            of the expression has no derivative or kernel here, or ``values`` do not fit.
    """
    loss = _with_hinges(loss)
    own = sorted(loss.free_symbols - set(DATA), key=str)
    names = {symbol.name: symbol for symbol in own}
    for symbol in own:
        if symbol.name in {s.name for s in DATA} | FOLLOWING:
            raise ValueError(
                f"a loss is made of the pair's symbols in theory.symbols and of hyperparameters: "
                f"got another symbol {symbol}; import logp_w and its like from "
                "disband.theory.symbols"
            )
        if names[symbol.name] is not symbol:
            raise ValueError(
                f"a hyperparameter is one symbol: got two called {symbol}; make it once"
            )
    for part in preorder_traversal(loss):
        if not isinstance(part, _FORMS) or part.is_finite is False:
            raise ValueError(
                f"a loss is made of numbers, symbols, + * ** and {', '.join(OF_LOSSES)}: "
                f"got {part}; write it with these"
            )
    if rule := _strange(loss):
        raise ValueError(f"{rule}: got {loss}; {STEP_REMEDY}")
    if missing := sorted(set(names) - set(values)):
        raise ValueError(
            f"every hyperparameter has a value: got none for {', '.join(missing)}; "
            f"set {', '.join(f'{n}=NUMBER' for n in missing)}"
        )
    return _objective(name, loss, "declared with sympy", names, values)


def _objective(
    name: str,
    loss: Expr,
    source: str,
    names: Mapping[str, Symbol],
    values: Mapping[str, float],
    note: str = "",
) -> Objective:
    require_numbers(values)
    if unused := sorted(set(values) - set(names)):
        raise ValueError(
            f"the loss has the hyperparameters {', '.join(names) or '(none)'}: got "
            f"{', '.join(unused)}; set only these"
        )
    defaults = {symbol: values[n] for n, symbol in names.items()}
    made = Objective(name, loss, source, defaults, note)
    made.values(values)
    if made.d_w == 0 == made.d_l:
        raise ValueError(
            f"{MOVES_RULE}: got one that does not, or only in jumps or within stop; bring them in"
        )
    _require_constants(made)
    return made


def _require_constants(made: Objective) -> None:
    """Refuse values with which a part of a formula, such as log(beta - 1), is no moderate number.

    Such a part would otherwise be worked out exactly, which may take any time.
    """
    hyper = set(made.defaults)
    parts = {p for f in (made.loss, made.d_w, made.d_l) for p in preorder_traversal(f)}
    values = {p: constant(p, made.defaults) for p in parts if p.free_symbols <= hyper}
    if wild := [part for part, value in values.items() if not abs(value) <= LARGE]:
        part = min(wild, key=lambda p: (len(str(p)), str(p)))
        settings = ", ".join(f"{s} = {v:g}" for s, v in made.defaults.items())
        raise ValueError(
            f"every part of a loss has a value up to 1e100: got {part} = {values[part]:g} with "
            f"{settings or 'these numbers'}; choose other values"
        )


def _strange(loss: Expr) -> str | None:
    """Return the rule that ``loss`` breaks: it has a value, and indicators are plain factors."""
    if loss.has(nan, zoo, oo):
        return "a loss has a real value"
    parts = (part for part in loss.atoms(Function, Pow) if not isinstance(part, stop))
    if any(arg.has(step) for part in parts for arg in part.args):
        return STEP_RULE
    return None


def _with_hinges(loss: Expr) -> Expr:
    """Write absolute values and extremes with hinges, whose derivatives are indicators."""
    return loss.replace(lambda e: e.func in _HINGES, lambda e: _HINGES[e.func](*e.args))


def _hyperparameters(source: SourceText) -> dict[str, ast.Name]:
    """Return where each name that must be a hyperparameter stands first."""
    parts = list(ast.walk(source.tree))
    called = {id(part.func) for part in parts if isinstance(part, ast.Call)}
    names = [part for part in parts if isinstance(part, ast.Name) and id(part) not in called]
    first: dict[str, ast.Name] = {}
    for part in sorted(names, key=source.column):
        if may_be_hyperparameter(part.id) and part.id not in {*OF_LOSSES, *EXTREMES}:
            first.setdefault(part.id, part)
    return first
