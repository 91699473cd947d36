"""Watches a model's layers: what each reads, and where its output enters the graph."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ..model.gpt2 import Model


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer.

    Args:
        module: The layer.
        inputs: Its arguments, detached; none where some were given by name.
        output: What it gave, detached.
        edge: Where the gradient of its output is found.
        versions: How often its arguments and its output had been written to.
    """

    module: nn.Module
    inputs: tuple[Any, ...]
    output: Tensor
    edge: GradientEdge
    versions: tuple[int, ...]

    @property
    def intact(self) -> bool:
        """Whether the arguments are still what the layer read, and the output what it gave.

        An output that is a view and has been written to is no longer found at its edge.
        """
        return self.versions == _versions((*self.inputs, self.output))


def _versions(values: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(value._version for value in values if isinstance(value, Tensor))  # noqa: SLF001


class Recorder:
    """Records the calls of some layers, and cuts the graph before the head.

    The head need only see the positions at which a response token is predicted, so what it is
    given is replaced by those, ``choose`` of all. They are a leaf of a graph of their own: what is
    above them is differentiated first. ``cut`` holds them, below and above the cut.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.choose: Callable[[Tensor], Tensor] = lambda hidden: hidden
        self.cut: tuple[Tensor, Tensor] | None = None
        self.before_head = 0

    def begin(self, choose: Callable[[Tensor], Tensor]) -> None:
        """Make ready for a call of the model, whose head is given what is chosen."""
        self.choose, self.cut, self.calls = choose, None, []

    def layer(
        self, module: nn.Module, args: tuple[Any, ...], named: dict[str, Any], output: Tensor
    ) -> Tensor:
        """Forward hook of a layer; of one that is given more by name no rule knows."""
        result = output
        if not output.requires_grad:
            # Nothing before this layer is measured, so that differentiation can end here. The
            # model may write into what it is given, which a leaf forbids: it gets a copy.
            output = output.detach().requires_grad_()
            result = output.clone()
        given = () if named else args
        inputs = tuple(a.detach() if isinstance(a, Tensor) else a for a in given)
        gave, edge = output.detach(), get_gradient_edge(output)
        self.calls.append(Call(module, inputs, gave, edge, _versions((*inputs, gave))))
        return result

    def head(self, _: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Forward hook before the head."""
        self.before_head = len(self.calls)
        hidden = self.choose(args[0])
        leaf = hidden.detach().requires_grad_()
        self.cut = hidden, leaf
        return (leaf, *args[1:])


@contextmanager
def recording(layers: Mapping[nn.Module, Any], head: nn.Module | None) -> Iterator[Recorder]:
    """Record the calls of ``layers``, until the context ends, however it ends."""
    recorder = Recorder()
    handles = []
    try:
        # The head's own cut comes first, so that as a layer it reads what the cut leaves.
        if head is not None:
            handles.append(head.register_forward_pre_hook(recorder.head))
        # A layer's parameters give what it gave before any hook of the user's changed it.
        handles += [
            layer.register_forward_hook(recorder.layer, prepend=True, with_kwargs=True)
            for layer in layers
        ]
        yield recorder
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _without_autocast(kinds: set[str]) -> Iterator[None]:
    with ExitStack() as stack:
        for kind in kinds:
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def eager(model: Model) -> Model:
    """The model under torch.compile's wrapper, if it has one."""
    return model._orig_mod if hasattr(model, "_orig_mod") else model  # noqa: SLF001


@contextmanager
def undisturbed(model: Model) -> Iterator[None]:
    """Evaluate the model eagerly, in its own precision, with all weights frozen; leave no trace.

    Modes, the parameters' need of gradients, the gradients themselves and the random state are
    afterwards as before, also when the measurement fails.
    """
    modes = [(module, module.training) for module in model.modules()]
    wanted = [(p, p.requires_grad) for p in model.parameters()]
    devices = {p.device for p in model.parameters()}
    try:
        with (
            _without_autocast({device.type for device in devices}),
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            torch.random.fork_rng(devices=[d for d in devices if d.type == "cuda"]),
            # Hooks on the layers of a compiled model are not called.
            torch.compiler.set_stance("force_eager"),
        ):
            model.eval()
            model.requires_grad_(requires_grad=False)
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, needed in wanted:
            parameter.requires_grad_(needed)
