"""Preference data of any kind: a prompt, a chosen and a rejected response in each row."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from .columns import TURN, Columns, Named, may_be_prompt, media_of, recognise
from .messages import (
    ROLES,
    Message,
    Text,
    Turns,
    begins_with_a_prompt,
    listed,
    lists_in,
    plain,
    says_something,
    shown,
    text_of,
    turns_in,
)
from .read import Origin, collect, read_rows


@dataclass(frozen=True)
class Preference:
    """One pair: plain strings, or all three conversations.

    Args:
        prompt: What both responses answer; may be empty.
        chosen: The preferred response, without the prompt.
        rejected: The other one, without the prompt.
        template: What the chat template takes beside the turns, such as tools, as JSON; empty if
            nothing.
        media: What stands beside the text and is left out, such as images, as JSON.
        scores: What somebody gave the chosen and the rejected response.
    """

    prompt: Text
    chosen: Text
    rejected: Text
    template: str = ""
    media: str = ""
    scores: tuple[float, float] | None = None

    @property
    def is_conversation(self) -> bool:
        """Whether its texts are turns."""
        return not isinstance(self.chosen, str)

    @property
    def turns(self) -> Turns:
        """All turns of its conversations; of text there are none."""
        texts = (self.prompt, self.chosen, self.rejected)
        return tuple(turn for text in texts if not isinstance(text, str) for turn in text)


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


class PairReader:
    """Reads rows as pairs; all rows are of the form of the first one that states a pair.

    Args:
        named: Columns that the user names.
    """

    def __init__(self, named: Named | None = None) -> None:
        self._named = named or Named()
        self._form: tuple[Columns, bool] | None = None
        self._written = self._human = False
        self._rows_with: Counter[str] = Counter()
        # In the order in which they came: odd roles, and unread columns that may be of the prompt.
        self._roles: dict[str, None] = {}
        self._beside: dict[str, None] = {}

    def __call__(self, row: Any) -> Preference:
        """The pair that a row states.

        Raises:
            ValueError: It states none, or not as the rows before it do; the message is the rule
                that it breaks.
        """
        if not isinstance(row, Mapping):
            raise ValueError(  # noqa: TRY004 (the data are wrong, not the caller's type)
                f"a row is an object with chosen, rejected and perhaps prompt, not {shown(row)}"
            )
        columns = recognise(row, self._named)
        # Where a system turn or a history is missing, it is a conversation still.
        known = (columns, *(self._form or ())[:1])
        in_turns = any(c.system or c.history for c in known if isinstance(c, Columns))
        pair = _pair(row, columns, in_turns=in_turns)
        form = columns, pair.is_conversation
        first = self._form or form
        if (columns.kind, form[1]) != (first[0].kind, first[1]):
            raise ValueError(
                f"all rows are of one form, but this one has {_form(*form)}, and the first "
                f"{_form(*first)}"
            )
        self._form = first[0].joined(columns), form[1]
        self._note(row, columns, pair)
        return pair

    def _note(self, row: Mapping[str, Any], columns: Columns, pair: Preference) -> None:
        """Keep what is to be said of the columns when all rows are read."""
        self._human |= (
            isinstance(pair.prompt, str) and not columns.prompt and pair.prompt.endswith(TURN)
        )
        self._written = self._written or any(
            isinstance(text := row.get(name), str) and turns_in(name, text) is not None
            for name in columns.read
        )
        for name, value in row.items():
            if value in (None, "", []):
                continue
            self._rows_with[str(name)] += 1
            if name in columns.read:
                inner = value if isinstance(value, Mapping) and "messages" in value else {}
                more = (k for k, v in inner.items() if v and k not in {"messages", "tools"})
                self._rows_with.update(f"{name}.{key}" for key in more)
            elif may_be_prompt(name) and not self._named.prompt and _adds(name, value, pair):
                self._beside[name] = None
        self._roles.update({turn.role: None for turn in pair.turns if turn.role not in ROLES})

    @property
    def words(self) -> str:
        """What was read as what, and which columns were not, in one line."""
        if self._form is None:
            return "no row states a pair"
        columns, conversations = self._form
        kind = "conversations" if conversations else "text, put into no chat template"
        written = ", which stand in the columns as text" if self._written else ""
        unread, beside = ", ".join(self.unread), ", ".join(self._beside)
        begun = "" if columns.prompt else "; the prompt is what both responses begin with"
        begun += ", up to the last Assistant: (HH)" if self._human else ""
        odd = f", with roles that few templates know: {listed(self._roles)}" if self._roles else ""
        if beside:
            which = "which" if beside == unread else f"of which {beside}"
            unread += f", {which} may be of the prompt: name all its columns with --prompt-column"
        return (
            f"{columns.words()}{begun}; read as {kind}{written}{odd}. "
            f"Not read: {unread or 'nothing'}."
        )

    @property
    def unread(self) -> tuple[str, ...]:
        """Columns that held something and were not read, in the order of the rows."""
        if self._form is None:
            return ()
        columns, conversations = self._form
        # Without a chat template, nothing takes its arguments.
        read = columns.read if conversations else columns.read - {"tools", "chat_template_kwargs"}
        return tuple(name for name in self._rows_with if name not in read)


def read_preferences(
    source: str | Path,
    *,
    skip_malformed: bool = False,
    limit: int | None = None,
    part: str = "train",
) -> Preferences:
    """Read pairs in any of the forms that :mod:`disband.lm.data.columns` tells by name.

    Two responses, each a string or a conversation, and what both answer. Without a column of the
    prompt, it is what both begin with, as TRL takes it: whole messages of conversations; of
    strings all characters up to the first that differs, and a space before it is the responses'.
    Strings with ``Human:`` and ``Assistant:`` turns are divided after the last ``Assistant:``
    that both have.

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
    placed, origin = collect(
        read_rows(source, part), PairReader(), skip_malformed=skip_malformed, limit=limit
    )
    places, pairs = zip(*placed, strict=True)
    identical = tuple(place for place, pair in placed if pair.chosen == pair.rejected)
    return Preferences(pairs, origin, places, identical)


