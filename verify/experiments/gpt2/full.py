"""The protocol of ``pretrained.py`` at full scale, for a GPU; and tiny, to try all of it anywhere.

Source: yuan2025, section 4.3, whose models have 124M to 1.5B parameters.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import torch

from disband.lm.data.tweets import LABELS, STYLES, Tweet, responses
from disband.lm.model.gguf import quiet
from disband.lm.model.gpt2 import Batch, Model, new_model, train_tokenizer
from disband.lm.training.finetune import recompute
from disband.lm.training.stages import Stage
from disband.theory.objectives import find

from .pretrained import PIECES as LIGHT
from .pretrained import Followed

PIECES = tuple(
    replace(
        piece, steps=120, pairs=512, gram_pairs=256, token_pairs=4 * piece.token_pairs,
        logp_every=10, gram_every=20, recomputed=True,
    )
    for piece in LIGHT
)  # fmt: skip
# Tokens of a prompt and of each response after it, as most styles have them, to estimate with.
_PROMPT, _ANSWER = 24, 18
_BOTH, _ONE = _PROMPT + 2 * _ANSWER, _PROMPT + _ANSWER
# Numbers that a transformer layer holds for its backward pass, a token and a unit of width.
_HELD = 34


@dataclass(frozen=True)
class Size:
    """A model's, as far as time and memory go."""

    parameters: int
    layers: int
    width: int
    vocabulary: int

    @classmethod
    def of(cls, model: Model) -> "Size":
        """That of a model."""
        settings = model.config
        return cls(
            sum(p.numel() for p in model.parameters()),
            int(settings.num_hidden_layers),
            int(settings.hidden_size),
            int(settings.vocab_size),
        )


class Estimate(NamedTuple):
    """Of one piece at most: what it takes in updates of the preference training, and bytes."""

    updates: float
    memory: float


def estimate(piece: Followed, size: Size) -> Estimate:
    """What a piece takes if it does all its updates.

    A backward pass is twice a forward pass, and both grow with the tokens. In memory there are
    weights, gradients, both moments of Adam, the reference, the model before an update that is
    measured, and what the layers hold of an update.
    """
    looks = 1 + -(-piece.steps // piece.logp_every)
    grams = 1 + -(-piece.steps // piece.gram_every)
    passes = (
        piece.supervision.steps * piece.supervision.batch * _ONE * (3 + piece.recomputed)
        + (looks + 1) * piece.pairs * _BOTH
        # A Gram has a backward pass, and so have the slopes of an update.
        + (grams + looks) * piece.gram_pairs * _BOTH * 3
    )
    update = piece.batch * _BOTH * (4 + piece.recomputed)
    tokens, number = piece.batch * _BOTH, 2 if piece.mixed else 4
    layer = _HELD * number * tokens * size.width
    held = (
        (4 * tokens * size.width * size.layers + layer)
        if piece.recomputed
        else (layer * size.layers)
    )
    # Of the prompt only the last token is asked for what follows.
    logits = piece.batch * (1 + 2 * _ANSWER) * size.vocabulary * (number + 3 * 4)
    return Estimate(piece.steps + passes / update, 6 * 4.0 * size.parameters + held + logits)


def seconds_of_an_update(model: Model, piece: Followed) -> float:
    """Time one update of a piece on texts of no meaning, after one that is not timed.

    The model is trained in place, and good for nothing afterwards.
    """
    random = torch.Generator().manual_seed(0)
    prompt, *answers = (
        torch.randint(model.config.vocab_size, (piece.batch, count), generator=random)
        for count in (_PROMPT, _ANSWER, _ANSWER)
    )
    response = (torch.arange(_ONE) >= _PROMPT).expand(piece.batch, _ONE)
    chosen, rejected = (
        Batch(
            torch.cat([prompt, answer], 1), torch.ones_like(response, dtype=torch.long), response
        ).to(model.device)
        for answer in answers
    )
    if piece.recomputed:
        recompute(model)
    reference = deepcopy(model)
    stage = Stage.begin(model, piece.rule)
    times = []
    for _ in range(2):
        begun = monotonic()
        stage.prefer(
            (chosen, rejected), reference, find(piece.objective), shared=True, mixed=piece.mixed
        )
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(monotonic() - begun)
    return times[-1]


def tiny(piece: Followed) -> Followed:
    """The same piece with few updates and pairs: every kind of step is left, and little work."""
    supervision = replace(piece.supervision, steps=2, batch=4)
    return replace(
        piece, steps=4, batch=4, pairs=8, gram_pairs=4, token_pairs=min(1, piece.token_pairs),
        logp_every=2, gram_every=2, supervision=supervision,
    )  # fmt: skip


def tiny_model(tweets: Sequence[Tweet], folder: Path) -> None:
    """Write a GPT-2 of two layers with random weights and its tokenizer, for ``load_model``."""
    sentences = sorted({text for style in STYLES for text in responses(style, LABELS[0])})
    tokenizer = train_tokenizer([tweet.text for tweet in tweets[:500]], sentences, 512)
    model = new_model(
        vocabulary=len(tokenizer), layers=2, heads=2, width=32, positions=1024, seed=0
    )
    with quiet():
        for part in (model, tokenizer):
            part.save_pretrained(folder)
