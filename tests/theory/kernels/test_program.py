"""Programs: how they are written, run in blocks, and composed to cases."""

import numpy as np
import pytest
import sympy
import torch

from benchmarks.by_hand import BY_HAND, case_by_hand
from disband.theory.band import Case, case, cases
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.lowering import compile_kernel, program_of
from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.kernels.program import BLOCK, Builder, Program, in_blocks, kernel_of
from disband.theory.kernels.stable import functions
from disband.theory.objective import Objective
from disband.theory.objectives import (
    DPO,
    DPO_FKL,
    IPO_P,
    KTO,
    OBJECTIVES,
    ORPO,
    RRHF,
    SFT,
    SIMPO,
    find,
)
from disband.theory.symbols import DATA, beta, logp_w, ref_w
from tests.sampling import some
from tests.tails import close_pairs, tensors

quantity = pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])
backends = pytest.mark.parametrize("backend", ["numpy", "torch"])


@backends
def test_both_backends_have_every_primitive(backend):
    assert {p.__name__ for p in PRIMITIVES} <= set(functions(backend))
    assert set(functions("numpy")) == set(functions("torch"))


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="numpy or torch: got 'jax'"):
        functions("jax")


@pytest.mark.parametrize("objective", [DPO, SIMPO], ids=lambda o: o.name)
def test_numbers_of_any_type_become_doubles(objective):
    data = close_pairs(7)
    single = [column.astype(np.float32) for column in data[:4]] + [c.astype(int) for c in data[4:]]
    got = objective.kernel("d_w")(*single)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, objective.kernel("d_w")(*(c.astype(float) for c in single)))
    assert objective.kernel("d_w")(-1, -2, -1, -2, 3, 4).shape == ()


def test_whole_numbers_beside_tensors_have_their_precision():
    logps = tensors(close_pairs(7)[:4])
    got = SIMPO.kernel("loss", "torch")(*logps, torch.tensor(3), 7)
    assert got.dtype == torch.float64
    assert got.shape == (7,)


@pytest.mark.parametrize("objective", [DPO, KTO, ORPO, SFT, IPO_P], ids=lambda o: o.name)
@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_blocks_change_nothing(objective, n):
    data = close_pairs(n)
    whole = objective.kernel("incentives")(*data)
    parts = [
        objective.kernel("incentives")(*(c[i : i + 999] for c in data)) for i in range(0, n, 999)
    ]
    for d, what in zip(whole, (0, 1), strict=True):
        assert d.shape == (n,)
        assert d.tolist() == [x for part in parts for x in part[what].tolist()]


def test_large_arrays_broadcast_whatever_their_layout():
    n = 300
    data = [column[:, None] for column in close_pairs(n)[:2]]
    data += [np.asfortranarray(np.tile(c[:n], (n, 1)))[:, ::-1] for c in close_pairs(n, 1)[2:4]]
    data += [np.float32(3), 4]
    assert n * n > BLOCK
    got = SIMPO.kernel("loss")(*data)
    assert got.shape == (n, n)
    for i, j in ((0, 0), (5, 299), (299, 7)):
        one = SIMPO.kernel("loss")(data[0][i, 0], data[1][i, 0], data[2][i, j], data[3][i, j], 3, 4)
        assert got[i, j] == one


def test_equal_quotients_are_equal():
    # (1/49)·49 is not 1 in doubles: a kernel that shared the reciprocal would see a difference
    counts = np.arange(1.0, 200)
    d_w, _ = RRHF.kernel("incentives")(-counts, -1.0, -1.0, -1.0, counts, 1.0)
    assert (d_w == 1).all()


def test_powers_and_sums_of_all_forms_compile():
    x, y = sympy.symbols("x y", positive=True)
    for expr in (x**2, x**3, x**4, x**-2, x**7, x**-0.5, x**y, 2 * x - 2 * y, -x - y, 3 - x,
                 x / 3 - sympy.Rational(1, 7), sympy.sqrt(2) * x, sympy.pi - x, x * y / (x + y),
                 sympy.exp(2) * x, -x / y, 1 / (x * y), 2 / x):  # fmt: skip
        value = compile_kernel(expr, [x, y])(1.7, 0.3)
        assert float(value) == pytest.approx(float(expr.subs({x: 1.7, y: 0.3})), rel=1e-14)


def test_a_program_with_values_computes_the_rest_only():
    program = DPO.compiled.program("d_w")
    bound = program.bound({"beta": 0.1})
    assert bound.arguments == tuple(s.name for s in DATA)
    assert len(bound.steps) < len(program.steps)
    direct = program_of([DPO.d_w.subs(beta, sympy.Float(0.1))], DATA)
    data = close_pairs(9)
    np.testing.assert_allclose(kernel_of(bound, "numpy")(*data), kernel_of(direct, "numpy")(*data))


