"""Which parameters are measured, and what a layer's parameters see in one call.

From the gradient of a layer's output to its parameters' terms.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import layer_norm
from transformers.pytorch_utils import Conv1D

from ..model.gpt2 import Model
from .products.factors import Dense, OneHot, dense, wide
from .products.terms import Term, vectors

# From the gradient of a layer's output, (rows, positions, ..., width), to a parameter's term.
ToTerm = Callable[[Tensor], Term]

Selection = Collection[str] | Callable[[str], bool]


class Values:
    """Dense factors of what layers read, one for layers that read the same.

    Args:
        resolved: Keep apart the positions of vectors such as gains and biases, which are
            otherwise summed at once.
    """

    def __init__(self, *, resolved: bool = False) -> None:
        self.resolved = resolved
        self._known: dict[tuple[Any, ...], tuple[Tensor, Dense]] = {}

    def __call__(self, value: Tensor) -> Dense:
        key = value.data_ptr(), value.shape, value.stride()
        if key not in self._known:
            # The tensor is kept too, so that its memory does not become another's.
            self._known[key] = value, dense(value.flatten(1, -2), common=True)
        return self._known[key][1]


Rule = Callable[[Any, tuple[Any, ...], Values], dict[str, ToTerm]]


def rule_of(module: nn.Module) -> Rule | None:
    """How the gradients of a layer's own parameters follow from inputs and outputs, if known.

    A subclass may compute something else, so classes are compared, not inherited.
    """
    if type(module) is nn.Linear:
        return _linear
    if type(module) is Conv1D:
        return _conv1d
    scaled = type(module).__name__.endswith("ScaledWordEmbedding")
    if type(module) is nn.Embedding or (isinstance(module, nn.Embedding) and scaled):
        plain = module.max_norm is None and not module.scale_grad_by_freq
        return _embedding if plain else None
    if type(module) is nn.LayerNorm:
        return _layer_norm if len(module.normalized_shape) == 1 else None
    if type(module).__name__.endswith("RMSNorm"):
        own = dict(module.named_parameters(recurse=False))
        return _rms_norm if set(own) == {"weight"} and own["weight"].dim() == 1 else None
    return None


def _linear(_: nn.Linear, inputs: tuple[Any, ...], values: Values) -> dict[str, ToTerm]:
    read = values(inputs[0])
    return {"weight": lambda g: Term(_flat(g), read), "bias": lambda g: _vector(g, values)}


def _conv1d(_: Conv1D, inputs: tuple[Any, ...], values: Values) -> dict[str, ToTerm]:
    # Its weight is (in, out).
    read = values(inputs[0])
    return {"weight": lambda g: Term(read, _flat(g)), "bias": lambda g: _vector(g, values)}


def _embedding(module: nn.Embedding, inputs: tuple[Any, ...], _: Values) -> dict[str, ToTerm]:
    ids = inputs[0]
    counts = None if module.padding_idx is None else ids != module.padding_idx
    read = OneHot(ids, module.num_embeddings, counts)
    scale = getattr(module, "embed_scale", 1.0)
    return {"weight": lambda g: Term(read, _flat(g * scale))}


def _layer_norm(module: nn.LayerNorm, inputs: tuple[Any, ...], values: Values) -> dict[str, ToTerm]:
    unit = layer_norm(wide(inputs[0]), module.normalized_shape, None, None, module.eps)
    return {
        "weight": lambda g: _vector(wide(g) * unit, values),
        "bias": lambda g: _vector(g, values),
    }


def _rms_norm(module: nn.Module, inputs: tuple[Any, ...], values: Values) -> dict[str, ToTerm]:
    # Some scale by the gain, some by one plus it, some by a gate too: all linear in the gain.
    inputs = tuple(wide(x) if isinstance(x, Tensor) else x for x in inputs)
    gain = wide(next(module.parameters()))
    one, none = (
        functional_call(module, {"weight": weight}, inputs)
        for weight in (torch.ones_like(gain), torch.zeros_like(gain))
    )
    unit = wide(one - none)
    return {"weight": lambda g: _vector(wide(g) * unit, values)}


def _vector(g: Tensor, values: Values) -> Term:
    if values.resolved:
        return vectors(wide(g) if g.dim() == 3 else wide(g).flatten(2, -2).sum(2))
    return vectors(wide(g).flatten(1, -2).sum(1, keepdim=True))


def _flat(g: Tensor) -> Dense:
    return dense(g.flatten(1, -2))


def own_name(name: str) -> str:
    """A parameter's name in the model itself, where it is that under torch.compile's wrapper."""
    return name.removeprefix("_orig_mod.")


@dataclass(frozen=True, eq=False)
class Wanted:
    """The measured parameters of a model.

    Args:
        parameters: By name; a parameter with several names stands under its first.
        layers: The layers whose calls tell of parameters, each with its rule.
        names: The names of such a layer's own measured parameters: ``weight``, say, to the name
            in the model.
        slow: Names of parameters that only their written-out gradients tell of.
    """

    parameters: dict[str, nn.Parameter]
    layers: dict[nn.Module, Rule]
    names: dict[nn.Module, dict[str, str]]
    slow: frozenset[str]


def wanted(model: Model, selection: Selection | None) -> Wanted:
    """The parameters that require a gradient, or those of them that are selected.

    Raises:
        ValueError: No parameter is left, one is offloaded, or a name is none of a parameter that
            is trained.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not trained:
        raise ValueError(
            "a score is a gradient, but no parameter of the model requires one; "
            "call model.requires_grad_(True), or unfreeze the part to be measured"
        )
    if away := [name for name, parameter in trained.items() if parameter.is_meta]:
        raise ValueError(
            "a model is measured with its weights at hand, on one device or spread over several: "
            f"{len(away)} parameters, such as {away[0]}, are offloaded; load it without offloading"
        )
    chosen = trained
    if callable(selection):
        chosen = {n: p for n, p in trained.items() if selection(n)}
    elif selection is not None:
        selection = [own_name(name) for name in selection]
        unknown = sorted(set(selection) - set(trained))
        if unknown:
            raise ValueError(
                f"parameters are selected by the names of those that are trained: got {unknown}; "
                "see model.named_parameters(), and call requires_grad_(True) on frozen ones"
            )
        chosen = {n: trained[n] for n in selection}
    if not chosen:
        raise ValueError(
            "a selection leaves at least one trained parameter: it left none of "
            f"{len(trained)}; see model.named_parameters() for their names"
        )
    name_of = {id(p): n for n, p in chosen.items()}
    layers: dict[nn.Module, Rule] = {}
    names: dict[nn.Module, dict[str, str]] = {}
    slow: set[str] = set()
    for module in model.modules():
        own = {
            local: name_of[id(p)]
            for local, p in module.named_parameters(recurse=False)
            if id(p) in name_of
        }
        rule = rule_of(module) if own else None
        # A weight may be made of other parameters before each call, as that of weight_norm is.
        ruled = {} if rule is None else {n: own[n] for n in ("weight", "bias") if n in own}
        if rule is not None and ruled:
            layers[module], names[module] = rule, ruled
        slow |= set(own.values()) - set(ruled.values())
    return Wanted(chosen, layers, names, frozenset(slow))
