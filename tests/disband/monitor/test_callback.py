"""A monitor sees what a trainer does, and training does not notice it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

pytest.importorskip("trl")


from disband import Monitor
from disband.lm.model.gpt2 import logp, train_tokenizer
from disband.lm.scores.grams import directional, pair_gram
from disband.monitor.callback import Unseen
from disband.monitor.looks import agree, logps, look
from disband.monitor.numbers import NAMES
from disband.monitor.rows import batches
from disband.monitor.tap import Tap
from disband.verify.kept.provenance import ROOT
from tests.lm.scores.materialised import flat, token_logp
from tests.lm.tiny_models import pairs, tiny
from tests.trl.harness import (
    BYTES,
    PAIRS,
    CPOTrainer,
    DPOTrainer,
    KTOTrainer,
    ORPOTrainer,
    plain,
    take,
)
from tests.trl.runs import SGD, same, trainer_of, watched, weights

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


RUNS = {
    "full": (DPOTrainer, {}),
    "lora": (DPOTrainer, {"lora": True}),
    "accumulation": (
        DPOTrainer,
        {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2},
    ),
    "padding-free": (DPOTrainer, {"padding_free": True}),
    "precomputed reference": (DPOTrainer, {"precompute_ref_log_probs": True}),
    "dropout": (DPOTrainer, {"lora": True, "disable_dropout": False, "lora_dropout": 0.2}),
    "checkpointed activations": (DPOTrainer, {"gradient_checkpointing": True}),
    "half precision": (DPOTrainer, {"bf16": True}),
    "CPO": (CPOTrainer, {}),
    "ORPO": (ORPOTrainer, {}),
}


@pytest.mark.parametrize(
    "run",
    [pytest.param(r, marks=[] if r in ("full", "lora") else pytest.mark.slow) for r in RUNS],
)
def test_training_under_a_monitor_is_the_same_to_the_last_bit(run, tmp_path):
    kind, settings = RUNS[run]
    alone = trainer_of(kind, tmp_path / "alone", **settings)
    before = weights(alone)
    alone.train()
    found, lines, _ = watched(trainer_of(kind, tmp_path / "watched", **settings), every=1, sample=3)
    assert same(found, weights(alone))
    assert not same(found, before)
    own = [line for line in alone.state.log_history if "loss" in line]
    assert len(lines) == len(own) == 3
    for mine, line in zip(lines, own, strict=True):
        assert set(NAMES) <= set(mine)
        assert {name: mine[name] for name in line} == line
        assert mine["dynamics/pairs"] == 3
        assert mine["dynamics/uncalibrated"] == 1


def test_a_monitor_looks_at_its_cadence(tmp_path):
    _, lines, _ = watched(trainer_of(DPOTrainer, tmp_path, max_steps=5), every=2)
    assert [line["step"] for line in lines if "dynamics/cosine" in line] == [2, 4]


def test_the_first_step_is_looked_at_where_it_is_logged(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, logging_first_step=True, max_steps=3)
    _, lines, _ = watched(trainer, every=3)
    assert [line["step"] for line in lines if "dynamics/cosine" in line] == [1, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_incentives_are_the_derivatives_of_the_trainers_loss(kind, tmp_path):
    step = take(kind, tmp_path)
    step.trainer.current_gradient_accumulation_steps = 2
    tap = Tap(step.trainer)
    tap.open()
    tap.begin(len(PAIRS))
    (step.trainer.compute_loss(step.trainer.model, step.batch) / 2).backward()
    heard = tap.taken()
    slopes = (step.slopes.detach().double() * step.mask).sum(1) / step.mask.sum(1)
    pairs = len(slopes) // 2
    d_w, d_l = -pairs * slopes[:pairs], pairs * slopes[pairs:]
    # half of what is wanted, as this is one part of two
    assert len(heard) == pairs / 2
    assert np.allclose([h.d_w for h in heard], d_w[: len(heard)], rtol=1e-5)
    assert np.allclose([h.d_l for h in heard], d_l[: len(heard)], rtol=1e-5)
    for i, one in enumerate(heard):
        assert one.answers[1] == step.ids[pairs + i][1:][step.mask[pairs + i]].tolist()


def test_incentives_are_those_of_the_margin_that_the_trainer_logs(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, per_device_train_batch_size=1, beta=0.3)
    _, lines, _ = watched(trainer, every=1)
    for line in lines:
        expected = 0.3 / (1 + np.exp(line["rewards/margins"]))
        assert line["dynamics/incentive_chosen"] == pytest.approx(expected, rel=1e-5)
        assert line["dynamics/incentive_ratio"] == pytest.approx(1, rel=1e-5)


def test_what_is_measured_is_what_the_step_did(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, pairs=PAIRS[:4], max_steps=1)
    batch = next(iter(trainer.get_train_dataloader()))
    ids, attention = batch["input_ids"], batch["attention_mask"]
    mask = batch["completion_mask"][:, 1:]

    def mean_logps():
        rows = (plain(trainer.model, ids, attention) * mask).sum(1)
        return rows.view(2, 4).mean(1)

    before = mean_logps()
    _, (line,), _ = watched(trainer, every=1)
    change_w, change_l = (mean_logps() - before).tolist()
    assert line["dynamics/measured_chosen"] == pytest.approx(change_w, abs=2e-5)
    assert line["dynamics/measured_rejected"] == pytest.approx(change_l, abs=2e-5)
    assert abs(change_l) > 0.1


def test_small_steps_are_predicted(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, optim="sgd", learning_rate=1e-3)
    _, lines, _ = watched(trainer, every=1)
    for line in lines:
        for side in ("chosen", "rejected"):
            measured = line[f"dynamics/measured_{side}"]
            assert line[f"dynamics/predicted_{side}"] == pytest.approx(measured, rel=0.05, abs=2e-5)


@pytest.mark.parametrize("settings", [{"predict": False}, {"only": "wte"}], ids=str)
def test_nothing_is_predicted_that_is_not_known(settings, tmp_path):
    _, lines, _ = watched(trainer_of(DPOTrainer, tmp_path, max_steps=1), every=1, **settings)
    assert not [name for name in lines[0] if "predicted" in name]
    assert "dynamics/measured_chosen" in lines[0]


def heard_of(kind, folder):
    """The model, and the pairs of its first batch, as a tap hears them."""
    step = take(kind, folder)
    step.trainer.current_gradient_accumulation_steps = 1
    tap = Tap(step.trainer)
    tap.open()
    tap.begin(4)
    step.trainer.compute_loss(step.trainer.model, step.batch).backward()
    heard = tap.taken()
    tap.close()
    return step, batches(TOKENIZER, heard)


def test_one_look_is_a_gram_and_slopes(tmp_path):
    step, pair = heard_of(DPOTrainer, tmp_path)
    model = step.trainer.model
    update = {n: torch.randn_like(p) for n, p in model.named_parameters()}
    metric = {n: torch.rand_like(p) for n, p in model.named_parameters()}
    found = look(model, *pair, update=update, metric=metric)
    expected = pair_gram(model, *pair, preconditioner=metric)
    for part in ("sq_w", "sq_l", "dot"):
        assert np.allclose(getattr(found.gram, part), getattr(expected, part), rtol=1e-6)
    assert np.allclose(found.slopes.reshape(-1), directional(model, *pair, update), rtol=1e-6)
    rows = [logp(model, batch).detach() for batch in pair]
    assert np.allclose(logps(model, *pair), torch.stack(rows), atol=1e-4)


@pytest.mark.parametrize("kind", ["bart", "gpt2"])
@pytest.mark.filterwarnings("ignore::disband.lm.scores.measurement.SlowScores")
def test_log_probabilities_that_padding_shifts_are_noticed_and_read_text_by_text(kind):
    model, pair = tiny(kind).eval(), pairs()
    expected = np.array(
        [[float(token_logp(model, b, i).detach().sum()) for i in range(3)] for b in pair]
    )
    assert np.allclose(look(model, *pair).logp, expected)
    assert np.allclose(logps(model, *pair, alone=True), expected)
    assert agree(logps(model, *pair), expected, model) == (kind == "gpt2")


def test_adams_metric_is_another(tmp_path):
    runs = [
        watched(trainer_of(DPOTrainer, tmp_path, max_steps=2), every=2, metric=metric)[1][1]
        for metric in ("plain", "adam")
    ]
    for name in ("dynamics/incentive_chosen", "dynamics/measured_chosen"):
        assert runs[0][name] == runs[1][name]
    assert runs[0]["dynamics/predicted_chosen"] == runs[1]["dynamics/predicted_chosen"]
    assert abs(runs[0]["dynamics/cosine"] - runs[1]["dynamics/cosine"]) > 1e-3


@pytest.mark.slow
def test_two_processes_train_as_without_and_look_at_all_their_pairs(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "tests.trl.two_processes", str(tmp_path)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    for one in found:
        assert one["same"]
        assert one["calibrated_otherwise"]
    assert found[0]["factor"] == found[1]["factor"]
    assert found[0]["digest"] == found[1]["digest"]
    for line in found[0]["lines"]:
        assert line["dynamics/pairs"] == 4
        expected = 0.1 / 2
        assert line["dynamics/incentive_chosen"] == pytest.approx(expected, rel=0.5)
    # Both processes' pairs, each with its own factor, make the step of one process with them all.
    trainer = trainer_of(DPOTrainer, tmp_path / "alone", **SGD)
    before = flat(weights(trainer))
    alone, lines, _ = watched(trainer, every=3, calibrate="pairs")
    trained = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    assert same(*trained)
    change, apart = flat(alone) - before, flat(alone) - flat(trained[0])
    assert np.linalg.norm(apart) < 1e-3 * np.linalg.norm(change)
    assert found[0]["pairs"]["dynamics/uncalibrated"] == 0
    for metric in ("factor", "in_band", "pairs", "measured_chosen"):
        name = f"dynamics/{metric}"
        assert found[0]["pairs"][name] == pytest.approx(lines[2][name], rel=1e-3, abs=1e-6)


def test_logs_reach_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer = trainer_of(DPOTrainer, tmp_path, report_to=["tensorboard"])
    watched(trainer, every=1)
    (file,) = tmp_path.rglob("events.out.tfevents.*")
    events = EventAccumulator(str(file.parent)).Reload()
    assert len(events.Scalars("train/dynamics/in_band")) == 3


def test_a_monitor_takes_off_its_hooks(tmp_path):
    trainer = trainer_of(CPOTrainer, tmp_path, max_steps=1)
    watched(trainer, every=1)
    assert not trainer.model._forward_hooks
    assert "concatenated_inputs" not in vars(trainer)


def test_a_callback_without_its_trainer_is_refused(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path)
    trainer.add_callback(Monitor())
    with pytest.raises(ValueError, match=r"call Monitor\(...\).watch\(trainer\)"):
        trainer.train()


def test_a_trainer_of_single_responses_is_refused(tmp_path):
    step = take(KTOTrainer, tmp_path)
    with pytest.raises(TypeError, match="got KTOTrainer"):
        Monitor().watch(step.trainer)


@pytest.mark.parametrize("by", ["is_fsdp_enabled", "is_deepspeed_enabled"])
def test_a_trainer_that_shards_parameters_is_refused(by):
    sharding = type("DPOTrainer", (), {by: True})()
    with pytest.raises(ValueError, match="this trainer shards them"):
        Monitor().watch(sharding)


def test_adams_metric_needs_adam(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, optim="sgd")
    with pytest.raises(TypeError, match="set metric to 'plain'"):
        watched(trainer, metric="adam")


def test_a_monitor_without_memory_ends_no_training(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("disband.monitor.callback.logps", full)
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=2)
    with pytest.warns(Unseen) as seen:
        _, lines, _ = watched(trainer, every=1)
    assert any("memory ran out" in str(one.message) for one in seen)
    assert len(lines) == 2
    assert not [name for name in lines[1] if "dynamics" in name]


def test_a_second_monitor_or_trainer_is_refused(tmp_path):
    trainer, other = (trainer_of(DPOTrainer, tmp_path, max_steps=1) for _ in range(2))
    monitor = Monitor().watch(trainer)
    with pytest.raises(ValueError, match="got a second monitor"):
        Monitor().watch(trainer)
    with pytest.raises(ValueError, match="got a second trainer"):
        monitor.watch(other)
    trainer.remove_callback(monitor)
    _, lines, _ = watched(trainer, every=1)
    assert "dynamics/cosine" in lines[0]


def test_a_monitor_that_is_told_twice_to_watch_looks_once(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=1)
    monitor = Monitor(every=1, sample=3)
    assert monitor.watch(trainer).watch(trainer) is monitor
    trainer.train()
    (line,) = [line for line in trainer.state.log_history if "loss" in line]
    assert line["dynamics/pairs"] == 3


def test_a_users_own_loss_is_listened_to_and_stays(tmp_path):
    trainer = trainer_of(DPOTrainer, tmp_path, max_steps=2)
    plain, calls = trainer.compute_loss, []

    def own(*args, **named):
        calls.append(named)
        return plain(*args, **named)

    trainer.compute_loss = own
    _, lines, _ = watched(trainer, every=1)
    assert len(calls) == 2
    assert trainer.compute_loss is own
    assert all("dynamics/cosine" in line for line in lines)


def test_a_loss_that_is_put_over_the_monitors_stays(tmp_path):
    trainer = take(DPOTrainer, tmp_path).trainer
    tap = Tap(trainer)
    tap.open()
    over = trainer.compute_loss = lambda *args, inner=trainer.compute_loss: inner(*args)
    tap.close()
    assert trainer.compute_loss is over


def test_an_error_in_training_leaves_nothing_of_a_monitor_behind(tmp_path):
    class Failing(TrainerCallback):
        def on_optimizer_step(self, *_, **__):
            raise KeyError("a user's own error")

    trainer = trainer_of(CPOTrainer, tmp_path, max_steps=2)
    trainer.add_callback(Failing())
    monitor = Monitor(every=1).watch(trainer)
    with pytest.raises(KeyError, match="a user's own error"):
        trainer.train()
    assert not {"compute_loss", "concatenated_inputs"} & set(vars(trainer))
    assert not trainer.model._forward_hooks
    assert not monitor._before


@pytest.mark.parametrize("run", ["full", "lora"])
def test_bends_are_second_derivatives_along_the_step_and_training_stays_as_it_was(run, tmp_path):
    kind, settings = RUNS[run]
    trainer = trainer_of(kind, tmp_path / "watched", **settings, pairs=PAIRS[:4], max_steps=1)
    before = weights(trainer)
    batch = next(iter(trainer.get_train_dataloader()))
    mask = batch["completion_mask"][:, 1:]
    found, (line,), _ = watched(trainer, every=1, curvature=True)
    twin = trainer_of(kind, tmp_path / "twin", **settings, pairs=PAIRS[:4], max_steps=1)
    twin.train()
    assert same(found, weights(twin))
    update = {name: found[name] - before[name] for name in found}

    model = trainer.model.double()

    def means(t):
        moved = {name: before[name].double() + t * u.double() for name, u in update.items()}
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(moved.get(name, parameter))
        rows = (plain(model, batch["input_ids"], batch["attention_mask"]) * mask).sum(1)
        return rows.view(2, 4).mean(1).detach()

    h = 0.02 / max(abs(line[f"dynamics/predicted_{s}"]) for s in ("chosen", "rejected"))
    bends = ((means(h) - 2 * means(0) + means(-h)) / h**2).tolist()
    for side, bend in zip(("chosen", "rejected"), bends, strict=True):
        assert line[f"dynamics/curvature_{side}"] == pytest.approx(bend, rel=0.1)
        slope = line[f"dynamics/predicted_{side}"]
        turning = -2 * slope / line[f"dynamics/curvature_{side}"]
        told = line.get(f"dynamics/turning_{side}", -1)
        assert told == pytest.approx(turning if turning > 0 else -1)
