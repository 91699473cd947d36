"""A run followed is the optimizer's own, and a coarse one is close to it."""

import numpy as np
import pytest
from torch import float64

from disband.lm.horizon.run import follow, strides
from disband.lm.model.gpt2 import join, logp
from disband.lm.training.finetune import train_preferences
from disband.lm.training.optimizers import KINDS, Rule
from disband.theory.horizon.path import in_epochs
from disband.theory.objectives import DPO
from tests.lm.tiny import model_of


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_torchs_own_run(tokenizer, model, pair, kind):
    rule = Rule(kind, 1e-2)
    course = follow(model, *pair, DPO, rule, steps=7, batch_size=4)
    trained = model_of(tokenizer).to(float64)
    train_preferences(trained, [pair] * 7, DPO, rule=rule, after=lambda _: None)
    ends = logp(trained, join(*pair)).detach().numpy()
    np.testing.assert_allclose(course.logps[-1], ends, rtol=1e-9)
    assert course.gradients == 7


def test_one_gradient_for_four_updates_ends_nearer_than_four_times_the_rate(model, pair):
    rule, most = Rule("adam", 1e-3), {"batch_size": 4}
    whole = follow(model, *pair, DPO, rule, steps=32, **most).change(32)
    coarse = follow(model, *pair, DPO, rule, steps=32, stride=4, **most)
    pilot = follow(model, *pair, DPO, Rule("adam", 4e-3), steps=8, **most).change(8)
    off = np.linalg.norm(coarse.change(32) - whole), np.linalg.norm(pilot - whole)
    assert off[0] < off[1]
    assert coarse.gradients == 15


def test_no_stride_passes_a_stop():
    spans = strides(50, 4, {13, 30})
    done = np.cumsum(spans)
    assert {13, 30, 50} <= set(done.tolist())
    assert max(spans) == 4
    with pytest.raises(ValueError, match="one update or more"):
        strides(10, 0)


def test_every_epoch_has_every_pair_once():
    order = in_epochs(12, 4, 7, seed=3)
    assert len(order) == 7
    for epoch in (order[:3], order[3:6]):
        assert sorted(np.concatenate(epoch)) == list(range(12))
