"""Moving averages as a value: the published ones, without their traps."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.sims.methods.averages import BETA, Averages, LogSums, log_sums
from disband.sims.methods.calibrate import batch_calibrated, rescaled
from disband.theory.gram import Gram

sizes = st.floats(0.01, 100)
batches = st.lists(st.tuples(sizes, sizes, sizes, sizes), min_size=1, max_size=4)


def sums_of(batch):
    d_w, d_l, sq_w, sq_l = np.array(batch, float).reshape(-1, 4).T
    return log_sums(d_w, d_l, Gram(sq_w, sq_l, np.zeros_like(sq_w)))


def published(history, beta):
    """The published way, transcribed: four averages of batch means, from the first batch."""
    means = [np.mean([[math.log(v) for v in pair] for pair in batch], 0) for batch in history]
    average = means[0]
    for mean in means[1:]:
        average = beta * average + (1 - beta) * mean
    log_d_w, log_d_l, log_sq_w, log_sq_l = average
    return math.sqrt(math.exp(log_sq_l / 2 - log_sq_w / 2) / math.exp(log_d_w - log_d_l))


@given(first=batches, rest=st.lists(batches, max_size=5), beta=st.sampled_from([0.0, 0.5, 0.98]))
def test_with_batches_of_one_size_it_is_the_published_average(first, rest, beta):
    history = [(batch * 4)[: len(first)] for batch in (first, *rest)]
    state = Averages.as_published(beta)
    for batch in history:
        state = state.update(sums_of(batch))
    assert state.factor == pytest.approx(published(history, beta), rel=1e-9)
    assert state.sums.count == pytest.approx(len(first) / (1 - beta))


@given(history=st.lists(batches, min_size=1, max_size=5))
def test_the_unbiased_average_weighs_pairs_by_age_alone(history):
    state, total, count = Averages(0.5), 0.0, 0.0
    for age, batch in enumerate(reversed(history)):
        for d_w, d_l, sq_w, sq_l in batch:
            total += 0.5**age * (math.log(sq_l / sq_w) / 2 - math.log(d_w / d_l))
            count += 0.5**age
    for batch in history:
        state = state.update(sums_of(batch))
    assert state.factor == pytest.approx(math.exp(total / count / 2), rel=1e-9)


@given(batch=batches)
def test_one_batch_is_calibrated_by_its_own_means(batch):
    d_w, d_l, sq_w, sq_l = np.array(batch).T
    gram = Gram(sq_w, sq_l, np.zeros_like(sq_w))
    for start in (Averages(), Averages.as_published()):
        factor = start.update(sums_of(batch)).factor
        np.testing.assert_allclose(
            rescaled(d_w, d_l, factor), batch_calibrated(d_w, d_l, gram), rtol=1e-9
        )


@pytest.mark.parametrize("start", [Averages(), Averages.as_published()], ids=["unbiased", "first"])
@pytest.mark.parametrize(
    "dead",
    [
        pytest.param([(0, 0, 1, 1)], id="inactive hinge"),
        pytest.param([(1, 0, 1, 1)], id="no push"),
        pytest.param([(1, 1, 0, 1)], id="zero norm"),
        pytest.param([(-1, 1, 1, 1)], id="negative pull"),
        pytest.param([], id="no pair"),
    ],
)
def test_a_batch_without_a_usable_pair_changes_nothing(start, dead):
    alive = sums_of([(1, 4, 1, 16)])
    known = start.update(alive)
    assert known.factor == pytest.approx(4)
    assert known.update(sums_of(dead)).factor == pytest.approx(4)
    after = start.update(sums_of(dead))
    assert math.isnan(after.factor)
    assert after.update(alive).factor == pytest.approx(4)
    assert rescaled(3.0, 5.0, after.factor) == (3, 5)


def test_the_published_clamp_would_have_poisoned_the_average():
    """A stretch of inactive batches, then a hundred good ones: what ours forgets and theirs not."""
    good, dead = [(1.0, 1.0, 1.0, 1.0)], [(1.0, 0.0, 1.0, 1.0)]
    clamped = [(1.0, 1e-8, 1.0, 1.0)]
    history = [good] * 5 + [dead] * 200 + [good] * 100
    state = Averages.as_published()
    for batch in history:
        state = state.update(sums_of(batch))
    assert state.factor == pytest.approx(1)
    theirs = published([clamped if batch is dead else batch for batch in history], BETA)
    assert theirs < 1 / 3  # the ratio is off by more than nine


def test_pairs_without_logarithms_are_left_out_whole():
    mixed = [(2.0, 1.0, 1.0, 1.0), (0.0, 8.0, 5.0, 5.0), (1.0, 1.0, 1.0, 0.0)]
    assert sums_of(mixed) == sums_of(mixed[:1])
    assert sums_of(mixed).count == 1


@given(one=st.lists(batches, min_size=1, max_size=4), other=st.lists(batches, min_size=1))
def test_what_processes_saw_can_be_added(one, other):
    steps = min(len(one), len(other))
    whole = summed = Averages(0.9)
    for a, b in zip(one[:steps], other[:steps], strict=True):
        whole = whole.update(sums_of(a + b))
        summed = summed.update(sums_of(a) + sums_of(b))
    np.testing.assert_allclose(summed.sums.values, whole.sums.values, rtol=1e-9, atol=1e-9)


@given(history=st.lists(batches, max_size=3), beta=st.sampled_from([0.0, 0.98]))
def test_the_state_survives_a_checkpoint(history, beta):
    state = Averages.as_published(beta)
    for batch in history:
        state = state.update(sums_of(batch))
    assert Averages.from_dict(json.loads(json.dumps(state.to_dict()))) == state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": math.nan}, "finite"),
        ({"count": -1.0}, "at least zero"),
        ({"more": 1.0}, "saved averages hold"),
        ({"beta": 1.0}, "below 1"),
        ({"first_weight": 0.0}, "counts positively"),
    ],
)
def test_a_broken_checkpoint_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Averages.from_dict({**Averages().to_dict(), **change})
    with pytest.raises(ValueError, match="hold"):
        Averages.from_dict({})


def test_updating_leaves_the_old_state_alone():
    old = Averages()
    old.update(sums_of([(1, 2, 3, 4)]))
    assert old == Averages()


@pytest.mark.parametrize("beta", [-0.1, 1.0, math.nan])
def test_the_factor_is_below_one(beta):
    with pytest.raises(ValueError, match="factor of a moving average"):
        Averages(beta)
    with pytest.raises(ValueError, match="moving average"):
        Averages.as_published(beta)


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="1 of the incentives"):
        log_sums([1.0, np.nan], 1.0, Gram(1.0, 1.0, 0.0))


def test_a_long_silence_is_no_crash():
    state = Averages().update(sums_of([(1, 4, 1, 1)]))
    for _ in range(40_000):
        state = state.update(LogSums())
    assert math.isnan(state.factor)
    assert state.update(sums_of([(1, 4, 1, 1)])).factor == pytest.approx(2)


@pytest.mark.parametrize("start", [Averages(0.9), Averages.as_published(0.9)])
def test_a_drift_is_lagged_by_its_steady_state(start):
    drift = 0.01
    state = start
    for t in range(400):
        state = state.update(LogSums(norm_l=drift * t, count=1.0))
    lag = drift * 399 - 2 * math.log(state.factor)
    assert lag == pytest.approx(drift * 0.9 / 0.1, rel=1e-9)
