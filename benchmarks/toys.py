"""A map of outcomes beside a loop that trains one toy problem at a time by autograd.

    OMP_NUM_THREADS=1 python -m benchmarks.toys

prints both sides and writes ``results/benchmarks/toys.json``. Both train the same problems for as
many steps, on one core, and count the same things; their outcomes are compared. The loop is taken
twice: plain, one backward pass of the loss a step, and with what band membership and calibration
need, the gradients of both log-probabilities. The map always does all of it.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from benchmarks.record import RESULTS, fastest, machine, origin, save, seconds_of
from disband.sims.surveys.entry import Start
from disband.sims.surveys.outcomes import outcomes
from disband.sims.surveys.two_tokens import Problems, one_pair
from disband.theory.band import case_of
from disband.theory.objectives import DPO, find

BAR = 200
SIDES = {
    # what the map runs, and what the loop does
    "plain": ("none", "plain"),
    "with bands": ("none", "with bands"),
    "calibrated": ("reward calibration", "calibrated"),
}


def starts(count: int) -> tuple[Problems, np.ndarray]:
    """Problems of one pair over margin, norm ratio and cosine, and step sizes."""
    rng = np.random.default_rng(0)
    start = Start(
        margin=rng.uniform(-2, 2, count),
        norm_ratio=np.exp(rng.uniform(-1.5, 1.5, count)),
        cosine=rng.uniform(-0.2, 0.99, count),
    )
    return one_pair(start), np.exp(rng.uniform(np.log(0.3), np.log(100), count))


def loop(problems: Problems, rates: np.ndarray, steps: int, kind: str) -> np.ndarray:
    """Train one problem after the other; return its case, falls, rises and steps in the band."""
    found = np.empty((len(rates), 4))
    for i, rate in enumerate(rates):
        found[i] = _one(problems, i, float(rate), steps, kind)
    return found


def _one(problems: Problems, i: int, rate: float, steps: int, kind: str) -> tuple[float, ...]:
    features = torch.from_numpy(np.linalg.cholesky(problems.moved[i]))
    offset = torch.from_numpy(problems.odds[i].copy())
    ref = torch.from_numpy(problems.ref[i].copy())
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    states, inside = [], 0
    for _ in range(steps):
        logp = logsigmoid(features @ theta + offset)
        states.append(logp.detach())
        if kind == "plain":
            (down,) = torch.autograd.grad(_loss(logp, ref), theta)
        else:
            down, held = _with_scores(logp, ref, theta, kind)
            inside += held
        with torch.no_grad():
            theta -= rate * down
    states.append(logsigmoid(features @ theta + offset).detach())
    path = torch.stack(states).numpy()
    change = path[-1] - path[0]
    moved = np.diff(path, axis=0)
    code = int(case_of(change[0], change[1]))
    return code, (moved[:, 0] < 0).mean(), (moved[:, 1] > 0).mean(), inside / steps


def _loss(logp: Tensor, ref: Tensor) -> Tensor:
    ratios = logp - ref
    return -logsigmoid(0.1 * (ratios[0] - ratios[1]))


def _with_scores(logp: Tensor, ref: Tensor, theta: Tensor, kind: str) -> tuple[Tensor, bool]:
    """The step's direction, and whether the pair is in its band."""
    (a,) = torch.autograd.grad(logp[0], theta, retain_graph=True)
    (b,) = torch.autograd.grad(logp[1], theta)
    seen = logp.detach().requires_grad_()
    slope = -torch.autograd.grad(_loss(seen, ref), seen)[0]
    d_w, d_l = slope[0], -slope[1]
    sq_w, sq_l, dot = a @ a, b @ b, a @ b
    if kind == "calibrated":
        factor = ((sq_l / sq_w).sqrt() * d_l / d_w).sqrt()
        d_w, d_l = d_w * factor, d_l / factor
    held = d_w * sq_w - d_l * dot >= -1e-9 and d_w * dot - d_l * sq_l <= 1e-9
    return d_l * b - d_w * a, bool(held)


def compare(count: int, steps: int, runs: int, side: str) -> dict[str, Any]:
    """Time both sides on the same problems; the map's least time of ``runs`` counts."""
    method, kind = SIDES[side]
    problems, rates = starts(count)
    train = partial(outcomes, DPO, problems, lr=rates, steps=steps, method=method)
    best = fastest({"map": lambda: train().at(0)}, runs)["map"]
    ours = train().at(0)
    begun = time.process_time()
    theirs = loop(problems, rates, steps, kind)
    taken = time.process_time() - begun
    alike = ours.case == theirs[:, 0]
    row = {
        "side": side,
        "problems": count,
        "steps": steps,
        "map_s": round(best, 4),
        "loop_s": round(taken, 2),
        "ratio": round(taken / best, 1),
        "same outcome": float(alike.mean()),
        "largest difference in shares of steps": float(
            max(np.abs(ours.fell - theirs[:, 1]).max(), np.abs(ours.rose - theirs[:, 2]).max())
        ),
    }
    print(
        f"{side:12} {count} problems, {steps} steps: map {best:.3f} s, loop {taken:.1f} s, "
        f"ratio {row['ratio']:.0f} (bar {BAR}); same outcome in {alike.mean():.2%}",
        flush=True,
    )
    return row


def every_objective(count: int, steps: int) -> dict[str, float]:
    """Seconds that the map takes on ``count`` problems, by objective."""
    problems, rates = starts(count)
    found = {}
    for name in ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO"):
        objective, method = find(name), "reward calibration"
        train = partial(outcomes, objective, problems, lr=rates, steps=steps, method=method)
        found[name] = round(seconds_of(train), 3)
    shown = ", ".join(f"{name} {s:.2f} s" for name, s in found.items())
    print(f"{count} problems, {steps} steps, calibrated: {shown}", flush=True)
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=10**4)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "toys.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = [compare(asked.problems, asked.steps, asked.runs, side) for side in SIDES]
    measured = {
        "bar": BAR,
        "results": rows,
        "seconds of 100000 problems": every_objective(10**5, asked.steps),
    }
    save(asked.out, origin("benchmarks.toys", device=machine(), clock="CPU time") | measured)


if __name__ == "__main__":
    main()
