"""Signs as solved conditions, against the expression itself."""

from itertools import product

import numpy as np
import pytest
import sympy
import z3
from sympy import Eq, Piecewise, Rational, exp, log, true

from disband.theory.facts import facts
from disband.theory.facts.crossings import crossings
from disband.theory.facts.outcomes import SIGNS, change_signs
from disband.theory.facts.satisfiable import possible
from disband.theory.kernels.primitives import expm1, logodds, logsigmoid, relu, sigmoid, step
from disband.theory.objectives import find
from disband.theory.signs import known, signs, undefined
from disband.theory.symbols import (
    DATA,
    alpha_f,
    beta,
    clip,
    epsilon,
    lam,
    len_w,
    logp_l,
    logp_w,
    ref_w,
)
from tests.theory.conditions import holds, number

m, h = logp_w - logp_l, logp_w - ref_w
EXPRESSIONS = [
    1 - 2 * sigmoid(beta * m),
    (1 - epsilon) * sigmoid(-beta * m) - epsilon * sigmoid(beta * m),
    2 - exp(h),
    exp(h) - 3 * exp(-h),
    -expm1(logp_w / len_w),
    expm1(h) + Rational(1, 2),
    logodds(logp_w) - 1,
    logsigmoid(h) + 1,
    log(3 * exp(m)) - 2,
    lam + step(m),
    step(2 - m) - Rational(1, 2),
    (h - 1) ** 3 * (2 - m),
    (h - 1) ** 2,
    1 / (1 + exp(m)) - Rational(1, 3),
    sigmoid(m) - sigmoid(h),
    sigmoid(m) + sigmoid(h) - 1,
    sigmoid(m) * sigmoid(-m) - sigmoid(h) * sigmoid(-h),
    sigmoid(m) * (1 + lam * sigmoid(h)) - sigmoid(m) * lam * sigmoid(h),
    sigmoid(m) * (1 - lam * exp(h)) - 1,
    3 - m - lam * relu(-h),
    Piecewise((m - 1, h > 0), (-2 * exp(m), True)),
    step(1 - clip - exp(h)),
    -2 * m,
]


def sample(n=4000):
    rng = np.random.default_rng(0)
    logs = -np.round(rng.uniform(0.1, 6, (4, n)), 2)
    values = dict(zip(DATA, [*logs, *rng.integers(1, 9, (2, n)).astype(float)], strict=True))
    hyper = {beta: 0.7, epsilon: 0.2, lam: 1.3, clip: 0.25}
    return values | {symbol: np.full(n, v) for symbol, v in hyper.items()}


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_signs_are_those_of_the_expression(expr):
    values, found = sample(), signs(expr)
    if isinstance(expr, Piecewise):
        pieces = (number(piece, values) for piece, _ in expr.args)
        value = np.where(values[logp_w] > values[ref_w], *pieces)
    else:
        value = number(expr, values)
    sure = np.abs(value) > 1e-9
    for sign in (1, -1):
        assert (holds(found.of(sign), values) == (np.sign(value) == sign))[sure].all()


SOLVED = [
    (1 - 2 * sigmoid(beta * m), logp_w - logp_l < 0),
    (2 - exp(h), logp_w - ref_w < log(2)),
    (-expm1(logp_w / len_w), true),
    (sigmoid(m) - sigmoid(h), ref_w - logp_l > 0),
    (sigmoid(m) * (1 - lam * exp(h)) - 1, sympy.false),
]


@pytest.mark.parametrize(("expr", "positive"), SOLVED, ids=str)
def test_what_can_be_solved_is_solved(expr, positive):
    found = signs(expr).positive
    assert found == positive or sympy.simplify(sympy.Equivalent(found, positive)) == true


def test_bounds_of_hyperparameters_are_used():
    assert known(1 - 2 * epsilon) == 1
    assert known(clip - 1) == -1
    assert known(log(1 - clip)) == -1 or signs(log(1 - clip)).negative == true
    assert known((alpha_f - 1) * exp(h)) == -1
    assert known(beta - 1) is None


def test_undefined_is_where_there_is_no_value():
    assert undefined(log(2 - exp(h))) == (logp_w - ref_w >= log(2))
    assert undefined(1 / (m - 1)) == Eq(logp_w - logp_l, 1)
    assert undefined(sympy.sqrt(m)) == (logp_w - logp_l < 0)
    assert undefined(log(1 + exp(m)) / (1 + exp(h))) == sympy.false
    assert undefined(m ** Rational(-1, 2)) == (logp_w - logp_l <= 0)


@pytest.mark.parametrize(
    "power", [-2, -1, 1, 2, *(Rational(k, 2) for k in (-3, -1, 1, 3))], ids=str
)
@pytest.mark.parametrize("base", [-1, 0, 1])
def test_a_power_is_undefined_exactly_where_it_has_no_real_value(power, base):
    at = {logp_w: -3, logp_l: -3 - base}
    has_value = bool(sympy.Pow(base, power).is_real)
    assert bool(undefined(m**power).subs(at)) is not has_value


def test_the_comparisons_alone_refute_what_contradicts_itself():
    assert not possible(sympy.And(m < beta, m > beta))
    assert not possible(sympy.And(m < beta, Eq(2 * m, 2 * beta)))
    for one, other in ((beta - m > 0, m - beta > 0), (m < beta, -m < -beta), (m > 0, -2 * m > 0)):
        assert possible(one)
        assert possible(other)
        assert not possible(sympy.And(one, other, evaluate=False))
    assert possible(sympy.And(m < beta, h > beta))
    assert possible(true)
    assert not possible(sympy.false)


@pytest.mark.parametrize("signs_of", [*product(SIGNS, repeat=3)], ids=str)
def test_outcomes_are_those_that_numbers_can_have(signs_of):
    a, b, x, p, q = z3.Reals("a b x p q")

    def has(term, sign):
        return {1: term > 0, 0: term == 0, -1: term < 0}[sign]

    found = set()
    for pair in product(SIGNS, repeat=2):
        solver = z3.SolverFor("QF_NRA")
        solver.add(a > 0, b > 0, x * x < a * b)
        solver.add(*(has(t, s) for t, s in zip((p, q, x), signs_of, strict=True)))
        solver.add(has(p * a - q * x, pair[0]), has(p * x - q * b, pair[1]))
        if solver.check() == z3.sat:
            found.add(pair)
    assert change_signs(*signs_of) == found


def test_zeros_without_closed_form_lie_between_certified_bounds():
    own = find("discopop")
    chart = facts(own).chart
    (name,) = chart.meanings
    found = crossings(chart.short(own.d_w), name, own.defaults)
    assert [one.before for one in found] == [1, -1]
    for one in found:
        low, high = float(one.low), float(one.high)
        assert 0 < high - low < 1e-5
        ends = [own.kernel("d_w")(-500.0 + m, -500.0, -500.0, -500.0, 1, 1) for m in (low, high)]
        assert [np.sign(v) for v in ends] == [one.before, -one.before]


def test_a_function_without_an_interval_form_is_refused():
    x = sympy.Symbol("x", real=True)
    with pytest.raises(ValueError, match="interval form"):
        crossings(relu(x) - 1, x, {})
