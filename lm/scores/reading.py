"""One call of the model on a stretch of text, and what can be differentiated of it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ..model.gpt2 import Model, forward_arguments
from .capture import Call, Recorder
from .layout import Predictions, Stretch, Text, laid_out, predictions


@dataclass(frozen=True, eq=False)
class Past:
    """What a model remembers of a prompt: keys and values of its attention, layer by layer.

    Args:
        memory: Keys and values in turn, ``(rows, heads, length, width)`` each; leaves of a graph.
        attention: 1 on tokens and 0 on padding, ``(rows, length)``.
    """

    memory: tuple[Tensor, ...]
    attention: Tensor

    def cache(self) -> Any:
        """As a cache that the model goes on writing into."""
        cache = DynamicCache()
        for keys, values in zip(self.memory[::2], self.memory[1::2], strict=True):
            layer = DynamicLayer()  # type: ignore[no-untyped-call]
            layer.lazy_initialization(keys, values)
            # Set rather than appended to nothing, which would copy them.
            layer.keys, layer.values = keys, values
            cache.layers.append(layer)
        return cache


@dataclass(frozen=True, eq=False)
class Prompt:
    """What pairs have in common, read once.

    Args:
        shape: Rows and length.
        calls: Calls of the layers.
        memory: As of ``Past``, in the graph of the calls.
        attention: As of ``Past``.
    """

    shape: tuple[int, int]
    calls: list[Call]
    memory: tuple[Tensor, ...]
    attention: Tensor

    def past(self, rows: Tensor) -> Past:
        """For what follows some rows, or follows a row more than once."""
        leaves = [
            m.detach()[rows.to(m.device)].requires_grad_(m.requires_grad) for m in self.memory
        ]
        return Past(tuple(leaves), self.attention[rows.to(self.attention.device)])


@dataclass(frozen=True, eq=False)
class Reading:
    """A stretch that the model has read.

    Args:
        shape: Rows and length of the stretch.
        trunk: Calls of the layers below the head.
        top: Calls of the head.
        hidden: What enters the head where a response token is predicted,
            ``(1, predictions, width)``, in the graph of the trunk.
        leaf: The same, in the graph of the head.
        logits: ``(1, predictions, vocabulary)``.
        target: The tokens predicted, ``(predictions,)``.
    """

    shape: tuple[int, int]
    trunk: list[Call]
    top: list[Call]
    hidden: Tensor
    leaf: Tensor
    logits: Tensor
    target: Tensor


def read(
    model: Model,
    recorder: Recorder,
    stretch: Stretch,
    where: Predictions,
    past: Past | None,
    *,
    numbered: bool,
) -> Reading | None:
    """Read a stretch after its past; None if the model does not use its head as expected."""
    recorder.begin(lambda hidden: hidden[where.row, where.place][None])
    output = model(**inputs_of(model, stretch, past, numbered=numbered))
    calls = recorder.calls
    cut, at = recorder.cut, recorder.before_head
    if cut is None or output.logits.shape[:2] != (1, len(where.row)):
        return None
    return Reading(
        shape=stretch.shape,
        trunk=calls[:at],
        top=calls[at:],
        hidden=cut[0],
        leaf=cut[1],
        logits=output.logits,
        target=where.target.to(output.logits.device),
    )


def read_prompt(
    model: Model, recorder: Recorder, stretch: Stretch, *, numbered: bool
) -> Prompt | None:
    """Read prompts; None if what the model remembers of them is more than keys and values."""
    recorder.begin(lambda hidden: hidden[:, :0])
    output = model(**inputs_of(model, stretch, numbered=numbered) | {"use_cache": True})
    cache: Any = getattr(output, "past_key_values", None)
    calls = recorder.calls
    layers: list[Any] = cache.layers if type(cache) is DynamicCache else []
    # A layer that remembers nothing of its own reads another's keys, or has none.
    if not layers or any(type(x) is not DynamicLayer or x.keys is None for x in layers):
        return None
    memory = tuple(m for layer in layers for m in (layer.keys, layer.values))
    return Prompt(stretch.shape, calls, memory, stretch.attention)


def read_rows(
    model: Model,
    recorder: Recorder,
    rows: Sequence[Text],
    shared: int,
    prompts: int,
    *,
    numbered: bool,
) -> tuple[Prompt | None, Past | None, Reading | None]:
    """Read the first ``shared`` tokens of the first ``prompts`` rows once, then the rest of all.

    Row i goes on from prompt i modulo ``prompts``. The reading is None if the model does not use
    its head as expected, and the prompt if nothing was to be shared, or could be.
    """
    stops = [text.needed for text in rows]
    prompt = past = None
    if shared:
        first = laid_out(rows[:prompts], 0, [shared] * prompts)
        prompt = read_prompt(model, recorder, first, numbered=numbered)
    if prompt is None:
        shared = 0
    else:
        past = prompt.past(torch.arange(len(rows)) % prompts)
    rest = laid_out(rows, shared, stops)
    where = predictions(rows, shared)
    return prompt, past, read(model, recorder, rest, where, past, numbered=numbered)


def inputs_of(
    model: Model, stretch: Stretch, past: Past | None = None, *, numbered: bool = False
) -> dict[str, Any]:
    """What the model is called with to read a stretch after its past.

    Positions are numbered for each row, if the model takes such numbers and is to be given them;
    else it counts them by itself, most often once for all rows.
    """
    attention = stretch.attention
    taken = forward_arguments(model)
    inputs: dict[str, Any] = {"input_ids": stretch.ids}
    if "use_cache" in taken:
        inputs["use_cache"] = False
    if past is not None:
        attention = torch.cat([past.attention, attention], 1)
        inputs |= {"past_key_values": past.cache(), "use_cache": True}
    inputs["attention_mask"] = attention
    adapter = getattr(model, "active_peft_config", None)
    if numbered and "position_ids" in taken and not getattr(adapter, "is_prompt_learning", False):
        rows, length = stretch.shape
        start = attention.shape[1] - length
        numbers = torch.arange(start, start + length, device=attention.device)
        inputs["position_ids"] = numbers.expand(rows, -1)
    return inputs


def residual(logits: Tensor, target: Tensor) -> Tensor:
    r"""Gradient of the targets' log-probabilities by the logits, :math:`e_y - \pi`.

    Its entry at the target is summed from the other probabilities: for a sure prediction
    :math:`1 - \pi_y` would lose its digits.
    """
    wide = logits.double() if logits.dtype == torch.float64 else logits.float()
    slope = torch.softmax(wide.detach(), -1).neg_()
    index = target[None, :, None]
    slope.scatter_(2, index, 0.0)
    slope.scatter_(2, index, -slope.sum(2, keepdim=True))
    return slope.to(logits.dtype)


def differentiate(
    outputs: Sequence[Tensor],
    slopes: Sequence[Tensor | None],
    inputs: Sequence[Any],
    *,
    keep: bool = False,
) -> list[Tensor | None]:
    """Gradients by the inputs, None where no output depends on one.

    Args:
        outputs: In the graph.
        slopes: Gradients by them, None for zero.
        inputs: Tensors, or edges of the graph.
        keep: Whether the graph is needed again.
    """
    live = [
        (o, s) for o, s in zip(outputs, slopes, strict=True) if o.requires_grad and s is not None
    ]
    if not live or not inputs:
        return [None] * len(inputs)
    ends, starts = zip(*live, strict=True)
    gradients: Sequence[Tensor | None] = torch.autograd.grad(
        ends, list(inputs), starts, retain_graph=keep, allow_unused=True
    )
    return list(gradients)


def differentiate_each(
    output: Tensor, slopes: Tensor, inputs: Sequence[Any]
) -> list[Tensor | None]:
    """Gradients by the inputs for each of many slopes of one output, which come first in both."""
    if not output.requires_grad or not inputs:
        return [None] * len(inputs)
    used: list[bool] = []

    def back(slope: Tensor) -> tuple[Tensor, ...]:
        # The graph is kept, for where some operation cannot go back with many slopes at once.
        gradients = torch.autograd.grad(
            output, list(inputs), slope, retain_graph=True, allow_unused=True
        )
        used[:] = [gradient is not None for gradient in gradients]
        return tuple(gradient for gradient in gradients if gradient is not None)

    try:
        with warnings.catch_warnings():
            # An operation without a rule for many slopes at once is repeated.
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            known = iter(vmap(back)(slopes))
        return [next(known) if known_of else None for known_of in used]
    except RuntimeError as error:
        if not any(word in str(error) for word in ("vmap", "Batching rule", "batching rule")):
            raise
    one_by_one = [differentiate([output], [slope], inputs, keep=True) for slope in slopes]
    return [_stacked(values) for values in zip(*one_by_one, strict=True)]


def _stacked(values: Sequence[Tensor | None]) -> Tensor | None:
    known = [value for value in values if value is not None]
    return torch.stack(known) if known else None
