"""Whatever is printed must say what the formula says: the text is read back and evaluated."""

import math
import re

import numpy as np
import pytest
from sympy import And, Eq, Or, Symbol, false, true

from disband.terminal.formula import balanced, plain
from disband.theory.kernels.primitives import step
from disband.theory.symbols import BELOW, DATA, PLAIN, A, B, X, beta, gamma, logp_l, logp_w
from disband.verify.pages.tables import number
from tests.sampling import some

WORDS = {"σ": lambda x: 1 / (1 + math.exp(-x)), "relu": lambda x: max(0.0, x)}
WORDS["logσ"] = lambda x: math.log(WORDS["σ"](x))
WORDS |= {"exp": math.exp, "log": math.log, "expm1": math.expm1, "linlog": math.log}
WORDS["logodds"] = lambda x: x - math.log(1 - math.exp(x))
SIGNS = {"·": "*", "−": "-", "²": "**2", "≥": ">=", "≤": "<=", "logσ(": "logs(", "σ(": "s("}


def evaluate(text, point):
    names = {PLAIN.get(symbol, symbol.name): symbol for symbol in point}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, f"({point[names[name]]!r})")
    text = re.sub(r"1\[(.*?) > 0\]", r"float((\1) > 0)", text)
    for printed, meant in SIGNS.items():
        text = text.replace(printed, meant)
    functions = {"s": WORDS["σ"], "logs": WORDS["logσ"], "float": float} | WORDS
    return eval(text, {"__builtins__": {}}, functions)


def point(objective, seed):
    rng = np.random.default_rng(seed)
    values = {symbol: -float(rng.uniform(0.5, 3)) for symbol in DATA[:4]}
    values |= {symbol: int(rng.integers(1, 9)) for symbol in DATA[4:]}
    values |= {
        symbol: float(rng.uniform(0.3, 2) * (BELOW.get(symbol, 2) / 2))
        for symbol in objective.defaults
    }
    return values | {A: 1.3, B: 0.7, X: float(rng.uniform(-0.9, 0.9))}


@pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])
@some
def test_a_printed_formula_has_the_value_of_the_formula(objective, what):
    printed = plain(getattr(objective, what))
    for seed in range(3):
        values = point(objective, seed)
        hyper = {symbol.name: values[symbol] for symbol in objective.defaults}
        kernel = objective.kernel(what, "numpy", **hyper)
        expected = float(kernel(*(np.float64(values[symbol]) for symbol in DATA)))
        assert evaluate(printed, values) == pytest.approx(expected, rel=1e-9)


@some
def test_a_balanced_condition_is_the_condition(objective):
    points = [point(objective, seed) for seed in range(6)]
    for condition in objective.conditions:
        if condition in (true, false):  # SFT pushes nothing down
            continue
        moved, printed = plain(balanced(condition)), plain(condition)
        assert [evaluate(moved, v) for v in points] == [evaluate(printed, v) for v in points]


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (true, "always"),
        (false, "never"),
        (And(logp_w < logp_l, beta > 1), "β > 1 and log π_w < log π_l"),
        (Or(And(beta > 1, beta < 2), Eq(beta, 3, evaluate=False)), "(β < 2 and β > 1) or β = 3"),
        (logp_w / beta, "(log π_w)/β"),
        (beta ** Symbol("power"), "β^power"),
        (1 / beta**2, "1/β²"),
        (gamma / beta**2, "γ/β²"),
        ((beta + gamma) ** 2, "(β + γ)²"),
        (1 / (beta * gamma), "1/(β·γ)"),
        (beta * logp_w, "β·log π_w"),
        (step(logp_w - logp_l) * beta, "β·1[log π_w − log π_l > 0]"),
    ],
    ids=str,
)
def test_small_things_are_printed_as_people_write_them(expr, text):
    assert plain(expr) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0, "0"), (-1.5, "−1.5"), (float("inf"), "∞"), (1 / 3, "0.3333"), (1e-9, "1e−09")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text
