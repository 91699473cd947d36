"""The contract of every objective: one declaration, and all that must follow from it."""

import math
from itertools import product

import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.transcriptions import TRANSCRIPTIONS
from theory.kernels import compile_kernel
from theory.objective import Objective, signs
from theory.objectives import DPO, IPO, KTO, OBJECTIVES, R_DPO, SIMPO, SLIC_HF, find
from theory.symbols import DATA, A, B, X, beta, logp_l, logp_w
from verify.strategies import data_points, hyperparameters

each = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.name)
quantity = pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])


def random_data(n=64, seed=0):
    rng = np.random.default_rng(seed)
    logps = -30 * rng.random((4, n))
    return (*logps, *rng.integers(1, 20, (2, n)))


def kink(objective, point, hyper):
    """How far the point is from where the loss has no derivative."""
    w, loser, ref_w, _, len_w, len_l = point
    return {
        "RRHF": lambda: loser / len_l - w / len_w,
        "SLiC-HF": lambda: hyper["delta"] - w + loser,
        "DPOP": lambda: ref_w - w,
    }.get(objective.name, lambda: math.inf)()


@each
def test_the_loss_is_what_its_own_paper_prints(objective):
    transcribed = TRANSCRIPTIONS[objective.name]
    hyper = {symbol.name: value for symbol, value in objective.defaults.items()}
    data = random_data()
    expected = [transcribed(*map(float, point), **hyper) for point in zip(*data, strict=True)]
    np.testing.assert_allclose(objective.kernel()(*data), expected, rtol=1e-10, atol=1e-14)


@each
def test_every_hyperparameter_matters_as_its_own_paper_prints(objective):
    transcribed = TRANSCRIPTIONS[objective.name]
    data = random_data(seed=1)
    for i, symbol in enumerate(objective.defaults):
        hyper = {s.name: v for s, v in objective.defaults.items()} | {symbol.name: 0.3 + i}
        expected = [transcribed(*map(float, point), **hyper) for point in zip(*data, strict=True)]
        loss = objective.kernel(**{symbol.name: 0.3 + i})(*data)
        np.testing.assert_allclose(loss, expected, rtol=1e-10, atol=1e-14)
        assert not np.allclose(loss, objective.kernel()(*data), rtol=1e-6, atol=0)


@each
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_incentives_are_the_derivatives_of_the_loss(objective, backend):
    data = [torch.tensor(v, dtype=torch.float64) for v in random_data(seed=2)]
    # the kinks too: RRHF at equal means, SLiC-HF at margin δ, DPOP at the reference
    for v, kinked in zip(data, (-4.0, -5.0, -4.0, -3.0, 4.0, 5.0), strict=True):
        v[0] = kinked
    for v in data[:2]:
        v.requires_grad_()
    loss = objective.kernel("loss", "torch")(*data)
    grad_w, grad_l = torch.autograd.grad(loss.sum(), data[:2], allow_unused=True)
    plain = [v.detach() if backend == "torch" else v.detach().numpy() for v in data]
    for what, expected in (("d_w", -grad_w), ("d_l", grad_l)):
        got = torch.as_tensor(objective.kernel(what, backend)(*plain))
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-300)


@each
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@quantity
@settings(max_examples=25)
@given(draw=st.data())
def test_kernels_keep_their_digits_far_into_the_tails(objective, backend, what, draw):
    point = draw.draw(data_points())
    hyper = draw.draw(hyperparameters(objective))
    assume(abs(kink(objective, point, hyper)) > 1e-6)
    with mpmath.workdps(800):
        exact = {name: mpmath.mpf(value) for name, value in hyper.items()}
        chosen, rejected, *rest = map(mpmath.mpf, point)

        def loss(w, loser):
            return TRANSCRIPTIONS[objective.name](w, loser, *rest, **exact, m=mpmath)

        expected = {
            "loss": lambda: loss(chosen, rejected),
            "d_w": lambda: -mpmath.diff(lambda x: loss(x, rejected), chosen),
            "d_l": lambda: mpmath.diff(lambda x: loss(chosen, x), rejected),
        }[what]()
        # doubles end at 1e-308; and a difference quotient of zero is not quite zero
        tiny = abs(expected) < mpmath.mpf("1e-300")
        make = np.float64 if backend == "numpy" else lambda v: torch.tensor(v, dtype=torch.float64)
        got = float(objective.kernel(what, backend, **hyper)(*map(make, point)))
        if tiny:
            assert abs(got) < 1.1e-300
        else:
            assert abs(got - expected) <= abs(expected) * mpmath.mpf("1e-12")


@each
@quantity
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_kernels_broadcast_and_keep_shapes(objective, what, backend):
    full = random_data(6)
    column = [v[:3, None] for v in full[:2]] + [v[None, 2:4] for v in full[2:]]
    tensors = [torch.tensor(v, dtype=torch.float64) for v in column]
    kernel = objective.kernel(what, backend)
    got = kernel(*column) if backend == "numpy" else kernel(*tensors).numpy()
    assert got.shape == (3, 2)
    assert got.dtype == np.float64
    one = objective.kernel(what)
    for i, j in product(range(3), range(2)):
        single = one(*(v[i, 0] for v in column[:2]), *(v[0, j] for v in column[2:]))
        assert got[i, j] == pytest.approx(float(single), rel=1e-14)


