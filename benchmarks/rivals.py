"""Other ways to score products: what the measurement is compared with."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from disband.lm.model.gpt2 import Batch, Model
from disband.lm.scores.reading import residual


def one_backward_each(model: Model, batch_w: Batch, batch_l: Batch) -> list[list[float]]:
    """A backward pass for each response, and dot products of concatenated gradients."""
    found = []
    for i in range(len(batch_w)):
        a, b = (_gradient(model, batch, i) for batch in (batch_w, batch_l))
        found.append([float(x @ y) for x, y in ((a, a), (b, b), (a, b))])
    return found


def per_sample_gradients(model: Model, batch_w: Batch, batch_l: Batch) -> Tensor:
    """The gradients of all responses at once by ``vmap(grad)``, and their dot products."""
    weights = {name: p.detach() for name, p in model.named_parameters()}

    def logp(values: dict[str, Tensor], ids: Tensor, response: Tensor) -> Tensor:
        logits = functional_call(model, values, (), {"input_ids": ids[None], "use_cache": False})
        logp = torch.log_softmax(logits.logits[0, :-1], -1)
        return (logp.gather(1, ids[1:, None])[:, 0] * response[1:]).sum()

    ids = torch.cat([batch_w.ids, batch_l.ids])
    response = torch.cat([batch_w.response, batch_l.response])
    # The fused attention has no rule for batches: the plain one is faster under vmap.
    with sdpa_kernel(SDPBackend.MATH):
        by_name = vmap(grad(logp), in_dims=(None, 0, 0))(weights, ids, response)
    n = len(batch_w)
    found = torch.zeros(3, n, device=ids.device)
    for value in by_name.values():
        a, b = value[:n].flatten(1), value[n:].flatten(1)
        found += torch.stack([(a * a).sum(1), (b * b).sum(1), (a * b).sum(1)])
    return found


def floor(model: Model, batch_w: Batch, batch_l: Batch) -> None:
    """One forward and backward pass over activations alone, which any such way must make.

    The head is only used where a response token is predicted.
    """
    ids = torch.cat([batch_w.ids, batch_l.ids])
    counts = torch.cat([batch_w.response, batch_l.response])[:, 1:]
    with _frozen(model):
        entered = model.get_input_embeddings()(ids).requires_grad_()
        hidden = model.base_model(inputs_embeds=entered, use_cache=False).last_hidden_state
        logits = model.get_output_embeddings()(hidden[:, :-1][counts])[None]
        torch.autograd.grad(logits, entered, residual(logits, ids[:, 1:][counts]))


def one_backward_per_token(model: Model, batch_w: Batch, batch_l: Batch) -> np.ndarray:
    """A backward pass for each token, and the cosines of the dense gradients, stacked."""
    vectors = np.stack(list(_token_gradients(model, batch_w, batch_l)))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    product: np.ndarray = unit @ unit.T
    return product


def pairwise_dots_of_tokens(model: Model, batch_w: Batch, batch_l: Batch) -> np.ndarray:
    """A backward pass for each token; the dense gradients are kept and multiplied in pairs."""
    vectors = list(_token_gradients(model, batch_w, batch_l))
    found = np.empty((len(vectors), len(vectors)))
    for i, x in enumerate(vectors):
        for j, y in enumerate(vectors[: i + 1]):
            found[i, j] = found[j, i] = x @ y
    return found


def _gradient(model: Model, batch: Batch, row: int) -> Tensor:
    logp = torch.log_softmax(model(batch.ids[row : row + 1], use_cache=False).logits[0, :-1], -1)
    target, counts = batch.ids[row, 1:], batch.response[row, 1:]
    model.zero_grad()
    torch.autograd.backward((logp.gather(1, target[:, None])[:, 0] * counts).sum())
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def _token_gradients(model: Model, batch_w: Batch, batch_l: Batch) -> Iterator[np.ndarray]:
    for batch in (batch_w, batch_l):
        logp = torch.log_softmax(model(batch.ids, use_cache=False).logits[0, :-1], -1)
        taken = logp.gather(1, batch.ids[0, 1:, None])[:, 0]
        for place in batch.response[0, 1:].nonzero()[:, 0].tolist():
            model.zero_grad()
            torch.autograd.backward(taken[place], retain_graph=True)
            yield torch.cat([p.grad.flatten() for p in model.parameters()]).cpu().numpy()


@contextmanager
def _frozen(model: Model) -> Iterator[None]:
    model.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        model.requires_grad_(requires_grad=True)
