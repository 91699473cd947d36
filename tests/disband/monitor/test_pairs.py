"""Each pair of a step gets the factor of its own scores, and what has none is left and counted."""

import numpy as np
import pytest
import torch

pytest.importorskip("trl")

from transformers import TrainerCallback

from disband import Monitor
from disband.lm.model.gpt2 import logp, train_tokenizer
from disband.lm.scores.adam import adam_preconditioner
from disband.monitor.callback import Unseen
from disband.monitor.looks import at
from disband.monitor.rows import batches
from disband.theory.objectives import DPO
from tests.lm.scores.materialised import flat, response_scores
from tests.trl.harness import BYTES, PAIRS, CPOTrainer, DPOTrainer, ORPOTrainer
from tests.trl.runs import SGD, same, trainer_of, watched, weights

# transformers' own calls of names that it has deprecated itself
pytestmark = [
    pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning"),
]
TOKENIZER = train_tokenizer([], [], BYTES)
SINGLY = {"every": 1, "calibrate": "pairs", "sample": len(PAIRS)}


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    """Nothing calls out: a trainer would report that it was made."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


class Before(TrainerCallback):
    """Keeps the parameters, and Adam's scale of them if there is one, as each step finds them."""

    def __init__(self, trainer):
        self.values, self.scales, self._trainer = [], [], trainer

    def on_step_begin(self, *_, **__):
        trainer = self._trainer
        self.values.append({n: p.detach().clone() for n, p in trained(trainer.model).items()})
        optimizer = trainer.optimizer.optimizer
        self.scales.append(adam_preconditioner(optimizer, trainer.model) if optimizer.state else {})


def trained(model):
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


def calibrated(trainer, **settings):
    """Train; return what each step found, the pairs it heard, and the lines it logged."""
    before, heard = Before(trainer), []
    trainer.add_callback(before)
    monitor = Monitor(**SINGLY | settings).watch(trainer)
    taken = monitor._tap.taken
    monitor._tap.taken = lambda: heard.append(taken()) or heard[-1]
    trainer.train()
    return before, heard, [line for line in trainer.state.log_history if "loss" in line]


def scores_of(model, values, heard):
    """Scores of chosen and rejected, ``(2, pairs, parameters)``, each by a backward pass."""
    with at(trained(model), values):
        return np.stack([response_scores(model, side) for side in batches(TOKENIZER, heard)])


def incentives(trainer, values, heard):
    both = batches(TOKENIZER, heard)
    with torch.no_grad(), at(trained(trainer.model), values):
        models = (trainer.model, trainer.ref_model)
        found = [logp(model, side).double().numpy() for model in models for side in both]
    return DPO.kernel("incentives", "numpy", beta=trainer.args.beta)(*found, 1, 1)


