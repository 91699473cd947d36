"""Preference pairs as tokens: one context for both responses, cut as TRL cuts them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from disband.theory.own_loss.time_limit import time_limit

from ..model.gpt2 import Batch, TextTokenizer, padded
from .messages import Message, Turns, lists_in, plain
from .preferences import Preference

# Seconds for one conversation: a template is a program, and may never end.
_PATIENCE = 10.0
# Tokens beyond the cut that are made all the same, for at the end of a cut text they differ.
_MARGIN = 64


@dataclass(frozen=True)
class Cut:
    """How texts become tokens.

    Args:
        max_length: Most tokens of context and response together; None for no limit. What is
            longer loses its end, as under TRL's ``keep_start``.
        end: Whether a response ends in its end: the end-of-text token, or what the chat template
            puts after the last turn. Without it, a response of one token is of one token.
        separator: Stands between a plain prompt and its response.

    Raises:
        ValueError: A length below 2.
    """

    max_length: int | None = 1024
    end: bool = True
    separator: str = ""

    def __post_init__(self) -> None:
        if self.max_length is not None and self.max_length < 2:
            raise ValueError(
                "max_length is at least 2, a token of context and one of the response: "
                f"got {self.max_length}; raise it"
            )


@dataclass(frozen=True)
class TokenPair:
    """One pair in tokens.

    Args:
        context: Ids that both responses follow; at least one.
        chosen: Ids of the chosen response; none where the context fills all that is kept, and a
            trainer leaves such a pair out.
        rejected: Ids of the rejected response, likewise.
        merged: Tokens of the prompt that stand in both responses, for the tokenizer joins the
            prompt's end with the response's beginning.
        cut: Whether the chosen and the rejected response lost their ends.
        started_twice: Whether the text begins with two start tokens, as where the data have one
            and the tokenizer puts another before it.
        ended_twice: Whether a response ends in two end tokens.
        parts_as_code: Whether the chat template wrote the parts of a message as Python writes a
            list.
    """

    context: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    merged: int = 0
    cut: tuple[bool, bool] = (False, False)
    started_twice: bool = False
    ended_twice: bool = False
    parts_as_code: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the cut left nothing of the responses."""
        return not self.chosen or not self.rejected


def tokenize(
    tokenizer: TextTokenizer, pairs: Iterable[Preference], cut: Cut | None = None
) -> tuple[TokenPair, ...]:
    """Tokens of each pair; see :func:`token_pair`."""
    cut = cut or Cut()
    return tuple(token_pair(tokenizer, pair, cut) for pair in pairs)


def token_pair(tokenizer: TextTokenizer, pair: Preference, cut: Cut) -> TokenPair:
    r"""Tokens of a pair, those that TRL trains on.

    Prompt and response are tokenized as one text, and the context is the prompt's tokens as far
    as both whole texts begin with them. So :math:`x` is the same for :math:`\pi(y_w \mid x)` and
    :math:`\pi(y_l \mid x)`, and a token that reaches over the border is counted with the
    responses. A text without a prompt begins with a start token; TRL leaves the first token of
    such responses out instead.

    Raises:
        ValueError: A conversation, but a tokenizer without a chat template; or a template that
            does not render it.
    """
    prompt, *whole = rendered(tokenizer, pair, cut)
    special = not pair.is_conversation
    alone = _ids(tokenizer, prompt, cut, special=special)
    rows = [_ids(tokenizer, text, cut, special=special) for text in whole]
    common = _common([alone, *rows])
    limit = cut.max_length or max(map(len, rows))
    chosen, rejected = (tuple(row[common:limit]) for row in rows)
    if common < limit and not (chosen and rejected):
        raise ValueError(
            f"a response has at least one token, but {plain(pair.chosen)!r} or "
            f"{plain(pair.rejected)!r} has none; leave out the pair"
        )
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    return TokenPair(
        tuple(alone[: min(common, limit)]) or (_any_start(tokenizer),),
        chosen,
        rejected,
        len(alone) - common,
        (len(rows[0]) > limit, len(rows[1]) > limit),
        started_twice=start is not None and rows[0][:2] == [start] * 2,
        ended_twice=end is not None and any(row[-2:] == [end] * 2 for row in rows),
        parts_as_code=_writes_parts_as_code(pair, whole),
    )


