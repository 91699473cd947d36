"""Response styles of the sentiment study: what is said about a positive and a negative text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LABELS = ("positive", "negative")

# Frequent words that are one token each in a large vocabulary. The paper's own stand next to the
# label, so that its styles are those of short prefixes and suffixes.
_BEFORE = "to be fair and after reading all of this more than once I would say that it has a"
_AFTER = (
    "sentiment based on my judgement of the whole text as it was written here today by someone "
    "who wanted others to know how they felt about what had just happened"
)
_FULL_STOP = "."
_EDIT_ONE = re.compile(r"edit one (\d+)\+(\d+)", re.ASCII)
_UNEQUAL = re.compile(r"unequal (\d+)/(\d+)", re.ASCII)


@dataclass(frozen=True)
class Style:
    """The two texts of a style; which is chosen and which rejected is the tweet's to say.

    Args:
        name: How results and figures call it.
        positive: The response that calls a text positive.
        negative: The response that calls it negative.

    Raises:
        ValueError: A response is empty, or both are the same.
    """

    name: str
    positive: str
    negative: str

    def __post_init__(self) -> None:
        if not self.positive.strip() or not self.negative.strip() or self.positive == self.negative:
            raise ValueError(
                "the responses of a style are two different texts that are not empty: got "
                f"{self.positive!r} and {self.negative!r} for {self.name!r}; change one"
            )

    def pair(self, label: str) -> tuple[str, str]:
        """Chosen and rejected response to a text of the given label.

        Raises:
            ValueError: An unknown label.
        """
        if label not in LABELS:
            raise ValueError(
                f"no response is defined for the label {label!r}; give one of {LABELS}"
            )
        both = (self.positive, self.negative)
        return both if label == LABELS[0] else both[::-1]


def edit_one(position: int, suffix: int, name: str | None = None) -> Style:
    """Responses that differ in their label alone, which has ``position`` tokens before it.

    ``suffix`` tokens follow it, the last of them a full stop. That a word is one token holds for
    a tokenizer made with these words and for the words' usual vocabularies; ``token_edit`` tells.

    Raises:
        ValueError: A number below zero, or longer than the words there are.
    """
    for what, count, most in (
        ("position", position, len(_BEFORE.split())),
        ("suffix", suffix, len(_AFTER.split()) + 1),
    ):
        if not 0 <= count <= most:
            raise ValueError(f"{what} is a number of tokens from 0 to {most}: got {count}")
    return Style(
        name or f"edit one {position}+{suffix}",
        *(_sentence(label, position, suffix) for label in LABELS),
    )


def unequal(positive: int = 2, negative: int = 6, name: str | None = None) -> Style:
    """Responses of different lengths: so many tokens follow the positive, the negative label.

    With both labels in the data, the longer response is now the chosen one, now the rejected one.

    Raises:
        ValueError: Equal numbers, a number below zero, or longer than the words there are.
    """
    if positive == negative:
        raise ValueError(
            f"the suffixes of unequal responses differ in length: got {positive} for both; "
            "use edit_one for equal lengths"
        )
    return Style(
        name or f"unequal {positive}/{negative}",
        edit_one(0, positive).positive,
        edit_one(0, negative).negative,
    )


def _sentence(label: str, position: int, suffix: int) -> str:
    before, after = _BEFORE.split(), _AFTER.split()
    words = [*before[len(before) - position :], label, *after[: max(0, suffix - 1)]]
    text = " ".join(words) + (_FULL_STOP if suffix else "")
    return text[0].upper() + text[1:]


# The paper spells the rejected prefix+suffix response with "judgment", once. The pair would then
# differ in two places and its edit distance, the subject of the study, would not be one.
# "Positive" stands without the full stop of the paper's list: with it, or with an end-of-text
# token, the style named for its single token would have an identical suffix.
STYLES = {
    style.name: style
    for style in (
        edit_one(0, 0, "single token"),
        edit_one(0, 2, "short suffix"),
        edit_one(0, 6, "long suffix"),
        edit_one(3, 6, "prefix+suffix"),
    )
}


def find_style(name: str) -> Style:
    """The style of this name: one of ``STYLES``, ``edit one 3+6`` or ``unequal 2/6``.

    Raises:
        ValueError: There is none.

    Source: yuan2025, section 4.3, with the differences noted at ``STYLES``.
    """
    if name in STYLES:
        return STYLES[name]
    for builder, written in ((edit_one, _EDIT_ONE), (unequal, _UNEQUAL)):
        if found := written.fullmatch(name):
            return builder(int(found[1]), int(found[2]))
    raise ValueError(
        f"no style is named {name!r}; choose one of {', '.join(STYLES)}, or write "
        "'edit one POSITION+SUFFIX' or 'unequal SUFFIX/SUFFIX' with numbers of tokens"
    )


def responses(style: str | Style, label: str) -> tuple[str, str]:
    """Chosen and rejected response to a text of the given label.

    Raises:
        ValueError: An unknown style or label.
    """
    return (find_style(style) if isinstance(style, str) else style).pair(label)


def sentences(styles: Iterable[str | Style]) -> list[str]:
    """Every text of these styles once, sorted: what a tokenizer has to have the words of."""
    return sorted({text for style in styles for text in responses(style, LABELS[0])})


def token_edit(tokenizer: Any, style: str | Style) -> tuple[int, int]:
    """How many tokens stand before and after the one in which the responses differ.

    Raises:
        ValueError: To this tokenizer they differ in more than one token, or in length.
    """
    rows = [
        tokenizer.encode(text, add_special_tokens=False) for text in responses(style, LABELS[0])
    ]
    places = [i for i, (w, l) in enumerate(zip(*rows, strict=False)) if w != l]  # noqa: E741
    if len(places) != 1 or len(rows[0]) != len(rows[1]):
        shown = " and ".join(str(tokenizer.convert_ids_to_tokens(row)) for row in rows)
        raise ValueError(
            f"the responses of an edit-one style differ in one token, but this tokenizer reads "
            f"{shown}; choose another style or model"
        )
    return places[0], len(rows[0]) - places[0] - 1
