"""The small language model that every experiment on tweets begins with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.tweets import LABELS, STYLES, SplitSettings, Tweet, responses, split
from disband.lm.model.gpt2 import Model, TextTokenizer, new_model, train_tokenizer
from disband.lm.training.finetune import train_language_model

from .preparation import kept, place

Arrays = dict[str, npt.NDArray[Any]]
Report = Callable[[float], None]


@dataclass(frozen=True)
class Language:
    """A GPT-2 that starts from random weights and learns the tweets' language.

    Args:
        layers, heads, width, vocabulary: Its size.
        steps, batch, block, rate: Language modelling: updates, blocks in an update, tokens in a
            block, first learning rate of Adam.
        longest_prompt: Tokens kept of a tweet where it is a prompt.
        split: How tweets are divided into training and held-out ones.
        mixed: Train in bfloat16 where autocast does; on a GPU if there is one, as every model
            is that is not tiny.
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    vocabulary: int = 4096
    steps: int = 400
    batch: int = 16
    block: int = 64
    rate: float = 2e-3
    longest_prompt: int = 24
    split: SplitSettings = field(default_factory=SplitSettings)
    mixed: bool = False


def language_model(
    language: Language, seed: int, tweets: Sequence[Tweet], report: Report
) -> Arrays:
    """Train tokenizer and model of one seed; return them as arrays.

    Returns:
        ``loss``: final training loss, nats per token; and what
        :func:`disband.verify.experiments.gpt2.preparation.kept` keeps of the model.
    """
    training, _ = split(tweets, language.split)
    sentences = sorted({text for style in STYLES for text in responses(style, LABELS[0])})
    tokenizer = train_tokenizer([t.text for t in training], sentences, language.vocabulary)
    model = _empty_model(language, tokenizer, seed).to(place(language.width))
    rng = np.random.default_rng([seed, 0])
    end = int(tokenizer.eos_token_id)
    stream: list[int] = []
    for index in rng.permutation(len(training)):
        stream += [end, *tokenizer.encode(training[index].text, add_special_tokens=False)]
    loss = train_language_model(
        model,
        torch.tensor(stream),
        steps=language.steps,
        batch=language.batch,
        block=language.block,
        rate=language.rate,
        rng=rng,
        after=lambda step: report(step / language.steps),
        mixed=language.mixed,
    )
    return {"loss": np.array(loss), **kept(model, tokenizer)}


def _empty_model(language: Language, tokenizer: TextTokenizer, seed: int) -> Model:
    longest_answer = max(len(tokenizer.encode(responses(style, LABELS[0])[0])) for style in STYLES)
    return new_model(
        vocabulary=len(tokenizer),
        layers=language.layers,
        heads=language.heads,
        width=language.width,
        positions=max(language.block, language.longest_prompt + 1 + longest_answer),
        seed=seed,
    )
