"""What a monitor costs a DPO run of TRL: watched steps beside the others of the same run.

``python -m benchmarks.monitor`` trains GPT-2 small's architecture, all of it and low-rank
adapters, on random pairs, and looks at every second step, so that both kinds of step alternate in
one run and share the machine's weather. What a look adds, over ten steps without one, is the
overhead at a cadence of 10. Steps calibrated by pairs are measured beside them. ``--size 12M`` is
quicker; ``--device cuda`` runs on a GPU. Set
``OMP_NUM_THREADS=1`` for steady CPU times. Results go to ``results/benchmarks/monitor.json``, those
of another size to a file with it in its name.
"""

import argparse
import copy
import os
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer

from benchmarks.record import RESULTS, clock_of, origin, save, timing
from benchmarks.scores import SIZES, model_of
from disband.lm.model.gpt2 import train_tokenizer
from disband.monitor.callback import Monitor

SIZE = "124M"
CADENCE = 10
BAR = 0.15
# Pairs in a step, pairs looked at, tokens of prompt and response, and whether adapters only.
SHAPES = ((8, 8, 23, 7, False), (8, 8, 23, 7, True), (16, 8, 23, 7, False))


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Times steps; the first of all the callbacks at their start."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.taken: dict[int, float] = {}
        self._now = now
        self._start = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Begin."""
        self._start = self._now()

    def on_step_end(self, _args: Any, state: Any, *_: Any, **__: Any) -> None:
        """End; a monitor is done by then."""
        self.taken[state.global_step] = self._now() - self._start


Shape = tuple[int, int, int, int, bool]


def overhead(size: str, device: str, steps: int, shape: Shape) -> Any:
    """Times of watched, calibrated and other steps, their medians, and the overhead at the cadence.

    A look that measures curvature too is one of a run of its own, beside the other steps of it.
    Calibrated by pairs, and not watched, they are steps of a run of their own.
    """
    pairs, sample, prompt, response, adapters = shape
    taken = timed(size, device, steps, shape, every=2)
    watched, others = ([t for step, t in taken.items() if step % 2 == rest] for rest in (0, 1))
    bent = timed(size, device, steps, shape, every=2, curvature=True)
    bending = statistics.median(t for step, t in bent.items() if step % 2 == 0)
    bending -= statistics.median(t for step, t in bent.items() if step % 2)
    singly = timed(size, device, steps // 2, shape, every=steps + 3, calibrate="pairs")
    step = statistics.median(others)
    look = statistics.median(watched) - step
    return {
        "size": size,
        "pairs": pairs,
        "looked at": sample,
        "prompt": prompt,
        "response": response,
        "adapters only": adapters,
        "seconds of watched steps": watched,
        "seconds of other steps": others,
        "seconds of steps calibrated by pairs": list(singly.values()),
        "a look, in steps": look / step,
        "overhead": look / step / CADENCE,
        "a look with curvature, in steps": bending / step,
        "bar": BAR,
        "calibration by pairs, in steps": statistics.median(singly.values()) / step - 1,
    }


def timed(size: str, device: str, steps: int, shape: Shape, **settings: Any) -> dict[int, float]:
    """Seconds of each step but the first two, which also make what later ones find made."""
    pairs, sample, prompt, response, adapters = shape
    model = model_of(size, device)
    clock = Clock(clock_of(device))
    own = {"peft_config": LoraConfig(r=8, target_modules=["c_attn"], fan_in_fan_out=True)}
    with tempfile.TemporaryDirectory() as folder:
        trainer = DPOTrainer(
            model=model,
            **(own if adapters else {"ref_model": copy.deepcopy(model)}),
            args=DPOConfig(
                output_dir=folder,
                report_to=[],
                use_cpu=device == "cpu",
                bf16=False,
                gradient_checkpointing=False,
                max_steps=steps + 2,
                per_device_train_batch_size=pairs,
                save_strategy="no",
                disable_tqdm=True,
                logging_steps=steps,
            ),
            train_dataset=_pairs(pairs * (steps + 2), prompt, response),
            processing_class=train_tokenizer([], [], 257),
        )
        trainer.add_callback(clock)
        Monitor(sample=sample, **settings).watch(trainer)
        trainer.train()
    return {step: taken for step, taken in clock.taken.items() if step > 2}


def _pairs(count: int, prompt: int, response: int) -> Any:
    draw = torch.Generator().manual_seed(1)

    def some(length: int) -> list[str]:
        # the tokenizer knows bytes alone, so that a letter is a token
        letters = torch.randint(ord("a"), ord("z") + 1, (count, length), generator=draw)
        return ["".join(map(chr, row)) for row in letters]

    return Dataset.from_dict(
        {"prompt": some(prompt), "chosen": some(response), "rejected": some(response)}
    )


def _save(results: list[Any], size: str, device: str) -> None:
    name = "monitor" + ("" if size == SIZE else f"_{size}") + ("_cuda" if device == "cuda" else "")
    made = origin("benchmarks.monitor", **timing(device)) | {"results": results}
    save(RESULTS / f"{name}.json", made, ended=len(results) == len(SHAPES))


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default=SIZE, choices=SIZES)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--steps", type=int, default=12, help="half of them are watched")
    asked = parser.parse_args()
    results = []
    for shape in SHAPES:
        found = overhead(asked.size, asked.device, asked.steps, shape)
        results.append(found)
        what = "adapters" if found["adapters only"] else "all parameters"
        print(
            f"{asked.size}, {what}, {found['pairs']} pairs a step, {found['looked at']} looked at:"
            f" a look costs {found['a look, in steps']:.2f} steps, overhead "
            f"{found['overhead']:.1%} at a cadence of {CADENCE} (bar {BAR:.0%}), with curvature "
            f"{found['a look with curvature, in steps']:.2f} steps; calibration by "
            f"pairs adds {found['calibration by pairs, in steps']:.2f} steps to each",
            flush=True,
        )
        _save(results, asked.size, asked.device)


if __name__ == "__main__":
    main()
