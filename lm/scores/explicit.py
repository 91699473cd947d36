"""The slow way: gradients written out, one response or token after another."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..model.gpt2 import Model
from .layout import Text, predictions, stretch
from .products.factors import dense
from .products.terms import Part, vectors
from .reading import inputs_of


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
    found: dict[str, list[Tensor]] = {name: [] for name in parameters}
    try:
        for parameter in parameters.values():
            parameter.requires_grad_()
        for text in texts if parameters else ():
            logp = _token_logp(model, text)
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
                    found[name].append(gradient.flatten())
    finally:
        for parameter in parameters.values():
            parameter.requires_grad_(False)  # noqa: FBT003
    return {
        name: [vectors(dense(torch.stack(rows)[:, None]).value)] for name, rows in found.items()
    }


def _token_logp(model: Model, text: Text) -> Tensor:
    where = predictions([text], [0])
    logits = model(**inputs_of(model, stretch([text], [0], [text.needed]), None)).logits
    wide = logits[0, where.place].to(torch.promote_types(logits.dtype, torch.float32))
    return torch.log_softmax(wide, -1).gather(1, where.target.to(wide.device)[:, None])[:, 0]
