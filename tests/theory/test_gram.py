"""Grams and the first-order step."""

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.symbols import A, B, X, d_l, d_w, eta
from disband.verify.strategies import (
    floats_of,
    gram_of,
    grams,
    nonzero_vectors,
    score_pairs,
    signed,
)


@given(score_pairs())
def test_scores_give_their_gram(pair):
    exact = gram_of(*pair)
    for make in (np.array, torch.tensor):
        gram = Gram.of_scores(make(pair[0]), make(pair[1]))
        assert [int(v) for v in (gram.sq_w, gram.sq_l, gram.dot)] == [
            exact.sq_w,
            exact.sq_l,
            exact.dot,
        ]


def test_scores_of_any_batch_shape():
    a, b = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    gram = Gram.of_scores(a, b)
    np.testing.assert_allclose(gram.dot, np.einsum("ijk,ijk->ij", a, b))
    assert gram.sq_w.shape == gram.sq_l.shape == gram.cosine.shape == (3, 4)


@given(score_pairs(nonzero_vectors()))
def test_cosine_and_norm_ratio_are_those_of_the_vectors(pair):
    a, b = (np.array(v, float) for v in pair)
    gram = Gram.of_scores(a, b)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    assert gram.cosine == pytest.approx(a @ b / lengths[0] / lengths[1], abs=1e-14)
    assert gram.norm_ratio == pytest.approx(lengths[1] / lengths[0])


def test_the_cosine_survives_tiny_scores():
    assert Gram(1e-200, 1e-200, 5e-201).cosine == pytest.approx(0.5)


@given(cosine=st.floats(-1, 1), ratio=st.floats(1e-3, 1e3))
def test_a_gram_of_an_angle_has_that_angle(cosine, ratio):
    gram = Gram.of_angle(cosine, ratio)
    assert gram.cosine == pytest.approx(cosine, abs=1e-15)
    assert gram.norm_ratio == pytest.approx(ratio)
    assert gram.sq_w == 1


def test_a_gram_of_angles_broadcasts():
    gram = Gram.of_angle(np.zeros((3, 1)), np.ones(2))
    assert gram.dot.shape == gram.sq_w.shape == gram.sq_l.shape == (3, 2)


@pytest.mark.parametrize("cosine", [1.1, -2, np.nan, [0.0, 1.5]])
def test_a_cosine_beyond_one_is_refused(cosine):
    with pytest.raises(ValueError, match=r"a cosine lies in \[-1, 1\]: got"):
        Gram.of_angle(cosine, 1.0)


@pytest.mark.parametrize("ratio", [0, -1, np.inf, np.nan])
def test_a_norm_ratio_that_is_not_positive_is_refused(ratio):
    with pytest.raises(ValueError, match="a norm ratio is positive and finite: got"):
        Gram.of_angle(0.5, ratio)


@given(pair=score_pairs(), up=signed, down=signed, lr=signed)
def test_the_first_order_change_is_the_score_along_the_step(pair, up, down, lr):
    a, b = pair
    moved = [lr * (up * x - down * y) for x, y in zip(a, b, strict=True)]
    change_w, change_l = first_order(up, down, gram_of(a, b), lr)
    assert change_w == sum(x * m for x, m in zip(a, moved, strict=True))
    assert change_l == sum(y * m for y, m in zip(b, moved, strict=True))


@given(gram=grams(), up=signed, down=signed)
def test_exchanging_the_responses_exchanges_the_changes(gram, up, down):
    change_w, change_l = first_order(up, down, gram)
    mirrored = first_order(-down, -up, Gram(gram.sq_l, gram.sq_w, gram.dot))
    assert mirrored == (change_l, change_w)


def test_the_first_order_change_works_on_symbols_tensors_and_batches():
    symbolic = first_order(d_w, d_l, Gram(A, B, X), eta)
    assert sympy.expand(symbolic[0] - eta * (d_w * A - d_l * X)) == 0
    assert sympy.expand(symbolic[1] - eta * (d_w * X - d_l * B)) == 0
    gram = floats_of(Gram(4, 9, 2))
    ups = np.array([[1.0], [2.0]])
    up, down = first_order(ups, np.array([1.0, 0.0, -1.0]), gram, 0.5)
    assert up.tolist() == [[1, 2, 3], [3, 4, 5]]
    assert down.tolist() == [[-3.5, 1, 5.5], [-2.5, 2, 6.5]]
    assert first_order(torch.tensor(2.0), 1, gram)[0] == 6


def test_one_unit_of_learning_rate_is_the_default():
    assert first_order(3, 2, Gram(5, 7, 1)) == (13, -11)
