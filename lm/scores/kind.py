"""Whether two models compute the same function of text and weights, as far as can be told.

What is proved of a model's layers and of how it reads is proved of every model of its kind: of the
same classes with the same settings. Where anything is on a model that this cannot compare, it is
of a kind of its own.
"""

import sys
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, PretrainedConfig

from ..model.gpt2 import Model

Kind = tuple[Any, ...]

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
# What every layer has; its hooks are looked at, and what else it holds is compared elsewhere.
_OF_ANY_LAYER = frozenset(vars(nn.Module())) | {"training", "_is_hf_initialized"}
_PLACE = "_name_or_path"


class _Unlike(Exception):  # noqa: N818 (no error: there is something to be told apart)
    """Something that cannot be compared."""


def kind_of(model: Model) -> Kind | None:
    """Return what models of one kind have in common; None for a model of a kind of its own."""
    settings: dict[int, Any] = {}
    shared = {id(p): name for name, p in model.named_parameters()}
    try:
        layers = tuple(
            (name, type(module), _own(module, settings), _tensors(module, shared))
            for name, module in model.named_modules()
        )
    except _Unlike:
        return None
    return layers, frozenset(code for layer in layers for code in _code(layer[1]))


def _code(layer: type) -> Iterator[tuple[Any, ...]]:
    """What a layer's class computes with, for another library may have put something in its place.

    Its methods, and whatever its file calls by name.
    """
    for base in layer.__mro__:
        if base.__module__.partition(".")[0] != "torch":
            yield base, *((name, id(value)) for name, value in vars(base).items())
    for name, value in vars(sys.modules[layer.__module__]).items():
        if callable(value):
            yield layer.__module__, name, id(value)


def _own(module: nn.Module, settings: dict[int, Any]) -> tuple[Any, ...]:
    """The attributes of a layer that are its own."""
    known = vars(module)
    if any(value for name, value in known.items() if name.endswith("_hooks")):
        raise _Unlike
    names = sorted(set(known) - _OF_ANY_LAYER)
    return tuple((name, _value(known[name], settings)) for name in names)


def _value(value: Any, settings: dict[int, Any]) -> Any:
    """A value that is equal for equal layers and can be a key."""
    if isinstance(value, (_PLAIN, type)):
        return type(value), value
    if isinstance(value, list | tuple):
        return type(value), tuple(_value(part, settings) for part in value)
    if isinstance(value, set | frozenset):
        return type(value), tuple(sorted(map(repr, (_value(part, settings) for part in value))))
    if isinstance(value, dict):
        return type(value), tuple((str(k), _value(v, settings)) for k, v in value.items())
    if isinstance(value, PretrainedConfig | GenerationConfig):
        if id(value) not in settings:
            written = {k: v for k, v in value.to_dict().items() if k != _PLACE}
            attention = getattr(value, "_attn_implementation", None)
            settings[id(value)] = attention, repr(sorted(written.items(), key=str))
        return type(value), settings[id(value)]
    if isinstance(value, partial):
        return partial, _value([value.func, value.args, value.keywords], settings)
    of_a_module = isinstance(getattr(value, "__self__", None), ModuleType | None)
    # What is made within a function may differ each time.
    if of_a_module and "<locals>" not in getattr(value, "__qualname__", "<locals>"):
        return value
    raise _Unlike


def _tensors(module: nn.Module, shared: dict[int, str]) -> tuple[Any, ...]:
    """Shapes and places of a layer's weights, what they are called, and its constants' values."""
    weights = [
        (name, p if p is None else (shared[id(p)], p.shape, p.dtype, p.device, p.requires_grad))
        for name, p in module._parameters.items()  # noqa: SLF001
    ]
    constants = [
        (name, b if b is None else (b.shape, b.dtype, b.device, _sum(b)))
        for name, b in module._buffers.items()  # noqa: SLF001
    ]
    return *weights, *constants


def _sum(constant: Tensor) -> bytes:
    """A digest of a constant."""
    whole = constant.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return sha256(whole.numpy().tobytes()).digest()
