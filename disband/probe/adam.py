"""The metric in which Adam's first steps move, estimated from gradients at the start."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.tokenize import batches
from disband.lm.model.gpt2 import logp
from disband.lm.model.load import Loaded
from disband.lm.scores.grams import adam_preconditioner
from disband.lm.scores.products.metric import Preconditioner
from disband.lm.training.optimizers import Rule
from disband.theory.kernels.compiled import Compiled

from .measure import Plan

Array = npt.NDArray[np.float64]


def start_metric(
    loaded: Loaded,
    plan: Plan,
    refs: Array,
    objective: Compiled,
    settings: Mapping[str, float],
) -> Preconditioner:
    r"""Adam's scale :math:`1/(\sqrt{\hat v}+\varepsilon)` if it had seen each batch once.

    :math:`\hat v` is the mean of the squared gradients of the objective's loss over the batches
    of the sample, all taken at the start: an update of rate zero is made with each. Over all of
    them, for an entry that none of them moves would have a scale of :math:`1/\varepsilon`.

    Args:
        loaded: The model.
        plan: The sample and its batches.
        refs: Reference log-probabilities, ``(2, pairs)``, nats.
        objective: Whose gradients.
        settings: Its hyperparameters that are not its defaults.
    """
    model = loaded.model
    device = model.get_input_embeddings().weight.device
    loss = objective.kernel("loss", "torch", **settings)
    optimizer = Rule("adamw", 0.0).build(model)
    was_training = model.training
    model.eval()
    try:
        for piece in plan.pieces:
            optimizer.zero_grad()
            for index in piece:
                pair = plan.pairs[index]
                sides = [side.to(device) for side in batches(loaded.tokenizer, [pair])]
                logps = [logp(model, side).double() for side in sides]
                known = [torch.tensor([ref], device=device).double() for ref in refs[:, index]]
                lengths = [side.lengths.double() for side in sides]
                (loss(*logps, *known, *lengths).sum() / len(piece)).backward()
            optimizer.step()
        found = dict(adam_preconditioner(optimizer, model))
    finally:
        optimizer.zero_grad()
        model.train(was_training)
    for name, parameter in model.named_parameters():
        # What no gradient reaches has no score either, so any scale will do.
        if parameter.requires_grad and name not in found:
            found[name] = torch.ones_like(parameter)
    return found
