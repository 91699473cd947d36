"""What the curvature along an update costs, in forward passes of the same batch.

``OMP_NUM_THREADS=1 python -m benchmarks.curvature`` measures, in turn and in one process, a forward
pass, the curvature by differences, which calls the model three or four times and moves its weights
as often, and the exact one. Results go to ``results/benchmarks/curvature.json``.
"""

import argparse
import json
from typing import Any

import torch

from benchmarks.record import RESULTS, fastest, origin, save
from benchmarks.scores import model_of, pairs_of
from disband.lm.horizon.curvature import curvature
from disband.lm.model.gpt2 import token_logp

SIZES = ("12M",)


def costs(size: str, repeats: int) -> dict[str, Any]:
    """Least CPU seconds of each way, beside a forward pass."""
    model = model_of(size, "cpu").eval()
    batch, _ = pairs_of(model, 8, 23, 7)
    slope = torch.autograd.grad(token_logp(model, batch).sum(), list(model.parameters()))
    named = zip(model.named_parameters(), slope, strict=True)
    update = {name: 1e-3 * g for (name, _), g in named}

    def forward() -> None:
        with torch.no_grad():
            token_logp(model, batch)

    ways = {
        "forward": forward,
        "differences": lambda: curvature(model, batch, update, exact=False),
        "exact": lambda: curvature(model, batch, update),
    }
    best = fastest(ways, repeats)
    return {
        "size": size,
        "seconds": best,
        "forward passes": {name: taken / best["forward"] for name, taken in best.items()},
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="the least of so many times counts")
    asked = parser.parse_args()
    results = [costs(size, asked.repeats) for size in SIZES]
    print(json.dumps(results, indent=1))
    made = origin("benchmarks.curvature", threads=torch.get_num_threads(), clock="CPU time")
    save(RESULTS / "curvature.json", made | {"results": results})


if __name__ == "__main__":
    main()
