"""Response styles: what differs, where, and how many tokens that is."""

import pytest

from disband.lm.data.styles import (
    LABELS,
    STYLES,
    Style,
    edit_one,
    find_style,
    responses,
    sentences,
    token_edit,
    unequal,
)
from disband.lm.model.gpt2 import train_tokenizer
from tests.lm.tiny import TWEETS

LONG = edit_one(19, 31)


@pytest.fixture(scope="module")
def tokenizer():
    texts = sentences([*STYLES, LONG, edit_one(1, 1), unequal(3, 9)])
    return train_tokenizer([tweet.text for tweet in TWEETS], texts, 700)


@pytest.mark.parametrize(
    ("style", "chosen", "rejected"),
    [
        ("single token", "Positive", "Negative"),
        ("short suffix", "Positive sentiment.", "Negative sentiment."),
        (
            "long suffix",
            "Positive sentiment based on my judgement.",
            "Negative sentiment based on my judgement.",
        ),
        (
            "prefix+suffix",
            "It has a positive sentiment based on my judgement.",
            "It has a negative sentiment based on my judgement.",
        ),
        ("edit one 1+1", "A positive.", "A negative."),
        ("unequal 1/2", "Positive.", "Negative sentiment."),
    ],
)
def test_the_responses_are_the_papers_and_their_like(style, chosen, rejected):
    assert responses(style, "positive") == (chosen, rejected)
    assert responses(style, "negative") == (rejected, chosen)


@pytest.mark.parametrize("position", [0, 1, 3, 19])
@pytest.mark.parametrize("suffix", [0, 1, 2, 6, 31])
def test_the_edit_stands_where_it_was_set(tokenizer, position, suffix):
    style = edit_one(position, suffix)
    assert token_edit(tokenizer, style) == (position, suffix)
    assert find_style(style.name) == style


def test_unequal_responses_have_the_lengths_asked_for(tokenizer):
    style = unequal(3, 9)
    assert [len(tokenizer.encode(text)) for text in style.pair("positive")] == [4, 10]
    assert find_style("unequal 3/9") == style
    with pytest.raises(ValueError, match="differ in one token"):
        token_edit(tokenizer, style)


def test_an_edit_of_several_tokens_is_noticed(tokenizer):
    two = Style("two", "Positive my sentiment.", "Negative on sentiment.")
    broken = Style("broken", "It has a zebra.", "It has a negative.")
    for style in (two, broken):
        with pytest.raises(ValueError, match="differ in one token"):
            token_edit(tokenizer, style)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: edit_one(-1, 2), "position is a number of tokens from 0 to 19: got -1"),
        (lambda: edit_one(20, 2), "position is .*: got 20"),
        (lambda: edit_one(0, 32), "suffix is a number of tokens from 0 to 31: got 32"),
        (lambda: unequal(2, 2), "differ in length: got 2 for both"),
        (lambda: Style("s", "same", "same"), "two different texts"),
        (lambda: Style("s", "one", " "), "not empty"),
        (lambda: find_style("no suffix"), "no style is named 'no suffix'"),
        (lambda: responses("short suffix", "glad"), "the label 'glad'"),
    ],
)
def test_misuse_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def test_every_text_of_the_styles_is_listed_once():
    texts = sentences([*STYLES, STYLES["single token"]])
    assert texts == sorted(set(texts))
    assert set(texts) == {
        s.pair(label)[i] for s in STYLES.values() for label in LABELS for i in (0, 1)
    }
