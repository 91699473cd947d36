"""A corpus, a tokenizer and a GPT-2 small enough for tests."""

from itertools import product

import torch

from disband.lm.data.tweets import STYLES, Tweet, responses
from disband.lm.model.gpt2 import new_model, train_tokenizer

# On so small a model, threads only wait for each other.
torch.set_num_threads(1)

MOODS = {"positive": ("lovely", "great", "sunny"), "negative": ("awful", "rainy", "bad")}
TWEETS = tuple(
    Tweet(f"what a {mood} {noun} we had on day {day}", label)
    for label, moods in MOODS.items()
    for mood, noun, day in product(moods, ("trip", "meal", "flight", "talk"), range(12))
)


def tokenizer_of(vocabulary=420):
    sentences = sorted({text for style in STYLES for text in responses(style, "positive")})
    return train_tokenizer([tweet.text for tweet in TWEETS], sentences, vocabulary)


def model_of(tokenizer, seed=0, layers=2):
    return new_model(
        vocabulary=len(tokenizer), layers=layers, heads=2, width=16, positions=64, seed=seed
    )
