"""Whether training in bfloat16 changes a verdict of the sentiment check, on the small GPT-2.

``python -m benchmarks.training.half_precision`` runs the four response styles by the protocol of a
pretrained model on the check's own GPT-2, in float32 and with bfloat16 where autocast takes it, and
judges both by the predictions of section 4.3. Results go to
``results/benchmarks/half_precision.json``.
"""

import argparse
import sys
from dataclasses import replace
from typing import Any

import torch

from benchmarks.record import RESULTS, origin, save
from disband.lm.data.tweets import load_tweets
from disband.lm.training.optimizers import Rule
from disband.verify.experiments.gpt2.findings import findings
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.pretrained import STYLED
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.questions.learnt import run_unkept

# So small a model learns at larger rates; the rest is the protocol.
CHANGES: dict[str, Any] = {
    "rule": Rule("adamw", 5e-5, 6),
    "supervision": Supervision("correct", 72, 16, 3e-4),
}


def main() -> None:
    """Run, judge, print and save."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=100)
    seed = options.parse_args().seed
    torch.set_num_threads(1)
    tweets = load_tweets()
    base = language_model(Language(), seed, tweets, lambda _: None)
    verdicts: dict[str, dict[str, Any]] = {}
    for name, mixed in (("float32", False), ("bfloat16", True)):
        runs = {}
        for styled in STYLED:
            piece = replace(styled, mixed=mixed, **CHANGES)
            found = run_unkept(piece, seed, tweets, base, lambda _: None)
            runs["runs", seed, piece] = found
            print(name, piece.style, (found["logp_w"][-1] - found["logp_w"][0]).mean())
        for prediction in findings(runs):
            (outcome,) = prediction.outcomes
            said = {"holds": outcome.holds, "numbers": dict(outcome.numbers)}
            verdicts.setdefault(prediction.name, {})[name] = said
    same = sum(both["float32"]["holds"] == both["bfloat16"]["holds"] for both in verdicts.values())
    print(f"{same} of {len(verdicts)} verdicts are the same")
    made = origin("benchmarks.training.half_precision", seed=seed)
    save(RESULTS / "half_precision.json", made | {"same": same, "verdicts": verdicts})


if __name__ == "__main__":
    sys.exit(main())
