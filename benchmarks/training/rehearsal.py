"""A rehearsal beside TRL's own training: one small model, real data, the same batches.

``python -m benchmarks.training.rehearsal`` trains a GPT-2 of 1.3 million parameters on tweets,
fine-tunes it on both labels of a response style, and makes preference pairs of the sentiment that
people gave each tweet. Then ``disband rehearse`` trains copies of it, a pilot of them too, and
TRL's ``DPOTrainer`` the model itself, on the same pairs in the same order. Results go to
``results/rehearsal/side_by_side.json``; no tweet does. What is done is kept in ``--folder``, and an
interrupted run goes on there.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer

from benchmarks.record import named, origin, save
from disband.lm.data.preferences import preference
from disband.lm.data.tokenize import Cut, TokenPair, batches, token_pair
from disband.lm.data.tweets import Tweet, load_tweets, responses
from disband.lm.model.load import load_model
from disband.lm.training.finetune import sft
from disband.probe.inputs import Probe, read_objectives
from disband.rehearse.arms import read_arms
from disband.rehearse.forecast import forecasts, measured_path
from disband.rehearse.inputs import Rehearsal
from disband.rehearse.run import read, run
from disband.rehearse.training import Task, log_probabilities, looks, order_of
from disband.terminal.progress import Screen
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.preparation import restore
from disband.verify.kept.files import write_text
from disband.verify.kept.provenance import ROOT

STYLES = ("short suffix", "long suffix")
STEPS, RATE, BATCH, SAMPLE, HELD_OUT = 48, 1e-5, 8, 160, 40
SFT_STEPS, SFT_BATCH, SFT_RATE = 72, 16, 3e-4
LONGEST = 24  # tokens of a tweet
Row = dict[str, str]


def prepared(seed: int, folder: Path, language: Language) -> dict[str, Path]:
    """A folder for each style: a fine-tuned model in ``model``, and ``prefs.jsonl``."""
    made = {style: folder / f"{style.replace(' ', '-')}-{seed}" for style in STYLES}
    if all((home / "prefs.jsonl").exists() for home in made.values()):
        return made
    tweets = load_tweets()
    base = language_model(language, seed, tweets, lambda _: None)
    rng = np.random.default_rng([seed, 7])
    for style, home in made.items():
        model, tokenizer = restore(base)
        short = [t for t in tweets if len(tokenizer.encode(t.text)) <= LONGEST]
        mixed = [short[i] for i in rng.permutation(len(short))]
        taught, given = mixed[: SFT_STEPS * SFT_BATCH], mixed[-2 * SAMPLE :]
        shown = []
        for i in range(0, len(taught), SFT_BATCH):
            rows = [row_of(t, style) for t in taught[i : i + SFT_BATCH]]
            chosen, rejected = batches(tokenizer, [tokens_of(tokenizer, row) for row in rows])
            shown.append((chosen, rejected)[i // SFT_BATCH % 2])
        sft(model, shown, rate=SFT_RATE, after=lambda _: None)
        for part in (model, tokenizer):
            part.save_pretrained(home / "model")
        lines = (json.dumps(row_of(t, style)) + "\n" for t in given)
        (home / "prefs.jsonl").write_text("".join(lines))
    return made


def row_of(tweet: Tweet, style: str) -> Row:
    """The preference pair that a tweet's label makes."""
    chosen, rejected = responses(style, tweet.label)
    return {"prompt": f"{tweet.text}\n", "chosen": chosen, "rejected": rejected}


def tokens_of(tokenizer: Any, row: Row) -> TokenPair:
    """Its tokens, as TRL makes them."""
    return token_pair(tokenizer, preference(row), Cut(1024))


def side_by_side(home: Path, seed: int) -> dict[str, Any]:
    """The rehearsal, its pilot, TRL's run and the forecast, on the held-out pairs."""
    probe = Probe(
        str(home / "model"), str(home / "prefs.jsonl"), ("dpo", "ipo"), sample=SAMPLE, seed=seed,
        batch=BATCH, device="cpu", out=home / "out",
    )  # fmt: skip
    asked = Rehearsal(
        probe, STEPS, RATE, remedies=("likelihood=0.1",), held_out=HELD_OUT, foretell=False
    )
    arms = kept(home / "rehearsal.json", lambda: run(asked)["arms"])
    pilot = kept(home / "pilot.json", lambda: run(replace(asked, quick=True))["arms"])
    theirs = kept(home / "trl.json", lambda: trl(asked, home))
    told = kept(home / "forecast.json", lambda: foretold(asked))
    apart = np.abs(np.array(arms[0]["curve"])[:, 1:] - theirs["means"])
    return {
        "rehearsal": arms,
        "pilot": pilot,
        "TRL": theirs,
        "forecast": told,
        "largest difference from TRL (nats)": float(apart.max()),
    }