def preference(row: Any) -> Preference:
    """The pair that a single row states, as :class:`PairReader` reads it."""
    return PairReader()(row)


def _form(columns: Columns, conversation: bool) -> str:  # noqa: FBT001 (half of a form)
    kind = "conversations" if conversation else "text"
    return f"{kind} in {', '.join(sorted(columns.read - {'tools', 'chat_template_kwargs'}))}"


def _adds(name: str, value: Any, pair: Preference) -> bool:
    """Whether a column says more than what prompt and chosen response say."""
    try:
        text = text_of(name, value)
    except ValueError:
        return False
    said = plain(pair.prompt) + "\n" + plain(pair.chosen)
    pieces = [text] if isinstance(text, str) else [turn.content for turn in text]
    return any(piece.strip() not in said for piece in pieces)


def _pair(row: Mapping[str, Any], columns: Columns, *, in_turns: bool) -> Preference:
    chosen, rejected = (text_of(name, row[name]) for name in columns.of(row))
    if isinstance(chosen, str) != isinstance(rejected, str):
        if isinstance(chosen, str) or columns.chosen != "messages":
            raise ValueError("chosen and rejected are of one kind, but one is a string, one a list")
        # ms-swift: the last turn of the messages is the chosen response.
        rejected = (*chosen[:-1], Message("assistant", str(rejected)))
    prompt = _prompt(row, columns, chosen, rejected)
    before = _turns_before(row, columns)
    if isinstance(chosen, str) and isinstance(prompt, str | None) and not in_turns:
        pair = (
            _divided(chosen, rejected) if prompt is None else Preference(prompt, chosen, rejected)
        )
    else:
        pair = _conversation(columns, before, prompt, chosen, rejected)
    _require_answers(pair, divided=prompt is None)
    return _with_what_stands_beside(pair, row, columns)


def _prompt(row: Mapping[str, Any], columns: Columns, chosen: Text, rejected: Text) -> Text | None:
    """What the columns of the prompt say; None where it is what both responses begin with."""
    texts = [text_of(name, row[name]) for name in columns.prompt]
    if not texts:
        return None
    if len(texts) > 1:
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(
                f"columns that are joined hold strings: {' and '.join(columns.prompt)} do not"
            )
        return "\n".join(text for text in texts if isinstance(text, str) and text)
    (prompt,) = texts
    if not isinstance(prompt, str) or not all(map(begins_with_a_prompt, (chosen, rejected))):
        return prompt
    # The responses are whole conversations, so the prompt should be one of their turns.
    shared = chosen[: _shared(chosen, rejected)]
    if prompt.strip() and not any(
        prompt.strip() in turn.content for turn in shared if isinstance(turn, Message)
    ):
        raise ValueError(
            f"conversations begin with the prompt, but that of {columns.prompt[0]} is none of "
            "their turns; mend the row, or say --prompt-column none"
        )
    return None


