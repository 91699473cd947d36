"""JavaScript of every objective, run by a real engine, beside numpy."""

import json
import subprocess

import numpy as np
import pytest
import sympy

from disband.theory.javascript import PRELUDE, javascript
from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.objectives import DPO, OBJECTIVES, RRHF
from disband.theory.symbols import DATA, beta, logp_w
from tests.engines import needs_node, node
from tests.exact import exactly
from tests.sampling import some
from tests.tails import HALF_ULP, SLACK, allowed, extremes, pairs

QUANTITIES = ("loss", "d_w", "d_l")
x, y = sympy.symbols("x y", real=True)


def run(source, calls):
    """Return what each of ``calls``, a function's name and rows of arguments, gives per row.

    JSON knows neither infinities nor NaN, so numbers travel as text.
    """
    ask = """
    const read = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const words = (v) => (Array.isArray(v) ? v.map(words) : Object.is(v, -0) ? "-0.0" : String(v));
    const told = read.map(([f, rows]) => rows.map((row) => words(f_of[f](...row.map(Number)))));
    console.log(JSON.stringify(told));
    """
    table = "const f_of = {" + ", ".join(sorted({name for name, _ in calls})) + "};\n"
    told = [[name, [[_text(v) for v in row] for row in rows]] for name, rows in calls]
    done = subprocess.run(
        [node(), "-e", PRELUDE + source + table + ask],
        input=json.dumps(told), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [np.array(values, float) for values in json.loads(done.stdout)]


def _text(value):
    return repr(float(value)).replace("inf", "Infinity")


def evaluate(expr, values):
    return run(javascript(expr, [x], "f"), [("f", [[v] for v in values])])[0]


@pytest.fixture(scope="module")
def data():
    return [np.concatenate(both) for both in zip(pairs(60, seed=7), extremes(), strict=True)]


@pytest.fixture(scope="module")
def answers(data):
    """Every quantity of every objective at every pair, from one run of the engine."""
    source, calls = "", []
    for i, objective in enumerate(OBJECTIVES):
        args = [*DATA, *objective.defaults]
        numbers = list(objective.defaults.values())
        rows = [[*point, *numbers] for point in zip(*data, strict=True)]
        for what in QUANTITIES:
            source += javascript(getattr(objective, what), args, f"{what}_{i}")
            calls.append((f"{what}_{i}", rows))
        source += javascript([objective.d_w, objective.d_l], args, f"both_{i}")
        calls.append((f"both_{i}", rows))
    return dict(zip((name for name, _ in calls), run(source, calls), strict=True))


@needs_node
@pytest.mark.parametrize("what", QUANTITIES)
@some
def test_javascript_agrees_with_numpy(objective, what, data, answers):
    with np.errstate(all="ignore"):
        expected = objective.kernel(what)(*data)
    got = answers[f"{what}_{OBJECTIVES.index(objective)}"]
    values, formula = objective.values({}), getattr(objective, what)
    for point, mine, theirs in zip(zip(*data, strict=True), expected, got, strict=True):
        if not (np.isfinite(mine) and np.isfinite(theirs)):
            assert not np.isfinite([mine, theirs]).any()
        elif abs(mine - theirs) > max(1e-12 * abs(mine), 1e-307):
            # only what rounding the arguments does as well, near a root or at a jump
            exact = exactly(formula, dict(zip(DATA, map(float, point), strict=True)) | values)
            at_jump = exact.edge < SLACK * HALF_ULP
            assert at_jump or abs(mine - theirs) <= 2 * allowed(exact)


@needs_node
@some
def test_several_formulas_come_as_an_array(objective, answers):
    i = OBJECTIVES.index(objective)
    alone = np.stack([answers[f"d_w_{i}"], answers[f"d_l_{i}"]], axis=1)
    np.testing.assert_allclose(answers[f"both_{i}"], alone, rtol=1e-12, atol=1e-300)


@needs_node
@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.__name__)
def test_the_prelude_has_every_primitive(primitive):
    values = [-750.0, -700.0, -36.8, -1.0, -0.7, -np.log(2), -0.69, -1e-6, -1e-300]
    if primitive.__name__ != "logodds":
        values += [0.0, 1e-300, 1e-7, 0.3, 36.8, 700.0, 750.0, np.inf]
    with np.errstate(all="ignore"):
        expected = primitive.numpy(np.array(values))
    np.testing.assert_allclose(evaluate(primitive(x), values), expected, rtol=1e-14, atol=1e-307)


@needs_node
def test_elementary_functions_and_numbers_are_printed():
    expr = sympy.exp(x) + sympy.log(x) + sympy.sqrt(x) + x**3 / 7 + sympy.pi
    expected = [float(expr.subs(x, v)) for v in (0.5, 2)]
    np.testing.assert_allclose(evaluate(expr, [0.5, 2]), expected, rtol=1e-14)


@needs_node
def test_equal_quotients_are_equal():
    source = javascript(RRHF.d_w, [*DATA, *RRHF.defaults], "f")
    rows = [[-n, -1, -1, -1, n, 1, 1.0] for n in range(1, 200)]
    assert (run(source, [("f", rows)])[0] == 1).all()


def test_what_formulas_share_is_computed_once():
    source = javascript(DPO.d_w * (1 + DPO.d_w), [*DATA, beta], "f")
    assert source.count("sigmoid(") == 1
    assert source.startswith("function f(logp_w, logp_l, ref_w, ref_l, len_w, len_l, beta) {\n")
    assert source.endswith("\n}\n")


def test_names_of_shared_parts_never_hide_an_argument():
    t0 = sympy.Symbol("t0")
    source = javascript(sympy.exp(x * t0) + sympy.exp(x * t0) ** 2 + t0, [x, t0], "f")
    assert "const t0" not in source


@pytest.mark.parametrize(
    "expr",
    [
        sympy.sin(x), sympy.floor(x), sympy.Abs(x), sympy.Function("f")(x), sympy.I * x,
        sympy.Piecewise((x, x > 0), (0, True)), sympy.Integral(sympy.exp(-(x**2)), (x, 0, 1)),
    ],
    ids=str,
)  # fmt: skip
def test_an_unknown_function_is_refused(expr):
    with pytest.raises(ValueError, match="every function needs JavaScript: none for"):
        javascript(expr, [x], "f")


def test_a_symbol_that_is_no_argument_is_refused():
    with pytest.raises(ValueError, match="got y beside them"):
        javascript(x + y, [x], "f")


@pytest.mark.parametrize("name", ["return", "sigmoid", "Math", "a b", "f(){}//", "ℓ", "1x", ""])
def test_a_name_that_javascript_does_not_take_is_refused(name):
    with pytest.raises(ValueError, match="a name in JavaScript"):
        javascript(x, [x], name)
    with pytest.raises(ValueError, match="a name in JavaScript"):
        javascript(logp_w, [logp_w, sympy.Symbol(name)], "f")
