"""What is kept of scores has their products, and forecasts come close to runs."""

import numpy as np
import torch

from disband.lm.horizon.path import anchor_steps, measure_path
from disband.lm.horizon.run import follow
from disband.lm.horizon.sketch import Sketch
from disband.lm.scores.grams import batch_gram
from disband.lm.training.optimizers import Rule
from disband.theory.horizon.forecast import forecast
from disband.theory.horizon.path import Path
from disband.theory.objectives import DPO, IPO


def products(sketch, model, pair, metric):
    scores = sketch.scores(model, *pair).astype(float)
    kept = torch.cat([metric[n].reshape(-1)[at] for n, at in sketch.places.items()]).numpy()
    return (scores * kept * sketch.weights) @ scores.T


def test_what_is_kept_has_the_products_of_whole_scores(model, pair):
    generator = torch.Generator().manual_seed(0)
    metric = {
        n: torch.rand(p.shape, generator=generator, dtype=p.dtype) + 0.5
        for n, p in model.named_parameters()
    }
    gram = batch_gram(model, *pair, preconditioner=metric)
    places = {n: torch.arange(p.numel()) for n, p in model.named_parameters()}
    size = sum(map(len, places.values()))
    everything = Sketch(places, np.ones(size, np.float32))
    np.testing.assert_allclose(products(everything, model, pair, metric), gram, rtol=1e-4)
    drawn = Sketch.drawn(model, pair[0], 4000, seed=0)
    error = np.abs(products(drawn, model, pair, metric) - gram).max()
    assert error < 0.1 * np.abs(gram).max()


def test_a_forecast_of_another_objective_comes_nearer_than_first_order(model, pair, tmp_path):
    rule = Rule("adam", 1e-3)
    kept = {name: p.clone() for name, p in model.named_parameters()}
    path = measure_path(model, *pair, rule=rule, steps=24, batch_size=2, held_out=pair, seed=5)
    assert all(torch.equal(p, kept[name]) for name, p in model.named_parameters())
    path.save(tmp_path / "path.npz")
    seen = forecast(Path.load(tmp_path / "path.npz"), IPO, seed=1)
    run = follow(model, *pair, IPO, rule, steps=24, batch_size=2, seed=1).change(24)
    by_path, by_start = ((c[-1] - c[0])[:8] for c in (seen.logps, seen.frozen))
    assert np.linalg.norm(by_path - run) < 0.3 * np.linalg.norm(by_start - run)
    np.testing.assert_allclose(seen.chosen, seen.held_chosen, atol=1e-3)


def test_sgd_has_the_rate_at_which_incentives_are_as_strong(model, pair):
    path = measure_path(
        model, *pair, rule=Rule("sgd", 0.5), steps=4, batch_size=4, objectives=(DPO, IPO), anchors=2
    )
    first = [np.flatnonzero((path.branches == branch) & (path.steps == 1))[0] for branch in (0, 1)]
    sizes = [float(np.sqrt(path.moves[i] ** 2 @ path.weights)) for i in first]
    assert 0.5 < sizes[0] / sizes[1] < 2


def test_anchors_lie_early_and_then_evenly():
    assert anchor_steps(96, 13) == [0, 1, 2, 4, 8, 12, 24, 36, 48, 60, 72, 84, 96]
    assert anchor_steps(3, 5)[-1] == 3
