"""From a model and texts to the terms of their scores, by activation gradients alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..model.gpt2 import Model
from .capture import Call, recording
from .layers import Values, Wanted
from .layout import Text, common_beginning
from .products.factors import wide
from .products.terms import Term
from .reading import (
    Past,
    Prompt,
    Reading,
    differentiate,
    differentiate_each,
    read_rows,
    residual,
)
from .shortcuts import shortened

Told = dict[str, list[Term]]
Arrange = Callable[[Tensor], Tensor]
Array = npt.NDArray[np.float64]
Slopes = Sequence[Tensor | None]


class Tracer:
    """Traces scores through one model, whose weights are frozen while it does.

    Parameters of layers that turn out not to be called as expected are gathered in ``strange``;
    what is found of them does not count. ``logp`` has the log-probabilities of the pairs read
    last, the chosen first; nothing if the model could not be read.

    Args:
        model: In evaluation mode.
        wanted: What is measured of it.
        numbered: Whether it is given the positions of its tokens.
    """

    def __init__(self, model: Model, wanted: Wanted, *, numbered: bool) -> None:
        self._model = model
        self._wanted = wanted
        self._numbered = numbered
        self._head: nn.Module | None = model.get_output_embeddings()
        self.strange: set[str] = set()
        self.logp: Array = np.zeros(0)

    def pairs(
        self,
        chosen: Sequence[Text],
        rejected: Sequence[Text],
        shared: int,
        *,
        resolved: bool = False,
    ) -> list[Told]:
        """Terms of the scores of the chosen and of the rejected responses.

        Args:
            chosen: One text each.
            rejected: Likewise.
            shared: So many tokens that the two of each pair begin with in common are read once.
            resolved: Give each term all of a response's positions, in their order; then nothing
                is shared.
        """
        told: list[Told] = [{}, {}]
        with shortened(self._model):
            prompt, past, reading = self._read(chosen, rejected, 0 if resolved else shared)
        if reading is None:
            return told
        self.logp = _logp(reading, [len(text.counted) for text in (*chosen, *rejected)])
        top, entering = self._top(reading)
        trunk, remembered = _trunk(reading, entering, past)
        values, begin = Values(resolved=resolved), 0
        for i, (group, side) in enumerate(zip(told, (chosen, rejected), strict=True)):
            counts = [len(text.counted) for text in side]
            padded = _padded(begin, counts)
            begin += sum(counts)
            half = slice(i * len(chosen), (i + 1) * len(chosen))
            mine = _at(half)
            self._tell(group, reading.top, top, padded, padded, (1, -1), values)
            self._tell(group, reading.trunk, trunk, mine, mine, reading.shape, values)
            if prompt is not None:
                slopes = differentiate(
                    prompt.memory,
                    [None if m is None else m[half] for m in remembered],
                    [call.edge for call in prompt.calls],
                    keep=i == 0,
                )
                self._tell(group, prompt.calls, slopes, _same, _same, prompt.shape, values)
        self._check(told)
        return told

    def tokens(self, pair: tuple[Text, Text], picks: Sequence[Sequence[int]]) -> list[Told]:
        """Terms of the scores of some response tokens of a pair.

        Args:
            pair: Its chosen and its rejected response.
            picks: For each, indices of its response tokens.
        """
        told: list[Told] = [{}, {}]
        with shortened(self._model, common_beginning(*pair)):
            _, _, reading = self._read(pair[:1], pair[1:], 0)
        if reading is None:
            return told
        top, entering = self._top(reading)
        starts = 0, len(pair[0].counted)
        places = [[start + i for i in pick] for start, pick in zip(starts, picks, strict=True)]
        # The two responses are rows of their own, so that one slope can hold a token of each.
        slopes = entering.new_zeros(max(map(len, picks)), *entering.shape)
        for place in places:
            slopes[range(len(place)), 0, place] = entering[0, place]
        edges = [call.edge for call in reading.trunk]
        trunk = differentiate_each(reading.hidden, slopes, edges)
        values = Values()
        for i, (group, place) in enumerate(zip(told, places, strict=True)):
            each, row = _at((0, place, None)), _at(slice(i, i + 1))
            mine = _at((slice(len(place)), i))
            self._tell(group, reading.top, top, each, each, (1, -1), values)
            self._tell(group, reading.trunk, trunk, row, mine, reading.shape, values)
        self._check(told)
        return told

    def _read(
        self, chosen: Sequence[Text], rejected: Sequence[Text], shared: int
    ) -> tuple[Prompt | None, Past | None, Reading | None]:
        """Read what pairs have in common, then the rest of the chosen and of the rejected."""
        with recording(self._wanted.layers, self._head) as recorder:
            prompt, past, reading = read_rows(
                self._model,
                recorder,
                [*chosen, *rejected],
                shared,
                len(chosen),
                numbered=self._numbered,
            )
        if reading is None:
            self.strange |= set(self._wanted.parameters)
        return prompt, past, reading

    def _top(self, reading: Reading) -> tuple[list[Tensor | None], Tensor]:
        slope = residual(reading.logits, reading.target)
        edges = [reading.leaf, *(call.edge for call in reading.top)]
        entering, *slopes = differentiate([reading.logits], [slope], edges)
        if entering is None:
            raise ValueError(
                "a model's logits depend on what enters its head, but these do not; measure a "
                "causal language model whose get_output_embeddings() is the layer before the logits"
            )
        return slopes, entering

    def _tell(
        self,
        group: Told,
        calls: Sequence[Call],
        slopes: Slopes,
        of_read: Arrange,
        of_slope: Arrange,
        shape: tuple[int, int],
        values: Values,
    ) -> None:
        lowest = next((slope for slope in slopes if slope is not None), None)
        if lowest is not None and not bool(lowest.isfinite().all()):
            # As of padding that a window leaves nothing to look at.
            self.strange |= set(self._wanted.parameters)
        for call, slope in zip(calls, slopes, strict=True):
            names = self._wanted.names[call.module]
            if slope is None:
                continue
            if not call.intact or not _is_laid_out(call.inputs, shape, values.resolved):
                self.strange |= set(names.values())
                continue
            inputs = tuple(of_read(x) if isinstance(x, Tensor) else x for x in call.inputs)
            to_term = self._wanted.layers[call.module](call.module, inputs, values)
            arranged = of_slope(slope)
            for local, name in names.items():
                group.setdefault(name, []).append(to_term[local](arranged))

    def _check(self, told: Sequence[Told]) -> None:
        # What no layer told of may be unused, or used in a way that no hook sees.
        fast = set(self._wanted.parameters) - self._wanted.slow
        self.strange |= {name for name in fast if any(name not in group for group in told)}


def _trunk(
    reading: Reading, entering: Tensor, past: Past | None
) -> tuple[list[Tensor | None], list[Tensor | None]]:
    memory = () if past is None else past.memory
    known = [m for m in memory if m.requires_grad]
    edges = [call.edge for call in reading.trunk]
    slopes = differentiate([reading.hidden], [entering], [*edges, *known])
    of_known = iter(slopes[len(edges) :])
    return slopes[: len(edges)], [next(of_known) if m.requires_grad else None for m in memory]


def _logp(reading: Reading, counts: Sequence[int]) -> Array:
    """Log-probability of each response, ``(responses,)``, nats."""
    with torch.no_grad():
        losses = cross_entropy(wide(reading.logits[0]), reading.target, reduction="none")
        parts = torch.split(losses.double(), list(counts))
        return np.asarray(-torch.stack([part.sum() for part in parts]).numpy(force=True))


def _is_laid_out(inputs: tuple[Any, ...], shape: tuple[int, int], resolved: bool) -> bool:  # noqa: FBT001
    """Whether a layer read rows first, and positions in some further dimension.

    Where positions are to be kept apart, they must come second.
    """
    rows, length = shape
    if not inputs or not isinstance(inputs[0], Tensor) or inputs[0].shape[:1] != (rows,):
        return False
    if not inputs[0].is_floating_point():
        return inputs[0].shape == shape
    further = inputs[0].shape[1:-1]
    return bool(further) and (length < 0 or length in (further[:1] if resolved else further))


def _same(value: Tensor) -> Tensor:
    return value


def _at(index: Any) -> Arrange:
    return lambda value: value[index]


def _padded(begin: int, counts: Sequence[int]) -> Arrange:
    """From predictions one after another to rows of as many as the longest response has."""
    rows, longest = len(counts), max(counts)

    def arrange(value: Tensor) -> Tensor:
        flat = value[0, begin : begin + sum(counts)]
        if sum(counts) == rows * longest:
            return flat.view(rows, longest, *flat.shape[1:])
        padded = flat.new_zeros(rows, longest, *flat.shape[1:])
        for row, part in zip(padded, torch.split(flat, list(counts)), strict=True):
            row[: len(part)] = part
        return padded

    return arrange
