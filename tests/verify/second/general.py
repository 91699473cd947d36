"""The general loss (6) of scalar functions m, h_w, h_l and Λ.

Derivatives at a point depend on the functions through their value and slope there alone, so
parabolas with free coefficients stand for all functions.
"""

from sympy import Expr, Symbol

from disband.theory.symbols import logp_l, logp_w
from tests.verify.second.statement import named

JETS = [
    named(f"{function}{power}", f"coefficient of a^{power} in {function}(a)")
    for function in ("m", "hw", "hl", "Lambda")
    for power in (1, 2)
]
_arg = Symbol("a")


def _parabola(first: Symbol, second: Symbol) -> Expr:
    return first * _arg + second * _arg**2


m, h_w, h_l, Lambda = (_parabola(*JETS[i : i + 2]) for i in (0, 2, 4, 6))


def at(function: Expr, argument: Expr) -> Expr:
    return function.subs(_arg, argument)


def slope(function: Expr, argument: Expr) -> Expr:
    return function.diff(_arg).subs(_arg, argument)


margin = at(h_w, logp_w) - at(h_l, logp_l)
regularizer = at(Lambda, logp_w)
loss_1 = at(m, margin)
loss_6 = -(at(m, margin) + regularizer)
d_w_7 = slope(m, margin) * slope(h_w, logp_w) + slope(Lambda, logp_w)
d_l_8 = slope(m, margin) * slope(h_l, logp_l)
