"""Where a token Gram's time goes: its multiplications, the least of them, and their bare time.

``OMP_NUM_THREADS=1 python -m benchmarks.tokens`` measures, in turn and in one process, the token
Gram of GPT-2 small's architecture, the same matrix products with nothing between them, and one
backward pass for each token. Results go to ``results/benchmarks/tokens.json``.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers.pytorch_utils import Conv1D

from benchmarks.record import RESULTS, fastest, origin, save
from benchmarks.scores import BARS, model_of, pairs_of, work
from disband.lm.model.gpt2 import Batch, Model
from disband.lm.scores.grams import token_gram

if TYPE_CHECKING:
    from collections.abc import Callable

# The first of the two matrices among each operation's arguments.
FIRST = {torch.ops.aten.mm: 0, torch.ops.aten.bmm: 0, torch.ops.aten.addmm: 1}


class MatrixProducts(TorchDispatchMode):
    """Keeps the matrix products that are formed, with what they are formed of."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def __torch_dispatch__(self, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Form a product, and keep it."""
        if function.overloadpacket in FIRST:
            self.kept.append((function, args))
        return function(*args, **(kwargs or {}))

    @property
    def multiplications(self) -> int:
        """Of all numbers."""
        sides = [args[FIRST[f.overloadpacket] :][:2] for f, args in self.kept]
        return sum(left.numel() * right.shape[-1] for left, right in sides)

    def again(self) -> None:
        """Form all of them again, and nothing else."""
        for function, args in self.kept:
            function(*args)


def least(model: Model, batch_w: Batch, batch_l: Batch) -> dict[str, int]:
    r"""Multiplications by GPT-2's weight matrices that the slopes of each token's layers need.

    With :math:`W` weights in a block's matrices, :math:`A` of them in its first, before the
    attention, and :math:`H` in the head, of :math:`L` blocks: forward, :math:`L W` for each
    position that differs and :math:`H` for each token; back, for a token that position :math:`p`
    predicts, whose slope reaches the positions up to it, and above the last attention only
    itself, :math:`(p + 1)((L - 1) W + A) + W - A + H`. Attention, layer norms, embeddings and the
    products of the slopes come on top.
    """
    blocks: list[list[int]] = [
        [m.weight.numel() for m in block.modules() if isinstance(m, (Conv1D, nn.Linear))]
        for block in model.transformer.h
    ]
    body = sum(map(sum, blocks))
    last, first = sum(blocks[-1]), blocks[-1][0]
    head = model.get_output_embeddings().weight.numel()
    # Positions 0 to p are read, where p predicts the last token.
    read = [batch.response[0].nonzero()[:, 0] for batch in (batch_w, batch_l)]
    stops = [int(tokens[-1]) for tokens in read]
    differ = (batch_w.ids[0, : min(stops)] != batch_l.ids[0, : min(stops)]).nonzero()
    common = int(differ[0]) if len(differ) else min(stops)
    tokens = sum(map(len, read))
    reached = int(sum(places.sum() for places in read))  # place = p + 1
    back = reached * (body - last + first) + tokens * (last - first + head)
    return {"forward": (sum(stops) - common) * body + tokens * head, "back": back}


def accounts(repeats: int) -> list[dict[str, Any]]:
    """Of each bar of the token Gram: multiplications, and seconds side by side."""
    model = model_of("124M", "cpu")
    rows = []
    for ours, theirs, pairs, prompt, response, bar in BARS:
        if ours != "token Gram":
            continue
        batches = pairs_of(model, pairs, prompt, response)
        token_gram(model, *batches)  # what is proved of a model is proved once
        with MatrixProducts() as products:
            token_gram(model, *batches)
        ways = {
            ours: work(model, ours, batches),
            "its matrix products alone": products.again,
            theirs: work(model, theirs, batches),
        }
        best = fastest(ways, repeats)
        model.zero_grad()
        bare = best["its matrix products alone"]
        needed = least(model, *batches)
        rows.append(
            {
                "theirs": theirs,
                "prompt": prompt,
                "response": response,
                "multiplications": products.multiplications,
                "least": needed,
                "done / least": products.multiplications / sum(needed.values()),
                "seconds": best,
                "multiplications per second": products.multiplications / bare,
                "products' share of ours": bare / best[ours],
                "theirs / ours": best[theirs] / best[ours],
                "theirs / products": best[theirs] / bare,
                "bar": bar,
            }
        )
        print(json.dumps(rows[-1], indent=1), flush=True)
    return rows


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="the least of so many times counts")
    asked = parser.parse_args()
    results = accounts(asked.repeats)
    made = origin("benchmarks.tokens", threads=torch.get_num_threads(), clock="CPU time")
    save(RESULTS / "tokens.json", made | {"results": results})


if __name__ == "__main__":
    main()