def test_a_constant_incentive_has_the_shape_of_the_data_and_of_torch():
    constant = Objective("likelihood", -2 * logp_w, "a test")
    data = random_data(5)
    assert constant.kernel("d_w")(*data).tolist() == [2.0] * 5
    assert constant.kernel("d_l")(*data).tolist() == [0.0] * 5
    tensors = [torch.tensor(v, dtype=torch.float32) for v in data]
    for what, value in (("d_w", 2.0), ("d_l", 0.0)):
        got = constant.kernel(what, "torch")(*tensors)
        assert got.dtype == torch.float32
        assert got.tolist() == [value] * 5


@each
@pytest.mark.parametrize("which", ["d_w", "d_l"])
@settings(max_examples=12)
@given(draw=st.data())
def test_signs_agree_with_the_incentive_everywhere(objective, which, draw):
    # a coarse grid hits the boundaries: equal means, margin δ, the reference, IPO's target
    coarse = st.integers(-9, -1).map(float)
    point = draw.draw(data_points(coarse))
    found = objective.signs_w if which == "d_w" else objective.signs_l
    hyper = draw.draw(hyperparameters(objective))
    values = {s: sympy.Rational(v) for s, v in zip(DATA, point, strict=True)} | {
        s: sympy.Rational(v) for s, v in objective.values(hyper).items()
    }
    truth = [bool(getattr(found, s).subs(values)) for s in ("positive", "zero", "negative")]
    value = float(objective.kernel(which, **hyper)(*map(np.float64, point)))
    assert truth == [value > 0, value == 0, value < 0]


@pytest.mark.parametrize("values", [*product((-2, 0, 3), repeat=2)], ids=str)
@pytest.mark.parametrize("make", [lambda u, v: u * v, lambda u, v: -3 * u * v**3, lambda u, _: -u])
def test_signs_of_a_product_multiply(make, values):
    u, v = sympy.symbols("u v", real=True)
    found, value = signs(make(u, v)), make(*values)
    at = {u: values[0], v: values[1]}
    truth = [bool(getattr(found, s).subs(at)) for s in ("positive", "zero", "negative")]
    assert truth == [value > 0, value == 0, value < 0]


def test_signs_at_the_boundaries():
    at_target = dict.fromkeys(DATA, -5) | {logp_w: -1, beta: sympy.Rational(1, 8)}
    assert IPO.signs_w.zero.subs(at_target) == sympy.true
    assert IPO.signs_w.positive.subs(at_target) == sympy.false
    assert DPO.signs_w.positive == sympy.true
    kinked = {logp_w: -1, logp_l: -2} | dict.fromkeys(SLIC_HF.defaults, 1)
    assert SLIC_HF.signs_l.zero.subs(kinked) == sympy.true


@each
def test_the_ratio_is_the_quotient_of_the_incentives(objective):
    data = random_data(12, seed=3)
    d_w, d_l = (objective.kernel(what)(*data) for what in ("d_w", "d_l"))
    some = d_l != 0
    assert some.any()
    ratio = compile_kernel(objective.ratio.subs(objective.values({})), DATA)
    np.testing.assert_allclose(ratio(*(v[some] for v in data)), d_w[some] / d_l[some], rtol=1e-12)


@each
def test_an_unknown_hyperparameter_is_refused(objective):
    with pytest.raises(ValueError, match=r"has the hyperparameters .*: got bogus; set one"):
        objective.kernel(bogus=1.0)


@each
def test_an_ill_signed_hyperparameter_is_refused(objective):
    for symbol in objective.defaults:
        for bad in (-1.0, math.nan, *([0.0] if symbol.is_positive else [])):
            with pytest.raises(ValueError, match=rf"{symbol.name} of {objective.name} is .*: got"):
                objective.kernel(**{symbol.name: bad})


def test_zero_is_allowed_where_it_makes_sense():
    data = random_data(4)
    without = R_DPO.kernel(alpha=0.0)(*data)
    np.testing.assert_allclose(without, DPO.kernel()(*data), rtol=1e-13)
    assert KTO.values({"kl": 0})


@pytest.mark.parametrize(
    ("name", "objective"),
    [("dpo", DPO), ("R_DPO", R_DPO), ("rdpo", R_DPO), ("SimPO", SIMPO), ("slic-hf", SLIC_HF)],
)
def test_objectives_are_found_by_name_however_written(name, objective):
    assert find(name) is objective


def test_names_are_unique_and_find_themselves():
    assert [find(o.name) for o in OBJECTIVES] == list(OBJECTIVES)


@pytest.mark.parametrize(("name", "hint"), [("slic", "did you mean SLiC-HF"), ("ppo2x!", "one of")])
def test_an_unknown_objective_is_refused_with_the_nearest(name, hint):
    with pytest.raises(ValueError, match=hint):
        find(name)


@each
def test_every_objective_is_fully_declared(objective):
    assert objective.source
    assert objective.loss.free_symbols <= {*DATA, *objective.defaults}
    assert set(objective.defaults) <= objective.loss.free_symbols
    assert objective.name in TRANSCRIPTIONS


@pytest.mark.parametrize(
    ("gram", "expected"),
    [((2, 5, 1), (True, True)), ((1, 5, 2), (False, True)), ((5, 1, 2), (True, False))],
)
def test_the_conditions_are_on_the_gradient_inner_product(gram, expected):
    start = dict.fromkeys(DATA[:4], -3) | {beta: 1} | dict(zip((A, B, X), gram, strict=True))
    assert tuple(bool(c.subs(start)) for c in DPO.conditions) == expected
