r"""Both responses of a pair from one pass: their prompt is read once, and its work shared.

A row is ``prompt, chosen, rejected``; no token of the rejected response attends to the chosen one,
and its positions go on from the prompt's. So every logit is the one that the response alone would
have had after the prompt, and every gradient too, both to rounding, for a model in which a token
reaches a later one through attention alone and knows its place by ``position_ids``.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .gpt2 import Batch, Model, forward_arguments, join, token_logp

# Of the difference from two passes, relative to the largest log-probability; in a model that cannot
# share, it is no rounding. In float64 too, for parts of many models compute in float32.
_TOLERANCE = 1e-4
_TRIED = 2


@dataclass(frozen=True, eq=False)
class Shared:
    """Prompts, each with both of its responses.

    Args:
        ids: Prompts padded on the left, then chosen and rejected responses, each padded on the
            right, ``(batch, length)``.
        places: Position of each token in its own text, ``(batch, length)``.
        seen: Whether a token (third axis) attends to another (last), ``(batch, 1, length,
            length)``; to itself always.
        sides: For each side the columns of its tokens, after that of the prompt's last.
        lengths: Response lengths of either side, ``(2, batch)``.
    """

    ids: Tensor
    places: Tensor
    seen: Tensor
    sides: tuple[Tensor, Tensor]
    lengths: Tensor


def shared(chosen: Batch, rejected: Batch) -> Shared:
    """Put the responses of every pair after the prompt that both have.

    Raises:
        ValueError: The prompts of a pair differ.
    """
    asked = [
        _texts(batch, batch.attention.bool() & ~batch.response) for batch in (chosen, rejected)
    ]
    for row, both in enumerate(zip(*asked, strict=True)):
        if not torch.equal(*both):
            raise ValueError(
                f"the responses of a pair answer one prompt, but those of row {row} have two; "
                "read them in two passes"
            )
    said = [_texts(batch, batch.response) for batch in (chosen, rejected)]
    before, *widths = (max(map(len, texts)) for texts in (asked[0], *said))
    rows, length, device = len(chosen), before + sum(widths), chosen.ids.device
    ids = torch.zeros((rows, length), dtype=torch.long, device=device)
    places = torch.zeros_like(ids)
    part = torch.zeros_like(ids)  # 0 is padding, 1 the prompt, 2 and 3 its responses
    starts = (before, before + widths[0])
    for row, (prompt, *answers) in enumerate(zip(asked[0], *said, strict=True)):
        here = slice(before - len(prompt), before)
        ids[row, here], part[row, here] = prompt, 1
        places[row, here] = torch.arange(len(prompt), device=device)
        for side, (start, answer) in enumerate(zip(starts, answers, strict=True)):
            here = slice(start, start + len(answer))
            ids[row, here], part[row, here] = answer, 2 + side
            places[row, here] = len(prompt) + torch.arange(len(answer), device=device)
    one, other = part[:, :, None], part[:, None, :]
    own = (other == 1) | (other == one)
    seen = (own & (other > 0)).tril() | torch.eye(length, dtype=torch.bool, device=device)
    last = torch.tensor([before - 1], device=device)
    sides = tuple(
        torch.cat([last, torch.arange(start, start + width, device=device)])
        for start, width in zip(starts, widths, strict=True)
    )
    lengths = torch.stack([batch.lengths for batch in (chosen, rejected)])
    return Shared(ids, places, seen[:, None], (sides[0], sides[1]), lengths)


def _texts(batch: Batch, where: Tensor) -> list[Tensor]:
    return [ids[here] for ids, here in zip(batch.ids, where, strict=True)]


def shared_token_logp(model: Model, chosen: Batch, rejected: Batch) -> Tensor:
    """What ``token_logp(model, join(chosen, rejected))`` gives, from one pass over each prompt.

    Returns:
        ``(2 batch, longest response)``, nats, chosen first, aligned at the right; 0 before a
        shorter response.

    Raises:
        ValueError: As :func:`shared`.
    """
    both = shared(chosen, rejected)
    first = int(both.sides[0][0])
    kept = both.ids.shape[1] - first
    # Some ways to compute attention add a mask, so it is a number and not a mark.
    dtype = next(model.parameters()).dtype
    # Softmax may be taken in float32, where float64's least number is no number.
    least = max(torch.finfo(dtype).min, torch.finfo(torch.float32).min)
    mask = torch.zeros_like(both.seen, dtype=dtype).masked_fill(~both.seen, least)
    logits = model(
        input_ids=both.ids,
        attention_mask=mask,
        position_ids=both.places,
        use_cache=False,
        logits_to_keep=kept,
    ).logits[:, -kept:]
    longest = int(both.lengths.max())
    by_side = []
    for columns, lengths in zip(both.sides, both.lengths, strict=True):
        read = logits[:, columns[:-1] - first]
        targets = both.ids[:, columns[1:]]
        losses = cross_entropy(read.flatten(0, 1), targets.flatten(), reduction="none")
        # Read from its end, each response begins where the longest leaves room for it.
        at = torch.arange(-longest, 0, device=losses.device) + lengths[:, None]
        values = -losses.view_as(targets).gather(1, at.clamp(min=0))
        by_side.append(values * (at >= 0))
    return torch.cat(by_side)


def require_shareable(model: Model, chosen: Batch, rejected: Batch) -> None:
    """See on the first pairs that one pass gives what two do.

    Raises:
        ValueError: It does not, or the model takes no positions: it cannot share a prompt.
    """
    few = chosen.rows(slice(_TRIED)), rejected.rows(slice(_TRIED))
    said = f"{type(model).__name__} cannot read both responses of a pair in one pass"
    if "position_ids" not in forward_arguments(model):
        raise ValueError(f"{said}: its forward pass takes no positions; read them in two")
    with torch.no_grad():
        apart, together = token_logp(model, join(*few)), shared_token_logp(model, *few)
    error = float((together - apart).abs().max() / apart.abs().max())
    if not error <= _TOLERANCE:
        raise ValueError(
            f"{said}: it gives log-probabilities that differ by {error:.1g} of the largest; read "
            "them in two"
        )