def test_a_step_never_writes_where_it_or_a_later_one_reads():
    for objective in OBJECTIVES:
        program = objective.compiled.program("incentives").bound(objective.compiled.values({}))
        first = len(program.arguments) + len(program.constants)
        holder = {}
        for i, ((_, read), room) in enumerate(zip(program.steps, program.rooms, strict=True)):
            assert all(holder[program.rooms[p - first]] == p for p in read if p >= first)
            assert room not in {program.rooms[p - first] for p in read if p >= first}
            holder[room] = first + i
        kept = [p for p in program.results if p >= first]
        assert all(holder[program.rooms[p - first]] == p for p in kept)


def test_equal_numbers_are_computed_once_and_constants_at_once():
    builder = Builder(["x"])
    x, two = builder.argument("x"), builder.constant(2)
    assert builder.step("multiply", x, two) == builder.step("multiply", x, two)
    four = builder.step("add", two, two)
    assert builder.step("multiply", x, builder.constant(1)) == x
    assert builder.constant(0.0) != builder.constant(-0.0)
    assert builder.program([four]) == Program(("x",), (4.0,), (), (1,))


def test_the_wrong_number_of_arguments_is_refused():
    with pytest.raises(TypeError, match=r"a kernel takes logp_w, .*got 2 arguments"):
        DPO.kernel()(-1.0, -2.0)


@some
def test_cases_are_the_case_of_the_incentives(objective):
    n = BLOCK + 77
    rng = np.random.default_rng(1)
    data = close_pairs(n)
    gram = Gram(rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n), rng.uniform(-0.5, 0.5, n))
    got = cases(objective.compiled, data, gram)
    assert got.dtype == np.int8
    d_w, d_l = objective.kernel("incentives")(*data)
    np.testing.assert_array_equal(got, case(d_w, d_l, gram))


@pytest.mark.parametrize("name", BY_HAND)
def test_what_the_benchmark_computes_by_hand_is_the_same(name):
    objective = find(name)
    assert objective.name == name
    data = close_pairs(500, seed=9)
    gram = (1.3, np.linspace(0.5, 2, 500), np.linspace(-0.9, 0.7, 500))
    by_hand = BY_HAND[name](*data)
    for mine, theirs in zip(objective.kernel("incentives")(*data), by_hand, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)
    codes = cases(objective.compiled, data, Gram(*gram))
    np.testing.assert_array_equal(codes, case_by_hand(*by_hand, *gram))


def test_cases_take_hyperparameters_and_broadcast():
    gram = Gram(np.ones((4, 1)), 1.0, np.array([0.5, 0.999]))
    got = cases(SIMPO.compiled, (-1.0, -1.0, -1.0, -1.0, 20, 10), gram, gamma=0.0)
    assert got.tolist() == [[Case.BOTH_FALL, Case.BOTH_FALL]] * 4 or got.shape == (4, 2)
    with pytest.raises(ValueError, match="has the hyperparameters"):
        cases(SIMPO.compiled, (-1.0,) * 6, gram, bogus=1)


def test_cases_count_every_pair_without_a_case():
    n = 2 * BLOCK
    data = close_pairs(n)
    data[0][[3, BLOCK + 3, n - 1]] = np.nan
    with pytest.raises(ValueError, match="3 of them are NaN"):
        cases(DPO.compiled, data, Gram(1.0, 1.0, 0.5))


def test_pairs_whose_exponentials_overflow_have_no_case():
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="1 of them are NaN"):
        cases(DPO_FKL.compiled, (-1e4, -1e4, -1.0, -1.0, 1, 1), Gram(1.0, 1.0, 0.5))


def test_a_program_needs_no_array_of_its_own_size():
    wide = np.broadcast_to(np.float64(-1.0), 4 * BLOCK)
    (got,) = in_blocks(program_of([logp_w - ref_w], [logp_w, ref_w]), [wide, -1], [np.float64])
    assert (got == 0).all()


def test_an_objective_s_kernels_are_made_once():
    own = Objective("own", -beta * logp_w, "a test", {beta: 2.0})
    assert own.kernel("d_w") is own.kernel("d_w")
    assert own.kernel("d_w", beta=3.0)(*[-1.0] * 6) == 3


@pytest.mark.parametrize("lr", [0, 1, 2, 0.5, True])
def test_first_order_changes_scale_with_the_step_whole_or_not(lr):
    gram = Gram(2.0, 5.0, 1.0)
    one = first_order(3.0, 4.0, gram)
    assert one == (2.0, -17.0)
    assert first_order(3.0, 4.0, gram, lr) == tuple(lr * change for change in one)
