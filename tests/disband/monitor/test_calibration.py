"""A monitor calibrates when asked to, and only then."""

import numpy as np
import pytest
import torch

pytest.importorskip("trl")

from transformers import TrainerCallback

from disband import Monitor
from disband.lm.model.gpt2 import train_tokenizer
from disband.monitor.tap import Tap
from tests.trl.harness import (
    BYTES,
    CPOTrainer,
    DPOTrainer,
    ORPOTrainer,
    take,
)
from tests.trl.runs import same, trainer_of, watched, weights

# transformers' own calls of names that it has deprecated itself
pytestmark = [
    pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning"),
]
KINDS = (DPOTrainer, CPOTrainer, ORPOTrainer)
TOKENIZER = train_tokenizer([], [], BYTES)


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    """Nothing calls out: a trainer would report that it was made."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("kind", KINDS)
def test_calibration_multiplies_gradients_and_changes_no_value(kind, tmp_path):
    step = take(kind, tmp_path)
    tap = Tap(step.trainer)
    tap.factor = 1.7
    tap.open()
    loss = step.trainer.compute_loss(step.trainer.model, step.batch)
    assert float(loss.detach()) == step.loss
    loss.backward()
    found = torch.cat([p.grad.flatten() for p in step.trainer.model.parameters()])
    pairs = len(step.slopes) // 2
    slopes = torch.cat([step.slopes[:pairs] * 1.7, step.slopes[pairs:] / 1.7])
    if kind is ORPOTrainer:
        # its likelihood also counts the prompt's tokens, chosen ones
        slopes = torch.where(step.attention[:, 1:].bool(), slopes, 0)
    expected = step.through(slopes)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    assert not torch.allclose(found, step.gradient, rtol=1e-2)


def test_calibration_follows_the_averages(tmp_path):
    trainer = trainer_of(CPOTrainer, tmp_path, max_steps=3)
    seen = []

    class Keep(TrainerCallback):
        def on_step_end(self, *_, **__):
            seen.append(monitor.averages)

    monitor = Monitor(every=1, calibrate="average", averaging=0.5).watch(trainer)
    trainer.add_callback(Keep())
    trainer.train()
    lines = [line for line in trainer.state.log_history if "loss" in line]
    assert lines[0]["dynamics/factor"] == 1
    assert lines[0]["dynamics/factor_wanted"] == pytest.approx(seen[0].factor, rel=1e-6)
    for line, averages in zip(lines[1:], seen, strict=False):
        assert line["dynamics/factor"] == pytest.approx(averages.factor, rel=1e-6)
    wanted = [np.log(line["dynamics/factor_wanted"]) for line in lines]
    assert np.log(seen[1].factor) == pytest.approx(np.average(wanted[:2], weights=[0.5, 1]))
    assert seen[0].sums.count == 4


def test_calibration_changes_training(tmp_path):
    kinds = [
        watched(trainer_of(CPOTrainer, tmp_path, max_steps=3), every=1, calibrate=c)
        for c in ("none", "average")
    ]
    (plainly, first, _), (calibrated, second, _) = kinds
    assert first[0]["loss"] == second[0]["loss"]
    assert not same(plainly, calibrated)
    # CPO's pull is much too strong, and calibration weakens it
    assert second[2]["dynamics/factor"] < 1
    assert first[2]["dynamics/factor"] == 1


def test_calibration_resumes_where_it_was(tmp_path):
    settings = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    whole, lines, _ = watched(
        trainer_of(CPOTrainer, tmp_path / "a", **settings), every=1, calibrate="average"
    )
    trainer = trainer_of(CPOTrainer, tmp_path / "b", **settings)
    monitor = Monitor(every=1, calibrate="average").watch(trainer)
    trainer.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))
    resumed = [line for line in trainer.state.log_history if "loss" in line]
    assert resumed[2]["dynamics/factor"] == lines[2]["dynamics/factor"] != 1
    assert same(weights(trainer), whole)
    assert monitor.averages.sums.count > 0
