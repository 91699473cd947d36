"""The metric of Adam: what its second moments make of a gradient."""

import torch
from torch import Tensor
from torch.optim import Adam, AdamW

from ..model.gpt2 import Model
from .capture import eager


def adam_preconditioner(optimizer: torch.optim.Optimizer, model: Model) -> dict[str, Tensor]:
    r"""Scale that Adam gives each entry of a gradient, without rate and momentum.

    .. math:: P = 1 / (\sqrt{v / (1 - \beta_2^t)} + \varepsilon)

    With ``amsgrad``, ``v`` is the largest second moment so far.

    Args:
        optimizer: Adam or AdamW, after at least one step.
        model: Whose parameters it trains.

    Returns:
        A tensor of each parameter's shape, by name.

    Raises:
        TypeError: Another optimizer.
        ValueError: It has made no step, or trains none of the model's parameters.

    Source: Kingma and Ba (2015), algorithm 1.
    """
    if not isinstance(optimizer, Adam | AdamW):
        raise TypeError(
            "the second moments are read from torch.optim.Adam or AdamW: got "
            f"{type(optimizer).__name__}; make the preconditioner from its state yourself, a "
            "tensor for each parameter's name"
        )
    name_of = {id(p): n for n, p in eager(model).named_parameters()}
    scale = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state.get(parameter)
            if id(parameter) not in name_of or not state:
                continue
            moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
            correction = 1 - float(group["betas"][1]) ** float(state["step"])
            scale[name_of[id(parameter)]] = 1 / ((moment / correction).sqrt() + group["eps"])
    if not scale:
        raise ValueError(
            "a preconditioner is made of second moments, but the optimizer has none for this "
            "model's parameters; make a step first, with an optimizer of these parameters"
        )
    return scale
