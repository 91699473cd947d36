"""What a GPU does for the costly parts, within twelve minutes on a fresh machine.

``python -m benchmarks.gpu`` measures scores, curvature, an update of training, and one style of
the check at full scale, in this order, and writes ``results/gpu/`` after each, as unfinished until
the last: what the time does not suffice for is left out, and named. ``--device cpu --tiny`` goes
through all of it where there is no GPU.
"""

import argparse
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.record import Record, clock_of, fastest, origin, save
from benchmarks.scores import SIDES, pairs_of, seconds, work
from disband.lm.horizon.curvature import curvature
from disband.lm.model.gpt2 import Model, join
from disband.lm.model.load import device_name
from disband.verify.experiments.gpt2.full import (
    PIECES,
    Size,
    estimate,
    seconds_of_an_update,
    tiny,
)
from disband.verify.kept.provenance import ROOT

SECONDS = 12 * 60
TINY = {
    "tiny": GPT2Config(
        n_layer=2, n_embd=32, n_head=2, vocab_size=512, bos_token_id=0, eos_token_id=0
    )
}  # fmt: skip
SIZES = {
    "124M": GPT2Config(),
    "355M": GPT2Config(n_layer=24, n_embd=1024, n_head=16),
    "774M": GPT2Config(n_layer=36, n_embd=1280, n_head=20),
    "1.5B": GPT2Config(n_layer=48, n_embd=1600, n_head=25),
}
SCORES = ("pair geometry", "batch Gram", "token Gram", "floor")
STYLE, OBJECTIVE = "long suffix", "DPO"


def model_of(config: GPT2Config, device: str) -> Model:
    """A GPT-2 with random weights, the same each time."""
    torch.manual_seed(0)
    return GPT2LMHeadModel(config).to(device).eval()


def peak_gib(device: str, work: Callable[[], Any]) -> tuple[Any, float | None]:
    """What work returns, and the most memory of the GPU meanwhile; on a processor it is unknown."""
    if device == "cpu":
        return work(), None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    done = work()
    return done, torch.cuda.max_memory_allocated() / 2**30


def scores(device: str, sizes: dict[str, GPT2Config], repeats: int) -> Iterator[Record]:
    """Seconds a pair of each kind of score, beside forward and backward passes alone."""
    for name, config in sizes.items():
        model = model_of(config, device)
        batches = pairs_of(model, 8, 23, 7)
        row: Record = {"size": name, "pairs": 8, "tokens": 30}
        for side in SCORES:
            work(model, side, batches)()  # what is set up once
            timed = partial(seconds, model, (side,), batches, repeats)
            best, peak = peak_gib(device, timed)
            model.zero_grad()
            row[side] = {
                "seconds per pair": best[side], "pairs": SIDES[side][1] or 8, "peak GiB": peak
            }  # fmt: skip
        yield row


def curvatures(device: str, sizes: dict[str, GPT2Config], repeats: int) -> Iterator[Record]:
    """Seconds a response of slope and curvature along an update, exactly and by differences."""
    for name, config in sizes.items():
        model = model_of(config, device)
        batch = join(*pairs_of(model, 8, 23, 7))
        update = {n: 1e-4 * torch.randn_like(p) for n, p in model.named_parameters()}
        row: Record = {"size": name, "responses": len(batch), "tokens": 30}
        clock = time.monotonic if device == "cpu" else clock_of(device)
        for way, exact in (("exact", True), ("differences", False)):
            bent = partial(curvature, model, batch, update, exact=exact)
            bent()  # what is set up once
            best, peak = peak_gib(device, partial(fastest, {way: bent}, repeats, clock))
            row[way] = {"seconds per response": best[way] / len(batch), "peak GiB": peak}
        yield row


def updates(device: str, sizes: dict[str, GPT2Config], *, small: bool) -> Iterator[Record]:
    """Seconds and memory of one update at full scale, beside what was estimated."""
    piece = tiny(PIECES[0]) if small else PIECES[0]
    for name, config in sizes.items():
        model = model_of(config, device)
        told = estimate(piece, Size.of(model))
        taken, peak = peak_gib(device, partial(seconds_of_an_update, model, piece))
        yield {
            "size": name, "pairs": piece.batch, "seconds": taken, "peak GiB": peak,
            "estimated GiB": told.memory / 2**30, "seconds of a piece": taken * told.updates,
        }  # fmt: skip


def check(device: str, out: Path, left: float, *, small: bool, model: str) -> Record:
    """One style of ``disband gpt2 --scale full``, in a process of its own; kept where it stops."""
    words = ["gpt2", "--scale", "full", "--style", STYLE, "--objective", OBJECTIVE]
    words += ["--device", device, "--workers", "1", "--out", str(out / "check")]
    words += ["--dry-run"] if small else ["--model", model]
    command = [sys.executable, "-m", "disband", *words]
    begun = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=left
        )
    except subprocess.TimeoutExpired:
        ended, last = "left out for time; the same command goes on", ""
    else:
        ended = "done" if done.returncode == 0 else "failed"
        last = (done.stdout if done.returncode == 0 else done.stderr).strip()
    return {
        "command": shlex.join(["disband", *words]), "seconds": time.monotonic() - begun,
        "ended": ended, "said": last.splitlines()[-40:],
    }  # fmt: skip


def main() -> None:
    """Run what the command line asks for, print it and save it after each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script")
    parser.add_argument("--tiny", action="store_true", help="models of two layers, few updates")
    parser.add_argument("--model", default="smollm2", help="of the check; see disband gpt2 --help")
    parser.add_argument("--repeats", type=int, default=5, help="the least of so many times counts")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "gpu")
    asked = parser.parse_args()
    if asked.device != "cpu" and not torch.cuda.is_available():
        sys.exit(
            "benchmarks.gpu measures a GPU, and torch sees none here: run it where there is one, "
            "or try it with --device cpu --tiny --out FOLDER"
        )
    begun = time.monotonic()
    sizes = TINY if asked.tiny else SIZES
    saved = origin(
        "benchmarks.gpu",
        device=device_name(torch.device(asked.device)),
        processor=platform.processor() or platform.machine(),
        clock="wall time" if asked.device != "cpu" else "scores in CPU time, else wall time",
    )
    saved |= {"scores": [], "curvature": [], "updates": [], "check": None, "left out": []}

    def keep(*, ended: bool = False) -> None:
        record = saved | {"seconds": time.monotonic() - begun}
        save(asked.out / "benchmark.json", record, ended=ended)

    parts = {
        "scores": scores(asked.device, sizes, asked.repeats),
        "curvature": curvatures(asked.device, sizes, asked.repeats),
        "updates": updates(asked.device, sizes, small=asked.tiny),
    }
    for number, (part, rows) in enumerate(parts.items(), start=1):
        for size in sizes:
            # The check has the last quarter of the time.
            if time.monotonic() - begun > SECONDS * number / 4:
                saved["left out"].append(f"{part}, {size}")
                continue
            try:
                row = next(rows)
            except torch.OutOfMemoryError:
                saved["left out"].append(f"{part}, {size} and larger: out of memory")
                break
            saved[part].append(row)
            print(part, row, flush=True)
            keep()
    left = SECONDS - (time.monotonic() - begun)
    saved["check"] = check(asked.device, asked.out, left, small=asked.tiny, model=asked.model)
    print("check", saved["check"]["ended"], flush=True)
    keep(ended=True)


if __name__ == "__main__":
    main()
