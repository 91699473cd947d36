"""Causal language models: make one, batch its text, read its log-probabilities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

END = "<|endoftext|>"
SEPARATOR = "\n"
OPTIONAL = ("position_ids", "logits_to_keep", "use_cache")
# The size of GPT-2 small as published: 124,439,808 parameters.
GPT2_SMALL = {"layers": 12, "heads": 12, "width": 768, "vocabulary": 50257, "positions": 1024}
_REPEATS = 1000

# transformers' classes are only loosely typed, and what is needed here is what all causal models
# share: parameters, train and eval, and a forward pass that gives logits.
Model = Any
TextTokenizer = Any


@dataclass(frozen=True, eq=False)
class Batch:
    """Prompts with their responses, padded on the left so that every response ends its row.

    Args:
        ids: Token ids, ``(batch, length)``.
        attention: 1 on tokens and 0 on padding, ``(batch, length)``.
        response: True on response tokens, ``(batch, length)``.
    """

    ids: Tensor
    attention: Tensor
    response: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Tensor:
        """Response lengths in tokens, ``(batch,)``."""
        return self.response.sum(1)

    def row(self, index: int) -> "Batch":
        """The batch of one row alone, without its padding."""
        start = int((self.attention[index] == 0).sum())
        one = slice(index, index + 1)
        return Batch(self.ids[one, start:], self.attention[one, start:], self.response[one, start:])

    def rows(self, some: slice) -> "Batch":
        """The batch of some rows, with the padding they have."""
        return Batch(self.ids[some], self.attention[some], self.response[some])

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on the device of a model."""
        return Batch(*(t.to(device) for t in (self.ids, self.attention, self.response)))


def train_tokenizer(
    texts: Iterable[str], words_in: Sequence[str], vocabulary: int
) -> TextTokenizer:
    """Byte-level BPE in which every word of the sentences ``words_in`` is one token.

    A large pretrained vocabulary has these common words whole; a small one trained on few texts
    would break some of them. So the sentences are repeated until their words are the most
    frequent of the corpus and are merged first.

    Raises:
        ValueError: The vocabulary is too small for that.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, *[*words_in] * _REPEATS], trainer)
    for sentence in words_in:
        words = len(tokenizer.pre_tokenizer.pre_tokenize_str(sentence))
        if len(tokenizer.encode(sentence).ids) != words:
            raise ValueError(
                f"every word of {sentence!r} must be one token, but it became "
                f"{tokenizer.encode(sentence).tokens}; raise the vocabulary above {vocabulary}"
            )
    return wrap_tokenizer(tokenizer.to_str())


def wrap_tokenizer(serialized: str) -> TextTokenizer:
    """The tokenizer that ``tokenizer.backend_tokenizer.to_str()`` described."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(serialized), eos_token=END, pad_token=END
    )


def new_model(
    *, vocabulary: int, layers: int, heads: int, width: int, positions: int, seed: int
) -> Model:
    """A GPT-2 of the given size with random weights; the same seed gives the same weights.

    Without dropout, so that a loss is a function of the weights alone.
    """
    config = GPT2Config(
        vocab_size=vocabulary,
        n_layer=layers,
        n_head=heads,
        n_embd=width,
        n_positions=positions,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config)


def encode(
    tokenizer: TextTokenizer,
    prompts: Sequence[str],
    responses: Sequence[str],
    longest_prompt: int | None = None,
) -> Batch:
    """Batch of ``prompt + newline + response``; no end token follows the response.

    Args:
        tokenizer: As from ``load`` or ``train_tokenizer``.
        prompts: One text for each row.
        responses: One text for each row.
        longest_prompt: Keep so many tokens of a prompt, from its start; None keeps all.

    Raises:
        ValueError: No rows, unequal numbers of prompts and responses, or an empty response.
    """
    if len(prompts) != len(responses) or not prompts:
        raise ValueError(
            "a batch needs rows, each a prompt and a response: "
            f"got {len(prompts)} prompts and {len(responses)} responses"
        )
    separator = _ids(tokenizer, SEPARATOR)
    contexts = [_ids(tokenizer, text)[:longest_prompt] + separator for text in prompts]
    answers = [_ids(tokenizer, text) for text in responses]
    if not all(answers):
        raise ValueError(
            f"a response has at least one token, but row {answers.index([])} has none; "
            "leave out empty responses"
        )
    return padded(tokenizer, contexts, answers)


