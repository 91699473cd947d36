"""Short runs of TRL's trainers on a tiny model, with a monitor and without."""

from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig

from disband.lm.model.gpt2 import train_tokenizer
from disband.monitor.callback import Monitor
from tests.trl.harness import BYTES, CONFIGS, PAIRS, DPOTrainer, models

# A step is the gradient times the rate, and nothing else.
SGD = {"optim": "sgd", "max_grad_norm": 0, "lr_scheduler_type": "constant", "learning_rate": 1e-3}
LORA = {"r": 2, "target_modules": ["c_attn"], "fan_in_fan_out": True}


def trainer_of(kind, folder: Path, *, lora=False, pairs=PAIRS, report_to=(), **settings):
    """A trainer on the tiny model; three updates of four pairs unless the settings say more."""
    policy, reference = models()
    if kind is DPOTrainer:
        own = {} if lora else {"ref_model": reference}
    else:
        own = {}
        settings = {"remove_unused_columns": False} | settings
    dropout = settings.pop("lora_dropout", 0.0)
    if lora:
        own["peft_config"] = LoraConfig(**LORA, lora_dropout=dropout)
    given = {
        "max_steps": 3,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "save_strategy": "no",
        "seed": 5,
        "disable_tqdm": True,
        "bf16": False,
    } | settings
    config = CONFIGS[kind](output_dir=str(folder), report_to=list(report_to), use_cpu=True, **given)
    return kind(
        model=policy,
        args=config,
        train_dataset=Dataset.from_list([*pairs]),
        processing_class=train_tokenizer([], [], BYTES),
        **own,
    )


def weights(trainer):
    """All parameters after training, by name."""
    return {n: p.detach().clone() for n, p in trainer.model.named_parameters()}


def watched(trainer, **settings):
    """The trainer's parameters and its log after training under a monitor."""
    monitor = Monitor(**settings).watch(trainer)
    trainer.train()
    lines = [line for line in trainer.state.log_history if "loss" in line]
    return weights(trainer), lines, monitor


def same(one, other):
    """Whether two sets of parameters agree to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)