def kept(file: Path, compute: Callable[[], Any]) -> Any:
    """What a run before has computed, or what is computed now."""
    if not file.exists():
        write_text(file, json.dumps(compute()))
    return json.loads(file.read_text())


def foretold(asked: Rehearsal) -> dict[str, Any]:
    """The forecast of each arm, and the processor time of the measurement."""
    with Screen(1) as screen:
        _, parts, origin = read(asked, screen)
    begun = time.process_time()
    path = measured_path(Task(asked, None, *parts, origin), lambda _: None)
    seconds = time.process_time() - begun
    told = forecasts(path, read_arms(asked), read_objectives(asked.probe), asked)
    return {"arms": {str(arm): of for arm, of in told.items()}, "seconds": seconds}


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Keeps the held-out pairs' mean log-probabilities, ``(chosen, rejected)``, at some steps."""

    def __init__(self, tokenizer: Any, pairs: Sequence[TokenPair], steps: Sequence[int]) -> None:
        self.read = lambda model: log_probabilities(model, tokenizer, pairs, BATCH).mean(1)
        self.steps, self.means = set(steps), []

    def on_step_end(self, _args: Any, state: Any, _control: Any, **named: Any) -> None:
        """Look, if it is time; the model has no dropout that could matter."""
        if state.global_step in self.steps:
            self.means.append(self.read(named["model"]))


def trl(asked: Rehearsal, home: Path) -> dict[str, Any]:
    """TRL's own DPO training on the rehearsal's batches: mean changes at its looks."""
    probe = asked.probe
    with Screen(1) as screen:
        _, (training, held_out), _ = read(asked, screen)
    loaded = load_model(probe.model, device="cpu")
    rows = [json.loads(line) for line in (home / "prefs.jsonl").read_text().splitlines()]
    row_by_tokens = {tokens_of(loaded.tokenizer, row): row for row in rows}
    order = order_of(len(training), BATCH, STEPS, probe.seed)
    shown = [row_by_tokens[training[i]] for i in order.ravel()]
    watch = Watch(loaded.tokenizer, held_out, looks(STEPS)[1:])
    start = watch.read(loaded.model)
    config = DPOConfig(
        output_dir=str(home / "trl"), report_to=[], use_cpu=True, bf16=False, save_strategy="no",
        max_steps=STEPS, per_device_train_batch_size=BATCH, learning_rate=RATE, max_grad_norm=0,
        lr_scheduler_type="constant", train_sampling_strategy="sequential", optim="adamw_torch",
        weight_decay=0.0, disable_tqdm=True, logging_steps=STEPS,
    )  # fmt: skip
    trainer = DPOTrainer(
        loaded.model, deepcopy(loaded.model), config, train_dataset=Dataset.from_list(shown),
        processing_class=loaded.tokenizer, callbacks=[watch],
    )  # fmt: skip
    begun = time.process_time()
    trainer.train()
    return {
        "means": (np.stack([start, *watch.means]) - start).tolist(),
        "seconds an update": (time.process_time() - begun) / STEPS,
    }


def main() -> None:
    """Run, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("out/rehearsal"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results: list[dict[str, Any]] = []
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for style, home in prepared(seed, asked.folder, Language()).items():
            results.append({"style": style, "seed": seed, **side_by_side(home, seed)})
            last = results[-1]
            print(
                f"{style}, seed {seed}: chosen {last['TRL']['means'][-1][0]:+.4f} by TRL, "
                f"{last['rehearsal'][0]['chosen']['mean']:+.4f} rehearsed (largest difference "
                f"{last['largest difference from TRL (nats)']:.1g}), "
                f"{last['pilot'][0]['chosen']['mean']:+.4f} by the pilot, "
                f"{last['forecast']['arms']['DPO']['chosen']:+.4f} forecast",
                flush=True,
            )
    words = ["--seeds", str(asked.seeds), "--first-seed", str(asked.first_seed)]
    made = origin(
        "benchmarks.training.rehearsal", words, device=named("cpu"), threads=torch.get_num_threads()
    )
    settings = {
        "steps": STEPS, "rate": RATE, "batch": BATCH, "sample": SAMPLE, "held out": HELD_OUT,
        "sft steps": SFT_STEPS, "sft rate": SFT_RATE,
    }  # fmt: skip
    path = ROOT / "results" / "rehearsal" / "side_by_side.json"
    save(path, made | {"settings": settings, "results": results})


if __name__ == "__main__":
    main()
