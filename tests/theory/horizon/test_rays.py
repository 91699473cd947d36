"""Log-linear models exactly: against a plain softmax in many digits, at finite t."""

import mpmath
import numpy as np
import pytest

from disband.theory.horizon.rays import Ray, lasting_band, turning_bounds

TIMES = np.array([1e-6, 0.01, 0.3, 1.0, 5.0, 40.0])


def random_ray(seed, *, contexts=3, size=4, tilt=0.0):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(size), contexts)
    tokens = rng.integers(0, size, contexts)
    moves = rng.standard_normal((contexts, size))
    moves[np.arange(contexts), tokens] += tilt
    return Ray(rows, moves, tokens)


def plain(ray, t):
    """Change of the log-probability, from the logits, in as many digits as mpmath works in."""
    total = mpmath.mpf(0)
    for row, move, token in zip(*ray, strict=True):
        after = [mpmath.log(s) + t * mpmath.mpf(u) for s, u in zip(row, move, strict=True)]
        norm = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in after))
        total += after[token] - norm - mpmath.log(row[token]) + mpmath.log(mpmath.fsum(row))
    return total


@pytest.mark.parametrize("seed", range(4))
def test_slope_curvature_change_and_final_slope_are_those_of_a_softmax(seed):
    ray = random_ray(seed, tilt=0.5)
    with mpmath.workdps(50):
        exact = [float(plain(ray, mpmath.mpf(t))) for t in TIMES]
        slope, curvature = (mpmath.diff(lambda t: plain(ray, t), 0, n) for n in (1, 2))
        last = plain(ray, mpmath.mpf(20001)) - plain(ray, mpmath.mpf(20000))
    assert ray.change(TIMES) == pytest.approx(exact, rel=1e-11, abs=1e-17)
    assert float(ray.slope) == pytest.approx(float(slope), abs=1e-12)
    assert float(ray.curvature) == pytest.approx(float(curvature), rel=1e-9)
    assert float(ray.final_slope) == pytest.approx(float(last), abs=1e-9)


def test_the_exact_change_lies_between_its_bounds_and_they_close():
    closed = 0
    for seed in range(200):
        ray = random_ray(seed, tilt=0.4)
        low, high = ray.bounds(TIMES)
        exact = ray.change(TIMES)
        room = 1e-12 * np.maximum(1.0, np.abs(exact))
        assert (low <= exact + room).all()
        assert (exact <= high + room).all()
        closed += (high - low)[1] < 0.02 * TIMES[1]
    assert closed == 200


def test_the_turning_time_is_where_the_exact_change_is_zero():
    rays = [random_ray(seed, tilt=0.8) for seed in range(300)]
    batch = Ray(*(np.stack(part) for part in zip(*rays, strict=True)))
    times = batch.turning_time()
    turns = np.isfinite(times) & (times > 0)
    assert turns.sum() > 100
    assert np.array_equal(times == 0, batch.slope <= 0)
    assert np.array_equal(times == np.inf, (batch.slope > 0) & (batch.final_slope == 0))
    safe = np.where(turns, times, 1.0)
    assert (batch.change(0.999 * safe)[turns] > 0).all()
    assert (batch.change(1.001 * safe)[turns] < 0).all()
    early, late = turning_bounds(batch.slope, batch.curvature, batch.spread)
    assert (early <= times * (1 + 1e-9)).all()
    assert (times <= late * (1 + 1e-9)).all()
    sure = turns & np.isfinite(late)
    assert sure.sum() > 30
    parabola = 2 * batch.slope / -batch.curvature
    assert ((early <= parabola) & (parabola <= late))[sure].all()


def test_the_bounds_of_a_small_rise_are_the_parabolas():
    early, late = turning_bounds(np.array([1e-7, 1e-5]), -1.0, 1.0)
    assert early == pytest.approx([2e-7, 2e-5], rel=1e-5)
    assert late == pytest.approx([2e-7, 2e-5], rel=1e-5)
    assert (early < late).all()
    assert [float(end) for end in turning_bounds(1.0, 0.0, 0.0)] == [np.inf, np.inf]
    with pytest.raises(ValueError, match="at most zero"):
        turning_bounds(1.0, 1.0, 1.0)


def test_an_impossible_token_counts_for_nothing():
    ray = Ray(np.array([[0.5, 0.5, 0.0]]), np.array([[1.0, 0.0, 9.0]]), np.array([0]))
    assert ray.turning_time() == np.inf
    assert (float(ray.spread), float(ray.final_slope)) == (1.0, 0.0)


def test_a_ratio_lasts_iff_the_response_along_it_never_turns():
    ratios = np.geomspace(1e-3, 1e3, 301)
    seen = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows, tokens = rng.dirichlet(np.ones(3), 2), rng.integers(0, 3, 2)
        alpha, beta = rng.standard_normal((2, 2, 3))
        moves = ratios[:, None, None] * alpha - beta
        low, high = lasting_band(alpha, beta, tokens)
        inside = (ratios >= low) & (ratios <= high)
        assert np.array_equal(inside, Ray(rows, moves, tokens).final_slope >= 0)
        seen += inside.any()
    assert seen > 5
