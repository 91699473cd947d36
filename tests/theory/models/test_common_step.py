"""A step that suits every pair, or the combination that forbids it: against exact decisions."""

import numpy as np
import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from disband.theory.batch import pair_changes
from disband.theory.models.common_step import common_step
from disband.verify.strategies import batches


def zero_is_in_the_hull(scores_w, scores_l):
    """Decide exactly, by linear programming over the rationals."""
    turned = np.concatenate([scores_w, -scores_l])
    weights = [z3.Real(f"w{i}") for i in range(len(turned))]
    solver = z3.Solver()
    solver.add(*(w >= 0 for w in weights), z3.Sum(weights) == 1)
    for column in turned.T:
        solver.add(z3.Sum([int(v) * w for v, w in zip(column, weights, strict=True)]) == 0)
    return solver.check() == z3.sat


@given(batch=batches(pairs=4, size=3))
def test_the_answer_is_the_exact_one_and_its_certificate_checks(batch):
    got = common_step(batch.gram)
    assert got.exists is not zero_is_in_the_hull(batch.scores_w, batch.scores_l)
    assert (got.d_w >= 0).all()
    assert (got.d_l >= 0).all()
    if got.exists:
        change_w, change_l = pair_changes(np.asarray(batch.gram, float), got.d_w, got.d_l)
        assert (change_w > 0).all()
        assert (change_l < 0).all()
    else:
        assert got.d_w.sum() + got.d_l.sum() == pytest.approx(1)
        step = got.d_w @ batch.scores_w - got.d_l @ batch.scores_l
        np.testing.assert_allclose(step.astype(float), 0, atol=1e-6)


@given(batch=batches(pairs=3), scales=st.lists(st.sampled_from([1e-6, 1, 1e6]), min_size=6))
def test_the_lengths_of_the_scores_do_not_matter(batch, scales):
    n = len(batch.scores_w)
    sizes = np.array(scales[: 2 * n])
    products = np.asarray(batch.gram, float)
    assert common_step(products * np.outer(sizes, sizes)).exists == common_step(products).exists


def test_many_pairs_in_many_dimensions_have_a_step():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((64, 400))
    assert common_step(scores @ scores.T).exists
    shallow = rng.standard_normal((64, 5))
    assert not common_step(shallow @ shallow.T).exists


def test_the_step_has_the_greatest_least_cosine():
    scores = np.array([[1.0, 0], [-1, -1]])  # a and b: the turned ones are (1, 0) and (1, 1)
    got = common_step(scores @ scores.T)
    g = got.d_w @ scores[:1] - got.d_l @ scores[1:]
    cosines = [v @ g / np.linalg.norm(v) / np.linalg.norm(g) for v in ([1, 0], [1, 1])]
    np.testing.assert_allclose(cosines, np.cos(np.pi / 8), rtol=1e-12)


def test_a_pair_of_one_response_has_no_step():
    got = common_step(np.ones((2, 2)))
    assert not got.exists
    np.testing.assert_allclose([*got.d_w, *got.d_l], 0.5)


def test_a_zero_score_is_its_own_obstacle():
    got = common_step(np.diag([1.0, 1, 0, 1]))
    assert not got.exists
    assert got.d_w.tolist() == [0, 0]
    assert got.d_l.tolist() == [1, 0]


def test_a_hair_off_parallel_is_told_apart_up_to_the_tolerance():
    def pair(angle):
        scores = np.array([[1.0, 0], [np.cos(angle), np.sin(angle)]])
        return common_step(scores @ scores.T).exists

    assert pair(1e-3)
    assert not pair(1e-12)


@pytest.mark.parametrize("bad", [np.ones((3, 3)), np.ones((2, 4)), np.ones(4), np.ones((0, 0))])
def test_products_are_a_square_of_even_size(bad):
    with pytest.raises(ValueError, match="2n × 2n"):
        common_step(bad)


def test_products_are_a_gram_matrix_of_numbers():
    with pytest.raises(ValueError, match="NaN"):
        common_step([[1, np.nan], [np.nan, 1]])
    with pytest.raises(ValueError, match="no negative eigenvalue"):
        common_step([[1.0, 2], [2, 1]])
