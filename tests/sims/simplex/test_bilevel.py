"""Stable preference optimization on toys: the exact solver, one step, and what both mean."""

import numpy as np
import pytest
import torch

from disband.sims.simplex.bilevel import SOLVERS, Levels, solve
from disband.sims.simplex.evolution import drawn, evolve
from disband.theory.first_order import first_order
from disband.theory.models.bilevel import metric
from disband.theory.objectives import DPO, RPO
from tests.theory.full_metric import gram_in

torch.set_num_threads(1)


def covariance(world, probs):
    """The curvature of fine-tuning on the chosen, one context, ``(worlds, d, d)``."""
    x, p = world.features[:, 0], probs[:, 0]
    mean = np.einsum("nv,nvd->nd", p, x)
    return np.einsum("nv,nvd,nve->nde", p, x, x) - mean[:, :, None] * mean[:, None]


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_run_starts_at_the_reference(solver):
    world = drawn(0, worlds=8, vocabulary=4)
    run = solve(world, Levels(steps=2), solver)
    np.testing.assert_allclose(run.log_probs[0], world.offsets, atol=1e-7)
    assert run.log_probs.shape == (3, 8, 1, 4)


@pytest.mark.parametrize("width", [None, 3])
def test_what_is_deployed_moves_by_its_incentives_in_the_metric_of_the_lower_level(width):
    world = drawn(1, worlds=30, vocabulary=5, width=width)
    levels = Levels(strength=0.4, weight=0.03, beta=0.1, lr=1e-4, steps=1)
    run = solve(world, levels)
    probs = np.exp(run.log_probs[0])
    a, b = (s[:, 0] for s in world.scores(probs))
    gram = gram_in(metric(covariance(world, probs), levels.strength), a, b)
    up, down = first_order(0.05 + 0.03, 0.05, gram, levels.lr)
    moved = (run.log_probs[1] - run.log_probs[0])[:, 0]
    np.testing.assert_allclose(moved[:, 0], up, rtol=1e-3, atol=1e-10)
    np.testing.assert_allclose(moved[:, 1], down, rtol=1e-3, atol=1e-10)
    # Without the metric the same incentives do something else.
    wrong, _ = first_order(0.08, 0.05, gram_in(np.eye(a.shape[-1]), a, b), levels.lr)
    assert np.abs(moved[:, 0] / wrong - 1).max() > 0.1


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_a_lower_level_it_is_the_upper_one_alone(solver):
    world = drawn(2, worlds=10, vocabulary=4, width=3, contexts=2)
    levels = Levels(strength=1e7, weight=0.05, lr=0.5, steps=20)
    plain = evolve(world, RPO, lr=0.5, steps=20, hyper={"beta": 0.1, "lam": 0.05})
    np.testing.assert_allclose(solve(world, levels, solver).log_probs, plain.log_probs, atol=1e-5)
    dpo = evolve(world, DPO, lr=0.5, steps=20)
    none = Levels(strength=1e7, weight=0.0, lr=0.5, steps=20)
    np.testing.assert_allclose(solve(world, none, solver).log_probs, dpo.log_probs, atol=1e-5)


def test_one_step_is_exact_to_first_order_in_the_inverse_strength():
    world = drawn(3, worlds=20, vocabulary=4)

    def error(strength):
        levels = Levels(strength=strength, lr=0.5, steps=10)
        exact, step = (solve(world, levels, solver).log_probs[-1] for solver in SOLVERS)
        return np.abs(exact - step).max()

    assert error(20.0) < error(5.0) / 8


def test_the_exact_solver_solves_its_lower_level():
    world = drawn(4, worlds=12, vocabulary=6, width=4, contexts=2)
    run = solve(world, Levels(steps=10))
    assert run.residual < 1e-7
    assert solve(world, Levels(steps=10), "one step").residual > 1e-3


def test_misuse_is_refused():
    world = drawn(5, worlds=2)
    with pytest.raises(ValueError, match="a solver is one of"):
        solve(world, Levels(), "hope")
    with pytest.raises(ValueError, match="positive strength"):
        Levels(strength=0.0)
    with pytest.raises(ValueError, match="weight of a bilevel run"):
        Levels(weight=-1.0)
    with pytest.raises(ValueError, match="over a batch of worlds"):
        solve(type(world)(world.features[0], world.offsets[0]), Levels())
    with pytest.raises(ValueError, match="raise the strength"):
        solve(drawn(0, worlds=60, width=4), Levels(strength=0.05, steps=0), "one step")
