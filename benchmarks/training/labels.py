"""How well the small GPT-2 of the sentiment check tells the labels of tweets, beside bags of words.

``python -m benchmarks.training.labels`` trains the check's language model on each seed, fine-tunes
it on chosen responses of the single token style, more or less, and asks of held-out tweets whether
the right label is the likelier one. Beside it stand a logistic regression on bags of words, of all
training tweets and of as many as the check's fine-tuning sees, and a GPT-2 whose language
modelling showed it the right answer after every tweet. Results go to
``results/benchmarks/labels.json``.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.record import RESULTS, origin, save
from disband.lm.data.tweets import LABELS, SplitSettings, Tweet, load_tweets, split
from disband.lm.model.gpt2 import SEPARATOR, encode, join, logp, new_model
from disband.lm.training.finetune import sft, train_language_model
from disband.verify.experiments.gpt2.language import Language, language_model
from disband.verify.experiments.gpt2.preparation import Draw, kept, restore

SEEN = 1152  # tweets that the check's fine-tuning shows
HELD_OUT = 1024
_WORD = re.compile(r"[a-z']+|[^\sa-z']")
_RARE = 2


@dataclass(frozen=True)
class Teaching:
    """Fine-tuning on chosen responses: updates, tweets in one, Adam's rate."""

    steps: int
    batch: int
    rate: float


CHECK = Teaching(72, 16, 3e-4)
TEACHINGS = (CHECK, Teaching(72, 16, 1e-3), Teaching(300, 32, 3e-4), Teaching(300, 32, 1e-3))


def right(said: Tensor, labels: Tensor) -> float:
    """Share of the labels that are said, of +1 and −1."""
    return float(((said > 0) == (labels > 0)).float().mean())


def labels_of(tweets: Sequence[Tweet]) -> Tensor:
    """+1 for positive tweets, −1 for negative ones."""
    return torch.tensor([1.0 if tweet.label == LABELS[0] else -1.0 for tweet in tweets])


def bag_of_words(training: Sequence[Tweet], held_out: Sequence[Tweet]) -> float:
    """Held-out accuracy of a logistic regression on which words and pairs of words occur."""

    def words(tweet: Tweet) -> set[str]:
        single = _WORD.findall(tweet.text.lower())
        return {*single, *(f"{a} {b}" for a, b in pairwise(single))}

    said = Counter(word for tweet in training for word in words(tweet))
    known = {word: i for i, word in enumerate(w for w, n in said.items() if n >= _RARE)}

    def bag(tweets: Sequence[Tweet]) -> Tensor:
        places = [
            (row, known[word])
            for row, tweet in enumerate(tweets)
            for word in words(tweet)
            if word in known
        ]
        index = torch.tensor(places).T
        size = (len(tweets), len(known))
        ones = torch.ones(index.shape[1])
        return torch.sparse_coo_tensor(index, ones, size, check_invariants=True).coalesce()

    inputs, targets = bag(training), (labels_of(training) > 0).float()
    weight = torch.zeros(len(known), 1, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        logits = (torch.sparse.mm(inputs, weight) + bias).squeeze(1)
        # A prior of variance one on every weight.
        penalty = weight.square().sum() / 2 / len(training)
        total = binary_cross_entropy_with_logits(logits, targets) + penalty
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return right(
            (torch.sparse.mm(bag(held_out), weight) + bias).squeeze(1), labels_of(held_out)
        )


@contextmanager
def timed(row: dict[str, Any]) -> Iterator[None]:
    """Put the CPU seconds that pass into a row."""
    begun = time.process_time()
    yield
    row["seconds"] = time.process_time() - begun


def taught(
    base: dict[str, Any], seed: int, training: Sequence[Tweet], held_out: Sequence[Tweet],
    teaching: Teaching,
) -> dict[str, Any]:  # fmt: skip
    """Held-out accuracy of the small GPT-2 after fine-tuning on chosen responses."""
    model, tokenizer = restore(base)
    draw = Draw(training, np.random.default_rng([seed, 1]))

    def said(tweets: Sequence[Tweet], wrong: bool = False) -> Any:  # noqa: FBT001, FBT002
        answers = [LABELS[(tweet.label == LABELS[0]) == wrong].capitalize() for tweet in tweets]
        return encode(tokenizer, [tweet.text for tweet in tweets], answers, 24)

    row: dict[str, Any] = {"seed": seed, **asdict(teaching)}
    with timed(row):
        shown = [said(draw.batch(teaching.batch)) for _ in range(teaching.steps)]
        sft(model, shown, rate=teaching.rate, after=lambda _: None)
    with torch.no_grad():
        chosen, rejected = logp(model, join(said(held_out), said(held_out, wrong=True))).chunk(2)
    return {**row, "right": float((chosen > rejected).float().mean())}


def labelled(base: dict[str, Any], seed: int, training: Sequence[Tweet]) -> dict[str, Any]:
    """The language model again, but every tweet of its corpus is followed by its right answer."""
    language = Language()
    _, tokenizer = restore(base)
    model = new_model(
        vocabulary=len(tokenizer), layers=language.layers, heads=language.heads,
        width=language.width, positions=language.block, seed=seed,
    )  # fmt: skip
    rng = np.random.default_rng([seed, 0])
    stream: list[int] = []
    for index in rng.permutation(len(training)):
        tweet = training[index]
        text = f"{tweet.text}{SEPARATOR}{tweet.label.capitalize()}"
        stream += [int(tokenizer.eos_token_id), *tokenizer.encode(text, add_special_tokens=False)]
    train_language_model(
        model, torch.tensor(stream), steps=language.steps, batch=language.batch,
        block=language.block, rate=language.rate, rng=rng, after=lambda _: None,
    )  # fmt: skip
    return kept(model, tokenizer)


def main() -> None:
    """Measure, print, and save after every row."""
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--first-seed", type=int, default=100)
    asked = options.parse_args()
    torch.set_num_threads(1)
    tweets = load_tweets()
    training, held_out = split(tweets, SplitSettings())
    held_out = held_out[:HELD_OUT]
    share = right(torch.ones(len(held_out)), labels_of(held_out))
    rows: list[dict[str, Any]] = []

    def keep(*, ended: bool = False) -> None:
        measured = {"held out": len(held_out), "language": asdict(Language()), "results": rows}
        made = origin("benchmarks.training.labels", threads=torch.get_num_threads())
        save(RESULTS / "labels.json", made | measured, ended=ended)

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        print(row, flush=True)
        keep()

    add({"by": "the commoner label", "right": max(share, 1 - share)})
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        few = Draw(training, np.random.default_rng([seed, 1])).batch(SEEN)
        for shown in (training, [item for item in few if isinstance(item, Tweet)]):
            row = {"by": "words", "seed": seed, "shown": len(shown)}
            with timed(row):
                row["right"] = bag_of_words(shown, held_out)
            add(row)
        base = language_model(Language(), seed, tweets, lambda _: None)
        for teaching in TEACHINGS:
            add({"by": "GPT-2", **taught(base, seed, training, held_out, teaching)})
        base = labelled(base, seed, training)
        add({"by": "GPT-2, labels read", **taught(base, seed, training, held_out, CHECK)})
    keep(ended=True)


if __name__ == "__main__":
    sys.exit(main())
