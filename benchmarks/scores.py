"""Score products of GPT-2 small's architecture beside other ways to get them.

``python -m benchmarks.scores`` measures every bar, both sides alternating in one process, and the
peak memory of each side in a process of its own; ``--scaling`` measures other batches, lengths and
sizes; ``--device cuda`` does either on a GPU. Set ``OMP_NUM_THREADS=1`` for steady CPU times.
Results go to ``results/benchmarks/``.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from benchmarks import rivals
from benchmarks.record import RESULTS, clock_of, fastest, origin, save, timing
from disband.lm.model.gpt2 import Batch, Model
from disband.lm.scores.grams import batch_gram, pair_gram, token_gram
from disband.verify.kept.provenance import ROOT

SIZES = {
    "12M": GPT2Config(n_layer=4, n_embd=192, n_head=4),
    "124M": GPT2Config(),
    "355M": GPT2Config(n_layer=24, n_embd=1024, n_head=16),
    "1.2B": LlamaConfig(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
        num_attention_heads=32, num_key_value_heads=8, tie_word_embeddings=True,
    ),
}  # fmt: skip
# What is measured: the function, and how many of the pairs it is given, as some take long.
SIDES: dict[str, tuple[Callable[..., Any], int | None]] = {
    "pair geometry": (pair_gram, None),
    "batch Gram": (batch_gram, None),
    "token Gram": (token_gram, 1),
    "floor": (rivals.floor, None),
    "one backward per response": (rivals.one_backward_each, 2),
    "vmap(grad)": (rivals.per_sample_gradients, 2),
    "one backward per token, stacked": (rivals.one_backward_per_token, 1),
    "one backward per token, pairwise": (rivals.pairwise_dots_of_tokens, 1),
}
# Ours, theirs, pairs, tokens of prompt and response, the least ratio theirs / ours.
BARS = (
    ("pair geometry", "one backward per response", 8, 23, 7, 3.8),
    ("pair geometry", "vmap(grad)", 8, 23, 7, None),
    ("pair geometry", "floor", 8, 23, 7, 1 / 1.12),
    ("batch Gram", "floor", 8, 23, 7, 1 / 1.35),
    ("token Gram", "one backward per token, stacked", 1, 27, 3, 30.0),
    ("token Gram", "one backward per token, pairwise", 1, 23, 7, 15.0),
)


def model_of(size: str, device: str) -> Model:
    """A model with random weights, the same each time; in bfloat16 above a billion."""
    torch.manual_seed(0)
    config = SIZES[size]
    kind: Any = GPT2LMHeadModel if isinstance(config, GPT2Config) else LlamaForCausalLM
    dtype = torch.bfloat16 if size.endswith("B") else torch.float32
    return kind(config).to(device, dtype).eval()


def pairs_of(model: Model, pairs: int, prompt: int, response: int) -> tuple[Batch, Batch]:
    """Random pairs, each with a prompt in common."""
    draw = torch.Generator().manual_seed(1)
    device = next(model.parameters()).device
    prompts = torch.randint(model.config.vocab_size, (pairs, prompt), generator=draw)
    batches = []
    for _ in range(2):
        answers = torch.randint(model.config.vocab_size, (pairs, response), generator=draw)
        ids = torch.cat([prompts, answers], 1).to(device)
        counts = torch.zeros_like(ids, dtype=torch.bool)
        counts[:, prompt:] = True
        batches.append(Batch(ids, torch.ones_like(ids), counts))
    return batches[0], batches[1]


def work(model: Model, side: str, batches: tuple[Batch, Batch]) -> Callable[[], Any]:
    """What a side does with the pairs, of which some are given few."""
    function, most = SIDES[side]
    some = (Batch(b.ids[:most], b.attention[:most], b.response[:most]) for b in batches)
    return partial(function, model, *some)


def seconds(
    model: Model, sides: Sequence[str], batches: tuple[Batch, Batch], repeats: int
) -> dict[str, float]:
    """Least CPU time, or wall time on a GPU, that each side takes for a pair; they take turns."""
    ways = {side: work(model, side, batches) for side in sides}
    best = fastest(ways, repeats, clock_of(batches[0].ids.device.type))
    pairs = len(batches[0])
    return {side: taken / min(SIDES[side][1] or pairs, pairs) for side, taken in best.items()}


def peak_mib(model: Model, side: str, batches: tuple[Batch, Batch]) -> float:
    """Most memory beyond the model's, in a process that has done nothing else."""
    if batches[0].ids.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work(model, side, batches)()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    pair_gram(model, *pairs_of(model, 1, 2, 1))  # what the libraries set up once
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    work(model, side, batches)()
    return (_status("VmHWM") - before) / 2**10


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def bars(device: str, repeats: int) -> list[dict[str, Any]]:
    """Every bar: both sides in turn, the least time of each."""
    model = model_of("124M", device)
    found = []
    for ours, theirs, pairs, prompt, response, least in BARS:
        batches = pairs_of(model, pairs, prompt, response)
        best = seconds(model, (ours, theirs), batches, repeats)
        model.zero_grad()
        peaks = {side: _peak_alone(side, pairs, prompt, response, device) for side in best}
        found.append(
            {
                "ours": ours,
                "theirs": theirs,
                "pairs": pairs,
                "prompt": prompt,
                "response": response,
                "seconds per pair": best,
                "peak MiB": peaks,
                "theirs / ours": best[theirs] / best[ours],
                "bar": least,
                "memory theirs / ours": peaks[theirs] / peaks[ours],
            }
        )
        _print_bar(found[-1])
    return found


