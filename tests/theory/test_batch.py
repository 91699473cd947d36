"""The batch band against the changes it promises, on exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from disband.theory.band import Band, band, case
from disband.theory.batch import (
    MeanProducts,
    batch_band,
    batch_factor,
    is_empty,
    mean_products,
    pair_changes,
)
from disband.theory.gram import Gram
from disband.verify.strategies import batches, positive


def floats(batch):
    return tuple(np.asarray(v, float) for v in (batch.gram, batch.d_w, batch.d_l, batch.weights))


def exact_mean(batch):
    return mean_products(batch.gram, batch.d_w, batch.d_l, batch.weights)


@given(batch=batches())
def test_each_pair_changes_by_the_product_with_the_whole_step(batch):
    change_w, change_l = pair_changes(batch.gram, batch.d_w, batch.d_l, batch.weights)
    assert change_w.tolist() == (batch.scores_w @ batch.direction).tolist()
    assert change_l.tolist() == (batch.scores_l @ batch.direction).tolist()


@given(batch=batches(), factor=positive)
def test_the_means_change_by_their_products_with_the_rescaled_step(batch, factor):
    pull, push = batch.weights * batch.d_w * factor, batch.weights * batch.d_l / factor
    step = pull @ batch.scores_w - push @ batch.scores_l
    means = [batch.weights @ scores @ step for scores in (batch.scores_w, batch.scores_l)]
    assert list(exact_mean(batch).changes(factor)) == means


@given(batch=batches(), factor=positive)
def test_a_factor_is_in_the_band_iff_both_means_go_right(batch, factor):
    mean = exact_mean(batch)
    change_w, change_l = mean.changes(factor)
    low, high = batch_band(mean)
    # The ends are rounded: keep to factors that are not within rounding of one.
    assume(all(not np.isclose(float(factor**2), end, rtol=1e-12) for end in (low, high)))
    assert (change_w >= 0 and change_l <= 0) == (low <= float(factor**2) <= high)


@given(batch=batches())
def test_the_factor_is_in_the_band_or_there_is_none(batch):
    mean = exact_mean(batch)
    factor = batch_factor(mean)
    if np.isnan(factor):
        assert is_empty(batch_band(mean))
        return
    assert 0 < factor < np.inf
    change_w, change_l = mean.changes(float(factor))
    size = float(sum(abs(v) for v in mean)) * max(factor, 1 / factor)
    assert change_w >= -1e-12 * size
    assert change_l <= 1e-12 * size


@given(batch=batches(pairs=1))
def test_a_batch_of_one_pair_has_the_band_of_the_pair(batch):
    assume(batch.d_w[0] > 0)
    assume(batch.d_l[0] > 0)
    gram, ratio = batch.pair(0), float(batch.d_w[0] / batch.d_l[0])
    low, high = batch_band(exact_mean(batch))
    expected = band(Gram(*(float(v) for v in (gram.sq_w, gram.sq_l, gram.dot))))
    if gram.dot > 0:
        np.testing.assert_allclose((low * ratio, high * ratio), expected, rtol=1e-12)
    else:
        assert (low, high) == (0, np.inf)


def test_two_ends_have_their_centre_and_one_end_the_nearest_to_one():
    mean = mean_products(np.diag([1.0, 1, 1, 1]), [1.0, 1], [1.0, 1])
    assert batch_factor(mean) == 1
    # low 4, high 64: δ² is 16
    two = MeanProducts(1.0, 4.0, 1.0, 64.0)
    assert batch_band(two) == Band(4, 64)
    assert batch_factor(two) == 4
    assert batch_factor(MeanProducts(1.0, 4.0, 0.0, 1.0)) == 2
    assert batch_factor(MeanProducts(1.0, -1.0, 1.0, 0.25)) == 0.5
    assert batch_factor(MeanProducts(1.0, -1.0, 1.0, 2.0)) == 1


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        ((1, 2, 1, 3), (2, 3)),
        ((1, 3, 1, 2), (3, 2)),  # empty though all four are positive
        ((1, -1, 1, 3), (0, 3)),
        ((1, 2, -1, 3), (2, np.inf)),
        ((1, 2, -1, -3), (3, np.inf)),
        ((-1, -2, -1, 3), (0, 2)),  # the pull lowers the mean chosen, the push raises it
        ((-1, 2, -1, 3), (0, -2)),
        ((0, 2, 1, 3), (np.inf, 0)),
        ((0, -2, 1, 3), (0, 3)),
        ((0, 0, 0, 0), (0, np.inf)),
        ((1, 2, 0, -1), (np.inf, 0)),
    ],
)
def test_products_of_any_sign_give_an_interval(mean, expected):
    got = batch_band(MeanProducts(*map(float, mean)))
    assert tuple(map(float, got)) == expected
    factors = np.exp(np.linspace(-5, 5, 41)) ** 2
    changes = MeanProducts(*mean).changes(np.sqrt(factors))
    good = (changes[0] >= 0) & (changes[1] <= 0)
    np.testing.assert_array_equal(good, (got.low <= factors) & (factors <= got.high))
    assert bool(is_empty(got)) == (not good.any())


def test_a_band_of_zero_alone_is_empty():
    assert is_empty(Band(np.array(0.0), np.array(0.0)))
    assert is_empty(Band(np.array(np.inf), np.array(np.inf)))
    assert np.isnan(batch_factor(MeanProducts(1.0, -1.0, 1.0, 0.0)))


def test_what_nobody_knows_is_not_called_good():
    unknown = MeanProducts(1.0, np.nan, 1.0, 2.0)
    assert np.isnan(batch_band(unknown).low)
    assert is_empty(batch_band(unknown))
    assert np.isnan(batch_factor(unknown))


def test_the_mean_can_hide_what_every_pair_suffers_and_the_reverse():
    """Pairs of the ledger's witnesses, disband.batch.mean-hides and .pairs-hide."""
    rng = np.random.default_rng(0)
    hidden = reverse = 0
    for _ in range(4000):
        scores = rng.integers(-3, 4, (4, 2))
        products = scores @ scores.T
        d_l = rng.integers(1, 4, 2)
        own = [
            case(1, d_l[i], Gram(products[i, i], products[i + 2, i + 2], products[i, i + 2]))
            for i in range(2)
        ]
        change_w, change_l = mean_products(products, np.ones(2), d_l).changes()
        mean_good = change_w > 0 and change_l < 0
        hidden += bool(mean_good and own[0] and own[1])
        reverse += bool((change_w < 0 or change_l > 0) and not own[0] and not own[1])
    assert hidden
    assert reverse


