"""The toys' closed forms: against plain vectors, many digits, and what is said of them."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.theory.models.toys import (
    EditOne,
    edit_one_exact,
    edit_one_slope,
    row_change,
    row_slope,
    single_token_gram,
)
from disband.verify.strategies import gram_of, signed, simplex_points


def rows(*shape, seed):
    """Random softmax rows of any shape, for tests where exactness does not matter."""
    logits = 2 * np.random.default_rng(seed).standard_normal(shape)
    weights = np.exp(logits)
    return weights / weights.sum(-1, keepdims=True)


def start_of(seed, n=3, size=4, *, favour=1.5):
    """A start under the assumption of Theorem 3: chosen suffix rows favour their token."""
    after_l = rows(n, size, seed=seed)
    tokens = np.arange(n) % size
    tilted = after_l.copy()
    tilted[np.arange(n), tokens] *= np.exp(favour)
    tilted /= tilted.sum(-1, keepdims=True)
    at = rows(3, seed=seed + 1000)
    return EditOne(at[0], at[1], tilted, after_l, tokens)


starts = st.builds(
    start_of,
    seed=st.integers(0, 500),
    n=st.integers(1, 12),
    size=st.integers(2, 5),
    favour=st.floats(0.1, 4),
)


@given(s=simplex_points(4), h=st.lists(st.integers(-3, 3), min_size=2, max_size=2))
def test_the_gram_of_two_tokens_is_that_of_the_outer_products(s, h):
    a, b = ([x * ((k == j) - p) for x in h for k, p in enumerate(s)] for j in (0, 1))
    exact = gram_of(a, b)
    got = single_token_gram(s[0], s[1], sum(p * p for p in s), sum(x * x for x in h))
    assert (got.sq_w, got.sq_l, got.dot) == (exact.sq_w, exact.sq_l, exact.dot)


def test_a_uniform_prediction_gives_theorem_1_for_every_support():
    m, h = sympy.symbols("M h", positive=True)
    gram = single_token_gram(1 / m, 1 / m, 1 / m, h)
    assert sympy.simplify(gram.dot + h / m) == 0
    assert sympy.simplify(gram.sq_w - h * (m - 1) / m) == 0
    assert sympy.simplify(gram.sq_l - h * (m - 1) / m) == 0


@given(s=simplex_points(3), u=st.lists(signed, min_size=3, max_size=3), token=st.integers(0, 2))
def test_the_slope_of_a_row_is_exact(s, u, token):
    got = row_slope(np.array(s), np.array(u), token)
    assert got == u[token] - sum(p * x for p, x in zip(s, u, strict=True))


@given(
    s=simplex_points(3),
    u=st.lists(st.integers(-1000, 1000).map(lambda n: n / 999), min_size=3, max_size=3),
    token=st.integers(0, 2),
    step=st.sampled_from([-500.0, -3.0, -1e-3, 1e-9, 0.5, 1.0, 20.0, 800.0]),
)
def test_the_change_of_a_row_is_right_for_small_and_large_steps(s, u, token, step):
    got = float(row_change(step, np.array(s, float), u, token))
    with mpmath.workdps(60):
        exact = [mpmath.mpf(float(p)) for p in s]
        total = sum(exact)
        moved = [
            p / total * mpmath.exp(step * mpmath.mpf(x)) for p, x in zip(exact, u, strict=True)
        ]
        truth = step * mpmath.mpf(u[token]) - mpmath.log(sum(moved))
        scale = max(abs(step * (x - u[token])) for x in u)
        assert abs(got - truth) <= 1e-13 * scale + 1e-15 * min(scale, 1) + 1e-50


def test_impossible_tokens_of_a_row_do_not_count():
    with_dead = row_change(2.0, [0.5, 0.5, 0.0], [1.0, 0.0, 900.0], 0)
    assert with_dead == row_change(2.0, [0.5, 0.5], [1.0, 0.0], 0)


def test_rows_broadcast():
    row, steps = rows(5, 3, seed=1), np.linspace(-1, 1, 4)[:, None]
    got = row_change(steps, row, rows(5, 3, seed=2), np.arange(5) % 3)
    assert got.shape == (4, 5)


@given(start=starts)
def test_the_change_begins_at_zero_with_its_slope_and_stays_below_it(start):
    slope = edit_one_slope(start)
    assert edit_one_exact(0.0, start) == 0
    assert edit_one_exact(1e-6, start) == pytest.approx(1e-6 * slope, abs=2e-11)
    for step in (-5.0, -0.1, 0.1, 1.0, 30.0):
        assert edit_one_exact(step, start) <= step * slope + 1e-12


@given(start=starts, one=st.floats(-20, 20), other=st.floats(-20, 20))
def test_the_change_is_concave_in_the_step(start, one, other):
    middle = edit_one_exact((one + other) / 2, start)
    ends = (edit_one_exact(one, start) + edit_one_exact(other, start)) / 2
    assert middle >= ends - 1e-12 * (1 + abs(ends))


def test_the_slope_is_that_of_the_appendix_in_symbols():
    p, q, s, t = sympy.symbols("p q s t", positive=True)
    row_w, row_l = np.array([[s, 1 - s]]), np.array([[t, 1 - t]])
    got = edit_one_slope(EditOne(p, q, row_w, row_l, [0]))
    printed = (1 - s) * (t - s) - (1 - s) * ((1 - t) - (1 - s))
    assert sympy.expand(got - (1 + q - p) - printed) == 0


def test_the_slope_is_exact_on_fractions():
    half, third = Fraction(1, 2), Fraction(1, 3)
    row_w, row_l = np.array([[half, half]]), np.array([[third, 1 - third]])
    got = edit_one_slope(EditOne(third, Fraction(1, 5), row_w, row_l, [0]))
    assert got == 1 - third + Fraction(1, 5) - Fraction(1, 6)


@given(start=starts)
def test_the_parts_have_the_signs_of_theorem_3(start):
    assert row_slope(*start.at) >= 0
    assert (row_slope(*start.after) <= 1e-15).all()
    assert (row_change(3.0, *start.after) <= 1e-15).all()


def test_very_long_suffixes_lower_the_chosen_response_at_every_step():
    start = start_of(5, 80, 4)
    assert edit_one_slope(start) < 0


@given(s=simplex_points(4), step=st.floats(1e-3, 50))
def test_dpo_on_one_context_raises_the_chosen_at_every_step_size(s, step):
    row, direction = np.array(s, float), np.array([1.0, -1.0, 0.0, 0.0])
    assume(s[0] < 1)
    assert row_change(step, row, direction, 0) > 0
    assert row_change(step, row, direction, 1) < 0
