"""Primitives: accurate far into the tails, and consistent with their printed meaning."""

import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.theory.kernels.lowering import compile_kernel
from disband.theory.kernels.primitives import (
    PRIMITIVES,
    TANGENT,
    expm1,
    linlog,
    logodds,
    logsigmoid,
    relu,
    sigmoid,
    step,
)

x = sympy.Symbol("x", real=True)
below = sympy.Symbol("x", negative=True)


def exact_linlog(v):
    end = mpmath.mpf(TANGENT.p) / TANGENT.q
    return mpmath.log(v) if v > end else mpmath.log(end) + (v - end) / end


EXACT = {
    sigmoid: lambda v: 1 / (1 + mpmath.exp(-v)),
    logsigmoid: lambda v: -mpmath.log(1 + mpmath.exp(-v)),
    relu: lambda v: max(mpmath.mpf(0), v),
    step: lambda v: mpmath.mpf(v > 0),
    expm1: mpmath.expm1,
    logodds: lambda v: mpmath.log(mpmath.exp(v) / -mpmath.expm1(v)),
    linlog: exact_linlog,
}
each = pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.__name__)
backends = pytest.mark.parametrize("backend", ["numpy", "torch"])


def evaluate(expr, values, backend):
    array = np.asarray(values, float)
    kernel = compile_kernel(expr, [x], backend)
    return np.asarray(kernel(array if backend == "numpy" else torch.tensor(array)))


def defined(primitive, value):
    return primitive is not logodds or value < 0


def close(primitive, value, backend):
    got = float(evaluate(primitive(x), value, backend))
    with mpmath.workdps(400):
        exact = EXACT[primitive](mpmath.mpf(value))
        return abs(got - exact) <= abs(exact) * mpmath.mpf("1e-12")


@each
@backends
@given(value=st.floats(-700, 700, allow_nan=False, allow_subnormal=False))
def test_values_keep_twelve_digits(primitive, backend, value):
    assume(defined(primitive, value))
    assert close(primitive, value, backend)


@each
@backends
@pytest.mark.parametrize("value", [-700.0, -36.8, -1e-300, 0.0, 1e-300, 36.8, 700.0])
def test_values_keep_twelve_digits_at_the_seams(primitive, backend, value):
    if defined(primitive, value):
        assert close(primitive, value, backend)


