"""What it costs to prove of a model, at run time, that it may be measured in the short ways.

``python -m benchmarks.proof`` times the proof within measurements of GPT-2 small's architecture, in
CPU time: the first after loading, later ones, and those of a second model of the kind. Results go
to ``results/benchmarks/``.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.record import RESULTS, origin, save
from benchmarks.scores import model_of
from disband.lm.model.gpt2 import Batch, Model, padded
from disband.lm.scores.grams import pair_gram
from disband.lm.scores.measurement import Measurement
from disband.lm.scores.proof import OF_KIND

# Pairs in each of the measurements that follow one another, and tokens of prompts and responses.
CASES = {
    "8 pairs of one length": ([8, 8], (23, 23), (7, 7)),
    "8 pairs at a time, as a monitor looks at them": ([8] * 6, (10, 60), (5, 30)),
    "64 pairs, as a probe samples them": ([16] * 4, (10, 60), (5, 30)),
}


class _Tokens:
    pad_token_id = 0


def measurements(
    sizes: list[int], prompts: tuple[int, int], responses: tuple[int, int]
) -> Iterator[tuple[Batch, Batch]]:
    """Random pairs of lengths drawn evenly between some."""
    draw = torch.Generator().manual_seed(1)

    def tokens(least: int, most: int) -> list[int]:
        length = int(torch.randint(least, most + 1, (), generator=draw))
        return torch.randint(1, 50257, (length,), generator=draw).tolist()

    for size in sizes:
        contexts = [tokens(*prompts) for _ in range(size)]
        sides = [padded(_Tokens, contexts, [tokens(*responses) for _ in contexts]) for _ in "wl"]
        yield sides[0], sides[1]


@contextmanager
def timed(spent: list[float]) -> Iterator[None]:
    """Add the CPU time that passes in the proof."""
    prove = Measurement._prove  # noqa: SLF001

    def timing(self: Measurement, *args: Any, **named: Any) -> None:
        begun = time.process_time()
        prove(self, *args, **named)
        spent[-1] += time.process_time() - begun

    with patch.object(Measurement, "_prove", timing):
        yield


def shares(model: Model, case: str) -> dict[str, Any]:
    """CPU seconds of each measurement, and of the proof in it."""
    whole: list[float] = []
    proof: list[float] = []
    with timed(proof):
        for sides in measurements(*CASES[case]):
            proof.append(0.0)
            begun = time.process_time()
            pair_gram(model, *sides)
            whole.append(time.process_time() - begun)
    share = sum(proof) / sum(whole)
    print(f"{case}: proof {proof[0]:.2f} s at first, {sum(proof[1:]):.2f} s later, {share:.1%}")
    return {"case": case, "seconds": whole, "proof": proof, "share": share}


def main() -> None:
    """Measure, print and save all cases, each with a model of its own."""
    pair_gram(model_of("12M", "cpu"), *next(measurements([2], (4, 9), (4, 9))))
    results = []
    for case in CASES:
        OF_KIND.clear()
        # The second model is of the first one's kind.
        results += [{**shares(model_of("124M", "cpu"), case), "model": i} for i in (1, 2)]
    made = origin("benchmarks.proof", threads=torch.get_num_threads())
    save(RESULTS / "proof.json", made | {"results": results})


if __name__ == "__main__":
    sys.exit(main())