def _turns_before(row: Mapping[str, Any], columns: Columns) -> Turns:
    """A system turn and earlier turns that have columns of their own."""
    turns: list[Message] = []
    if columns.system and row[columns.system]:
        system = text_of(columns.system, row[columns.system])
        turns += [Message("system", system)] if isinstance(system, str) else system
    history = (row.get(columns.history) or []) if columns.history else []
    if history and all(isinstance(turn, Mapping) for turn in history):
        return (*turns, *text_of("history", history))
    for both in history:
        texts = isinstance(both, list | tuple) and [isinstance(text, str) for text in both]
        if texts != [True, True]:
            raise ValueError(
                f"{columns.history} is a list of pairs, question and answer, not of {shown(both)}"
            )
        turns += [Message("user", both[0]), Message("assistant", both[1])]
    return tuple(turns)


def _conversation(
    columns: Columns, before: Turns, prompt: Text | None, chosen: Text, rejected: Text
) -> Preference:
    """A pair of conversations from what may partly be text."""
    answer, other = (
        (Message("assistant", text),) if isinstance(text, str) else text
        for text in (chosen, rejected)
    )
    if prompt is None:
        shared = _shared(answer, other)
        asked, answer, other = answer[:shared], answer[shared:], other[shared:]
    elif isinstance(prompt, str):
        asked = (Message("user", prompt),) if prompt else ()
    else:
        asked = prompt if columns.prompt == ("prompt",) else _without_answer(prompt, answer)
    if before and asked and asked[0].role == "system" and before[0].role == "system":
        if asked[0] != before[0]:
            raise ValueError(
                f"a conversation has one system turn, but {columns.system} says another than its "
                "own; say --system-column none"
            )
        before = before[1:]
    return Preference((*before, *asked), answer, other)


def _without_answer(asked: Turns, answer: Turns) -> Turns:
    """A conversation without its last turn where that is the chosen response."""
    return asked[:-1] if asked and asked[-1:] == answer else asked


def _require_answers(pair: Preference, *, divided: bool) -> None:
    for name, response in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        if begins_with_a_prompt(response):
            again = pair.prompt and response[: len(pair.prompt)] == pair.prompt
            raise ValueError(
                f"a response is the assistant's, but {name} begins with a turn of the role "
                f"{plain(response).partition(':')[0]!r}; "
                + (
                    "it says the prompt again: say --prompt-column none"
                    if again
                    else "chosen and rejected must answer the same prompt"
                )
            )
        if not says_something(response):
            raise ValueError(
                f"a response says something, but {name} is empty"
                + (" after the beginning that both share" if divided else "")
            )


def _with_what_stands_beside(
    pair: Preference, row: Mapping[str, Any], columns: Columns
) -> Preference:
    media = media_of(row)
    parts = [part for content in lists_in(pair.turns) for part in content]
    if parts := [part for part in parts if not isinstance(part.get("text"), str)]:
        media["messages"] = parts
    scores = None
    if columns.scores:
        first, second = (float(row[name]) for name in columns.scores)
        scores = first, second
    return Preference(
        pair.prompt, pair.chosen, pair.rejected,
        _template(row, columns) if pair.is_conversation else "",
        json.dumps(media, default=str, sort_keys=True) if media else "",
        scores,
    )  # fmt: skip


def _template(row: Mapping[str, Any], columns: Columns) -> str:
    """What the chat template takes beside the turns, as JSON, as TRL reads it."""
    asked = row[columns.prompt[0]] if columns.prompt else None
    within = asked.get("tools") if isinstance(asked, Mapping) else None
    tools, more = row.get("tools", within), row.get("chat_template_kwargs")
    if isinstance(tools, str):
        try:
            tools = json.loads(tools) if tools.strip() else None
        except ValueError as error:
            raise ValueError(f"tools are a list, or one as JSON, but are not ({error})") from error
    if more is not None and not isinstance(more, Mapping):
        raise ValueError(f"chat_template_kwargs is an object, not {shown(more)}")
    arguments = ({"tools": tools} if tools else {}) | dict(more or {})
    return json.dumps(arguments, default=str) if arguments else ""


def _divided(chosen: Text, rejected: Text) -> Preference:
    """Take apart what both begin with and what is each one's own."""
    shared = _shared(chosen, rejected)
    return Preference(chosen[:shared], chosen[shared:], rejected[shared:])


def _shared(chosen: Text, rejected: Text) -> int:
    """How much of both is the prompt, in characters or messages."""
    same = takewhile(lambda both: both[0] == both[1], zip(chosen, rejected, strict=False))
    count = sum(1 for _ in same)
    if isinstance(chosen, str):
        turn = chosen.rfind(TURN, 0, count)
        if turn >= 0:
            return turn + len(TURN)
        if 0 < count < min(len(chosen), len(rejected)) and chosen[count - 1] == " ":
            return count - 1
    # Where one goes on from the other, the last of the shorter is its response.
    return max(0, min(count, len(chosen) - 1, len(rejected) - 1))
