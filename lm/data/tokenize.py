"""Preference pairs as tokens: one context for both responses, cut to what the model can read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ..model.gpt2 import Batch, TextTokenizer, padded
from .preferences import Message, Preference, Text


@dataclass(frozen=True)
class Cut:
    """How texts become tokens.

    Args:
        max_length: Most tokens of context and response together; None for no limit. A context
            loses its beginning, the same for both responses, and keeps at least one token; a
            response that still does not fit loses its end.
        end: Whether a response ends in its end: the end-of-text token, or what the chat template
            puts after the last turn. Without it, a response of one token is of one token.
        separator: Stands between a plain prompt and its response.

    Raises:
        ValueError: A length below 2.
    """

    max_length: int | None = 512
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
        chosen: Ids of the chosen response.
        rejected: Ids of the rejected response.
        merged: Tokens of the prompt that stand in both responses, for the tokenizer joins the
            prompt's end with the response's beginning.
        cut_context: Tokens that the context lost.
        cut_responses: Tokens that the chosen and the rejected response lost.
    """

    context: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    merged: int = 0
    cut_context: int = 0
    cut_responses: tuple[int, int] = (0, 0)


def tokenize(
    tokenizer: TextTokenizer, pairs: Iterable[Preference], cut: Cut | None = None
) -> tuple[TokenPair, ...]:
    r"""Tokens of each pair.

    Prompt and response are tokenized as one text, as in training on whole texts, and the context
    is the prompt's tokens as far as both whole texts begin with them. So :math:`x` is the same
    for :math:`\pi(y_w \mid x)` and :math:`\pi(y_l \mid x)`, and a token that reaches over the
    border is counted with the responses. A text without a prompt begins with a start token.

    Raises:
        ValueError: A conversation, but a tokenizer without a chat template; or a template that
            does not render it.
    """
    cut = cut or Cut()
    return tuple(_tokens(tokenizer, pair, cut) for pair in pairs)


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


def summary(pairs: Sequence[TokenPair]) -> dict[str, int]:
    """How many pairs there are, and how many lost tokens or have a joined border."""
    return {
        "pairs": len(pairs),
        "cut contexts": sum(pair.cut_context > 0 for pair in pairs),
        "cut responses": sum(any(pair.cut_responses) for pair in pairs),
        "joined borders": sum(pair.merged > 0 for pair in pairs),
        "identical responses": sum(pair.chosen == pair.rejected for pair in pairs),
    }


def _tokens(tokenizer: TextTokenizer, pair: Preference, cut: Cut) -> TokenPair:
    prompt, *whole = _texts(tokenizer, pair, cut)
    start = [] if _is_conversation(pair) else _start(tokenizer)
    alone = start + _ids(tokenizer, prompt)
    rows = [start + _ids(tokenizer, text) for text in whole]
    if cut.end and not _is_conversation(pair):
        rows = [_ended(tokenizer, row) for row in rows]
    common = _common([alone, *rows])
    context = alone[:common] or [_any_start(tokenizer)]
    chosen, rejected = (tuple(row[common:]) for row in rows)
    if not chosen or not rejected:
        raise ValueError(
            f"a response has at least one token, but {pair.chosen!r} or {pair.rejected!r} has "
            "none; leave out the pair"
        )
    return _fitted(context, chosen, rejected, len(alone) - common, cut.max_length)


def _fitted(
    context: list[int],
    chosen: tuple[int, ...],
    rejected: tuple[int, ...],
    merged: int,
    limit: int | None,
) -> TokenPair:
    if limit is None:
        return TokenPair(tuple(context), chosen, rejected, merged)
    room = max(1, limit - max(len(chosen), len(rejected)))
    kept = tuple(context[-room:])
    most = limit - len(kept)
    lost = max(0, len(chosen) - most), max(0, len(rejected) - most)
    return TokenPair(kept, chosen[:most], rejected[:most], merged, len(context) - len(kept), lost)


def _texts(tokenizer: TextTokenizer, pair: Preference, cut: Cut) -> tuple[str, str, str]:
    """The prompt, and the whole text with either response."""
    prompt, chosen, rejected = pair.prompt, pair.chosen, pair.rejected
    if isinstance(prompt, str) and isinstance(chosen, str) and isinstance(rejected, str):
        before = prompt + cut.separator
        return before, before + chosen, before + rejected
    asked = _messages(prompt)

    def whole(response: Text) -> str:
        said = _messages(response)
        return _closed(_rendered(tokenizer, asked + said), said[-1]["content"], end=cut.end)

    opened = _rendered(tokenizer, asked, open_turn=True) if asked else ""
    return opened, whole(chosen), whole(rejected)


def _closed(text: str, said: str, *, end: bool) -> str:
    """The conversation with or without what the template puts after its last words."""
    place = text.rfind(said.strip())
    return text if end or place < 0 else text[: place + len(said.strip())]


def _rendered(
    tokenizer: TextTokenizer, messages: list[dict[str, str]], *, open_turn: bool = False
) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError(
            "conversations need a tokenizer with a chat template, but that of "
            f"{tokenizer.name_or_path or 'this model'} has none; "
            "choose a chat model, or give prompt, chosen and rejected as strings"
        )
    try:
        return str(
            tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=open_turn)
        )
    except Exception as error:
        # A template is a program of the model's makers, and may raise anything.
        raise ValueError(
            f"the chat template renders every conversation, but not one with the roles "
            f"{', '.join(m['role'] for m in messages)} ({error}); mend the data"
        ) from error


def _messages(text: Text) -> list[dict[str, str]]:
    turns = (Message("assistant", text),) if isinstance(text, str) else text
    return [turn._asdict() for turn in turns]


def _is_conversation(pair: Preference) -> bool:
    return not isinstance(pair.chosen, str)


def _ids(tokenizer: TextTokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


def _start(tokenizer: TextTokenizer) -> list[int]:
    """The start token, if the tokenizer puts one before every text."""
    first: list[int] = tokenizer.encode("")[:1]
    return first if first and first[0] == tokenizer.bos_token_id else []


def _any_start(tokenizer: TextTokenizer) -> int:
    """What stands before a response without a prompt, for nothing else predicts its beginning."""
    known = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return int(next((token for token in known if token is not None), 0))


def _ended(tokenizer: TextTokenizer, row: list[int]) -> list[int]:
    end = tokenizer.eos_token_id
    return row if end is None or row[-1:] == [end] else [*row, end]


def _common(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with."""
    return sum(1 for _ in takewhile(lambda t: len(set(t)) == 1, zip(*rows, strict=False)))
