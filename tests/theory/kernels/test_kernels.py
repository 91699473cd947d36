"""Kernels: their digits far into the tails, and that numpy, torch and every shape agree."""

import numpy as np
import pytest
import sympy
import torch

from disband.theory.kernels.lowering import compile_kernel
from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.objectives import DPO
from disband.theory.symbols import logp_w
from tests.exact import exactly
from tests.sampling import each, some
from tests.tails import allowed, check, close_pairs, expected, extremes, pairs, tensors

quantity = pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])
backends = pytest.mark.parametrize("backend", ["numpy", "torch"])


@each
@quantity
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what is beyond the doubles is said so
def test_kernels_keep_twelve_digits_in_the_tails(objective, what):
    data = [np.concatenate(both) for both in zip(pairs(90), extremes(), strict=True)]
    exact = expected(objective, what, data)
    for backend, given in (("numpy", data), ("torch", tensors(data))):
        for value, known in zip(objective.kernel(what, backend)(*given), exact, strict=True):
            check(value, known)


@some
@quantity
def test_kernels_keep_their_digits_with_other_hyperparameters(objective, what):
    hyper = {s.name: float(v) * 0.37 for s, v in objective.defaults.items()}
    data = pairs(30, seed=5)
    with np.errstate(all="ignore"):
        got = objective.kernel(what, **hyper)(*data)
    for value, exact in zip(got, expected(objective, what, data, hyper), strict=True):
        check(value, exact)


@some
@quantity
def test_nothing_overflows_while_log_ratios_stay_within_700(objective, what):
    # LSIF squares a ratio
    most = 700 if objective.name != "LSIF" else 350
    data = [column[2::3] for column in pairs(300, seed=6)]
    data[2:4] = [np.maximum(data[i + 2], data[i] - most) for i in (0, 1)]
    assert np.isfinite(objective.kernel(what)(*data)).all()


def test_the_check_refuses_a_formula_that_loses_its_digits():
    x = sympy.Symbol("x", real=True)
    naive, stable = 1 - PRIMITIVES[0](x), PRIMITIVES[0](-x)
    exact = exactly(stable, {x: 30.0})
    check(compile_kernel(stable, [x])(30.0), exact)
    with pytest.raises(AssertionError):
        check(compile_kernel(naive, [x])(30.0), exact)


@some
@backends
def test_incentives_are_d_w_and_d_l_in_one(objective, backend):
    data = close_pairs(200)
    given = data if backend == "numpy" else tensors(data)
    d_w, d_l = objective.kernel("incentives", backend)(*given)
    for d, what in ((d_w, "d_w"), (d_l, "d_l")):
        alone = objective.kernel(what, backend)(*given)
        np.testing.assert_allclose(np.asarray(d), np.asarray(alone), rtol=1e-13, atol=1e-300)


@backends
def test_one_incentive_can_be_changed_without_the_other(backend):
    given = close_pairs(5) if backend == "numpy" else tensors(close_pairs(5))
    d_w, d_l = DPO.kernel("incentives", backend)(*given)
    before = d_l.tolist()
    d_w *= 0
    assert d_l.tolist() == before


def test_a_result_that_is_an_argument_is_a_copy():
    kernel = compile_kernel(logp_w, [logp_w])
    data = np.array([-1.0, -2.0])
    kernel(data)[:] = 0
    assert data.tolist() == [-1, -2]


@some
def test_incentives_compute_what_they_share_once(objective):
    both = objective.compiled.program("incentives").steps
    alone = [objective.compiled.program(what).steps for what in ("d_w", "d_l")]
    assert len(both) == len(set(both))
    assert len(both) <= sum(map(len, alone))
    if objective.d_w == objective.d_l:
        assert len(both) == len(alone[0])


@pytest.mark.slow
@some
@quantity
def test_torch_agrees_with_numpy_in_both_precisions(objective, what):
    data = [column.astype(np.float32).astype(float) for column in close_pairs(100, seed=2)]
    mine = objective.kernel(what)(*data)
    exact = expected(objective, what, data)
    for kind, relative, half_ulp in (
        (torch.float64, 1e-12, 2.0**-53),
        (torch.float32, 1e-5, 2.0**-24),
    ):
        got = objective.kernel(what, "torch")(*tensors(data, kind))
        assert got.dtype == kind
        for value, other, known in zip(got, mine, exact, strict=True):
            check(value, known, relative, half_ulp, smallest=1e-37)
            if kind == torch.float64:
                assert abs(float(value) - other) <= 2 * allowed(known)


@pytest.mark.slow
@some
def test_autograd_of_the_loss_gives_the_incentives_in_the_tails(objective):
    data = pairs(60, seed=3)
    far = max(abs(data[i] - data[i + 2]).max() for i in (0, 1)) > 700
    if far:  # a rounded log-ratio of thousands has no digits left once it is exponentiated
        data[2], data[3] = (np.clip(data[i + 2], data[i] - 300, data[i] + 300) for i in (0, 1))
        data[2:4] = [np.minimum(column, -1e-6) for column in data[2:4]]
    given = tensors(data)
    for column in given[:2]:
        column.requires_grad_()
    loss = objective.kernel("loss", "torch")(*given).sum()
    slopes = torch.autograd.grad(loss, given[:2], materialize_grads=True)
    for slope, what, sign in zip(slopes, ("d_w", "d_l"), (-1, 1), strict=True):
        assert torch.isfinite(slope).all()
        for value, exact in zip(sign * slope, expected(objective, what, data), strict=True):
            # autograd adds up the terms of the derivative as they come
            check(value, exact, smallest=1e-290)


@some
@quantity
def test_torch_can_differentiate_every_kernel(objective, what):
    data = tensors(close_pairs(8, seed=4))
    for column in data[:4]:
        column.requires_grad_()
    kernel = objective.kernel(what, "torch")

    def of_logps(*logps):
        return kernel(*logps, *data[4:]) + 0 * sum(logps)

    assert torch.autograd.gradcheck(of_logps, data[:4], eps=1e-6, atol=1e-5, rtol=1e-4)


@some
@quantity
def test_gradients_in_the_tails_are_finite(objective, what):
    data = [np.concatenate(both) for both in zip(pairs(60), extremes(), strict=True)]
    data[2], data[3] = (np.clip(data[i + 2], data[i] - 150, data[i] + 150) for i in (0, 1))
    given = tensors(data)
    for column in given[:4]:
        column.requires_grad_()
    value = objective.kernel(what, "torch")(*given)
    assert torch.isfinite(value).all()
    if not value.requires_grad:
        return
    for slope in torch.autograd.grad(value.sum(), given[:4], materialize_grads=True):
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.__name__)
def test_no_branch_of_torch_spoils_the_gradient_of_another(primitive):
    x = sympy.Symbol("x", real=True)
    ends = [
        -1e4,
        -800.0,
        -1.0,
        -0.7,
        -1e-6,
        *([] if primitive.__name__ == "logodds" else [0.0, 1e-6, 800.0, 1e4]),
    ]
    at = torch.tensor(ends, dtype=torch.float64, requires_grad=True)
    value = compile_kernel(primitive(x), [x], "torch")(at)
    assert not value.isnan().any()
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value.sum(), at)
        with np.errstate(over="ignore"):
            expected_slope = compile_kernel(primitive(x).diff(x), [x])(ends)
        np.testing.assert_allclose(slope.numpy(), expected_slope, rtol=1e-12, atol=1e-305)
