"""A step calibrated from the Gram of all parameters beside a plain step, at GPT-2 small's size.

    OMP_NUM_THREADS=1 python -m benchmarks.training.calibration

prints the CPU time of both, taking turns in one process, and writes
``results/benchmarks/calibration.json``. A plain step is one forward and backward pass of both
responses and Adam; a calibrated one reads the batch once, multiplies its scores, and sums them with
the incentives that follow. As others would do it, the Gram is measured first and a plain step of
the reweighted loss follows.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.optim import Adam, Optimizer

from benchmarks.record import RESULTS, fastest, machine, origin, save
from benchmarks.scores import model_of, pairs_of
from disband.lm.model.gpt2 import Model, join, logp
from disband.lm.scores.grams import pair_gram
from disband.lm.training.calibrated import trace
from disband.lm.training.finetune import Pair
from disband.sims.methods.calibrate import batch_calibrated, rescaled, reward_calibrated
from disband.theory.batch import batch_factor
from disband.theory.objectives import DPO

BAR = 1.6
INCENTIVES = DPO.kernel("incentives", "numpy")


def plain(model: Model, pair: Pair, optimizer: Optimizer, reference: torch.Tensor) -> None:
    """Minimise the loss by autograd."""
    lengths = [b.lengths for b in pair]
    optimizer.zero_grad()
    logps = logp(model, join(*pair)).chunk(2)
    losses = DPO.kernel("loss", "torch")(*logps, *reference.chunk(2), *lengths)
    losses.mean().backward()
    optimizer.step()


def calibrated(
    kind: str, model: Model, pair: Pair, optimizer: Optimizer, reference: torch.Tensor
) -> None:
    """Read the batch once; incentives by its Gram, of pairs or of the whole batch."""
    optimizer.zero_grad()
    found = trace(model, *pair)
    data = (found.logp_w, found.logp_l, *np.split(reference.double().numpy(), 2), 1.0, 1.0)
    d_w, d_l = INCENTIVES(*data)
    if kind == "batch band":
        factor = batch_factor(found.mean_products(d_w, d_l))
        used = rescaled(d_w, d_l, np.full(d_w.shape, factor))
    else:
        method = batch_calibrated if kind == "one factor" else reward_calibrated
        used = method(d_w, d_l, found.gram())
    gradient = found.gradient(-used.d_w / len(d_w), -used.d_l / len(d_w))
    for name, parameter in model.named_parameters():
        parameter.grad = gradient[name].to(parameter)
    optimizer.step()


def apart(model: Model, pair: Pair, optimizer: Optimizer, reference: torch.Tensor) -> None:
    """Measure the Gram, then minimise the reweighted loss by autograd."""
    optimizer.zero_grad()
    gram = pair_gram(model, *pair)
    logps = logp(model, join(*pair))
    data = np.split(logps.detach().double().numpy(), 2)
    d_w, d_l = INCENTIVES(*data, *np.split(reference.double().numpy(), 2), 1.0, 1.0)
    used = batch_calibrated(d_w, d_l, gram)
    weights = torch.from_numpy(np.concatenate([-used.d_w, used.d_l]) / len(d_w)).to(logps)
    (weights * logps).sum().backward()
    optimizer.step()


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="124M", help="of the model: 12M, 124M or 355M")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=23)
    parser.add_argument("--response", type=int, default=7)
    parser.add_argument("--runs", type=int, default=5, help="the least of so many times counts")
    parser.add_argument("--out", type=Path, default=RESULTS / "calibration.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = model_of(asked.size, "cpu")
    pair = pairs_of(model, asked.pairs, asked.prompt, asked.response)
    optimizer = Adam(model.parameters(), lr=1e-6)
    with torch.no_grad():
        reference = logp(model, join(*pair))
    sides = {
        "plain": partial(plain, model, pair, optimizer, reference),
        "calibrated, one factor": partial(
            calibrated, "one factor", model, pair, optimizer, reference
        ),
        "calibrated, every pair": partial(calibrated, "pairs", model, pair, optimizer, reference),
        "batch band": partial(calibrated, "batch band", model, pair, optimizer, reference),
        "Gram first, then a plain step": partial(apart, model, pair, optimizer, reference),
    }
    best = fastest(sides, asked.runs)
    rows = [
        {"side": n, "seconds": round(s, 3), "over plain": round(s / best["plain"], 3)}
        for n, s in best.items()
    ]
    for row in rows:
        print(f"{row['side']:32}{row['seconds']:8.3f} s {row['over plain']:8.2f} (bar {BAR})")
    made = origin(
        "benchmarks.training.calibration",
        device=machine(),
        threads=torch.get_num_threads(),
        clock="CPU time",
    )
    measured = {
        "settings": {k: v for k, v in vars(asked).items() if k != "out"},
        "bar": BAR,
        "results": rows,
    }
    save(asked.out, made | measured)


if __name__ == "__main__":
    main()
