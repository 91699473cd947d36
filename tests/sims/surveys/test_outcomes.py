"""The map of outcomes is the training of each problem, and shows what methods fail at."""

import numpy as np
import pytest

from benchmarks.toys import SIDES, loop
from benchmarks.toys import starts as benchmark_starts
from disband.sims.methods.averages import Averages, log_sums
from disband.sims.methods.calibrate import rescaled
from disband.sims.methods.treatments import TREATMENTS, Felt, averaged, treatment
from disband.sims.pairs.descent import train
from disband.sims.pairs.policies import LogLinear, Pair
from disband.sims.surveys.entry import Start
from disband.sims.surveys.outcomes import LOST, Outcomes, outcomes
from disband.sims.surveys.two_tokens import Problems, State, crowds, one_pair
from disband.theory.band import Case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import BCE, CPO, DPO, LSIF, OBJECTIVES, SIMPO
from tests.sampling import some

each = pytest.mark.parametrize("name", TREATMENTS)
ENTANGLED = Start(margin=0.0, norm_ratio=2.0, cosine=0.9)  # ρ > 1/s: DPO lowers the chosen
RATES = np.geomspace(0.1, 300, 9)


def starts(count=60, seed=0):
    rng = np.random.default_rng(seed)
    return Start(
        rng.uniform(-2, 2, count),
        np.exp(rng.uniform(-1.5, 1.5, count)),
        rng.uniform(-0.5, 1, count),
    )


def as_policy(problems, i):
    """The same problem as a policy of two tokens per context, whose second logit is fixed."""
    features = np.linalg.cholesky(problems.moved[i])
    half = np.sqrt(0.5)  # both logits of a context move, by half each and apart
    offsets = np.stack([problems.odds[i] / 2, -problems.odds[i] / 2], -1)
    n = problems.pairs
    counts = np.zeros((2, 2 * n, 2))
    counts[0, :n, 0] = counts[1, n:, 0] = 1
    return LogLinear(features * half, offsets), Pair(*counts)


@some
def test_a_map_is_the_training_of_each_problem(objective):
    problems = one_pair(Start(0.0, np.array([0.5, 1.0, 2.0]), np.array([0.2, 0.9, 0.7])))
    rate, steps = 0.02, 6
    found = outcomes(objective, problems, lr=rate, steps=steps).at(0)
    for i in range(3):
        policy, pair = as_policy(problems, i)
        run = train(policy, pair, np.zeros((2, 2)), objective, lr=rate, steps=steps)
        change_w, change_l = run.measured
        assert found.change_w[i] == pytest.approx(change_w.sum(), rel=1e-9, abs=1e-14)
        assert found.change_l[i] == pytest.approx(change_l.sum(), rel=1e-9, abs=1e-14)
        assert found.fell[i] == pytest.approx((change_w < 0).mean())
        assert found.rose[i] == pytest.approx((change_l > 0).mean())
        assert found.cosine[i] == pytest.approx(run.gram.cosine[0])


@each
def test_a_method_on_the_map_is_the_method_in_training(name):
    problems = one_pair(starts(5)._replace(margin=0.0))  # a training's reference is its start
    found = outcomes(DPO, problems, lr=3.0, steps=5, method=name).at(0)
    for i in range(5):
        past = None

        def method(d_w, d_l, gram):
            nonlocal past
            whole = np.array([[gram.sq_w, gram.dot], [gram.dot, gram.sq_l]])
            lifted = Gram(*(np.reshape(v, (1, 1)) for v in (gram.sq_w, gram.sq_l, gram.dot)))
            felt = Felt(np.reshape(d_w, (1, 1)), np.reshape(d_l, (1, 1)), lifted,
                        lambda: whole[None], past)  # fmt: skip
            got, past = TREATMENTS[name](felt)
            return type(got)(got.d_w[0, 0], got.d_l[0, 0])

        policy, pair = as_policy(problems, i)
        run = train(policy, pair, np.zeros((2, 2)), DPO, lr=3.0, steps=5, method=method)
        assert found.change_w[i] == pytest.approx(run.measured[0].sum(), rel=1e-9)
        assert found.change_l[i] == pytest.approx(run.measured[1].sum(), rel=1e-9)


def test_the_map_of_thousands_is_the_map_of_each(monkeypatch):
    problems = one_pair(starts(40))
    whole = outcomes(BCE, problems, lr=2.0, steps=4, method="reward calibration")
    monkeypatch.setattr("disband.sims.surveys.outcomes.BLOCK", 7)
    parted = outcomes(BCE, problems, lr=2.0, steps=4, method="reward calibration")
    for field in ("case", "change_w", "change_l", "fell", "rose", "inside", "cosine"):
        np.testing.assert_array_equal(getattr(whole, field), getattr(parted, field))


