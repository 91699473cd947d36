"""A claim's declaration as text, the same on every run: what its verdict depends on."""

from dataclasses import fields, is_dataclass
from typing import Any

from sympy import Basic, Dummy, srepr
from sympy.core.operations import AssocOp, LatticeOp


def declaration(value: Any) -> str:
    """Return a claim, or a part of one, as text that tells it from every other.

    Of what is associative the parts are sorted, and bound variables have their names alone: the
    order of the former and the numbers of the latter change from run to run.
    """
    if isinstance(value, Basic):
        if not value.args:
            return f"Dummy({value.name!r})" if isinstance(value, Dummy) else str(srepr(value))
        parts = [declaration(part) for part in value.args]
        free = isinstance(value, AssocOp | LatticeOp)
        return f"{type(value).__name__}({', '.join(sorted(parts) if free else parts)})"
    if is_dataclass(value) and not isinstance(value, type):
        entries = [(field.name, getattr(value, field.name)) for field in fields(value)]
        return f"{type(value).__name__}({', '.join(f'{n}={declaration(v)}' for n, v in entries)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{n!r}: {declaration(v)}' for n, v in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(declaration, value))})"
    return repr(value)
