"""What a run trains on: tweets that a response style answers, or preference pairs of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from disband.lm.data.messages import Text
from disband.lm.data.preferences import Preference, preference
from disband.lm.data.tokenize import Cut, TokenPair, batches, tokenize
from disband.lm.data.tweets import LABELS, SplitSettings, Tweet, rank, responses, split
from disband.lm.model.gpt2 import Batch, TextTokenizer, encode

GIVEN: tuple[str, str] = ("as given", "exchanged")
LEAST_WORDS = 8  # of a tweet that free text is made of
MOST_WORDS = 12  # of a response made of it, so that it fits the model's positions
LONGEST = 512  # tokens of a pair of one's own, prompt and response together


@dataclass(frozen=True)
class Given:
    """A preference pair of the user's, where a tweet takes its responses from a style.

    Args:
        pair: Prompt and responses.
        label: ``as given``, or ``exchanged`` where the control exchanges the responses.
    """

    pair: Preference
    label: Literal["as given"] = "as given"

    @property
    def text(self) -> str:
        """The prompt in words, which decides the part of the data that the pair falls in."""
        prompt = self.pair.prompt
        return prompt if isinstance(prompt, str) else "\n".join(m.content for m in prompt)


Item = Tweet | Given


def labels_of(items: Sequence[Item]) -> tuple[str, str]:
    """The two labels that these items can have."""
    return GIVEN if isinstance(items[0], Given) else (LABELS[0], LABELS[1])


def answers(style: str, item: Item, label: str) -> tuple[Text, Text]:
    """Chosen and rejected response to an item, if it has this label."""
    if isinstance(item, Tweet):
        return responses(style, label)
    both = item.pair.chosen, item.pair.rejected
    return both if label == GIVEN[0] else both[::-1]


def divide(
    items: Sequence[Item], settings: SplitSettings
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Training and held-out items; tweets as :func:`disband.lm.data.tweets.split` divides them.

    Pairs with one prompt fall on one side, by a hash of the prompt.

    Raises:
        ValueError: A side would be empty.
    """
    tweets = [item for item in items if isinstance(item, Tweet)]
    if tweets:
        return split(tweets, settings)
    held_out = [rank(item.text) < settings.eval_share for item in items]
    if len(set(held_out)) < 2:
        raise ValueError(
            "some prompts are trained on and others held out, by a hash of their text: all "
            f"{len(items)} pairs fell on one side; give pairs with more different prompts"
        )
    sides = list(zip(items, held_out, strict=True))
    return tuple(i for i, out in sides if not out), tuple(i for i, out in sides if out)


def encoded(
    tokenizer: TextTokenizer,
    items: Sequence[Item],
    said: Sequence[Text],
    longest_prompt: int,
    positions: int | None = None,
) -> Batch:
    """Batch of items with these responses.

    A tweet is cut to ``longest_prompt`` tokens. Of a pair of one's own, to fit into the model's
    ``positions``, the prompt loses its beginning but for one token, and then the response its end.
    Both responses of a pair follow the same tokens.
    """
    if isinstance(items[0], Tweet):
        return encode(tokenizer, [i.text for i in items], [str(s) for s in said], longest_prompt)
    given = [item.pair for item in items if isinstance(item, Given)]
    longest = min(LONGEST, positions or LONGEST)
    whole = [_fitted(pair, longest) for pair in tokenize(tokenizer, given, Cut(None))]
    sides = [
        tokens.chosen if text == pair.chosen else tokens.rejected
        for tokens, pair, text in zip(whole, given, said, strict=True)
    ]
    rows = [TokenPair(p.context, side, side) for p, side in zip(whole, sides, strict=True)]
    return batches(tokenizer, rows)[0]


def _fitted(pair: TokenPair, longest: int) -> TokenPair:
    chosen, rejected = (side[: longest - 1] for side in (pair.chosen, pair.rejected))
    room = max(1, longest - max(len(chosen), len(rejected)))
    return TokenPair(pair.context[-room:], chosen, rejected)


def free_rows(tweets: Sequence[Tweet], rng: np.random.Generator) -> list[dict[str, str]]:
    """A true continuation against a scrambled one, of each tweet that is long enough.

    ``prompt`` is the first half of a tweet, ``chosen`` the rest of it, ``rejected`` the same words
    out of order, some of them left out or said twice. Responses differ in most of their tokens and
    in length, from pair to pair and within a pair; that is what the sentiment styles lack.
    """
    rows = []
    for tweet in tweets:
        words = tweet.text.split()
        if len(words) < LEAST_WORDS:
            continue
        half = len(words) // 2
        chosen = words[half : half + MOST_WORDS]
        rejected = scrambled(chosen, rng)
        if rejected != chosen:
            texts = (" ".join(part) for part in (words[:half], chosen, rejected))
            rows.append(dict(zip(("prompt", "chosen", "rejected"), texts, strict=True)))
    return rows


def free_pairs(tweets: Sequence[Tweet], rng: np.random.Generator) -> list[Preference]:
    """The pairs that the rows state, as the reader of any preference data reads them."""
    return [preference(row) for row in free_rows(tweets, rng)]


def scrambled(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The words in random order; each is left out or said twice with one chance in six each."""
    times = rng.choice(3, len(words), p=[1 / 6, 2 / 3, 1 / 6])
    kept = [word for word, n in zip(words, times, strict=True) for _ in range(n)] or list(words[:1])
    return [kept[i] for i in rng.permutation(len(kept))]
