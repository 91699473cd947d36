r"""How far score products are from those of gradients that autograd writes out.

Of no two parameters are gradients held at once: the products follow from three norms,
:math:`\langle a, b\rangle = (\|a + b\|^2 - \|a\|^2 - \|b\|^2)/2`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..model.gpt2 import Batch, Model
from .capture import eager, undisturbed
from .explicit import each_gradient, plain_logp, token_logp
from .grams import batch_gram, contributions, directional
from .layers import Selection, wanted
from .layout import Text, texts

Array = npt.NDArray[np.float64]
# How far the log-probabilities are to move by the finite step, nats: far enough for the digits of
# float32, in which parts of float64 models compute too, and near enough to be straight.
MOVED = 0.01
# What is added to a parameter that is zero throughout, as an adapter's at first.
FROM_ZERO = 0.01


@dataclass(frozen=True)
class Audit:
    """Largest errors of score products, relative to the norms of the scores multiplied.

    Args:
        pairs: How many were audited.
        contributions: Of what one parameter contributes to a pair's Gram.
        gram: Of the pairs' Grams: of the contributions' sum, and out of the batch's whole matrix.
        step: Of the changes of log-probabilities to first order, against those that a small
            finite step makes to either side, relative to the largest; in float32 the latter have
            three digits.
    """

    pairs: int
    contributions: float
    gram: float
    step: float


def audit(
    model: Model, batch_w: Batch, batch_l: Batch, *, parameters: Selection | None = None
) -> Audit:
    """Compare all that is said of some pairs with gradients written out, and with a real step.

    It takes six backward passes for each pair by all parameters, and room for another copy of the
    parameters: give it few pairs.

    Raises:
        ValueError: As ``pair_gram``.
    """
    by_name = contributions(model, batch_w, batch_l, parameters=parameters)
    whole = batch_gram(model, batch_w, batch_l, parameters=parameters)
    bare = eager(model)
    device = model.get_input_embeddings().weight.device
    sides = texts(batch_w, device), texts(batch_l, device)
    trained = wanted(bare, parameters).parameters
    direction = _direction(bare, trained)
    slopes = directional(model, batch_w, batch_l, direction, parameters=parameters)
    with undisturbed(bare):
        products = np.stack(
            [_products(bare, trained, *pair) for pair in zip(*sides, strict=True)], 1
        )
        moved = _moved(bare, trained, direction, [*sides[0], *sides[1]], np.abs(slopes).max())
    total = products.sum(-1)
    scale = np.stack([total[0], total[1], np.sqrt(total[0] * total[1])])
    parts = np.array([[g.sq_w, g.sq_l, g.dot] for g in by_name.values()]).transpose(1, 2, 0)
    n = len(batch_w)
    own = np.stack([np.diagonal(whole)[:n], np.diagonal(whole)[n:], np.diagonal(whole[:n, n:])])
    return Audit(
        pairs=n,
        contributions=_largest(parts - products, scale[..., None]),
        gram=max(_largest(parts.sum(-1) - total, scale), _largest(own - total, scale)),
        step=_largest(moved - slopes, np.abs(slopes).max()),
    )


def _direction(model: Model, trained: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """The parameters themselves, without entries of an embedding that autograd leaves alone."""
    direction = {
        name: p.detach().clone() if bool(p.any()) else torch.full_like(p, FROM_ZERO)
        for name, p in trained.items()
    }
    name_of = {id(p): name for name, p in trained.items()}
    for module in model.modules():
        name = name_of.get(id(getattr(module, "weight", None)))
        if name is not None and isinstance(module, nn.Embedding) and module.padding_idx is not None:
            direction[name][module.padding_idx] = 0
    return direction


def _largest(error: Array, scale: npt.ArrayLike) -> float:
    relative = np.abs(error) / np.where(np.asarray(scale) > 0, scale, 1.0)
    return float(relative.max())


def _products(
    model: Model, trained: dict[str, nn.Parameter], chosen: Text, rejected: Text
) -> Array:
    """Each parameter's part of a pair's Gram, ``(3, parameters)``."""

    def norms(*both: Text) -> Array:
        squares = dict.fromkeys(trained, 0.0)

        def see(name: str, gradient: Tensor) -> None:
            squares[name] = float(gradient.double().square().sum())

        each_gradient(
            trained, lambda: torch.stack([token_logp(model, t).sum() for t in both]).sum(), see
        )
        return np.array(list(squares.values()))

    sq_w, sq_l, sq_sum = norms(chosen), norms(rejected), norms(chosen, rejected)
    return np.stack([sq_w, sq_l, (sq_sum - sq_w - sq_l) / 2])


def _moved(
    model: Model,
    trained: dict[str, nn.Parameter],
    direction: dict[str, Tensor],
    rows: list[Text],
    steepest: float,
) -> Array:
    """Slopes of the log-probabilities by two steps to either side, ``(rows,)``."""
    size = min(MOVED, MOVED / steepest) if steepest > 0 else MOVED
    logps = []
    for signed in (size, -size, size / 2, -size / 2):
        with _moved_by(trained, direction, signed):
            logps.append(plain_logp(model, rows))
    ahead, behind, halfway, half_back = logps
    # What a third derivative adds to either goes away.
    near, far = (halfway - half_back) / size, (ahead - behind) / (2 * size)
    return np.asarray((4 * near - far) / 3)


@contextmanager
def _moved_by(
    parameters: dict[str, nn.Parameter], direction: dict[str, Tensor], size: float
) -> Iterator[None]:
    kept = {name: parameter.data for name, parameter in parameters.items()}
    try:
        for name, parameter in parameters.items():
            parameter.data = kept[name] + size * direction[name]
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.data = kept[name]
