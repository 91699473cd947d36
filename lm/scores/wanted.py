"""Which parameters are measured, and which layers tell of them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from torch import nn

from lm.model.gpt2 import Model
from lm.scores.layers import Rule, rule_of

Selection = Collection[str] | Callable[[str], bool]


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
        ValueError: No parameter is left, or a name is none of a parameter that is trained.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not trained:
        raise ValueError(
            "a score is a gradient, but no parameter of the model requires one; "
            "call model.requires_grad_(True), or unfreeze the part to be measured"
        )
    chosen = trained
    if callable(selection):
        chosen = {n: p for n, p in trained.items() if selection(n)}
    elif selection is not None:
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
        if rule is not None:
            layers[module], names[module] = rule, own
        else:
            slow |= set(own.values())
    return Wanted(chosen, layers, names, frozenset(slow))