def test_problems_and_step_sizes_broadcast():
    problems = one_pair(Start(0.0, np.array([0.5, 2.0])[:, None], np.array([0.1, 0.5, 0.9])))
    found = outcomes(DPO, problems, lr=np.array([1.0, 2.0])[:, None, None], steps=2)
    assert found.case.shape == (2, 2, 3, 1)
    again = outcomes(DPO, problems, lr=2.0, steps=2)
    np.testing.assert_array_equal(found.change_w[1], again.change_w)


def test_dpo_lowers_the_chosen_where_the_theory_says_so():
    """To first order iff the cosine exceeds the norm ratio or its inverse."""
    start = starts(400)
    found = outcomes(DPO, one_pair(start), lr=1e-3, steps=1).at(0)
    least = np.minimum(start.norm_ratio, 1 / start.norm_ratio)
    clear = np.abs(start.cosine - least) > 1e-3
    together = np.isin(found.case, [Case.BOTH_FALL, Case.BOTH_RISE])
    np.testing.assert_array_equal(together[clear], (start.cosine > least)[clear])
    assert (found.case[together & (start.norm_ratio > 1)] == Case.BOTH_FALL).all()
    np.testing.assert_array_equal(found.inside_first[clear], ~together[clear])


PAIRWISE = ("reward calibration", "equal and opposite", "normalised gradients")


@pytest.mark.parametrize("name", PAIRWISE)
@pytest.mark.parametrize("objective", [DPO, SIMPO, BCE], ids=lambda o: o.name)
def test_a_calibrated_pair_goes_right_when_steps_are_small(objective, name):
    start = starts(300)
    found = outcomes(objective, one_pair(start), lr=1e-3, steps=5, method=name).at(0)
    assert (found.inside == 1).all()
    open_band = start.cosine < 0.999
    assert (found.case[open_band] == Case.IDEAL).all()


def test_failure_a_big_step_beyond_the_edge_overshoots_although_it_is_in_the_band():
    """log π is concave: at the lower edge first order promises nothing, and the chosen falls."""
    problems = one_pair(ENTANGLED)
    found = outcomes(DPO, problems, lr=RATES, steps=3, method="nearest in band").at(0)
    assert (found.inside == 1).all()
    assert (found.fell > 0).any()


def test_failure_averages_lag_a_band_that_moves():
    rng = np.random.default_rng(1)
    start = Start(0.0, np.exp(rng.uniform(0.5, 1.5, 200)), 0.97)
    found = {
        name: outcomes(DPO, one_pair(start), lr=60.0, steps=20, method=name).at(0)
        for name in ("reward calibration", "reward calibration, averaged")
    }
    assert (found["reward calibration"].inside == 1).all()
    lag = found["reward calibration, averaged"]
    assert lag.inside_first.all()  # the first average is exact
    assert (lag.inside < 1).any()
    assert (lag.fell > 0).any()


def test_failure_what_is_measured_on_other_parameters_calibrates_these():
    problems = one_pair(Start(0.0, np.exp(np.linspace(-1, 1, 9)), 0.9), seen_ratio=0.5)
    found = outcomes(DPO, problems, lr=1e-3, steps=1, method="reward calibration").at(0)
    assert not found.inside_first.any()  # log 2 is more than -log 0.9
    assert (found.case == Case.BOTH_FALL).all()
    right = one_pair(Start(0.0, np.exp(np.linspace(-1, 1, 9)), 0.9))
    assert outcomes(DPO, right, lr=1e-3, steps=1, method="reward calibration").inside_first.all()


def test_failure_a_fixed_likelihood_term_is_right_for_some_pairs_alone():
    start = Start(0.0, np.array([0.5, 2.0, 4.0]), 0.9)  # it doubles DPO's pull: r = 2
    found = outcomes(DPO, one_pair(start), lr=1e-3, steps=1, method="NLL term").at(0)
    assert found.case.tolist() == [Case.BOTH_RISE, Case.IDEAL, Case.BOTH_FALL]


def test_failure_pairs_each_in_their_band_go_wrong_together():
    crowd = crowds(200, 8, dimensions=4, seed=3)
    found = outcomes(DPO, crowd, lr=1e-3, steps=1, method="reward calibration")
    assert (found.inside == 1).all()
    assert (found.case != Case.IDEAL).mean() > 0.2


