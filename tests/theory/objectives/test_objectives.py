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

from disband.theory.kernels.lowering import compile_kernel
from disband.theory.kernels.primitives import expm1, linlog
from disband.theory.objective import Objective, signs
from disband.theory.objectives import DPO, IPO, KTO, OBJECTIVES, R_DPO, SFT, SLIC_HF
from disband.theory.symbols import BELOW, DATA, A, B, X, beta, logp_l, logp_w
from disband.verify.strategies import data_points, hyperparameters
from tests.sampling import each, some
from tests.transcriptions import TRANSCRIPTIONS

quantity = pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])
number_of = {"numpy": np.float64, "torch": lambda v: torch.tensor(v, dtype=torch.float64)}


# Where a log-ratio is exponentiated, a rounding error of the log-ratio grows exponentially, and
# soon the weight of one response is below the smallest number: random data stay close together.
STEEP = {o.name for o in OBJECTIVES if o.loss.has(sympy.exp, expm1, linlog)}


def random_data(objective=None, n=64, seed=0):
    rng = np.random.default_rng(seed)
    reach = 3 if objective and objective.name in STEEP else 30
    logps = -reach * rng.random((4, n))
    return (*logps, *rng.integers(1, 20, (2, n)))


def exactly(objective, data, hyper):
    """The transcribed loss of each example, with fifty digits."""
    transcribed = TRANSCRIPTIONS[objective.name]
    with mpmath.workdps(50):
        exact = {name: mpmath.mpf(value) for name, value in hyper.items()}
        return [
            float(transcribed(*map(mpmath.mpf, map(float, point)), **exact, m=mpmath))
            for point in zip(*data, strict=True)
        ]


def kink(objective, point, hyper):
    """How far the point is from where the loss has no derivative, or is the square of a zero."""
    w, loser, ref_w, ref_l, len_w, len_l = point
    return {
        "RRHF": lambda: loser / len_l - w / len_w,
        "SLiC-HF": lambda: hyper["delta"] - w + loser,
        "SLiC": lambda: hyper["delta"] - w + loser,
        "DPOP": lambda: ref_w - w,
        "IPO-P": lambda: ref_w - w,
        "Hinge": lambda: 1 - hyper["beta"] * ((w - ref_w) - (loser - ref_l)),
        # a divergence of 1e-4 has four digits less
        "EXO": lambda: (
            (hyper["beta"] * ((w - ref_w) - (loser - ref_l)) - math.log(1 / hyper["epsilon"] - 1))
            / 1e5
        ),
    }.get(objective.name, lambda: math.inf)()


@each
def test_the_loss_is_what_its_own_paper_prints(objective):
    hyper = {symbol.name: value for symbol, value in objective.defaults.items()}
    data = random_data(objective)
    expected = exactly(objective, data, hyper)
    np.testing.assert_allclose(objective.kernel()(*data), expected, rtol=1e-11, atol=1e-14)


@each
def test_every_hyperparameter_matters_as_its_own_paper_prints(objective):
    data = random_data(objective, seed=1)
    for i, symbol in enumerate(objective.defaults):
        hyper = {s.name: v for s, v in objective.defaults.items()} | {symbol.name: 0.3 + i / 16}
        expected = exactly(objective, data, hyper)
        loss = objective.kernel(**hyper)(*data)
        np.testing.assert_allclose(loss, expected, rtol=1e-11, atol=1e-14)
        assert not np.allclose(loss, objective.kernel()(*data), rtol=1e-6, atol=0)


@each
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_incentives_are_the_derivatives_of_the_loss(objective, backend):
    data = [torch.tensor(v, dtype=torch.float64) for v in random_data(objective, seed=2)]
    # the kinks too: RRHF at equal means, SLiC at margin δ, DPO-Positive at the reference
    for v, kinked in zip(data, (-4.0, -5.0, -4.0, -3.0, 4.0, 5.0), strict=True):
        v[0] = kinked
    for v in data[:2]:
        v.requires_grad_()
    loss = objective.kernel("loss", "torch")(*data)
    grad_w, grad_l = torch.autograd.grad(loss.sum(), data[:2], materialize_grads=True)
    plain = [v.detach() if backend == "torch" else v.detach().numpy() for v in data]
    for what, expected in (("d_w", -grad_w), ("d_l", grad_l)):
        got = torch.as_tensor(objective.kernel(what, backend)(*plain))
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-300)