def padded(
    tokenizer: TextTokenizer, contexts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> Batch:
    """Batch of token rows, each what is given and then what is counted as the response."""
    rows = [[*c, *a] for c, a in zip(contexts, answers, strict=True)]
    length = max(map(len, rows))
    ids = torch.full((len(rows), length), int(tokenizer.pad_token_id))
    attention = torch.zeros((len(rows), length), dtype=torch.long)
    response = torch.zeros((len(rows), length), dtype=torch.bool)
    for i, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        ids[i, length - len(row) :] = torch.tensor(row)
        attention[i, length - len(row) :] = 1
        response[i, length - len(answer) :] = True
    return Batch(ids, attention, response)


def join(first: Batch, second: Batch) -> Batch:
    """The rows of both batches in one, padded to the longer."""
    length = max(first.ids.shape[1], second.ids.shape[1])

    def stacked(name: str) -> Tensor:
        # Padding is masked, so any id will do; 0 is one in every vocabulary.
        return torch.cat(
            [
                torch.nn.functional.pad(getattr(b, name), (length - b.ids.shape[1], 0))
                for b in (first, second)
            ]
        )

    return Batch(stacked("ids"), stacked("attention"), stacked("response"))


def token_logp(model: Model, batch: Batch) -> Tensor:
    r"""Log-probability of each response token, :math:`\log\pi(y^i \mid x, y^{<i})`.

    Returns:
        ``(batch, longest response)``, nats, aligned at the right; 0 before a shorter response.
    """
    logits, targets = _predictions(model, batch)
    losses = cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return -losses * batch.response[:, -targets.shape[1] :]


def greedy(model: Model, batch: Batch) -> Tensor:
    """Whether each response token is the likeliest one where it stands.

    Up to the first that is not, it is what the model would write by itself, greedily.

    Returns:
        ``(batch, longest response)``, aligned at the right; True before a shorter response.
    """
    logits, targets = _predictions(model, batch)
    return (logits.argmax(-1) == targets) | ~batch.response[:, -targets.shape[1] :]


def _predictions(model: Model, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits at the last positions, as many as the longest response has, and their tokens."""
    longest = int(batch.lengths.max())
    inputs = {
        "input_ids": batch.ids,
        "attention_mask": batch.attention,
        "use_cache": False,
        # Padding must not shift a token's position.
        "position_ids": (batch.attention.cumsum(1) - 1).clamp(min=0),
        "logits_to_keep": longest + 1,
    }
    # Some models count positions themselves, or know no way to leave logits out.
    taken = forward_arguments(model)
    given = {k: v for k, v in inputs.items() if k not in OPTIONAL or k in taken}
    return model(**given).logits[:, -longest - 1 : -1], batch.ids[:, -longest:]


def forward_arguments(model: Model) -> frozenset[str]:
    """Names that the forward pass of a model takes, of the model itself under an adapter."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    taken = signature(getattr(base, "forward", base)).parameters
    if "input_ids" not in taken and any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        # A wrapper hands on whatever it is given.
        return frozenset(("input_ids", "attention_mask", *OPTIONAL))
    return frozenset(taken)


def logp(model: Model, batch: Batch) -> Tensor:
    r"""Log-probability of each response, :math:`\log\pi(y \mid x)`, ``(batch,)``, nats."""
    return token_logp(model, batch).sum(1)


def _ids(tokenizer: TextTokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids
