"""Preference data of any kind: a prompt, a chosen and a rejected response in each row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from .read import Origin, collect, read_rows

_TURN = "\n\nAssistant:"
_ASKING = ("system", "user")
_WORD_END = re.compile(r"\s(?=\S*\Z)")


class Message(NamedTuple):
    """One turn of a conversation."""

    role: str
    content: str


Text = str | tuple[Message, ...]


@dataclass(frozen=True)
class Preference:
    """One pair: plain strings, or all three conversations.

    Args:
        prompt: What both responses answer; may be empty.
        chosen: The preferred response, without the prompt.
        rejected: The other one, without the prompt.
    """

    prompt: Text
    chosen: Text
    rejected: Text


@dataclass(frozen=True)
class Preferences:
    """Pairs and where they come from.

    Args:
        pairs: In the order of the source.
        origin: The source, its hash, and the rows that were left out as malformed.
        places: Where each pair stands, such as ``line 3``.
        identical: Places of pairs whose responses are the same text. They are kept, for data
            have them; their scores are equal, and no objective of the margin can move it.
    """

    pairs: tuple[Preference, ...]
    origin: Origin
    places: tuple[str, ...]
    identical: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pairs)


def read_preferences(
    source: str | Path,
    *,
    skip_malformed: bool = False,
    limit: int | None = None,
    part: str = "train",
) -> Preferences:
    """Read pairs in either of TRL's formats, strings or conversations.

    A row has ``chosen`` and ``rejected``, each a string or a list of ``{role, content}``, and
    perhaps ``prompt`` of the same kind. Without one, or with a prompt of another kind than the
    responses, the prompt is what both responses begin with: whole messages of a conversation;
    of strings up to the last ``Assistant:`` that both have, or else up to the last word that
    both have whole. Other columns are ignored.

    Args:
        source: As for ``read_rows``: a JSONL, JSON, CSV or Parquet file, a folder, or the name
            of a data set on the Hugging Face hub.
        skip_malformed: Leave malformed rows out and list them in the origin.
        limit: Read no further than so many usable rows.
        part: Part of a folder or of a data set on the hub.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: The source is missing, or rows are malformed and are not to be skipped.
    """
    found, origin = collect(
        read_rows(source, part), preference, skip_malformed=skip_malformed, limit=limit
    )
    places, pairs = zip(*found, strict=True)
    identical = tuple(place for place, pair in found if pair.chosen == pair.rejected)
    return Preferences(pairs, origin, places, identical)


def preference(row: Any) -> Preference:
    """The pair that a row of data states.

    Raises:
        ValueError: It states none; the message is the rule that it breaks.
    """
    if not isinstance(row, Mapping):
        raise ValueError(  # noqa: TRY004 (the data are wrong, not the caller's type)
            f"a row is an object with chosen, rejected and perhaps prompt, not {_shown(row)}"
        )
    if missing := [name for name in ("chosen", "rejected") if row.get(name) is None]:
        raise ValueError(
            f"a row has chosen and rejected, but {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing from {', '.join(map(str, row))}"
        )
    chosen, rejected = (_text(name, row[name]) for name in ("chosen", "rejected"))
    prompt = _text("prompt", row["prompt"]) if row.get("prompt") is not None else None
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise ValueError("chosen and rejected are of one kind, but one is a string, one a list")
    if prompt is None or isinstance(prompt, str) != isinstance(chosen, str):
        pair = _divided(chosen, rejected)
    else:
        pair = Preference(prompt, chosen, rejected)
    for name, response in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        if not isinstance(response, str) and response and response[0].role in _ASKING:
            raise ValueError(
                f"a response is the assistant's, but {name} begins with a turn of the role "
                f"{response[0].role!r}; chosen and rejected must answer the same prompt"
            )
        if not _says_something(response):
            raise ValueError(
                f"a response says something, but {name} is empty"
                + ("" if prompt is not None else " after the beginning that both share")
            )
    return pair


def _text(name: str, value: Any) -> Text:
    """A string, or a conversation as messages."""
    if isinstance(value, str):
        return _utf8(name, value)
    if not isinstance(value, Sequence):
        raise ValueError(  # noqa: TRY004 (the data are wrong, not the caller's type)
            f"{name} is a string or a list of messages, not {_shown(value)}"
        )
    return tuple(_message(name, message) for message in value)


def _message(name: str, value: Any) -> Message:
    if not isinstance(value, Mapping) or not all(
        isinstance(value.get(key), str) for key in Message._fields
    ):
        raise ValueError(
            f"a message of {name} is an object whose role and content are strings, "
            f"not {_shown(value)}"
        )
    return Message(*(_utf8(name, value[key]) for key in Message._fields))


def _utf8(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text is Unicode, but {name} holds half a surrogate pair at {error.start}"
        ) from error
    return value


def _divided(chosen: Text, rejected: Text) -> Preference:
    """Take apart what both begin with and what is each one's own."""
    shared = _shared(chosen, rejected)
    return Preference(chosen[:shared], chosen[shared:], rejected[shared:])


def _shared(chosen: Text, rejected: Text) -> int:
    """How much of both is the prompt, in characters or messages."""
    same = takewhile(lambda both: both[0] == both[1], zip(chosen, rejected, strict=False))
    count = sum(1 for _ in same)
    if not isinstance(chosen, str):
        # Of equal conversations, the last turn is the response.
        return max(0, min(count, len(chosen) - 1, len(rejected) - 1))
    common = chosen[:count]
    turn = common.rfind(_TURN)
    if turn >= 0:
        return turn + len(_TURN)
    # The white space belongs to the response, as tokenizers join it to the word after it.
    end = _WORD_END.search(common)
    return end.start() if end else 0


def _says_something(response: Text) -> bool:
    if isinstance(response, str):
        return bool(response.strip())
    return any(message.content.strip() for message in response)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