@each
@quantity
@settings(max_examples=10)
@given(draw=st.data())
def test_kernels_keep_their_digits_far_into_the_tails(objective, what, draw):
    point = draw.draw(data_points())
    hyper = draw.draw(hyperparameters(objective))
    assume(abs(kink(objective, point, hyper)) > 1e-6)
    with mpmath.workdps(800):
        exact = {name: mpmath.mpf(value) for name, value in hyper.items()}
        chosen, rejected, *rest = map(mpmath.mpf, point)

        def loss(w, loser):
            return TRANSCRIPTIONS[objective.name](w, loser, *rest, **exact, m=mpmath)

        value = {
            "loss": loss,
            "d_w": lambda w, loser: -mpmath.diff(lambda x: loss(x, loser), w),
            "d_l": lambda w, loser: mpmath.diff(lambda x: loss(w, x), loser),
        }[what]
        expected = value(chosen, rejected)
        assume(abs(expected) < mpmath.mpf("1e300"))  # doubles end at 1e308 and at 1e-308
        for backend in ("numpy", "torch"):
            kernel = objective.kernel(what, backend, **hyper)
            with np.errstate(over="ignore"):
                got = float(kernel(*map(number_of[backend], point)))
            error = abs(got - expected)
            # a difference quotient of zero is not quite zero
            if error > abs(expected) * mpmath.mpf("1e-12") + mpmath.mpf("1.1e-300"):
                # where it passes through zero, or an exponential magnifies, it must still be the
                # value at log-probabilities that differ in the sixteenth digit
                nearby = [value(chosen * (1 + e), rejected) for e in (-1e-15, 1e-15)]
                nearby += [value(chosen, rejected * (1 + e)) for e in (-1e-15, 1e-15)]
                assert error <= max(abs(v - expected) for v in nearby), backend


@some
@quantity
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_kernels_broadcast_and_keep_shapes(objective, what, backend):
    full = random_data(objective, 6)
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
    data = random_data(n=5)
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
    coarse = st.integers(-3 if objective.name in STEEP else -9, -1).map(float)
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


@some
def test_the_ratio_is_the_quotient_of_the_incentives(objective):
    data = random_data(objective, 12, seed=3)
    d_w, d_l = (objective.kernel(what)(*data) for what in ("d_w", "d_l"))
    some = d_l != 0
    if not some.any():
        assert objective is SFT
        assert objective.ratio == sympy.oo
        return
    ratio = compile_kernel(objective.ratio.subs(objective.values({})), DATA)
    np.testing.assert_allclose(ratio(*(v[some] for v in data)), d_w[some] / d_l[some], rtol=1e-12)


@some
def test_an_unknown_hyperparameter_is_refused(objective):
    with pytest.raises(ValueError, match=r"has the hyperparameters .*: got bogus; set one"):
        objective.kernel(bogus=1.0)


@some
def test_an_ill_signed_hyperparameter_is_refused(objective):
    for symbol in objective.defaults:
        zero = [0.0] if symbol.is_positive else []
        bound = [float(BELOW[symbol])] if symbol in BELOW else []
        for bad in (-1.0, math.nan, *zero, *bound):
            with pytest.raises(ValueError, match=rf"{symbol.name} of {objective.name} is .*: got"):
                objective.kernel(**{symbol.name: bad})


def test_zero_is_allowed_where_it_makes_sense():
    data = random_data(n=4)
    without = R_DPO.kernel(alpha=0.0)(*data)
    np.testing.assert_allclose(without, DPO.kernel()(*data), rtol=1e-13)
    assert KTO.values({"kl": 0})


@each
def test_every_objective_is_fully_declared(objective):
    assert objective.source
    assert objective.loss.free_symbols <= {*DATA, *objective.defaults}
    assert set(objective.defaults) <= objective.loss.free_symbols
    assert objective.name in TRANSCRIPTIONS
    assert not objective.note or objective.note.endswith(".")


@some
def test_equal_incentives_are_equal_in_symbols(objective):
    data = random_data(objective, seed=4)
    if np.allclose(objective.kernel("d_w")(*data), objective.kernel("d_l")(*data), rtol=1e-9):
        assert objective.d_w == objective.d_l
        assert objective.ratio == 1


@pytest.mark.parametrize(
    ("gram", "expected"),
    [((2, 5, 1), (True, True)), ((1, 5, 2), (False, True)), ((5, 1, 2), (True, False))],
)
def test_the_conditions_are_on_the_gradient_inner_product(gram, expected):
    start = dict.fromkeys(DATA[:4], -3) | {beta: 1} | dict(zip((A, B, X), gram, strict=True))
    assert tuple(bool(c.subs(start)) for c in DPO.conditions) == expected
