"""How fast objectives are: their kernels beside numpy written by hand, and the program's start.

    OMP_NUM_THREADS=1 python -m benchmarks.kernels

prints a table and writes ``results/benchmarks/kernels.json``. Both sides compute the case of ten
million pairs from the same arrays, one after the other, and the fastest of a few runs counts. By
hand is taken over whole arrays and in blocks like the kernels' own, whichever is faster.
"""

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from benchmarks.by_hand import BY_HAND, case_by_hand
from benchmarks.record import RESULTS, fastest, machine, origin, save
from disband.theory.band import cases
from disband.theory.catalogue import catalogue
from disband.theory.gram import Gram
from disband.theory.kernels.program import BLOCK
from disband.verify.kept.provenance import ROOT

NUMPY = "import numpy"
START = (
    "import numpy; from disband.theory.catalogue import catalogue; "
    "catalogue().find('dpo').kernel('incentives')(-9.0, -8.0, -9.0, -8.0, 5, 6)"
)
COLD = (
    "from disband.theory.objectives import OBJECTIVES\n"
    "for o in OBJECTIVES:\n"
    "    o.ratio, o.conditions, o.signs_w, o.signs_l\n"
    "    for what in ('loss', 'd_w', 'd_l', 'incentives'): o.kernel(what)"
)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10**7)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "kernels.json")
    chosen = parser.parse_args()
    kernels = kernel_times(chosen.points, chosen.runs)
    words = ["--points", str(chosen.points), "--runs", str(chosen.runs)]
    found = origin("benchmarks.kernels", words, device=machine()) | {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "sympy": sympy.__version__,
        },
        "points": chosen.points,
        "start": start_times(),
        "slowest_s": max(k["ours_s"] for k in kernels.values()),
        "largest_ratio": max(k["ratio"] for k in kernels.values()),
        "kernels": kernels,
    }
    for name, value in found["start"].items():
        print(f"{name:32}{value:8.3f}")
    print(f"slowest {found['slowest_s']:.3f} s, largest ratio {found['largest_ratio']:.2f}")
    save(chosen.out, found)


def kernel_times(points: int, runs: int) -> dict[str, dict[str, float]]:
    """Return seconds of the kernels and by hand for each objective, and their ratio."""
    rng = np.random.default_rng(0)
    data = [*(-30 * rng.random((4, points))), *rng.integers(1, 400, (2, points)).astype(float)]
    sq_w, sq_l = rng.uniform(0.5, 2, (2, points))
    gram = Gram(sq_w, sq_l, rng.uniform(-0.5, 0.5, points))
    found = {}
    for name, by_hand in BY_HAND.items():
        objective = catalogue().find(name)
        sides: dict[str, Callable[[], Any]] = {
            "ours_s": partial(cases, objective, data, gram),
            "whole_s": partial(_whole, by_hand, data, gram),
            "blocks_s": partial(_blocks, by_hand, data, gram),
        }
        times = fastest(sides, runs, time.perf_counter)
        times["ratio"] = times["ours_s"] / min(times["whole_s"], times["blocks_s"])
        found[name] = {what: round(value, 4) for what, value in times.items()}
        print(
            f"{name:12}{times['ours_s']:8.3f} s   by hand {times['whole_s']:.3f} s, "
            f"in blocks {times['blocks_s']:.3f} s   ratio {times['ratio']:.2f}",
            flush=True,
        )
    return found


def _whole(by_hand: Callable[..., Any], data: list[Any], gram: Gram) -> Any:
    d_w, d_l = by_hand(*data)
    return case_by_hand(d_w, d_l, gram.sq_w, gram.sq_l, gram.dot)


def _blocks(by_hand: Callable[..., Any], data: list[Any], gram: Gram) -> Any:
    result = np.empty(len(data[0]), np.int8)
    for start in range(0, len(result), BLOCK):
        part = slice(start, start + BLOCK)
        d_w, d_l = by_hand(*(v[part] for v in data))
        result[part] = case_by_hand(d_w, d_l, gram.sq_w[part], gram.sq_l[part], gram.dot[part])
    return result


def start_times(runs: int = 7) -> dict[str, float]:
    """Return how long fresh processes take: numpy alone, the stored catalogue, all from cold."""
    best = fastest(
        {
            "import_numpy_s": lambda: _process(NUMPY),
            "stored_start_s": lambda: _process(START),
            "band_command_s": lambda: _process(
                "from disband.cli import main; main('band dpo --cos 0.9 --norm-ratio 1.3'.split())"
            ),
        },
        runs,
        time.perf_counter,
    )
    cold = fastest({"cold_s": lambda: _process(COLD)}, 2, time.perf_counter)
    more = {"stored_start_beyond_numpy_s": best["stored_start_s"] - best["import_numpy_s"]}
    return {name: round(value, 3) for name, value in (best | more | cold).items()}


def _process(code: str) -> None:
    command = [sys.executable, "-c", code]
    subprocess.run(  # noqa: S603 (our own interpreter, our own code)
        command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
