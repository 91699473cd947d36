"""G and its parts against plain transcriptions; the closed forms against the softmax itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.theory.models.exploration import collision_slope, entropy_slope, success_halves
from disband.theory.models.targets import Control, coefficients, one_pair_service, service

numbers = st.floats(-3, 3)
samples = st.lists(
    st.tuples(numbers, st.sampled_from([-1.0, 0.0, 1.0]), st.floats(0, 5)), min_size=1, max_size=6
)


@given(samples)
def test_the_three_parts_add_up_to_the_update(drawn):
    alignment, sign, weight = np.array(drawn).T
    parts = service(alignment, sign, weight)
    assert parts.sum() == pytest.approx(np.mean(sign * weight * alignment), abs=1e-9)


@given(samples)
def test_each_part_is_what_it_is_called(drawn):
    alignment, sign, weight = np.array(drawn).T
    positive, negative, reweighting = service(alignment, sign, weight)
    mean, count = weight.mean(), len(weight)
    assert positive == pytest.approx(mean * alignment[sign > 0].sum() / count, abs=1e-9)
    assert negative == pytest.approx(-mean * alignment[sign < 0].sum() / count, abs=1e-9)
    served = sign * alignment
    covariance = np.mean(weight * served) - mean * served.mean()
    assert reweighting == pytest.approx(covariance, abs=1e-9)


def test_equal_weights_leave_nothing_to_reweighting():
    assert not coefficients([1, -1, 1], [7.0, 7.0, 7.0])[2].any()


def test_samples_that_count_twice_are_as_good_as_two():
    twice = coefficients([1, -1], [4.0, 1.0], often=np.array([2.0, 1.0]))
    plain = coefficients([1, 1, -1], [4.0, 4.0, 1.0])
    np.testing.assert_allclose(twice, plain[:, [0, 2]])


@pytest.mark.parametrize(
    ("control", "kept"),
    [
        (Control(positive=0), [0, -2, 0, -6]),
        (Control(negative=0), [1, 0, 3, 0]),
        (Control(negative=0.5), [1, -1, 3, -3]),
        (Control(reweighting=0), [3, -3, 3, -3]),
        (Control(reweighting=0.5), [2, -2.5, 3, -4.5]),
    ],
)
def test_a_control_scales_its_component_and_no_other(control, kept):
    whole = coefficients([1, -1, 1, -1], [1.0, 2.0, 3.0, 6.0], control).sum(0)
    np.testing.assert_allclose(whole, kept)


@pytest.mark.parametrize("wrong", [{"positive": -1}, {"negative": np.nan}, {"reweighting": 2}])
def test_a_control_that_turns_signs_is_refused(wrong):
    with pytest.raises(ValueError, match="set a factor to 0"):
        Control(**wrong)


rows = st.lists(st.floats(0.05, 1), min_size=3, max_size=6).map(lambda v: np.array(v) / sum(v))


@given(rows, st.floats(0.01, 8))
def test_the_service_of_one_pair_is_that_of_the_moved_softmax(row, moved):
    logits = np.log(row)
    logits[0] += moved
    logits[1] -= moved
    last = np.exp(logits) / np.exp(logits).sum()
    towards = last - row
    direct = towards @ (np.eye(len(row))[0] - np.eye(len(row))[1])
    assert one_pair_service(row[0], row[1], np.exp(moved)) == pytest.approx(direct, abs=1e-12)
    assert direct > 0


@given(rows)
def test_the_slopes_of_diversity_are_those_of_the_softmax(row):
    def moved(step):
        logits = np.log(row) + step * (np.eye(len(row))[0] - row)
        return np.exp(logits) / np.exp(logits).sum()

    step = 1e-5
    ends = moved(-step), moved(step)
    collision = [(p**2).sum() for p in ends]
    entropy = [-(p * np.log(p)).sum() for p in ends]
    surprise = np.log(row) - (row * np.log(row)).sum()
    slope = collision_slope(row[0], (row**2).sum(), (row**3).sum())
    assert slope == pytest.approx((collision[1] - collision[0]) / (2 * step), abs=1e-7)
    slope = entropy_slope(row[0], surprise[0], (row**2 * surprise).sum())
    assert slope == pytest.approx((entropy[1] - entropy[0]) / (2 * step), abs=1e-7)


@given(rows, st.integers(1, 5), st.integers(0, 1000))
def test_successes_and_failures_serve_in_proportion_to_success(row, right, seed):
    size = len(row)
    succeeds = np.arange(size) < min(right, size - 1)
    target = np.random.default_rng(seed).normal(size=size)
    scores = np.eye(size) - row
    alignment = scores @ target
    rate = row[succeeds].sum()
    advantage = succeeds - rate
    halves = [(row * advantage * alignment)[where].sum() for where in (succeeds, ~succeeds)]
    mean = (row * alignment)[succeeds].sum() / rate
    np.testing.assert_allclose(halves, success_halves(rate, mean), atol=1e-12)
