"""A loss coded with torch has the incentives that autograd finds, and nothing else is accepted."""

# ruff: noqa: ARG001, ARG005, E741 (a loss is handed what any of them needs)

import math

import numpy as np
import pytest
import torch

from disband.theory.objectives import DPO
from disband.theory.own_loss.autograd import TorchObjective
from disband.theory.own_loss.declare import objective_of

logsig = torch.nn.functional.logsigmoid
TYPED = "-logsigmoid(beta*(w-ref_w-l+ref_l)) - lam*w/len_w"


def coded(w, l, ref_w, ref_l, len_w, len_l, *, beta, lam=1.0):
    return -logsig(beta * (w - ref_w - l + ref_l)) - lam * w / len_w


def random_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return (*(-30 * rng.random((4, n))), *rng.integers(1, 20, (2, n)).astype(float))


def test_a_torch_function_has_the_incentives_of_the_same_formula():
    own, same = objective_of(coded, beta=0.3), objective_of(TYPED, beta=0.3, lam=1)
    assert isinstance(own, TorchObjective)
    assert own.settings({}) == {"β": 0.3, "λ": 1.0}
    data = random_data()
    for what in ("loss", "d_w", "d_l"):
        got, expected = own.kernel(what, lam=0.5)(*data), same.kernel(what, lam=0.5)(*data)
        np.testing.assert_allclose(got, expected, rtol=1e-12)
        assert got.dtype == np.float64
    for got, what in zip(own.kernel("incentives")(*data), ("d_w", "d_l"), strict=True):
        np.testing.assert_array_equal(got, own.kernel(what)(*data))


def test_kernels_broadcast_and_leave_their_inputs_alone():
    own, data = objective_of(coded, beta=0.3), random_data(6)
    column = [v[:3, None] for v in data[:2]] + [v[None, 2:4] for v in data[2:]]
    got = own.kernel("d_w")(*column)
    assert got.shape == (3, 2)
    assert got[1, 0] == own.kernel("d_w")(
        *(v[1, 0] for v in column[:2]), *(v[0, 0] for v in column[2:])
    )
    tensors = [torch.tensor(v, dtype=torch.float32) for v in data]
    result = own.kernel("d_l", "torch")(*tensors)
    assert result.dtype == torch.float32
    assert not result.requires_grad
    assert not tensors[0].requires_grad


def test_autograd_goes_on_through_the_incentives():
    own = objective_of(coded, beta=0.3)
    data = [torch.tensor(v) for v in random_data(4)]
    data[0].requires_grad_()
    (curvature,) = torch.autograd.grad(own.kernel("d_w", "torch")(*data).sum(), data[0])
    same = DPO.kernel("d_w", "torch", beta=0.3)(*data)
    (expected,) = torch.autograd.grad(same.sum(), data[0])
    torch.testing.assert_close(curvature, expected)
    with torch.no_grad():
        assert not own.kernel("d_w", "torch")(*data).requires_grad
    both = own.kernel("d_w", "torch")(data[0], data[0], *data[2:])  # one tensor for both
    torch.testing.assert_close(
        both, DPO.kernel("d_w", "torch", beta=0.3)(data[0], data[0], *data[2:]) + 1 / data[4]
    )


def test_a_loss_that_writes_into_its_arguments_does_not_touch_the_data():
    def loss(w, l, ref_w, ref_l, len_w, len_l):
        return (w - ref_w.mul_(2)) * len_w.add_(1)

    own, data = objective_of(loss), [torch.tensor(v) for v in random_data(4)]
    before = [v.clone() for v in data]
    own.kernel("d_w", "torch")(*data)
    assert all(torch.equal(old, new) for old, new in zip(before, data, strict=True))


def test_a_loss_of_one_response_has_no_slope_in_the_other():
    own = objective_of(lambda w, l, ref_w, ref_l, len_w, len_l: -w)
    data = random_data(3)
    assert own.kernel("d_w")(*data).tolist() == [1.0] * 3
    assert own.kernel("d_l")(*data).tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("loss", "values", "said"),
    [
        (lambda w, l, rw, rl, n, m: (w - l).mean(), {}, "one number for each pair, (3,): got ()"),
        (lambda w, l, rw, rl, n, m: (w - l)[:, None], {}, "got (3, 1)"),
        (lambda w, l, rw, rl, n, m: 3, {}, "a loss returns a tensor: got int"),
        (lambda w, l, rw, rl, n, m: w - l.mean(), {}, "does not depend on other pairs"),
        (lambda w, l, rw, rl, n, m: w.detach() - rl, {}, "torch finds no slope"),
        (lambda w, l: w - l, {}, "a loss is a function of logp_w"),
        (lambda w, l, rw, rl, n, m, *, k: w * k, {}, "missing a required argument: 'k'"),
        (lambda w, l, rw, rl, n, m: w, {"k": 1}, "a loss is a function of logp_w"),
        (lambda w, l, rw, rl, n, m, beta: w * beta, {"beta": -1}, "beta of own is positive"),
        (lambda w, l, rw, rl, n, m, c: w * c, {"c": math.nan}, "finite"),
    ],
)  # fmt: skip
def test_a_wrong_function_is_refused(loss, values, said):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (said below)
        objective_of(loss, **values)
    assert said in str(caught.value)