RUNS = {
    "full": (DPOTrainer, {}),
    "lora": (DPOTrainer, {"lora": True}),
    "accumulation": (
        DPOTrainer,
        {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2},
    ),
    "parts of one pair": (
        DPOTrainer,
        {"lora": True, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 3},
    ),
    "padding-free": (DPOTrainer, {"padding_free": True}),
    "precomputed reference": (DPOTrainer, {"precompute_ref_log_probs": True}),
    "checkpointed activations": (DPOTrainer, {"gradient_checkpointing": True}),
    "CPO": (CPOTrainer, {}),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_step_is_made_of_every_pairs_own_factor(run, tmp_path):
    kind, settings = RUNS[run]
    trainer = trainer_of(kind, tmp_path, **SGD, max_steps=1, **settings)
    before, (heard,), (line,) = calibrated(trainer)
    (values,) = before.values
    count = trainer.args.per_device_train_batch_size * trainer.args.gradient_accumulation_steps
    assert len(heard) == count
    scores = scores_of(trainer.model, values, heard)
    d_w, d_l = (np.array([getattr(h, d) for h in heard]) for d in ("d_w", "d_l"))
    if kind is DPOTrainer:
        start = [np.full(count, trainer.args.beta / 2)] * 2
        expected = start if settings.get("lora") else incentives(trainer, values, heard)
        np.testing.assert_allclose([d_w, d_l], expected, rtol=1e-4)
    norms = np.linalg.norm(scores, axis=2)
    factors = np.sqrt(d_l / d_w * norms[1] / norms[0])
    np.testing.assert_allclose([h.factor for h in heard], factors, rtol=1e-4)
    assert np.ptp(factors) > 0.05 or count == 1
    step = (factors * d_w) @ scores[0] - (d_l / factors) @ scores[1]
    moved = flat(trained(trainer.model)) - flat(values)
    due = trainer.args.learning_rate / count * step
    assert np.linalg.norm(moved - due) < 1e-3 * np.linalg.norm(due)
    assert line["dynamics/uncalibrated"] == 0
    assert line["dynamics/in_band"] == line["dynamics/ideal"] == 1
    assert line["dynamics/factor"] == pytest.approx(line["dynamics/factor_wanted"])


def test_pairs_are_measured_at_every_step_however_seldom_one_looks(tmp_path):
    """With looks at every third step and at one pair, all steps are calibrated as with more."""
    runs = [
        watched(trainer_of(DPOTrainer, tmp_path), calibrate="pairs", **looks)
        for looks in ({"every": 1}, {"every": 3, "sample": 1})
    ]
    assert same(runs[0][0], runs[1][0])
    plainly, _, _ = watched(trainer_of(DPOTrainer, tmp_path))
    assert not same(runs[0][0], plainly)
    assert "dynamics/factor" not in runs[1][1][1]


def test_adams_metric_is_that_which_the_step_before_left(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=2)
    before, heard, lines = calibrated(trainer, metric="adam")
    assert lines[0]["dynamics/uncalibrated"] == lines[0]["dynamics/factor"] == 1
    scores = scores_of(trainer.model, before.values[1], heard[1])
    scale = flat(before.scales[1], trained(trainer.model))
    norms = np.sqrt((scale * scores**2).sum(2))
    ratio = np.array([h.d_l / h.d_w for h in heard[1]])
    factors = np.sqrt(ratio * norms[1] / norms[0])
    np.testing.assert_allclose([h.factor for h in heard[1]], factors, rtol=1e-4)
    assert lines[1]["dynamics/uncalibrated"] == 0


def test_the_likelihood_of_orpo_is_calibrated_with_its_pair(tmp_path):
    _, (heard,), (line,) = calibrated(trainer_of(ORPOTrainer, tmp_path, **SGD, max_steps=1))
    assert len({h.factor for h in heard}) == len(heard)
    assert line["dynamics/in_band"] == 1


def test_incentives_that_are_not_positive_have_no_factor_and_are_counted(tmp_path):
    """IPO pulls the other way where the margin is beyond its target."""
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=1, loss_type="ipo", beta=2.0)
    _, (heard,), (line,) = calibrated(trainer)
    turned = np.array([h.d_w <= 0 for h in heard])
    assert 0 < turned.sum() < len(heard)
    assert all((h.factor == 1) == bad for h, bad in zip(heard, turned, strict=True))
    assert line["dynamics/uncalibrated"] == turned.mean()


def test_incentives_of_zero_train_as_without_calibration(tmp_path):
    settings = {"loss_type": "hinge", "beta": 1e4, "max_steps": 1}
    trainer = trainer_of(DPOTrainer, tmp_path, **settings)
    _, (heard,), (line,) = calibrated(trainer)
    silent_ones = np.array([h.d_w == 0 for h in heard])
    assert silent_ones.any()
    assert line["dynamics/uncalibrated"] == silent_ones.mean()
    assert line["dynamics/still"] == silent_ones.mean()


@pytest.mark.parametrize("why", ["no score", "no memory"])
def test_what_cannot_be_measured_trains_as_without_calibration(why, tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    settings = {"lora": True, "max_steps": 1}
    plainly = trainer_of(DPOTrainer, tmp_path / "plain", **settings)
    plainly.train()
    trainer = trainer_of(DPOTrainer, tmp_path / "watched", **settings)
    if why == "no score":
        # An adapter's first matrix has none while its second one is zero.
        _, _, (line,) = calibrated(trainer, only="lora_A")
        assert line["dynamics/uncalibrated"] == 1
    else:
        monkeypatch.setattr("disband.monitor.callback.look", full)
        with pytest.warns(Unseen) as seen:
            watched(trainer, **SINGLY)
        assert any("memory ran out" in str(one.message) for one in seen)
    assert same(weights(trainer), weights(plainly))


@pytest.mark.filterwarnings("ignore::disband.lm.scores.measurement.SlowScores")
def test_a_parameter_that_adam_never_moved_ends_no_training(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=2)
    trainer.model.register_parameter("idle", torch.nn.Parameter(torch.ones(3)))
    _, _, lines = calibrated(trainer, metric="adam")
    assert lines[1]["dynamics/in_band"] > 0


@pytest.mark.parametrize("calibrate", ["none", "average", "pairs"])
def test_an_error_in_the_middle_of_a_step_leaves_no_hook(calibrate, tmp_path, monkeypatch):
    """Another training of the same model must not be calibrated by the monitor of this one."""
    trainer = trainer_of(DPOTrainer, tmp_path)
    compute, calls = trainer.accelerator.backward, []

    def interrupted(*args, **named):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return compute(*args, **named)

    monkeypatch.setattr(trainer.accelerator, "backward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watched(trainer, every=1, calibrate=calibrate)
    assert not trainer.model._forward_hooks
    assert not trainer.model._forward_pre_hooks
    assert all(p.requires_grad for p in trainer.model.parameters())
