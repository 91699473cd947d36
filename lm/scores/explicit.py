"""The slow way: gradients written out, one response or token after another."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..model.gpt2 import Model
from .layout import Text, laid_out, predictions
from .products.factors import dense, wide
from .products.terms import Part, vectors
from .reading import inputs_of

Array = npt.NDArray[np.float64]


def written_out(
    model: Model,
    texts: Sequence[Text],
    parameters: Mapping[str, nn.Parameter],
    pick: Sequence[int] | None = None,
) -> dict[str, Part]:
    """Scores' parts of some parameters, exact whatever the model computes with them.

    Args:
        model: In evaluation mode, its weights frozen.
        texts: One response each.
        parameters: By name; require a gradient only meanwhile.
        pick: The response tokens of a single text, each of which has a score of its own; None
            for one score of each whole response.
    """
    rows_of: dict[str, list[Tensor]] = {name: [] for name in parameters}
    try:
        for parameter in parameters.values():
            parameter.requires_grad_()
        for text in texts if parameters else ():
            logp = token_logp(model, text)
            for value in [logp.sum()] if pick is None else logp[list(pick)]:
                # Where none of these parameters is used, nothing requires a gradient.
                gradients = (
                    torch.autograd.grad(
                        value, list(parameters.values()), retain_graph=True, materialize_grads=True
                    )
                    if value.requires_grad
                    else [torch.zeros_like(p) for p in parameters.values()]
                )
                for name, gradient in zip(parameters, gradients, strict=True):
                    rows_of[name].append(gradient.flatten())
    finally:
        for parameter in parameters.values():
            parameter.requires_grad_(False)  # noqa: FBT003
    return {
        name: [vectors(dense(torch.stack(rows)[:, None]).value)] for name, rows in rows_of.items()
    }


def each_gradient(
    parameters: Mapping[str, nn.Parameter],
    value: Callable[[], Tensor],
    see: Callable[[str, Tensor], None],
) -> None:
    """Give ``see`` the gradient of a value by each parameter, of which no two are held at once.

    A parameter without influence on the value is not seen.

    Args:
        parameters: By name; require a gradient only meanwhile.
        value: Computes the value from them.
        see: Called with a name and a gradient.
    """

    def seer(name: str) -> Callable[[Tensor], Tensor]:
        def pass_on(gradient: Tensor) -> Tensor:
            whole = gradient.to_dense() if gradient.is_sparse else gradient
            see(name, whole.detach())
            return whole.new_zeros(()).expand_as(whole)

        return pass_on

    hooks = []
    try:
        for name, parameter in parameters.items():
            parameter.requires_grad_()
            hooks.append(parameter.register_hook(seer(name)))  # type: ignore[no-untyped-call]
        result = value()
        if result.requires_grad:
            torch.autograd.grad(result, list(parameters.values()), allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        for parameter in parameters.values():
            parameter.requires_grad_(False)  # noqa: FBT003


def plain_logits(model: Model, text: Text) -> Tensor:
    """Logits of a model that reads one text by an ordinary call, ``(1, length, vocabulary)``.

    It reads the last token too, which predicts nothing: a model may look ahead.
    """
    inputs = inputs_of(model, laid_out([text], 0, [len(text.ids)]))
    logits: Tensor = model(**inputs).logits
    # An adapter may put virtual tokens in front.
    return logits[:, -len(text.ids) :]


@torch.no_grad()
def plain_logp(model: Model, texts: Sequence[Text]) -> Array:
    """Log-probabilities of the responses of texts read one by one, ``(texts,)``, nats."""
    return np.array([float(token_logp(model, text).double().sum()) for text in texts])


def token_logp(model: Model, text: Text) -> Tensor:
    """Log-probabilities of the response tokens of one text, ``(tokens,)``, nats."""
    where = predictions([text], 0)
    logits = wide(plain_logits(model, text)[0, where.place])
    return torch.log_softmax(logits, -1).gather(1, where.target.to(logits.device)[:, None])[:, 0]
