"""How sequences are laid out for the model: what a pair has in common once, then the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..model.gpt2 import Batch


@dataclass(frozen=True, eq=False)
class Text:
    """One prompt with its response, without padding.

    Args:
        ids: Token ids, ``(length,)``.
        counted: Indices of the response tokens, ``(tokens,)``, ascending.
    """

    ids: Tensor
    counted: Tensor

    @property
    def needed(self) -> int:
        """How many tokens the model must read: the last response token predicts nothing."""
        return int(self.counted[-1])


@dataclass(frozen=True, eq=False)
class Stretch:
    """Rows that the model reads in one call, padded on the right.

    Args:
        ids: Token ids, ``(rows, length)``.
        attention: 1 on tokens and 0 on padding, ``(rows, length)``.
    """

    ids: Tensor
    attention: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and length."""
        rows, length = self.ids.shape
        return rows, length


@dataclass(frozen=True, eq=False)
class Predictions:
    """Where a stretch predicts response tokens, row after row.

    Args:
        row: Row of the stretch, ``(predictions,)``.
        place: Column of the stretch, ``(predictions,)``.
        target: The token predicted there, ``(predictions,)``.
    """

    row: Tensor
    place: Tensor
    target: Tensor


def texts(batch: Batch, device: torch.device) -> list[Text]:
    """The rows of a batch, whatever their padding, on a device.

    Raises:
        ValueError: A response has no token, or begins the row, where nothing predicts it.
    """
    rows = []
    for i in range(len(batch)):
        real = batch.attention[i].bool()
        counted = batch.response[i].bool()[real].nonzero()[:, 0]
        if not len(counted) or not counted[0]:
            raise ValueError(
                "a response has at least one token, each after another one that predicts it, but "
                f"row {i} has {'none' if not len(counted) else 'one at its very start'}; leave "
                "out empty responses, and begin a text without a prompt with a start token"
            )
        rows.append(Text(batch.ids[i][real].to(device), counted.to(device)))
    return rows


def common_lengths(chosen: Sequence[Text], rejected: Sequence[Text]) -> list[int]:
    """How many tokens each pair has in common before either predicts a response token."""
    lengths = []
    for w, l in zip(chosen, rejected, strict=True):  # noqa: E741
        lengths.append(min(int(min(w.counted[0], l.counted[0])) - 1, common_beginning(w, l)))
    return lengths


def common_beginning(x: Text, y: Text) -> int:
    """How many of the tokens that the model reads two texts begin with in common."""
    most = min(x.needed, y.needed)
    differ = (x.ids[:most] != y.ids[:most]).nonzero()
    return int(differ[0]) if len(differ) else most


def together(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Groups of pairs that are read together, each after as much as its least pair has in common.

    All rows of a group go on from the same place, so that no padding comes between a prompt and
    its response, where a model that counts places by itself would count it too.

    Args:
        lengths: Tokens that each pair has in common.
        most: Shared tokens that a group may give up for being one.
    """
    groups: list[list[int]] = []
    for pair in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if groups and sum(lengths[i] - lengths[pair] for i in groups[-1]) <= most:
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return [sorted(group) for group in groups]


def laid_out(rows: Sequence[Text], start: int, stops: Sequence[int]) -> Stretch:
    """Tokens ``start`` to ``stops[i]`` of each text."""
    device = rows[0].ids.device
    ids = torch.zeros(len(rows), max(stops) - start, dtype=torch.long, device=device)
    attention = torch.zeros_like(ids)
    for i, (text, stop) in enumerate(zip(rows, stops, strict=True)):
        ids[i, : stop - start] = text.ids[start:stop]
        attention[i, : stop - start] = 1
    return Stretch(ids, attention)


def predictions(rows: Sequence[Text], start: int) -> Predictions:
    """Where the stretch that begins with token ``start`` of each text predicts its response."""
    counts = torch.tensor([len(text.counted) for text in rows])
    device = rows[0].ids.device
    return Predictions(
        torch.arange(len(rows)).repeat_interleave(counts).to(device),
        torch.cat([text.counted - 1 - start for text in rows]),
        torch.cat([text.ids[text.counted] for text in rows]),
    )