@backends
@pytest.mark.parametrize("off", [0.31, 0.29, 1e-3, 1e-9, 3e-15, 0.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_log_odds_keep_twelve_digits_near_even_odds(backend, sign, off):
    assert close(logodds, -np.log(2) + sign * off, backend)


@backends
@pytest.mark.parametrize("value", [-1e4, -1e4 + 0.5, -1e-12])
def test_log_odds_keep_twelve_digits_for_whole_responses(backend, value):
    assert close(logodds, value, backend)


@backends
@pytest.mark.parametrize("value", [float(TANGENT), 1.01e-6, 0.99e-6, -3e-6, 1e300])
def test_the_linear_logarithm_keeps_twelve_digits_at_its_seam(backend, value):
    assert close(linlog, value, backend)


@pytest.mark.parametrize("primitive", [logodds, linlog])
@pytest.mark.parametrize("value", [-1e4, -2.0, -np.log(2), -1e-9, 1e-7, 1e-6, 1e-5, 3.0])
def test_torch_differentiates_every_branch(primitive, value):
    if not defined(primitive, value):
        return
    at = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    compile_kernel(primitive(x), [x], "torch")(at).backward()
    expected = float(evaluate(primitive(x).diff(x), value, "numpy"))
    assert float(at.grad) == pytest.approx(expected, rel=1e-12)


@each
@backends
def test_infinities_have_limits_and_nothing_warns(primitive, backend):
    inf = np.inf
    limits = {
        sigmoid: {-inf: 0, -1e308: 0, 1e308: 1, inf: 1},
        logsigmoid: {-inf: -inf, -1e308: -1e308, 1e308: 0, inf: 0},
        relu: {-inf: 0, -1e308: 0, 1e308: 1e308, inf: inf},
        step: {-inf: 0, -1e308: 0, 1e308: 1, inf: 1},
        expm1: {-inf: -1, -1e308: -1, inf: inf},
        logodds: {-inf: -inf, -1e308: -1e308},
        linlog: {-inf: -inf, inf: inf},
    }[primitive]
    assert evaluate(primitive(x), list(limits), backend).tolist() == list(limits.values())


@each
@given(value=st.floats(-50, 50).filter(lambda v: abs(v) > 1e-3))
def test_derivatives_are_derivatives(primitive, value):
    assume(defined(primitive, value))
    got = float(evaluate(primitive(x).diff(x), value, "numpy"))
    with mpmath.workdps(60):
        assert got == pytest.approx(float(mpmath.diff(EXACT[primitive], value)), rel=1e-12)


@each
@pytest.mark.parametrize("value", [-2, 0, 3])
def test_rewriting_gives_elementary_functions(primitive, value):
    value = value if defined(primitive, value) else -value - 1
    plain = primitive(x).rewrite(sympy.exp)
    assert not plain.has(*PRIMITIVES)
    with mpmath.workdps(30):
        assert float(plain.subs(x, value)) == pytest.approx(float(EXACT[primitive](value)))


@each
@pytest.mark.parametrize("value", [-5000, -40, -1, sympy.Rational(1, 3), 40, 5000])
def test_numbers_are_evaluated_with_all_their_digits(primitive, value):
    value = value if defined(primitive, value) else -value
    with mpmath.workdps(3000):
        exact = EXACT[primitive](mpmath.mpf(value.p) / value.q if hasattr(value, "p") else value)
        got = primitive(sympy.sympify(value)).evalf(30)
        assert got == 0 if exact == 0 else abs(mpmath.mpf(str(got)) / exact - 1) < 1e-28
    assert primitive(x).evalf().free_symbols == {x}


def test_the_step_is_zero_at_the_kink_in_both_backends():
    for backend in ("numpy", "torch"):
        assert float(evaluate(step(x), 0.0, backend)) == 0.0
    kinked = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    compile_kernel(relu(x), [x], "torch")(kinked).sum().backward()
    assert float(kinked.grad) == 0.0


def test_assumed_signs_are_right():
    assert sigmoid(x).is_positive
    assert logsigmoid(x).is_negative
    assert relu(x).is_nonnegative
    assert step(x).is_nonnegative
    assert relu(x).is_positive is None
    assert expm1(below).is_negative
    assert expm1(x).is_extended_real
    assert expm1(x).is_negative is None
    assert logodds(below).is_extended_real
    assert logodds(x).is_extended_real is None
    assert linlog(x).is_extended_real
    assert linlog(x).diff(x).is_positive


@each
def test_primitives_print(primitive):
    assert str(primitive(x)) == f"{primitive.plain_name}(x)"
    assert sympy.latex(primitive(x)) == rf"{primitive.latex_name}\left(x\right)"
    assert sympy.latex(primitive(x) ** 2) == rf"{primitive.latex_name}^{{2}}\left(x\right)"


def test_a_symbol_without_value_is_refused():
    y = sympy.Symbol("y")
    with pytest.raises(ValueError, match="no value for y"):
        compile_kernel(x + y, [x])


@backends
def test_a_function_without_kernel_is_refused(backend):
    with pytest.raises(ValueError, match="needs a kernel: none for sin"):
        compile_kernel(sympy.sin(x), [x], backend)


@backends
def test_elementary_functions_compile(backend):
    expr = sympy.exp(x) + sympy.log(x) + sympy.sqrt(x)
    assert float(evaluate(expr, 4.0, backend)) == pytest.approx(np.exp(4) + np.log(4) + 2)