def batches(tokenizer: TextTokenizer, pairs: Sequence[TokenPair]) -> tuple[Batch, Batch]:
    """Chosen and rejected batch of these pairs.

    Raises:
        ValueError: No pairs.
    """
    if not pairs:
        raise ValueError("a batch needs pairs: got none")
    contexts = [pair.context for pair in pairs]
    return (
        padded(tokenizer, contexts, [pair.chosen for pair in pairs]),
        padded(tokenizer, contexts, [pair.rejected for pair in pairs]),
    )


def rendered(tokenizer: TextTokenizer, pair: Preference, cut: Cut) -> tuple[str, str, str]:
    """The text of the prompt, and the whole text with either response.

    Raises:
        ValueError: As :func:`token_pair`.
    """
    prompt, chosen, rejected = pair.prompt, pair.chosen, pair.rejected
    if isinstance(prompt, str) and isinstance(chosen, str) and isinstance(rejected, str):
        before = prompt + cut.separator
        end = tokenizer.eos_token or "" if cut.end else ""
        said = (text if text.endswith(end) else text + end for text in (chosen, rejected))
        return before, *(before + text for text in said)  # type: ignore[return-value]
    asked, answer, other = (
        (Message("assistant", text),) if isinstance(text, str) else text
        for text in (prompt or (), chosen, rejected)
    )
    more = json.loads(pair.template or "{}")
    opened = _templated(tokenizer, asked, more, add_generation_prompt=True) if asked else ""
    whole = (
        _closed(_templated(tokenizer, asked + said, more), said[-1].content, end=cut.end)
        for said in (answer, other)
    )
    return opened, *whole  # type: ignore[return-value]


def _writes_parts_as_code(pair: Preference, texts: Sequence[str]) -> bool:
    return any(str(content) in text for content in lists_in(pair.turns) for text in texts)


def _closed(text: str, said: str, *, end: bool) -> str:
    """The conversation with or without what the template puts after its last words."""
    place = text.rfind(said.strip())
    return text if end or place < 0 else text[: place + len(said.strip())]


def _templated(tokenizer: TextTokenizer, turns: Turns, more: dict[str, Any], **how: bool) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError(
            "conversations need a tokenizer with a chat template, but that of "
            f"{tokenizer.name_or_path or 'this model'} has none; choose a chat model, or give "
            "prompt, chosen and rejected as strings (a system column makes conversations: "
            "--system-column none leaves it out)"
        )
    messages = [turn.as_given() for turn in turns]
    try:
        with time_limit(_PATIENCE):
            text = str(tokenizer.apply_chat_template(messages, tokenize=False, **how, **more))
        text.encode()
    except TimeoutError as error:
        raise ValueError(
            f"the chat template renders a conversation in {_PATIENCE:g} s, but this one took longer"
        ) from error
    except Exception as error:
        # A template is a program of the model's makers, and may raise anything.
        raise ValueError(
            f"the chat template renders every conversation, but not one with the roles "
            f"{', '.join(turn.role for turn in turns[:8])} ({error}); mend the data"
        ) from error
    return text


def _ids(tokenizer: TextTokenizer, text: str, cut: Cut, *, special: bool) -> list[int]:
    if cut.max_length is not None:
        # No token is longer than the longest, so what is left out here would be cut anyway.
        text = text[: (cut.max_length + _MARGIN) * _longest_token(tokenizer)]
    ids: list[int] = tokenizer(text, add_special_tokens=special)["input_ids"]
    return ids


@lru_cache(maxsize=8)
def _longest_token(tokenizer: TextTokenizer) -> int:
    """Characters of the longest token, in the vocabulary's own spelling."""
    return max(map(len, tokenizer.get_vocab()), default=1)


def _any_start(tokenizer: TextTokenizer) -> int:
    """What stands before a response without a prompt, for nothing else predicts its beginning."""
    known = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return int(next((token for token in known if token is not None), 0))


def _common(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with."""
    return sum(1 for _ in takewhile(lambda t: len(set(t)) == 1, zip(*rows, strict=False)))
