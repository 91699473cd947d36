"""What the names in a loss stand for: the pair's six numbers, and hyperparameters."""

import math
import re
from collections.abc import Mapping

import numpy as np
from sympy import Symbol

from .. import symbols
from ..symbols import DATA, A, B, X, d_l, d_w, eta, logp_l, logp_w

# The pair, with short names for what a loss is mostly written in.
PAIR: Mapping[str, Symbol] = {"w": logp_w, "l": logp_l} | {s.name: s for s in DATA}
# These follow from a loss, or come after it.
FOLLOWING = frozenset(s.name for s in (A, B, X, d_w, d_l, eta))
RULE = (
    f"a name is one of {', '.join(PAIR)}, or a hyperparameter of at most 20 small letters, "
    "digits and _"
)
KNOWN = {s.name: s for s in vars(symbols).values() if isinstance(s, Symbol)}
SHAPE = re.compile(r"[a-z][a-z0-9_]{0,19}")


def may_be_hyperparameter(name: str) -> bool:
    """Tell whether ``name`` can stand for a hyperparameter."""
    return name not in PAIR and name not in FOLLOWING and bool(SHAPE.fullmatch(name))


def hyperparameter(name: str) -> Symbol:
    """Return a hyperparameter's symbol: that of ``theory.symbols``, or a new real one."""
    return KNOWN.get(name, Symbol(name, real=True))


def is_number(value: object) -> bool:
    """Tell whether ``value`` is a finite real number; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return math.isfinite(value)


def require_numbers(values: Mapping[str, object]) -> None:
    """Refuse hyperparameters that are no finite real numbers.

    Raises:
        ValueError: One is not.
    """
    for name, value in values.items():
        if not is_number(value):
            raise ValueError(
                f"a hyperparameter is a finite number: got {name} = {value!r}; set {name}=0.1, say"
            )
