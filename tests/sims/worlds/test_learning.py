"""Updates of DPO and policy gradients: against finite differences, and part by part."""

from dataclasses import replace

import numpy as np
import pytest

from disband.sims.worlds.learning import Offline, OnPolicy, _advantages, learn, logp
from disband.sims.worlds.offline import preferences
from disband.sims.worlds.target_study import TargetSetting, entropy_slopes, level, run, services
from disband.sims.worlds.worlds import build
from disband.theory.models.targets import Control
from disband.theory.objectives import DPO

SEEDS = (11, 12)
TREE = {"prompts": 2, "vocabulary": 3, "depth": 3}
SMALL = {"prompts": 3, "vocabulary": 4, "width": 2}
WORLDS = [TREE, SMALL]
METHODS = [
    Offline(),
    Offline(batch=4),
    Offline(objective="cDPO", beta=2.0),
    OnPolicy(),
    OnPolicy(exact=True),
    OnPolicy("baseline", epochs=1),
    OnPolicy("group", samples=4),
]


def trained(shape, method, steps=3, lr=1.0):
    world = build(SEEDS, **shape)
    data = preferences(world, SEEDS, pairs=12)
    return world, data, learn(world, method, data, SEEDS, steps=steps, lr=lr)


def slope(function, theta, direction, step=1e-6):
    ends = [function(theta + sign * step * direction) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("shape", WORLDS, ids=["tree", "linear"])
def test_dpo_descends_the_mean_loss_of_the_catalogue(shape):
    world, data, record = trained(shape, Offline(), steps=1)
    loss, reference = DPO.kernel("loss", beta=0.5), world.policy.log_probs(world.start)

    def mean(theta):
        logs = world.policy.log_probs(theta)
        sides = (data.chosen, data.rejected)
        now, ref = ([logp(at, side) for side in sides] for at in (logs, reference))
        return loss(*now, *ref, 1, 1).mean(-1)

    direction = np.random.default_rng(0).normal(size=world.start.shape)
    moved = record.moves[0].sum(0)
    # The move of the logits is φφᵀM: its product with any φ-direction's own logits is the slope.
    rows = np.linalg.pinv(world.overlaps) @ moved
    along = (rows * (world.policy.features @ direction)).sum((-1, -2))
    np.testing.assert_allclose(along, -slope(mean, world.start, direction), atol=1e-7)


@pytest.mark.parametrize("shape", WORLDS, ids=["tree", "linear"])
def test_exact_ppo_ascends_the_mean_reward(shape):
    world, _, record = trained(shape, OnPolicy(exact=True), steps=1)
    direction = np.random.default_rng(0).normal(size=world.start.shape)
    rows = np.linalg.pinv(world.overlaps) @ record.moves[0].sum(0)
    along = (rows * (world.policy.features @ direction)).sum((-1, -2))

    def reward(theta):
        return world.reward(np.exp(world.policy.log_probs(theta)))

    np.testing.assert_allclose(along, slope(reward, world.start, direction), atol=1e-7)


def test_samples_average_to_the_exact_update():
    few = {"prompts": 2, "vocabulary": 3}
    _, _, exact = trained(few, OnPolicy(exact=True), steps=1)
    for advantage in ("critic", "baseline"):
        method = OnPolicy(advantage, samples=20_000, epochs=1)
        _, _, record = trained(few, method, steps=1)
        np.testing.assert_allclose(record.moves[0].sum(0), exact.moves[0].sum(0), atol=0.01)


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("shape", WORLDS, ids=["tree", "linear"])
def test_the_parts_are_the_update_and_so_are_the_groups(shape, method):
    world, _, record = trained(shape, method)
    np.testing.assert_allclose(record.moves.sum(1), record.groups.sum(1), atol=1e-12)
    parts = services(world, record, record.moves)
    np.testing.assert_allclose(
        parts.sum(1), services(world, record, record.moves.sum(1, keepdims=True))[:, 0], atol=1e-12
    )
    # The logits move by the step size times the moves, up to a constant of each row.
    before, after = np.log(record.probs[0]), np.log(record.probs[1])
    moved = record.moves[0].sum(0)
    change = after - before - moved
    assert np.ptp(change, axis=-1).max() < 1e-10


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_service_is_what_the_update_does_for_the_final_responses(method):
    world, _, record = trained(TREE, method, steps=4)
    final = world.responses(record.probs[-1])
    rows = np.linalg.pinv(world.overlaps) @ record.moves[1].sum(0)
    direction = np.swapaxes(world.policy.features, -1, -2) @ rows
    logs = np.log(record.probs[1])
    back = np.swapaxes(world.policy.features, -1, -2)
    theta = np.linalg.pinv(back @ world.policy.features) @ back @ (logs - np.log(record.probs[0]))

    def mean_logp(at):
        probs = np.exp(world.policy.log_probs(at))
        return (final * np.log(world.responses(probs))).sum(-1).mean(-1)

    found = services(world, record, record.moves)[1].sum(0)
    np.testing.assert_allclose(found, slope(mean_logp, theta, direction), atol=1e-6)


def test_even_weights_make_both_halves_of_exact_ppo_one_vector():
    for shape in WORLDS:
        _, _, record = trained(shape, OnPolicy(exact=True))
        assert record.moves[:, 0].any()
        np.testing.assert_allclose(record.moves[:, 0], record.moves[:, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("control", "gone"),
    [
        (Control(positive=0), 0),
        (Control(negative=0), 1),
        (Control(reweighting=0), 2),
    ],
)
@pytest.mark.parametrize("method", [Offline(), OnPolicy()], ids=["DPO", "PPO"])
def test_a_dropped_component_is_gone(method, control, gone):
    _, _, record = trained(SMALL, replace(method, control=control))
    assert not record.moves[:, gone].any()
    assert record.moves[:, {0: 1, 1: 0, 2: 0}[gone]].any()


def test_the_advantages_of_a_group_are_those_of_its_own_prompt():
    world, method = build(SEEDS, **SMALL), OnPolicy("group", samples=4)
    count = world.prompts * method.samples
    probs = np.exp(world.policy.log_probs(world.start))
    rng = np.random.default_rng(0)
    prompts = np.tile(np.arange(count) % world.prompts, (len(SEEDS), 1))
    events = world.sample(probs, prompts, rng.random((len(SEEDS), count, 1)))
    rewards = rng.normal(size=events.rewards.shape) + 10 * prompts  # prompts that differ much
    found = _advantages(world, method, probs, replace(events, rewards=rewards))
    for prompt in range(world.prompts):
        own = [i for i in range(count) if prompts[0, i] == prompt]
        for seed, seen in enumerate(rewards[:, own]):
            expected = [(r - np.mean(seen)) / np.std(seen) for r in seen]
            np.testing.assert_allclose(found[seed, own, 0], expected, rtol=1e-9)


def test_a_first_epoch_is_not_clipped_and_later_ones_are():
    _, _, once = trained(SMALL, OnPolicy("critic", epochs=1), steps=1)
    _, _, often = trained(SMALL, OnPolicy("critic", epochs=6), steps=6, lr=30.0)
    assert once.moves.any()
    assert np.abs(often.moves[5]).max() < np.abs(often.moves[0]).max() / 10


def test_groups_that_are_left_out_push_nothing():
    _, _, record = trained(SMALL, OnPolicy(keep=(False, True, False)))
    assert not record.groups[:, [0, 2]].any()
    assert record.groups[:, 1].any()


def test_idle_tokens_are_taught_by_whole_response_advantages_alone():
    setting = TargetSetting(prompts=2, vocabulary=3, depth=3, steps=10)
    critic, group = (run(setting, OnPolicy(a), SEEDS) for a in ("critic", "group"))
    assert np.abs(critic.idle_drift).max() < 1e-12
    assert group.idle_drift[-1].min() > 1e-4


def test_the_slope_of_the_entropy_is_exact():
    world = build(SEEDS, **TREE)

    def entropy(theta):
        responses = world.responses(np.exp(world.policy.log_probs(theta)))
        return -(responses * np.log(responses)).sum(-1).mean(-1)

    direction = np.random.default_rng(3).normal(size=world.start.shape)
    slopes = entropy_slopes(world, np.exp(world.policy.log_probs(world.start)))
    along = (slopes * (world.policy.features @ direction)).sum((-1, -2))
    np.testing.assert_allclose(along, slope(entropy, world.start, direction), atol=1e-7)


def test_a_course_is_the_same_in_any_company():
    setting = TargetSetting(prompts=2, vocabulary=4, steps=5)
    for method in (Offline(batch=4), OnPolicy()):
        alone, company = run(setting, method, [9]), run(setting, method, [8, 9])
        np.testing.assert_allclose(alone.total[:, 0], company.total[:, 1], rtol=1e-12)


def test_a_level_is_where_it_is_first_reached():
    along = np.array([[0.0, 0.0, 0.0], [1.0, 0.2, 0.0], [3.0, 0.4, 9.0], [0.0, 0.6, 9.0]])
    value = np.array([[10.0, 5.0, 1.0], [20.0, 6.0, 2.0], [40.0, 7.0, 3.0], [0.0, 8.0, 4.0]])
    found = level(along, value, np.array([2.0, 0.7, 9.0]))
    np.testing.assert_allclose(found, [30.0, np.nan, 3.0])


def test_offline_training_without_pairs_is_refused():
    with pytest.raises(ValueError, match=r"give disband.sims.worlds.offline data"):
        learn(build(SEEDS), Offline(), None, SEEDS, steps=1, lr=1.0)
