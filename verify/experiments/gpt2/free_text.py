"""A free preference set made of the tweets: a true continuation against a scrambled one.

The prompt is the first half of a tweet, the chosen response the rest of it, the rejected one the
same words out of order, some of them left out or said twice. Responses differ in most of their
tokens and in length, from pair to pair and within a pair; that is what the sentiment styles lack.
The rows are those of any preference data, read by :mod:`disband.lm.data.preferences`.
"""

from collections.abc import Sequence

import numpy as np

from disband.lm.data.preferences import Preference, preference
from disband.lm.data.tweets import Tweet

LEAST_WORDS = 8
MOST_WORDS = 12  # of a response, so that it fits the model's positions


def rows(tweets: Sequence[Tweet], rng: np.random.Generator) -> list[dict[str, str]]:
    """Rows with ``prompt``, ``chosen`` and ``rejected``, one of each tweet that is long enough."""
    found = []
    for tweet in tweets:
        words = tweet.text.split()
        if len(words) < LEAST_WORDS:
            continue
        half = len(words) // 2
        chosen = words[half : half + MOST_WORDS]
        rejected = scrambled(chosen, rng)
        if rejected != chosen:
            texts = (" ".join(part) for part in (words[:half], chosen, rejected))
            found.append(dict(zip(("prompt", "chosen", "rejected"), texts, strict=True)))
    return found


def pairs(tweets: Sequence[Tweet], rng: np.random.Generator) -> list[Preference]:
    """The pairs that the rows state, as the reader of any preference data reads them."""
    return [preference(row) for row in rows(tweets, rng)]


def scrambled(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The words in random order; each is left out or said twice with one chance in six each."""
    times = rng.choice(3, len(words), p=[1 / 6, 2 / 3, 1 / 6])
    kept = [word for word, n in zip(words, times, strict=True) for _ in range(n)] or list(words[:1])
    return [kept[i] for i in rng.permutation(len(kept))]
