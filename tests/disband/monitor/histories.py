"""Runs that a test makes up, and their logs on disk."""

import json

import numpy as np

from disband.monitor.logs import Run

STEPS = tuple(range(10, 410, 10))


def run_of(change, *, noise=0.05, **metrics):
    """A run whose chosen reward changes by so much; metrics are numbers, or one for each line."""
    draw = np.random.default_rng(0)
    part = np.linspace(0, 1, len(STEPS))
    columns = {
        "rewards/chosen": part * change + noise * draw.standard_normal(len(STEPS)),
        "rewards/rejected": -2 * part,
    }
    columns |= {f"dynamics/{k}": np.broadcast_to(v, len(STEPS)) for k, v in metrics.items()}
    lines = tuple(
        {name: float(values[i]) for name, values in columns.items()} for i in range(len(STEPS))
    )
    return Run("log", STEPS, lines)


def looked(ideal, both_fall, both_rise=0.0, **metrics):
    """What a monitor logs at every line."""
    reversed_ = 1 - np.add(np.add(ideal, both_fall), both_rise)
    return {
        "ideal": ideal,
        "both_fall": both_fall,
        "both_rise": both_rise,
        "reversed": reversed_,
        "in_band": ideal,
        "cosine": 0.8,
        "norm_ratio": 2.0,
        "incentive_ratio": 1.0,
        "factor": 1.0,
        "factor_wanted": 2**0.5,
        "measured_chosen": -0.01,
        "measured_rejected": -0.02,
        "chosen_fell": 0.7,
        "rejected_rose": 0.1,
        "pairs": 8,
    } | metrics


def written(folder, name, history):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("jsonl"):
        path.write_text("\n".join(map(json.dumps, history)) + "\n")
    else:
        path.write_text(json.dumps({"log_history": history, "global_step": 2}))
    return path
