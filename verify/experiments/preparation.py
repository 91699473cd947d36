"""What the experiments on tweets begin with: a kept model, a fair order of the tweets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from verify.gpt2 import Model, TextTokenizer, wrap_tokenizer
from verify.sentiment import LABELS, Tweet, responses


class Draw:
    """Deals the tweets of each label in random order, each at most once."""

    def __init__(self, tweets: Sequence[Tweet], rng: np.random.Generator) -> None:
        by_label = [[t for t in tweets if t.label == label] for label in LABELS]
        self._decks = [[group[i] for i in rng.permutation(len(group))] for group in by_label]

    def batch(self, size: int) -> list[Tweet]:
        """Deal ``size`` tweets, the labels in turn.

        Raises:
            ValueError: The tweets of one label are used up.
        """
        if min(map(len, self._decks)) < size // 2:
            raise ValueError(
                "each tweet is trained on at most once, and the tweets of one label are used up; "
                "give more tweets, or fewer or smaller batches in the settings"
            )
        return [deck.pop() for _ in range(size // 2) for deck in self._decks]


def both_labels(style: str, group: Sequence[Tweet]) -> list[str]:
    """Responses that are right for one half of each label's tweets, if the labels alternate."""
    return [responses(style, t.label)[i // 2 % 2] for i, t in enumerate(group)]


def first(tweets: Sequence[Tweet], count: int) -> Sequence[Tweet]:
    """The first ``count`` held-out tweets.

    Raises:
        ValueError: There are fewer.
    """
    if len(tweets) < count:
        raise ValueError(
            f"the settings ask for {count} held-out tweets, but there are {len(tweets)}; "
            "give more tweets or smaller settings"
        )
    return tweets[:count]


def kept(model: Model, tokenizer: TextTokenizer) -> dict[str, npt.NDArray[Any]]:
    """A GPT-2 and its tokenizer as arrays, for :func:`restore`."""
    texts = {
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "config": json.dumps(model.config.to_dict()),
    }
    weights = {f"weight/{name}": p.detach().numpy() for name, p in model.named_parameters()}
    return {n: np.frombuffer(text.encode(), np.uint8) for n, text in texts.items()} | weights


def restore(base: Mapping[str, npt.NDArray[Any]]) -> tuple[Model, TextTokenizer]:
    """The model and tokenizer that :func:`kept` made arrays of."""
    tokenizer = wrap_tokenizer(base["tokenizer"].tobytes().decode())
    with torch.random.fork_rng(devices=[]):
        model = GPT2LMHeadModel(GPT2Config.from_dict(json.loads(base["config"].tobytes())))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(base[f"weight/{name}"]))
    return model, tokenizer