def _print_bar(row: dict[str, Any]) -> None:
    shape = f"{row['pairs']} × ({row['prompt']} + {row['response']})"
    print(f"\n{row['ours']} against {row['theirs']}, {shape} tokens")
    for side, taken in row["seconds per pair"].items():
        print(f"  {side:34} {taken * 1e3:9.1f} ms per pair {row['peak MiB'][side]:9.0f} MiB")
    wanted = "" if row["bar"] is None else f", bar {row['bar']:.2f}"
    ratio = f"{row['theirs / ours']:.2f} in time{wanted}"
    print(f"  theirs / ours: {ratio}; {row['memory theirs / ours']:.1f} in memory", flush=True)


def _peak_alone(side: str, pairs: int, prompt: int, response: int, device: str) -> float:
    most = SIDES[side][1]
    shape = [str(pairs if most is None else min(most, pairs)), str(prompt), str(response)]
    command = [sys.executable, "-m", "benchmarks.scores", "--device", device, "--peak", side]
    done = subprocess.run(  # noqa: S603
        [*command, *shape], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def scaling(device: str, repeats: int) -> list[dict[str, Any]]:
    """Ours beside the floor, in batch, length and size."""
    cases = [("124M", pairs, 30) for pairs in (2, 8, 16)]
    cases += [("124M", 8, length) for length in (16, 64)]
    cases += [(size, 8, 30) for size in ("12M", "355M")]
    if device == "cuda":
        cases += [("1.2B", pairs, 30) for pairs in (2, 8, 16)]
    found = []
    for size, pairs, length in cases:
        model = model_of(size, device)
        batches = pairs_of(model, pairs, length - 7, 7)
        sides = ("pair geometry", "batch Gram", "floor")
        best = seconds(model, sides, batches, repeats)
        ratios = {side: best[side] / best["floor"] for side in sides[:2]}
        found.append(
            {
                "size": size,
                "pairs": pairs,
                "tokens": length,
                "seconds per pair": best,
                "over the floor": ratios,
            }
        )
        shown = ", ".join(
            f"{side} {best[side] * 1e3:.1f} ms"
            + (f" ({ratios[side]:.2f})" if side in ratios else "")
            for side in sides
        )
        print(f"{size:>5} {pairs:3} pairs {length:3} tokens: {shown}", flush=True)
    return found


def main() -> None:
    """Run what the command line asks for, print it and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--repeats", type=int, default=5, help="the least of so many times counts")
    parser.add_argument("--scaling", action="store_true", help="other batches, lengths and sizes")
    parser.add_argument("--peak", nargs=4, help="print one side's peak memory, in MiB")
    asked = parser.parse_args()
    if asked.peak:
        side, *shape = asked.peak
        model = model_of("124M", asked.device)
        print(peak_mib(model, side, pairs_of(model, *map(int, shape))))
        return
    study = scaling if asked.scaling else bars
    results = study(asked.device, asked.repeats)
    kind = "scores_scaling" if asked.scaling else "scores"
    suffix = "" if asked.device == "cpu" else f"_{asked.device}"
    made = origin("benchmarks.scores", **timing(asked.device))
    save(RESULTS / f"{kind}{suffix}.json", made | {"results": results})


if __name__ == "__main__":
    main()
