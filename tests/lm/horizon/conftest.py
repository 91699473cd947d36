"""A tiny model and a few pairs."""

import pytest
from torch import float64

from disband.lm.model.gpt2 import encode
from tests.lm.tiny import model_of, tokenizer_of

PROMPTS = ["a great day", "an awful long trip", "what a talk", "a long day"]
CHOSEN = ["Positive", "Negative", "Positive", "It has Negative"]
REJECTED = ["Negative", "Positive", "It has Negative", "Positive"]


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def model(tokenizer):
    return model_of(tokenizer).to(float64).eval()


@pytest.fixture(scope="module")
def pair(tokenizer):
    return tuple(encode(tokenizer, PROMPTS, side) for side in (CHOSEN, REJECTED))
