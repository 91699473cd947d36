"""Scores written out in full: one backward pass each, of the model's own plain logits."""

from contextlib import contextmanager

import numpy as np
import torch


def token_logp(model, batch, row):
    """Log-probabilities of a row's response tokens, read without its padding."""
    real = batch.attention[row].bool()
    ids, counted = batch.ids[row][real], batch.response[row][real].nonzero()[:, 0]
    logits = model(input_ids=ids[None]).logits[0]
    # An adapter may put virtual tokens in front.
    logits = logits[len(logits) - len(ids) :]
    return torch.log_softmax(logits, -1)[counted - 1, ids[counted]]


def gradient(model, value):
    """Gradient by each trained parameter, by name."""
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(value, list(trained.values()), retain_graph=True, allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g
        for (name, p), g in zip(trained.items(), found, strict=True)
    }


def flat(by_name, names=None):
    """One float64 vector of all parameters, or of the named."""
    chosen = by_name if names is None else {n: by_name[n] for n in names}
    return torch.cat([value.detach().double().flatten() for value in chosen.values()]).numpy()


def response_scores(model, batch, names=None):
    """Scores of the responses, ``(batch, parameters)``, of the model in evaluation mode."""
    with evaluating(model):
        rows = range(len(batch))
        scores = [gradient(model, token_logp(model, batch, i).sum()) for i in rows]
    return np.stack([flat(score, names) for score in scores])


def token_scores(model, batch):
    """Scores of the tokens of a batch of one row, ``(tokens, parameters)``."""
    with evaluating(model):
        return np.stack([flat(gradient(model, v)) for v in token_logp(model, batch, 0)])


@contextmanager
def evaluating(model):
    """Leaves out dropout."""
    training = model.training
    model.eval()
    yield
    model.train(training)
