"""Toy worlds: probabilities, values and samples against enumeration of all responses."""

from itertools import product

import numpy as np
import pytest

from disband.sims.worlds.offline import preferences
from disband.sims.worlds.worlds import build

SEEDS = (3, 4)
TREE = {"prompts": 2, "vocabulary": 3, "depth": 3}


def paths(world, prompt):
    """Yield every response to a prompt as its contexts and tokens."""
    levels = list(world.levels())
    for tokens in product(range(world.vocabulary), repeat=len(levels)):
        place, contexts = prompt, []
        for level, token in zip(levels, tokens, strict=True):
            contexts.append(level.start + place)
            place = place * world.vocabulary + token
        yield contexts, list(tokens), place


@pytest.fixture
def tree():
    return build(SEEDS, **TREE)


@pytest.fixture
def probs(tree):
    theta = np.random.default_rng(0).normal(size=tree.start.shape)
    return np.exp(tree.policy.log_probs(theta))


def test_responses_visits_and_reward_are_those_of_all_paths(tree, probs):
    for s in range(len(SEEDS)):
        visits, reward = np.zeros(probs.shape[1]), 0.0
        for prompt in range(tree.prompts):
            for number, (contexts, tokens, place) in enumerate(paths(tree, prompt)):
                chance = np.prod(probs[s, contexts, tokens])
                assert tree.responses(probs)[s, prompt, number] == pytest.approx(chance)
                reward += chance * tree.rewards[s].ravel()[place] / tree.prompts
                visits[contexts] += chance / tree.prompts
        # Every context lies on one path for each response that passes it.
        np.testing.assert_allclose(tree.visits(probs)[s], visits, atol=1e-12)
        assert tree.reward(probs)[s] == pytest.approx(reward)


def test_values_average_to_the_reward(tree, probs):
    values = tree.values(probs)
    mean = (probs * values).sum(-1)
    np.testing.assert_allclose(mean[:, : tree.prompts].mean(-1), tree.reward(probs))
    *_, last = tree.levels()
    np.testing.assert_array_equal(values[:, last], tree.rewards)


def test_middle_tokens_are_idle(tree, probs):
    _, middle, _ = tree.levels()
    values = tree.values(probs)[:, middle]
    np.testing.assert_allclose(values, values[..., :1].repeat(3, -1), atol=1e-12)
    free = build(SEEDS, prompts=2, vocabulary=3, depth=2)
    whole = free.values(np.exp(free.policy.log_probs(free.start)))
    assert np.ptp(whole[:, :2], axis=-1).min() > 0.01


def test_samples_are_as_frequent_as_they_are_likely(tree, probs):
    count = 20_000
    rng = np.random.default_rng(1)
    prompts = np.tile(np.arange(count) % 2, (2, 1))
    events = tree.sample(probs, prompts, rng.random((2, count, 3)))
    first = events.tokens[1, prompts[1] == 0]
    found = np.bincount(first @ np.array([9, 3, 1]), minlength=27) / len(first)
    np.testing.assert_allclose(found, tree.responses(probs)[1, 0], atol=0.015)
    assert events.rewards[1].mean() == pytest.approx(tree.reward(probs)[1], abs=0.03)


def test_a_seed_gives_the_same_world_in_any_company():
    alone, company = build([7], width=3), build([5, 7], width=3)
    np.testing.assert_array_equal(alone.rewards[0], company.rewards[1])
    np.testing.assert_array_equal(alone.policy.features[0], company.policy.features[1])
    one = preferences(alone, [7], pairs=12)
    other = preferences(company, [5, 7], pairs=12)
    np.testing.assert_array_equal(one.chosen.tokens[0], other.chosen.tokens[1])


def test_a_judge_who_never_errs_prefers_the_better():
    world = build(range(4))
    sure = preferences(world, range(4), pairs=64, sharpness=np.inf)
    assert not sure.flipped.any()
    assert (sure.gap >= 0).all()
    np.testing.assert_array_equal(sure.chosen.contexts, sure.rejected.contexts)
    unsure = preferences(world, range(4), pairs=64, sharpness=0.0)
    assert 0.25 < unsure.flipped.mean() < 0.6


def test_verifiable_rewards_are_one_or_none_and_contrary_logits_avoid_them():
    world = build(range(30), verifiable=True, contrary=3.0)
    assert set(np.unique(world.rewards)) == {0.0, 1.0}
    assert world.reward(np.exp(world.policy.log_probs(world.start))).mean() < 0.2


@pytest.mark.parametrize(
    "wrong", [{"prompts": 0}, {"vocabulary": 1}, {"depth": 0}, {"width": 0}], ids=str
)
def test_an_empty_world_is_refused(wrong):
    with pytest.raises(ValueError, match="raise them"):
        build([0], **wrong)
