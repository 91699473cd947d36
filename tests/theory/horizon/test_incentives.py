"""Frozen scores, live incentives: closed forms against the objectives' own kernels, integrated."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.horizon.incentives import (
    bce_floor,
    cpo_rest,
    ddro_rest,
    dpo_margin,
    ipo_margin,
    ipo_rest,
)
from disband.theory.objectives import BCE, CPO, DDRO, DPO, IPO

GRAM = Gram(1.0, 2.5, 1.2)
REF = -20.0


def path(objective, gram, t, **hyper):
    """Both log-probabilities over the reference at the times t."""
    kernel = objective.kernel("incentives", "numpy", **hyper)

    def speeds(_, z):
        d_w, d_l = kernel(REF + z[0], REF + z[1], REF, REF, 1, 1)
        return np.array(first_order(d_w, d_l, gram))

    run = solve_ivp(speeds, (0, t[-1]), [0.0, 0.0], t_eval=t, rtol=1e-9, atol=1e-11)
    return run.y


def test_dpo_follows_its_closed_margin_and_neither_response_turns():
    t = np.array([0.1, 1.0, 10.0, 300.0])
    z_w, z_l = path(DPO, GRAM, t, beta=0.7)
    margin = dpo_margin(t, GRAM, 0.7)
    assert margin == pytest.approx(z_w - z_l, rel=1e-7)
    assert z_w == pytest.approx(margin * (1.0 - 1.2) / (1.0 - 2.4 + 2.5), rel=1e-7)
    assert np.isfinite(dpo_margin(1e9, GRAM, 1.0))


def test_ipo_ends_at_its_target():
    t = np.array([0.05, 0.5, 20.0])
    z_w, z_l = path(IPO, GRAM, t, beta=0.1)
    assert ipo_margin(t, GRAM, 0.1) == pytest.approx(z_w - z_l, rel=1e-7)
    products = np.array([[1.0, 1.2], [1.2, 2.5]])
    assert ipo_rest(products, 0.1) == pytest.approx([z_w[-1], z_l[-1]])


def test_a_batch_under_ipo_ends_where_plain_steps_bring_it():
    a = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    b = np.array([[0.0, 0.0, 2.0], [0.0, -2.0, 0.5]])
    scores = np.concatenate([a, b])
    products = scores @ scores.T
    z, beta = np.zeros(4), 0.5
    for _ in range(20000):
        d = 2 * (1 / (2 * beta) - (z[:2] - z[2:]))
        z = z + 1e-2 * products @ np.concatenate([d, -d])
    assert ipo_rest(products, beta) == pytest.approx(z, abs=1e-9)
    with pytest.raises(ValueError, match="leave out a pair"):
        ipo_rest(np.tile(products[:1, :1], (4, 4)), beta)


def test_cpo_rests_at_a_margin_and_both_rise_together():
    gram = Gram(1.0, 2.0, 1.3)
    rest = cpo_rest(gram, 1.0, 0.5)
    z_w, z_l = path(CPO, gram, np.array([200.0, 201.0]), beta=1.0, lam=0.5)
    assert z_w[1] - z_l[1] == pytest.approx(rest.level, rel=1e-5)
    assert np.diff(z_w)[0] == pytest.approx(rest.speed, rel=1e-5)
    assert np.diff(z_l)[0] == pytest.approx(rest.speed, rel=1e-5)
    assert np.isnan(cpo_rest(Gram(1.0, 2.0, 0.9), 1.0, 0.5).level)
    assert np.isnan(cpo_rest(gram, 1.0, 50.0).level)


def test_ddro_brings_the_rejected_to_rest_and_the_chosen_up():
    z_w, z_l = path(DDRO, GRAM, np.array([0.1, 40.0, 41.0]))
    rest = ddro_rest(GRAM)
    assert z_w[0] < 0 < np.diff(z_w)[1]
    assert z_l[-1] == pytest.approx(rest.level, rel=1e-6)
    assert np.diff(z_w)[1] == pytest.approx(rest.speed, rel=1e-6)
    assert np.isnan(ddro_rest(Gram(1.0, 1.0, -0.1)).speed)


def test_bce_keeps_the_chosen_above_its_floor():
    grams = Gram(np.array([1.0, 1.0, 1.0]), np.array([9.0, 3.0, 30.0]), np.array([0.9, 1.5, 2.5]))
    assert bce_floor(grams) == pytest.approx([0.0, np.log(0.5 / 1.5), -np.inf])
    z_w, z_l = path(BCE, Gram(1.0, 3.0, 1.5), np.linspace(0.1, 500, 200))
    assert z_w.min() < -0.05
    assert z_w.min() >= np.log(0.5 / 1.5)
    assert (z_l < 0).all()
