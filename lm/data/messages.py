"""What a column says: a text, or a conversation in any of the ways in which people write one."""

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

# What ShareGPT's roles are called in chat templates.
_SHAREGPT = {
    "system": "system", "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant",
    "assistant": "assistant", "model": "assistant", "observation": "tool", "tool": "tool",
}  # fmt: skip
PEOPLE = ("user", "human")
ASKING = ("system", "developer", *PEOPLE)  # roles that no response begins with
# Roles that chat templates know.
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# How str() or JSON begins to write a message, or a list of them …
_WRITTEN = re.compile(r"""\s*\[?\s*\{\s*['"](?:role|from|content|value)['"]\s*:""")
# … and what a list cannot be anything else with.
_SURELY = re.compile(
    r"""\s*\[\s*\{\s*['"](?:role|from)['"]\s*:\s*['"](?:"""
    + "|".join(sorted({*_SHAREGPT, *ROLES}))
    + ")"
)
_SHOWN = 12  # names in an error message


class Message(NamedTuple):
    """One turn of a conversation.

    Args:
        role: Such as ``user``.
        content: Its text, empty where there is none.
        given: The whole turn as JSON where it holds more than a role and a text, such as calls of
            tools, or has no text; otherwise empty.
    """

    role: str
    content: str
    given: str = ""

    def as_given(self) -> dict[str, Any]:
        """The turn as a chat template takes it."""
        if self.given:
            return dict(json.loads(self.given))
        return {"role": self.role, "content": self.content}

    @property
    def says_something(self) -> bool:
        """Whether there is a text that is not blank, or a call of a tool."""
        return bool(self.content.strip()) or bool(
            self.given and json.loads(self.given).get("tool_calls")
        )


Turns = tuple[Message, ...]
Text = str | Turns


def text_of(name: str, value: Any) -> Text:
    """What a column says: a string, or the turns of a conversation.

    A conversation is a list of messages or a single one, with ``role`` and ``content`` or with
    ShareGPT's ``from`` and ``value``, an object with ``messages``, or any of these written as
    JSON or by ``str()``.

    Raises:
        ValueError: It is none of these; the message is the rule that it breaks.
    """
    if isinstance(value, str):
        turns = turns_in(name, value)
        return _utf8(name, value) if turns is None else text_of(name, turns)
    if isinstance(value, Mapping):
        alone = [value] if {"role", "from"} & set(value) else value
        value = value.get("messages", alone)
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise ValueError(  # noqa: TRY004 (the data are wrong, not the caller's type)
            f"{name} is a string or a list of messages, not {shown(value)}"
        )
    if value and all(isinstance(text, str) for text in value):
        if len(value) > 1:
            raise ValueError(
                f"{name} is one text, but holds a list of {len(value)}; write a row for each, or "
                "turns as messages"
            )
        return _utf8(name, value[0])
    return tuple(_message(name, message) for message in value)


def turns_in(name: str, value: str) -> list[Any] | None:
    """The messages of a conversation that is written as JSON or by ``str()``; None of other text.

    Text that is JSON for another purpose, such as an answer with a key ``role``, is text.

    Raises:
        ValueError: It begins as a conversation, but cannot be read.
    """
    if not _WRITTEN.match(value):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            turns = read(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        turns = [turns] if isinstance(turns, Mapping) else turns
        return turns if turns and all(map(_is_message, turns)) else None
    if not _SURELY.match(value):
        return None
    raise ValueError(
        f"{name} holds a conversation written as text that is neither JSON nor what str() writes: "
        f"{shown(value)}; save the data as JSONL"
    )


def begins_with_a_prompt(text: Text) -> bool:
    """Whether it is a conversation whose first turn is not the assistant's."""
    return not isinstance(text, str) and bool(text) and text[0].role.lower() in ASKING


def lists_in(turns: Turns) -> list[list[Mapping[str, Any]]]:
    """The contents of messages that are lists of parts."""
    contents = [turn.as_given().get("content") for turn in turns if turn.given]
    return [content for content in contents if content and isinstance(content, list)]


def says_something(text: Text) -> bool:
    """Whether any of it is not blank."""
    if isinstance(text, str):
        return bool(text.strip())
    return any(message.says_something for message in text)


def characters(text: Text) -> int:
    """How long it is, tool calls included."""
    if isinstance(text, str):
        return len(text)
    return sum(len(m.content) or len(m.given) for m in text)


def plain(text: Text) -> str:
    """It as a person would read it."""
    if isinstance(text, str):
        return text
    return "\n".join(f"{m.role}: {m.content or m.given}" for m in text)


def shown(value: Any) -> str:
    """A value in an error message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def listed(names: Iterable[str]) -> str:
    """Names in an error message: the first few, odd ones in quotation marks."""
    told = [
        name if name.isprintable() and name == name.strip() and len(name) <= 40 else shown(name)
        for name in names
    ]
    more = len(told) - _SHOWN
    return ", ".join(told[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _is_message(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    role = value.get("role", value.get("from"))
    said = {"content", "value", "tool_calls"} & set(value)
    return bool(said) and str(role).lower() in {*_SHAREGPT, *ROLES}


def _message(name: str, value: Any) -> Message:
    if isinstance(value, Mapping) and "from" in value and "role" not in value:
        value = _from_sharegpt(name, value)
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str):
        raise ValueError(  # noqa: TRY004 (the data are wrong, not the caller's type)
            f"a message of {name} is an object whose role is a string, not {shown(value)}"
        )
    _utf8(name, value["role"])
    content = _content(name, value)
    if set(value) == {"role", "content"} and isinstance(value["content"], str):
        return Message(value["role"], content)
    try:
        given = json.dumps(dict(value), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a message of {name} holds what JSON cannot say ({error})") from error
    return Message(value["role"], content, _utf8(name, given))


def _from_sharegpt(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    role = _SHAREGPT.get(str(value["from"]).lower())
    if role is None:
        raise ValueError(
            f"a message of {name} is from {', '.join(_SHAREGPT)}, not {shown(value['from'])}; "
            "write calls of tools as tool_calls of the assistant"
        )
    return {"role": role, "content": value.get("value", value.get("content"))}


def _content(name: str, turn: Mapping[str, Any]) -> str:
    """The text of a turn; of a list of parts, that of those that have one."""
    content = turn.get("content")
    if isinstance(content, str):
        return _utf8(name, content)
    if content is None and turn.get("tool_calls"):
        return ""
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) for part in content):
        texts = [part.get("text") for part in content]
        return "".join(_utf8(name, text) for text in texts if isinstance(text, str))
    raise ValueError(
        f"a message of {name} has a content that is a string, or calls tools, not {shown(turn)}"
    )


def _utf8(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text is Unicode, but {name} holds half a surrogate pair at {error.start}"
        ) from error
    return value
