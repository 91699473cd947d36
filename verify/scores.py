"""Score products of a real model: the Gram of pairs, and of the tokens of one pair."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from theory.gram import Gram
from verify.gpt2 import Batch, Model, logp, token_logp

Array = npt.NDArray[np.float64]
Score = tuple[Tensor, ...]


def pair_gram(model: Model, batch_w: Batch, batch_l: Batch) -> Gram:
    r"""Gram of each pair, :math:`a = \nabla\log\pi_w` and :math:`b = \nabla\log\pi_l`.

    The gradients are those of all parameters that require one, without dropout. Products are
    summed in float64: over many parameters a float32 sum is wrong in its third digit.

    Returns:
        A Gram of float64 arrays of shape ``(batch,)``, nats² per squared parameter.

    Raises:
        ValueError: The batches differ in size, or no parameter requires a gradient.
    """
    if len(batch_w) != len(batch_l):
        raise ValueError(
            "chosen and rejected responses come in pairs: "
            f"got {len(batch_w)} chosen and {len(batch_l)} rejected"
        )
    products = np.empty((3, len(batch_w)))
    with _measuring(model):
        for i in range(len(batch_w)):
            a = _score(model, logp(model, batch_w.row(i))[0])
            b = _score(model, logp(model, batch_l.row(i))[0])
            products[:, i] = _product(a, a), _product(b, b), _product(a, b)
    return Gram(*products)


def token_gram(model: Model, batch_w: Batch, batch_l: Batch) -> Array:
    r"""Products of the token scores :math:`\nabla\log\pi(y^i \mid x, y^{<i})` of one pair.

    Returns:
        float64 of shape ``(len_w + len_l, len_w + len_l)``: the chosen response's tokens, then
        the rejected one's. The sums of its blocks are the pair's Gram.

    Raises:
        ValueError: Either batch has more than one row, or no parameter requires a gradient.
    """
    if len(batch_w) != 1 or len(batch_l) != 1:
        raise ValueError(
            f"a token Gram is that of one pair: got {len(batch_w)} chosen and {len(batch_l)} "
            "rejected responses; take one row of each with batch.row(i)"
        )
    with _measuring(model):
        scores = [
            _score(model, entry, keep=True)
            for batch in (batch_w, batch_l)
            for entry in token_logp(model, batch.row(0))[0]
        ]
    gram = np.empty((len(scores), len(scores)))
    for i, first in enumerate(scores):
        for j, second in enumerate(scores[: i + 1]):
            gram[i, j] = gram[j, i] = _product(first, second)
    return gram


def cosines(gram: Array) -> Array:
    """Cosine of every two scores, from their Gram matrix; NaN where a norm is zero."""
    norms = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
    scale = norms[..., :, None] * norms[..., None, :]
    cosine: Array = np.divide(gram, scale, out=np.full_like(gram, np.nan), where=scale > 0)
    return cosine


def _score(model: Model, value: Tensor, *, keep: bool = False) -> Score:
    parameters = [p for p in model.parameters() if p.requires_grad]
    # autograd.grad, not backward: the gradients a trainer has gathered stay as they are.
    return torch.autograd.grad(value, parameters, retain_graph=keep, materialize_grads=True)


def _product(a: Score, b: Score) -> float:
    return sum(
        float(torch.dot(x.flatten().double(), y.flatten().double()))
        for x, y in zip(a, b, strict=True)
    )


@contextmanager
def _measuring(model: Model) -> Iterator[None]:
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(
            "a score is a gradient, but no parameter of the model requires one; "
            "call model.requires_grad_(True), or unfreeze the part to be measured"
        )
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.enable_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