def test_the_mean_of_a_batch_goes_right_in_its_band():
    crowd = crowds(300, 8, dimensions=4, seed=3)
    found = {
        name: outcomes(DPO, crowd, lr=1e-4, steps=1, method=name) for name in ("none", "batch band")
    }
    wrong = {
        name: ((one.change_w.mean(-1) < 0) | (one.change_l.mean(-1) > 0)).mean()
        for name, one in found.items()
    }
    assert wrong["batch band"] == 0 < wrong["none"]


def test_moving_averages_are_those_of_one_process():
    rng = np.random.default_rng(4)
    d_w, d_l, sq_w, sq_l = rng.uniform(0.1, 2, (4, 6, 5))
    d_w[0] = 0  # the first batch has no usable pair
    d_l[3, 2] = -1
    state, past = Averages.as_published(), None
    for step in range(6):
        gram = Gram(sq_w[step], sq_l[step], np.zeros(5))
        state = state.update(log_sums(d_w[step], d_l[step], gram))
        lifted = Gram(*(v[None] for v in (gram.sq_w, gram.sq_l, gram.dot)))
        got, past = averaged(Felt(d_w[None, step], d_l[None, step], lifted, dict, past))
        expected = rescaled(d_w[step], d_l[step], np.full(5, state.factor))
        np.testing.assert_allclose(got.d_w[0], expected.d_w, rtol=1e-12)
        np.testing.assert_allclose(got.d_l[0], expected.d_l, rtol=1e-12)


def test_a_run_that_leaves_the_numbers_is_lost_and_the_others_are_not():
    problems = one_pair(Start(0.0, np.array([1.0, 50.0]), 0.5, -0.5))
    found = outcomes(LSIF, problems, lr=np.array([0.1, 1e200]), steps=12).at(0)
    assert found.case.tolist()[0] != LOST
    assert np.isfinite(found.change_w[0])
    shares = found.shares()
    assert sum(shares.values()) == pytest.approx(1)


@each
def test_no_method_stops_at_incentives_that_are_zero_or_vanish(name):
    problems = one_pair(starts(30))
    found = outcomes(CPO, problems, lr=1e3, steps=30, method=name)
    assert np.isfinite(found.margin).all()
    asleep = outcomes(OBJECTIVES_BY_NAME["SLiC-HF"], problems, lr=50.0, steps=30, method=name)
    assert isinstance(asleep, Outcomes)


OBJECTIVES_BY_NAME = {o.name: o for o in OBJECTIVES}


def test_the_start_is_what_was_asked_for():
    start = starts(20)
    problems = one_pair(start)
    gram = State.of(problems.odds).gram(problems.moved)
    np.testing.assert_allclose(gram.norm_ratio[:, 0], start.norm_ratio, rtol=1e-12)
    np.testing.assert_allclose(gram.cosine[:, 0], start.cosine, rtol=1e-12, atol=1e-15)
    scores = State.of(problems.odds).scores(problems.moved)
    np.testing.assert_allclose(scores[:, 0, 1], gram.dot[:, 0], rtol=1e-14)


def test_a_crowd_is_a_gram_matrix_and_reproducible():
    one, other = (crowds(4, 3, dimensions=5, seed=9) for _ in range(2))
    np.testing.assert_array_equal(one.moved, other.moved)
    assert np.linalg.eigvalsh(one.moved).min() > -1e-12
    up, down = first_order(1.0, 1.0, State.of(one.odds).gram(one.moved))
    assert up.shape == down.shape == (4, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: treatment("magic"), "a method is one of none, reward calibration"),
        (lambda: outcomes(DPO, one_pair(ENTANGLED), lr=0.0, steps=1), "at least one step"),
        (lambda: outcomes(DPO, one_pair(ENTANGLED), lr=1.0, steps=0), "at least one step"),
        (lambda: one_pair(ENTANGLED, seen_ratio=0.0), "positive and finite"),
        (lambda: crowds(0, 1, dimensions=1), "a crowd has problems"),
        (lambda: Problems(np.zeros(3), np.zeros(3), np.eye(3)), "2n log-odds"),
        (lambda: Problems(np.zeros(2), np.zeros(2), np.eye(4)), "feature products"),
    ],
)
def test_bad_requests_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("side", SIDES)
def test_the_benchmark_compares_equal_work(side):
    method, kind = SIDES[side]
    problems, rates = benchmark_starts(12)
    ours = outcomes(DPO, problems, lr=rates, steps=4, method=method).at(0)
    theirs = loop(problems, rates, 4, kind)
    found = [ours.case, ours.fell, ours.rose] + ([] if kind == "plain" else [ours.inside])
    np.testing.assert_allclose(np.stack(found, -1), theirs[:, : len(found)])