@given(st.data())
def test_batches_of_batches_broadcast(data):
    some = [data.draw(batches(pairs=1)) for _ in range(3)]
    arrays = [floats(b) for b in some]
    products, d_w, d_l, weights = (np.stack(column) for column in zip(*arrays, strict=True))
    got = mean_products(products, d_w, d_l, weights)
    for i, batch in enumerate(some):
        one = exact_mean(batch)
        np.testing.assert_allclose([v[i] for v in got], [float(v) for v in one], atol=1e-12)
    change_w, _ = pair_changes(products, d_w, d_l)
    assert change_w.shape == (3, 1)
    assert batch_factor(got).shape == (3,)


def test_weights_default_to_the_mean():
    products = np.arange(16.0).reshape(4, 4)
    half = mean_products(products, [1, 2], [3, 4], [0.5, 0.5])
    assert mean_products(products, [1, 2], [3, 4]) == half
    assert half.w_pull == Fraction(1, 4) * (0 * 1 + 1 * 2 + 4 * 1 + 5 * 2)
    assert half.w_push == Fraction(1, 4) * (2 * 3 + 3 * 4 + 6 * 3 + 7 * 4)
    assert half.l_pull == Fraction(1, 4) * (8 * 1 + 9 * 2 + 12 * 1 + 13 * 2)
    assert half.l_push == Fraction(1, 4) * (10 * 3 + 11 * 4 + 14 * 3 + 15 * 4)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4,), (0, 0)])
def test_products_are_a_square_of_even_size(shape):
    with pytest.raises(ValueError, match="2n × 2n score products"):
        mean_products(np.ones(shape), [1, 1], [1, 1])


def test_pairs_have_as_many_incentives():
    with pytest.raises(ValueError, match="d_l of shape"):
        mean_products(np.eye(4), [1, 1], [1, 1, 1])
    with pytest.raises(ValueError, match="d_w of shape"):
        pair_changes(np.eye(4), [1, 1, 1], [1, 1])
