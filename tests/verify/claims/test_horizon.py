"""The points that decide what is said of many steps, in real softmaxes, steps and runs."""

import numpy as np
import pytest

from disband.theory.horizon.balanced import BalancedBatch, Overlap
from disband.theory.horizon.incentives import ipo_rest
from disband.theory.horizon.suffix import SharedSuffix
from disband.verify.claims.disband import horizon
from disband.verify.claims.disband.horizon import suffixes
from disband.verify.deciding.decide import decide

BY_ID = {claim.id.removeprefix("disband.horizon."): claim for claim in horizon.CLAIMS}


def point(name):
    """The decided point of an entry by the names of its symbols, as plain numbers."""
    decision = decide(BY_ID[name])
    found = decision.counterexample or decision.example
    return {str(symbol): float(value) for symbol, value in found.items()}


def suffix_toy(at):
    return SharedSuffix(int(at.get("m", 1)), at["p"], at["q"], at["s"])


def test_the_parabola_misleads_where_the_ledger_says():
    at = point("suffix.parabola-misleads")
    toy = suffix_toy(at)
    assert toy.turning_time(at["r"], 1.0) < toy.turning_time(1.0, 1.0)
    assert toy.rays(at["r"], 1.0)[0].turning_time() == np.inf
    assert toy.rays(1.0, 1.0)[0].turning_time() < np.inf


@pytest.mark.parametrize(("name", "side"), [("suffix.turns", 0), ("suffix.rejected", 1)])
def test_a_response_of_the_suffix_toy_is_down_when_it_says(name, side):
    at = point(name) | {"p": 0.6, "q": 0.3, "s": 0.45, "d_w": 1.2, "d_l": 1.0}
    ray = suffix_toy(at | {"m": 1}).rays(at["d_w"], at["d_l"])[side]
    symbols = {symbol.name: symbol for symbol in BY_ID[name].holds.free_symbols}
    (_, latest) = BY_ID[name].given[-1].args
    time = float(latest.subs({symbols[n]: at[n] for n in ("p", "q", "s", "d_w", "d_l")}))
    assert (ray.change(time * np.array([1.0, 1.5, 20.0])) < 0).all()
    if side == 0:
        assert ray.slope > 0  # although it rises at first


def test_more_suffix_tokens_turn_sooner_exactly_too():
    toys = [SharedSuffix(m, 0.6, 0.3, 0.45) for m in range(1, 6)]
    times = [toy.rays(1.0, 1.0)[0].turning_time() for toy in toys]
    assert (np.diff(times) <= 0).all()
    assert times[0] > times[-1]
    assert suffixes.lasts.subs({suffixes.p: 0.6, suffixes.q: 0.3}) == pytest.approx(1.75)


def test_the_chosen_of_a_balanced_batch_is_down_where_the_ledger_says():
    at = point("labels.chosen-falls")
    one = Overlap(1.0, 0.5, 0.5)
    batch = BalancedBatch(2, 1, one, one, at["p_w"], at["p_l"], at["s"], at["s"])
    move, _ = batch.moves()
    least = 2 + (1 - at["p_w"]) / (at["p_w"] * at["s"])
    assert batch.slope() > 0
    for growth in (at["h"] + 2, least * 1.001, 50.0):
        assert batch.change(np.log(growth) / move) < 0


def bilinear(theta, v):
    """Log-probability of a token whose logit is a product, the other's zero, along v."""

    def logp(t):
        return -np.log1p(np.exp(-(theta + t * v[0]) * t * v[1]))

    return logp


def curvature(logp, step=1e-3):
    return (logp(step) - 2 * logp(0.0) + logp(-step)) / step**2


def test_a_product_of_layers_curves_up_where_the_ledger_says():
    at = point("concave")
    assert curvature(bilinear(at["theta_1"], (at["v_1"], at["v_2"]))) == pytest.approx(1, abs=1e-5)
    at = point("comes-back")
    logp = bilinear(at["theta_1"], (at["v_1"], at["v_2"]))
    assert logp(0.1) < logp(0.0) < logp(3.0)  # it falls, and comes back
    at = point("adapter-start")
    straight = bilinear(2.0, (at["v_1"], 1.5))
    slope = (straight(1e-5) - straight(-1e-5)) / 2e-5
    assert curvature(straight) == pytest.approx(-(slope**2), rel=1e-4)


def test_a_chosen_of_two_pairs_ends_below_its_start_under_ipo():
    at = point("incentives.batch-ends-below")
    a, c_1, c_2 = (np.array([at[f"{name}1"], at[f"{name}2"]]) for name in ("a_", "c_1", "c_2"))
    scores = np.array([a, c_2, a - c_1, 0 * c_2])
    products = scores @ scores.T
    push = np.array([1.0, 1.0, -1.0, -1.0])
    assert (products @ push)[0] > 0
    assert ipo_rest(products, 0.5)[0] < 0
    z = np.zeros(4)
    for _ in range(2000):
        d = 2 * (1 - (z[:2] - z[2:]))
        z = z + 5e-2 * products @ np.concatenate([d, -d])
    assert z == pytest.approx(ipo_rest(products, 0.5), abs=1e-6)
