"""Primitives: accurate far into the tails, and consistent with their printed meaning."""

import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from theory.kernels import compile_kernel
from theory.primitives import PRIMITIVES, logsigmoid, relu, sigmoid, step

x = sympy.Symbol("x", real=True)
EXACT = {
    sigmoid: lambda v: 1 / (1 + mpmath.exp(-v)),
    logsigmoid: lambda v: -mpmath.log(1 + mpmath.exp(-v)),
    relu: lambda v: max(mpmath.mpf(0), v),
    step: lambda v: mpmath.mpf(v > 0),
}
each = pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.__name__)
backends = pytest.mark.parametrize("backend", ["numpy", "torch"])


def evaluate(expr, values, backend):
    array = np.asarray(values, float)
    kernel = compile_kernel(expr, [x], backend)
    return np.asarray(kernel(array if backend == "numpy" else torch.tensor(array)))


@each
@backends
@given(value=st.floats(-700, 700, allow_nan=False, allow_subnormal=False))
def test_values_keep_twelve_digits(primitive, backend, value):
    got = float(evaluate(primitive(x), value, backend))
    with mpmath.workdps(400):
        exact = EXACT[primitive](mpmath.mpf(value))
        assert abs(got - exact) <= abs(exact) * mpmath.mpf("1e-12")


@each
@backends
@pytest.mark.parametrize("value", [-700.0, -36.8, -1e-300, 0.0, 1e-300, 36.8, 700.0])
def test_values_keep_twelve_digits_at_the_seams(primitive, backend, value):
    test_values_keep_twelve_digits.hypothesis.inner_test(primitive, backend, value)


@each
@backends
def test_infinities_have_limits_and_nothing_warns(primitive, backend):
    ends = evaluate(primitive(x), [-np.inf, -1e308, 1e308, np.inf], backend)
    limits = {
        sigmoid: [0, 0, 1, 1],
        logsigmoid: [-np.inf, -1e308, 0, 0],
        relu: [0, 0, 1e308, np.inf],
        step: [0, 0, 1, 1],
    }
    assert ends.tolist() == limits[primitive]


@each
@given(value=st.floats(-50, 50).filter(lambda v: abs(v) > 1e-3))
def test_derivatives_are_derivatives(primitive, value):
    got = float(evaluate(primitive(x).diff(x), value, "numpy"))
    with mpmath.workdps(60):
        assert got == pytest.approx(float(mpmath.diff(EXACT[primitive], value)), rel=1e-12)


@each
@pytest.mark.parametrize("value", [-2, 0, 3])
def test_rewriting_gives_elementary_functions(primitive, value):
    plain = primitive(x).rewrite(sympy.exp)
    assert not plain.has(*PRIMITIVES)
    with mpmath.workdps(30):
        assert float(plain.subs(x, value)) == pytest.approx(float(EXACT[primitive](value)))


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


@each
def test_primitives_print(primitive):
    assert str(primitive(x)) == f"{primitive.plain_name}(x)"
    assert sympy.latex(primitive(x)) == rf"{primitive.latex_name}\left(x\right)"


def test_a_symbol_without_value_is_refused():
    y = sympy.Symbol("y")
    with pytest.raises(ValueError, match="no value for y"):
        compile_kernel(x + y, [x])


@backends
def test_a_function_without_kernel_is_refused(backend):
    with pytest.raises(ValueError, match=f"needs a {backend} kernel: none for sin"):
        compile_kernel(sympy.sin(x), [x], backend)


@backends
def test_elementary_functions_compile(backend):
    expr = sympy.exp(x) + sympy.log(x) + sympy.sqrt(x)
    assert float(evaluate(expr, 4.0, backend)) == pytest.approx(np.exp(4) + np.log(4) + 2)
